/* SPDX-License-Identifier: GPL-2.0-only */
/* The hash table of one shard; see table.c. */
#ifndef SHMAP_TABLE_H
#define SHMAP_TABLE_H

#include <linux/lockdep.h>

#include "lock.h"
#include "pool.h"

/* Most buckets in a chain, the home bucket included. */
#define SHMAP_CHAIN_BUCKETS	8
#define SHMAP_CHAIN_SLOTS	(SHMAP_CHAIN_BUCKETS * KMAP_BUCKET_SLOTS)

/* Entries a bucket, on average, past which the table grows. */
#define SHMAP_LOAD		6

/*
 * Memory for buckets comes in blocks of 2^SHMAP_BLOCK_ORDER pages.  Not in single
 * pages: who asks for many of these waits now and then until the kernel has moved
 * some thousands of them to its list for the CPU (nr_pcp_alloc(), since Linux 6.7).
 */
#define SHMAP_BLOCK_ORDER	1
#define SHMAP_BLOCK_BUCKETS	((PAGE_SIZE << SHMAP_BLOCK_ORDER) / \
				 sizeof(struct kmap_bucket))

/* Home buckets of an empty table. */
#define SHMAP_TABLE_LEAST	64u

/**
 * struct shmap_table - buckets of one shard
 * @lock: the shard's lock, for assertions
 * @lock_ops: its discipline
 * @pool: memory for blocks of buckets, and the entries
 * @desc: what readers see: the number of buckets
 * @block: the blocks of buckets: first those of home buckets, then those of
 *	overflow buckets; NULL as long as not used
 * @shard_bits: low bits of the hash that chose the shard
 * @home_max: most home buckets; the first overflow bucket has this number
 * @over_end: number past the last overflow bucket that can be
 * @over_backed: number past the last overflow bucket that has memory
 * @over_fresh: number of the first overflow bucket never used
 * @over_free: first of the overflow buckets that are free again, or 0
 * @over_free_n: how many these are
 * @count: entries
 *
 * All but constant fields are protected by the shard's lock.  Readers without
 * a lock read @desc, @block and the buckets.
 */
struct shmap_table {
	const struct shmap_lock		*lock;
	const struct shmap_lock_ops	*lock_ops;
	struct shmap_pool		*pool;
	struct kmap_shard		*desc;
	void				**block;
	u32				shard_bits;
	u32				home_max;
	u32				over_end;
	u32				over_backed;
	u32				over_fresh;
	u32				over_free;
	u32				over_free_n;
	u32				count;
};

/**
 * struct shmap_probe - where a key's hash leads
 * @hash: of the key
 * @home: home bucket
 * @seq: its sequence number when the probe began
 */
struct shmap_probe {
	u32			hash;
	struct kmap_bucket	*home;
	u64			seq;
};

/**
 * struct shmap_spot - the slot where an entry was found
 * @bucket: its bucket
 * @slot: its index there
 * @ref: reference to the entry
 */
struct shmap_spot {
	struct kmap_bucket	*bucket;
	unsigned int		slot;
	u32			ref;
};

/**
 * struct shmap_place - an entry and its place in the order of a walk
 * @order: bit-reversed hash
 * @ref: reference to the entry
 */
struct shmap_place {
	u32			order;
	u32			ref;
};

int shmap_table_init(struct shmap_table *table, u64 max_entries);
void shmap_table_exit(struct shmap_table *table);
u64 shmap_table_stride(u64 max_entries, unsigned int shard_bits);
struct page *shmap_table_page(const struct shmap_table *table, u64 at);
u32 shmap_table_overflow(const struct shmap_table *table);
unsigned int shmap_table_collect(const struct shmap_table *table,
				 const struct shmap_probe *probe,
				 struct shmap_place *places, u64 *end);
bool shmap_table_feed_locked(struct shmap_table *table, u32 index, void *block);
void shmap_table_grow_locked(struct shmap_table *table);
unsigned int shmap_table_refs_locked(const struct shmap_table *table,
				     u32 bucket, u32 *refs);
unsigned int shmap_table_empty_locked(struct shmap_table *table, u32 bucket,
				      u32 *refs);

/**
 * shmap_table_assert_locked - the caller is the shard's only writer
 * @table: the table
 *
 * Context: writer.
 */
static inline void
shmap_table_assert_locked(const struct shmap_table *table)
{
	lockdep_assert(table->lock_ops->write_held(table->lock));
}

#endif /* SHMAP_TABLE_H */
