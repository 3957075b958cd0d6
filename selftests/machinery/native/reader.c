// SPDX-License-Identifier: GPL-2.0-only
/*
 * libkmap's reader in the window of a map: its hash, what a writer may do between
 * two of its reads, and threads.
 *
 *	ROUNDS=N	how much each thread does
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <linux/err.h>
#include <linux/jiffies.h>
#include <linux/siphash.h>

#include "actors.h"
#include "clear.h"
#include "entry.h"
#include "reader_stage.h"
#include "reader_window.h"
#include "shim.h"
#include "space.h"
#include "test.h"

#include "../../../module/hole.h"
#include "../../../module/window.h"

/* The reader's hash against the one that the module's results are checked with. */
static void hash(void)
{
	struct hash_state state;
	u8 text[1100];
	u64 words[2];
	uint64_t key[2];
	u32 len, i;

	for (len = 0; len < sizeof(text); len++) {
		for (i = 0; i < 2; i++)
			words[i] = (len + 1) * 0x9e3779b97f4a7c15ull << i;
		memcpy(key, words, sizeof(key));
		for (i = 0; i < sizeof(text); i++)
			text[i] = (i + len) * 167 >> 3;
		hash_init(&state, key);
		check(hash_64(&state, text, len) ==
		      shim_siphash(1, 3, text, len, words));
	}
}

/**
 * struct scene - what happens under a reader
 * @map: the map
 * @key: the key that is looked up
 * @len: its length
 */
struct scene {
	struct shmap_map	*map;
	char			key[ACTOR_KEY];
	u32			len;
};

static void replace_it(void *arg)
{
	struct scene *scene = arg;
	char key[ACTOR_KEY];
	u32 i;

	check_equal(actor_put(scene->map, scene->key, scene->len, 400, 0), 0);
	shmap_space_squeeze(scene->map, true);
	for (i = 0; i < 100; i++)
		check_equal(actor_put(scene->map, key, actor_key(key, 'o', i),
				      80, 0), 0);
}

static void remove_it(void *arg)
{
	struct scene *scene = arg;

	check_equal(actor_take(scene->map, scene->key, scene->len), 0);
	shmap_space_squeeze(scene->map, true);
}

/* Its memory goes to a new key of the same size, which is no answer. */
static void remove_and_reuse(void *arg)
{
	struct scene *scene = arg;
	char key[ACTOR_KEY];
	u32 i;

	remove_it(scene);
	for (i = 0; i < 300; i++)
		check_equal(actor_put(scene->map, key, actor_key(key, 'r', i),
				      80, 0), 0);
}

/* Hide a page of the key, look it up, and expect. */
static void play(const struct test *test, bool entry, void (*act)(void *arg),
		 int expected)
{
	struct stage stage = { 0 };
	struct reader reader;
	struct scene scene;
	u32 i;

	map_make(&stage, test->lock, test->shards, 2000);
	reader_open(&reader, stage.map);
	scene.map = stage.map;
	for (i = 0; i < 50; i++) {
		scene.len = actor_key(scene.key, 'k', i);
		check_equal(actor_put(stage.map, scene.key, scene.len, 80, 0),
			    0);
		check_equal(get(&reader, scene.key, scene.len), 0);
		reader_hide(&reader, entry ?
			    reader_entry(stage.map, scene.key, scene.len) :
			    reader_home(stage.map,
					shmap_key_hash(stage.map, scene.key,
						       scene.len)),
			    act, &scene);
		check_equal(get(&reader, scene.key, scene.len), expected);
		check(reader_acted());
	}
	reader_close(&reader);
	stage_unmake(&stage);
}

static void between(const struct test *test)
{
	u32 i;

	for (i = 0; i < 2; i++) {
		play(test, i, replace_it, 0);
		play(test, i, remove_it, -ENOENT);
		play(test, i, remove_and_reuse, -ENOENT);
	}
}

