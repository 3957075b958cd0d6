/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Changing the entries of a shard.  Every change is made here: SET, ADD in place and
 * by a copy, DELETE and CLEAR.  So these functions give an entry its version, update
 * the quota and the shard's sums, and find out whether a snapshot needs the entry that
 * is replaced or removed.  A function that does not return 0 has changed nothing.
 */
#ifndef SHMAP_SHARD_INLINE_H
#define SHMAP_SHARD_INLINE_H

#include <linux/err.h>

#include "kept.h"
#include "needs.h"
#include "shard.h"
#include "table_inline.h"

/**
 * struct shmap_fresh - an entry that is not in the map yet
 * @entry: the entry, or NULL
 * @ref: reference to it
 * @bytes: its size
 */
struct shmap_fresh {
	struct kmap_entry	*entry;
	u32			ref;
	u32			bytes;
};

/**
 * struct shmap_records - records to keep what CLEAR removes from a chain
 * @record: the records
 * @n: number of records
 * @none: used when there are no more: NULL, or ERR_PTR() when no memory is left for more
 */
struct shmap_records {
	struct shmap_kept	*record[SHMAP_CHAIN_SLOTS];
	unsigned int		n;
	struct shmap_kept	*none;
};

/* Take from the quota of shard @i, which is locked. */
static __always_inline int shmap_shard_take(struct shmap_map *map,
					    unsigned int i, u64 entries,
					    u64 bytes)
{
	int ret = shmap_quota_take(&map->quota, i, entries, bytes);

	return unlikely(ret == -EAGAIN) ? SHMAP_NEEDS_CREDIT : ret;
}

/* Set *@kept if a snapshot needs the entry.  SHMAP_NEEDS_RECORD if there is no record then. */
static __always_inline int
shmap_shard_claim_locked(struct shmap_map *map, struct shmap_shard *shard,
			 const struct kmap_entry *entry,
			 struct shmap_kept *record, bool *kept)
{
	shmap_table_assert_locked(&shard->table);
	*kept = false;
	if (shmap_kept_may_need(shard, entry))
		*kept = shmap_kept_claim_locked(map, shard, entry, record);
	return unlikely(*kept && !record) ? SHMAP_NEEDS_RECORD : 0;
}

/**
 * shmap_shard_publish_locked - publish an entry whose key is absent
 * @map: the map
 * @shard: the shard
 * @fresh: the entry, complete except its version; it belongs to the map afterwards
 * @probe: probe of the key
 * @version: set to the version of the entry
 * @wants: set to the block of buckets that is needed, on SHMAP_NEEDS_BLOCK
 *
 * An entry that does not fit in the chain is refused before anything is taken from the
 * quota: units taken and given back would be missing for others meanwhile.
 *
 * Context: writer.
 * Return: 0, -EXFULL, -ENOSPC, SHMAP_NEEDS_BLOCK or SHMAP_NEEDS_CREDIT.
 */
static __always_inline int
shmap_shard_publish_locked(struct shmap_map *map, struct shmap_shard *shard,
			   struct shmap_fresh *fresh, struct shmap_probe *probe,
			   u64 *version, u32 *wants)
{
	unsigned int i = probe->hash & (map->config.shards - 1);
	struct shmap_chain_end end __uninitialized;
	u32 bytes = fresh->bytes + KMAP_ENTRY_SHARE, block;
	int ret;

	shmap_table_assert_locked(&shard->table);
	ret = shmap_table_end_locked(&shard->table, probe, &end);
	if (unlikely(ret))
		return ret;
	block = shmap_table_wants_locked(&shard->table, &end);
	if (unlikely(block)) {
		*wants = block;
		return SHMAP_NEEDS_BLOCK;
	}
	ret = shmap_shard_take(map, i, 1, bytes);
	if (unlikely(ret))
		return ret;
	*version = ++shard->version;
	shmap_entry_stamp(fresh->entry, *version);
	shmap_table_insert_locked(&shard->table, probe, &end, fresh->ref);
	fresh->entry = NULL;
	WRITE_ONCE(shard->bytes, shard->bytes + bytes);
	return 0;
}

