// SPDX-License-Identifier: GPL-2.0-only
/*
 * A table that gets and loses buckets all the time, whatever its load: beside random
 * operations that a model checks, with a reader between any two stores, and with threads.
 *
 *	OPS=N		operations beside the model
 *	ROUNDS=N	how much each thread does
 *	SEED=N		which
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <linux/bitrev.h>
#include <linux/err.h>

#include "actors.h"
#include "blocks.h"
#include "clear.h"
#include "inspect.h"
#include "player.h"
#include "reader_window.h"
#include "shim.h"
#include "space.h"
#include "table_inline.h"
#include "test.h"

/* Give a shard a bucket more, or take one away, unless there are as many as there may be. */
static bool push(struct shmap_map *map, struct shmap_shard *shard, bool up)
{
	struct shmap_buckets *buckets = &map->buckets;
	struct shmap_table *table = &shard->table;
	u32 end = table->desc->end, next = end + table->shard, least;

	if (up && next < buckets->home_end) {
		check_equal(shmap_buckets_feed(buckets,
					       next / SHMAP_BLOCK_BUCKETS), 0);
		if (READ_ONCE(buckets->free_n) < 2 * SHMAP_CHAIN_BUCKETS)
			shmap_buckets_feed(buckets, SHMAP_BLOCK_OVER);
	}
	/* Not by shmap_shard_lock(), which helps a cut: the model wants to know of that. */
	shmap_lock_write_enter(map->config.lock, &shard->lock);
	least = table->least;
	if (up && next < buckets->home_end) {
		shmap_table_grow_locked(table);
	} else if (!up) {
		table->least = ~0u;
		shmap_table_shrink_locked(table, 1);
		if (table->desc->end == end)
			table->least = least;
	}
	up = table->desc->end != end;
	shmap_lock_write_leave(map->config.lock, &shard->lock);
	return up;
}

/* Each step in turn makes a shard larger or smaller, up to where it turns back. */
struct pusher {
	u64	random;
	u32	at;
	bool	up;
	u64	pushes;
};

static void push_some(struct pusher *pusher, struct shmap_map *map)
{
	u32 i = pusher->at++ % map->config.shards;

	/* Now and then the other way, so that walks meet both. */
	if (i == 0 && player_random(NULL, 40) == 0)
		pusher->up = !pusher->up;
	if (push(map, &map->shard[i], pusher->up))
		pusher->pushes++;
	else if (i == 0)
		pusher->up = !pusher->up;
}

/* Operations, walks and snapshots, and between any two of them a split or a merge. */
static void model(const struct test *test)
{
	struct shmap_config config = {
		.lock		= shmap_lock_find(test->lock),
		.shards		= test->shards,
		.max_entries	= 4000,
		.max_bytes	= 2 << 20,
		.max_key	= 40,
		.max_value	= 300,
	};
	struct player player = { .draw = player_random };
	u64 ops = test_number("OPS", 12000), i;
	struct pusher pusher = { .up = true };
	struct world world;

	shim_rcu_by_hand(true);
	shim_seed(test_number("SEED", 1) * 1000 + test->lock[1] + test->shards);
	world_make(&world, &config);
	keyset_random(&player.keys, world.map, 1500);
	keyset_colliding(&player.keys, world.map, 40, 12, 0x2a5);
	player_start(&player, &world);
	player.filling = 150;
	for (i = 1; i <= ops; i++) {
		player_step(&player);
		push_some(&pusher, world.map);
		/* The keeper gives blocks back that were not used for two of its runs. */
		if (player_random(NULL, 50) == 0)
			shim_work_pass(HZ);
		if (i % (ops / 12 + 1) == 0) {
			player_settle(&player);
			world_compare(&world);
		}
	}
	check(pusher.pushes > ops / 2);
	player_stop(&player);
	keyset_free(&player.keys);
	check_equal(world_clear(&world), 0);
	shim_rcu_pass();
	world_compare(&world);
	/* Empty, the table is as small as it was. */
	for (i = 0; i < config.shards; i++)
		check_equal(world.map->shard[i].table.desc->end,
			    shmap_table_home_least(world.map->shard_bits));
	world_unmake(&world);
}

