/* SPDX-License-Identifier: MIT */
/*
 * libkmap: finding the slots of a bucket that have a given tag.
 *
 * The result is a set of slots: slots_ref() returns the reference of its first slot, and
 * slots_next() returns the set without that slot.  Where the machine has SSE2, all eight
 * tags are compared at once, else four at a time in a word; then the set may hold slots
 * with other tags too, but never misses one.
 *
 * Tags may change while they are read: the result is valid only if the seq of the home
 * bucket is the same afterwards.
 */
#ifndef KMAP_TAGS_H
#define KMAP_TAGS_H

#include <linux/kmap.h>
#include <stddef.h>
#include <stdint.h>

#ifdef __SSE2__
#include <emmintrin.h>

/* The wanted tag, eight times. */
typedef __m128i tags_t;

/* Bits 2 * i and 2 * i + 1 for slot i. */
typedef uint32_t slots_t;

static inline tags_t tags_wanted(uint32_t hash)
{
	__m128i word = _mm_cvtsi32_si128((int)hash);

	/* Repeat the upper half of the hash four times, then the result twice. */
	return _mm_shuffle_epi32(_mm_shufflelo_epi16(word, 0x55), 0);
}

static inline slots_t slots_find(const struct kmap_bucket *bucket,
				 tags_t wanted)
{
	/* Read once: the check of seq must cover the very tags that are compared. */
	tags_t tags = *(const volatile __m128i_u *)(const void *)bucket->tags;

	return (uint32_t)_mm_movemask_epi8(_mm_cmpeq_epi16(tags, wanted));
}

static inline const __u32 *slots_ref(const struct kmap_bucket *bucket,
				     slots_t slots)
{
	size_t bit = (unsigned int)__builtin_ctz(slots);

	/* Two bits of the set stand for a reference of four bytes. */
	return (const void *)((const char *)bucket->refs + 2 * bit);
}

static inline slots_t slots_next(slots_t slots)
{
	slots &= slots - 1;
	return slots & (slots - 1);
}

#else

/* A 64-bit word of tags as four 16-bit lanes. */
#define TAG_LANES	0x0001000100010001ull
#define TAG_LANE_TOPS	0x8000800080008000ull

/* The wanted tag, four times. */
typedef uint64_t tags_t;

/* Bit 16 * i for slot i, and bit 16 * i + 1 for slot i + 4. */
typedef uint64_t slots_t;

static inline tags_t tags_wanted(uint32_t hash)
{
	return (hash >> 16) * TAG_LANES;
}

/* Top bits of the lanes that are 0, and possibly of lanes above these. */
static inline uint64_t tags_zero(uint64_t tags)
{
	return (tags - TAG_LANES) & ~tags & TAG_LANE_TOPS;
}

static inline slots_t slots_find(const struct kmap_bucket *bucket,
				 tags_t wanted)
{
	const volatile __u64 *tags = bucket->tags;

	return tags_zero(tags[0] ^ wanted) >> 15 |
	       tags_zero(tags[1] ^ wanted) >> 14;
}

static inline const __u32 *slots_ref(const struct kmap_bucket *bucket,
				     slots_t slots)
{
	int bit = __builtin_ctzll(slots);

	return &bucket->refs[bit / 16 + bit % 2 * 4];
}

static inline slots_t slots_next(slots_t slots)
{
	return slots & (slots - 1);
}
#endif

#endif /* KMAP_TAGS_H */
