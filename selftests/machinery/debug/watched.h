/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Included before everything else when the module is built for a debug kernel: gcc
 * instruments the accesses of the code that it compiles, but not those of memcpy()
 * and similar functions, by which keys and values are read and written; and on x86
 * those functions are not instrumented themselves.  Functions of bitmaps could be, but
 * then for their callers in the kernel, too, whose races are not ours.  This checks their
 * accesses for KASAN and KCSAN.
 */
#ifndef WATCHED_H
#define WATCHED_H

#include <linux/bitmap.h>
#include <linux/cpumask.h>
#include <linux/kasan-checks.h>
#include <linux/kcsan-checks.h>
#include <linux/minmax.h>
#include <linux/nodemask.h>
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

static __always_inline void watch_bits_read(const unsigned long *bits,
					    unsigned int n)
{
	watch_read(bits, bitmap_size(n));
}

static __always_inline void watch_bits_write(unsigned long *bits,
					     unsigned int n)
{
	watch_write(bits, bitmap_size(n));
}

/* The words that have some of these bits. */
static __always_inline void watch_bits_part(unsigned long *bits,
					    unsigned int from, unsigned int n)
{
	if (n)
		watch_write(bits + BIT_WORD(from),
			    bitmap_size(from % BITS_PER_LONG + n));
}

static __always_inline bool watched_bitmap_empty(const unsigned long *bits,
						 unsigned int n)
{
	watch_bits_read(bits, n);
	return bitmap_empty(bits, n);
}

static __always_inline void watched_bitmap_fill(unsigned long *bits,
						unsigned int n)
{
	watch_bits_write(bits, n);
	bitmap_fill(bits, n);
}

static __always_inline void watched_bitmap_copy(unsigned long *to,
						const unsigned long *from,
						unsigned int n)
{
	watch_bits_read(from, n);
	watch_bits_write(to, n);
	bitmap_copy(to, from, n);
}

static __always_inline bool watched_bitmap_andnot(unsigned long *to,
						  const unsigned long *a,
						  const unsigned long *b,
						  unsigned int n)
{
	watch_bits_read(a, n);
	watch_bits_read(b, n);
	watch_bits_write(to, n);
	return bitmap_andnot(to, a, b, n);
}

static __always_inline void watched_bitmap_set(unsigned long *bits,
					       unsigned int from,
					       unsigned int n)
{
	watch_bits_part(bits, from, n);
	bitmap_set(bits, from, n);
}

static __always_inline void watched_bitmap_clear(unsigned long *bits,
						 unsigned int from,
						 unsigned int n)
{
	watch_bits_part(bits, from, n);
	bitmap_clear(bits, from, n);
}

static __always_inline unsigned long
watched_find_first_bit(const unsigned long *bits, unsigned long n)
{
	watch_bits_read(bits, n);
	return find_first_bit(bits, n);
}

static __always_inline unsigned long
watched_find_next_bit(const unsigned long *bits, unsigned long n,
		      unsigned long from)
{
	watch_bits_read(bits, n);
	return find_next_bit(bits, n, from);
}

static __always_inline unsigned long
watched_find_next_zero_bit(const unsigned long *bits, unsigned long n,
			   unsigned long from)
{
	watch_bits_read(bits, n);
	return find_next_zero_bit(bits, n, from);
}

#undef memcpy
#undef memset
#undef memcmp
#define memcpy(to, from, len)	watched_memcpy(to, from, len)
#define memset(to, c, len)	watched_memset(to, c, len)
#define memcmp(a, b, len)	watched_memcmp(a, b, len)

#define bitmap_empty(bits, n)		watched_bitmap_empty(bits, n)
#define bitmap_fill(bits, n)		watched_bitmap_fill(bits, n)
#define bitmap_copy(to, from, n)	watched_bitmap_copy(to, from, n)
#define bitmap_andnot(to, a, b, n)	watched_bitmap_andnot(to, a, b, n)
#define bitmap_set(bits, from, n)	watched_bitmap_set(bits, from, n)
#define bitmap_clear(bits, from, n)	watched_bitmap_clear(bits, from, n)
#define find_first_bit(bits, n)		watched_find_first_bit(bits, n)
#define find_next_bit(bits, n, from)	watched_find_next_bit(bits, n, from)
#define find_next_zero_bit(bits, n, from)				\
	watched_find_next_zero_bit(bits, n, from)

#endif /* WATCHED_H */
