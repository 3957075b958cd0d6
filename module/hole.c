// SPDX-License-Identifier: GPL-2.0-only
/*
 * Holes: units of the entry area that have no memory, and how they come and go while the
 * window is mapped.
 *
 * In the place of a hole the fault handler maps the page of zeros.  The keeper, one task
 * per map, makes holes: it gives the memory of idle units back to the kernel.  And it
 * takes stale mappings away: pages of zeros where units have got memory.  Each is done
 * region by region in three steps; the middle one, which takes the mappings away, is the
 * keeper's, because it may wait for clients.
 *
 * Giving back.  First the units leave their set, so nobody takes them, and the fault
 * handler finds a hole there.  A handler that has found a page before holds a reference to
 * it until it has mapped it.  So once the pool's own reference is the only one, no mapping
 * can be made any more, and those that there are can be taken away.  Then the pages are
 * freed, and only then can the units be taken again: whatever is published there later,
 * nobody sees the old pages in its place.
 *
 * Filling.  A unit is taken and used while pages of zeros are mapped in its place: to wait
 * until they are gone would be to wait for clients.  A reader of the window recognises an
 * entry whose header is in such a page.  The flag in the head of the window tells it not
 * to trust the other pages of an entry either: it is set before the unit is used, and
 * cleared when no stale mapping is left and none can be made.  A handler that is about to
 * map a page of zeros is a guest of the region until it has done so.
 *
 * Locking: area->lock.  Only the keeper calls the functions that begin and end.
 */
#include <linux/sched.h>
#include <linux/vmalloc.h>

#include "hole.h"

/* The memory of a unit if it can be mapped, or NULL. */
static void *find_locked(const struct shmap_area *area, unsigned int unit)
{
	unsigned int r = unit / SHMAP_REGION_UNITS;

	lockdep_assert_held(&area->lock);
	if (r >= area->made ||
	    test_bit(unit % SHMAP_REGION_UNITS, area->region[r]->leaving))
		return NULL;
	/* Pairs with the release in shmap_area_set_mem(). */
	return shmap_area_mem(area, unit);
}

/* Note that a page of zeros is going to be mapped in place of a unit. */
static unsigned int *enter_locked(struct shmap_area *area, unsigned int unit)
{
	unsigned int r = unit / SHMAP_REGION_UNITS;

	lockdep_assert_held(&area->lock);
	if (r >= area->made) {
		__set_bit(r, area->blank);
		area->guests++;
		return &area->guests;
	}
	__set_bit(unit % SHMAP_REGION_UNITS, area->region[r]->blank);
	area->region[r]->guests++;
	return &area->region[r]->guests;
}

/**
 * shmap_hole_page - find a page of the entry area, to map it
 * @pool: the pool
 * @at: offset in the entry area, less than its size
 * @guests: set to what shmap_hole_leave() takes, if there is no page; or NULL
 *
 * Context: any; takes area->lock.
 * Return: the page, with a reference, or NULL if there is a hole: unless @guests is NULL,
 * the caller maps a page of zeros and calls shmap_hole_leave().
 */
struct page *shmap_hole_page(struct shmap_pool *pool, u64 at,
			     unsigned int **guests)
{
	struct shmap_area *area = &pool->area;
	struct page *page = NULL;
	void *mem;

	raw_spin_lock(&area->lock);
	mem = find_locked(area, at >> SHMAP_UNIT_SHIFT);
	if (mem) {
		mem += at & (SHMAP_UNIT_SIZE - 1);
		page = is_vmalloc_addr(mem) ? vmalloc_to_page(mem) :
					      virt_to_page(mem);
		get_page(page);
	} else if (guests) {
		*guests = enter_locked(area, at >> SHMAP_UNIT_SHIFT);
	}
	raw_spin_unlock(&area->lock);
	return page;
}

/**
 * shmap_hole_leave - note that the page of zeros has been mapped, or will not be
 * @pool: the pool
 * @guests: from shmap_hole_page()
 *
 * Context: any; takes area->lock.
 */
void shmap_hole_leave(struct shmap_pool *pool, unsigned int *guests)
{
	raw_spin_lock(&pool->area.lock);
	--*guests;
	raw_spin_unlock(&pool->area.lock);
}

/**
 * shmap_hole_give_begin - begin to give back the memory of a region's idle units
 * @pool: the pool
 * @gone: the region; set to units that are not used, and that no handler maps any more
 *
 * Units that a handler is about to map stay where they are until the next call.
 *
 * Context: may sleep; the keeper.
 * Return: false when there are none.
 */
bool shmap_hole_give_begin(struct shmap_pool *pool, struct shmap_gone *gone)
{
	struct shmap_area *area = &pool->area;
	unsigned int first = gone->region * SHMAP_REGION_UNITS, i;

	raw_spin_lock(&area->lock);
	shmap_area_leave_locked(area, gone->region);
	bitmap_copy(gone->unit, area->region[gone->region]->leaving,
		    SHMAP_REGION_UNITS);
	raw_spin_unlock(&area->lock);
	for_each_set_bit(i, gone->unit, SHMAP_REGION_UNITS)
		if (shmap_mem_pages_shared(shmap_area_mem(area, first + i)))
			__clear_bit(i, gone->unit);
	/* Pairs with put_page() in map_page(): mappings that were made are found. */
	smp_mb();
	return !bitmap_empty(gone->unit, SHMAP_REGION_UNITS);
}

