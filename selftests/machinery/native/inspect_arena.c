// SPDX-License-Identifier: GPL-2.0-only
/*
 * The module's arena.c, and what looks at its slabs.  Whatever is tested is in
 * the file included first.
 */
#include "../../../module/arena.c"

#include <stdlib.h>
#include <string.h>

#include <linux/bitmap.h>

#include "inspect.h"
#include "shim.h"
#include "test.h"

/* Is this a reference to an object of the slab that was handed out once? */
static bool is_object(const struct shmap_slab *slab, u32 ref)
{
	u32 first = slab->first * SHMAP_UNIT_REFS, step = slab->size / 8;

	return ref >= first && (ref - first) % step == 0 &&
	       (ref - first) / step < slab->fresh;
}

static bool in_partial(const struct shmap_map *map,
		       const struct shmap_slab *slab)
{
	const struct shmap_slab *other;
	const struct hlist_head *partial;
	unsigned int shard, class, found = 0;

	for (shard = 0; shard < map->config.shards; shard++) {
		partial = map->shard[shard].arena.partial;
		for (class = 0; class < SHMAP_CLASSES; class++) {
			hlist_for_each_entry(other, &partial[class], node) {
				if (other != slab)
					continue;
				check_equal(class, slab->class);
				found++;
			}
		}
	}
	check(found <= 1);
	return found;
}

/* Is it in the list of those that are empty? */
static bool in_empty(const struct shmap_map *map,
		     const struct shmap_slab *slab)
{
	const struct shmap_slab *other;
	unsigned int shard, found = 0;

	for (shard = 0; shard < map->config.shards; shard++)
		list_for_each_entry(other, &map->shard[shard].arena.empty,
				    empty)
			found += other == slab;
	check(found <= 1);
	return found;
}

static void inspect_slab(struct inspect *inspect, const struct shmap_slab *slab)
{
	const struct shmap_pool *pool = &inspect->map->pool;
	u32 ref, i, live = 0, idle = 0;

	check_equal(slab->size, inspect_class(slab->size));
	check(slab->units * SHMAP_UNIT_SIZE >= slab->size);
	check(slab->objects * slab->size <= slab->units * SHMAP_UNIT_SIZE);
	check(slab->objects && slab->fresh <= slab->objects);
	check_equal(in_partial(inspect->map, slab),
		    slab->live < slab->objects);
	check_equal(in_empty(inspect->map, slab), !slab->live);

	for (ref = slab->free; ref; idle++) {
		check(is_object(slab, ref));
		check(!test_bit(ref, inspect->idle));
		check(!test_bit(ref, inspect->live));
		check(!test_bit(ref, inspect->dead));
		__set_bit(ref, inspect->idle);
		ref = *(u32 *)shmap_pool_entry(pool, ref);
	}
	/* In use are those of the table and those that wait, and no others. */
	for (i = 0; i < slab->units * SHMAP_UNIT_REFS; i++) {
		ref = slab->first * SHMAP_UNIT_REFS + i;
		if (!test_bit(ref, inspect->live) &&
		    !test_bit(ref, inspect->dead))
			continue;
		check(is_object(slab, ref));
		__clear_bit(ref, inspect->live);
		__clear_bit(ref, inspect->dead);
		live++;
	}
	check_equal(live, slab->live);
	check_equal(live + idle, slab->fresh);
}

/* A unit that nobody has: its memory, if any, is at its own address. */
static void inspect_unit(const struct shmap_pool *pool, unsigned int i)
{
	check(!test_bit(i, pool->idle.missing) || i == 0);
	if (i && pool->unit[i])
		check(!test_bit(i, pool->ready.missing));
	else
		check(test_bit(i, pool->ready.missing));
	if (pool->unit[i])
		check(shim_page_is_linear(pool->unit[i]));
}

/* The longest run of a set is found, and none that is longer. */
static void inspect_runs(const struct shmap_pool *pool,
			 const struct shmap_runs *runs)
{
	unsigned int i, run = 0, longest = 0;

	for (i = 0; i < runs->words * BITS_PER_LONG; i++) {
		check(i < pool->units || test_bit(i, runs->missing));
		run = test_bit(i, runs->missing) ? 0 : run + 1;
		longest = max(longest, run);
	}
	check_equal(shmap_runs_find(runs, longest + 1, false), -1);
	check_equal(shmap_runs_find(runs, longest + 1, true), -1);
	check(!longest || shmap_runs_find(runs, longest, false) >= 0);
}

/**
 * inspect_slabs - look at all slabs and units
 * @inspect: with all entries in live and dead; these are cleared
 */
void inspect_slabs(struct inspect *inspect)
{
	const struct shmap_pool *pool = &inspect->map->pool;
	size_t words = BITS_TO_LONGS((u64)pool->units * SHMAP_UNIT_REFS);
	unsigned int i, k;

	check(test_bit(0, pool->idle.missing));
	for (i = 0; i < pool->units; i++)
		if (pool->unit[i])
			inspect->memory += SHMAP_UNIT_SIZE;
	check(pool->stocked <= SHMAP_POOL_STOCK);
	inspect->memory += pool->stocked * SHMAP_UNIT_SIZE;
	for (i = 0; i < pool->units; ) {
		const struct shmap_slab *slab = pool->slab[i];

		if (i == 0 || !test_bit(i, pool->idle.missing)) {
			inspect_unit(pool, i++);
			continue;
		}
		check(slab && slab->first == i);
		for (k = 0; k < slab->units; k++) {
			check(test_bit(i + k, pool->idle.missing));
			check(test_bit(i + k, pool->ready.missing));
			check(pool->slab[i + k] == slab);
			check(pool->unit[i + k] ==
			      pool->unit[i] + k * SHMAP_UNIT_SIZE);
		}
		inspect_slab(inspect, slab);
		inspect->memory += sizeof(*slab);
		i += slab->units;
	}
	inspect_runs(pool, &pool->idle);
	inspect_runs(pool, &pool->ready);
	inspect->memory += pool->units * (sizeof(*pool->unit) +
					  sizeof(*pool->slab)) +
			   2 * pool->idle.words *
			   (sizeof(*pool->idle.missing) +
			    2 * sizeof(*pool->idle.node));
	/* Every entry was in a slab. */
	for (i = 0; i < words; i++)
		check(!inspect->live[i] && !inspect->dead[i]);
}

/**
 * inspect_no_room - is the entry area too full for an entry?
 * @map: the map
 * @arena: of the entry's shard
 * @bytes: size of the entry
 *
 * Return: true when neither a slab nor the pool has room.
 */
bool inspect_no_room(const struct shmap_map *map,
		     const struct shmap_arena *arena, u32 bytes)
{
	const struct shmap_pool *pool = &map->pool;
	unsigned int i, run = 0, units;

	if (!hlist_empty(&arena->partial[shmap_arena_class(bytes)]))
		return false;
	units = slab_units(class_size(shmap_arena_class(bytes)));
	for (i = 0; i < pool->units; i++) {
		run = test_bit(i, pool->idle.missing) ? 0 : run + 1;
		if (run == units)
			return false;
	}
	return true;
}
