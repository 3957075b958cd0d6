// SPDX-License-Identifier: GPL-2.0-only
/*
 * The entry area: its address space in units, and the memory behind them.
 *
 * A unit gets its pages when it is first used and keeps them until the map is freed,
 * so that an offset in the entry area means the same page for all mappings and at all
 * times.  Arenas take single units, or runs of units for entries that one unit does
 * not suit.  A run is contiguous in the area, and is mapped contiguously in the kernel
 * until it is put back; freed units can be taken again in any other grouping.  Units
 * that have memory are taken first, so that the map holds hardly more memory than it
 * needed at its fullest.  Single units are taken from the start and runs from the end,
 * which limits fragmentation.
 *
 * Locking: pool->lock protects the sets of units, and is not taken together with another
 * lock of the map.  Only the task that has taken a unit changes its address.  The fault
 * handler, which takes no units, holds pool->lock while it reads the address, so that a
 * run is not unmapped meanwhile.
 */
#include <linux/bitmap.h>
#include <linux/sched.h>
#include <linux/slab.h>
#include <linux/vmalloc.h>

#include "pool.h"

static bool runs_alloc(struct shmap_pool *pool, struct shmap_runs *runs)
{
	runs->words = shmap_runs_words(pool->units);
	runs->missing = shmap_mem_alloc_table(pool->mem, runs->words,
					      sizeof(*runs->missing));
	runs->node = shmap_mem_alloc_table(pool->mem, 2 * runs->words,
					   sizeof(*runs->node));
	return runs->missing && runs->node;
}

static void runs_free(struct shmap_pool *pool, struct shmap_runs *runs)
{
	shmap_mem_free_table(pool->mem, runs->missing, runs->words,
			     sizeof(*runs->missing));
	shmap_mem_free_table(pool->mem, runs->node, 2 * runs->words,
			     sizeof(*runs->node));
}

/**
 * shmap_pool_init - make an entry area
 * @pool: to be made, zeroed
 * @mem: account that its memory is counted on
 * @bytes: its size, at most SHMAP_POOL_MAX; memory is allocated as it is needed
 *
 * Context: may sleep.
 * Return: 0 or -ENOMEM; either way shmap_pool_exit() may be called.
 */
int shmap_pool_init(struct shmap_pool *pool, struct shmap_mem *mem, u64 bytes)
{
	pool->mem = mem;
	raw_spin_lock_init(&pool->lock);
	pool->units = min(bytes, SHMAP_POOL_MAX) >> SHMAP_UNIT_SHIFT;
	pool->unit = shmap_mem_alloc_table(pool->mem, pool->units,
					   sizeof(*pool->unit));
	pool->slab = shmap_mem_alloc_table(pool->mem, pool->units,
					   sizeof(*pool->slab));
	if (!runs_alloc(pool, &pool->idle) || !runs_alloc(pool, &pool->ready) ||
	    !pool->unit || !pool->slab)
		return -ENOMEM;

	/* Reference 0 means none, so the first unit is never used. */
	shmap_runs_init(&pool->idle, 1, pool->units - 1);
	shmap_runs_init(&pool->ready, 0, 0);
	return 0;
}

/**
 * shmap_pool_exit - free all memory of the pool
 * @pool: the pool; all runs of more than one unit must have been put back
 *
 * Context: may sleep.
 */
void shmap_pool_exit(struct shmap_pool *pool)
{
	unsigned int i;

	for (i = 0; pool->unit && i < pool->units; i++) {
		shmap_mem_free_pages(pool->mem, pool->unit[i], SHMAP_UNIT_ORDER);
		cond_resched();
	}
	shmap_mem_free_table(pool->mem, pool->unit, pool->units,
			     sizeof(*pool->unit));
	shmap_mem_free_table(pool->mem, pool->slab, pool->units,
			     sizeof(*pool->slab));
	runs_free(pool, &pool->idle);
	runs_free(pool, &pool->ready);
}

static void mark_free(struct shmap_pool *pool, unsigned int first,
		      unsigned int units)
{
	unsigned int i;

	raw_spin_lock(&pool->lock);
	bitmap_clear(pool->idle.missing, first, units);
	for (i = first; i < first + units; i++)
		if (pool->unit[i])
			__clear_bit(i, pool->ready.missing);
	shmap_runs_update(&pool->idle, first, units);
	shmap_runs_update(&pool->ready, first, units);
	raw_spin_unlock(&pool->lock);
}

