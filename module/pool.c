// SPDX-License-Identifier: GPL-2.0-only
/*
 * The memory of the entry area.
 *
 * A unit gets its pages when it is taken.  Arenas take single units, or runs of units for
 * entries that one unit does not suit.  A run is contiguous in the area, and is mapped
 * contiguously in the kernel until it is put back; freed units can be taken again in any
 * other grouping.  A unit that is put back keeps its pages until the keeper gives them
 * back to the kernel (hole.c).  Until then an offset in the area means the same page for
 * all mappings.
 *
 * Units that have no memory are taken first: so whoever needs memory pays for it, and does
 * not use what others have paid for.  But the keeper may be late, for it waits for
 * clients that change their mappings.  So that the map takes no more memory meanwhile than
 * it usually may, units that still have memory are taken first while it is tight.
 *
 * Locking: area->lock.  Only the task that has taken a unit changes its address.  The
 * fault handler, which takes no units, holds area->lock while it reads the address, so
 * that a run is not unmapped meanwhile.
 */
#include <linux/bitmap.h>
#include <linux/sched.h>
#include <linux/slab.h>
#include <linux/vmalloc.h>

#include "pool.h"

/**
 * shmap_pool_init - make an entry area
 * @pool: to be made, zeroed
 * @mem: account that its memory is counted on
 * @tables: account that the memory of buckets is counted on
 * @bytes: its size, at most SHMAP_AREA_MAX; memory is allocated as it is needed
 * @usual: bytes of memory that the map may take before it is tight
 *
 * Context: may sleep.
 * Return: 0 or -ENOMEM; either way shmap_pool_exit() may be called.
 */
int shmap_pool_init(struct shmap_pool *pool, struct shmap_mem *mem,
		    const struct shmap_mem *tables, u64 bytes, u64 usual)
{
	pool->mem = mem;
	pool->tables = tables;
	pool->usual = usual;
	return shmap_area_init(&pool->area, mem, bytes);
}

/**
 * shmap_pool_exit - free all memory of the pool
 * @pool: the pool; all runs of more than one unit must have been put back
 *
 * Context: may sleep.
 */
void shmap_pool_exit(struct shmap_pool *pool)
{
	struct shmap_area *area = &pool->area;
	unsigned int i;

	for (i = 0; i < area->made * SHMAP_REGION_UNITS; i++) {
		shmap_mem_free_pages(pool->mem, shmap_area_mem(area, i),
				     SHMAP_UNIT_ORDER);
		cond_resched();
	}
	shmap_area_exit(area);
}

/**
 * shmap_pool_call_keeper - have the keeper run soon
 * @pool: the pool, in which there is something to give back
 *
 * A full barrier: if the work is pending already, its run sees what was put aside.
 *
 * Context: any, but without a spinlock held.
 */
void shmap_pool_call_keeper(struct shmap_pool *pool)
{
	if (pool->queue)
		queue_delayed_work(pool->queue, &pool->keeper,
				   SHMAP_KEEPER_DELAY);
}

/* Put units back; those that have memory, the first ones, keep it for now. */
static void mark_free(struct shmap_pool *pool, unsigned int first,
		      unsigned int units)
{
	struct shmap_area *area = &pool->area;
	unsigned int n = 0;

	raw_spin_lock(&area->lock);
	while (n < units && shmap_area_mem(area, first + n))
		n++;
	if (n)
		shmap_area_put_locked(area, SHMAP_READY, first, n);
	if (n < units)
		shmap_area_put_locked(area, SHMAP_BARE, first + n, units - n);
	raw_spin_unlock(&area->lock);
	if (n)
		shmap_pool_call_keeper(pool);
}

static int mark_taken(struct shmap_pool *pool, unsigned int units)
{
	struct shmap_area *area = &pool->area;
	int first, ret = 0;

	for (;;) {
		first = -ENOSPC;
		raw_spin_lock(&area->lock);
		if (ret || shmap_pool_is_tight(pool))
			first = shmap_area_take_locked(area, SHMAP_READY, units);
		if (first < 0)
			first = shmap_area_take_locked(area, SHMAP_BARE, units);
		raw_spin_unlock(&area->lock);
		if (first >= 0)
			return first;
		if (ret)
			return ret;
		ret = shmap_area_extend(area);
	}
}

static void *take_stock(struct shmap_pool *pool, bool stays)
{
	void *mem = NULL;

	raw_spin_lock(&pool->area.lock);
	if (pool->stocked) {
		WRITE_ONCE(pool->stocked, pool->stocked - 1);
		mem = pool->stock[pool->stocked];
		WRITE_ONCE(pool->given, pool->given + stays);
	}
	raw_spin_unlock(&pool->area.lock);
	return mem;
}

/* Is memory for fewer than @units units allocated ahead, and may there be more of it? */
static bool has_less(const struct shmap_pool *pool, unsigned int units)
{
	unsigned int stocked = READ_ONCE(pool->stocked);

	return stocked < units &&
	       stocked + READ_ONCE(pool->given) < SHMAP_POOL_GIFT;
}

