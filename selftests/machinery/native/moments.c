// SPDX-License-Identifier: GPL-2.0-only
/*
 * Threads and what has to be of one moment: a snapshot, a number and its version,
 * the table as it grows, and what CLEAR removes.
 *
 *	ROUNDS=N	how much each thread does
 */
#include <stdlib.h>
#include <string.h>

#include <linux/bitrev.h>

#include "actors.h"
#include "clear.h"
#include "shim.h"
#include "test.h"
#include "walk.h"

#define WRITERS		2
#define RING		64	/* keys of a writer */

/* Add 1 to each key of a ring of one's own, one after the other. */
static void *go_round(void *arg)
{
	struct actor *actor = arg;
	struct stage *stage = actor->stage;
	char key[ACTOR_KEY];
	u32 i, len;

	shim_set_cpu(actor->number % 4);
	for (i = 0; i < stage->rounds; i++) {
		len = actor_key(key, 'r', RING * actor->number + i % RING);
		check_equal(actor_add(stage->map, key, len, 1), i / RING + 1);
	}
	return NULL;
}

/*
 * At any one moment the numbers of a ring differ by one at most, and do not rise
 * from a key to the next.
 */
static void check_moment(const struct actor_records *records)
{
	s64 numbers[WRITERS][RING] = { { 0 } };
	const void *at = records->buf;
	u32 i, k;

	for (i = 0; i < records->count; i++) {
		const struct kmap_item *item = at;
		char key[ACTOR_KEY + 1] = { 0 };

		memcpy(key, item + 1, item->key_len);
		k = strtoul(key + 1, NULL, 10);
		check(*key == 'r' && k < WRITERS * RING);
		memcpy(&numbers[k / RING][k % RING],
		       (char *)(item + 1) + item->key_len, 8);
		at += KMAP_ITEM_SIZE(item->key_len, item->value_len);
	}
	for (i = 0; i < WRITERS; i++) {
		for (k = 1; k < RING; k++)
			check(numbers[i][k] <= numbers[i][k - 1]);
		check(numbers[i][0] - numbers[i][RING - 1] <= 1);
	}
}

static void *look(void *arg)
{
	struct actor *actor = arg;
	struct shmap_map *map = actor->stage->map;
	struct actor_records records;

	shim_set_cpu(actor->number % 4);
	while (!READ_ONCE(actor->stage->stop)) {
		if (actor_snapshot(map, &records))
			continue;
		check_moment(&records);
		free(records.buf);
	}
	return NULL;
}

static void moment(const struct test *test)
{
	struct actor actors[WRITERS + 1];
	struct stage stage = { 0 };
	u64 removed;

	stage_make(&stage, test->lock, test->shards);
	check_equal(shmap_clear_run(stage.map, &removed), 0);
	check_equal(removed, STAYING + COUNTERS);
	actors_start(&stage, actors, 0, WRITERS, go_round);
	actors_start(&stage, actors, WRITERS, 1, look);
	actors_join(actors, 0, WRITERS);
	WRITE_ONCE(stage.stop, true);
	actors_join(actors, WRITERS, 1);
	stage_unmake(&stage);
}

/*
 * Each addition is of 1 and by one thread, so a higher version goes with a higher
 * number, and the same one with the same.
 */
struct pair {
	u64 version;
	s64 number;
};

static void check_pair(struct pair *last, u64 version, s64 number)
{
	check(version >= last->version);
	check((version > last->version) == (number > last->number));
	check(number >= last->number);
	last->version = version;
	last->number = number;
}

static void *read_pairs(void *arg)
{
	struct actor *actor = arg;
	struct shmap_map *map = actor->stage->map;
	struct pair last[WRITERS] = { { 0, -1 }, { 0, -1 } };
	struct pair walked = { 0, -1 };
	char key[ACTOR_KEY];
	u64 version;
	s64 number;
	u32 i;

	shim_set_cpu(actor->number % 4);
	while (!READ_ONCE(actor->stage->stop)) {
		u8 buf[WRITERS * 64];
		struct shmap_walk walk = { .values = true, .buf = buf };
		struct kmap_item *item = walk.buf;

		for (i = 0; i < WRITERS; i++) {
			number = actor_number(map, key, actor_key(key, 'r', i),
					      &version);
			check_pair(&last[i], version, number);
		}
		/* A walk that begins at the first one's place. */
		walk.size = sizeof(buf);
		walk.cursor = bitrev32(shmap_key_hash(map, "r0", 2));
		check(shmap_walk_step(map, &walk));
		check(walk.count && !memcmp(item + 1, "r0", 2));
		memcpy(&number, (char *)(item + 1) + 2, sizeof(number));
		check_pair(&walked, item->version, number);
	}
	return NULL;
}

static void *add_pairs(void *arg)
{
	struct actor *actor = arg;
	struct stage *stage = actor->stage;
	char key[ACTOR_KEY];
	u32 i, len = actor_key(key, 'r', actor->number);

	shim_set_cpu(actor->number % 4);
	for (i = 0; i < 8 * stage->rounds; i++)
		check_equal(actor_add(stage->map, key, len, 1), i + 1);
	return NULL;
}

