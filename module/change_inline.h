/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * One attempt to change the entry of a key, on kernel memory.  key.c calls this with a
 * function that tests conditions; key.h calls it without one, for requests that have none.
 */
#ifndef SHMAP_CHANGE_INLINE_H
#define SHMAP_CHANGE_INLINE_H

#include "payer.h"
#include "request.h"
#include "space.h"
#include "sweep.h"

/*
 * Tests the conditions of a request against the entry that was found, or NULL.  Returns 0
 * when they hold, else what the attempt is to return.
 */
typedef int shmap_holds_t(struct shmap_request *rq,
			  const struct kmap_entry *entry);

/**
 * shmap_change_prepare - allocate the entry that a request may put in the map
 * @map: the map
 * @shard: the shard of the hash
 * @rq: the request; key, key_len and hash are set, fresh is filled in
 * @value_len: length of the value, which the caller writes next
 * @value_flags: KMAP_IS_NUMBER, or 0
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

	entry = shmap_payer_take(shard, bytes, &ref);
	if (unlikely(!entry)) {
		entry = shmap_space_alloc(map, shard, bytes, &ref);
		if (IS_ERR(entry))
			return PTR_ERR(entry);
	}

	/* While this is prepared, compact.c may read these two, and find nothing. */
	WRITE_ONCE(entry->hash, rq->hash);
	WRITE_ONCE(entry->lens, KMAP_ENTRY_LENS(key_len, value_len));
	entry->version = (u64)value_flags << KMAP_VERSION_BITS;
	/* Leave nothing of an earlier entry in the gaps: readers may map this memory. */
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

/*
 * Retire an entry that a change has unlinked, unless it is kept.  @bytes is its size, or 0
 * to take the size from the entry.  A kept entry must not be read here: it may have
 * been freed by now.
 */
static __always_inline void
shmap_change_let_go(struct shmap_map *map, struct shmap_shard *shard,
		    struct shmap_request *rq, const struct kmap_entry *entry,
		    u32 ref, u32 bytes, bool kept, bool returns)
{
	if (unlikely(kept)) {
		rq->record = NULL;
		shmap_sweep_some(map);
		return;
	}
	/* Only this task can free the entry, so a long value that is returned is copied now. */
	if (returns && rq->flags & KMAP_RETURN && shmap_request_pending(rq))
		shmap_entry_copy(rq->out, entry, 0, 0);
	shmap_shard_retire(map, shard, ref,
			   bytes ?: shmap_arena_entry_size(entry));
}

/**
 * shmap_change_begin - lock the shard of a request and look the key up
 * @map: the map
 * @shard: the shard of the hash
 * @rq: the request
 * @probe: filled in
 * @spot: set to the slot of the entry, if there is one
 *
 * Context: as shmap_shard_lock(); the caller must unlock the shard.
 * Return: the entry, or NULL.
 */
static __always_inline struct kmap_entry *
shmap_change_begin(struct shmap_map *map, struct shmap_shard *shard,
		   const struct shmap_request *rq, struct shmap_probe *probe,
		   struct shmap_spot *spot)
{
	shmap_shard_lock(map, shard);
	shmap_table_begin(&shard->table, rq->hash, probe);
	return shmap_table_find(&shard->table, probe, rq->key, rq->key_len,
				spot);
}

/**
 * shmap_change_set - one attempt to store a value
 * @map: the map
 * @shard: the shard of the hash
 * @rq: the request, with a fresh entry that holds key and value
 * @holds: tests the conditions, or NULL where there are none
 * @record: rq->record, or NULL where that is not set
 *
 * Context: may sleep.
 * Return: 0, and the entry is the map's; or an error or one of enum shmap_needs, and
 * nothing has changed.
 */
static __always_inline int shmap_change_set(struct shmap_map *map,
					    struct shmap_shard *shard,
					    struct shmap_request *rq,
					    shmap_holds_t *holds,
					    struct shmap_kept *record)
{
	struct shmap_probe probe __uninitialized;
	struct shmap_spot spot __uninitialized;
	struct kmap_entry *entry;
	bool kept = false;
	int ret;

	entry = shmap_change_begin(map, shard, rq, &probe, &spot);
	ret = holds ? holds(rq, entry) : 0;
	if (!ret && entry)
		ret = shmap_shard_replace_locked(map, shard, &rq->fresh, &probe,
						 &spot, entry, record,
						 &rq->version, &kept);
	else if (!ret)
		ret = shmap_shard_publish_locked(map, shard, &rq->fresh, &probe,
						 &rq->version, &rq->wants);
	shmap_shard_unlock(map, shard);
	if (unlikely(ret))
		return ret;
	if (entry)
		shmap_change_let_go(map, shard, rq, entry, spot.ref, 0, kept,
				    holds);
	shmap_map_count(map, SHMAP_SETS);
	return 0;
}

/**
 * shmap_change_delete - one attempt to remove a key
 * @map: the map
 * @shard: the shard of the hash
 * @rq: the request
 * @holds: tests the conditions, or NULL where there are none
 * @record: rq->record, or NULL where that is not set
 *
 * Context: may sleep.
 * Return: 0; or an error or one of enum shmap_needs, and nothing has changed.
 */
static __always_inline int shmap_change_delete(struct shmap_map *map,
					       struct shmap_shard *shard,
					       struct shmap_request *rq,
					       shmap_holds_t *holds,
					       struct shmap_kept *record)
{
	struct shmap_probe probe __uninitialized;
	struct shmap_spot spot __uninitialized;
	struct kmap_entry *entry;
	bool kept = false;
	u32 bytes = 0;
	int ret;

	entry = shmap_change_begin(map, shard, rq, &probe, &spot);
	ret = !entry ? -ENOENT : holds ? holds(rq, entry) : 0;
	if (!ret)
		ret = shmap_shard_unlink_locked(map, shard, &probe, &spot, entry,
						record, &bytes, &kept);
	if (!ret)
		rq->version = KMAP_ENTRY_VERSION(entry->version);
	shmap_shard_unlock(map, shard);
	if (unlikely(ret))
		return ret;
	shmap_change_let_go(map, shard, rq, entry, spot.ref, bytes, kept, holds);
	shmap_map_count(map, SHMAP_DELETES);
	return 0;
}

#endif /* SHMAP_CHANGE_INLINE_H */