static void grow(void *arg)
{
	struct scene *scene = arg;
	char key[ACTOR_KEY];
	u32 i;

	for (i = 0; i < 3000; i++)
		check_equal(actor_put(scene->map, key, actor_key(key, 'g', i),
				      0, 0), 0);
}

/*
 * The reader knows how many buckets there were; then the table grows to many times
 * that, and the key is in another one.
 */
static void grown(const struct test *test)
{
	struct stage stage = { 0 };
	struct reader reader;
	struct scene scene;
	char key[ACTOR_KEY];
	u32 i;

	map_make(&stage, test->lock, test->shards, 10000);
	reader_open(&reader, stage.map);
	scene.map = stage.map;
	for (i = 0; i < 100; i++) {
		check_equal(actor_put(stage.map, key, actor_key(key, 'k', i),
				      80, 0), 0);
		check_equal(get(&reader, key, actor_key(key, 'k', i)), 0);
	}
	for (i = 0; i < 100; i += 7) {
		u32 len = actor_key(key, 'k', i);

		reader_hide(&reader,
			    reader_home(stage.map,
					shmap_key_hash(stage.map, key, len)),
			    grow, &scene);
		check_equal(get(&reader, key, len), 0);
		check(reader_acted());
		len = actor_key(key, 'a', i);
		check_equal(get(&reader, key, len), -ENOENT);
		check_equal(shmap_clear_run(stage.map, &(u64){ 0 }), 0);
		shmap_space_squeeze(stage.map, true);
		reader_close(&reader);
		stage_unmake(&stage);

		/* The table does not shrink: a new one. */
		map_make(&stage, test->lock, test->shards, 10000);
		reader_open(&reader, stage.map);
		scene.map = stage.map;
		len = actor_key(key, 'k', i + 7);
		check_equal(actor_put(stage.map, key, len, 80, 0), 0);
		check_equal(get(&reader, key, len), 0);
	}
	reader_close(&reader);
	stage_unmake(&stage);
}

/* What the value of another key has where the entry was. */
struct forged {
	struct kmap_entry	entry;
	char			key[8];
};

#define OTHER_LEN	15000u
#define BELIEVED	300000u	/* a length that leads to where nothing is */

static u64 victim_at;

/*
 * The entry's memory becomes part of a long value, which looks there like an entry
 * of the same key, but for a length that leads beyond all memory there is.
 */
static void forge(void *arg)
{
	struct scene *scene = arg;
	struct shmap_request rq = { .key = "another!", .key_len = 8 };
	struct forged forged = { .entry.version = 1 };
	u64 value_at;

	check_equal(actor_take(scene->map, "neighbor", 8), 0);
	check_equal(actor_take(scene->map, scene->key, scene->len), 0);
	shmap_space_squeeze(scene->map, true);
	/* Back to the kernel, so that the same unit is the first to be taken again. */
	shim_work_pass(HZ);

	rq.hash = shmap_key_hash(scene->map, rq.key, rq.key_len);
	check_equal(shmap_key_prepare(scene->map, &rq, OTHER_LEN, 0), 0);
	value_at = scene->map->head->entry_offset + 8ull * rq.fresh.ref + 24;
	check(victim_at >= value_at &&
	      victim_at + sizeof(forged) < value_at + OTHER_LEN);
	forged.entry.hash = shmap_key_hash(scene->map, scene->key, scene->len);
	forged.entry.lens = KMAP_ENTRY_LENS(scene->len, BELIEVED);
	memcpy(forged.key, scene->key, scene->len);
	memset(shmap_entry_value(rq.fresh.entry), 0, OTHER_LEN);
	memcpy(shmap_entry_value(rq.fresh.entry) + victim_at - value_at,
	       &forged, sizeof(forged));
	check_equal(shmap_key_set(scene->map, &rq), 0);
	shmap_key_discard(scene->map, &rq);
}

