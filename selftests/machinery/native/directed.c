// SPDX-License-Identifier: GPL-2.0-only
/*
 * Corners that random operations seldom turn: the moments within a split, full
 * chains and areas, readers that are disturbed, fatal signals, grace periods
 * that do not end.
 */
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <linux/bitrev.h>
#include <linux/err.h>

#include "chain.h"
#include "clear.h"
#include "defer.h"
#include "inspect.h"
#include "kept.h"
#include "player.h"
#include "shim.h"
#include "space.h"
#include "test.h"

static const char text[40000] = "a value";

static void make(struct world *world, const char *lock, unsigned int shards,
		 u64 max_entries, u64 max_bytes)
{
	const struct shmap_config config = {
		.lock		= shmap_lock_find(lock),
		.shards		= shards,
		.max_entries	= max_entries,
		.max_bytes	= max_bytes,
		.max_key	= 64,
		.max_value	= 32768,
	};

	shim_rcu_by_hand(true);
	world_make(world, &config);
}

static int set(struct world *world, const struct keyset *keys, u32 i, u32 len)
{
	return world_set(world, keys->key[i], keys->len[i], text, len, 0, 0, 0);
}

static int delete(struct world *world, const struct keyset *keys, u32 i)
{
	return world_delete(world, keys->key[i], keys->len[i], 0, 0, 0);
}

/* 64 keys of one chain, and not one more; the rest of the map does not care. */
static void full_chain(void)
{
	struct keyset keys = { 0 };
	struct world world;
	u32 i, n;

	make(&world, "rcu", 2, 4000, 1 << 20);
	keyset_colliding(&keys, world.map, 70, 14, 0x2a5);
	keyset_random(&keys, world.map, 500);
	for (i = 0; i < 64; i++)
		check_equal(set(&world, &keys, i, 10), 0);
	for (; i < 70; i++)
		check_equal(set(&world, &keys, i, 10), -EXFULL);
	check_equal(world_add(&world, keys.key[66], keys.len[66], 1, 0),
		    -EXFULL);
	/* What is there can be changed, and takes no other's place. */
	for (i = 0; i < 64; i++)
		check_equal(set(&world, &keys, i, 20), 0);
	check_equal(delete(&world, &keys, 17), 0);
	check_equal(set(&world, &keys, 69, 10), 0);
	check_equal(set(&world, &keys, 17, 10), -EXFULL);
	world_compare(&world);
	for (i = 70, n = 0; i < 570; i++)
		n += !set(&world, &keys, i, 10);
	check(n > 450);
	world_compare(&world);
	world_snapshot(&world);
	for (i = 0; i < 70; i++)
		delete(&world, &keys, i);
	world_compare(&world);
	keyset_free(&keys);
	world_unmake(&world);
}

/* An area whose units are all taken has no room for a class that has no slab. */
static void full_area(void)
{
	struct keyset keys = { 0 };
	struct world world;
	u32 i, n, len;
	int *unit;

	make(&world, "rcu", 2, 4000, 64 << 10);
	unit = calloc(world.map->pool.area.end, sizeof(*unit));
	check(unit);
	keyset_random(&keys, world.map, 200);
	check_equal(set(&world, &keys, 0, 400), 0);
	for (n = 0; (unit[n] = shmap_pool_take(&world.map->pool, 1)) > 0;)
		n++;
	check_equal(unit[n], -ENOSPC);
	for (i = 1; i < 100; i++) {
		/* Another class, or another shard. */
		len = i % 2 ? 8 : 900;
		if (set(&world, &keys, i, len))
			continue;
		/* There is room where a slab was emptied, or has some left. */
		check_equal(delete(&world, &keys, i), 0);
	}
	check(world.refused.area > 50);
	check_equal(world.refused.area, world.refused.early);
	while (n--)
		shmap_pool_put(&world.map->pool, unit[n], 1);
	world_compare(&world);
	for (i = 1; i < 100; i++)
		check_equal(set(&world, &keys, i, 8), 0);
	world_compare(&world);
	free(unit);
	keyset_free(&keys);
	world_unmake(&world);
}

/* Buckets in the table when the first split comes. */
#define SPLIT_FROM	128

static const struct shmap_table *split_table(struct world *world,
					     struct keyset *keys)
{
	struct shmap_table *table = &world->map->shard[0].table;
	u32 i;

