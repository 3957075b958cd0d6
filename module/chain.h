/* SPDX-License-Identifier: GPL-2.0-only */
/* Buckets and the chains they form; see chain.c. */
#ifndef SHMAP_CHAIN_H
#define SHMAP_CHAIN_H

#include <linux/compiler.h>
#include <linux/kmap.h>
#include <linux/preempt.h>
#include <linux/types.h>

#include "buckets.h"

/* Maximum number of buckets in a chain, the home bucket included. */
#define SHMAP_CHAIN_BUCKETS	8
#define SHMAP_CHAIN_SLOTS	(SHMAP_CHAIN_BUCKETS * KMAP_BUCKET_SLOTS)

/* Most free overflow buckets that a shard keeps to itself. */
#define SHMAP_CHAIN_SPARE	SHMAP_CHAIN_BUCKETS

/**
 * struct shmap_chains - the chains of one shard
 * @buckets: the buckets of the map
 * @spare: number of the first free overflow bucket that the shard has, or 0; they are
 *	linked
 * @spare_n: how many there are
 * @over_n: number of overflow buckets in chains
 *
 * The shard's lock protects all fields that are not constant.
 */
struct shmap_chains {
	struct shmap_buckets	*buckets;
	u32			spare;
	u32			spare_n;
	u32			over_n;
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

bool shmap_chain_reserve(struct shmap_chains *chains, u32 n);
void shmap_chain_settle(struct shmap_chains *chains, u32 most);
void shmap_chain_append(struct shmap_chains *chains,
			struct shmap_chain_end *end, u16 tag, u32 ref);
void shmap_chain_drop_last(struct shmap_chains *chains,
			   struct kmap_bucket *before);
void shmap_chain_truncate(struct shmap_chains *chains,
			  struct shmap_chain_end *end);

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

	return link ? shmap_buckets_over(chains->buckets, link) : NULL;
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

/**
 * shmap_chain_open - put a home bucket, with its chain, into the table
 * @home: the bucket; its seq is odd
 *
 * Context: writer.
 */
static inline void shmap_chain_open(struct kmap_bucket *home)
{
	/* B: pairs with the acquire in shmap_table_open(). */
	smp_store_release(&home->seq, home->seq + 1);
}

/**
 * shmap_chain_close - take a home bucket out of the table
 * @home: the bucket, whose chain will be emptied; its seq stays odd
 *
 * Context: writer.
 */
static inline void shmap_chain_close(struct kmap_bucket *home)
{
	WRITE_ONCE(home->seq, home->seq + 1);
	/* A: pairs with the barrier in shmap_table_same(). */
	smp_wmb();
}

#endif /* SHMAP_CHAIN_H */