static void stale_lengths(const struct test *test)
{
	struct stage stage = { 0 };
	struct reader reader;
	struct scene scene = { .key = "thevictm", .len = 8 };

	map_make(&stage, test->lock, 1, 2000);
	reader_open(&reader, stage.map);
	scene.map = stage.map;
	check_equal(actor_put(stage.map, "neighbor", 8, 8, 0), 0);
	check_equal(actor_put(stage.map, scene.key, scene.len, 8, 0), 0);
	check_equal(get(&reader, scene.key, scene.len), 0);
	victim_at = reader_entry(stage.map, scene.key, scene.len);
	reader_hide(&reader, victim_at, forge, &scene);
	check_equal(get(&reader, scene.key, scene.len), -ENOENT);
	check(reader_acted());
	reader_close(&reader);
	stage_unmake(&stage);
}

/* A key with a long value, of which the last page is hidden by a page of zeros. */
static void hidden_by_zeros(const struct test *test)
{
	static const char * const names[] = { "header", "value" };
	struct stage stage = { 0 };
	struct reader reader;
	const u8 *at;
	u32 i;

	map_make(&stage, test->lock, 1, 2000);
	reader_open(&reader, stage.map);
	at = reader.window.entries;
	check_equal(actor_put(stage.map, "first", 5, 80, 0), 0);
	for (i = 0; i < 2; i++) {
		/* Units 2 and 3 are the next ones; nothing is there. */
		const u8 *unit = at + (i + 2) * SHMAP_UNIT_SIZE;

		check_equal(READ_ONCE(unit[i * PAGE_SIZE]), 0);
		check_equal(stage.map->head->stale, 0);
		check_equal(actor_put(stage.map, names[i], strlen(names[i]),
				      i ? 7000 : 5000, 0), 0);
		check_equal(reader_entry(stage.map, names[i], strlen(names[i])),
			    unit - reader.window.mem);
		/* The keeper did not come yet: ask the kernel. */
		check_equal(stage.map->head->stale, 1);
		check_equal(get(&reader, names[i], strlen(names[i])), 1);
		/* An entry in one page is to be trusted, and so is that there is none. */
		check_equal(get(&reader, "first", 5), 0);
		check_equal(get(&reader, "absent", 6), -ENOENT);
		check(shim_work_pass(HZ / 2));
		check_equal(stage.map->head->stale, 0);
		check_equal(get(&reader, names[i], strlen(names[i])), 0);
	}
	reader_close(&reader);
	stage_unmake(&stage);
}

/* What was given back is not seen any more, and what comes in its place is. */
static void given_back(const struct test *test)
{
	struct stage stage = { 0 };
	struct reader reader;
	char key[ACTOR_KEY];
	u64 at, unmapped;
	u32 i, round;

	map_make(&stage, test->lock, 1, 2000);
	reader_open(&reader, stage.map);
	for (round = 0; round < 3; round++) {
		for (i = 0; i < 500; i++)
			check_equal(actor_put(stage.map, key,
					      actor_key(key, 'k', i),
					      104 << round, 0), 0);
		/* Zeros that the last round has left are gone. */
		shim_work_pass(HZ / 2);
		for (i = 0; i < 500; i++) {
			actor_key(key, 'k', i);
			check_equal(get(&reader, key, actor_key(key, 'k', i)), 0);
			at = reader_entry(stage.map, key, actor_key(key, 'k', i));
		}
		unmapped = shim_inode_unmapped(stage.map->inode);
		check_equal(shmap_clear_run(stage.map, &(u64){ 0 }), 0);
		shmap_space_squeeze(stage.map, true);
		shim_work_pass(2 * HZ);
		check_equal(stage.map->pool.backed, 0);
		check(shim_inode_unmapped(stage.map->inode) >=
		      unmapped + 500 * 100);
		check_equal(READ_ONCE(reader.window.mem[at]), 0);
		check_equal(get(&reader, key, actor_key(key, 'k', 1)), -ENOENT);
	}
	check(stage.map->pool.given_back);
	reader_close(&reader);
	stage_unmake(&stage);
}

