/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Looking a key up in a shard's table, and what most changes do there: hence
 * inline.  table.c tells what holds it together, and names the barriers.
 */
#ifndef SHMAP_TABLE_INLINE_H
#define SHMAP_TABLE_INLINE_H

#include <linux/string.h>

#include "entry.h"
#include "hash.h"
#include "table.h"

/* A 64-bit word of tags as four 16-bit lanes. */
#define SHMAP_LANES		0x0001000100010001ull
#define SHMAP_LANE_TOPS		0x8000800080008000ull

/**
 * shmap_table_home - the home bucket
 * @table: the table
 * @hash: of the key
 *
 * Context: reader or writer.
 * Return: the bucket.
 */
static __always_inline struct kmap_bucket *
shmap_table_home(const struct shmap_table *table, u32 hash)
{
	return shmap_chain_bucket(&table->chains,
				  shmap_table_home_number(table, hash, NULL));
}

/**
 * shmap_table_aim - find out which chain is a hash's
 * @table: the table
 * @hash: of the key
 * @probe: filled in, but for seq
 *
 * Context: reader or writer.
 */
static __always_inline void shmap_table_aim(const struct shmap_table *table,
					    u32 hash, struct shmap_probe *probe)
{
	probe->hash = hash;
	probe->home = shmap_table_home(table, hash);
}

/**
 * shmap_table_open - begin to look at the chain
 * @probe: from shmap_table_aim()
 *
 * Context: reader or writer.
 * Return: false when a writer is at work there; never false for who holds the
 * shard's lock.
 */
static __always_inline bool shmap_table_open(struct shmap_probe *probe)
{
	/* B: pairs with the release in shmap_chain_change_end(). */
	probe->seq = smp_load_acquire(&probe->home->seq);
	return likely(!(probe->seq & 1));
}

/**
 * shmap_table_begin - begin to look at a hash's chain
 * @table: the table
 * @hash: of the key
 * @probe: filled in
 *
 * Context: reader or writer.
 * Return: as shmap_table_open().
 */
static __always_inline bool shmap_table_begin(const struct shmap_table *table,
					      u32 hash,
					      struct shmap_probe *probe)
{
	shmap_table_aim(table, hash, probe);
	return shmap_table_open(probe);
}

/**
 * shmap_table_same - was what was found there all the time since the beginning?
 * @probe: from shmap_table_begin()
 *
 * Enough for an entry that was found, and for what was read of it: it was in the
 * chain.  That nothing was found needs shmap_table_stable().
 *
 * Context: reader or writer.
 * Return: false when the chain changed.
 */
static __always_inline bool shmap_table_same(const struct shmap_probe *probe)
{
	/* A: pairs with the barrier in shmap_chain_change_begin(). */
	smp_rmb();
	return likely(READ_ONCE(probe->home->seq) == probe->seq);
}

/**
 * shmap_table_stable - was all that was read since the beginning of one moment?
 * @table: the table
 * @probe: from shmap_table_begin()
 *
 * Context: reader or writer.
 * Return: false when the chain changed or another chain is the hash's now.
 */
static inline bool shmap_table_stable(const struct shmap_table *table,
				      const struct shmap_probe *probe)
{
	return shmap_table_same(probe) &&
	       shmap_table_home(table, probe->hash) == probe->home;
}

/* Is a key that is in an entry this one?  In words, the last two may overlap. */
static __always_inline bool shmap_key_same(const void *a, const void *b, u32 len)
{
	u32 i;

	if (likely(len == 16))
		return shmap_hash_word_at(a) == shmap_hash_word_at(b) &&
		       shmap_hash_word_at(a + 8) == shmap_hash_word_at(b + 8);
	if (len < 8)
		return !memcmp(a, b, len);
	for (i = 0; i + 8 < len; i += 8)
		if (shmap_hash_word_at(a + i) != shmap_hash_word_at(b + i))
			return false;
	return shmap_hash_word_at(a + len - 8) == shmap_hash_word_at(b + len - 8);
}

/* Look for the key in four slots of a bucket; wanted is its tag in each lane. */
static __always_inline struct kmap_entry *
shmap_bucket_find(const struct shmap_table *table,
		  const struct shmap_probe *probe, const void *key, u32 key_len,
		  struct shmap_spot *spot, struct kmap_bucket *bucket,
		  unsigned int word, u64 wanted)
{
	u64 diff = READ_ONCE(bucket->tags[word]) ^ wanted;
	/* Tops of lanes that are zero, and maybe of some above. */
	u64 hits = (diff - SHMAP_LANES) & ~diff & SHMAP_LANE_TOPS;

	for (; hits; hits &= hits - 1) {
		unsigned int slot = word * 4 + __ffs64(hits) / 16;
		u32 ref = READ_ONCE(bucket->refs[slot]);
		struct kmap_entry *entry;

		if (!ref)
			continue;
		entry = shmap_pool_entry(table->pool, ref);
		if (entry->hash != probe->hash ||
		    KMAP_ENTRY_KEY_LEN(entry->lens) != key_len ||
		    !shmap_key_same(entry + 1, key, key_len))
			continue;
		if (spot) {
			spot->bucket = bucket;
			spot->slot = slot;
			spot->ref = ref;
		}
		/* So that nobody tests for it again. */
		if (!entry)
			__builtin_unreachable();
		return entry;
	}
	return NULL;
}

/**
 * shmap_table_find - look for a key
 * @table: the table
 * @probe: from shmap_table_begin() with the key's hash
 * @key: the key
 * @key_len: its length
 * @spot: where it was found, or NULL
 *
 * Context: reader or writer.
 * Return: the entry, or NULL.
 */
