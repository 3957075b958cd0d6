/* SPDX-License-Identifier: MIT */
/*
 * The hash for peers that leave it to their user: two multiplications, without
 * protection against keys that somebody has chosen to collide.
 */
#ifndef BENCH_HASH_H
#define BENCH_HASH_H

#include <string.h>

#include "bench.h"

static inline uint64_t hash_key(const char *key)
{
	uint64_t words[2];

	memcpy(words, key, sizeof(words));
	words[0] *= 0x9e3779b97f4a7c15ull;
	words[0] ^= words[0] >> 32;
	words[0] = (words[0] + words[1]) * 0xbf58476d1ce4e5b9ull;
	return words[0] ^ words[0] >> 29;
}

#endif /* BENCH_HASH_H */
