/* SPDX-License-Identifier: MIT */
/*
 * libkmap: looking a key up in the window, without a system call.
 *
 * The protocol is that of <linux/kmap.h>; the numbers below are its steps.  The
 * kernel may change everything while we read, so what is read once is used, what
 * is used is checked against the bounds of the window first, and what was found
 * counts when the seq of the home bucket is afterwards what it was before.  Both
 * hold for a window that is damaged too: it can make us find nothing or nonsense,
 * but neither read outside of it nor go on for ever.
 *
 * Orders.  seq and the number of buckets are read with acquire, and what follows
 * them is read later.  An acquire fence before seq is read again keeps what was
 * read earlier from being read after it.
 */
#ifndef KMAP_LOOKUP_H
#define KMAP_LOOKUP_H

#include <errno.h>

#include "kmap.h"
#include "window.h"

/* A 64-bit word of tags as four 16-bit lanes. */
#define WINDOW_LANES		0x0001000100010001ull
#define WINDOW_LANE_TOPS	0x8000800080008000ull

/* A seq is read as a long, its lower half where a long is no more. */
#if __BYTE_ORDER == __BIG_ENDIAN
#define WINDOW_SEQ_AT		(sizeof(__u64) - sizeof(long))
#else
#define WINDOW_SEQ_AT		0
#endif

/**
 * struct probe - where a key's hash leads
 * @hash: of the key
 * @rest: the bits of it that choose the bucket
 * @desc: the shard's descriptor
 * @buckets: the shard's bucket 0
 * @home: home bucket
 * @seq: its seq when the lookup began
 */
struct probe {
	uint32_t			hash;
	uint32_t			rest;
	const struct kmap_shard		*desc;
	const struct kmap_bucket	*buckets;
	const struct kmap_bucket	*home;
	unsigned long			seq;
};

static inline uint32_t load_32(const uint32_t *from)
{
	return __atomic_load_n(from, __ATOMIC_RELAXED);
}

/* In two halves where the machine has no more: seq tells if they are one. */
static inline uint64_t load_64(const __u64 *from)
{
#if __SIZEOF_LONG__ == 8
	return __atomic_load_n(from, __ATOMIC_RELAXED);
#else
	uint32_t half[2];
	uint64_t word;

	half[0] = load_32((const uint32_t *)(const void *)from);
	half[1] = load_32((const uint32_t *)(const void *)from + 1);
	memcpy(&word, half, sizeof(word));
	return word;
#endif
}

static inline unsigned long load_seq(const struct kmap_bucket *home, int order)
{
	const void *at = (const unsigned char *)&home->seq + WINDOW_SEQ_AT;

	return __atomic_load_n((const unsigned long *)at, order);
}

/* Steps 5 and 6: is all that was read so far of one moment? */
static inline bool stable(const struct kmap_bucket *home, unsigned long seq)
{
	__atomic_thread_fence(__ATOMIC_ACQUIRE);
	return load_seq(home, __ATOMIC_RELAXED) == seq;
}

static inline uint64_t word_at(const void *from)
{
	uint64_t word;

	memcpy(&word, from, sizeof(word));
	return word;
}

static inline bool same(const unsigned char *a, const unsigned char *b,
			size_t len)
{
	size_t i;

	if (len == 16)
		return word_at(a) == word_at(b) &&
		       word_at(a + 8) == word_at(b + 8);
	if (len < 8)
		return !memcmp(a, b, len);
	for (i = 0; i + 8 < len; i += 8)
		if (word_at(a + i) != word_at(b + i))
			return false;
	return word_at(a + len - 8) == word_at(b + len - 8);
}

/* Short values without a call: pieces of 16 bytes, which may overlap. */
static inline void copy(unsigned char *to, const unsigned char *from,
			size_t len)
{
	if (len < 16 || len > 64) {
		memcpy(to, from, len);
		return;
	}
	memcpy(to, from, 16);
	memcpy(to + len - 16, from + len - 16, 16);
	if (len > 32) {
		memcpy(to + 16, from + 16, 16);
		memcpy(to + len - 32, from + len - 32, 16);
	}
}

/* Step 3: number of the home bucket when there are @n, which is not 0. */
static inline uint32_t home_number(uint32_t rest, uint32_t n)
{
	uint32_t mask = UINT32_MAX >> __builtin_clz(n);
	uint32_t i = rest & mask;

	return i < n ? i : i & (mask >> 1);
}

/*
 * Step 5: the entry of a slot, if it is the key's: sets *value_len.  NULL when it
 * is another's; *again is set when it cannot be told.
 */
static inline __attribute__((always_inline)) const struct kmap_entry *
entry_of(const struct window *window, const struct probe *probe, uint32_t ref,
	 const void *key, uint32_t key_len, uint32_t *value_len, bool *again)
{
	const struct kmap_entry *entry;
	size_t at = (size_t)ref * 8;
	uint32_t lens;

	if (ref > window->ref_max)
		goto again;
	entry = (const void *)(window->entries + at);
	if (load_32(&entry->hash) != probe->hash)
		return NULL;
	lens = load_32(&entry->lens);
	if (KMAP_ENTRY_KEY_LEN(lens) != key_len)
		return NULL;
	/* Lengths of what was here once are not to be followed. */
	if (!stable(probe->home, probe->seq))
		goto again;
	*value_len = KMAP_ENTRY_VALUE_LEN(lens);
	if (KMAP_ENTRY_VALUE(key_len) + *value_len > window->entry_size - at)
		goto again;
	return same((const unsigned char *)(entry + 1), key, key_len) ? entry
								       : NULL;
again:
	*again = true;
	return NULL;
}

