/* SPDX-License-Identifier: GPL-2.0-only */
/* Least, most, and rounding. */
#ifndef SHIM_MINMAX_H
#define SHIM_MINMAX_H

#include <linux/types.h>

#define min(a, b) \
	({ __typeof__((a) + 0) _a = (a); __typeof__((b) + 0) _b = (b); \
	   _a < _b ? _a : _b; })
#define max(a, b) \
	({ __typeof__((a) + 0) _a = (a); __typeof__((b) + 0) _b = (b); \
	   _a > _b ? _a : _b; })
#define min_t(type, a, b)	min((type)(a), (type)(b))
#define max_t(type, a, b)	max((type)(a), (type)(b))
#define max3(a, b, c) \
	({ __typeof__((a) + 0) _ab = max(a, b); max(_ab, c); })

/* To a power of two. */
#define round_up(x, to)	((((x) - 1) | ((__typeof__(x))(to) - 1)) + 1)

#define round_down(x, to)	((x) & ~((__typeof__(x))(to) - 1))

#define DIV_ROUND_UP(n, d)	(((n) + (d) - 1) / (d))
#define DIV_ROUND_UP_ULL(n, d)	DIV_ROUND_UP((unsigned long long)(n), (d))

#endif /* SHIM_MINMAX_H */
