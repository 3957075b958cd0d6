/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Lookups in a shard's table, and what most changes do there, inline because they are
 * on the fast paths.  table.c describes the table, its locking and its barriers.
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
 * shmap_table_home - find the home bucket of a hash
 * @table: the table
 * @hash: hash of the key
 *
 * Context: reader or writer.
 * Return: the bucket.
 */
static __always_inline struct kmap_bucket *
shmap_table_home(const struct shmap_table *table, u32 hash)
{
	return shmap_buckets_home(table->chains.buckets,
				  shmap_table_home_number(table, hash, NULL));
}

/**
 * shmap_table_aim - find the chain of a hash
 * @table: the table
 * @hash: hash of the key
 * @probe: filled in, except seq
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
 * shmap_table_open - begin to read the chain
 * @probe: from shmap_table_aim()
 *
 * Context: reader or writer.
 * Return: false while a writer changes the chain; always true for a caller that holds
 * the shard's lock.
 */
static __always_inline bool shmap_table_open(struct shmap_probe *probe)
{
	/* B: pairs with the release in shmap_chain_change_end(). */
	probe->seq = smp_load_acquire(&probe->home->seq);
	return likely(!(probe->seq & 1));
}

/**
 * shmap_table_begin - find the chain of a hash and begin to read it
 * @table: the table
 * @hash: hash of the key
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
 * shmap_table_same - is the chain unchanged since shmap_table_begin()?
 * @probe: from shmap_table_begin()
 *
 * This is enough for an entry that was found, and for what was read of it: it was in
 * the chain all the time.  When no entry was found, use shmap_table_stable().
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
 * shmap_table_stable - was all that was read since shmap_table_begin() of one moment?
 * @table: the table
 * @probe: from shmap_table_begin()
 *
 * Context: reader or writer.
 * Return: false when the chain changed, or the hash has another home bucket now.
 */
static inline bool shmap_table_stable(const struct shmap_table *table,
				      const struct shmap_probe *probe)
{
	return shmap_table_same(probe) &&
	       shmap_table_home(table, probe->hash) == probe->home;
}

/* Are two keys the same?  Compares them in words, of which the last two may overlap. */
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

/* Look for a key in four slots of a bucket; @wanted has its tag in each lane. */
static __always_inline struct kmap_entry *
shmap_bucket_find(const struct shmap_table *table,
		  const struct shmap_probe *probe, const void *key, u32 key_len,
		  struct shmap_spot *spot, struct kmap_bucket *bucket,
		  unsigned int word, u64 wanted)
{
	u64 diff = READ_ONCE(bucket->tags[word]) ^ wanted;
	/* Top bits of the lanes that are zero, and possibly of lanes above these. */
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
		/* Tells the compiler that callers need not test for NULL. */
		if (!entry)
			__builtin_unreachable();
		return entry;
	}
	return NULL;
}

/**
 * shmap_table_find - look for a key in a chain
 * @table: the table
 * @probe: from shmap_table_begin() with the key's hash
 * @key: the key
 * @key_len: its length
 * @spot: unless NULL, set to the slot where the key was found
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

	/* Keeps the compiler from replacing the multiplication by shifts and additions. */
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
 * shmap_table_end_locked - find where to insert an entry whose key is absent
 * @table: the table
 * @probe: probe of its key
 * @end: set to the end of the chain
 *
 * Context: writer.
 * Return: 0, or -EXFULL when the chain is full and as long as it may be.
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
	return depth < SHMAP_CHAIN_BUCKETS ? 0 : -EXFULL;
}

/**
 * shmap_table_wants_locked - does an insertion need a block of buckets first?
 * @table: the table
 * @end: from shmap_table_end_locked()
 *
 * Context: writer.
 * Return: 0, or for shmap_buckets_feed() the number of the block.
 */
static __always_inline u32
shmap_table_wants_locked(struct shmap_table *table,
			 const struct shmap_chain_end *end)
{
	shmap_table_assert_locked(table);
	if (likely(end->slot < KMAP_BUCKET_SLOTS && table->count < table->most))
		return 0;
	return shmap_table_lacks_locked(table, end);
}

/**
 * shmap_table_insert_locked - insert an entry whose key is absent
 * @table: the table
 * @probe: probe of its key
 * @end: from shmap_table_end_locked(); shmap_table_wants_locked() has returned 0
 * @ref: reference to the entry, which is complete
 *
 * This also adds a bucket when the load exceeds SHMAP_LOAD, if there is memory for it.
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
	if (unlikely(table->count > table->most))
		shmap_table_grow_locked(table);
}

/**
 * shmap_table_replace_locked - put another entry with the same key in a slot
 * @table: the table
 * @probe: probe of the key
 * @spot: the slot
 * @ref: reference to the new entry, which is complete
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
 * @probe: probe of its key
 * @spot: its slot
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
	if (unlikely((!slot && before) || table->count < table->least))
		shmap_table_shrink_locked(table, 1);
}

#endif /* SHMAP_TABLE_INLINE_H */
