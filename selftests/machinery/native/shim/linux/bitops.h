/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef SHIM_BITOPS_H
#define SHIM_BITOPS_H

#include <linux/types.h>

static inline u64 rol64(u64 x, unsigned int by)
{
	return x << by | x >> (64 - by);
}

/* The lowest and the highest bit that is set, of those that are. */
#define __ffs(x)	((unsigned int)__builtin_ctzl(x))
#define __fls(x)	(8 * sizeof(long) - 1 - __builtin_clzl(x))

#define hweight_long(x)	((unsigned int)__builtin_popcountl(x))

#endif /* SHIM_BITOPS_H */
