// SPDX-License-Identifier: GPL-2.0-only
/*
 * The hash table of one shard: linear hashing over buckets of one cache line.
 *
 * Linear hashing (Litwin, VLDB 1980): with n buckets and m the largest power of
 * two not above n, a hash belongs to bucket hash mod 2m if there is such a
 * bucket, else to hash mod m.  The table grows by one bucket at a time: a split moves
 * a part of bucket n - m to the new bucket n, so no operation pays for a whole rehash.
 *
 * Walks go in the order of the bit-reversed hash.  In that order, a chain covers one
 * interval and a split cuts the interval in two, so a place in the order stays valid
 * however the table grows.
 *
 * Locking: the caller of a function called *_locked must be the shard's only writer.
 * The other functions are for the writer, for readers that exclude writers, and for
 * readers that do not.  The last must be in an RCU read-side critical section, begin
 * with shmap_table_begin(), and use what they read only if shmap_table_stable() returns
 * true at the end, or shmap_table_same() for an entry that was found.  The seq of a home
 * bucket covers its chain, the entries in it and the overflow buckets it has.
 *
 * Barriers, by writer and reader:
 *  A. shmap_chain_change_begin() makes seq odd before anything changes (smp_wmb);
 *     shmap_table_same() reads it again after everything was read (smp_rmb).
 *  B. shmap_chain_change_end() makes seq even after everything changed (release);
 *     shmap_table_open() reads it before anything is read (acquire).
 *  C. A split writes the new bucket, then the number of buckets (release);
 *     shmap_table_home_number() reads it (acquire), then the bucket.
 *  D. A split writes the number of buckets, then, within A and B, removes what
 *     moved; shmap_table_stable() reads the number after everything else (smp_rmb of A),
 *     so a reader that missed an entry that moved sees that the hash has another home.
 */
#include <linux/bitrev.h>
#include <linux/log2.h>
#include <linux/sched.h>
#include <linux/string.h>

#include "table.h"

/* Most bits of the hash that choose shard and bucket: at least one is left over. */
#define HASH_BITS	31

/* Does a split by this bit of the hash move the entry? */
static bool moves(const struct shmap_table *table, u16 tag, u32 ref,
		  unsigned int bit)
{
	u32 hash = bit >= 16 ? (u32)tag << 16 :
			       shmap_pool_entry(table->pool, ref)->hash;

	return hash >> bit & 1;
}

/* Add one bucket; the table has its block already. */
static void split(struct shmap_table *table)
{
	struct shmap_chains *chains = &table->chains;
	u32 n = table->desc->buckets;
	unsigned int log = ilog2(n), bit = table->shard_bits + log, slot;
	struct kmap_bucket *home = shmap_chain_bucket(chains, n - (1u << log)), *bucket;
	struct shmap_chain_end moved = { .bucket = shmap_chain_bucket(chains, n) };
	struct shmap_chain_end kept = { .bucket = home };

	for (bucket = home; bucket; bucket = shmap_chain_next(chains, bucket)) {
		for (slot = 0; slot < shmap_chain_used(bucket); slot++) {
			u16 tag = shmap_chain_tag(bucket, slot);
			u32 ref = bucket->refs[slot];

			if (moves(table, tag, ref, bit))
				shmap_chain_append(chains, &moved, tag, ref);
		}
	}

	/* C: pairs with the acquire in shmap_table_home_number(). */
	smp_store_release(&table->desc->buckets, n + 1);

	shmap_chain_change_begin(home);
	for (bucket = home; bucket; bucket = shmap_chain_next(chains, bucket)) {
		unsigned int used = shmap_chain_used(bucket);

		for (slot = 0; slot < used; slot++) {
			u16 tag = shmap_chain_tag(bucket, slot);
			u32 ref = bucket->refs[slot];

			if (!moves(table, tag, ref, bit))
				shmap_chain_append(chains, &kept, tag, ref);
		}
	}
	shmap_chain_truncate(chains, &kept);
	shmap_chain_change_end(home);
}

/**
 * shmap_table_grow_locked - add a bucket, if there is memory for it
 * @table: the table
 *
 * Context: writer.
 */
void shmap_table_grow_locked(struct shmap_table *table)
{
	const struct shmap_chains *chains = &table->chains;
	u32 n = table->desc->buckets;

	shmap_table_assert_locked(table);
	if (n < chains->home_max && chains->block[n / SHMAP_BLOCK_BUCKETS] &&
	    shmap_chain_spare(chains) >= SHMAP_CHAIN_BUCKETS)
		split(table);
}

/* Most home buckets of a shard that is laid out for so many entries. */
static u32 home_max(u64 max_entries, unsigned int shard_bits)
{
	u64 n = DIV_ROUND_UP_ULL(max_entries, SHMAP_LOAD);

	/* Some more, for a shard that gets more than its share of the entries. */
	n = round_up(n + n / 8 + 1, SHMAP_BLOCK_BUCKETS);
	return min(n, 1ull << min(HASH_BITS - shard_bits, 30u));
}

/**
 * shmap_table_stride - address space for the buckets of a shard
 * @max_entries: entries that the shard is laid out for
 * @shard_bits: number of low bits of the hash that choose the shard
 *
 * Context: any.
 * Return: bytes, a multiple of the size of a block.
 */
u64 shmap_table_stride(u64 max_entries, unsigned int shard_bits)
{
	return 2ull * home_max(max_entries, shard_bits) *
	       sizeof(struct kmap_bucket);
}

