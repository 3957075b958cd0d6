/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Changes to what is under a key, on kernel memory: what has conditions (key.c),
 * and what has none (ops_change.c) without testing for them.  See key.c.
 */
#ifndef SHMAP_CHANGE_INLINE_H
#define SHMAP_CHANGE_INLINE_H

#include "key.h"

/*
 * 0 when the conditions of a request hold for what was found, or NULL.  Not -EAGAIN:
 * what it needs without the lock is none of ours.
 */
typedef int shmap_check_t(struct shmap_request *rq,
			  const struct kmap_entry *entry);

void shmap_key_bring_old(struct shmap_request *rq,
			 const struct kmap_entry *entry);
int shmap_key_feed(struct shmap_map *map, struct shmap_shard *shard, u32 index);

/**
 * shmap_change_prepare - allocate the entry that a request may put in the map
 * @map: the map
 * @shard: the shard of the hash
 * @rq: the request; key, key_len and hash are set, fresh is filled in
 * @value_len: length of the value, which the caller writes next
 * @value_flags: what the value is, KMAP_IS_NUMBER
 *
 * Context: may sleep.
 * Return: 0, -ENOSPC, -ENOMEM or -EINTR.
 */
static __always_inline int
shmap_change_prepare(struct shmap_map *map, struct shmap_shard *shard,
		     struct shmap_request *rq, u32 value_len, u32 value_flags)
{
	u32 bytes = KMAP_ENTRY_SIZE(rq->key_len, value_len);
	u32 key_len = rq->key_len;
	u32 used = KMAP_ENTRY_VALUE(key_len) + value_len;
	struct kmap_entry *entry;
	u64 *at;
	u32 ref;

	entry = shmap_arena_take(&shard->arena, bytes, &ref);
	if (unlikely(!entry)) {
		entry = shmap_map_alloc_more(map, shard, bytes, &ref);
		if (IS_ERR(entry))
			return PTR_ERR(entry);
	}

	entry->hash = rq->hash;
	entry->lens = KMAP_ENTRY_LENS(key_len, value_len);
	entry->version = (u64)value_flags << KMAP_VERSION_BITS;
	/* No remains of another entry in the gaps: readers may map this. */
	if (used % 8)
		*(u64 *)((void *)entry + bytes - 8) = 0;
	rq->fresh.bytes = shmap_arena_size(bytes);
	if (bytes > SHMAP_SMALL_MAX)
		memset((void *)entry + bytes, 0, rq->fresh.bytes - bytes);
	at = shmap_entry_key(entry);
	if (likely(key_len == 16)) {
		at[0] = shmap_hash_word_at(rq->key);
		at[1] = shmap_hash_word_at(rq->key + 8);
	} else {
		at[(key_len - 1) / 8] = 0;
		memcpy(at, rq->key, key_len);
	}
	rq->fresh.entry = entry;
	rq->fresh.ref = ref;
	return 0;
}

/**
 * shmap_change_insert_locked - put the fresh entry in the map
 * @map: the map
 * @shard: the shard
 * @rq: the request; its key is absent
 * @probe: of the key
 *
 * What does not fit in the chain is refused before anything is taken from the
 * quota: units that come back would be missing for others meanwhile.
 *
 * Context: writer.
 * Return: 0, -EXFULL, or as shmap_quota_take().
 */
static __always_inline int
shmap_change_insert_locked(struct shmap_map *map, struct shmap_shard *shard,
			   struct shmap_request *rq, struct shmap_probe *probe)
{
	unsigned int i = rq->hash & (map->config.shards - 1);
	struct shmap_chain_end end __uninitialized;
	u32 bytes = rq->fresh.bytes;
	int r;

	shmap_table_assert_locked(&shard->table);
	r = shmap_table_end_locked(&shard->table, probe, &end);
	if (unlikely(r))
		return r;
	r = shmap_quota_take(&map->quota, i, 1, bytes);
	if (unlikely(r))
		return r;
	rq->version = ++shard->version;
	shmap_entry_stamp(rq->fresh.entry, rq->version);
	shmap_table_insert_locked(&shard->table, probe, &end, rq->fresh.ref);
	rq->fresh.entry = NULL;
	WRITE_ONCE(shard->bytes, shard->bytes + bytes);
	return 0;
}

/**
 * shmap_change_replace_locked - put the fresh entry in the place of another
 * @map: the map
 * @shard: the shard
 * @rq: the request
 * @probe: of the key
 * @spot: where the other entry is
 * @entry: the other entry
 *
 * Context: writer.
 * Return: 0, or as shmap_quota_take().
 */
static __always_inline int
shmap_change_replace_locked(struct shmap_map *map, struct shmap_shard *shard,
			    struct shmap_request *rq, struct shmap_probe *probe,
			    struct shmap_spot *spot,
			    const struct kmap_entry *entry)
{
	u32 bytes = 0, old = 0;
	int r;

	shmap_table_assert_locked(&shard->table);
	if (rq->fresh.entry->lens != entry->lens) {
		bytes = rq->fresh.bytes;
		old = shmap_arena_entry_size(entry);
	}
	if (bytes > old) {
		r = shmap_quota_take(&map->quota, shard - map->shard, 0,
				     bytes - old);
		if (unlikely(r))
			return r;
	}
	rq->version = ++shard->version;
	shmap_entry_stamp(rq->fresh.entry, rq->version);
	shmap_table_replace_locked(&shard->table, probe, spot, rq->fresh.ref);
	rq->fresh.entry = NULL;
	if (bytes < old)
		shmap_quota_give(&map->quota, shard - map->shard, 0,
				 old - bytes);
	if (bytes != old)
		WRITE_ONCE(shard->bytes, shard->bytes + bytes - old);
	return 0;
}

