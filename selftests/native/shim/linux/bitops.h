/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef SHIM_BITOPS_H
#define SHIM_BITOPS_H

#include <linux/types.h>

static inline u64 rol64(u64 x, unsigned int by)
{
	return x << by | x >> (64 - by);
}

#endif /* SHIM_BITOPS_H */