/* Let units that have no memory any more be taken again. */
static unsigned int give_locked(struct shmap_area *area,
				const struct shmap_gone *gone)
{
	struct shmap_region *region = area->region[gone->region];
	unsigned int from, to, n = 0;

	lockdep_assert_held(&area->lock);
	bitmap_andnot(region->leaving, region->leaving, gone->unit,
		      SHMAP_REGION_UNITS);
	for_each_set_bitrange(from, to, gone->unit, SHMAP_REGION_UNITS) {
		shmap_area_put_locked(area, SHMAP_BARE,
				      gone->region * SHMAP_REGION_UNITS + from,
				      to - from);
		n += to - from;
	}
	area->leaving -= n;
	return n;
}

/* Nothing stale is left in these units. */
static void fresh_locked(struct shmap_area *area, const struct shmap_gone *gone)
{
	struct shmap_region *region = area->region[gone->region];

	lockdep_assert_held(&area->lock);
	if (bitmap_empty(region->stale, SHMAP_REGION_UNITS))
		return;
	bitmap_andnot(region->stale, region->stale, gone->unit,
		      SHMAP_REGION_UNITS);
	if (bitmap_empty(region->stale, SHMAP_REGION_UNITS) &&
	    !--area->stale && area->flag)
		/* After the mappings have gone: pairs with step 5 of the window's protocol. */
		smp_store_release(area->flag, 0);
}

/**
 * shmap_hole_give_end - free the memory of units
 * @pool: the pool
 * @gone: from shmap_hole_give_begin(); mappings of these units have been taken away
 *
 * Context: may sleep; the keeper.
 */
void shmap_hole_give_end(struct shmap_pool *pool, const struct shmap_gone *gone)
{
	struct shmap_area *area = &pool->area;
	unsigned int first = gone->region * SHMAP_REGION_UNITS, i, n;

	for_each_set_bit(i, gone->unit, SHMAP_REGION_UNITS) {
		void *mem = shmap_area_mem(area, first + i);

		shmap_area_set_mem(area, first + i, NULL);
		shmap_mem_free_pages(pool->mem, mem, SHMAP_UNIT_ORDER);
		cond_resched();
	}
	raw_spin_lock(&area->lock);
	fresh_locked(area, gone);
	n = give_locked(area, gone);
	WRITE_ONCE(pool->backed, pool->backed - n);
	WRITE_ONCE(pool->given_back, pool->given_back + n);
	raw_spin_unlock(&area->lock);
}

/**
 * shmap_hole_fill_begin - find the stale units of a region
 * @pool: the pool
 * @gone: the region; set to its stale units
 *
 * Context: any; the keeper.
 * Return: false when there are none, or when a handler may still map pages of zeros.
 */
bool shmap_hole_fill_begin(struct shmap_pool *pool, struct shmap_gone *gone)
{
	struct shmap_area *area = &pool->area;
	struct shmap_region *region;
	bool some;

	raw_spin_lock(&area->lock);
	region = area->region[gone->region];
	some = !area->guests && !region->guests &&
	       !bitmap_empty(region->stale, SHMAP_REGION_UNITS);
	if (some)
		bitmap_copy(gone->unit, region->stale, SHMAP_REGION_UNITS);
	raw_spin_unlock(&area->lock);
	return some;
}

/**
 * shmap_hole_fill_end - note that stale mappings are gone
 * @pool: the pool
 * @gone: from shmap_hole_fill_begin(); mappings of these units have been taken away
 *
 * Context: any; the keeper.
 */
void shmap_hole_fill_end(struct shmap_pool *pool, const struct shmap_gone *gone)
{
	struct shmap_area *area = &pool->area;
	struct shmap_region *region;

	raw_spin_lock(&area->lock);
	region = area->region[gone->region];
	bitmap_andnot(region->blank, region->blank, gone->unit,
		      SHMAP_REGION_UNITS);
	fresh_locked(area, gone);
	raw_spin_unlock(&area->lock);
}

/**
 * shmap_hole_waits - is there anything left to give back, or stale?
 * @pool: the pool
 *
 * Context: any; the keeper.
 * Return: true when the keeper must come again.
 */
bool shmap_hole_waits(struct shmap_pool *pool)
{
	struct shmap_area *area = &pool->area;
	bool waits;

	raw_spin_lock(&area->lock);
	waits = area->stale || area->leaving || area->idle[SHMAP_READY];
	raw_spin_unlock(&area->lock);
	return waits;
}

/**
 * shmap_hole_idle - how many units have memory that can be given back
 * @pool: the pool
 *
 * Context: any.
 * Return: their number.
 */
unsigned int shmap_hole_idle(struct shmap_pool *pool)
{
	struct shmap_area *area = &pool->area;
	unsigned int units;

	raw_spin_lock(&area->lock);
	units = area->idle[SHMAP_READY] + area->leaving;
	raw_spin_unlock(&area->lock);
	return units;
}
