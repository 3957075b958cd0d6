// SPDX-License-Identifier: GPL-2.0-only
/*
 * Chains of buckets: a home bucket that is full goes on in overflow buckets.
 *
 * A chain is packed: only its last bucket has free slots, and those are its
 * last slots.  Overflow buckets come from one range of numbers behind the home
 * buckets; free ones are linked to each other.  A reader without a lock may
 * still be in a bucket that was freed or that another chain has by now: it goes
 * on for SHMAP_CHAIN_BUCKETS at most, sees none but entries that were live
 * while it read, and finds at the end that the seq of the home bucket it
 * started from has changed.
 *
 * Everything here is for the shard's only writer.
 */
#include "chain.h"

/* Number of an empty overflow bucket; the caller knows that there is one. */
static u32 overflow_take(struct shmap_table *table)
{
	u32 i = table->over_free;
	struct kmap_bucket *bucket;

	if (!i) {
		i = table->over_fresh;
		WRITE_ONCE(table->over_fresh, i + 1);
		return i;
	}
	bucket = shmap_chain_bucket(table, i);
	table->over_free = bucket->link;
	WRITE_ONCE(table->over_free_n, table->over_free_n - 1);
	WRITE_ONCE(bucket->link, 0);
	return i;
}

static void overflow_put(struct shmap_table *table, u32 i)
{
	WRITE_ONCE(shmap_chain_bucket(table, i)->link, table->over_free);
	table->over_free = i;
	WRITE_ONCE(table->over_free_n, table->over_free_n + 1);
}

/**
 * shmap_chain_append - append an entry to a chain
 * @table: the table; it has an overflow bucket to spare
 * @end: end of the chain, moved on
 * @tag: upper half of the entry's hash
 * @ref: reference to the entry
 *
 * A bucket that the chain already has behind @end is used again.
 *
 * Context: writer; no reader can see the chain, or its seq is odd.
 */
void shmap_chain_append(struct shmap_table *table, struct shmap_chain_end *end,
			u16 tag, u32 ref)
{
	if (end->slot == KMAP_BUCKET_SLOTS) {
		u32 i = end->bucket->link;

		if (!i) {
			i = overflow_take(table);
			WRITE_ONCE(end->bucket->link, i);
		}
		end->bucket = shmap_chain_bucket(table, i);
		end->slot = 0;
	}
	shmap_chain_put(end->bucket, end->slot++, tag, ref);
}

/**
 * shmap_chain_drop_last - free the last bucket of a chain
 * @table: the table
 * @before: the bucket before it; that one has no entries
 *
 * Context: writer; no reader can see the chain, or its seq is odd.
 */
void shmap_chain_drop_last(struct shmap_table *table,
			   struct kmap_bucket *before)
{
	u32 i = before->link;

	WRITE_ONCE(before->link, 0);
	overflow_put(table, i);
}

/**
 * shmap_chain_truncate - cut a chain off
 * @table: the table
 * @end: where it ends from now on; slots and buckets behind it become free
 *
 * Context: writer; no reader can see the chain, or its seq is odd.
 */
void shmap_chain_truncate(struct shmap_table *table,
			  struct shmap_chain_end *end)
{
	u32 i = end->bucket->link;

	while (end->slot < KMAP_BUCKET_SLOTS)
		shmap_chain_put(end->bucket, end->slot++, 0, 0);
	WRITE_ONCE(end->bucket->link, 0);
	while (i) {
		struct kmap_bucket *bucket = shmap_chain_bucket(table, i);
		u32 next = bucket->link;
		unsigned int slot;

		for (slot = 0; slot < KMAP_BUCKET_SLOTS; slot++)
			shmap_chain_put(bucket, slot, 0, 0);
		overflow_put(table, i);
		i = next;
	}
}
