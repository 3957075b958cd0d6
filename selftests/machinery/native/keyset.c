// SPDX-License-Identifier: GPL-2.0-only
/*
 * Keys to play with, the hash key being known: any, such whose hashes agree in
 * their low bits, and pairs of the same hash.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <linux/random.h>

#include "player.h"
#include "test.h"

#define KEY_TEXT	16

static void add_key(struct keyset *keys, const void *key, u32 len)
{
	u8 *copy = malloc(len);

	check(copy);
	memcpy(copy, key, len);
	keys->key = realloc(keys->key, (keys->n + 1) * sizeof(*keys->key));
	keys->len = realloc(keys->len, (keys->n + 1) * sizeof(*keys->len));
	check(keys->key && keys->len);
	keys->key[keys->n] = copy;
	keys->len[keys->n++] = len;
}

/**
 * keyset_random - add keys of any length
 * @keys: the keys
 * @map: that they are for
 * @n: how many
 */
void keyset_random(struct keyset *keys, const struct shmap_map *map, u32 n)
{
	u8 key[KMAP_KEY_MAX];
	u16 length;
	u32 i;

	for (i = 0; i < n; i++) {
		get_random_bytes(key, sizeof(key));
		get_random_bytes(&length, sizeof(length));
		/* Most are short. */
		if (length & 7)
			length = 4 + length / 8 % 20;
		add_key(keys, key, length % map->config.max_key + 1);
		/* The same key twice would do no harm. */
	}
}

/**
 * keyset_colliding - add keys whose hashes agree in their low bits
 * @keys: the keys
 * @map: that they are for
 * @n: how many
 * @bits: how many bits
 * @wanted: what the bits are to be
 */
void keyset_colliding(struct keyset *keys, const struct shmap_map *map, u32 n,
		      unsigned int bits, u32 wanted)
{
	u32 mask = (1u << bits) - 1, found = 0, i;
	char key[KEY_TEXT];

	for (i = 0; found < n; i++) {
		int len = snprintf(key, sizeof(key), "c%u", i);

		if (((shmap_key_hash(map, key, len) ^ wanted) & mask) == 0) {
			add_key(keys, key, len);
			found++;
		}
	}
}

struct twin {
	u32 hash;
	u32 i;
};

static int compare_twins(const void *a, const void *b)
{
	const struct twin *x = a, *y = b;

	return x->hash < y->hash ? -1 : x->hash > y->hash;
}

/**
 * keyset_twins - add pairs of keys that have the very same hash
 * @keys: the keys
 * @map: that they are for
 * @n: among how many to look; about n * n / 2^33 pairs are found
 */
void keyset_twins(struct keyset *keys, const struct shmap_map *map, u32 n)
{
	struct twin *twin = malloc(n * sizeof(*twin));
	char key[KEY_TEXT];
	u32 i;

	check(twin);
	for (i = 0; i < n; i++) {
		twin[i].i = i;
		twin[i].hash = shmap_key_hash(map, key,
					      snprintf(key, sizeof(key), "t%u",
						       i));
	}
	qsort(twin, n, sizeof(*twin), compare_twins);
	for (i = 1; i < n; i++) {
		if (twin[i].hash != twin[i - 1].hash)
			continue;
		add_key(keys, key, snprintf(key, sizeof(key), "t%u",
					    twin[i - 1].i));
		add_key(keys, key, snprintf(key, sizeof(key), "t%u",
					    twin[i].i));
	}
	free(twin);
}

/**
 * keyset_free - forget the keys
 * @keys: the keys
 */
void keyset_free(struct keyset *keys)
{
	while (keys->n)
		free(keys->key[--keys->n]);
	free(keys->key);
	free(keys->len);
	keys->key = NULL;
	keys->len = NULL;
}
