/* SPDX-License-Identifier: GPL-2.0-only */
/* Single bits, and how many words they take. */
#ifndef SHIM_BITS_H
#define SHIM_BITS_H

#include <linux/types.h>

#define BITS_PER_LONG	(8 * sizeof(long))
#define BIT(n)		(1ul << (n))
#define BIT_ULL(n)	(1ull << (n))
#define BITS_TO_LONGS(n) (((n) + BITS_PER_LONG - 1) / BITS_PER_LONG)

#define __ffs64(x)	((unsigned int)__builtin_ctzll(x))

#endif /* SHIM_BITS_H */