/**
 * shmap_pool_stock - allocate memory for units before they are taken
 * @pool: the pool
 * @units: number of units to have memory for, at most SHMAP_POOL_STOCK
 *
 * No more than SHMAP_POOL_GIFT units ever get memory that was allocated here.
 *
 * Context: may sleep.
 * Return: false when there is no memory.
 */
bool shmap_pool_stock(struct shmap_pool *pool, unsigned int units)
{
	void *mem;

	while (has_less(pool, units)) {
		mem = shmap_mem_alloc_pages(pool->mem, SHMAP_UNIT_ORDER);
		if (!mem)
			return false;
		raw_spin_lock(&pool->area.lock);
		if (has_less(pool, units)) {
			pool->stock[pool->stocked] = mem;
			WRITE_ONCE(pool->stocked, pool->stocked + 1);
			mem = NULL;
		}
		raw_spin_unlock(&pool->area.lock);
		shmap_mem_free_pages(pool->mem, mem, SHMAP_UNIT_ORDER);
	}
	return true;
}

/**
 * shmap_pool_unstock - free what shmap_pool_stock() allocated
 * @pool: the pool
 *
 * Context: any.
 */
void shmap_pool_unstock(struct shmap_pool *pool)
{
	void *mem;

	while ((mem = take_stock(pool, false)))
		shmap_mem_free_pages(pool->mem, mem, SHMAP_UNIT_ORDER);
}

/*
 * Allocate memory for units, none or all of which have some.  If this fails, the first
 * ones keep what they got.
 */
static int back(struct shmap_pool *pool, unsigned int first, unsigned int units)
{
	unsigned int i, fresh = 0;
	bool stale = false;
	int ret = 0;
	void *mem;

	for (i = first; i < first + units; i++) {
		if (shmap_area_mem(&pool->area, i))
			continue;
		mem = take_stock(pool, true) ?:
		      shmap_mem_alloc_pages(pool->mem, SHMAP_UNIT_ORDER);
		if (!mem) {
			ret = -ENOMEM;
			break;
		}
		shmap_area_set_mem(&pool->area, i, mem);
		fresh++;
	}
	if (!fresh)
		return ret;
	raw_spin_lock(&pool->area.lock);
	WRITE_ONCE(pool->backed, pool->backed + fresh);
	stale = shmap_area_settle_locked(&pool->area, first, fresh);
	raw_spin_unlock(&pool->area.lock);
	if (unlikely(stale))
		shmap_pool_call_keeper(pool);
	return ret;
}

/* Map a run of units contiguously in the kernel. */
static int join(struct shmap_pool *pool, unsigned int first, unsigned int units)
{
	unsigned int n = units << SHMAP_UNIT_ORDER, i;
	struct page **pages;
	void *mem;

	pages = kvmalloc_array(n, sizeof(*pages), SHMAP_MEM_GFP);
	if (!pages)
		return -ENOMEM;
	for (i = 0; i < n; i++)
		pages[i] = virt_to_page(shmap_area_mem(&pool->area, first +
					(i >> SHMAP_UNIT_ORDER))) +
			   (i & ((1u << SHMAP_UNIT_ORDER) - 1));
	mem = vmap(pages, n, VM_MAP, PAGE_KERNEL);
	kvfree(pages);
	if (!mem)
		return -ENOMEM;
	for (i = 0; i < units; i++)
		shmap_area_set_mem(&pool->area, first + i, mem + i * SHMAP_UNIT_SIZE);
	return 0;
}

static void part(struct shmap_pool *pool, unsigned int first,
		 unsigned int units)
{
	void *mem = shmap_area_mem(&pool->area, first);
	unsigned int i;

	/* shmap_hole_page() reads the old addresses and page tables under this lock. */
	raw_spin_lock(&pool->area.lock);
	for (i = 0; i < units; i++) {
		struct page *page = vmalloc_to_page(mem + i * SHMAP_UNIT_SIZE);

		shmap_area_set_mem(&pool->area, first + i, page_address(page));
	}
	raw_spin_unlock(&pool->area.lock);
	vunmap(mem);
}

/**
 * shmap_pool_take - take a run of units
 * @pool: the pool
 * @units: how many
 *
 * The run is contiguous in the area, and at its kernel address.
 *
 * Context: may sleep.
 * Return: number of the first unit, -ENOSPC when no such run is free, or -ENOMEM when
 * there is no memory for it.
 */
int shmap_pool_take(struct shmap_pool *pool, unsigned int units)
{
	int first = mark_taken(pool, units);
	int ret;

	if (first < 0)
		return first;
	ret = back(pool, first, units);
	if (!ret && units > 1)
		ret = join(pool, first, units);
	if (!ret)
		return first;
	mark_free(pool, first, units);
	return ret;
}

/**
 * shmap_pool_put - give a run of units back
 * @pool: the pool
 * @first: number of the first unit, from shmap_pool_take()
 * @units: how many, as taken
 *
 * The caller makes sure that no reference into the run is in use.
 *
 * Context: may sleep.
 */
void shmap_pool_put(struct shmap_pool *pool, unsigned int first,
		    unsigned int units)
{
	if (units > 1)
		part(pool, first, units);
	mark_free(pool, first, units);
}
