/* SPDX-License-Identifier: MIT */
/*
 * libkmap: looking a key up in the window, without a system call.
 *
 * The protocol is that of <linux/kmap.h>; the comments below number its steps.  The
 * kernel may change everything while we read.  So each field is read once and checked
 * against the bounds of the window before it is used, and the result is valid only if
 * the seq of the home bucket is the same at the end as at the beginning.  The checks also
 * hold for a damaged window: it can make us find nothing or nonsense, but neither read
 * outside of it nor loop for ever.
 *
 * Ordering: seq and the end of the buckets are loaded with acquire semantics, so later
 * reads stay after them.  An acquire fence before seq is loaded again keeps earlier
 * reads before that load.
 */
#ifndef KMAP_LOOKUP_H
#define KMAP_LOOKUP_H

#include <errno.h>

#include "kmap.h"
#include "tags.h"
#include "window.h"

/* A seq is read as a long: where that has 32 bits, the lower half of the seq. */
#if __BYTE_ORDER == __BIG_ENDIAN
#define WINDOW_SEQ_AT		(sizeof(__u64) - sizeof(long))
#else
#define WINDOW_SEQ_AT		0
#endif

/* A page of zeros has at least so many bytes. */
#define WINDOW_PAGE		4096u

#define likely(condition)	__builtin_expect(!!(condition), 1)
#define unlikely(condition)	__builtin_expect(!!(condition), 0)

static inline uint32_t load_32(const uint32_t *from)
{
	return __atomic_load_n(from, __ATOMIC_RELAXED);
}

/* Reads two halves where a long has 32 bits: the check of seq covers both of them. */
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

