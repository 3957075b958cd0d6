/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Changing the entries of a shard.  Every change goes through here: SET, ADD in place
 * and by a copy, DELETE and CLEAR.  So this is where an entry gets its version, where
 * quotas and sums are kept, and where it is found out whether a snapshot needs what
 * goes.  Each of these changes all of that or, when it returns something else than 0,
 * nothing.
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
 * struct shmap_records - records for what CLEAR takes out of a chain
 * @record: the records
 * @n: how many there are
 * @none: ERR_PTR() when there is no memory for more
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

/* May it go?  SHMAP_NEEDS_RECORD when it has to be kept and there is no record. */
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
 * shmap_shard_publish_locked - put an entry in the map whose key is absent
 * @map: the map
 * @shard: the shard
 * @fresh: the entry, complete but for its version; it is the map's afterwards
 * @probe: of the key
 * @version: set to its version
 * @wants: set to the block of buckets that is needed, if one is
 *
 * What does not fit in the chain is refused before anything is taken from the
 * quota: units that come back would be missing for others meanwhile.
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
	u32 bytes = fresh->bytes, block;
	int ret;

	shmap_table_assert_locked(&shard->table);
	block = shmap_table_wants_locked(&shard->table);
	if (unlikely(block)) {
		*wants = block;
		return SHMAP_NEEDS_BLOCK;
	}
	ret = shmap_table_end_locked(&shard->table, probe, &end);
	if (unlikely(ret))
		return ret;
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
 * shmap_shard_replace_locked - put an entry in the place of another
 * @map: the map
 * @shard: the shard
 * @fresh: the entry, complete but for its version; it is the map's afterwards
 * @probe: of the key
 * @spot: where the other entry is
 * @entry: the other entry, which is the caller's afterwards unless it is kept
 * @record: to keep it, or NULL, or ERR_PTR() without memory
 * @version: set to the version of the entry
 * @kept: set to whether the other one is kept
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
 * @probe: of the key
 * @entry: the entry; its value is a number
 * @number: the number
 * @record: NULL, or ERR_PTR() when nothing can be kept
 * @version: set to the entry's new version
 *
 * One 64-bit store for the number and one for the version.
 *
 * Context: writer.
 * Return: 0, or SHMAP_NEEDS_COPY when the entry is to stay as it is.
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
 * shmap_shard_unlink_locked - take an entry out of the map
 * @map: the map
 * @shard: the shard
 * @probe: of the key
 * @spot: where the entry is
 * @entry: the entry, which is the caller's afterwards unless it is kept
 * @record: to keep it, or NULL, or ERR_PTR() without memory
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
	WRITE_ONCE(shard->bytes, shard->bytes - *bytes);
	shmap_quota_give(&map->quota, i, 1, *bytes);
	if (unlikely(*kept))
		shmap_kept_keep_locked(map, shard, record, spot->ref);
	return 0;
}

/* What of a chain is to be kept, a bit for each: 0, or SHMAP_NEEDS_RECORD. */
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
 * shmap_shard_unlink_chain_locked - take all entries of a chain out of the map
 * @map: the map
 * @shard: the shard
 * @bucket: number of the home bucket
 * @records: to keep what snapshots need
 * @refs: filled in with references to those that are the caller's afterwards, since
 *	they are not kept; room for SHMAP_CHAIN_SLOTS of them
 * @n: set to how many these are
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
	u64 keep, bytes = 0;

	shmap_table_assert_locked(&shard->table);
	*n = 0;
	if (shmap_shard_claim_chain_locked(map, shard, bucket, refs, records,
					   &keep))
		return SHMAP_NEEDS_RECORD;
	count = shmap_table_empty_locked(&shard->table, bucket, refs);
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
