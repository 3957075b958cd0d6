// SPDX-License-Identifier: GPL-2.0-only
/*
 * How long each lock is held, and each read-side critical section lasts, at the
 * most: in steps (see shim/steps.c), whatever is in the map and whatever size it
 * has.  The bounds are those of the table in userspace/bench/PERFORMANCE.md, "Hold times".
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "player.h"
#include "shim.h"
#include "space.h"
#include "test.h"
#include "world.h"

/* Bounds, in steps. */
/* A batch of deferred entries is freed. */
#define ARENA_MOST	1500u
#define DEFER_MOST	50u
#define POOL_MOST	600u
/* Most of it is a split of the longest chain, which takes overflow buckets from the map. */
#define SHARD_MOST	1200u
/* Chains with overflow buckets, which go back to the map one by one. */
#define CLEAR_MOST	2500u
/* A chain is sorted. */
#define WALK_MOST	2500u

/* A SET that is refused, all of it. */
#define REFUSED_MOST	500u

static u8 text[KMAP_VALUE_MAX];

static void make(struct world *world, const char *lock, unsigned int shards,
		 u64 max_entries, u64 max_bytes)
{
	const struct shmap_config config = {
		.lock		= shmap_lock_find(lock),
		.shards		= shards,
		.max_entries	= max_entries,
		.max_bytes	= max_bytes,
		.max_key	= 64,
		.max_value	= KMAP_VALUE_MAX,
	};

	shim_rcu_by_hand(true);
	world_make(world, &config);
	shim_longest_forget();
}

static int set(struct world *world, const struct keyset *keys, u32 i, u32 len)
{
	return world_set(world, keys->key[i], keys->len[i], text, len, 0, 0, 0);
}

/* Say what was measured, and compare. */
static void judge(char *what, u64 shard)
{
	u64 arena = shim_longest("arena.c"), pool = shim_longest("area.c");
	u64 defer = shim_longest("defer.c");
	u64 lock = shim_longest("lock.c"), rcu = shim_longest("rcu");

	printf("# %s: arena %llu, defer %llu, pool %llu, shard %llu, rcu %llu\n",
	       what, (unsigned long long)arena, (unsigned long long)defer,
	       (unsigned long long)pool, (unsigned long long)lock,
	       (unsigned long long)rcu);
	check(arena <= ARENA_MOST);
	check(defer <= DEFER_MOST);
	check(pool <= POOL_MOST);
	check(lock <= shard);
	check(rcu <= shard);
	/* Something was counted. */
	check(lock || rcu);
	shim_longest_forget();
}

/*
 * A map of many slabs, none full and none empty, in an area that has no unit left
 * but those between others: each attempt to get one looks for what there is.
 */
static void refused(const struct test *test)
{
	const u32 n = 12000;
	struct keyset keys = { 0 };
	struct shmap_pool *pool;
	struct world world;
	int *unit;
	u32 i, got, refusals = 0;

	make(&world, test->lock, 1, 100000, 64 << 20);
	pool = &world.map->pool;
	keyset_random(&keys, world.map, n + 600);
	for (i = 0; i < n; i++)
		check_equal(set(&world, &keys, i, 5000), 0);
	/* Some keys are there twice. */
	for (i = 0; i < n; i += 3)
		world_delete(&world, keys.key[i], keys.len[i], 0, 0, 0);
	shmap_space_squeeze(world.map, true);
	unit = calloc(pool->area.end, sizeof(*unit));
	check(unit);
	for (got = 0; (unit[got] = shmap_pool_take(pool, 1)) > 0;)
		got++;
	for (i = 0; i < got; i += 2) {
		shmap_pool_put(pool, unit[i], 1);
		unit[i] = 0;
	}
	/* Runs are refused once no more entries can be moved, and single units found. */
	for (i = 0; i < 600 && refusals < 100; i++)
		refusals += set(&world, &keys, n + i, 20000 << i % 5) == -ENOSPC;
	check_equal(refusals, 100);
	check_equal(set(&world, &keys, n, 900), 0);
	judge("refused", SHARD_MOST);
	while (got--)
		if (unit[got])
			shmap_pool_put(pool, unit[got], 1);
	world_compare(&world);
	free(unit);
	keyset_free(&keys);
	world_unmake(&world);
	judge("unload", SHARD_MOST);
}

/*
 * A SET for which there is no room costs no more because the map has many shards
 * and others were refused before, as long as nothing has been freed.
 */