static void pairs(const struct test *test)
{
	struct actor actors[WRITERS + 2];
	struct stage stage = { 0 };
	u64 removed;
	u32 i;

	stage_make(&stage, test->lock, test->shards);
	check_equal(shmap_clear_run(stage.map, &removed), 0);
	for (i = 0; i < WRITERS; i++) {
		char key[ACTOR_KEY];
		u32 len = actor_key(key, 'r', i);

		actor_add(stage.map, key, len, 0);
	}
	actors_start(&stage, actors, WRITERS, 2, read_pairs);
	actors_start(&stage, actors, 0, WRITERS, add_pairs);
	actors_join(actors, 0, WRITERS);
	WRITE_ONCE(stage.stop, true);
	actors_join(actors, WRITERS, 2);
	stage_unmake(&stage);
}

static void *look_up(void *arg)
{
	struct actor *actor = arg;
	char key[ACTOR_KEY];
	u32 i, len;

	shim_set_cpu(actor->number % 4);
	for (i = 0; !READ_ONCE(actor->stage->stop); i++) {
		len = actor_key(key, 's', i % STAYING);
		check_equal(actor_get(actor->stage->map, key, len), 0);
	}
	return NULL;
}

/* What stays is found while buckets are split. */
static void growing(const struct test *test)
{
	u32 i, n, times = test_number("ROUNDS", 8000) / 400;
	struct actor actors[2];
	char key[ACTOR_KEY];

	for (n = 0; n < times; n++) {
		struct stage stage = { 0 };

		stage_make(&stage, test->lock, test->shards);
		actors_start(&stage, actors, 0, 2, look_up);
		for (i = 0; i < 2000 - STAYING - COUNTERS; i++)
			check_equal(actor_put(stage.map, key,
					      actor_key(key, 'c', i), 8, 0), 0);
		WRITE_ONCE(stage.stop, true);
		actors_join(actors, 0, 2);
		stage_unmake(&stage);
	}
}

static void *clear_keys(void *arg)
{
	struct actor *actor = arg;
	u64 removed;

	shim_set_cpu(actor->number % 4);
	while (!READ_ONCE(actor->stage->stop)) {
		check_equal(shmap_clear_run(actor->stage->map, &removed), 0);
		__atomic_sub_fetch(&actor->stage->added[0], removed,
				   __ATOMIC_RELAXED);
	}
	return NULL;
}

static void *create_keys(void *arg)
{
	struct actor *actor = arg;
	struct stage *stage = actor->stage;
	char key[ACTOR_KEY];
	u32 i, len;
	int ret;

	shim_set_cpu(actor->number % 4);
	for (i = 0; i < stage->rounds; i++) {
		len = actor_key(key, 'c', actor_draw(actor, COMING));
		ret = actor_put(stage->map, key, len, actor_value_len(actor),
				KMAP_CREATE);
		check(!ret || ret == -EEXIST);
		if (!ret)
			__atomic_add_fetch(&stage->added[0], 1,
					   __ATOMIC_RELAXED);
	}
	return NULL;
}

/* Each key that was created is removed once. */
static void clear(const struct test *test)
{
	struct stage stage = { 0 };
	struct actor actors[4];
	u64 removed;

	stage_make(&stage, test->lock, test->shards);
	check_equal(shmap_clear_run(stage.map, &removed), 0);
	actors_start(&stage, actors, 0, 2, create_keys);
	actors_start(&stage, actors, 2, 2, clear_keys);
	actors_join(actors, 0, 2);
	WRITE_ONCE(stage.stop, true);
	actors_join(actors, 2, 2);
	check_equal(shmap_clear_run(stage.map, &removed), 0);
	check_equal(stage.added[0], removed);
	stage_unmake(&stage);
}

int main(int argc, char **argv)
{
	static const struct test tests[] = {
		{ "moment_spinlock", .play = moment, .lock = "spinlock",
		  .shards = 8 },
		{ "moment_rwsem", .play = moment, .lock = "rwsem",
		  .shards = 8 },
		{ "moment_rcu", .play = moment, .lock = "rcu", .shards = 8 },
		{ "pairs_spinlock", .play = pairs, .lock = "spinlock",
		  .shards = 1 },
		{ "pairs_rwsem", .play = pairs, .lock = "rwsem", .shards = 1 },
		{ "pairs_rcu", .play = pairs, .lock = "rcu", .shards = 1 },
		{ "growing_rwsem", .play = growing, .lock = "rwsem",
		  .shards = 1 },
		{ "growing_rcu", .play = growing, .lock = "rcu", .shards = 1 },
		{ "clear_spinlock", .play = clear, .lock = "spinlock",
		  .shards = 8 },
		{ "clear_rwsem", .play = clear, .lock = "rwsem", .shards = 1 },
		{ "clear_rcu", .play = clear, .lock = "rcu", .shards = 8 },
	};

	return test_main(argc, argv, tests, ARRAY_SIZE(tests));
}