/*
 * A reader who takes one step after each of four stores of a writer, and looks for a key
 * that is there all the time.  The steps are those of read.h and walk.c.
 */
static struct stepper {
	const struct shmap_table	*table;
	const char			*key;
	u32				len;
	u32				ref;
	u32				at[4];
	u32				stores;
	u32				next;
	bool				walks;
	bool				opened;
	bool				found;
	struct shmap_probe		probe;
	u32				done[2];
} stepper;

static void look(struct stepper *s)
{
	struct shmap_place places[SHMAP_CHAIN_SLOTS];
	struct shmap_spot spot;
	unsigned int n, i;
	u64 end;

	if (!s->walks) {
		s->found = shmap_table_find(s->table, &s->probe, s->key, s->len,
					    &spot);
		check(!s->found || spot.ref == s->ref);
		return;
	}
	n = shmap_table_collect(s->table, &s->probe, places, &end);
	s->found = false;
	for (i = 0; i < n; i++) {
		/* The walk goes on at the end, so what is before that comes once. */
		check(!s->found || places[i].ref != s->ref);
		s->found = s->found || places[i].ref == s->ref;
		check(places[i].order < end);
	}
}

static void step(struct stepper *s)
{
	switch (s->next++) {
	case 0:
		shmap_table_aim(s->table, s->probe.hash, &s->probe);
		break;
	case 1:
		s->opened = shmap_table_open(&s->probe);
		break;
	case 2:
		if (s->opened)
			look(s);
		break;
	default:
		if (!s->opened)
			break;
		/* Whoever missed it must not believe that. */
		check(s->found || !shmap_table_stable(s->table, &s->probe));
		s->done[s->found]++;
	}
}

static void stored(void)
{
	u32 store = stepper.stores++;

	while (stepper.next < 4 && stepper.at[stepper.next] <= store)
		step(&stepper);
}

/* Of a split, a merge, a split and a merge, about. */
#define STORES	120u

static void between(const struct test *test)
{
	const struct shmap_config config = {
		.lock = shmap_lock_find("rcu"), .shards = test->shards,
		.max_entries = 3000, .max_bytes = 1 << 20, .max_key = ACTOR_KEY,
		.max_value = 100,
	};
	u64 rounds = test_number("ROUNDS", 20000), i;
	const struct kmap_bucket *bucket;
	const struct kmap_entry *entry;
	struct shmap_shard *shard;
	struct shmap_map *map;
	char key[ACTOR_KEY];
	u32 k, end, at;
	u64 stores = 0;
	bool up = true;

	shim_rcu_by_hand(false);
	shim_seed(test_number("SEED", 1));
	map = shmap_map_create(&config);
	check(!IS_ERR(map));
	for (i = 0; i < 2000; i++)
		check_equal(actor_put(map, key, actor_key(key, 'k', i), 8, 0), 0);
	memset(&stepper, 0, sizeof(stepper));
	for (i = 0; i < rounds; i++) {
		shard = &map->shard[player_random(NULL, test->shards)];
		stepper.table = &shard->table;
		/* A key that the next split moves, perhaps, or that the last one moved. */
		end = shard->table.desc->end;
		at = player_random(NULL, 2) ? end - (1u << ilog2(end)) :
					      end - test->shards;
		bucket = shmap_buckets_home(&map->buckets, at + shard->table.shard);
		stepper.ref = bucket->refs[player_random(NULL, 4)];
		if (!stepper.ref) {
			push(map, shard, i / 200 & 1);
			continue;
		}
		entry = shmap_pool_entry(&map->pool, stepper.ref);
		stepper.key = (const char *)(entry + 1);
		stepper.len = KMAP_ENTRY_KEY_LEN(entry->lens);
		stepper.probe.hash = entry->hash;
		stepper.walks = i & 1;
		for (k = 0, at = 0; k < 4; k++) {
			at += player_random(NULL, 2) ? player_random(NULL, 3) :
			      player_random(NULL, STORES - at);
			at = min(at, STORES - 1);
			stepper.at[k] = at;
		}
		stepper.stores = 0;
		stepper.next = 0;
		shim_stored = stored;
		for (k = 0; k < 4; k++, up = !up)
			push(map, shard, up);
		shim_stored = NULL;
		while (stepper.next < 4)
			step(&stepper);
		stores += stepper.stores;
		/* Elsewhere next time. */
		for (k = player_random(NULL, 4); k; k--)
			push(map, shard, i / 200 & 1);
	}
	inspect_map(map);
	printf("# %u times found, %u times not and not believed, %llu stores\n",
	       stepper.done[1], stepper.done[0], stores / rounds);
	check(stepper.done[1] > rounds / 4 && stepper.done[0] > rounds / 250);
	shmap_map_put(map);
}

