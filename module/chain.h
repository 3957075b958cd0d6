/* SPDX-License-Identifier: GPL-2.0-only */
/* Buckets and the chains they form; see chain.c. */
#ifndef SHMAP_CHAIN_H
#define SHMAP_CHAIN_H

#include <linux/compiler.h>
#include <linux/kmap.h>
#include <linux/mm.h>
#include <linux/preempt.h>
#include <linux/types.h>

#include "mem.h"

/* Maximum number of buckets in a chain, the home bucket included. */
#define SHMAP_CHAIN_BUCKETS	8
#define SHMAP_CHAIN_SLOTS	(SHMAP_CHAIN_BUCKETS * KMAP_BUCKET_SLOTS)

/*
 * Memory for buckets is allocated in blocks of 2^SHMAP_BLOCK_ORDER pages.  Not in single
 * pages: a task that allocates many of these waits now and then until the kernel has moved
 * some thousands of them to its list for the CPU (nr_pcp_alloc(), since Linux 6.7).
 */
#define SHMAP_BLOCK_ORDER	1
#define SHMAP_BLOCK_BUCKETS	((PAGE_SIZE << SHMAP_BLOCK_ORDER) / \
				 sizeof(struct kmap_bucket))

/**
 * struct shmap_chains - the buckets of one shard
 * @mem: account that blocks are counted in
 * @block: the blocks of buckets: first those of home buckets, then those of
 *	overflow buckets; NULL for a block that has not been allocated
 * @home_max: maximum number of home buckets; the first overflow bucket has this number
 * @over_end: end of the numbers that an overflow bucket can have
 * @over_backed: end of the numbers of overflow buckets that have memory
 * @over_fresh: number of the first overflow bucket that has never been used
 * @over_free: number of the first in the list of freed overflow buckets, or 0
 * @over_free_n: number of buckets in that list
 *
 * The shard's lock protects all fields that are not constant.  Readers without
 * a lock read @block and the buckets.
 */
struct shmap_chains {
	struct shmap_mem	*mem;
	void			**block;
	u32			home_max;
	u32			over_end;
	u32			over_backed;
	u32			over_fresh;
	u32			over_free;
	u32			over_free_n;
};

/**
 * struct shmap_chain_end - where the next entry of a chain is written
 * @bucket: the last bucket
 * @slot: its first free slot, or KMAP_BUCKET_SLOTS when it has none
 */
struct shmap_chain_end {
	struct kmap_bucket	*bucket;
	unsigned int		slot;
};

int shmap_chain_init(struct shmap_chains *chains, struct shmap_mem *mem,
		     u32 home_max);
void shmap_chain_exit(struct shmap_chains *chains);
bool shmap_chain_feed(struct shmap_chains *chains, u32 index, void *block);
struct page *shmap_chain_page(const struct shmap_chains *chains, u64 at);
u32 shmap_chain_overflow(const struct shmap_chains *chains);
void shmap_chain_append(struct shmap_chains *chains,
			struct shmap_chain_end *end, u16 tag, u32 ref);
void shmap_chain_drop_last(struct shmap_chains *chains,
			   struct kmap_bucket *before);
void shmap_chain_truncate(struct shmap_chains *chains,
			  struct shmap_chain_end *end);

/**
 * shmap_chain_spare - number of overflow buckets that can be taken
 * @chains: the buckets
 *
 * Context: writer.
 * Return: the number.
 */
static inline u32 shmap_chain_spare(const struct shmap_chains *chains)
{
	return chains->over_free_n + chains->over_backed - chains->over_fresh;
}

/**
 * shmap_chain_bucket - find a bucket by its number
 * @chains: the buckets
 * @i: number of a bucket that has memory
 *
 * Context: reader or writer.
 * Return: the bucket.
 */
static inline struct kmap_bucket *
shmap_chain_bucket(const struct shmap_chains *chains, u32 i)
{
	struct kmap_bucket *block;

	block = READ_ONCE(chains->block[i / SHMAP_BLOCK_BUCKETS]);
	return block + i % SHMAP_BLOCK_BUCKETS;
}

/**
 * shmap_chain_next - next bucket of a chain
 * @chains: the buckets
 * @bucket: a bucket
 *
 * Context: reader or writer.
 * Return: the bucket that @bucket links to, or NULL.
 */
static inline struct kmap_bucket *
shmap_chain_next(const struct shmap_chains *chains,
		 const struct kmap_bucket *bucket)
{
	u32 link = READ_ONCE(bucket->link);

	return link ? shmap_chain_bucket(chains, link) : NULL;
}

/**
 * shmap_chain_tag - the tag in a slot
 * @bucket: the bucket
 * @slot: index of the slot
 *
 * Context: writer.
 * Return: the tag.
 */
static inline u16 shmap_chain_tag(const struct kmap_bucket *bucket,
				  unsigned int slot)
{
	return bucket->tags[slot / 4] >> (slot % 4 * 16);
}

/**
 * shmap_chain_put - fill a slot, or clear it
 * @bucket: the bucket
 * @slot: index of the slot
 * @tag: upper half of the hash, or 0
 * @ref: reference to the entry, or 0
 *
 * Context: writer; no reader can see the bucket, or its chain's seq is odd.
 */
static inline void shmap_chain_put(struct kmap_bucket *bucket,
				   unsigned int slot, u16 tag, u32 ref)
{
	unsigned int shift = slot % 4 * 16;
	u64 tags = bucket->tags[slot / 4];

	tags &= ~(0xffffull << shift);
	tags |= (u64)tag << shift;
	WRITE_ONCE(bucket->tags[slot / 4], tags);
	WRITE_ONCE(bucket->refs[slot], ref);
}

/**
 * shmap_chain_used - number of slots in use
 * @bucket: the bucket
 *
 * Context: writer.
 * Return: the number; the slots in use are the first ones.
 */
static inline unsigned int shmap_chain_used(const struct kmap_bucket *bucket)
{
	const u32 *refs = bucket->refs;
	unsigned int n = refs[3] ? 4 : 0;

	BUILD_BUG_ON(KMAP_BUCKET_SLOTS != 8);
	n += refs[n + 1] ? 2 : 0;
	n += refs[n] ? 1 : 0;
	return n == 7 && refs[7] ? 8 : n;
}

/**
 * shmap_chain_change_begin - begin a change of a chain or of an entry in it
 * @home: home bucket of the chain
 *
 * Context: writer.  Preemption is off until shmap_chain_change_end(), so that
 * no reader has to wait for a writer that does not have a CPU.
 */
static inline void shmap_chain_change_begin(struct kmap_bucket *home)
{
	preempt_disable();
	WRITE_ONCE(home->seq, home->seq + 1);
	/* A: pairs with the barrier in shmap_table_same(). */
	smp_wmb();
}

/**
 * shmap_chain_change_end - end the change
 * @home: home bucket of the chain
 *
 * Context: writer.
 */
static inline void shmap_chain_change_end(struct kmap_bucket *home)
{
	/* B: pairs with the acquire in shmap_table_open(). */
	smp_store_release(&home->seq, home->seq + 1);
	preempt_enable();
}

#endif /* SHMAP_CHAIN_H */
