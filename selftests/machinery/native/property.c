// SPDX-License-Identifier: GPL-2.0-only
/*
 * Long random sequences of operations on a map and a model of it, in each
 * discipline, with one shard and with several, with room enough and with hardly
 * any, and with keys made to collide.
 *
 *	OPS=N	operations of each test
 *	SEED=N	another sequence
 */
#include <stdio.h>
#include <stdlib.h>

#include <linux/log2.h>

#include "player.h"
#include "shim.h"
#include "space.h"
#include "test.h"

/* Compare everything about so often in a test. */
#define COMPARISONS	24

/**
 * struct setting - what a test is about
 * @config: of the map, but for lock and shards
 * @keys: ordinary keys
 * @colliding: keys that belong to one chain whatever the table does
 * @crowded: keys that belong to one shard
 * @twins: among how many keys to look for pairs of one hash
 */
struct setting {
	struct shmap_config	config;
	u32			keys;
	u32			colliding;
	u32			crowded;
	u32			twins;
};

/* Each limit out of reach. */
static const struct setting roomy = {
	.config	= {
		.max_entries	= 8192,
		.max_bytes	= 8 << 20,
		.max_key	= 300,
		.max_value	= 3000,
	},
	.keys	= 5000,
	.twins	= 200000,
};

/* Entries run out. */
static const struct setting few = {
	.config	= {
		.max_entries	= 60,
		.max_bytes	= 1 << 20,
		.max_key	= 40,
		.max_value	= 100,
		.wipe		= true,
	},
	.keys	= 150,
};

/* Bytes run out, with entries as large as there are in slabs of many units. */
static const struct setting small = {
	.config	= {
		.max_entries	= 3000,
		.max_bytes	= 256 << 10,
		.max_key	= 1024,
		.max_value	= 40000,
	},
	.keys	= 400,
};

/* Bytes run out at once, in an area where many classes are. */
static const struct setting cramped = {
	.config	= {
		.max_entries	= 3000,
		.max_bytes	= 64 << 10,
		.max_key	= 16,
		.max_value	= 6000,
		.wipe		= true,
	},
	.keys	= 1000,
};

/* Chains run out, and nearly all is in one shard, which takes what there is. */
static const struct setting colliding = {
	.config	= {
		.max_entries	= 4000,
		.max_bytes	= 4 << 20,
		.max_key	= 20,
		.max_value	= 40,
	},
	.keys		= 200,
	.colliding	= 250,
	.crowded	= 4500,
	.twins		= 200000,
};

/* No value has room for a number. */
static const struct setting narrow = {
	.config	= {
		.max_entries	= 500,
		.max_bytes	= 64 << 10,
		.max_key	= 1,
		.max_value	= 7,
	},
	.keys	= 600,
};

static void tell(const struct world *world)
{
	printf("# refused: entries %llu, bytes %llu, chain %llu",
	       world->refused.entries, world->refused.bytes,
	       world->refused.chain);
	check(!world->refused.early);
	printf(", area %llu (%llu early)", world->refused.area,
	       world->refused.early);
	printf("; larger buffer: %llu", world->enlarged);
	printf("; snapshots: %llu, fallen %llu\n", world->snapshots,
	       world->fallen);
}

/* A test that is about limits has to have met them. */
static void check_met(const struct setting *setting, const struct world *world)
{
	if (setting == &few)
		check(world->refused.entries > 100);
	if (setting == &small || setting == &cramped)
		check(world->refused.bytes > 100);
	if (setting == &colliding && world->map->config.shards == 1)
		check(world->refused.chain > 10);
	if (setting == &roomy)
		check(world->enlarged > 100 &&
		      world->model.bytes < world->map->config.max_bytes);
}

static void play(const struct test *test)
{
	const struct setting *setting = test->setting;
	struct shmap_config config = setting->config;
	struct player player = { .draw = player_random };
	/* So many keys take longer to collide, and to fill a shard. */
	u64 ops = test_number("OPS", 20000) * (setting->crowded ? 4 : 1), i;
	struct world world;

	shim_rcu_by_hand(true);
	shim_seed(test_number("SEED", 1) * 1000 + test->lock[1] +
		  test->shards);
	config.lock = shmap_lock_find(test->lock);
	config.shards = test->shards;
	world_make(&world, &config);

	keyset_random(&player.keys, world.map, setting->keys);
	if (setting->colliding)
		keyset_colliding(&player.keys, world.map, setting->colliding,
				 1 + ilog2(world.map->buckets.home_end), 0);
	if (setting->crowded)
		keyset_colliding(&player.keys, world.map, setting->crowded,
				 world.map->shard_bits, 0);
	if (setting->twins)
		keyset_twins(&player.keys, world.map, setting->twins);

	player_start(&player, &world);
	player.filling = 220;
	for (i = 1; i <= ops; i++) {
		player_step(&player);
		if (i % (ops / COMPARISONS + 1) == 0) {
			player_settle(&player);
			world_compare(&world);
		}
	}
	player_stop(&player);
	keyset_free(&player.keys);
	tell(&world);
	check_met(setting, &world);

	/* An empty map: all limits are there again, to the last entry. */
	check_equal(world_clear(&world), 0);
	shim_rcu_pass();
	shmap_space_squeeze(world.map, true);
	world_compare(&world);
	check_equal(world.model.entries, 0);
	check_equal(world.model.bytes, 0);
	world_unmake(&world);
}

static const struct {
	const char		*name;
	const struct setting	*setting;
} settings[] = {
	{ "roomy", &roomy },
	{ "few", &few },
	{ "small", &small },
	{ "cramped", &cramped },
	{ "colliding", &colliding },
	{ "narrow", &narrow },
};

static const char * const locks[] = { "spinlock", "rwsem", "rcu" };
static const unsigned int shards[] = { 1, 8 };

int main(int argc, char **argv)
{
	struct test tests[ARRAY_SIZE(settings) * ARRAY_SIZE(locks) *
			  ARRAY_SIZE(shards)] = { 0 };
	char names[ARRAY_SIZE(tests)][32];
	unsigned int n;

	for (n = 0; n < ARRAY_SIZE(tests); n++) {
		unsigned int i = n / 3 / 2;

		tests[n].lock = locks[n % 3];
		tests[n].shards = shards[n / 3 % 2];
		tests[n].play = play;
		tests[n].setting = settings[i].setting;
		tests[n].name = names[n];
		snprintf(names[n], sizeof(names[n]), "%s_%s_%u",
			 settings[i].name, tests[n].lock, tests[n].shards);
	}
	return test_main(argc, argv, tests, n);
}
