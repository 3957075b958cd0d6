// SPDX-License-Identifier: GPL-2.0-only
/*
 * The address space of the entry area: which of its units are in use.
 *
 * The area is as large as the map can ever need, and most of it is never used.  So it is
 * divided into regions of 512 units, and what has to be known of the units of a region is
 * allocated when the regions before it have no room.  Regions stay until the map is freed.
 *
 * A unit that nobody uses is in one of two sets: those without memory, and those whose
 * memory the keeper has not given back yet.  In both, a run is found by a way down two
 * trees: one over the regions, one in a region (runs.c).  A run lies in one region.
 * Single units are taken from the start of the area and runs from the end of what has
 * been made, which limits fragmentation.
 *
 * A unit without memory is a hole of the window, where pages of zeros are mapped.  Such a
 * mapping is stale once the unit has memory.  So the area remembers which units are
 * blank, and which have become stale; hole.c tells how stale mappings are taken away.
 *
 * Locking: area->lock, which is not taken together with another lock of the map.
 */
#include <linux/bitops.h>
#include <linux/log2.h>
#include <linux/minmax.h>
#include <linux/sched.h>

#include "area.h"

#define UNITS_ORDER	get_order(2 * SHMAP_UNIT_TABLE)

/* Number of bytes of both trees. */
static size_t tree_bytes(const struct shmap_area *area)
{
	return SHMAP_UNIT_SETS * 2 * (size_t)area->leaves;
}

/**
 * shmap_area_init - make an entry area in which nothing is used
 * @area: to be made, zeroed
 * @mem: account that its memory is counted on
 * @bytes: its size, at most SHMAP_AREA_MAX
 *
 * Context: may sleep.
 * Return: 0 or -ENOMEM; either way shmap_area_exit() may be called.
 */
int shmap_area_init(struct shmap_area *area, struct shmap_mem *mem, u64 bytes)
{
	raw_spin_lock_init(&area->lock);
	area->mem = mem;
	area->end = min(bytes, SHMAP_AREA_MAX) >> SHMAP_UNIT_SHIFT;
	area->regions = DIV_ROUND_UP(area->end, SHMAP_REGION_UNITS);
	area->leaves = roundup_pow_of_two(area->regions);
	area->units = shmap_mem_alloc_table(mem, area->regions,
					    sizeof(*area->units));
	area->region = shmap_mem_alloc_table(mem, area->regions,
					     sizeof(*area->region));
	area->blank = shmap_mem_alloc_table(mem, BITS_TO_LONGS(area->regions),
					    sizeof(*area->blank));
	area->longest[0] = shmap_mem_alloc_table(mem, tree_bytes(area), 1);
	if (!area->units || !area->region || !area->blank || !area->longest[0])
		return -ENOMEM;
	area->longest[1] = area->longest[0] + 2 * (size_t)area->leaves;
	return 0;
}

/**
 * shmap_area_exit - free what the area has allocated
 * @area: the area; its units have no memory any more
 *
 * Context: may sleep.
 */
void shmap_area_exit(struct shmap_area *area)
{
	unsigned int r;

	for (r = 0; r < area->made; r++) {
		shmap_mem_free_pages(area->mem,
				     shmap_area_base(area, r * SHMAP_REGION_UNITS),
				     UNITS_ORDER);
		shmap_mem_free(area->mem, area->region[r],
			       sizeof(*area->region[r]));
		cond_resched();
	}
	shmap_mem_free_table(area->mem, area->units, area->regions,
			     sizeof(*area->units));
	shmap_mem_free_table(area->mem, area->region, area->regions,
			     sizeof(*area->region));
	shmap_mem_free_table(area->mem, area->blank,
			     BITS_TO_LONGS(area->regions), sizeof(*area->blank));
	shmap_mem_free_table(area->mem, area->longest[0], tree_bytes(area), 1);
}

/* Note that some units of a region have joined or left a set. */
static void update(struct shmap_area *area, enum shmap_set set, unsigned int r,
		   unsigned int first, unsigned int units)
{
	struct shmap_runs *runs = &area->region[r]->set[set];
	unsigned int at = area->leaves + r;
	u8 *longest = area->longest[set];

	shmap_runs_update(runs, first, units);
	longest[at] = min(runs->node[1].longest, SHMAP_RUN_MAX);
	while (at > 1) {
		at /= 2;
		longest[at] = max(longest[2 * at], longest[2 * at + 1]);
	}
}

static struct shmap_region *region_alloc(struct shmap_area *area)
{
	struct shmap_region *region;
	unsigned int i;

	region = shmap_mem_alloc(area->mem, sizeof(*region));
	if (!region)
		return NULL;
	for (i = 0; i < SHMAP_UNIT_SETS; i++) {
		region->set[i].missing = region->missing[i];
		region->set[i].node = region->node[i];
		region->set[i].words = SHMAP_REGION_WORDS;
		shmap_runs_init(&region->set[i], 0, 0);
	}
	return region;
}

/* Add a region, unless another task has added it. */
static bool add_region(struct shmap_area *area, unsigned int r,
		       struct shmap_region *region, void *units)
{
	/* Reference 0 means none, so the first unit is never used. */
	unsigned int first = max(r * SHMAP_REGION_UNITS, 1u);
	unsigned int end = min((r + 1) * SHMAP_REGION_UNITS, area->end);
	bool added;

