// SPDX-License-Identifier: GPL-2.0-only
/*
 * Snapshots and walks in moments of one's choosing: a cut of which some steps are
 * made, whose are ended when there are too many, what is kept and for how
 * long, and long values that change while they are copied.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <linux/bitrev.h>
#include <linux/err.h>

#include "inspect.h"
#include "player.h"
#include "shim.h"
#include "space.h"
#include "test.h"

#define KEYS	200

static char text[40000];

static void make_with(struct world *world, const struct test *test,
		      u64 max_bytes)
{
	const struct shmap_config config = {
		.lock		= shmap_lock_find(test->lock),
		.shards		= test->shards,
		.max_entries	= 4000,
		.max_bytes	= max_bytes,
		.max_key	= 64,
		.max_value	= 40000,
	};

	shim_rcu_by_hand(true);
	world_make(world, &config);
}

static int set(struct world *world, const struct keyset *keys, u32 i, u32 len)
{
	return world_set(world, keys->key[i], keys->len[i], text, len, 0, 0, 0);
}

static void set_all(struct world *world, const struct keyset *keys, u32 len)
{
	u32 i;

	for (i = 0; i < keys->n; i++)
		check_equal(set(world, keys, i, len + i % 7), 0);
}

/* The first key from @i on that is of a shard. */
static u32 key_of(const struct world *world, const struct keyset *keys, u32 i,
		  unsigned int shard)
{
	while (shmap_map_shard(world->map,
			       shmap_key_hash(world->map, keys->key[i],
					      keys->len[i])) !=
	       &world->map->shard[shard])
		i++;
	return i;
}

static void read_all(struct world *world, struct world_snapshot *snapshot)
{
	while (!world_snapshot_some(world, snapshot, 700, 1))
		;
}

/*
 * Change a key of a shard while a cut is being made.  If the shard is marked, that
 * makes some steps.  True: then, or before, the moment of the cut has come.
 */
static bool change_beside(struct world *world, const struct shmap_cut *cut,
			  const struct keyset *keys, unsigned int shard,
			  unsigned int id, bool chosen)
{
	unsigned int shards = world->map->config.shards, steps = cut->steps;
	u32 i = key_of(world, keys, 0, shard);

	if (world->map->shard[shard].marked)
		steps = min(steps + inspect_cut_help, 2 * shards + 1);
	if (steps > shards && !chosen)
		model_moment_take(&world->model, id);
	check_equal(set(world, keys, i, 300 + shard % 7), 0);
	check_equal(cut->steps, steps);
	check_equal(cut->chosen, steps > shards);
	check_equal(!world->map->cuts.running, steps > 2 * shards);
	check_equal(world_get(world, keys->key[i], keys->len[i], 40000), 0);
	check_equal(cut->steps, steps);
	return cut->chosen;
}

/*
 * A cut is stopped after any of its steps.  Whoever changes something helps a little
 * and goes on; the snapshot has what was changed before the moment, and no more.
 */
static void helped(const struct test *test)
{
	unsigned int steps, first, n;
	struct keyset keys = { 0 };
	struct world world;

	make_with(&world, test, 4 << 20);
	keyset_random(&keys, world.map, KEYS);
	for (steps = 0; steps <= 2 * test->shards + 1; steps++) {
		struct world_snapshot snapshot;
		bool chosen = false;

		set_all(&world, &keys, 100);
		world_snapshot_begin_partly(&world, &snapshot, 0, steps);
		/* From another shard on each time. */
		first = steps * 7;
		for (n = 0; n < 2 * test->shards; n++)
			chosen = change_beside(&world, snapshot.snap->cut,
					       &keys,
					       (first + n) % test->shards, 0,
					       chosen);
		/* And by who begins another one. */
		if (!chosen)
			model_moment_take(&world.model, 0);
		world_snapshot(&world);
		check(!world.map->cuts.running);
		set_all(&world, &keys, 20);
		check_equal(world_clear(&world), 0);
		read_all(&world, &snapshot);
		check_equal(world.map->cuts.kept, 0);
		world_compare(&world);
	}
	check_equal(world.snapshots, 2 * steps);
	keyset_free(&keys);
	world_unmake(&world);
}

