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
#include "payer.h"
#include "shim.h"
#include "test.h"

/* Is this a reference to an object of the slab that was handed out once? */
static bool is_object(const struct shmap_slab *slab, u32 ref)
{
	u32 first = slab->first * SHMAP_UNIT_REFS, step = slab->size / 8;

	return ref >= first && (ref - first) % step == 0 &&
	       (ref - first) / step < slab->fresh;
}

static bool in_partial(const struct shmap_slab *slab)
{
	const struct hlist_head *partial = slab->arena->partial;
	const struct shmap_slab *other;
	unsigned int class, found = 0;

	for (class = 0; class < SHMAP_CLASSES; class++) {
		hlist_for_each_entry(other, &partial[class], node) {
			check(other->arena == slab->arena);
			if (other != slab)
				continue;
			check_equal(class, slab->class);
			found++;
		}
	}
	check(found <= 1);
	return found;
}

/* How often is it in a list of its arena? */
static unsigned int in_list(const struct shmap_slab *slab, size_t offset)
{
	const struct shmap_slab *other;
	unsigned int found = 0;

	list_for_each_entry(other, (const struct list_head *)
			    ((const char *)slab->arena + offset), list) {
		check(other->arena == slab->arena);
		found += other == slab;
	}
	check(found <= 1);
	return found;
}

#define IN(slab, which)	in_list(slab, offsetof(struct shmap_arena, which))

