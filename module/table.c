// SPDX-License-Identifier: GPL-2.0-only
/*
 * The hash table of one shard: linear hashing over buckets of one cache line.
 *
 * Linear hashing (Litwin, VLDB 1980): with n buckets and m the largest power of
 * two not above n, a hash belongs to bucket hash mod 2m if there is such a
 * bucket, else to hash mod m.  The table grows by one bucket at a time: a split moves
 * a part of bucket n - m to the new bucket n, so no operation pays for a whole rehash.
 * It shrinks the same way: a merge moves all of the last bucket back.
 *
 * The home buckets of all shards are interleaved in one array (buckets.c).  A shard has those
 * whose numbers are its own, modulo the number of shards, up to an end, which is their number
 * times the number of shards.  As both numbers of shards and m are powers of two, the rule
 * above holds for numbers in the array as well, with that end for n.
 *
 * Walks go in the order of the bit-reversed hash.  In that order, a chain covers one
 * interval, a split cuts an interval in two and a merge joins two, so a place in the
 * order stays valid however the table grows and shrinks.
 *
 * Locking: the caller of a function called *_locked must be the shard's only writer.
 * The other functions are for the writer, for readers that exclude writers, and for
 * readers that do not.  The last must be in an RCU read-side critical section, begin
 * with shmap_table_begin(), and use what they read only if shmap_table_stable() returns
 * true at the end, or shmap_table_same() for an entry that was found.  The seq of a home
 * bucket covers its chain, the entries in it and the overflow buckets it has.  It is odd
 * also while the bucket is not in the table: a reader that read an old end may come there.
 *
 * Barriers, by writer and reader:
 *  A. shmap_chain_change_begin(), and for the bucket that a merge takes away
 *     shmap_chain_close(), make seq odd before anything changes (smp_wmb);
 *     shmap_table_same() reads it again after everything was read (smp_rmb).
 *  B. shmap_chain_change_end(), and for the bucket that a split adds
 *     shmap_chain_open(), make seq even after everything changed (release);
 *     shmap_table_open() reads it before anything is read (acquire).
 *  C. A split or merge writes the bucket where entries go, then the end (release);
 *     shmap_table_home_number() reads it (acquire), then the bucket.
 *  D. A split writes that end, then, within A and B, removes what moved;
 *     shmap_table_stable() reads the end after everything else (smp_rmb of A), so a
 *     reader that missed an entry that moved sees that the hash has another home.
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

/* The home bucket that the next split takes entries from. */
static struct kmap_bucket *next_home(const struct shmap_table *table)
{
	u32 end = table->desc->end;

	return shmap_buckets_home(table->chains.buckets,
				  end + table->shard - (1u << ilog2(end)));
}

/* Number of overflow buckets in a chain: a split of it takes no more of them. */
static unsigned int overflow(const struct shmap_table *table,
			     const struct kmap_bucket *bucket)
{
	unsigned int n = 0;

	while ((bucket = shmap_chain_next(&table->chains, bucket)))
		n++;
	return n;
}

/* Find the end of a chain.  Returns the number of its entries. */
static unsigned int find_end(const struct shmap_table *table,
			     struct kmap_bucket *bucket,
			     struct shmap_chain_end *end)
{
	unsigned int n = overflow(table, bucket) * KMAP_BUCKET_SLOTS;

	end->bucket = bucket;
	while ((bucket = shmap_chain_next(&table->chains, bucket)))
		end->bucket = bucket;
	end->slot = shmap_chain_used(end->bucket);
	return n + end->slot;
}

static void set_end(struct shmap_table *table, u32 end)
{
	const struct shmap_buckets *buckets = table->chains.buckets;
	u32 n;

	/* C: pairs with the acquire in shmap_table_home_number(). */
	smp_store_release(&table->desc->end, end);
	n = (end >> table->shard_bits) * SHMAP_LOAD;
	table->most = end < buckets->home_end ? n : ~0u;
	table->least = end > shmap_table_home_least(table->shard_bits) ? n / 2 : 1;
}