static __always_inline struct kmap_entry *
shmap_table_find(const struct shmap_table *table,
		 const struct shmap_probe *probe, const void *key, u32 key_len,
		 struct shmap_spot *spot)
{
	struct kmap_bucket *bucket = probe->home;
	unsigned int left = SHMAP_CHAIN_BUCKETS;
	struct kmap_entry *entry;
	u64 wanted = SHMAP_LANES;

	/* One multiplication, not the shifts and additions it can be made of. */
	OPTIMIZER_HIDE_VAR(wanted);
	wanted *= probe->hash >> 16;
	do {
		entry = shmap_bucket_find(table, probe, key, key_len, spot,
					  bucket, 0, wanted);
		if (entry)
			break;
		entry = shmap_bucket_find(table, probe, key, key_len, spot,
					  bucket, 1, wanted);
		if (entry)
			break;
		bucket = shmap_chain_next(&table->chains, bucket);
	} while (bucket && --left);
	return entry;
}

/**
 * shmap_table_wants_locked - does an insert need a block first?
 * @table: the table
 *
 * Context: writer.
 * Return: 0, or which block, for shmap_table_feed_locked().
 */
static inline u32
shmap_table_wants_locked(const struct shmap_table *table)
{
	const struct shmap_chains *chains = &table->chains;
	u32 n = table->desc->buckets;

	shmap_table_assert_locked(table);
	if (shmap_chain_spare(chains) < SHMAP_CHAIN_BUCKETS &&
	    chains->over_backed < chains->over_end)
		return chains->over_backed / SHMAP_BLOCK_BUCKETS;
	if (table->count >= n * SHMAP_LOAD && n < chains->home_max &&
	    !chains->block[n / SHMAP_BLOCK_BUCKETS])
		return n / SHMAP_BLOCK_BUCKETS;
	return 0;
}

/**
 * shmap_table_end_locked - find out where an entry whose key is absent goes
 * @table: the table
 * @probe: of its key
 * @end: set to the end of the chain
 *
 * Context: writer.
 * Return: 0, or -EXFULL when the chain is as long as it may be, or would grow and
 * no overflow bucket is left.
 */
static __always_inline int
shmap_table_end_locked(struct shmap_table *table, struct shmap_probe *probe,
		       struct shmap_chain_end *end)
{
	struct kmap_bucket *bucket = probe->home, *next;
	unsigned int depth = 1;

	shmap_table_assert_locked(table);
	while (unlikely(next = shmap_chain_next(&table->chains, bucket))) {
		bucket = next;
		depth++;
	}
	end->bucket = bucket;
	end->slot = shmap_chain_used(bucket);
	if (likely(end->slot < KMAP_BUCKET_SLOTS))
		return 0;
	return depth < SHMAP_CHAIN_BUCKETS && shmap_chain_spare(&table->chains) ?
	       0 : -EXFULL;
}

/**
 * shmap_table_insert_locked - insert an entry whose key is absent
 * @table: the table
 * @probe: of its key
 * @end: from shmap_table_end_locked()
 * @ref: reference to it; the entry is complete
 *
 * Grows the table by a bucket when it is time.
 *
 * Context: writer.
 */
static __always_inline void
shmap_table_insert_locked(struct shmap_table *table, struct shmap_probe *probe,
			  struct shmap_chain_end *end, u32 ref)
{
	struct kmap_bucket *home = probe->home;

	shmap_table_assert_locked(table);
	if (likely(end->slot < KMAP_BUCKET_SLOTS)) {
		shmap_chain_change_begin(home);
		shmap_chain_put(end->bucket, end->slot, probe->hash >> 16, ref);
		shmap_chain_change_end(home);
	} else {
		shmap_table_extend_locked(table, home, end, probe->hash >> 16,
					  ref);
	}
	WRITE_ONCE(table->count, table->count + 1);
	if (unlikely(table->count > table->desc->buckets * SHMAP_LOAD))
		shmap_table_grow_locked(table);
}

/**
 * shmap_table_replace_locked - put another entry with the same key in a slot
 * @table: the table
 * @probe: of the key
 * @spot: where it is
 * @ref: reference to the new entry; the entry is complete
 *
 * Context: writer.
 */
static __always_inline void
shmap_table_replace_locked(struct shmap_table *table,
			   struct shmap_probe *probe, struct shmap_spot *spot,
			   u32 ref)
{
	shmap_table_assert_locked(table);
	shmap_chain_change_begin(probe->home);
	WRITE_ONCE(spot->bucket->refs[spot->slot], ref);
	shmap_chain_change_end(probe->home);
}

/**
 * shmap_table_remove_locked - remove an entry
 * @table: the table
 * @probe: of its key
 * @spot: where it is
 *
 * The last entry of the chain takes its slot, so that the chain stays packed.
 *
 * Context: writer.
 */
static __always_inline void
shmap_table_remove_locked(struct shmap_table *table, struct shmap_probe *probe,
			  struct shmap_spot *spot)
{
	struct kmap_bucket *before = NULL, *last = probe->home, *next;
	unsigned int slot;

	shmap_table_assert_locked(table);
	while (unlikely(next = shmap_chain_next(&table->chains, last))) {
		before = last;
		last = next;
	}
	slot = shmap_chain_used(last) - 1;

	shmap_chain_change_begin(probe->home);
	shmap_chain_put(spot->bucket, spot->slot, shmap_chain_tag(last, slot),
			last->refs[slot]);
	shmap_chain_put(last, slot, 0, 0);
	if (unlikely(!slot && before))
		shmap_chain_drop_last(&table->chains, before);
	shmap_chain_change_end(probe->home);
	WRITE_ONCE(table->count, table->count - 1);
}

#endif /* SHMAP_TABLE_INLINE_H */
