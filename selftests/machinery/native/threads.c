// SPDX-License-Identifier: GPL-2.0-only
/*
 * Threads of all kinds on one map: sums are exact, versions only rise, values
 * are whole, walks return each key that stays exactly once.  To be run under
 * AddressSanitizer and under ThreadSanitizer.
 *
 *	ROUNDS=N	how much each thread does
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "actors.h"
#include "payer.h"
#include "shim.h"
#include "space.h"
#include "test.h"
#include "walk.h"

#define KEYS	(STAYING + COMING + COUNTERS)

/* Changes of all kinds. */
static void *write_keys(void *arg)
{
	struct actor *actor = arg;
	struct stage *stage = actor->stage;
	struct shmap_map *map = stage->map;
	char key[ACTOR_KEY];
	u32 i, len;
	int ret;

	shim_set_cpu(actor->number % 4);
	shim_group.serial_nr = actor->number % 2;
	for (i = 0; i < stage->rounds; i++) {
		u32 which = actor_draw(actor, 16), k;
		s64 delta = (s64)actor_draw(actor, 100) - 50;

		if (which < 4) {
			k = actor_draw(actor, COUNTERS);
			actor_add(map, key, actor_key(key, 'n', k), delta);
			__atomic_add_fetch(&stage->added[k], delta,
					   __ATOMIC_RELAXED);
		} else if (which < 6) {
			len = actor_key(key, 's', actor_draw(actor, STAYING));
			check_equal(actor_put(map, key, len,
					      actor_value_len(actor),
					      KMAP_REPLACE), 0);
		} else if (which < 12) {
			len = actor_key(key, 'c', actor_draw(actor, COMING));
			ret = actor_put(map, key, len, actor_value_len(actor),
					which < 8 ? KMAP_CREATE : 0);
			check(!ret || (ret == -EEXIST && which < 8));
		} else {
			len = actor_key(key, 'c', actor_draw(actor, COMING));
			ret = actor_take(map, key, len);
			check(!ret || ret == -ENOENT);
		}
	}
	return NULL;
}

static void *read_keys(void *arg)
{
	struct actor *actor = arg;
	struct shmap_map *map = actor->stage->map;
	u64 version, last[COUNTERS] = { 0 };
	char key[ACTOR_KEY];
	u32 k, len;
	int ret;

	shim_set_cpu(actor->number % 4);
	while (!READ_ONCE(actor->stage->stop)) {
		struct kmap_info info = { 0 };

		len = actor_key(key, 's', actor_draw(actor, STAYING));
		check_equal(actor_get(map, key, len), 0);
		len = actor_key(key, 'c', actor_draw(actor, COMING));
		ret = actor_get(map, key, len);
		check(!ret || ret == -ENOENT);
		k = actor_draw(actor, COUNTERS);
		actor_number(map, key, actor_key(key, 'n', k), &version);
		check(version >= last[k]);
		last[k] = version;
		shmap_map_info(map, &info);
		check(info.entries <= info.max_entries);
		check(info.deferred <= info.deferred_max);
	}
	return NULL;
}

/* One record of a walk.  Returns where the next one is. */
static const void *check_item(struct shmap_map *map, const void *buf, u8 *seen,
			      u64 *versions)
{
	const struct kmap_item *item = buf;
	const char *text = buf + sizeof(*item);
	u32 i, hash = shmap_key_hash(map, text, item->key_len);

	for (i = 0, text++; text < (char *)(item + 1) + item->key_len; text++)
		i = i * 10 + *text - '0';
	switch (*(char *)(item + 1)) {
	case 's':
		check(i < STAYING && !seen[i]);
		seen[i] = 1;
		break;
	case 'c':
		check(i < COMING && !seen[STAYING + i]);
		seen[STAYING + i] = 1;
		break;
	default:
		check(i < COUNTERS && !seen[STAYING + COMING + i]);
		seen[STAYING + COMING + i] = 1;
		check(item->version >= versions[i]);
		versions[i] = item->version;
		check_equal(item->value_len, 8);
		hash = 0;
		break;
	}
	if (hash)
		actor_check(hash, (char *)(item + 1) + item->key_len,
			    item->value_len);
	return buf + KMAP_ITEM_SIZE(item->key_len, item->value_len);
}

