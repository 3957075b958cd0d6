/* SPDX-License-Identifier: GPL-2.0-only */
/* Atomic counters; those that return something order everything. */
#ifndef SHIM_ATOMIC_H
#define SHIM_ATOMIC_H

#include <linux/compiler.h>

typedef struct { int counter; } atomic_t;
typedef struct { s64 counter; } atomic64_t;
typedef struct { long counter; } atomic_long_t;

#define SHIM_LOAD(v)	__atomic_load_n(&(v)->counter, SHIM_READ)
#define SHIM_ADD(i, v)	__atomic_add_fetch(&(v)->counter, i, __ATOMIC_SEQ_CST)

static inline int atomic_read(const atomic_t *v)
{
	return SHIM_LOAD(v);
}

static inline void atomic_inc(atomic_t *v)
{
	SHIM_ADD(1, v);
}

static inline void atomic_set(atomic_t *v, int i)
{
	__atomic_store_n(&v->counter, i, __ATOMIC_RELAXED);
}

static inline void atomic_dec(atomic_t *v)
{
	SHIM_ADD(-1, v);
}

static inline long atomic_long_read(const atomic_long_t *v)
{
	return SHIM_LOAD(v);
}

static inline void atomic_long_inc(atomic_long_t *v)
{
	SHIM_ADD(1, v);
}

static inline void atomic_long_add(long i, atomic_long_t *v)
{
	SHIM_ADD(i, v);
}

static inline void atomic_long_sub(long i, atomic_long_t *v)
{
	SHIM_ADD(-i, v);
}

static inline s64 atomic64_read(const atomic64_t *v)
{
	return SHIM_LOAD(v);
}

static inline void atomic64_add(s64 i, atomic64_t *v)
{
	SHIM_ADD(i, v);
}

static inline s64 atomic64_add_return(s64 i, atomic64_t *v)
{
	return SHIM_ADD(i, v);
}

/* How many this thread has made, for tests that count what something costs. */
extern __thread u64 shim_exchanges;

static inline s64 atomic64_xchg(atomic64_t *v, s64 i)
{
	shim_exchanges++;
	return __atomic_exchange_n(&v->counter, i, __ATOMIC_SEQ_CST);
}

static inline bool atomic64_try_cmpxchg(atomic64_t *v, s64 *old, s64 i)
{
	return __atomic_compare_exchange_n(&v->counter, old, i, false,
					   __ATOMIC_SEQ_CST, __ATOMIC_SEQ_CST);
}

#endif /* SHIM_ATOMIC_H */