/* A handler stops before it maps what it has found: a page, or that there is none. */
static void slow_handler(const struct test *test)
{
	struct stage stage = { 0 };
	unsigned int *guests = NULL;
	struct shmap_area *area;
	struct page *page;
	u64 at;

	map_make(&stage, test->lock, 1, 2000);
	area = &stage.map->pool.area;
	check_equal(actor_put(stage.map, "key", 3, 80, 0), 0);
	at = reader_entry(stage.map, "key", 3);
	page = shmap_window_page(stage.map, at, NULL);
	check(page);
	check_equal(actor_take(stage.map, "key", 3), 0);
	shmap_space_squeeze(stage.map, true);
	shim_work_pass(2 * HZ);
	/* Its unit is nobody's until the page is mapped, and comes back then. */
	check_equal(area->leaving, 1);
	check_equal(stage.map->pool.backed, 1);
	put_page(page);
	shim_work_pass(2 * HZ);
	check_equal(area->leaving, 0);
	check_equal(stage.map->pool.backed, 0);

	check(!shmap_window_page(stage.map, at, &guests));
	check(guests);
	check_equal(actor_put(stage.map, "key", 3, 80, 0), 0);
	check_equal(reader_entry(stage.map, "key", 3), at);
	shim_work_pass(2 * HZ);
	check_equal(stage.map->head->stale, 1);
	shmap_hole_leave(&stage.map->pool, guests);
	shim_work_pass(2 * HZ);
	check_equal(stage.map->head->stale, 0);
	stage_unmake(&stage);
}

/* Readers beside writers: one counter of its own for each who adds. */
#define LOG		0x200000u
#define LOOKS_LEAST	200	/* also when the writers were faster */

static struct reader shared_reader;
static s64 *logged;		/* number of counter 0 by version */
static u64 known;		/* answers that needed no system call */

static void *change(void *arg)
{
	struct actor *actor = arg;
	struct stage *stage = actor->stage;
	char key[ACTOR_KEY];
	u32 i, len;
	int ret;

	shim_set_cpu(actor->number % 4);
	for (i = 0; i < stage->rounds; i++) {
		u32 which = actor_draw(actor, 16);

		if (which < 4) {
			len = actor_key(key, 's', actor_draw(actor, STAYING));
			check_equal(actor_put(stage->map, key, len,
					      actor_value_len(actor), 0), 0);
		} else if (which < 10) {
			len = actor_key(key, 'c', actor_draw(actor, COMING));
			ret = actor_put(stage->map, key, len,
					actor_value_len(actor), 0);
			check(!ret);
		} else {
			len = actor_key(key, 'c', actor_draw(actor, COMING));
			ret = actor_take(stage->map, key, len);
			check(!ret || ret == -ENOENT);
		}
	}
	return NULL;
}

static void *add(void *arg)
{
	struct actor *actor = arg;
	struct stage *stage = actor->stage;
	struct shmap_request rq;
	u32 i;

	shim_set_cpu(actor->number % 4);
	for (i = 0; i < stage->rounds; i++) {
		memset(&rq, 0, sizeof(rq));
		rq.key = "n0";
		rq.key_len = 2;
		rq.hash = shmap_key_hash(stage->map, rq.key, rq.key_len);
		rq.number = 1 + i % 7;
		check_equal(shmap_key_add(stage->map, &rq), 0);
		shmap_key_discard(stage->map, &rq);
		__atomic_store_n(&logged[rq.version % LOG], rq.number,
				 __ATOMIC_RELEASE);
	}
	return NULL;
}

/* The number of a version, once who added has noted it. */
static bool right_number(const struct stage *stage, u64 version, s64 number)
{
	s64 right;

	do {
		right = __atomic_load_n(&logged[version % LOG],
					__ATOMIC_ACQUIRE);
	} while (!right && number && !READ_ONCE(stage->stop));
	return right == number || !right;
}