/* Each way to take an entry away keeps it, and once. */
static void kept(const struct test *test)
{
	struct world_snapshot snapshot;
	struct keyset keys = { 0 };
	struct world world;
	u64 bytes;
	u32 i;

	make_with(&world, test, 4 << 20);
	keyset_random(&keys, world.map, KEYS);
	set_all(&world, &keys, 100);
	check_equal(world_add(&world, "n", 1, 5, 0), 0);
	check_equal(world_snapshot_begin(&world, &snapshot, 0, true), 0);
	check_equal(world.map->cuts.kept, 0);
	check_equal(world_add(&world, "n", 1, 1, 0), 0);
	check(world.map->cuts.kept);
	check_equal(set(&world, &keys, 0, 10), 0);
	check_equal(world_delete(&world, keys.key[1], keys.len[1], 0, 0, 0), 0);
	bytes = world.map->cuts.kept;
	for (i = 0; i < 1000; i++) {
		check_equal(world_add(&world, "n", 1, 1, 0), 0);
		check_equal(set(&world, &keys, 0, 10), 0);
		check_equal(set(&world, &keys, 1, 10), 0);
		check_equal(world_delete(&world, keys.key[1], keys.len[1], 0,
					 0, 0), 0);
	}
	check_equal(world.map->cuts.kept, bytes);
	check_equal(world_clear(&world), 0);
	check(world.map->cuts.kept > bytes);
	world_compare(&world);
	/* What has been read is not kept any longer. */
	bytes = world.map->cuts.kept;
	check(!world_snapshot_some(&world, &snapshot, 4000, 3));
	check(world.map->cuts.kept < bytes);
	read_all(&world, &snapshot);
	check_equal(world.snapshots, 1);
	check_equal(world.map->cuts.kept, 0);
	set_all(&world, &keys, 100);
	set_all(&world, &keys, 100);
	check_equal(world.map->cuts.kept, 0);
	check_equal(world.map->shard[0].newest, 0);
	world_compare(&world);
	keyset_free(&keys);
	world_unmake(&world);
}

/* More is kept in one interval than is collected at a time. */
static void crowded(const struct test *test)
{
	struct world_snapshot snapshots[MODEL_MOMENTS - 1];
	struct keyset keys = { 0 };
	struct world world;
	unsigned int i;

	make_with(&world, test, 4 << 20);
	keyset_colliding(&keys, world.map, 60, 14, 0x2a5);
	for (i = 0; i < ARRAY_SIZE(snapshots); i++) {
		set_all(&world, &keys, 100 * i + 1);
		check_equal(world_snapshot_begin(&world, &snapshots[i], i,
						 i % 2), 0);
	}
	check_equal(world_clear(&world), 0);
	world_compare(&world);
	for (i = 0; i < 4; i++)
		check(!world_snapshot_some(&world, &snapshots[i * 2], 300,
					   i + 1));
	set_all(&world, &keys, 10);
	for (i = ARRAY_SIZE(snapshots); i--;)
		read_all(&world, &snapshots[(i + 4) % ARRAY_SIZE(snapshots)]);
	check_equal(world.snapshots, ARRAY_SIZE(snapshots));
	check_equal(world.map->cuts.kept, 0);
	world_compare(&world);
	keyset_free(&keys);
	world_unmake(&world);
}