static void check_items(struct shmap_map *map, const void *buf, size_t used,
			u64 count, u8 *seen, u64 *versions)
{
	const void *at = buf;

	while (count--)
		at = check_item(map, at, seen, versions);
	check_equal(at - buf, used);
}

static void check_seen(const u8 *seen)
{
	u32 i;

	for (i = 0; i < KEYS; i++)
		if (i < STAYING || i >= STAYING + COMING)
			check(seen[i]);
}

static void walk_once(struct actor *actor, u64 *versions)
{
	struct shmap_walk walk = { .values = true };
	u8 seen[KEYS] = { 0 }, buf[9000];

	walk.buf = buf;
	while (walk.cursor != KMAP_KEYS_END) {
		walk.size = 5000 + actor_draw(actor, 4000);
		walk.used = 0;
		walk.count = 0;
		while (shmap_walk_step(actor->stage->map, &walk) &&
		       walk.cursor != KMAP_KEYS_END)
			;
		check_items(actor->stage->map, walk.buf, walk.used, walk.count,
			    seen, versions);
	}
	check_seen(seen);
}

static void *walk_keys(void *arg)
{
	struct actor *actor = arg;
	u64 versions[COUNTERS] = { 0 };

	shim_set_cpu(actor->number % 4);
	while (!READ_ONCE(actor->stage->stop))
		walk_once(actor, versions);
	return NULL;
}

static void snapshot_once(struct actor *actor, u64 *versions)
{
	struct shmap_map *map = actor->stage->map;
	struct actor_records records;
	u8 seen[KEYS] = { 0 };

	if (actor_snapshot(map, &records)) {
		actor->stage->fallen++;
		return;
	}
	check_items(map, records.buf, records.used, records.count, seen,
		    versions);
	check_seen(seen);
	free(records.buf);
	actor->stage->snapshots++;
}

static void *snapshot_keys(void *arg)
{
	struct actor *actor = arg;
	u64 versions[COUNTERS] = { 0 };

	shim_set_cpu(actor->number % 4);
	do {
		snapshot_once(actor, versions);
		sched_yield();
	} while (!READ_ONCE(actor->stage->stop));
	return NULL;
}

/* Memory that is free is made so for all. */
static void *squeeze(void *arg)
{
	struct actor *actor = arg;

	while (!READ_ONCE(actor->stage->stop)) {
		shmap_space_squeeze(actor->stage->map, true);
		shmap_payers_drop(actor->stage->map);
		sched_yield();
	}
	return NULL;
}

/* Three writers, a reader, a walk, snapshots, and one who tidies up. */
static void all(const struct test *test)
{
	struct kmap_info info = { 0 };
	struct stage stage = { 0 };
	struct actor actors[7];
	char key[ACTOR_KEY];
	u64 version;
	u32 i;

	stage_make(&stage, test->lock, test->shards);
	actors_start(&stage, actors, 0, 3, write_keys);
	actors_start(&stage, actors, 3, 1, read_keys);
	actors_start(&stage, actors, 4, 1, walk_keys);
	actors_start(&stage, actors, 5, 1, snapshot_keys);
	actors_start(&stage, actors, 6, 1, squeeze);
	actors_join(actors, 0, 3);
	WRITE_ONCE(stage.stop, true);
	actors_join(actors, 3, 4);

	for (i = 0; i < COUNTERS; i++)
		check_equal(actor_number(stage.map, key,
					 actor_key(key, 'n', i), &version),
			    stage.added[i]);
	shmap_map_info(stage.map, &info);
	printf("# retries %llu, waits %llu, buckets %llu\n", info.retries,
	       info.waits, info.buckets);
	printf("# snapshots %u, fallen %u\n", stage.snapshots, stage.fallen);
	check(stage.snapshots + stage.fallen);
	stage_unmake(&stage);
}

int main(int argc, char **argv)
{
	static const struct test tests[] = {
		{ "spinlock_1", .play = all, .lock = "spinlock", .shards = 1 },
		{ "spinlock_8", .play = all, .lock = "spinlock", .shards = 8 },
		{ "rwsem_1", .play = all, .lock = "rwsem", .shards = 1 },
		{ "rwsem_8", .play = all, .lock = "rwsem", .shards = 8 },
		{ "rcu_1", .play = all, .lock = "rcu", .shards = 1 },
		{ "rcu_8", .play = all, .lock = "rcu", .shards = 8 },
	};

	return test_main(argc, argv, tests, ARRAY_SIZE(tests));
}