static void *look(void *arg)
{
	struct actor *actor = arg;
	struct stage *stage = actor->stage;
	u64 last = 0, unknown = 0, looks = 0, seen;
	uint64_t version;
	char key[ACTOR_KEY];
	u8 room[4096];
	s64 number;
	size_t got;
	u32 len;
	int ret;

	shim_set_cpu(actor->number % 4);
	while (!READ_ONCE(stage->stop) || looks < LOOKS_LEAST) {
		bool stays = actor_draw(actor, 2);

		len = stays ? actor_key(key, 's', actor_draw(actor, STAYING)) :
			      actor_key(key, 'c', actor_draw(actor, COMING));
		ret = window_get(&shared_reader.window, key, len, room,
				 sizeof(room), &got, &version);
		looks++;
		unknown += ret == WINDOW_UNKNOWN;
		check(!ret || ret == WINDOW_UNKNOWN || (!stays && ret == -ENOENT));
		if (!ret)
			actor_check(shmap_key_hash(stage->map, key, len), room,
				    got);

		/* In one way, then in the other: it never goes back. */
		if (actor_draw(actor, 4)) {
			ret = window_get(&shared_reader.window, "n0", 2, &number,
					 sizeof(number), &got, &version);
			if (ret == WINDOW_UNKNOWN)
				continue;
			check_equal(ret, 0);
			check_equal(got, sizeof(number));
		} else {
			number = actor_number(stage->map, "n0", 2, &seen);
			version = seen;
		}
		check(version >= last);
		check(right_number(stage, version, number));
		last = version;
	}
	__atomic_fetch_add(&known, looks - unknown, __ATOMIC_RELAXED);
	return NULL;
}

static void threads(const struct test *test)
{
	struct stage stage = { 0 };
	struct actor actors[6];

	stage_make(&stage, test->lock, test->shards);
	stage.rounds /= 2;
	logged = calloc(LOG, sizeof(*logged));
	check(logged);
	reader_open(&shared_reader, stage.map);
	actors_start(&stage, actors, 0, 2, change);
	actors_start(&stage, actors, 2, 1, add);
	actors_start(&stage, actors, 3, 3, look);
	actors_join(actors, 0, 3);
	WRITE_ONCE(stage.stop, true);
	actors_join(actors, 3, 3);
	/* Not all: a writer can lose its CPU in the middle of a change here. */
	printf("# %llu answers by window\n", known);
	check(known);
	reader_close(&shared_reader);
	stage_unmake(&stage);
	free(logged);
}

int main(int argc, char **argv)
{
	static const struct test tests[] = {
		{ "hash", hash },
		{ "between_spinlock_1", .play = between, .lock = "spinlock",
		  .shards = 1 },
		{ "between_rwsem_4", .play = between, .lock = "rwsem",
		  .shards = 4 },
		{ "between_rcu_1", .play = between, .lock = "rcu", .shards = 1 },
		{ "grown_spinlock", .play = grown, .lock = "spinlock",
		  .shards = 1 },
		{ "grown_rcu", .play = grown, .lock = "rcu", .shards = 4 },
		{ "stale_lengths_spinlock", .play = stale_lengths,
		  .lock = "spinlock" },
		{ "stale_lengths_rcu", .play = stale_lengths, .lock = "rcu" },
		{ "hidden_by_zeros", .play = hidden_by_zeros, .lock = "rcu" },
		{ "given_back_spinlock", .play = given_back, .lock = "spinlock" },
		{ "given_back_rcu", .play = given_back, .lock = "rcu" },
		{ "slow_handler", .play = slow_handler, .lock = "rcu" },
		{ "threads_spinlock_1", .play = threads, .lock = "spinlock",
		  .shards = 1 },
		{ "threads_rwsem_8", .play = threads, .lock = "rwsem",
		  .shards = 8 },
		{ "threads_rcu_1", .play = threads, .lock = "rcu", .shards = 1 },
		{ "threads_rcu_8", .play = threads, .lock = "rcu", .shards = 8 },
	};

	return test_main(argc, argv, tests, ARRAY_SIZE(tests));
}
