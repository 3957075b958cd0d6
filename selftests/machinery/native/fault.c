// SPDX-License-Identifier: GPL-2.0-only
/*
 * Allocations that fail: for each n, a scenario in which the n-th allocation
 * fails, or all from the n-th on.  The operation returns ENOMEM or does without,
 * what it was to change is as before, and nothing leaks.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "inspect.h"
#include "player.h"
#include "shim.h"
#include "space.h"
#include "test.h"

static u8 text[40000];

/* How to number keys. */
static int set(struct world *world, u32 i, u32 len)
{
	return world_set(world, &i, sizeof(i), text, len, KMAP_RETURN, 0,
			 world->map->config.max_value);
}

/* A bit of everything that allocates. */
static void scenario(struct world *world)
{
	u32 i;

	/* Pages for the table, overflow pages, slabs of one unit. */
	for (i = 0; i < 700; i++)
		set(world, i, 8);
	/* Runs of units: of some, of many. */
	for (i = 0; i < 8; i++) {
		set(world, i, 1500);
		set(world, 100 + i, 5000);
		set(world, 200 + i, 20000);
	}
	for (i = 700; i < 720; i++)
		world_add(world, &i, sizeof(i), 5, KMAP_CREATE);
	for (i = 300; i < 600; i++)
		world_delete(world, &i, sizeof(i), 0, 0, 0);
	shmap_space_squeeze(world->map, true);
	world_clear(world);
	for (i = 0; i < 30; i++)
		set(world, i, 3000);
	shim_rcu_pass();
}

static void run(const char *lock, unsigned int shards, bool all)
{
	const struct shmap_config config = {
		.lock		= shmap_lock_find(lock),
		.shards		= shards,
		.max_entries	= 2000,
		.max_bytes	= 1 << 20,
		.max_key	= 4,
		.max_value	= 20000,
	};
	u64 n, step = 1, before, no_memory = 0, tries = 0;
	struct world world;

	shim_rcu_by_hand(true);
	for (n = 1;; n += step, tries++) {
		shim_seed(1);
		before = shim_attempts();
		if (all)
			shim_fail_from(n);
		else
			shim_fail_nth(n);
		if (world_try_make(&world, &config)) {
			world.failing = true;
			scenario(&world);
			shim_fail_nth(0);
			inspect_map(world.map);
			no_memory += world.no_memory;
			/* It goes on as if nothing had been. */
			world.failing = false;
			check_equal(set(&world, 9999, 20000), 0);
			world_compare(&world);
			world_unmake(&world);
			if (shim_attempts() - before < n)
				break;
		} else {
			no_memory++;
		}
		shim_fail_nth(0);
	}
	printf("# %llu allocations failed, %llu operations said ENOMEM\n",
	       tries, no_memory);
	/* Some are done without; most are not. */
	check(no_memory > tries / 2);
	check(tries > 50);
}

static void nth_spinlock(void)
{
	run("spinlock", 1, false);
}

static void nth_rwsem(void)
{
	run("rwsem", 4, false);
}

static void nth_rcu(void)
{
	run("rcu", 1, false);
}

static void all_rwsem(void)
{
	run("rwsem", 1, true);
}

static void all_rcu(void)
{
	run("rcu", 4, true);
}

/* Random operations, an allocation failing now and then. */
static void now_and_then(void)
{
	const struct shmap_config config = {
		.lock		= shmap_lock_find("rcu"),
		.shards		= 2,
		.max_entries	= 2000,
		.max_bytes	= 1 << 20,
		.max_key	= 30,
		.max_value	= 20000,
		.wipe		= true,
	};
	struct player player = { .draw = player_random };
	struct world world;
	u32 i;

	shim_rcu_by_hand(true);
	shim_seed(test_number("SEED", 1));
	world_make(&world, &config);
	keyset_random(&player.keys, world.map, 800);
	player_start(&player, &world);
	player.filling = 200;
	world.failing = true;
	for (i = 1; i < 30000; i++) {
		shim_fail_nth(player_random(NULL, 4) + 1);
		player_step(&player);
		shim_fail_nth(0);
		if (i % 3000 == 0)
			world_compare(&world);
	}
	player_stop(&player);
	keyset_free(&player.keys);
	check(world.no_memory > 100);
	world_compare(&world);
	world_unmake(&world);
}

int main(int argc, char **argv)
{
	static const struct test tests[] = {
		{ "nth_spinlock", nth_spinlock },
		{ "nth_rwsem", nth_rwsem },
		{ "nth_rcu", nth_rcu },
		{ "all_rwsem", all_rwsem },
		{ "all_rcu", all_rcu },
		{ "now_and_then", now_and_then },
	};

	return test_main(argc, argv, tests, ARRAY_SIZE(tests));
}
