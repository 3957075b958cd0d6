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

/* One unit: 16 KiB, or a page where pages are larger. */
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

/* Memory for so many units may be allocated before they are taken. */
#define SHMAP_POOL_STOCK	8u

/*
 * And for so many in all, a MiB, as long as the map lives: who allocates it pays for
 * it, and not who takes them.
 */
#define SHMAP_POOL_GIFT		((unsigned int)(BIT(20) >> SHMAP_UNIT_SHIFT))

struct shmap_slab;

/**
 * struct shmap_pool - the entry area of a map, in units
 * @mem: who pays for its memory
 * @lock: protects @idle, @ready, @stock and @given, and keeps runs from being parted
 * @unit: kernel address of each unit, NULL as long as it has no memory
 * @slab: the slab that has each unit
 * @idle: the units that are not in use
 * @ready: those of them that have memory
 * @stock: memory for units that have none
 * @stocked: for how many
 * @given: how many have got their memory from there
 * @units: number of units
 * @stirred: how many times something was put aside that could be made room of:
 *	an empty slab that its arena keeps, a batch of removed entries
 *
 * @unit and @slab of a unit belong to whoever has taken it.  Who holds a
 * reference to an entry may read them without a lock: the reference was
 * published after they were written, and they do not change before the entry
 * is freed.
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
 * shmap_pool_stir - note that there may be more to be squeezed out
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
