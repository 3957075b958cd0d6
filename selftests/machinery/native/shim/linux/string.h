/* SPDX-License-Identifier: GPL-2.0-only */
/* What the C library does not have. */
#ifndef SHIM_STRING_H
#define SHIM_STRING_H

#include <string.h>

#include <linux/compiler.h>
#include <linux/types.h>

static inline void strscpy_pad(char *to, const char *from, size_t size)
{
	size_t len = strnlen(from, size - 1);

	memcpy(to, from, len);
	memset(to + len, 0, size - len);
}

/* Not left out although nobody reads it any more. */
static inline void memzero_explicit(void *mem, size_t size)
{
	explicit_bzero(mem, size);
}

#endif /* SHIM_STRING_H */
