/* SPDX-License-Identifier: GPL-2.0-only */
/* Arithmetic that tells of an overflow. */
#ifndef SHIM_OVERFLOW_H
#define SHIM_OVERFLOW_H

#define check_add_overflow(a, b, sum)	__builtin_add_overflow(a, b, sum)
#define struct_size(p, member, n) \
	(sizeof(*(p)) + (size_t)(n) * sizeof((p)->member[0]))

#endif /* SHIM_OVERFLOW_H */