static void refused_again(const struct test *test)
{
	struct keyset keys = { 0 };
	struct shmap_pool *pool;
	struct world world;
	u64 steps = 0;
	int *unit;
	u32 i, n;

	make(&world, test->lock, 1024, 100000, 64 << 20);
	pool = &world.map->pool;
	keyset_random(&keys, world.map, 20);
	for (i = 0; i < 10; i++)
		check_equal(set(&world, &keys, i, 100), 0);
	check_equal(world_delete(&world, keys.key[0], keys.len[0], 0, 0, 0), 0);
	unit = calloc(pool->area.end, sizeof(*unit));
	check(unit);
	for (n = 0; (unit[n] = shmap_pool_take(pool, 1)) > 0;)
		n++;
	for (i = 10; i < 20; i++) {
		struct shmap_request rq = {
			.key		= keys.key[i],
			.key_len	= keys.len[i],
			.hash		= shmap_key_hash(world.map, keys.key[i],
							 keys.len[i]),
		};

		steps = shim_steps;
		check_equal(shmap_key_prepare(world.map, &rq, 20000, 0), -ENOSPC);
		steps = shim_steps - steps;
	}
	printf("# a SET refused once more: %llu steps\n",
	       (unsigned long long)steps);
	check(steps < REFUSED_MOST);
	while (n--)
		shmap_pool_put(pool, unit[n], 1);
	free(unit);
	world_compare(&world);
	keyset_free(&keys);
	world_unmake(&world);
}

/* Values as long as can be, there and back. */
static void long_values(const struct test *test)
{
	struct shmap_request request = { .key = "key", .key_len = 3 };
	struct world world;
	u32 len = KMAP_VALUE_MAX;

	make(&world, test->lock, 1, 1000, 64 << 20);
	check_equal(world_set(&world, "key", 3, text, len, 0, 0, 0), 0);
	judge("set", SHARD_MOST);
	check_equal(world_get(&world, "key", 3, len), 0);
	judge("get", SHARD_MOST);
	check_equal(world_set(&world, "key", 3, text, len, KMAP_CREATE |
			      KMAP_RETURN, 0, len), -EEXIST);
	judge("create", SHARD_MOST);
	check_equal(world_set(&world, "key", 3, text, len, KMAP_RETURN, 0, len),
		    0);
	judge("set, return", SHARD_MOST);
	request.expected = text;
	request.expected_len = len;
	request.flags = KMAP_EQUAL;
	request.hash = shmap_key_hash(world.map, "key", 3);
	check_equal(shmap_key_delete(world.map, &request), 0);
	judge("delete, equal", SHARD_MOST);
	model_free(&world.model);
	memset(&world.model, 0, sizeof(world.model));
	check_equal(world_set(&world, "key", 3, text, len, 0, 0, 0), 0);
	check_equal(world_delete(&world, "key", 3, KMAP_RETURN, 0, len), 0);
	judge("delete, return", SHARD_MOST);
	world_unmake(&world);
}

/* Chains as long as can be: looked up, walked, split, cleared. */
static void long_chains(const struct test *test)
{
	struct keyset keys = { 0 };
	struct world_walk walk;
	struct world world;
	u32 i;

	make(&world, test->lock, 1, 100000, 64 << 20);
	keyset_colliding(&keys, world.map, 64, 14, 0x2a5);
	keyset_random(&keys, world.map, 20000);
	for (i = 0; i < 64; i++)
		check_equal(set(&world, &keys, i, 100), 0);
	/* Some would belong to that chain. */
	for (; i < 20064; i++)
		set(&world, &keys, i, 8);
	judge("insert", SHARD_MOST);
	for (i = 0; i < 64; i++)
		check_equal(world_get(&world, keys.key[i], keys.len[i], 100), 0);
	judge("look up", SHARD_MOST);
	world_walk_begin(&world, &walk, 0, true);
	while (!world_walk_some(&world, &walk, 8192, ~0u))
		;
	judge("walk", WALK_MOST);
	for (i = 0; i < 64; i += 2)
		check_equal(world_delete(&world, keys.key[i], keys.len[i], 0, 0,
					 0), 0);
	judge("delete", SHARD_MOST);
	check_equal(world_clear(&world), 0);
	judge("clear", CLEAR_MOST);
	world_compare(&world);
	keyset_free(&keys);
	world_unmake(&world);
	judge("unload", SHARD_MOST);
}

int main(int argc, char **argv)
{
	static const struct test tests[] = {
		{ "refused_spinlock", .play = refused, .lock = "spinlock" },
		{ "refused_rwsem", .play = refused, .lock = "rwsem" },
		{ "refused_rcu", .play = refused, .lock = "rcu" },
		{ "refused_again_spinlock", .play = refused_again, .lock = "spinlock" },
		{ "refused_again_rwsem", .play = refused_again, .lock = "rwsem" },
		{ "refused_again_rcu", .play = refused_again, .lock = "rcu" },
		{ "long_values_spinlock", .play = long_values, .lock = "spinlock" },
		{ "long_values_rwsem", .play = long_values, .lock = "rwsem" },
		{ "long_values_rcu", .play = long_values, .lock = "rcu" },
		{ "long_chains_spinlock", .play = long_chains, .lock = "spinlock" },
		{ "long_chains_rwsem", .play = long_chains, .lock = "rwsem" },
		{ "long_chains_rcu", .play = long_chains, .lock = "rcu" },
	};

	return test_main(argc, argv, tests, ARRAY_SIZE(tests));
}
