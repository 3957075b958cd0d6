// SPDX-License-Identifier: GPL-2.0-only
/*
 * Who pays for what: entries of several groups, which store and remove in turn, and the
 * slabs that each of them has.  And what a small map takes, a full one, and one of a
 * machine that is short of memory.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <linux/cgroup.h>
#include <linux/shrinker.h>
#include <linux/sizes.h>

#include "compact.h"
#include "inspect.h"
#include "payer.h"
#include "shim.h"
#include "space.h"
#include "test.h"
#include "world.h"

#define GROUPS		5u
#define KEYS		4000u
#define KEY_LEN		16

static u8 text[1000];

static void make(struct world *world, const char *lock, unsigned int shards)
{
	const struct shmap_config config = {
		.lock		= shmap_lock_find(lock),
		.shards		= shards,
		.max_entries	= 1000000,
		.max_bytes	= 64 << 20,
		.max_key	= 64,
		.max_value	= sizeof(text),
	};

	shim_rcu_by_hand(true);
	world_make(world, &config);
}

static const char *key(u32 i)
{
	static char key[KEY_LEN + 1];

	snprintf(key, sizeof(key), "%0*u", KEY_LEN, i);
	return key;
}

static int set(struct world *world, u32 i, u32 group, u32 len)
{
	shim_group.serial_nr = group;
	return world_set(world, key(i), KEY_LEN, text, len, 0, 0, 0);
}

static void delete(struct world *world, u32 i, u32 group)
{
	shim_group.serial_nr = group;
	world_delete(world, key(i), KEY_LEN, 0, 0, 0);
}

/* Free what can be freed, as two runs of the keeper would. */
static void settle(struct world *world)
{
	struct shmap_arena *arena;

	shmap_space_squeeze(world->map, true);
	for (arena = shmap_payer_next(world->map, NULL); arena;
	     arena = shmap_payer_next(world->map, arena))
		shmap_compact_arena(world->map, arena, SHMAP_ARENA_SLACK);
	shmap_space_squeeze(world->map, true);
	shmap_payers_drop(world->map);
}

/* Bytes of the slabs that a group pays for, and how many arenas it has. */
static u64 charge(struct world *world, u32 group, unsigned int *arenas)
{
	struct shmap_arena *arena;
	u64 bytes = 0;

	*arenas = 0;
	for (arena = shmap_payer_next(world->map, NULL); arena;
	     arena = shmap_payer_next(world->map, arena)) {
		if (arena->payer != group)
			continue;
		bytes += arena->held + arena->leaving;
		++*arenas;
	}
	return bytes;
}

/*
 * A group pays for the slabs of what it has stored, whoever overwrites or removes it, and
 * for little more; and for nothing when that is gone.
 */
static void groups(const struct test *test)
{
	const u32 size = KMAP_ENTRY_SIZE(KEY_LEN, 200);
	u64 stored[GROUPS + 1] = { 0 };
	u32 owner[KEYS], i, step, group;
	struct world world;
	unsigned int arenas;

	make(&world, test->lock, 8);
	memset(owner, 0, sizeof(owner));
	for (step = 0; step < 20 * KEYS; step++) {
		i = rand() % KEYS;
		group = 1 + rand() % GROUPS;
		stored[owner[i]] -= owner[i] ? size : 0;
		if (rand() % 4) {
			check_equal(set(&world, i, group, 200), 0);
			owner[i] = group;
			stored[group] += size;
		} else {
			delete(&world, i, group);
			owner[i] = 0;
		}
		if (step % 1000 == 0)
			shim_rcu_pass();
	}
	settle(&world);
	world_compare(&world);
	for (group = 1; group <= GROUPS; group++) {
		u64 bytes = charge(&world, group, &arenas);

		printf("# group %u: %llu bytes stored, %llu in slabs, %u arenas\n",
		       group, (unsigned long long)stored[group],
		       (unsigned long long)bytes, arenas);
		check(arenas >= 1 && arenas <= 1 + world.map->payers.lanes);
		check(bytes >= stored[group]);
		check(bytes <= stored[group] + stored[group] / 8 +
		      arenas * 3 * SHMAP_UNIT_SIZE);
	}
	/* One group's entries are removed, by another one. */
	for (i = 0; i < KEYS; i++)
		if (owner[i] == 3)
			delete(&world, i, 1);
	settle(&world);
	check_equal(charge(&world, 3, &arenas), 0);
	check_equal(arenas, 0);
	check(charge(&world, 2, &arenas) >= stored[2]);
	world_compare(&world);
	world_clear(&world);
	settle(&world);
	check(RB_EMPTY_ROOT(&world.map->payers.arenas));
	world_compare(&world);
	world_unmake(&world);
}

