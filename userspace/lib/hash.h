/* SPDX-License-Identifier: MIT */
/*
 * libkmap: the hash of a key, as <linux/kmap.h> defines it.
 *
 * SipHash-1-3 after Aumasson and Bernstein, "SipHash: a fast short-input PRF",
 * INDOCRYPT 2012: one round per 8 bytes, three at the end.  The beginning of the first
 * round depends only on the key of the hash, so it is computed once.
 */
#ifndef KMAP_HASH_H
#define KMAP_HASH_H

#include <endian.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

/**
 * struct hash_state - the state that each hash begins with
 * @v: the four words of the state; the first two as the first round leaves them before
 *	it uses any data
 * @turned: v[1], rotated as the next step of the first round requires
 */
struct hash_state {
	uint64_t	v[4];
	uint64_t	turned;
};

static inline uint64_t hash_rotate(uint64_t x, unsigned int by)
{
	return x << by | x >> (64 - by);
}

static inline void hash_init(struct hash_state *state, const uint64_t key[2])
{
	uint64_t *v = state->v;

	v[0] = key[0] ^ 0x736f6d6570736575ull;
	v[1] = key[1] ^ 0x646f72616e646f6dull;
	v[2] = key[0] ^ 0x6c7967656e657261ull;
	v[3] = key[1] ^ 0x7465646279746573ull;
	v[0] += v[1];
	v[1] = hash_rotate(v[1], 13) ^ v[0];
	v[0] = hash_rotate(v[0], 32);
	state->turned = hash_rotate(v[1], 17);
}

/* The rest of the first round, which takes the first word of data. */
static inline void hash_first(struct hash_state *s, uint64_t word)
{
	s->v[3] ^= word;
	s->v[2] += s->v[3];
	s->v[3] = hash_rotate(s->v[3], 16) ^ s->v[2];
	s->v[2] += s->v[1];
	s->v[0] += s->v[3];
	s->v[1] = s->turned ^ s->v[2];
	s->v[3] = hash_rotate(s->v[3], 21) ^ s->v[0];
	s->v[2] = hash_rotate(s->v[2], 32);
	s->v[0] ^= word;
}

static inline void hash_round(struct hash_state *s)
{
	s->v[0] += s->v[1];
	s->v[2] += s->v[3];
	s->v[1] = hash_rotate(s->v[1], 13) ^ s->v[0];
	s->v[3] = hash_rotate(s->v[3], 16) ^ s->v[2];
	s->v[0] = hash_rotate(s->v[0], 32);
	s->v[2] += s->v[1];
	s->v[0] += s->v[3];
	s->v[1] = hash_rotate(s->v[1], 17) ^ s->v[2];
	s->v[3] = hash_rotate(s->v[3], 21) ^ s->v[0];
	s->v[2] = hash_rotate(s->v[2], 32);
}

static inline void hash_word(struct hash_state *s, uint64_t word)
{
	s->v[3] ^= word;
	hash_round(s);
	s->v[0] ^= word;
}

static inline uint64_t hash_load(const void *from)
{
	uint64_t word;

	memcpy(&word, from, sizeof(word));
	return le64toh(word);
}

/* The last len % 8 bytes, as the low bytes of a word. */
static inline uint64_t hash_tail(const unsigned char *data, size_t len)
{
	const unsigned char *at = data + (len & ~(size_t)7);
	unsigned int left = len & 7;
	uint64_t word = 0;

	if (!left)
		return 0;
	/* Read the last 8 bytes of the data, and drop those hashed already. */
	if (len >= 8)
		return hash_load(data + len - 8) >> (64 - 8 * left);
	while (left--)
		word = word << 8 | at[left];
	return word;
}

/**
 * hash_64 - SipHash-1-3
 * @init: from hash_init()
 * @data: the bytes to hash
 * @len: number of bytes
 *
 * Return: all 64 bits; the hash of a key is the lower half.
 */
static inline __attribute__((always_inline)) uint64_t
hash_64(const struct hash_state *init, const void *data, size_t len)
{
	const unsigned char *at = data, *end = at + (len & ~(size_t)7);
	struct hash_state s = *init;
	uint64_t last = (uint64_t)len << 56;

	if (len < 8) {
		hash_first(&s, last | hash_tail(data, len));
	} else {
		hash_first(&s, hash_load(at));
		while ((at += 8) != end)
			hash_word(&s, hash_load(at));
		hash_word(&s, last | hash_tail(data, len));
	}
	s.v[2] ^= 0xff;
	hash_round(&s);
	hash_round(&s);
	hash_round(&s);
	return s.v[0] ^ s.v[1] ^ s.v[2] ^ s.v[3];
}

#endif /* KMAP_HASH_H */