/**
 * shmap_shard_replace_locked - replace an entry by another with the same key
 * @map: the map
 * @shard: the shard
 * @fresh: the new entry, complete except its version; it belongs to the map afterwards
 * @probe: probe of the key
 * @spot: slot of the old entry
 * @entry: the old entry, which belongs to the caller afterwards unless it is kept
 * @record: record to keep it, or NULL, or ERR_PTR() when there is no memory for one
 * @version: set to the version of the new entry
 * @kept: set to whether the old entry is kept
 *
 * Context: writer.
 * Return: 0, -ENOSPC, SHMAP_NEEDS_RECORD or SHMAP_NEEDS_CREDIT.
 */
static __always_inline int
shmap_shard_replace_locked(struct shmap_map *map, struct shmap_shard *shard,
			   struct shmap_fresh *fresh, struct shmap_probe *probe,
			   struct shmap_spot *spot,
			   const struct kmap_entry *entry,
			   struct shmap_kept *record, u64 *version, bool *kept)
{
	unsigned int i = shard - map->shard;
	u32 bytes = 0, old = 0;
	int ret;

	shmap_table_assert_locked(&shard->table);
	ret = shmap_shard_claim_locked(map, shard, entry, record, kept);
	if (unlikely(ret))
		return ret;
	if (fresh->entry->lens != entry->lens) {
		bytes = fresh->bytes;
		old = shmap_arena_entry_size(entry);
	}
	if (bytes > old) {
		ret = shmap_shard_take(map, i, 0, bytes - old);
		if (unlikely(ret))
			return ret;
	}
	*version = ++shard->version;
	shmap_entry_stamp(fresh->entry, *version);
	shmap_table_replace_locked(&shard->table, probe, spot, fresh->ref);
	fresh->entry = NULL;
	if (bytes < old)
		shmap_quota_give(&map->quota, i, 0, old - bytes);
	if (bytes != old)
		WRITE_ONCE(shard->bytes, shard->bytes + bytes - old);
	if (unlikely(*kept))
		shmap_kept_keep_locked(map, shard, record, spot->ref);
	return 0;
}

/**
 * shmap_shard_update_locked - give an entry another number, in place
 * @map: the map
 * @shard: the shard
 * @probe: probe of the key
 * @entry: the entry; its value is a number
 * @number: the number
 * @record: NULL, or ERR_PTR() when nothing can be kept
 * @version: set to the entry's new version
 *
 * This makes one 64-bit store for the number and one for the version.
 *
 * Context: writer.
 * Return: 0, or SHMAP_NEEDS_COPY when a snapshot needs the entry as it is.
 */
static inline int
shmap_shard_update_locked(struct shmap_map *map, struct shmap_shard *shard,
			  struct shmap_probe *probe, struct kmap_entry *entry,
			  s64 number, struct shmap_kept *record, u64 *version)
{
	s64 *value = shmap_entry_value(entry);

	shmap_table_assert_locked(&shard->table);
	if (shmap_kept_may_need(shard, entry) &&
	    shmap_kept_claim_locked(map, shard, entry, record))
		return SHMAP_NEEDS_COPY;
	*version = ++shard->version;
	shmap_chain_change_begin(probe->home);
	WRITE_ONCE(*value, number);
	shmap_entry_stamp(entry, *version);
	shmap_chain_change_end(probe->home);
	return 0;
}

/**
 * shmap_shard_unlink_locked - unlink an entry
 * @map: the map
 * @shard: the shard
 * @probe: probe of the key
 * @spot: slot of the entry
 * @entry: the entry, which belongs to the caller afterwards unless it is kept
 * @record: record to keep it, or NULL, or ERR_PTR() when there is no memory for one
 * @bytes: set to its size
 * @kept: set to whether it is kept
 *
 * Context: writer.
 * Return: 0 or SHMAP_NEEDS_RECORD.
 */