/* Steps 5 and 6: is everything that was read so far of one moment? */
static inline bool stable(const struct kmap_bucket *home, unsigned long seq)
{
	__atomic_thread_fence(__ATOMIC_ACQUIRE);
	return likely(load_seq(home, __ATOMIC_RELAXED) == seq);
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

/* 16 bytes at any address. */
typedef unsigned char piece __attribute__((vector_size(16), aligned(1), may_alias));

/* Copy bytes; 16 to 64 of them without a call, in pieces that may overlap. */
static inline void copy(unsigned char *to, const unsigned char *from,
			size_t len)
{
	piece *head = (piece *)to;
	piece *tail = (piece *)(to + len);
	const piece *from_head = (const piece *)from;
	const piece *from_tail = (const piece *)(from + len);

	if (likely(len - 33 <= 64 - 33)) {
		head[0] = from_head[0];
		head[1] = from_head[1];
		tail[-2] = from_tail[-2];
		tail[-1] = from_tail[-1];
	} else if (len - 16 <= 32 - 16) {
		head[0] = from_head[0];
		tail[-1] = from_tail[-1];
	} else {
		memcpy(to, from, len);
	}
}

/*
 * Step 5: is the header of an entry in a page of zeros?  @hash was not found there.  The
 * lengths are read first: if they are not of such a page, the hash is not either.
 */
static inline bool blank(const struct kmap_entry *entry, uint32_t hash)
{
	return !__atomic_load_n(&entry->lens, __ATOMIC_ACQUIRE) ||
	       load_32(&entry->hash) == hash;
}

/* Step 5: may the rest of an entry, up to @last, be in pages of zeros? */
static inline bool partly_blank(const struct window *window,
				const unsigned char *at,
				const unsigned char *last)
{
	const struct kmap_window *head = (const void *)window->mem;

	return unlikely(__atomic_load_n(&head->stale, __ATOMIC_ACQUIRE)) &&
	       ((uintptr_t)at ^ (uintptr_t)last) >= WINDOW_PAGE;
}

/* Bucket @i, which must be below window->bucket_max. */
static inline const struct kmap_bucket *
window_bucket(const struct window *window, uint32_t i)
{
	return (const struct kmap_bucket *)(const void *)window->buckets + i;
}

/* Steps 2 and 3: find the home bucket; false if the end of the buckets is out of bounds. */
static inline __attribute__((always_inline)) bool
window_home(const struct window *window, uint32_t hash,
	    const struct kmap_bucket **home)
{
	const struct kmap_shard *desc = (const void *)window->shards;
	uint32_t end, mask, i;

	desc += hash & window->shard_mask;
	end = __atomic_load_n(&desc->end, __ATOMIC_ACQUIRE);
	if (unlikely(end - 1 >= window->bucket_max))
		return false;
	mask = (2u << (31 - __builtin_clz(end))) - 1;
	i = hash & mask;
	*home = window_bucket(window, i < end ? i : i & (mask >> 1));
	return true;
}

/**
 * window_takes - can this key be looked up in the window?
 * @window: the window, or all zero when there is none
 * @key: the key
 * @key_len: its length
 *
 * Return: false also for a key that is invalid: the kernel returns the error for it.
 */
static inline bool window_takes(const struct window *window, const void *key,
				size_t key_len)
{
	return key_len - 1 < window->key_max && key;
}

/**
 * window_absent - step 7: is a key that was not found in its chain absent?
 * @window: the window
 * @hash: hash of the key
 * @home: the home bucket whose chain was read
 * @seq: its seq when the lookup began
 *
 * Return: -ENOENT, or WINDOW_UNKNOWN.
 */
int window_absent(const struct window *window, uint32_t hash,
		  const struct kmap_bucket *home, unsigned long seq);

/**
 * window_lookup - look a key up in the window, once
 * @window: the window
 * @key: the key
 * @key_len: its length; window_takes() has returned true for it
 * @buf: buffer for the value, which may be written to whatever the result; not NULL
 * @size: size of @buf, in bytes
 * @len: set to the length of the value, on 0 and -EMSGSIZE, unless NULL
 * @version: set to its version, likewise
 * @word: set @version to the whole version word, including the flags
 *
 * Return: 0, -ENOENT or -EMSGSIZE as the ioctl would have returned at some moment of
 * this call, or WINDOW_UNKNOWN when a writer interfered or the window is damaged.
 */
static inline __attribute__((always_inline)) int
window_lookup(const struct window *window, const void *key, uint32_t key_len,
	      void *buf, size_t size, size_t *len, uint64_t *version,
	      const bool word)
{
	uint32_t hash = (uint32_t)hash_64(&window->hash, key, key_len);
	const struct kmap_bucket *home, *bucket;
	uint32_t depth = 0, ref, link, lens, value_len;
	const unsigned char *at, *value;
	const struct kmap_entry *entry;
	uint64_t found_word;
	tags_t wanted = tags_wanted(hash);
	unsigned long seq;
	slots_t slots;
	int ret;

	if (unlikely(!window_home(window, hash, &home)))
		return WINDOW_UNKNOWN;
	/* Step 4. */
	seq = load_seq(home, __ATOMIC_ACQUIRE);
	if (unlikely(seq & 1 || !seq))
		return WINDOW_UNKNOWN;

	/* Step 5. */
	for (bucket = home;;) {
		slots = slots_find(bucket, wanted);
		for (; slots; slots = slots_next(slots)) {
			ref = load_32(slots_ref(bucket, slots));
			/* The slot is free, or the reference is out of bounds. */
			if (unlikely(ref - 1 >= window->ref_max)) {
				if (ref)
					return WINDOW_UNKNOWN;
				continue;
			}
			at = window->entries + (size_t)ref * 8;
			entry = (const void *)at;
			if (unlikely(load_32(&entry->hash) != hash)) {
				if (blank(entry, hash))
					return WINDOW_UNKNOWN;
				continue;
			}
			lens = load_32(&entry->lens);
			if (unlikely(KMAP_ENTRY_KEY_LEN(lens) != key_len)) {
				if (!lens)
					return WINDOW_UNKNOWN;
				continue;
			}
			/* The lengths may be stale: use them only if seq confirms them. */
			if (!stable(home, seq))
				return WINDOW_UNKNOWN;
			value_len = KMAP_ENTRY_VALUE_LEN(lens);
			value = at + KMAP_ENTRY_VALUE(key_len);
			if (unlikely((uint64_t)(uintptr_t)value + value_len >
				     (uintptr_t)window->end))
				return WINDOW_UNKNOWN;
			if (partly_blank(window, at, value + value_len - 1))
				return WINDOW_UNKNOWN;
			if (likely(same(at + sizeof(*entry), key, key_len)))
				goto found;
		}
		link = load_32(&bucket->link);
		if (!link || ++depth >= window->depth_max)
			return window_absent(window, hash, home, seq);
		if (link >= window->bucket_max)
			return WINDOW_UNKNOWN;
		bucket = window_bucket(window, link);
		if (unlikely(load_32(&bucket->mark) != KMAP_BUCKET_OVERFLOW))
			return WINDOW_UNKNOWN;
	}

found:
	/* Step 6: key and value, by their lengths, are within the entry area. */
	found_word = load_64(&entry->version);
	ret = -EMSGSIZE;
	if (likely(value_len <= size)) {
		copy(buf, value, value_len);
		ret = 0;
	}
	if (!stable(home, seq))
		return WINDOW_UNKNOWN;
	if (len)
		*len = value_len;
	if (version)
		*version = word ? found_word : KMAP_ENTRY_VERSION(found_word);
	return ret;
}

#endif /* KMAP_LOOKUP_H */