/* Add one bucket; the table has its block, and reserved overflow buckets. */
static void split(struct shmap_table *table)
{
	struct shmap_chains *chains = &table->chains;
	u32 end = table->desc->end;
	unsigned int bit = ilog2(end), slot;
	struct kmap_bucket *home = next_home(table), *bucket;
	struct kmap_bucket *fresh = shmap_buckets_home(chains->buckets,
						       end + table->shard);
	struct shmap_chain_end moved = { .bucket = fresh };
	struct shmap_chain_end kept = { .bucket = home };

	for (bucket = home; bucket; bucket = shmap_chain_next(chains, bucket)) {
		for (slot = 0; slot < shmap_chain_used(bucket); slot++) {
			u16 tag = shmap_chain_tag(bucket, slot);
			u32 ref = bucket->refs[slot];

			if (moves(table, tag, ref, bit))
				shmap_chain_append(chains, &moved, tag, ref);
		}
	}

	shmap_chain_open(fresh);
	set_end(table, end + (1u << table->shard_bits));

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

/* Take the last bucket away.  Returns false when its entries do not fit where they go. */
static bool merge(struct shmap_table *table)
{
	struct shmap_chains *chains = &table->chains;
	u32 end = table->desc->end - (1u << table->shard_bits), last = end + table->shard;
	struct kmap_bucket *from = shmap_buckets_home(chains->buckets, last), *bucket;
	struct kmap_bucket *home = shmap_buckets_home(chains->buckets,
						      last - (1u << ilog2(end)));
	struct shmap_chain_end at, none = { .bucket = from };
	unsigned int slot, reserve;

	/* What moves takes no more overflow buckets than it has, and one. */
	reserve = overflow(table, from) + 1;
	if (find_end(table, home, &at) + find_end(table, from, &none) >
	    SHMAP_CHAIN_SLOTS || !shmap_chain_reserve(chains, reserve))
		return false;

	shmap_chain_change_begin(home);
	shmap_chain_close(from);
	for (bucket = from; bucket; bucket = shmap_chain_next(chains, bucket))
		for (slot = 0; slot < shmap_chain_used(bucket); slot++)
			shmap_chain_append(chains, &at,
					   shmap_chain_tag(bucket, slot),
					   bucket->refs[slot]);
	set_end(table, end);
	none = (struct shmap_chain_end) { .bucket = from };
	shmap_chain_truncate(chains, &none);
	shmap_chain_change_end(home);
	return true;
}

/**
 * shmap_table_lacks_locked - as shmap_table_wants_locked(), when it may want something
 * @table: the table
 * @end: from shmap_table_end_locked()
 *
 * Context: writer.
 * Return: as shmap_table_wants_locked().
 */
u32 shmap_table_lacks_locked(struct shmap_table *table,
			     const struct shmap_chain_end *end)
{
	struct shmap_chains *chains = &table->chains;
	unsigned int reserve = end->slot == KMAP_BUCKET_SLOTS;
	u32 next = table->desc->end + table->shard;

	shmap_table_assert_locked(table);
	if (table->count >= table->most) {
		if (!shmap_buckets_has_home(chains->buckets, next))
			return next / SHMAP_BLOCK_BUCKETS;
		reserve += overflow(table, next_home(table));
	}
	return shmap_chain_reserve(chains, reserve) ? 0 : SHMAP_BLOCK_OVER;
}

/**
 * shmap_table_grow_locked - add a bucket, if there is memory for it
 * @table: the table
 *
 * Context: writer.
 */
void shmap_table_grow_locked(struct shmap_table *table)
{
	struct shmap_chains *chains = &table->chains;
	u32 next = table->desc->end + table->shard;

	shmap_table_assert_locked(table);
	shmap_buckets_claim(chains->buckets, next);
	if (!shmap_buckets_has_home(chains->buckets, next) ||
	    !shmap_chain_reserve(chains, overflow(table, next_home(table))))
		return;
	split(table);
	shmap_chain_settle(chains, SHMAP_CHAIN_SPARE);
}

/**
 * shmap_table_shrink_locked - give back what removals have made unnecessary
 * @table: the table
 * @n: how many home buckets at most; of overflow buckets a few are kept
 *
 * Context: writer.
 * Return: true when there are still more home buckets than needed.
 */
bool shmap_table_shrink_locked(struct shmap_table *table, unsigned int n)
{
	u32 home_least = shmap_table_home_least(table->shard_bits);
	bool more;

	shmap_table_assert_locked(table);
	for (;; n--) {
		more = table->count < table->least &&
		       table->desc->end > home_least;
		if (!more || !n || !merge(table))
			break;
	}
	shmap_chain_settle(&table->chains, table->count ? SHMAP_CHAIN_SPARE : 0);
	return more && !n;
}

/**
 * shmap_table_home_end - address space for home buckets
 * @max_entries: most entries in the map
 * @shard_bits: number of low bits of the hash that choose the shard
 *
 * Context: any.
 * Return: number of home buckets of all shards, a multiple of a block's.
 */
u32 shmap_table_home_end(u64 max_entries, unsigned int shard_bits)
{
	u64 n = DIV_ROUND_UP_ULL(max_entries, SHMAP_LOAD << shard_bits);

	/* Some more, for a shard that gets more than its share of the entries. */
	n = (n + n / 8 + 1) << shard_bits;
	return min(round_up(n, SHMAP_BLOCK_BUCKETS), BIT_ULL(HASH_BITS));
}

/**
 * shmap_table_over_end - address space for all buckets
 * @max_entries: most entries in the map
 * @shard_bits: number of low bits of the hash that choose the shard
 *
 * A chain has more than 8 entries for each of its overflow buckets.  So the space is enough
 * whatever the keys are: a shard that splits a bucket, and keeps some, has two times
 * SHMAP_CHAIN_BUCKETS besides.
 *
 * Context: any.
 * Return: the number of home buckets and of overflow buckets, a multiple of a block's.
 */
u32 shmap_table_over_end(u64 max_entries, unsigned int shard_bits)
{
	u64 n = max_entries / KMAP_BUCKET_SLOTS +
		((2ull * SHMAP_CHAIN_BUCKETS + 1) << shard_bits);

	return shmap_table_home_end(max_entries, shard_bits) +
	       round_up(n, SHMAP_BLOCK_BUCKETS);
}

/**
 * shmap_table_home_least - number of home buckets that a map has at least
 * @shard_bits: number of low bits of the hash that choose the shard
 *
 * Context: any.
 * Return: the number, a multiple of the number of shards.
 */
u32 shmap_table_home_least(unsigned int shard_bits)
{
	return max_t(u32, SHMAP_BLOCK_BUCKETS, 1u << shard_bits);
}

/**
 * shmap_table_init - make an empty table
 * @table: to be made; the caller has set all but the sums and most, and the map has
 *	buckets for it
 *
 * Context: any.
 */
void shmap_table_init(struct shmap_table *table)
{
	u32 end = shmap_table_home_least(table->shard_bits), i;

	for (i = table->shard; i < end; i += 1u << table->shard_bits)
		shmap_chain_open(shmap_buckets_home(table->chains.buckets, i));
	set_end(table, end);
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
 * shmap_table_next_locked - go on in the order of walks
 * @table: the table
 * @place: a place in the order, within the shard's part
 * @bucket: set to the number of the home bucket whose chain has the place
 *
 * Context: writer.
 * Return: the place where the next chain begins, or 2^32.
 */
u64 shmap_table_next_locked(const struct shmap_table *table, u64 place,
			    u32 *bucket)
{
	unsigned int bits;

	shmap_table_assert_locked(table);
	*bucket = shmap_table_home_number(table, bitrev32(place), &bits);
	return (place | (0xffffffffu >> bits)) + 1;
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
	for (at = shmap_buckets_home(table->chains.buckets, bucket); at;
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
	struct kmap_bucket *home = shmap_buckets_home(table->chains.buckets,
						      bucket);
	struct shmap_chain_end end = { .bucket = home };
	unsigned int n = shmap_table_refs_locked(table, bucket, refs);

	if (!n)
		return 0;
	shmap_chain_change_begin(home);
	shmap_chain_truncate(&table->chains, &end);
	shmap_chain_change_end(home);
	WRITE_ONCE(table->count, table->count - n);
	/* Merges are left to who calls this for many chains. */
	shmap_table_shrink_locked(table, 0);
	return n;
}