/*
 * Did a change come to nothing because what it takes away is to be kept, and there
 * was no record for that?  Then get one.  A value that is to come back is copied
 * under the lock next time, even if it is long: an entry that is kept is freed by
 * whoever finds that nobody needs it any more.
 */
static __always_inline bool shmap_change_again(struct shmap_map *map,
					       struct shmap_request *rq,
					       bool keep,
					       struct shmap_kept **record)
{
	if (likely(!keep || *record))
		return false;
	rq->whole = true;
	*record = shmap_kept_record(map);
	return true;
}

/**
 * shmap_change_set - store a value
 * @map: the map
 * @shard: the shard of the hash
 * @rq: the request, with a fresh entry that holds key and value
 * @check: finds out whether the conditions hold, or NULL where there are none
 *
 * Context: may sleep.
 * Return: 0 and the entry is the map's, or an error and nothing changed.
 */
static __always_inline int shmap_change_set(struct shmap_map *map,
					    struct shmap_shard *shard,
					    struct shmap_request *rq,
					    shmap_check_t *check)
{
	struct shmap_table *table = &shard->table;
	struct shmap_probe probe __uninitialized;
	struct shmap_spot spot __uninitialized;
	struct shmap_kept *record = NULL;
	struct kmap_entry *entry;
	bool keep;
	u32 wants;
	int r;

	do {
		shmap_map_lock(map, shard);
		wants = 0;
		keep = false;
		shmap_table_begin(table, rq->hash, &probe);
		entry = shmap_table_find(table, &probe, rq->key, rq->key_len,
					 &spot);
		r = check ? check(rq, entry) : 0;
		if (!r && entry) {
			if (shmap_map_may_need(shard, entry))
				keep = shmap_kept_claim_locked(map, shard,
							       entry, record);
			if (likely(!keep || record))
				r = shmap_change_replace_locked(map, shard, rq,
								&probe, &spot,
								entry);
			if (unlikely(keep && record && !r))
				shmap_kept_keep_locked(map, shard, record,
						       spot.ref);
		} else if (!r) {
			wants = shmap_table_wants_locked(table);
		}
		if (!r && !entry && !wants)
			r = shmap_change_insert_locked(map, shard, rq, &probe);
		shmap_map_unlock(map, shard);
		if (unlikely(wants))
			r = shmap_key_feed(map, shard, wants);
	} while (unlikely(r ? r == -EAGAIN :
			      wants || shmap_change_again(map, rq, keep,
							  &record)));

	if (unlikely(record && (r || !keep)))
		shmap_kept_discard(map, record);
	if (unlikely(r))
		return r;
	if (unlikely(keep)) {
		shmap_kept_sweep_some(map);
	} else if (entry) {
		if (check && rq->flags & KMAP_RETURN)
			shmap_key_bring_old(rq, entry);
		shmap_map_retire(map, shard, spot.ref,
				 shmap_arena_entry_size(entry));
	}
	shmap_map_count(map, SHMAP_SETS);
	return 0;
}

/**
 * shmap_change_delete - remove a key
 * @map: the map
 * @shard: the shard of the hash
 * @rq: the request
 * @check: finds out whether the conditions hold, or NULL where there are none
 *
 * Context: may sleep.
 * Return: 0, or an error and nothing changed.
 */
static __always_inline int shmap_change_delete(struct shmap_map *map,
					       struct shmap_shard *shard,
					       struct shmap_request *rq,
					       shmap_check_t *check)
{
	struct shmap_table *table = &shard->table;
	unsigned int i = rq->hash & (map->config.shards - 1);
	struct shmap_probe probe __uninitialized;
	struct shmap_spot spot __uninitialized;
	struct shmap_kept *record = NULL;
	struct kmap_entry *entry;
	bool keep;
	u32 bytes;
	int r;

	do {
		shmap_map_lock(map, shard);
		keep = false;
		shmap_table_begin(table, rq->hash, &probe);
		entry = shmap_table_find(table, &probe, rq->key, rq->key_len,
					 &spot);
		r = !entry ? -ENOENT : check ? check(rq, entry) : 0;
		if (!r && shmap_map_may_need(shard, entry))
			keep = shmap_kept_claim_locked(map, shard, entry,
						       record);
		if (unlikely(r || (keep && !record))) {
			shmap_map_unlock(map, shard);
			continue;
		}
		rq->version = KMAP_ENTRY_VERSION(entry->version);
		bytes = shmap_arena_entry_size(entry);
		shmap_table_remove_locked(table, &probe, &spot);
		shard->version++;
		WRITE_ONCE(shard->bytes, shard->bytes - bytes);
		shmap_quota_give(&map->quota, i, 1, bytes);
		if (unlikely(keep))
			shmap_kept_keep_locked(map, shard, record, spot.ref);
		shmap_map_unlock(map, shard);
		if (unlikely(keep)) {
			shmap_kept_sweep_some(map);
		} else {
			if (check && rq->flags & KMAP_RETURN)
				shmap_key_bring_old(rq, entry);
			shmap_map_retire(map, shard, spot.ref, bytes);
		}
		shmap_map_count(map, SHMAP_DELETES);
		break;
	} while (!r && shmap_change_again(map, rq, keep, &record));

	if (unlikely(record && (r || !keep)))
		shmap_kept_discard(map, record);
	return r;
}

#endif /* SHMAP_CHANGE_INLINE_H */
