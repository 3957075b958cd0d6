// SPDX-License-Identifier: GPL-2.0-only
/*
 * Chains of buckets: a home bucket, and overflow buckets when that is full.
 *
 * A chain is packed: only its last bucket has free slots, and those are its
 * last slots.  The numbers of overflow buckets follow those of the home buckets;
 * free overflow buckets are linked in a list.  A reader without a lock may still read
 * a bucket that has been freed, or that another chain uses by now.  It reads
 * SHMAP_CHAIN_BUCKETS buckets at most, sees only entries that were live while it
 * read, and finds at the end that the seq of the home bucket it started from has
 * changed.
 *
 * Functions that change anything here are for the shard's only writer.
 */
#include <linux/sched.h>

#include "chain.h"

/* Bytes per block, a power of two. */
#define BLOCK_BYTES	(PAGE_SIZE << SHMAP_BLOCK_ORDER)

/**
 * shmap_chain_init - allocate the first block of home buckets
 * @chains: the buckets, zeroed
 * @mem: account that blocks are counted in
 * @home_max: maximum number of home buckets
 *
 * Context: may sleep.
 * Return: 0 or -ENOMEM; shmap_chain_exit() may be called in both cases.
 */
int shmap_chain_init(struct shmap_chains *chains, struct shmap_mem *mem,
		     u32 home_max)
{
	chains->mem = mem;
	chains->home_max = home_max;
	chains->over_end = 2 * home_max;
	chains->over_fresh = home_max;
	chains->over_backed = home_max;
	chains->block = shmap_mem_alloc_table(mem, chains->over_end /
					      SHMAP_BLOCK_BUCKETS,
					      sizeof(*chains->block));
	if (!chains->block)
		return -ENOMEM;
	chains->block[0] = shmap_mem_alloc_pages(mem, SHMAP_BLOCK_ORDER);
	return chains->block[0] ? 0 : -ENOMEM;
}

/**
 * shmap_chain_exit - free all buckets
 * @chains: the buckets; all entries have been freed
 *
 * Context: may sleep.
 */
void shmap_chain_exit(struct shmap_chains *chains)
{
	u32 i, n = chains->over_end / SHMAP_BLOCK_BUCKETS;

	for (i = 0; chains->block && i < n; i++) {
		shmap_mem_free_pages(chains->mem, chains->block[i],
				     SHMAP_BLOCK_ORDER);
		cond_resched();
	}
	shmap_mem_free_table(chains->mem, chains->block, n,
			     sizeof(*chains->block));
}

/**
 * shmap_chain_feed - add a block of buckets
 * @chains: the buckets
 * @index: number of the block
 * @block: from shmap_mem_alloc_pages(), SHMAP_BLOCK_ORDER
 *
 * Context: writer.
 * Return: true, or false when the table has that block by now; @block is still the
 * caller's then.
 */
bool shmap_chain_feed(struct shmap_chains *chains, u32 index, void *block)
{
	if (chains->block[index])
		return false;
	/* The fault handler reads this without a lock: pairs with shmap_chain_page(). */
	smp_store_release(&chains->block[index], block);
	if (index >= chains->home_max / SHMAP_BLOCK_BUCKETS)
		chains->over_backed += SHMAP_BLOCK_BUCKETS;
	return true;
}

/**
 * shmap_chain_page - a page of buckets, to be mapped
 * @chains: the buckets
 * @at: offset in the shard's buckets, less than shmap_table_stride()
 *
 * Context: any.
 * Return: the page, or NULL while its block has not been allocated.
 */
struct page *shmap_chain_page(const struct shmap_chains *chains, u64 at)
{
	/* Pairs with the release in shmap_chain_feed(). */
	void *block = READ_ONCE(chains->block[at / BLOCK_BYTES]);

	return block ? virt_to_page(block + at % BLOCK_BYTES) : NULL;
}

/**
 * shmap_chain_overflow - number of overflow buckets in use
 * @chains: the buckets
 *
 * Exact while nothing changes.  Otherwise the two counts may be of different
 * moments; a difference below 0 is returned as 0.
 *
 * Context: any.
 * Return: the number.
 */
u32 shmap_chain_overflow(const struct shmap_chains *chains)
{
	u32 fresh = READ_ONCE(chains->over_fresh) - chains->home_max;
	u32 free = READ_ONCE(chains->over_free_n);

	return fresh > free ? fresh - free : 0;
}

/* Take a free overflow bucket.  The caller must know that there is one. */
static u32 overflow_take(struct shmap_chains *chains)
{
	u32 i = chains->over_free;
	struct kmap_bucket *bucket;

	if (!i) {
		i = chains->over_fresh;
		WRITE_ONCE(chains->over_fresh, i + 1);
		return i;
	}
	bucket = shmap_chain_bucket(chains, i);
	chains->over_free = bucket->link;
	WRITE_ONCE(chains->over_free_n, chains->over_free_n - 1);
	WRITE_ONCE(bucket->link, 0);
	return i;
}

static void overflow_put(struct shmap_chains *chains, u32 i)
{
	WRITE_ONCE(shmap_chain_bucket(chains, i)->link, chains->over_free);
	chains->over_free = i;
	WRITE_ONCE(chains->over_free_n, chains->over_free_n + 1);
}

/**
 * shmap_chain_append - append an entry to a chain
 * @chains: the buckets; an overflow bucket can be taken
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
		end->bucket = shmap_chain_bucket(chains, i);
		end->slot = 0;
	}
	shmap_chain_put(end->bucket, end->slot++, tag, ref);
}

/**
 * shmap_chain_drop_last - free the last bucket of a chain
 * @chains: the buckets
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
 * @chains: the buckets
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
		struct kmap_bucket *bucket = shmap_chain_bucket(chains, i);
		u32 next = bucket->link;
		unsigned int slot;

		for (slot = 0; slot < KMAP_BUCKET_SLOTS; slot++)
			shmap_chain_put(bucket, slot, 0, 0);
		overflow_put(chains, i);
		i = next;
	}
}
