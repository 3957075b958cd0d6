// SPDX-License-Identifier: GPL-2.0-only
/*
 * Chains of buckets: a home bucket, and overflow buckets when that is full.
 *
 * A chain is packed: only its last bucket has free slots, and those are its
 * last slots.  A shard takes overflow buckets from those of the map before it changes a
 * chain, keeps a few that become free in a list, and gives more of them back after the
 * change.  A reader without a lock may still read a bucket that has been freed, or that
 * another chain uses by now, perhaps one of another shard.  It reads SHMAP_CHAIN_BUCKETS
 * buckets at most, sees only entries that were live while it read, and finds at the end
 * that the seq of the home bucket it started from has changed.
 *
 * Functions that change anything here are for the shard's only writer.
 */
#include "chain.h"

static void spare_push(struct shmap_chains *chains, u32 i)
{
	WRITE_ONCE(shmap_buckets_over(chains->buckets, i)->link, chains->spare);
	chains->spare = i;
	chains->spare_n++;
}

static u32 spare_pop(struct shmap_chains *chains)
{
	u32 i = chains->spare;
	struct kmap_bucket *bucket = shmap_buckets_over(chains->buckets, i);

	chains->spare = bucket->link;
	chains->spare_n--;
	WRITE_ONCE(bucket->link, 0);
	return i;
}

/**
 * shmap_chain_reserve - see to it that overflow buckets can be taken
 * @chains: the chains
 * @n: how many, SHMAP_CHAIN_BUCKETS at most
 *
 * Context: writer.
 * Return: false when the map has too few with memory.
 */
bool shmap_chain_reserve(struct shmap_chains *chains, u32 n)
{
	u32 i;

	while (chains->spare_n < n) {
		i = shmap_buckets_take(chains->buckets);
		if (!i)
			return false;
		spare_push(chains, i);
	}
	return true;
}

/**
 * shmap_chain_settle - give free overflow buckets back to the map
 * @chains: the chains
 * @most: how many to keep at most
 *
 * Context: writer.
 */
void shmap_chain_settle(struct shmap_chains *chains, u32 most)
{
	while (chains->spare_n > most)
		shmap_buckets_put(chains->buckets, spare_pop(chains));
}

static u32 overflow_take(struct shmap_chains *chains)
{
	WRITE_ONCE(chains->over_n, chains->over_n + 1);
	return spare_pop(chains);
}

static void overflow_put(struct shmap_chains *chains, u32 i)
{
	spare_push(chains, i);
	WRITE_ONCE(chains->over_n, chains->over_n - 1);
}

/**
 * shmap_chain_append - append an entry to a chain
 * @chains: the chains; an overflow bucket is reserved, if @end has no free slot
 * @end: end of the chain; it is moved behind the entry
 * @tag: upper half of the entry's hash
 * @ref: reference to the entry
 *
 * If the chain already has a bucket behind @end, that bucket is used.
 *
 * Context: writer; no reader can see the chain, or its seq is odd.
 */
void shmap_chain_append(struct shmap_chains *chains,
			struct shmap_chain_end *end, u16 tag, u32 ref)
{
	if (end->slot == KMAP_BUCKET_SLOTS) {
		u32 i = end->bucket->link;

		if (!i) {
			i = overflow_take(chains);
			WRITE_ONCE(end->bucket->link, i);
		}
		end->bucket = shmap_buckets_over(chains->buckets, i);
		end->slot = 0;
	}
	shmap_chain_put(end->bucket, end->slot++, tag, ref);
}

/**
 * shmap_chain_drop_last - free the last bucket of a chain
 * @chains: the chains
 * @before: the bucket before the last one, which has no entries
 *
 * Context: writer; no reader can see the chain, or its seq is odd.
 */
void shmap_chain_drop_last(struct shmap_chains *chains,
			   struct kmap_bucket *before)
{
	u32 i = before->link;

	WRITE_ONCE(before->link, 0);
	overflow_put(chains, i);
}

/**
 * shmap_chain_truncate - shorten a chain
 * @chains: the chains
 * @end: new end of the chain; slots behind it are cleared, buckets behind it freed
 *
 * Context: writer; no reader can see the chain, or its seq is odd.
 */
void shmap_chain_truncate(struct shmap_chains *chains,
			  struct shmap_chain_end *end)
{
	u32 i = end->bucket->link;

	while (end->slot < KMAP_BUCKET_SLOTS)
		shmap_chain_put(end->bucket, end->slot++, 0, 0);
	WRITE_ONCE(end->bucket->link, 0);
	while (i) {
		struct kmap_bucket *bucket;
		unsigned int slot;
		u32 next;

		bucket = shmap_buckets_over(chains->buckets, i);
		next = bucket->link;
		for (slot = 0; slot < KMAP_BUCKET_SLOTS; slot++)
			shmap_chain_put(bucket, slot, 0, 0);
		overflow_put(chains, i);
		i = next;
	}
}
