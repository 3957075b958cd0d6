/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Included before everything else when the module is built for a debug kernel: gcc
 * instruments the accesses of the code that it compiles, but not those of memcpy()
 * and similar functions, by which keys and values are read and written; and on x86
 * those functions are not instrumented themselves.  This checks their accesses for
 * KASAN and KCSAN.
 */
#ifndef WATCHED_STRING_H
#define WATCHED_STRING_H

#include <linux/kasan-checks.h>
#include <linux/kcsan-checks.h>
#include <linux/minmax.h>
#include <linux/string.h>

/* KCSAN cannot watch more at once. */
#define WATCHED(len)	min_t(size_t, len, 4096)

static __always_inline void watch_read(const void *from, size_t len)
{
	kasan_check_read(from, len);
	kcsan_check_read(from, WATCHED(len));
}

static __always_inline void watch_write(void *to, size_t len)
{
	kasan_check_write(to, len);
	kcsan_check_write(to, WATCHED(len));
}

static __always_inline void *watched_memcpy(void *to, const void *from,
					    size_t len)
{
	watch_read(from, len);
	watch_write(to, len);
	return memcpy(to, from, len);
}

static __always_inline void *watched_memset(void *to, int c, size_t len)
{
	watch_write(to, len);
	return memset(to, c, len);
}

static __always_inline int watched_memcmp(const void *a, const void *b,
					  size_t len)
{
	watch_read(a, len);
	watch_read(b, len);
	return memcmp(a, b, len);
}

#undef memcpy
#undef memset
#undef memcmp
#define memcpy(to, from, len)	watched_memcpy(to, from, len)
#define memset(to, c, len)	watched_memset(to, c, len)
#define memcmp(a, b, len)	watched_memcmp(a, b, len)

#endif /* WATCHED_STRING_H */