/* A snapshot that is not read is ended, and no change fails. */
static void outrun(const struct test *test)
{
	struct world_snapshot old, young;
	struct keyset keys = { 0 };
	struct kmap_info info = { 0 };
	struct world world;
	u64 memory;
	u32 i;

	make_with(&world, test, 2 << 20);
	keyset_random(&keys, world.map, 400);
	for (i = 0; i < 3; i++) {
		set_all(&world, &keys, 3000);
		shim_rcu_pass();
	}
	shmap_space_squeeze(world.map, true);
	shmap_map_info(world.map, &info);
	memory = info.memory;
	check_equal(world_snapshot_begin(&world, &old, 0, true), 0);
	check(!world_snapshot_some(&world, &old, 5000, 1));
	for (i = 0; i < 100; i++)
		check_equal(set(&world, &keys, i, 1000), 0);
	check_equal(world_snapshot_begin(&world, &young, 1, true), 0);
	for (i = 0; i < keys.n && !old.snap->cut->ended; i++) {
		check_equal(set(&world, &keys, i, 3000), 0);
		shim_rcu_pass();
	}
	/* The oldest goes first, and the other one is as good as before. */
	check(i > 100 && i < keys.n);
	check(!young.snap->cut->ended);
	world_compare(&world);
	for (i = 0; i < 30; i++) {
		check_equal(world_delete(&world, keys.key[i], keys.len[i], 0, 0,
					 0), 0);
		shim_rcu_pass();
	}
	read_all(&world, &young);
	check_equal(world.snapshots, 1);
	check(world_snapshot_some(&world, &old, 5000, 1));
	check_equal(world.fallen, 1);
	check_equal(world.map->cuts.kept, 0);
	for (i = 0; i < 3; i++) {
		set_all(&world, &keys, 3000);
		shim_rcu_pass();
	}
	check_equal(world_clear(&world), 0);
	shim_rcu_pass();
	shmap_space_squeeze(world.map, true);
	world_compare(&world);
	/* What an arena may hold on to, and no more. */
	shmap_map_info(world.map, &info);
	check(info.memory <= memory + 2 * world.map->cuts.kept_max);
	keyset_free(&keys);
	world_unmake(&world);
}

/* Without memory for a record it is the snapshot that fails. */
static void no_memory(const struct test *test)
{
	struct world_snapshot snapshot;
	struct keyset keys = { 0 };
	struct world world;
	unsigned int way;

	make_with(&world, test, 4 << 20);
	keyset_random(&keys, world.map, KEYS);
	for (way = 0; way < 4; way++) {
		set_all(&world, &keys, 100);
		check_equal(world_add(&world, "n", 1, 5, 0), 0);
		check_equal(world_snapshot_begin(&world, &snapshot, 0, true), 0);
		shmap_kept_unstock(world.map);
		shim_fail_from(way == 3 ? 2 : 1);
		if (way == 0)
			check_equal(world_add(&world, "n", 1, 2, 0), 0);
		else if (way == 1)
			check_equal(set(&world, &keys, 5, 105), 0);
		else if (way == 2)
			check_equal(world_delete(&world, keys.key[7],
						 keys.len[7], 0, 0, 0), 0);
		else
			check_equal(world_clear(&world), 0);
		shim_fail_from(0);
		check(world_snapshot_some(&world, &snapshot, 500, 1));
		check_equal(world.fallen, way + 1);
		check_equal(world.map->cuts.kept, 0);
		world_compare(&world);
	}
	keyset_free(&keys);
	world_unmake(&world);
}