	keyset_random(keys, world->map, 3000);
	for (i = 0; table->desc->end < SPLIT_FROM + 33; i++)
		check_equal(set(world, keys, i, 8), 0);
	return table;
}

/*
 * A reader takes the number of buckets, then its bucket is split, then it takes
 * the seq, which does not change any more: the bucket is no longer the key's.
 */
static void stale_home(void)
{
	const struct shmap_table *table;
	struct keyset keys = { 0 };
	struct shmap_probe probe;
	struct model_key *key;
	struct world world;
	u32 b, moved = 0;

	make(&world, "rcu", 1, 4000, 1 << 20);
	table = split_table(&world, &keys);
	for (key = model_next(&world.model, NULL); key;
	     key = model_next(&world.model, key)) {
		u32 hash = shmap_key_hash(world.map, key->key, key->key_len);

		check(shmap_table_begin(table, hash, &probe));
		check(shmap_table_find(table, &probe, key->key, key->key_len,
				       NULL));
		check(shmap_table_stable(table, &probe));
		/* Any change of the chain is noticed. */
		shmap_chain_change_begin(probe.home);
		check(!shmap_table_stable(table, &probe));
		shmap_chain_change_end(probe.home);
		check(!shmap_table_stable(table, &probe));
		/* Where a reader that knows of fewer buckets would look. */
		b = hash % SPLIT_FROM;
		if (b == inspect_home(table, hash))
			continue;
		probe.home = shmap_buckets_home(table->chains.buckets, b);
		probe.seq = probe.home->seq;
		check(!shmap_table_find(table, &probe, key->key, key->key_len,
					NULL));
		check(!shmap_table_stable(table, &probe));
		moved++;
	}
	check(moved > 50);
	keyset_free(&keys);
	world_unmake(&world);
}

/*
 * Within a split what moves is in both buckets.  A walk that comes by then takes
 * it from the new one only: here the number of buckets is made to say that the
 * next split is at that point.
 */
static void split_walk(void)
{
	struct shmap_place places[SHMAP_CHAIN_SLOTS];
	const struct shmap_table *table;
	struct keyset keys = { 0 };
	struct shmap_probe probe;
	struct world world;
	u32 n, b, i, got, bits, left_out = 0;
	u64 end;

	make(&world, "rcu", 1, 4000, 1 << 20);
	table = split_table(&world, &keys);
	n = table->desc->end;
	for (; n < 2 * SPLIT_FROM; n++) {
		b = n - SPLIT_FROM;
		/* As it was: the chain is an interval that begins at b. */
		check(shmap_table_begin(table, b, &probe));
		got = shmap_table_collect(table, &probe, places, &end);
		check_equal(got, inspect_chain(world.map, b));
		check_equal(end, bitrev32(b) + (1ull << (32 - 7)));
		left_out += got;

		table->desc->end = n + 1;
		check(shmap_table_begin(table, b, &probe));
		bits = 8;
		got = shmap_table_collect(table, &probe, places, &end);
		check_equal(end, bitrev32(b) + (1ull << (32 - bits)));
		for (i = 0; i < got; i++) {
			check(places[i].order >= bitrev32(b));
			check(places[i].order < end);
			check(!i || places[i - 1].order <= places[i].order);
		}
		left_out -= got;
		table->desc->end = n;
		/* On to the next, for good. */
		for (i = 0; table->desc->end == n; i++)
			set(&world, &keys, i, 8);
	}
	check(left_out > 50);
	world_compare(&world);
	keyset_free(&keys);
	world_unmake(&world);
}

/* A writer on another CPU disturbs a reader so often, then is done. */
static struct kmap_bucket *disturbed;
static unsigned int disturb;

static void begin_to_disturb(struct kmap_bucket *home, unsigned int times)
{
	disturbed = home;
	disturb = times;
	shmap_chain_change_begin(home);
	/* Not on this one. */
	preempt_enable();
}

static void relax(void)
{
	if (!disturb || --disturb)
		return;
	preempt_disable();
	shmap_chain_change_end(disturbed);
}

