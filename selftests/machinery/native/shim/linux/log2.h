/* SPDX-License-Identifier: GPL-2.0-only */
/* Logarithms. */
#ifndef SHIM_LOG2_H
#define SHIM_LOG2_H

#include <linux/minmax.h>

#define ilog2(n)	(63u - (unsigned int)__builtin_clzll(n))
#define is_power_of_2(n) ((n) && !((n) & ((n) - 1)))

static inline unsigned long roundup_pow_of_two(unsigned long n)
{
	unsigned long up = 1;

	while (up < n)
		up *= 2;
	return up;
}

#endif /* SHIM_LOG2_H */