/* An arena that is in use stays, and a shard does not remember one that is gone. */
static void in_use(void)
{
	struct shmap_arena *arena, *again;
	struct shmap_shard *shard;
	struct world world;

	make(&world, "rcu", 1);
	shard = &world.map->shard[0];
	check(shard->arena == &shmap_payer_none);
	shim_group.serial_nr = 7;
	arena = shmap_payer_get(world.map, shard);
	check(!IS_ERR(arena) && shard->arena == arena);
	check_equal(arena->payer, 7);
	shmap_payers_drop(world.map);
	check(shard->arena == arena);
	again = shmap_payer_get(world.map, shard);
	check(again == arena);
	shmap_payer_put(world.map, arena);
	shmap_payers_drop(world.map);
	check(shard->arena == arena);
	shmap_payer_put(world.map, arena);
	shmap_payers_drop(world.map);
	check(shard->arena == &shmap_payer_none);
	world_unmake(&world);
}

/* A map takes little memory as long as little is in it. */
static void small(const struct test *test)
{
	struct kmap_info info = { 0 };
	struct world world;
	u32 i;

	make(&world, test->lock, 8);
	shmap_map_info(world.map, &info);
	printf("# empty: %llu bytes\n", (unsigned long long)info.memory);
	check(info.memory <= 32 << 10);
	for (i = 0; i < 10; i++)
		check_equal(set(&world, i, 1, 64), 0);
	memset(&info, 0, sizeof(info));
	shmap_map_info(world.map, &info);
	printf("# ten entries: %llu bytes\n", (unsigned long long)info.memory);
	check(info.memory <= 48 << 10);
	world_unmake(&world);
}

/* Let time pass, until the keeper has done what it does when nothing presses. */
static void rest(struct world *world)
{
	unsigned int i;

	for (i = 0; i < 8; i++) {
		shim_rcu_pass();
		shim_work_pass(HZ);
	}
	check_equal(shim_work_pass(HZ), 0);
}

/* Bytes of slabs. */
static u64 slabs(const struct world *world)
{
	struct kmap_info info = { 0 };

	shmap_map_info(world->map, &info);
	return info.slabs;
}

/* What the keeper leaves alone comes back when the machine is short of memory. */
static void pressed(const struct test *test)
{
	const u64 stored = (5 * KEYS - 5 * KEYS / 32) * KMAP_ENTRY_SIZE(KEY_LEN, 200);
	struct shrink_control sc = { .nr_to_scan = 128 };
	struct shrinker *shrinker;
	struct world world;
	unsigned long pages;
	u64 before, after;
	u32 i;

	make(&world, test->lock, 8);
	shrinker = world.map->shrinker;
	check_equal(shrinker->count_objects(shrinker, &sc), 0);
	for (i = 0; i < 5 * KEYS; i++)
		check_equal(set(&world, i, 1, 200), 0);
	for (i = 0; i < 5 * KEYS / 8; i += 4)
		delete(&world, i, 1);
	rest(&world);
	before = slabs(&world);
	pages = shrinker->count_objects(shrinker, &sc);
	check(pages);
	check_equal(shrinker->scan_objects(shrinker, &sc), SHRINK_STOP);
	check_equal(shim_work_pass(1), 1);
	after = slabs(&world);
	printf("# %lu pages expected; slabs %llu, then %llu bytes\n", pages,
	       (unsigned long long)before, (unsigned long long)after);
	check(after + 8 * SHMAP_UNIT_SIZE <= before);
	check(after <= stored + stored / 64 +
	      2 * (1 + world.map->payers.lanes) * SHMAP_UNIT_SIZE);
	check_equal(shrinker->count_objects(shrinker, &sc), 0);
	world_compare(&world);
	world_unmake(&world);
}

/*
 * Fill a map, remove an entry in nine, so that hardly a slab has few, and fill it again with
 * entries of another size: what was left free must not add to what the map takes.
 */