/* Each reader gets through, after so many tries without the lock, or with it. */
static void disturbed_readers(void)
{
	struct world_walk walk;
	struct kmap_info info = { 0 };
	struct shmap_probe probe;
	struct world world;
	unsigned int tries;
	u64 retries = 0;

	make(&world, "rcu", 1, 1000, 1 << 20);
	check_equal(world_add(&world, "key", 3, 5, 0), 0);
	check(shmap_table_begin(&world.map->shard[0].table,
				shmap_key_hash(world.map, "key", 3), &probe));
	for (tries = 1; tries <= SHMAP_TRIES; tries++) {
		begin_to_disturb(probe.home, tries);
		check(!shmap_table_begin(&world.map->shard[0].table,
					 probe.hash, &probe));
		shim_relax = relax;
		check_equal(world_get(&world, "key", 3, 8), 0);
		check_equal(disturb, 0);

		begin_to_disturb(probe.home, tries);
		world_walk_begin(&world, &walk, 0, true);
		check(world_walk_some(&world, &walk, 1000, ~0u));
		check_equal(disturb, 0);
		shim_relax = NULL;
		retries += 2 * tries;
	}
	shmap_map_info(world.map, &info);
	check_equal(info.retries, retries);
	world_unmake(&world);
}

/* Blocks that somebody else was faster to bring, and one that there is no room for. */
static void fed_twice(void)
{
	struct shmap_buckets *buckets;
	struct world world;
	u32 i, n;

	make(&world, "spinlock", 1, 1000, 1 << 20);
	buckets = &world.map->buckets;
	check(!shmap_buckets_has_home(buckets, SHMAP_BLOCK_BUCKETS));
	for (i = 0; i < 2; i++) {
		check_equal(shmap_buckets_feed(buckets, 1), 0);
		check(shmap_buckets_has_home(buckets, SHMAP_BLOCK_BUCKETS));
	}
	n = (buckets->over_end - buckets->home_end) / SHMAP_BLOCK_BUCKETS;
	for (i = 0; i < n; i++)
		check_equal(shmap_buckets_feed(buckets, SHMAP_BLOCK_OVER), 0);
	check_equal(shmap_buckets_feed(buckets, SHMAP_BLOCK_OVER), -EXFULL);
	check_equal(buckets->free_n, n * SHMAP_BLOCK_BUCKETS);
	world_compare(&world);
	world_unmake(&world);
}

static struct world *intruded;
static u32 intrude;

static void set_another(void)
{
	if (--intrude)
		return;
	shim_relax = NULL;
	check_equal(world_set(intruded, "another", 7, text, 8, 0, 0, 0), 0);
}

/* Whenever an operation allocates, another one comes first. */
static void outrun(void)
{
	struct world world;
	u32 n;

	for (n = 1;; n++) {
		make(&world, "rcu", 1, 1000, 1 << 20);
		intruded = &world;
		intrude = n;
		shim_relax = set_another;
		check_equal(world_set(&world, "key", 3, text, 100, 0, 0, 0), 0);
		shim_relax = NULL;
		world_compare(&world);
		check_equal(world.model.entries, 1 + !intrude);
		world_unmake(&world);
		if (intrude)
			break;
	}
	/* An entry, its slab and unit, pages of the table. */
	check(n > 3);
}

/* Removed memory stays under its bound however slow grace periods are. */
static void deferred_bound(void)
{
	struct kmap_info info = { 0 };
	struct world world;
	u32 i;

	make(&world, "rcu", 4, 1000, 4 << 20);
	for (i = 0; i < 3000; i++) {
		/* Now and then polling misses the grace period, as it may. */
		shim_rcu_miss(i % 5 ? 0 : 3);
		check_equal(world_set(&world, "key", 3, text, i % 3000, 0, 0,
				      0), 0);
		if (i % 100 == 0)
			inspect_map(world.map);
	}
	shmap_map_info(world.map, &info);
	check(info.waits);
	check(info.deferred && info.deferred <= info.deferred_max);
	check_equal(info.deferred_max, 4 << 18);
	shim_rcu_miss(3);
	shmap_space_squeeze(world.map, true);
	memset(&info, 0, sizeof(info));
	shmap_map_info(world.map, &info);
	check_equal(info.deferred, 0);
	/* The map goes although polling does not see the last ones end. */
	world_set(&world, "key", 3, text, 20000, 0, 0, 0);
	shim_rcu_miss(5);
	world_unmake(&world);
}

static struct shmap_defer *raced;

static void reap_all(void)
{
	shmap_defer_reap(raced);
}

