/* SPDX-License-Identifier: GPL-2.0-only */
/* References, which nobody takes of what has none. */
#ifndef SHIM_REFCOUNT_H
#define SHIM_REFCOUNT_H

#include <linux/lockdep.h>

typedef struct { int refs; } refcount_t;

static inline void refcount_set(refcount_t *r, int n)
{
	__atomic_store_n(&r->refs, n, __ATOMIC_RELAXED);
}

static inline void refcount_inc(refcount_t *r)
{
	WARN_ON_ONCE(__atomic_fetch_add(&r->refs, 1, __ATOMIC_RELAXED) <= 0);
}

static inline bool refcount_dec_and_test(refcount_t *r)
{
	int left = __atomic_sub_fetch(&r->refs, 1, __ATOMIC_ACQ_REL);

	WARN_ON_ONCE(left < 0);
	return !left;
}

#endif /* SHIM_REFCOUNT_H */