static void refill(const struct test *test, u32 len)
{
	const struct shmap_config config = {
		.lock		= shmap_lock_find(test->lock),
		.shards		= test->shards,
		.max_entries	= 1000000,
		.max_bytes	= 16 << 20,
		.max_key	= 64,
		.max_value	= sizeof(text),
	};
	struct kmap_info info = { 0 };
	struct world world;
	u32 n, i;

	shim_rcu_by_hand(true);
	world_make(&world, &config);
	for (n = 0; !set(&world, n, 1, 200); n++)
		;
	for (i = 0; i < n; i += 9)
		delete(&world, i, 1);
	rest(&world);
	while (!set(&world, n, 1, len))
		n++;
	rest(&world);
	shmap_map_info(world.map, &info);
	printf("# %u bytes: %.4f of max_bytes taken, %.4f used\n", len,
	       (double)info.memory / config.max_bytes,
	       (double)info.bytes / config.max_bytes);
	check(info.bytes > config.max_bytes - 2000);
	check(info.memory <= config.max_bytes / 10 * 11);
	world_unmake(&world);
}

static void full(const struct test *test)
{
	refill(test, 200);
	refill(test, 100);
	refill(test, 1000);
}

/*
 * Generations of a size each that fill the map and are thinned out at random, while the
 * keeper never runs: what the map takes stays bounded by the tasks themselves.  A grace
 * period passes after each @steps operations, and when somebody waits for it.
 */
static void starve(const struct test *test, u32 steps)
{
	static const u32 lens[] = { 100, 250, 600, 1000 };
	const struct shmap_config config = {
		.lock		= shmap_lock_find(test->lock),
		.shards		= test->shards,
		.max_entries	= 1000000,
		.max_bytes	= 8 << 20,
		.max_key	= 64,
		.max_value	= sizeof(text),
	};
	struct kmap_info info = { 0 };
	u64 peak = 0, may;
	struct world world;
	u32 n = 0, i, first, step = 0;

	shim_rcu_by_hand(true);
	world_make(&world, &config);
	for (i = 0; i < 3 * ARRAY_SIZE(lens); i++) {
		for (first = n; !set(&world, n, 1, lens[i % ARRAY_SIZE(lens)]); n++)
			if (++step % steps == 0)
				shim_rcu_pass();
		memset(&info, 0, sizeof(info));
		shmap_map_info(world.map, &info);
		peak = max(peak, info.memory);
		for (; first < n; first++) {
			if (rand() % 20)
				delete(&world, first, 1);
			if (++step % steps == 0)
				shim_rcu_pass();
		}
	}
	may = config.max_bytes / 8 * 9 + config.shards * SZ_64K;
	if (config.lock->lockless_reads)
		may += info.deferred_max - config.max_bytes / 16;
	printf("# at most %.4f of max_bytes taken, of %.4f that may be\n",
	       (double)peak / config.max_bytes, (double)may / config.max_bytes);
	fflush(stdout);
	check(peak <= may);
	world_unmake(&world);
}

static void starved(const struct test *test)
{
	starve(test, 1000);
}

/* Readers are slow: only who waits for them sees a grace period pass. */
static void lagging(const struct test *test)
{
	starve(test, U32_MAX);
}

int main(int argc, char **argv)
{
	static const struct test tests[] = {
		{ "groups_spinlock", .play = groups, .lock = "spinlock" },
		{ "groups_rwsem", .play = groups, .lock = "rwsem" },
		{ "groups_rcu", .play = groups, .lock = "rcu" },
		{ "in_use", in_use },
		{ "pressed_spinlock", .play = pressed, .lock = "spinlock" },
		{ "pressed_rwsem", .play = pressed, .lock = "rwsem" },
		{ "pressed_rcu", .play = pressed, .lock = "rcu" },
		{ "full_spinlock", .play = full, .lock = "spinlock", .shards = 1 },
		{ "full_rwsem", .play = full, .lock = "rwsem", .shards = 2 },
		{ "full_rcu", .play = full, .lock = "rcu", .shards = 1 },
		{ "starved_spinlock", .play = starved, .lock = "spinlock", .shards = 8 },
		{ "starved_rwsem", .play = starved, .lock = "rwsem", .shards = 1 },
		{ "starved_rcu", .play = starved, .lock = "rcu", .shards = 8 },
		{ "lagging_1", .play = lagging, .lock = "rcu", .shards = 1 },
		{ "lagging_8", .play = lagging, .lock = "rcu", .shards = 8 },
		{ "small_spinlock", .play = small, .lock = "spinlock" },
		{ "small_rwsem", .play = small, .lock = "rwsem" },
		{ "small_rcu", .play = small, .lock = "rcu" },
	};

	return test_main(argc, argv, tests, ARRAY_SIZE(tests));
}
