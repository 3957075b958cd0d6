// SPDX-License-Identifier: GPL-2.0-only
/*
 * A fuzzer of operations: the bytes are the numbers that player.c draws, so each
 * input is a sequence of operations on a map and its model.
 *
 * The first bytes choose the map.  Each draw takes one byte, or two where it is
 * from many; behind the last byte everything is compared.
 */
#include <stdlib.h>

#include "player.h"
#include "shim.h"
#include "test.h"

#define FUZZ_KEYS	96

struct input {
	const u8	*at;
	size_t		left;
};

static u32 next(void *from, u32 n)
{
	struct input *input = from;
	u32 x = 0;

	if (input->left) {
		x = *input->at++;
		input->left--;
	}
	if (n > 256 && input->left) {
		x = x << 8 | *input->at++;
		input->left--;
	}
	return x % n;
}

/* One for each shape of map, so that a byte does not change all keys. */
static void choose(struct shmap_config *config, struct input *input)
{
	static const char * const locks[] = { "rcu", "spinlock", "rwsem" };
	u32 x = next(input, 256);

	config->lock = shmap_lock_find(locks[x % 3]);
	config->shards = x & 16 ? 4 : 1;
	config->wipe = x & 32;
	config->max_key = x & 64 ? 300 : 20;
	config->max_entries = x & 128 ? 400 : 70;
	config->max_bytes = next(input, 2) ? 1 << 20 : 64 << 10;
	config->max_value = next(input, 2) ? 20000 : 400;
}

/* The hash key is always the same, so the keys that collide are, too. */
static const struct keyset *keys_for(const struct shmap_map *map)
{
	static struct keyset keys[2];
	struct keyset *set = &keys[map->config.max_key > 20];

	if (!set->n) {
		keyset_random(set, map, FUZZ_KEYS);
		keyset_colliding(set, map, FUZZ_KEYS, 8, 3);
	}
	return set;
}

/**
 * LLVMFuzzerTestOneInput - what libFuzzer calls
 * @data: bytes that it made up
 * @size: how many
 *
 * Return: 0.
 */
int LLVMFuzzerTestOneInput(const u8 *data, size_t size)
{
	struct input input = { .at = data, .left = size };
	struct player player = { .draw = next, .from = &input };
	struct shmap_config config = { 0 };
	struct world world;
	bool failing;

	shim_rcu_by_hand(true);
	shim_seed(1);
	choose(&config, &input);
	failing = next(&input, 4) == 0;
	world_make(&world, &config);
	player.keys = *keys_for(world.map);
	player_start(&player, &world);
	player.filling = 200;
	while (input.left) {
		world.failing = failing;
		if (failing)
			shim_fail_nth(next(&input, 8) + 1);
		player_step(&player);
		shim_fail_nth(0);
	}
	world.failing = false;
	player_stop(&player);
	world_compare(&world);
	world_unmake(&world);
	return 0;
}
