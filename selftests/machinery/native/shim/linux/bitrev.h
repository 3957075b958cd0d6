/* SPDX-License-Identifier: GPL-2.0-only */
/* Bits in reverse. */
#ifndef SHIM_BITREV_H
#define SHIM_BITREV_H

#include <linux/types.h>

static inline u32 bitrev32(u32 x)
{
	unsigned int width;
	u32 mask = ~0u;

	for (width = 16; width; width /= 2) {
		mask ^= mask << width;
		x = (x >> width & mask) | (x << width & ~mask);
	}
	return x;
}

#endif /* SHIM_BITREV_H */