	raw_spin_lock(&area->lock);
	added = area->made == r;
	if (added) {
		WRITE_ONCE(area->units[r], (unsigned long)units - r * SHMAP_UNIT_TABLE);
		area->region[r] = region;
		WRITE_ONCE(area->made, r + 1);
		if (test_bit(r, area->blank))
			bitmap_fill(region->blank, SHMAP_REGION_UNITS);
		if (end > first)
			shmap_area_put_locked(area, SHMAP_BARE, first,
					      end - first);
	}
	raw_spin_unlock(&area->lock);
	return added;
}

/**
 * shmap_area_extend - make another region
 * @area: the area
 *
 * Context: may sleep.
 * Return: 0 when there is a region more, which another task may have made; -ENOSPC when
 * there can be no more, or -ENOMEM.
 */
int shmap_area_extend(struct shmap_area *area)
{
	unsigned int r = READ_ONCE(area->made);
	struct shmap_region *region;
	unsigned int i;
	unsigned long *units;

	if (r == area->regions)
		return -ENOSPC;
	region = region_alloc(area);
	units = shmap_mem_alloc_pages(area->mem, UNITS_ORDER);
	for (i = 0; units && i < SHMAP_REGION_UNITS; i++)
		units[i] = SHMAP_NO_MEM;
	if (region && units && add_region(area, r, region, units))
		return 0;
	shmap_mem_free_pages(area->mem, units, UNITS_ORDER);
	shmap_mem_free(area->mem, region, sizeof(*region));
	return READ_ONCE(area->made) > r ? 0 : -ENOMEM;
}

/**
 * shmap_area_take_locked - take a run of units out of a set
 * @area: the area
 * @set: the set
 * @units: length of the run, SHMAP_RUN_MAX at most
 *
 * Context: area->lock is held.
 * Return: number of the first unit, or -ENOSPC when the set has no such run.
 */
int shmap_area_take_locked(struct shmap_area *area, enum shmap_set set,
			   unsigned int units)
{
	const u8 *longest = area->longest[set];
	bool last = units > 1;
	unsigned int at = 1, r;
	int first;

	lockdep_assert_held(&area->lock);
	if (longest[1] < units)
		return -ENOSPC;
	while (at < area->leaves) {
		at *= 2;
		if (last ? longest[at + 1] >= units : longest[at] < units)
			at++;
	}
	r = at - area->leaves;
	first = shmap_runs_find(&area->region[r]->set[set], units, last);
	bitmap_set(area->region[r]->missing[set], first, units);
	update(area, set, r, first, units);
	area->idle[set] -= units;
	return r * SHMAP_REGION_UNITS + first;
}

/**
 * shmap_area_put_locked - put a run of units into a set
 * @area: the area
 * @set: the set
 * @first: number of the first unit
 * @units: length of the run, which lies in one region
 *
 * Context: area->lock is held.
 */
void shmap_area_put_locked(struct shmap_area *area, enum shmap_set set,
			   unsigned int first, unsigned int units)
{
	unsigned int r = first / SHMAP_REGION_UNITS;

	lockdep_assert_held(&area->lock);
	first %= SHMAP_REGION_UNITS;
	bitmap_clear(area->region[r]->missing[set], first, units);
	update(area, set, r, first, units);
	area->idle[set] += units;
}

/**
 * shmap_area_leave_locked - begin to give back the memory of a region's idle units
 * @area: the area
 * @r: number of the region
 *
 * Context: area->lock is held.
 */
void shmap_area_leave_locked(struct shmap_area *area, unsigned int r)
{
	struct shmap_region *region = area->region[r];
	unsigned long *missing = region->missing[SHMAP_READY], ready;
	unsigned int i, n = 0;

	lockdep_assert_held(&area->lock);
	for (i = 0; i < SHMAP_REGION_WORDS; i++) {
		ready = ~missing[i];
		region->leaving[i] |= ready;
		missing[i] = ~0ul;
		n += hweight_long(ready);
	}
	area->idle[SHMAP_READY] -= n;
	area->leaving += n;
	update(area, SHMAP_READY, r, 0, SHMAP_REGION_UNITS);
}

/**
 * shmap_area_settle_locked - note that units have memory
 * @area: the area
 * @first: number of the first unit
 * @units: number of units, which lie in one region
 *
 * Context: area->lock is held; nothing in these units has been published.
 * Return: true if pages of zeros may be mapped in their place.
 */
bool shmap_area_settle_locked(struct shmap_area *area, unsigned int first,
			      unsigned int units)
{
	struct shmap_region *region = area->region[first / SHMAP_REGION_UNITS];
	bool fresh = bitmap_empty(region->stale, SHMAP_REGION_UNITS);
	bool stale = false;
	unsigned int i;

	lockdep_assert_held(&area->lock);
	first %= SHMAP_REGION_UNITS;
	for (i = first; i < first + units; i++) {
		if (test_bit(i, region->blank)) {
			__set_bit(i, region->stale);
			stale = true;
		}
	}
	if (stale && fresh)
		area->stale++;
	/* Before anything is published there: pairs with step 5 of the window's protocol. */
	if (stale && area->flag)
		WRITE_ONCE(*area->flag, 1);
	return stale;
}