static __always_inline int
shmap_shard_unlink_locked(struct shmap_map *map, struct shmap_shard *shard,
			  struct shmap_probe *probe, struct shmap_spot *spot,
			  const struct kmap_entry *entry,
			  struct shmap_kept *record, u32 *bytes, bool *kept)
{
	unsigned int i = probe->hash & (map->config.shards - 1);
	int ret;

	shmap_table_assert_locked(&shard->table);
	ret = shmap_shard_claim_locked(map, shard, entry, record, kept);
	if (unlikely(ret))
		return ret;
	*bytes = shmap_arena_entry_size(entry);
	shmap_table_remove_locked(&shard->table, probe, spot);
	shard->version++;
	WRITE_ONCE(shard->bytes, shard->bytes - *bytes - KMAP_ENTRY_SHARE);
	shmap_quota_give(&map->quota, i, 1, *bytes + KMAP_ENTRY_SHARE);
	if (unlikely(*kept))
		shmap_kept_keep_locked(map, shard, record, spot->ref);
	return 0;
}

/* Set one bit in *@keep per entry of a chain that must be kept: 0 or SHMAP_NEEDS_RECORD. */
static inline int
shmap_shard_claim_chain_locked(struct shmap_map *map, struct shmap_shard *shard,
			       u32 bucket, u32 *refs,
			       const struct shmap_records *records, u64 *keep)
{
	const struct kmap_entry *entry;
	unsigned int n, i, used = 0;
	struct shmap_kept *record;
	bool kept;

	BUILD_BUG_ON(SHMAP_CHAIN_SLOTS > 64);
	shmap_table_assert_locked(&shard->table);
	*keep = 0;
	if (!shard->newest)
		return 0;
	n = shmap_table_refs_locked(&shard->table, bucket, refs);
	for (i = 0; i < n; i++) {
		entry = shmap_pool_entry(&map->pool, refs[i]);
		record = used < records->n ? records->record[used] :
					     records->none;
		if (shmap_shard_claim_locked(map, shard, entry, record, &kept))
			return SHMAP_NEEDS_RECORD;
		if (kept) {
			*keep |= BIT_ULL(i);
			used++;
		}
	}
	return 0;
}

/**
 * shmap_shard_unlink_chain_locked - unlink all entries of a chain
 * @map: the map
 * @shard: the shard
 * @bucket: number of the home bucket
 * @records: records to keep the entries that snapshots need
 * @refs: array of SHMAP_CHAIN_SLOTS references; filled in with those to the entries that
 *	are not kept, which belong to the caller afterwards
 * @n: set to the number of references filled in
 *
 * Context: writer.
 * Return: 0 or SHMAP_NEEDS_RECORD.
 */
static inline int
shmap_shard_unlink_chain_locked(struct shmap_map *map,
				struct shmap_shard *shard, u32 bucket,
				struct shmap_records *records, u32 *refs,
				unsigned int *n)
{
	unsigned int count, k;
	u64 keep, bytes;

	shmap_table_assert_locked(&shard->table);
	*n = 0;
	if (shmap_shard_claim_chain_locked(map, shard, bucket, refs, records,
					   &keep))
		return SHMAP_NEEDS_RECORD;
	count = shmap_table_empty_locked(&shard->table, bucket, refs);
	bytes = (u64)count * KMAP_ENTRY_SHARE;
	for (k = 0; k < count; k++) {
		bytes += shmap_arena_entry_size(shmap_pool_entry(&map->pool,
								 refs[k]));
		shard->version++;
		if (keep & BIT_ULL(k))
			shmap_kept_keep_locked(map, shard,
					       records->record[--records->n],
					       refs[k]);
		else
			refs[(*n)++] = refs[k];
	}
	WRITE_ONCE(shard->bytes, shard->bytes - bytes);
	shmap_quota_give(&map->quota, shard - map->shard, count, bytes);
	return 0;
}

#endif /* SHMAP_SHARD_INLINE_H */
