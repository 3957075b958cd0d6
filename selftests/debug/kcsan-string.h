/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Included before all else when the module is built for the race detector: gcc
 * watches the accesses that it makes itself, but not those of memcpy() and its
 * kin, by which keys and values are read and written.  Here they are.
 */
#ifndef KCSAN_STRING_H
#define KCSAN_STRING_H

#include <linux/kcsan-checks.h>
#include <linux/minmax.h>
#include <linux/string.h>

/* The detector cannot watch more at once. */
#define WATCHED(len)	min_t(size_t, len, 4096)

static __always_inline void *watched_memcpy(void *to, const void *from,
					    size_t len)
{
	kcsan_check_read(from, WATCHED(len));
	kcsan_check_write(to, WATCHED(len));
	return memcpy(to, from, len);
}

static __always_inline void *watched_memset(void *to, int c, size_t len)
{
	kcsan_check_write(to, WATCHED(len));
	return memset(to, c, len);
}

static __always_inline int watched_memcmp(const void *a, const void *b,
					  size_t len)
{
	kcsan_check_read(a, WATCHED(len));
	kcsan_check_read(b, WATCHED(len));
	return memcmp(a, b, len);
}

#undef memcpy
#undef memset
#undef memcmp
#define memcpy(to, from, len)	watched_memcpy(to, from, len)
#define memset(to, c, len)	watched_memset(to, c, len)
#define memcmp(a, b, len)	watched_memcmp(a, b, len)

#endif /* KCSAN_STRING_H */
