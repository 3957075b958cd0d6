/* SPDX-License-Identifier: GPL-2.0-only */
/* The memory of the entry area; see pool.c. */
#ifndef SHMAP_POOL_H
#define SHMAP_POOL_H

#include <linux/atomic.h>
#include <linux/compiler.h>
#include <linux/kmap.h>
#include <linux/types.h>
#include <linux/workqueue.h>

#include "area.h"

/* Most units for which memory is allocated before they are taken. */
#define SHMAP_POOL_STOCK	8u

/*
 * Most units, worth 1 MiB, that ever get memory that was allocated ahead: it is charged
 * to the task that allocates it, not to the task that takes the units.
 */
#define SHMAP_POOL_GIFT		((unsigned int)(BIT(20) >> SHMAP_UNIT_SHIFT))

/* How long the keeper waits until it runs, for which the manual says a second in all. */
#define SHMAP_KEEPER_DELAY	(HZ / 4)

/**
 * struct shmap_pool - the entry area of a map, and the memory behind its units
 * @mem: account that its memory is counted on
 * @area: which units are in use; area->lock protects the fields below as well
 * @backed: number of units that have memory
 * @tables: account of the memory of buckets
 * @usual: bytes, of units and of @tables, that the map takes as long as little is free; see
 *	shmap_pool_is_tight()
 * @given_back: number of units whose memory was given back to the kernel
 * @compacted: bytes of entries that were moved (compact.c)
 * @wipe: zero a freed entry before it can be used again
 * @drained: bytes of slabs that are being drained, whose last objects readers may still use
 * @uneven: an object was freed, in an arena with more than two units in free objects,
 *	since entries were last moved wherever that pays
 * @stock: memory that is allocated ahead, for units that have none
 * @stocked: number of units that @stock has memory for
 * @given: number of units that got their memory from @stock
 * @stirred: counts what was put aside and a squeeze could free: empty slabs that an
 *	arena keeps, and deferred batches
 * @keeper: work that gives back what is not used any more (keeper.c)
 * @queue: workqueue for @keeper, NULL while that must not be queued
 * @round: number of runs that the keeper has begun
 */
struct shmap_pool {
	struct shmap_mem	*mem;
	struct shmap_area	area;
	unsigned int		backed;
	const struct shmap_mem	*tables;
	u64			usual;
	u64			given_back;
	atomic_long_t		compacted;
	atomic_long_t		drained;
	bool			wipe;
	bool			uneven;
	void			*stock[SHMAP_POOL_STOCK];
	unsigned int		stocked;
	unsigned int		given;
	atomic_long_t		stirred;
	struct delayed_work	keeper;
	struct workqueue_struct	*queue;
	unsigned long		round;
};

int shmap_pool_init(struct shmap_pool *pool, struct shmap_mem *mem,
		    const struct shmap_mem *tables, u64 bytes, u64 usual);
void shmap_pool_exit(struct shmap_pool *pool);
int shmap_pool_take(struct shmap_pool *pool, unsigned int units);
void shmap_pool_put(struct shmap_pool *pool, unsigned int first,
		    unsigned int units);
bool shmap_pool_stock(struct shmap_pool *pool, unsigned int units);
void shmap_pool_unstock(struct shmap_pool *pool);
void shmap_pool_call_keeper(struct shmap_pool *pool);

/**
 * shmap_pool_taken - the memory of a map's units and buckets
 * @pool: the pool
 *
 * Context: any.
 * Return: bytes, of about now.
 */
static inline u64 shmap_pool_taken(const struct shmap_pool *pool)
{
	return (u64)READ_ONCE(pool->backed) * SHMAP_UNIT_SIZE +
	       atomic_long_read(&pool->tables->bytes);
}

/**
 * shmap_pool_is_tight - does the map take all the memory that it usually may?
 * @pool: the pool
 *
 * Then memory that waits to be given back is used again by whoever needs some, and no place
 * among entries is too small to be collected.
 *
 * Context: any.
 * Return: whether it is so, of about now.
 */
static inline bool shmap_pool_is_tight(const struct shmap_pool *pool)
{
	return shmap_pool_taken(pool) >= pool->usual;
}

/**
 * shmap_pool_stir - note that shmap_space_squeeze() may find more to free
 * @pool: the pool
 *
 * The caller also calls shmap_pool_call_keeper(), which needs that no spinlock is held.
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
	unsigned long base = READ_ONCE(*shmap_area_base(&pool->area,
							ref / SHMAP_UNIT_REFS));

	return (void *)(base + ((unsigned long)ref << SHMAP_REF_SHIFT));
}

#endif /* SHMAP_POOL_H */