static void inspect_slab(struct inspect *inspect, const struct shmap_slab *slab)
{
	const struct shmap_pool *pool = &inspect->map->pool;
	u32 ref, i, live = 0, idle = 0;

	check_equal(slab->size, inspect_class(slab->size));
	check(slab->units * SHMAP_UNIT_SIZE >= slab->size);
	check(slab->objects * slab->size <= slab->units * SHMAP_UNIT_SIZE);
	check(slab->objects && slab->fresh <= slab->objects);
	check(slab->drain != SHMAP_DRAIN_BUSY);
	check_equal(in_partial(slab),
		    slab->live < slab->objects && slab->drain == SHMAP_DRAIN_NOT);
	check_equal(IN(slab, empty), !slab->live);
	if (slab->drain == SHMAP_DRAIN_NOT)
		check(slab->few == few(slab) || slab->few == slab->objects - 1);
	else
		check_equal(slab->few, ~0u);
	check_equal(IN(slab, sparse), slab->drain == SHMAP_DRAIN_NOT &&
		    slab->live && slab->live <= slab->few);
	check_equal(IN(slab, parked), slab->drain == SHMAP_DRAIN_PARKED);

	for (ref = slab->free; ref; idle++) {
		check(is_object(slab, ref));
		check(!test_bit(ref, inspect->idle));
		check(!test_bit(ref, inspect->live));
		check(!test_bit(ref, inspect->dead));
		__set_bit(ref, inspect->idle);
		check(!shmap_pool_entry(pool, ref)->lens);
		ref = shmap_pool_entry(pool, ref)->hash;
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
	if (slab->drain == SHMAP_DRAIN_NOT) {
		inspect->held += slab->units * SHMAP_UNIT_SIZE;
		if (live && live <= slab->few)
			inspect->free += (u64)(slab->objects - live) * slab->size;
	} else {
		inspect->leaving += slab->units * SHMAP_UNIT_SIZE;
	}
}

static bool inspect_has_arena(const struct shmap_map *map,
			      const struct shmap_arena *arena)
{
	const struct rb_node *node;

	for (node = rb_first(&map->payers.arenas); node; node = rb_next(node))
		if (node == &arena->node)
			return true;
	return false;
}

/* The arenas' sums are those of their slabs. */
static void inspect_sums(struct inspect *inspect)
{
	const struct shmap_map *map = inspect->map;
	u64 held = 0, free = 0, leaving = 0;
	struct rb_node *node;
	unsigned int i;

	for (node = rb_first(&map->payers.arenas); node; node = rb_next(node)) {
		const struct shmap_arena *arena = rb_entry(node, struct shmap_arena,
							   node);
		unsigned int n = 0, parked = 0;
		struct shmap_slab *slab;

		check(!arena->users && arena->lane <= map->payers.lanes);
		held += arena->held;
		free += arena->free;
		leaving += arena->leaving;
		list_for_each_entry(slab, &arena->sparse, list)
			n++;
		list_for_each_entry(slab, &arena->parked, list)
			parked++;
		check_equal(arena->sparse_n, n);
		check_equal(arena->parked_n, parked);
		inspect->memory += sizeof(*arena);
	}
	check_equal(held, inspect->held);
	check_equal(free, inspect->free);
	check_equal(leaving, inspect->leaving);
	/* No shard remembers an arena that is gone. */
	for (i = 0; i < map->config.shards; i++) {
		const struct shmap_arena *arena = map->shard[i].arena;

		check(arena == &shmap_payer_none || inspect_has_arena(map, arena));
	}
}

/**
 * inspect_unit_mem - memory of a unit
 * @pool: the pool
 * @unit: number of the unit
 *
 * Return: its address, or NULL.
 */
const void *inspect_unit_mem(const struct shmap_pool *pool, unsigned int unit)
{
	if (unit / SHMAP_REGION_UNITS >= pool->area.made)
		return NULL;
	return shmap_area_mem(&pool->area, unit);
}

/**
 * inspect_unit_in - is a unit in a set?
 * @pool: the pool
 * @set: the set
 * @unit: number of the unit
 *
 * Return: true if so; units of a region that is not made have no memory.
 */
bool inspect_unit_in(const struct shmap_pool *pool, enum shmap_set set,
		     unsigned int unit)
{
	unsigned int r = unit / SHMAP_REGION_UNITS;

	if (r >= pool->area.made)
		return set == SHMAP_BARE && unit;
	return !test_bit(unit % SHMAP_REGION_UNITS,
			 pool->area.region[r]->missing[set]);
}

/**
 * inspect_unit_idle - can a unit be taken?
 * @pool: the pool
 * @unit: number of the unit
 *
 * Return: true if so.
 */
bool inspect_unit_idle(const struct shmap_pool *pool, unsigned int unit)
{
	return inspect_unit_in(pool, SHMAP_BARE, unit) ||
	       inspect_unit_in(pool, SHMAP_READY, unit);
}

/* A unit that nobody has: its memory, if any, is at its own address. */
static void inspect_unit(const struct shmap_pool *pool, unsigned int i)
{
	const void *mem = inspect_unit_mem(pool, i);

	if (i)
		check(inspect_unit_in(pool, mem ? SHMAP_READY : SHMAP_BARE, i));
	else
		check(!inspect_unit_idle(pool, i));
	check(!mem || !inspect_unit_in(pool, SHMAP_BARE, i));
	check(!mem || shim_page_is_linear(mem));
}

/* The longest run of a set is found, and none that is longer. */
static void inspect_runs(const struct shmap_runs *runs)
{
	unsigned int i, run = 0, longest = 0;

	for (i = 0; i < runs->words * BITS_PER_LONG; i++) {
		run = test_bit(i, runs->missing) ? 0 : run + 1;
		longest = max(longest, run);
	}
	check_equal(runs->node[1].longest, longest);
	check_equal(shmap_runs_find(runs, longest + 1, false), -1);
	check_equal(shmap_runs_find(runs, longest + 1, true), -1);
	check(!longest || shmap_runs_find(runs, longest, false) >= 0);
}

/* Sets, trees and counts of the regions say the same. */
static void inspect_area(struct inspect *inspect)
{
	const struct shmap_area *area = &inspect->map->pool.area;
	unsigned int idle[SHMAP_UNIT_SETS] = { 0 }, stale = 0, set, r, i;

	for (r = 0; r < area->made; r++) {
		const struct shmap_region *region = area->region[r];

		for (set = 0; set < SHMAP_UNIT_SETS; set++) {
			inspect_runs(&region->set[set]);
			check_equal(area->longest[set][area->leaves + r],
				    min(region->set[set].node[1].longest, 255));
			for (i = 0; i < SHMAP_REGION_UNITS; i++)
				idle[set] += !test_bit(i, region->missing[set]);
		}
		check(bitmap_empty(region->leaving, SHMAP_REGION_UNITS));
		check(!region->guests);
		stale += !bitmap_empty(region->stale, SHMAP_REGION_UNITS);
		for (i = 0; i < SHMAP_REGION_UNITS; i++)
			check(!test_bit(i, region->stale) ||
			      (test_bit(i, region->blank) &&
			       shmap_area_mem(area, r * SHMAP_REGION_UNITS + i)));
	}
	for (set = 0; set < SHMAP_UNIT_SETS; set++) {
		check_equal(area->idle[set], idle[set]);
		for (i = 1; i < area->leaves; i++)
			check_equal(area->longest[set][i],
				    max(area->longest[set][2 * i],
					area->longest[set][2 * i + 1]));
	}
	check(!area->leaving && !area->guests);
	check_equal(area->stale, stale);
	check_equal(inspect->map->head->stale, !!stale);
	inspect->memory += area->made * (2 * SHMAP_UNIT_TABLE +
					 sizeof(**area->region)) +
			   area->regions * (sizeof(*area->units) +
					    sizeof(*area->region)) +
			   BITS_TO_LONGS(area->regions) * sizeof(long) +
			   2 * SHMAP_UNIT_SETS * area->leaves;
}

/**
 * inspect_slabs - look at all slabs and units
 * @inspect: with all entries in live and dead; these are cleared
 */
void inspect_slabs(struct inspect *inspect)
{
	const struct shmap_pool *pool = &inspect->map->pool;
	size_t words = BITS_TO_LONGS((u64)pool->area.end * SHMAP_UNIT_REFS);
	unsigned int i, k, backed = 0;

	check(!inspect_unit_idle(pool, 0));
	for (i = 0; i < pool->area.end; i++)
		backed += !!inspect_unit_mem(pool, i);
	check_equal(pool->backed, backed);
	check(pool->stocked <= SHMAP_POOL_STOCK);
	inspect->memory += (backed + pool->stocked) * SHMAP_UNIT_SIZE;
	for (i = 0; i < pool->area.end; ) {
		const struct shmap_slab *slab;

		if (i == 0 || inspect_unit_idle(pool, i)) {
			inspect_unit(pool, i++);
			continue;
		}
		slab = *shmap_area_slab(&pool->area, i);
		check(slab && slab->first == i);
		for (k = 0; k < slab->units; k++) {
			check(!inspect_unit_idle(pool, i + k));
			check(*shmap_area_slab(&pool->area, i + k) == slab);
			check(inspect_unit_mem(pool, i + k) ==
			      inspect_unit_mem(pool, i) + k * SHMAP_UNIT_SIZE);
		}
		inspect_slab(inspect, slab);
		inspect->memory += sizeof(*slab);
		i += slab->units;
	}
	inspect_sums(inspect);
	inspect_area(inspect);
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
	unsigned int run[SHMAP_UNIT_SETS] = { 0 }, i, set, units;

	if (!hlist_empty(&arena->partial[shmap_arena_class(bytes)]))
		return false;
	units = slab_units(class_size(shmap_arena_class(bytes)));
	for (i = 0; i < pool->area.end; i++) {
		/* Runs are of one set and in one region. */
		for (set = 0; set < SHMAP_UNIT_SETS; set++) {
			if (!(i % SHMAP_REGION_UNITS) ||
			    !inspect_unit_in(pool, set, i))
				run[set] = 0;
			run[set] += i && inspect_unit_in(pool, set, i);
			if (run[set] == units)
				return false;
		}
	}
	return true;
}