/* Look all keys from @from on up in the window: each is there, or only the kernel knows. */
static void read_keys(struct reader *reader, u32 from, u32 to, bool there)
{
	char key[ACTOR_KEY];
	u32 i, known = 0;
	int ret;

	for (i = from; i < to; i++) {
		ret = window_get(&reader->window, key, actor_key(key, 'k', i),
				 NULL, 0, NULL, NULL);
		check(ret == WINDOW_UNKNOWN ||
		      ret == (there ? -EMSGSIZE : -ENOENT));
		known += ret != WINDOW_UNKNOWN;
	}
	check(known > (to - from) / 2);
}

static void put_keys(struct shmap_map *map, u32 from, u32 to)
{
	char key[ACTOR_KEY];
	u32 i;

	for (i = from; i < to; i++)
		check_equal(actor_put(map, key, actor_key(key, 'k', i), 8, 0), 0);
}

#define MANY	20000u

/* A table that was large and is small has given its blocks back, and gets new ones. */
static void blocks(const struct test *test)
{
	const struct shmap_config config = {
		.lock = shmap_lock_find(test->lock), .shards = test->shards,
		.max_entries = 2 * MANY, .max_bytes = 16 << 20,
		.max_key = ACTOR_KEY, .max_value = 100,
	};
	struct reader reader;
	struct shmap_map *map;
	char key[ACTOR_KEY];
	u64 seq, empty;
	u32 i, round;

	shim_rcu_by_hand(false);
	map = shmap_map_create(&config);
	check(!IS_ERR(map));
	reader_open(&reader, map);
	put_keys(map, 0, 10);
	empty = map->mem.bytes.counter + map->tables.bytes.counter;
	for (round = 0; round < 3; round++) {
		seq = map->buckets.seq;
		put_keys(map, 10, MANY);
		read_keys(&reader, 0, MANY, true);
		check(shmap_buckets_has_home(&map->buckets, MANY / 8));
		check(map->buckets.over_n > 2);
		for (i = 10; i < MANY; i++)
			check_equal(actor_take(map, key, actor_key(key, 'k', i)), 0);
		while (shim_work_pass(HZ))
			;
		/* The directory and what else is small stays. */
		check(map->mem.bytes.counter + map->tables.bytes.counter <=
		      empty + (128 << 10));
		check(!shmap_buckets_has_home(&map->buckets, SHMAP_BLOCK_BUCKETS));
		check(map->buckets.free_n <= SHMAP_BLOCK_BUCKETS);
		check(!map->buckets.gone.n && map->buckets.going == ~0u);
		check(map->buckets.seq > seq && map->buckets.seq & 1);
		read_keys(&reader, 0, 10, true);
		read_keys(&reader, 10, MANY, false);
		inspect_map(map);
	}
	reader_close(&reader);
	shmap_map_put(map);
}

