/* SPDX-License-Identifier: MIT */
/*
 * libkmap: which slots of a bucket have a tag.
 *
 * The answer is a set of slots: slots_ref() leads to the first one's reference, and
 * slots_next() is the set without it.  All eight tags are compared at once where the
 * machine has SSE2, else four in a word; there the set can hold a slot too many,
 * never one too few.
 *
 * Tags may change while they are read: what they say counts when the seq of the
 * home bucket is the same afterwards.
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

	/* Its upper half four times, then all of that twice. */
	return _mm_shuffle_epi32(_mm_shufflelo_epi16(word, 0x55), 0);
}

static inline slots_t slots_find(const struct kmap_bucket *bucket,
				 tags_t wanted)
{
	/* Read once: seq is to speak of what is compared. */
	tags_t tags = *(const volatile __m128i_u *)(const void *)bucket->tags;

	return (uint32_t)_mm_movemask_epi8(_mm_cmpeq_epi16(tags, wanted));
}

static inline const __u32 *slots_ref(const struct kmap_bucket *bucket,
				     slots_t slots)
{
	size_t bit = (unsigned int)__builtin_ctz(slots);

	/* Four bytes for two bits. */
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

/* Tops of lanes that are 0, and maybe of some above. */
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
