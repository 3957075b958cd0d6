/* SPDX-License-Identifier: GPL-2.0-only */
/* The hash table of one shard; see table.c. */
#ifndef SHMAP_TABLE_H
#define SHMAP_TABLE_H

#include <linux/lockdep.h>
#include <linux/log2.h>

#include "chain.h"
#include "lock.h"
#include "pool.h"

/* Average number of entries per bucket beyond which the table grows. */
#define SHMAP_LOAD		6

/**
 * struct shmap_table - the entries of one shard by their keys
 * @lock: the shard's lock, for assertions
 * @lock_ops: the shard's lock mode
 * @pool: the entry area, where references lead
 * @desc: the shard's descriptor, which says how many home buckets it has
 * @chains: the chains
 * @shard: number of the shard
 * @shard_bits: number of low bits of the hash that choose the shard
 * @count: number of entries
 * @most: number of entries beyond which the table grows
 * @least: number of entries below which it shrinks, or gives back what it has to spare
 *
 * The shard's lock protects all fields that are not constant.  Readers without a lock
 * read @desc and the buckets.
 */
struct shmap_table {
	const struct shmap_lock		*lock;
	const struct shmap_lock_ops	*lock_ops;
	struct shmap_pool		*pool;
	struct kmap_shard		*desc;
	struct shmap_chains		chains;
	u32				shard;
	u32				shard_bits;
	u32				count;
	u32				most;
	u32				least;
};

/**
 * struct shmap_probe - where a key's hash leads
 * @hash: hash of the key
 * @home: home bucket of the hash
 * @seq: seq of the home bucket when the lookup began
 */
struct shmap_probe {
	u32			hash;
	struct kmap_bucket	*home;
	u64			seq;
};

/**
 * struct shmap_spot - the slot where an entry was found
 * @bucket: the bucket
 * @slot: index of the slot in the bucket
 * @ref: reference to the entry
 */
struct shmap_spot {
	struct kmap_bucket	*bucket;
	unsigned int		slot;
	u32			ref;
};

/**
 * struct shmap_place - an entry and its place in the order of a walk
 * @order: the place: the bit-reversed hash
 * @ref: reference to the entry
 */
struct shmap_place {
	u32			order;
	u32			ref;
};

u32 shmap_table_home_end(u64 max_entries, unsigned int shard_bits);
u32 shmap_table_over_end(u64 max_entries, unsigned int shard_bits);
u32 shmap_table_home_least(unsigned int shard_bits);
void shmap_table_init(struct shmap_table *table);
unsigned int shmap_table_collect(const struct shmap_table *table,
				 const struct shmap_probe *probe,
				 struct shmap_place *places, u64 *end);
u32 shmap_table_lacks_locked(struct shmap_table *table,
			     const struct shmap_chain_end *end);
void shmap_table_grow_locked(struct shmap_table *table);
bool shmap_table_shrink_locked(struct shmap_table *table, unsigned int n);
void shmap_table_extend_locked(struct shmap_table *table,
			       struct kmap_bucket *home,
			       struct shmap_chain_end *end, u16 tag, u32 ref);
u64 shmap_table_next_locked(const struct shmap_table *table, u64 place,
			    u32 *bucket);
unsigned int shmap_table_refs_locked(const struct shmap_table *table,
				     u32 bucket, u32 *refs);
unsigned int shmap_table_empty_locked(struct shmap_table *table, u32 bucket,
				      u32 *refs);

/**
 * shmap_table_assert_locked - assert that the caller is the shard's only writer
 * @table: the table
 *
 * Context: writer.
 */
static inline void
shmap_table_assert_locked(const struct shmap_table *table)
{
	lockdep_assert(table->lock_ops->write_held(table->lock));
}

/**
 * shmap_table_home_number - find the home bucket of a hash
 * @table: the table
 * @hash: hash of the key
 * @bits: unless NULL, set to how many low bits of the hash choose shard and bucket
 *
 * Context: reader or writer.
 * Return: number of the home bucket.
 */
static __always_inline u32
shmap_table_home_number(const struct shmap_table *table, u32 hash,
			unsigned int *bits)
{
	/* C: pairs with the release in split(). */
	u32 end = smp_load_acquire(&table->desc->end);
	unsigned int log = __fls(end);
	u32 mask = (2u << log) - 1;
	u32 i = hash & mask, m;

	if (i >= end)
		i &= mask >> 1;
	if (bits) {
		m = 1u << log;
		*bits = log + (i < end - m || i >= m);
	}
	return i;
}

#endif /* SHMAP_TABLE_H */