static int mark_taken(struct shmap_pool *pool, unsigned int units)
{
	bool last = units > 1;
	int first;

	raw_spin_lock(&pool->lock);
	first = shmap_runs_find(&pool->ready, units, last);
	if (first < 0)
		first = shmap_runs_find(&pool->idle, units, last);
	if (first >= 0) {
		bitmap_set(pool->ready.missing, first, units);
		bitmap_set(pool->idle.missing, first, units);
		shmap_runs_update(&pool->ready, first, units);
		shmap_runs_update(&pool->idle, first, units);
	}
	raw_spin_unlock(&pool->lock);
	return first < 0 ? -ENOSPC : first;
}

static void *take_stock(struct shmap_pool *pool, bool stays)
{
	void *mem = NULL;

	raw_spin_lock(&pool->lock);
	if (pool->stocked) {
		WRITE_ONCE(pool->stocked, pool->stocked - 1);
		mem = pool->stock[pool->stocked];
		WRITE_ONCE(pool->given, pool->given + stays);
	}
	raw_spin_unlock(&pool->lock);
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
		raw_spin_lock(&pool->lock);
		if (has_less(pool, units)) {
			pool->stock[pool->stocked] = mem;
			WRITE_ONCE(pool->stocked, pool->stocked + 1);
			mem = NULL;
		}
		raw_spin_unlock(&pool->lock);
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

/* Allocate memory for units that have none; units keep theirs even if this fails. */
static int back(struct shmap_pool *pool, unsigned int first, unsigned int units)
{
	unsigned int i;
	void *mem;

	for (i = first; i < first + units; i++) {
		if (pool->unit[i])
			continue;
		mem = take_stock(pool, true) ?:
		      shmap_mem_alloc_pages(pool->mem, SHMAP_UNIT_ORDER);
		if (!mem)
			return -ENOMEM;
		/* Zeroed before it can be mapped: pairs with the read in shmap_pool_page(). */
		smp_store_release(&pool->unit[i], mem);
	}
	return 0;
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
		pages[i] = virt_to_page(pool->unit[first +
					(i >> SHMAP_UNIT_ORDER)]) +
			   (i & ((1u << SHMAP_UNIT_ORDER) - 1));
	mem = vmap(pages, n, VM_MAP, PAGE_KERNEL);
	kvfree(pages);
	if (!mem)
		return -ENOMEM;
	for (i = 0; i < units; i++)
		WRITE_ONCE(pool->unit[first + i], mem + i * SHMAP_UNIT_SIZE);
	return 0;
}

static void part(struct shmap_pool *pool, unsigned int first,
		 unsigned int units)
{
	void *mem = pool->unit[first];
	unsigned int i;

	/* shmap_pool_page() reads the old addresses and page tables under this lock. */
	raw_spin_lock(&pool->lock);
	for (i = 0; i < units; i++) {
		struct page *page = vmalloc_to_page(mem + i * SHMAP_UNIT_SIZE);

		WRITE_ONCE(pool->unit[first + i], page_address(page));
	}
	raw_spin_unlock(&pool->lock);
	vunmap(mem);
}

/**
 * shmap_pool_page - find a page of the entry area, to map it
 * @pool: the pool
 * @at: offset in the entry area
 *
 * Context: any; takes pool->lock.
 * Return: the page, or NULL while the unit has no memory.
 */
struct page *shmap_pool_page(struct shmap_pool *pool, u64 at)
{
	u64 i = at >> SHMAP_UNIT_SHIFT;
	struct page *page = NULL;
	void *mem;

	if (i >= pool->units)
		return NULL;
	raw_spin_lock(&pool->lock);
	/* Pairs with the release in back(). */
	mem = READ_ONCE(pool->unit[i]);
	if (mem) {
		mem += at & (SHMAP_UNIT_SIZE - 1);
		page = is_vmalloc_addr(mem) ? vmalloc_to_page(mem) :
					      virt_to_page(mem);
	}
	raw_spin_unlock(&pool->lock);
	return page;
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
