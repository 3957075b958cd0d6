/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The hash of a key: HSipHash as 64-bit kernels have it, which is SipHash-1-3.
 *
 * This uses the kernel's permutation and not hsiphash().  So it can be inline, it
 * computes once per map what depends only on the map's key, which is half of the first
 * round, and it takes the last bytes of a key in one step.
 */
#ifndef SHMAP_HASH_H
#define SHMAP_HASH_H

#include <linux/bitops.h>
#include <linux/compiler.h>
#include <linux/siphash.h>
#include <linux/types.h>
#include <asm/byteorder.h>

/**
 * struct shmap_hash - state that the rounds work on
 * @v: the four words.  In the initial state of a map, the first two have gone through the
 *	part of the first round that does not depend on what is hashed
 * @turned: v[1] of the initial state, rotated as the first round does next
 */
struct shmap_hash {
	u64	v[4];
	u64	turned;
};

/* The rest of the first round, with the first word of what is hashed. */
static __always_inline void shmap_hash_first(struct shmap_hash *s, u64 word)
{
	s->v[3] ^= word;
	s->v[2] += s->v[3];
	s->v[3] = rol64(s->v[3], 16) ^ s->v[2];
	s->v[2] += s->v[1];
	s->v[0] += s->v[3];
	s->v[1] = s->turned ^ s->v[2];
	s->v[3] = rol64(s->v[3], 21) ^ s->v[0];
	s->v[2] = rol64(s->v[2], 32);
	s->v[0] ^= word;
}

static __always_inline void shmap_hash_round(struct shmap_hash *s)
{
	SIPHASH_PERMUTATION(s->v[0], s->v[1], s->v[2], s->v[3]);
}

static __always_inline void shmap_hash_word(struct shmap_hash *s, u64 word)
{
	s->v[3] ^= word;
	shmap_hash_round(s);
	s->v[0] ^= word;
}

/* Eight bytes at any address. */
struct shmap_unaligned {
	u64	word;
} __packed;

static __always_inline u64 shmap_hash_word_at(const void *from)
{
	return ((const struct shmap_unaligned *)from)->word;
}

static __always_inline u64 shmap_hash_load(const void *from)
{
	return __le64_to_cpu((__force __le64)shmap_hash_word_at(from));
}

/* The last bytes, fewer than 8, as the low bytes of a word. */
static __always_inline u64 shmap_hash_tail(const void *key, u32 len)
{
	const u8 *at = key + (len & ~7u);
	unsigned int left = len & 7;
	u64 word = 0;

	if (!left)
		return 0;
	/* Read the 8 bytes that end where the key does. */
	if (len >= 8)
		return shmap_hash_load(key + len - 8) >> (64 - 8 * left);
	while (left--)
		word = word << 8 | at[left];
	return word;
}

/**
 * shmap_hash_init - compute the initial state that all hashes of a map begin with
 * @init: filled in
 * @key: the map's key
 *
 * Context: any.
 */
static inline void shmap_hash_init(struct shmap_hash *init,
				   const hsiphash_key_t *key)
{
	u64 *v = init->v;

	v[0] = SIPHASH_CONST_0 ^ key->key[0];
	v[1] = SIPHASH_CONST_1 ^ key->key[1];
	v[2] = SIPHASH_CONST_2 ^ key->key[0];
	v[3] = SIPHASH_CONST_3 ^ key->key[1];
	v[0] += v[1];
	v[1] = rol64(v[1], 13) ^ v[0];
	v[0] = rol64(v[0], 32);
	init->turned = rol64(v[1], 17);
}

/**
 * shmap_hash - hash some bytes
 * @init: from shmap_hash_init()
 * @key: the bytes
 * @len: how many
 *
 * Context: any.
 * Return: the hash.
 */
static __always_inline u32 shmap_hash(const struct shmap_hash *init,
				      const void *key, u32 len)
{
	struct shmap_hash s = *init;
	u64 last = (u64)len << 56;
	u32 i;

	if (likely(len == 16)) {
		/* The usual length of keys that programs make. */
		shmap_hash_first(&s, shmap_hash_load(key));
		shmap_hash_word(&s, shmap_hash_load(key + 8));
		shmap_hash_word(&s, last);
	} else if (len < 8) {
		shmap_hash_first(&s, last | shmap_hash_tail(key, len));
	} else {
		shmap_hash_first(&s, shmap_hash_load(key));
		for (i = 8; i + 8 <= len; i += 8)
			shmap_hash_word(&s, shmap_hash_load(key + i));
		shmap_hash_word(&s, last | shmap_hash_tail(key, len));
	}
	s.v[2] ^= 0xff;
	shmap_hash_round(&s);
	shmap_hash_round(&s);
	shmap_hash_round(&s);
	return s.v[0] ^ s.v[1] ^ s.v[2] ^ s.v[3];
}

#endif /* SHMAP_HASH_H */