/* Two free what waited at the same time; neither waits for the other's part. */
static void drained_twice(void)
{
	struct world world;
	u32 i;

	make(&world, "rcu", 1, 1000, 4 << 20);
	for (i = 0; i < 400; i++)
		check_equal(world_set(&world, "key", 3, text, 8, 0, 0, 0), 0);
	check(world.map->shard[0].defer.bytes);
	raced = &world.map->shard[0].defer;
	shim_relax = reap_all;
	shmap_space_squeeze(world.map, true);
	shim_relax = NULL;
	check_equal(world.map->shard[0].defer.bytes, 0);
	world_compare(&world);
	world_unmake(&world);
}

/* A fatal signal ends what takes long; a change does not wait, and is made. */
static void killed(void)
{
	struct shmap_snapshot *snap;
	struct world world;
	u8 buf[100];
	u64 removed;

	make(&world, "rwsem", 2, 1000, 1 << 20);
	check_equal(world_set(&world, "key", 3, text, 100, 0, 0, 0), 0);
	snap = shmap_snapshot_begin(world.map, true);
	check(!IS_ERR(snap));
	current->killed = true;
	check_equal(world_add(&world, "new", 3, 4, 0), 0);
	check_equal(world_set(&world, "key", 3, text, 50, 0, 0, 0), 0);
	check_equal(world_delete(&world, "new", 3, 0, 0, 0), 0);
	check_equal(shmap_snapshot_read(snap, buf, sizeof(buf)), -EINTR);
	current->killed = false;
	shmap_snapshot_end(snap);
	check_equal(world.map->cuts.kept, 0);

	/* CLEAR stops in the middle, and says what it did. */
	check_equal(world_set(&world, "a", 1, text, 10, 0, 0, 0), 0);
	current->killed = true;
	check_equal(shmap_clear_run(world.map, &removed), -EINTR);
	current->killed = false;
	check(removed <= 2);
	model_free(&world.model);
	inspect_map(world.map);
	world_unmake(&world);
}

/* The window's first page says how to find everything. */
static void window_head(void)
{
	const struct kmap_window *head;
	struct world world;

	make(&world, "rcu", 4, 5000, 1 << 20);
	head = world.map->head;
	check(head->magic == KMAP_WINDOW_MAGIC);
	check_equal(head->shards, 4);
	check_equal(1 << head->shard_bits, 4);
	check(!memcmp(head->hash_key, &world.map->hash_key, 16));
	check_equal(head->max_chain, 64);
	check_equal(head->bucket_size, (u64)world.map->buckets.over_end *
		    sizeof(struct kmap_bucket));
	check_equal(head->entry_offset, head->bucket_offset + head->bucket_size);
	check_equal(head->size, head->entry_offset + head->entry_size);
	check_equal(head->entry_size, (u64)world.map->pool.area.end *
		    SHMAP_UNIT_SIZE);
	check(world.map->shard[3].table.desc ==
	      (void *)head + head->shard_offset + 3 * sizeof(struct kmap_shard));
	check_equal(head->size % PAGE_SIZE, 0);
	world_unmake(&world);
}

/* Of what others store, who takes snapshots pays for a little, however often. */
static void given_ahead(void)
{
	struct keyset keys = { 0 };
	struct world world;
	u32 i;

	make(&world, "rcu", 2, 4000, 4 << 20);
	keyset_random(&keys, world.map, 1500);
	for (i = 0; i < keys.n; i++) {
		if (i % 100 == 0)
			check(shmap_kept_stock(world.map));
		check_equal(set(&world, &keys, i, 1000), 0);
	}
	check_equal(world.map->pool.given, SHMAP_POOL_GIFT);
	check(shmap_kept_stock(world.map));
	check_equal(world.map->pool.stocked, 0);
	shmap_kept_unstock(world.map);
	keyset_free(&keys);
	world_unmake(&world);
}

int main(int argc, char **argv)
{
	static const struct test tests[] = {
		{ "full_chain", full_chain },
		{ "full_area", full_area },
		{ "stale_home", stale_home },
		{ "split_walk", split_walk },
		{ "disturbed_readers", disturbed_readers },
		{ "fed_twice", fed_twice },
		{ "outrun", outrun },
		{ "deferred_bound", deferred_bound },
		{ "drained_twice", drained_twice },
		{ "killed", killed },
		{ "window_head", window_head },
		{ "given_ahead", given_ahead },
	};

	return test_main(argc, argv, tests, ARRAY_SIZE(tests));
}