/* Step 5: four slots of a bucket; as entry_of(). */
static inline __attribute__((always_inline)) const struct kmap_entry *
word_of(const struct window *window, const struct probe *probe,
	const struct kmap_bucket *bucket, unsigned int word, const void *key,
	uint32_t key_len, uint32_t *value_len, bool *again)
{
	uint64_t wanted = (probe->hash >> 16) * WINDOW_LANES;
	uint64_t diff = load_64(&bucket->tags[word]) ^ wanted;
	/* Tops of lanes that are 0, and maybe of some above. */
	uint64_t hits = (diff - WINDOW_LANES) & ~diff & WINDOW_LANE_TOPS;

	for (; hits; hits &= hits - 1) {
		size_t slot = word * 4 +
			      (unsigned int)__builtin_ctzll(hits) / 16;
		uint32_t ref = load_32(&bucket->refs[slot]);
		const struct kmap_entry *entry;

		if (!ref)
			continue;
		entry = entry_of(window, probe, ref, key, key_len, value_len,
				 again);
		if (entry || *again)
			return entry;
	}
	return NULL;
}

/* Steps 3 to 7, once.  WINDOW_UNKNOWN: try again. */
static inline __attribute__((always_inline)) int
get_once(const struct window *window, struct probe *probe, const void *key,
	 uint32_t key_len, void *buf, size_t size, size_t *len,
	 uint64_t *version)
{
	uint32_t n = __atomic_load_n(&probe->desc->buckets, __ATOMIC_ACQUIRE);
	const struct kmap_bucket *bucket;
	const struct kmap_entry *entry;
	uint32_t left = window->depth_max, link, i, value_len;
	uint64_t found_version;
	bool again = false;

	if (n - 1 >= window->bucket_max)
		return WINDOW_UNKNOWN;
	i = home_number(probe->rest, n);
	bucket = &probe->buckets[i];
	probe->home = bucket;
	probe->seq = load_seq(bucket, __ATOMIC_ACQUIRE);
	if (probe->seq & 1)
		return WINDOW_UNKNOWN;

	for (;;) {
		entry = word_of(window, probe, bucket, 0, key, key_len,
				&value_len, &again);
		if (entry)
			break;
		if (again)
			return WINDOW_UNKNOWN;
		entry = word_of(window, probe, bucket, 1, key, key_len,
				&value_len, &again);
		if (entry)
			break;
		if (again)
			return WINDOW_UNKNOWN;
		link = load_32(&bucket->link);
		if (!link || !--left)
			goto absent;
		if (link >= window->bucket_max)
			return WINDOW_UNKNOWN;
		bucket = &probe->buckets[link];
	}

	/* Step 6: it has room for what its lengths say. */
	found_version = load_64(&entry->version) & KMAP_VERSION_MASK;
	if (value_len <= size)
		copy(buf, (const unsigned char *)entry +
		     KMAP_ENTRY_VALUE(key_len), value_len);
	if (!stable(probe->home, probe->seq))
		return WINDOW_UNKNOWN;
	if (len)
		*len = value_len;
	if (version)
		*version = found_version;
	return value_len <= size ? 0 : -EMSGSIZE;

absent:
	if (!stable(probe->home, probe->seq))
		return WINDOW_UNKNOWN;
	n = load_32(&probe->desc->buckets);
	if (n - 1 >= window->bucket_max || home_number(probe->rest, n) != i)
		return WINDOW_UNKNOWN;
	return -ENOENT;
}

/**
 * window_lookup - look a key up in the window, once
 * @window: the window; there is one
 * @key: the key
 * @key_len: its length
 * @buf: room for the value; may be written to whatever comes of it
 * @size: bytes of @buf
 * @len: set to the length of the value, on 0 and -EMSGSIZE, unless NULL
 * @version: set to its version, likewise
 *
 * Return: 0, -ENOENT or -EMSGSIZE as the ioctl would have said at some moment of
 * this call, or WINDOW_UNKNOWN when that has to be asked: arguments that need
 * checking, a writer that interferes, a window that is damaged.
 */
static inline __attribute__((always_inline)) int
window_lookup(const struct window *window, const void *key, size_t key_len,
	      void *buf, size_t size, size_t *len, uint64_t *version)
{
	struct probe probe;
	uint32_t shard;

	if (key_len - 1 >= window->key_max || !key || (size && !buf))
		return WINDOW_UNKNOWN;

	probe.hash = (uint32_t)hash_64(&window->hash, key, key_len);
	probe.rest = probe.hash >> window->shard_bits;
	shard = probe.hash & window->shard_mask;
	probe.desc = (const struct kmap_shard *)window->shards + shard;
	probe.buckets = (const void *)(window->buckets + shard * window->stride);
	return get_once(window, &probe, key, key_len, buf, size, len, version);
}

#endif /* KMAP_LOOKUP_H */
