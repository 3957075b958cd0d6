/* SPDX-License-Identifier: GPL-2.0-only */
/* The entry area and the memory behind it; see pool.c. */
#ifndef SHMAP_POOL_H
#define SHMAP_POOL_H

#include <linux/atomic.h>
#include <linux/bits.h>
#include <linux/compiler.h>
#include <linux/kmap.h>
#include <linux/minmax.h>
#include <linux/mm.h>
#include <linux/spinlock.h>
#include <linux/types.h>

#include "mem.h"
#include "runs.h"

/* Size of a unit: 16 KiB, or a page where pages are larger. */
#if PAGE_SHIFT > 14
#define SHMAP_UNIT_SHIFT	PAGE_SHIFT
#else
#define SHMAP_UNIT_SHIFT	14
#endif
#define SHMAP_UNIT_SIZE		BIT(SHMAP_UNIT_SHIFT)
#define SHMAP_UNIT_ORDER	(SHMAP_UNIT_SHIFT - PAGE_SHIFT)

/* An entry reference counts 8-byte steps from the start of the entry area. */
#define SHMAP_REF_SHIFT		3
#define SHMAP_UNIT_REFS		(1u << (SHMAP_UNIT_SHIFT - SHMAP_REF_SHIFT))
#define SHMAP_POOL_MAX		BIT_ULL(32 + SHMAP_REF_SHIFT)	/* bytes */

/* Most units for which memory is allocated before they are taken. */
#define SHMAP_POOL_STOCK	8u

/*
 * Most units, worth 1 MiB, that ever get memory that was allocated ahead: it is charged
 * to the task that allocates it, not to the task that takes the units.
 */
#define SHMAP_POOL_GIFT		((unsigned int)(BIT(20) >> SHMAP_UNIT_SHIFT))

struct shmap_slab;

/**
 * struct shmap_pool - the entry area of a map, in units
 * @mem: account that its memory is counted on
 * @lock: protects @idle, @ready, @stock, @stocked and @given, and keeps runs mapped
 * @unit: kernel address of each unit, NULL as long as it has no memory
 * @slab: the slab that each unit belongs to
 * @idle: the units that are not in use
 * @ready: the units of @idle that have memory
 * @stock: memory that is allocated ahead, for units that have none
 * @stocked: number of units that @stock has memory for
 * @given: number of units that got their memory from @stock
 * @units: number of units
 * @stirred: counts what was put aside and a squeeze could free: empty slabs that an
 *	arena keeps, and deferred batches
 *
 * @unit and @slab of a unit belong to the task that has taken it.  A reader of an
 * entry may read them without a lock: the reference was published after they were
 * written, and they do not change before the entry is freed.
 */
struct shmap_pool {
	struct shmap_mem	*mem;
	raw_spinlock_t		lock;	/* see above */
	void			**unit;
	struct shmap_slab	**slab;
	struct shmap_runs	idle;
	struct shmap_runs	ready;
	void			*stock[SHMAP_POOL_STOCK];
	unsigned int		stocked;
	unsigned int		given;
	unsigned int		units;
	atomic_long_t		stirred;
};

int shmap_pool_init(struct shmap_pool *pool, struct shmap_mem *mem, u64 bytes);
void shmap_pool_exit(struct shmap_pool *pool);
int shmap_pool_take(struct shmap_pool *pool, unsigned int units);
void shmap_pool_put(struct shmap_pool *pool, unsigned int first,
		    unsigned int units);
bool shmap_pool_stock(struct shmap_pool *pool, unsigned int units);
void shmap_pool_unstock(struct shmap_pool *pool);
struct page *shmap_pool_page(struct shmap_pool *pool, u64 at);

/**
 * shmap_pool_stir - note that shmap_space_squeeze() may find more to free
 * @pool: the pool
 *
 * Context: any.
 */
static inline void shmap_pool_stir(struct shmap_pool *pool)
{
	atomic_long_inc(&pool->stirred);
}

/**
 * shmap_pool_entry - the entry that a reference names
 * @pool: the pool
 * @ref: reference to a live entry
 *
 * Context: any.
 * Return: kernel address of the entry.
 */
static inline struct kmap_entry *
shmap_pool_entry(const struct shmap_pool *pool, u32 ref)
{
	return READ_ONCE(pool->unit[ref / SHMAP_UNIT_REFS]) +
	       ((unsigned long)(ref % SHMAP_UNIT_REFS) << SHMAP_REF_SHIFT);
}

#endif /* SHMAP_POOL_H */