/* What a snapshot allocates ahead serves changes that find no memory. */
static void stocked(const struct test *test)
{
	struct world_snapshot snapshot;
	struct keyset keys = { 0 };
	struct world world;
	unsigned int i, n, spares;

	make_with(&world, test, 4 << 20);
	keyset_random(&keys, world.map, KEYS);
	for (n = 1; n <= keys.n; n += keys.n - 1) {
		for (i = 0; i < n; i++)
			check_equal(set(&world, &keys, i, 1000), 0);
		check_equal(world_snapshot_begin(&world, &snapshot, 0, true), 0);
		/* Hardly more of it than there are entries. */
		spares = world.map->cuts.spares;
		check(spares >= min(n, 128u));
		check(spares < min(n, 128u) + SHMAP_SHEET_RECORDS);
		check_equal(world.map->pool.stocked,
			    min(n * 1000 / SHMAP_UNIT_SIZE, 8ul));
		world_compare(&world);
		shim_fail_from(1);
		for (i = 0; i < min(n, spares); i++)
			check_equal(world_delete(&world, keys.key[i],
						 keys.len[i], 0, 0, 0), 0);
		check_equal(world.map->cuts.spares, spares - i);
		shim_fail_from(0);
		world_compare(&world);
		/* And it gets more as it goes on. */
		check(n == 1 ||
		      (!world_snapshot_some(&world, &snapshot, 5000, 1) &&
		       world.map->cuts.spares));
		read_all(&world, &snapshot);
		check_equal(world.map->cuts.spares, 0);
		check_equal(world.map->pool.stocked, 0);
		world_compare(&world);
	}
	check_equal(world.snapshots, 2);
	keyset_free(&keys);
	world_unmake(&world);
}

/* As many as there may be: one user cannot keep another from them. */
static void users(const struct test *test)
{
	struct shmap_snapshot *snaps[SHMAP_CUTS + 8], *snap;
	struct world world;
	unsigned int i, n = 0;
	u8 buf[100];

	make_with(&world, test, 4 << 20);
	check_equal(world_set(&world, "key", 3, text, 10, 0, 0, 0), 0);
	current->uid = 1000;
	for (i = 0; i < 60; i++)
		snaps[n++] = shmap_snapshot_begin(world.map, true);
	current->uid = 1001;
	for (i = 0; i < 4; i++)
		snaps[n++] = shmap_snapshot_begin(world.map, true);
	for (i = 0; i < n; i++)
		check(!IS_ERR(snaps[i]));
	/* Who has most is refused one more, and costs nobody anything. */
	current->uid = 1000;
	snap = shmap_snapshot_begin(world.map, true);
	check(IS_ERR(snap) && PTR_ERR(snap) == -ENOBUFS);
	for (i = 0; i < n; i++)
		check(!snaps[i]->cut->ended);
	/* Others get theirs, at the cost of the oldest of who has most. */
	for (i = 0; i < 8; i++) {
		current->uid = 1001 + i % 3;
		snaps[n] = shmap_snapshot_begin(world.map, true);
		check(!IS_ERR(snaps[n++]));
	}
	current->uid = 0;
	check_equal(world.map->cuts.n, SHMAP_CUTS);
	for (i = 0; i < n; i++) {
		ssize_t ret = shmap_snapshot_read(snaps[i], buf, sizeof(buf));

		check_equal(ret, i < 8 ? -ENOBUFS : 32);
		shmap_snapshot_end(snaps[i]);
	}
	check_equal(world.map->cuts.n, 0);
	world_compare(&world);
	world_unmake(&world);
}

static struct {
	struct world *world;
	const struct keyset *keys;
	unsigned int times;
	bool busy;
} meddler;

/* A value of which each byte says how long it is. */
static void set_told(u32 i, u32 len)
{
	const struct keyset *keys = meddler.keys;

	memset(text, len % 251, len);
	check_equal(world_set(meddler.world, keys->key[i], keys->len[i], text,
			      len, 0, 0, 0), 0);
}

/* What another thread might do between two pieces. */
static void meddle(void)
{
	u32 i;

	if (meddler.busy || !meddler.times)
		return;
	meddler.busy = true;
	meddler.times--;
	for (i = 0; i < meddler.keys->n; i++)
		set_told(i, 30000 + meddler.times % 200 * 10);
	meddler.busy = false;
}

