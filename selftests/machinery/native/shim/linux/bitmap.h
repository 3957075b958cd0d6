/* SPDX-License-Identifier: GPL-2.0-only */
/* Bitmaps, one bit at a time: plain rather than fast. */
#ifndef SHIM_BITMAP_H
#define SHIM_BITMAP_H

#include <linux/bits.h>

#define DECLARE_BITMAP(name, n)	unsigned long name[BITS_TO_LONGS(n)]

static inline bool test_bit(unsigned long i, const unsigned long *map)
{
	return map[i / BITS_PER_LONG] >> (i % BITS_PER_LONG) & 1;
}

static inline void __set_bit(unsigned long i, unsigned long *map)
{
	map[i / BITS_PER_LONG] |= BIT(i % BITS_PER_LONG);
}

static inline void __clear_bit(unsigned long i, unsigned long *map)
{
	map[i / BITS_PER_LONG] &= ~BIT(i % BITS_PER_LONG);
}

static inline void bitmap_set(unsigned long *map, unsigned int first,
			      unsigned int n)
{
	while (n--)
		__set_bit(first++, map);
}

static inline void bitmap_clear(unsigned long *map, unsigned int first,
				unsigned int n)
{
	for (; n; first++, n--) {
		/* Whole words at once, as in the kernel. */
		for (; !(first % BITS_PER_LONG) && n > BITS_PER_LONG;
		     first += BITS_PER_LONG, n -= BITS_PER_LONG)
			map[first / BITS_PER_LONG] = 0;
		__clear_bit(first, map);
	}
}

static inline bool bitmap_empty(const unsigned long *map, unsigned int n)
{
	unsigned int i;

	for (i = 0; i < BITS_TO_LONGS(n); i++)
		if (map[i])
			return false;
	return true;
}

static inline void bitmap_copy(unsigned long *to, const unsigned long *from,
			       unsigned int n)
{
	unsigned int i;

	for (i = 0; i < BITS_TO_LONGS(n); i++)
		to[i] = from[i];
}

static inline void bitmap_andnot(unsigned long *to, const unsigned long *a,
				 const unsigned long *b, unsigned int n)
{
	unsigned int i;

	for (i = 0; i < BITS_TO_LONGS(n); i++)
		to[i] = a[i] & ~b[i];
}

/* The first bit from @from on that is as it should be, or @size. */
static inline unsigned int shim_find(const unsigned long *map,
				     unsigned int size, unsigned int from,
				     bool set)
{
	while (from < size && test_bit(from, map) != set)
		from++;
	return from;
}

#define for_each_set_bit(i, map, size)					\
	for ((i) = shim_find(map, size, 0, true); (i) < (size);		\
	     (i) = shim_find(map, size, (i) + 1, true))

#define for_each_set_bitrange(from, to, map, size)			\
	for ((to) = 0; (from) = shim_find(map, size, to, true),		\
	     (to) = shim_find(map, size, from, false), (from) < (size);)

static inline void bitmap_fill(unsigned long *map, unsigned int n)
{
	unsigned long i;

	for (i = 0; i < BITS_TO_LONGS(n); i++)
		map[i] = ~0ul;
}

/* The first bit that is set, or size. */
static inline unsigned long find_first_bit(const unsigned long *map,
					   unsigned long size)
{
	unsigned long i;

	for (i = 0; i < BITS_TO_LONGS(size); i++)
		if (map[i])
			return i * BITS_PER_LONG + __builtin_ctzl(map[i]);
	return size;
}

/* The first run of n bits that are clear, at or after from; or past size. */
static inline unsigned long
bitmap_find_next_zero_area(unsigned long *map, unsigned long size,
			   unsigned long from, unsigned int n,
			   unsigned long align_mask)
{
	unsigned long i, run = 0;

	for (i = from; i < size; i++) {
		if (i % BITS_PER_LONG == 0 && !~map[i / BITS_PER_LONG]) {
			run = 0;
			i += BITS_PER_LONG - 1;
			continue;
		}
		run = test_bit(i, map) ? 0 : run + 1;
		if (run == n && !((i + 1 - n) & align_mask))
			return i + 1 - n;
	}
	return size + 1;
}

#endif /* SHIM_BITMAP_H */
