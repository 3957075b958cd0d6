/* SPDX-License-Identifier: GPL-2.0-only */
/* Users. */
#ifndef SHIM_UIDGID_H
#define SHIM_UIDGID_H

#include <linux/types.h>

typedef struct {
	unsigned int val;
} kuid_t;

static inline bool uid_eq(kuid_t a, kuid_t b)
{
	return a.val == b.val;
}

#endif /* SHIM_UIDGID_H */