/**
 * shmap_table_init - make an empty table
 * @table: to be made; the caller has set lock, lock_ops, pool, desc and shard_bits, the
 *	rest is zero
 * @max_entries: entries that the table is laid out for
 *
 * Context: may sleep.
 * Return: 0 or -ENOMEM; either way shmap_table_exit() may be called.
 */
int shmap_table_init(struct shmap_table *table, u64 max_entries)
{
	int ret = shmap_chain_init(&table->chains, table->pool->mem,
				   home_max(max_entries, table->shard_bits));

	if (!ret)
		table->desc->buckets = SHMAP_TABLE_LEAST;
	return ret;
}

/**
 * shmap_table_exit - free all buckets
 * @table: the table; the entries were freed
 *
 * Context: may sleep.
 */
void shmap_table_exit(struct shmap_table *table)
{
	shmap_chain_exit(&table->chains);
}

/**
 * shmap_table_collect - collect the entries of a chain, from a place in the order on
 * @table: the table
 * @probe: from shmap_table_begin() with the bit-reversed place as the hash
 * @places: array of SHMAP_CHAIN_SLOTS places; filled in, sorted by order
 * @end: set to the place where the next chain begins, or 2^32
 *
 * Context: reader or writer.
 * Return: number of places filled in.
 */
unsigned int shmap_table_collect(const struct shmap_table *table,
				 const struct shmap_probe *probe,
				 struct shmap_place *places, u64 *end)
{
	u32 from = bitrev32(probe->hash);
	struct kmap_bucket *bucket = probe->home;
	unsigned int depth, slot, bits, n = 0, i;

	shmap_table_home_number(table, probe->hash, &bits);
	*end = ((u64)from | (0xffffffffu >> bits)) + 1;

	for (depth = 0; bucket && depth < SHMAP_CHAIN_BUCKETS; depth++) {
		for (slot = 0; slot < KMAP_BUCKET_SLOTS; slot++) {
			u32 ref = READ_ONCE(bucket->refs[slot]), order;

			if (!ref)
				continue;
			order = bitrev32(shmap_pool_entry(table->pool,
							  ref)->hash);
			/* An entry that a split moves may be here as well for a moment. */
			if (order < from || order >= *end)
				continue;
			for (i = n++; i && places[i - 1].order > order; i--)
				places[i] = places[i - 1];
			places[i].order = order;
			places[i].ref = ref;
		}
		bucket = shmap_chain_next(&table->chains, bucket);
	}
	return n;
}

/**
 * shmap_table_feed_locked - give the table a block that it needs
 * @table: the table
 * @index: from shmap_table_wants_locked()
 * @block: from shmap_mem_alloc_pages() with SHMAP_BLOCK_ORDER
 *
 * Context: writer.
 * Return: false when the table has that block already; the caller keeps @block.
 */
bool shmap_table_feed_locked(struct shmap_table *table, u32 index, void *block)
{
	shmap_table_assert_locked(table);
	return shmap_chain_feed(&table->chains, index, block);
}

/**
 * shmap_table_extend_locked - append an entry to a chain whose last bucket is full
 * @table: the table
 * @home: home bucket of its key
 * @end: end of the chain, from shmap_table_end_locked()
 * @tag: upper half of the hash
 * @ref: reference to the entry
 *
 * Context: writer.
 */
void shmap_table_extend_locked(struct shmap_table *table,
			       struct kmap_bucket *home,
			       struct shmap_chain_end *end, u16 tag, u32 ref)
{
	shmap_table_assert_locked(table);
	shmap_chain_change_begin(home);
	shmap_chain_append(&table->chains, end, tag, ref);
	shmap_chain_change_end(home);
}

/**
 * shmap_table_refs_locked - get references to all entries of a home bucket's chain
 * @table: the table
 * @bucket: number of the home bucket
 * @refs: filled in with references to them, SHMAP_CHAIN_SLOTS at most
 *
 * Context: writer.
 * Return: number of references.
 */
unsigned int shmap_table_refs_locked(const struct shmap_table *table,
				     u32 bucket, u32 *refs)
{
	struct kmap_bucket *at;
	unsigned int n = 0, slot;

	shmap_table_assert_locked(table);
	for (at = shmap_chain_bucket(&table->chains, bucket); at;
	     at = shmap_chain_next(&table->chains, at))
		for (slot = 0; slot < shmap_chain_used(at); slot++)
			refs[n++] = at->refs[slot];
	return n;
}

/**
 * shmap_table_empty_locked - remove all entries of a home bucket's chain
 * @table: the table
 * @bucket: number of the home bucket
 * @refs: filled in with references to them, SHMAP_CHAIN_SLOTS at most
 *
 * Context: writer.
 * Return: number of references.
 */
unsigned int shmap_table_empty_locked(struct shmap_table *table, u32 bucket,
				      u32 *refs)
{
	struct kmap_bucket *home = shmap_chain_bucket(&table->chains, bucket);
	struct shmap_chain_end end = { .bucket = home };
	unsigned int n = shmap_table_refs_locked(table, bucket, refs);

	if (!n)
		return 0;
	shmap_chain_change_begin(home);
	shmap_chain_truncate(&table->chains, &end);
	shmap_chain_change_end(home);
	WRITE_ONCE(table->count, table->count - n);
	return n;
}