/* A split that comes while blocks are about to go keeps them. */
static void stays(void)
{
	const struct shmap_config config = {
		.lock = shmap_lock_find("rcu"), .shards = 1, .max_entries = 5000,
		.max_bytes = 1 << 20, .max_key = ACTOR_KEY, .max_value = 100,
	};
	struct shmap_map *map;
	struct shmap_buckets *buckets;

	shim_rcu_by_hand(false);
	map = shmap_map_create(&config);
	check(!IS_ERR(map));
	buckets = &map->buckets;
	check_equal(shmap_buckets_feed(buckets, 1), 0);
	buckets->idle = SHMAP_BLOCK_BUCKETS;
	buckets->going = SHMAP_BLOCK_BUCKETS;
	check(push(map, &map->shard[0], true));
	check_equal(buckets->going, ~0u);
	shmap_blocks_find(map);
	check_equal(buckets->gone.n, 0);
	check(push(map, &map->shard[0], false));
	check(!shmap_shard_shrink(map, &map->shard[0]));
	/* Neither of the two blocks is used: that is seen once, then twice. */
	check(shmap_blocks_find(map));
	check_equal(buckets->gone.n, 0);
	check(shmap_blocks_find(map));
	check_equal(buckets->gone.n, 2);
	check_equal(buckets->gone.at[0], SHMAP_BLOCK_BUCKETS);
	check_equal(buckets->gone.at[1], buckets->home_end);
	check(!shmap_buckets_has_home(buckets, SHMAP_BLOCK_BUCKETS));
	shmap_map_put(map);
}

/* What stays is found, and walked over, while buckets come and go. */
static void *look_up(void *arg)
{
	struct actor *actor = arg;
	char key[ACTOR_KEY];
	u32 i, len;

	shim_set_cpu(actor->number % 4);
	for (i = 0; !READ_ONCE(actor->stage->stop); i++) {
		len = actor_key(key, 's', i % STAYING);
		check_equal(actor_get(actor->stage->map, key, len), 0);
		len = actor_key(key, 'x', i % STAYING);
		check_equal(actor_get(actor->stage->map, key, len), -ENOENT);
	}
	return NULL;
}

static void *snapshot(void *arg)
{
	struct actor *actor = arg;
	struct actor_records records;
	const void *at;
	u32 i, staying;

	shim_set_cpu(actor->number % 4);
	while (!READ_ONCE(actor->stage->stop)) {
		if (actor_snapshot(actor->stage->map, &records))
			continue;
		at = records.buf;
		for (i = 0, staying = 0; i < records.count; i++) {
			const struct kmap_item *item = at;

			staying += *(const char *)(item + 1) == 's';
			at += KMAP_ITEM_SIZE(item->key_len, item->value_len);
		}
		check_equal(staying, STAYING);
		free(records.buf);
	}
	return NULL;
}

static void threads(const struct test *test)
{
	u32 i, k, rounds = test_number("ROUNDS", 20000) / 4;
	struct pusher pusher = { .up = true };
	struct stage stage = { 0 };
	struct actor actors[3];
	char key[ACTOR_KEY];

	stage_make(&stage, test->lock, test->shards);
	actors_start(&stage, actors, 0, 2, look_up);
	actors_start(&stage, actors, 2, 1, snapshot);
	for (i = 0; i < rounds; i++) {
		push_some(&pusher, stage.map);
		k = actor_key(key, 'c', i % 300);
		if (i / 300 & 1)
			actor_take(stage.map, key, k);
		else
			check_equal(actor_put(stage.map, key, k, 8, 0), 0);
	}
	WRITE_ONCE(stage.stop, true);
	actors_join(actors, 0, 3);
	check(pusher.pushes > rounds / 2);
	stage_unmake(&stage);
}

int main(int argc, char **argv)
{
	static const struct test tests[] = {
		{ "model_spinlock_1", .play = model, .lock = "spinlock", .shards = 1 },
		{ "model_rwsem_8", .play = model, .lock = "rwsem", .shards = 8 },
		{ "model_rcu_1", .play = model, .lock = "rcu", .shards = 1 },
		{ "model_rcu_8", .play = model, .lock = "rcu", .shards = 8 },
		{ "between_1", .play = between, .shards = 1 },
		{ "between_8", .play = between, .shards = 8 },
		{ "blocks_spinlock", .play = blocks, .lock = "spinlock", .shards = 1 },
		{ "blocks_rcu", .play = blocks, .lock = "rcu", .shards = 8 },
		{ "stays", .run = stays },
		{ "threads_rwsem", .play = threads, .lock = "rwsem", .shards = 1 },
		{ "threads_rcu", .play = threads, .lock = "rcu", .shards = 4 },
	};

	return test_main(argc, argv, tests, ARRAY_SIZE(tests));
}