static u32 check_told(const void *buf, size_t used, bool *seen)
{
	u32 i, k, n = 0;
	size_t at;

	for (at = 0; at < used; n++) {
		const struct kmap_item *item = buf + at;
		const u8 *value = (const u8 *)(item + 1) + item->key_len;

		for (i = 0; i < meddler.keys->n; i++)
			if (meddler.keys->len[i] == item->key_len &&
			    !memcmp(meddler.keys->key[i], item + 1,
				    item->key_len))
				break;
		check(i < meddler.keys->n && !seen[i]);
		seen[i] = true;
		for (k = 0; k < item->value_len; k++)
			check_equal(value[k], item->value_len % 251);
		at += KMAP_ITEM_SIZE(item->key_len, item->value_len);
		for (k += item->key_len; (k & 7) != 0; k++)
			check_equal(((const u8 *)(item + 1))[k], 0);
	}
	check_equal(at, used);
	return n;
}

/*
 * A walk over keys of one hash with values that are copied in pieces, while they
 * are replaced: never, some times, and without an end.
 */
static void long_walk(const struct test *test)
{
	static const unsigned int times[] = { 0, 3, ~0u };
	struct shmap_walk walk;
	struct keyset keys = { 0 };
	struct world world;
	unsigned int i, k, found;

	make_with(&world, test, 8 << 20);
	keyset_twins(&keys, world.map, 200000);
	check(keys.n >= 2);
	meddler.world = &world;
	meddler.keys = &keys;
	found = keys.n;
	keys.n = min(keys.n, 6u);
	for (i = 0; i < ARRAY_SIZE(times); i++) {
		bool seen[6] = { false };
		size_t size = 100;
		u32 n = 0;

		for (k = 0; k < keys.n; k++)
			set_told(k, 39000);
		memset(&walk, 0, sizeof(walk));
		walk.values = true;
		meddler.times = times[i];
		shim_relax = meddle;
		while (walk.cursor != KMAP_KEYS_END) {
			/* Exactly as large, so that a sanitizer sees it. */
			walk.buf = malloc(size);
			walk.size = size;
			walk.used = 0;
			walk.count = 0;
			walk.need = 0;
			while (shmap_walk_step(world.map, &walk) &&
			       walk.cursor != KMAP_KEYS_END)
				;
			n += check_told(walk.buf, walk.used, seen);
			size = max(size, walk.need);
			free(walk.buf);
			shim_rcu_pass();
		}
		shim_relax = NULL;
		check_equal(n, keys.n);
		check(times[i] != ~0u || meddler.times < ~0u - SHMAP_TRIES);
	}
	world_compare(&world);
	keys.n = found;
	keyset_free(&keys);
	world_unmake(&world);
}

int main(int argc, char **argv)
{
	static const char * const locks[] = { "spinlock", "rwsem", "rcu" };
	static const struct {
		const char *name;
		void (*play)(const struct test *test);
		unsigned int shards;
	} plays[] = {
		{ "helped", helped, 4 },
		{ "helped_often", helped, 32 },
		{ "kept", kept, 1 },
		{ "crowded", crowded, 2 },
		{ "outrun", outrun, 4 },
		{ "no_memory", no_memory, 2 },
		{ "stocked", stocked, 2 },
		{ "users", users, 2 },
		{ "long_walk", long_walk, 2 },
	};
	struct test tests[ARRAY_SIZE(plays) * ARRAY_SIZE(locks)] = { 0 };
	char names[ARRAY_SIZE(tests)][32];
	unsigned int n;

	for (n = 0; n < sizeof(text); n++)
		text[n] = n % 251;
	for (n = 0; n < ARRAY_SIZE(tests); n++) {
		tests[n].lock = locks[n % 3];
		tests[n].shards = plays[n / 3].shards;
		tests[n].play = plays[n / 3].play;
		tests[n].name = names[n];
		snprintf(names[n], sizeof(names[n]), "%s_%s", plays[n / 3].name,
			 tests[n].lock);
	}
	return test_main(argc, argv, tests, n);
}
