// SPDX-License-Identifier: GPL-2.0-only
/*
 * Walks over all keys, chain by chain in the order of the bit-reversed hash.
 *
 * The low bits of the hash choose the shard and the bits above them the bucket,
 * so in the bit-reversed order shards follow each other, and within a shard the
 * chains do.  The cursor is a place in that order: everything before it has
 * been returned.  Entries with the same hash are returned together or not at
 * all.  A walk locks one shard at a time, for one chain.
 *
 * A snapshot freezes the map first: each shard's writers are sent to wait, then
 * the walk goes through at its ease.  The moment of the snapshot is when the
 * last shard is frozen.  No lock is needed then, so however much is copied, only
 * writers wait; those that waited go before the next snapshot.
 */
#include <linux/bitrev.h>
#include <linux/bits.h>
#include <linux/err.h>

#include "lookup.h"
#include "walk.h"

#define ORDER_END	BIT_ULL(32)

static size_t item_size(const struct shmap_walk *walk,
			const struct kmap_entry *entry)
{
	return KMAP_ITEM_SIZE(shmap_entry_key_len(entry),
			      walk->values ? shmap_entry_value_len(entry) : 0);
}

static void write_item(struct shmap_walk *walk, const struct kmap_entry *entry,
		       unsigned int i)
{
	size_t size = item_size(walk, entry);
	struct kmap_item *item = walk->buf + walk->used;
	void *at = item + 1;

	item->key_len = shmap_entry_key_len(entry);
	item->flags = KMAP_ENTRY_FLAGS(walk->word[i]);
	item->value_len = shmap_entry_value_len(entry);
	item->version = KMAP_ENTRY_VERSION(walk->word[i]);
	memcpy(at, shmap_entry_key(entry), item->key_len);
	at += item->key_len;
	if (walk->values) {
		shmap_entry_copy(at, entry, walk->word[i], walk->number[i]);
		at += item->value_len;
	}
	memset(at, 0, (void *)item + size - at);
}

/* Write all places of one chain that fit.  False: some did not. */
static bool write_chain(struct shmap_map *map, struct shmap_walk *walk,
			unsigned int n, u64 end)
{
	unsigned int i, same;
	size_t size;

	for (i = 0; i < n; i = same) {
		size = 0;
		for (same = i; same < n && walk->place[same].order ==
		     walk->place[i].order; same++)
			size += item_size(walk,
					  shmap_pool_entry(&map->pool,
							   walk->place[same].ref));
		if (!walk->measure && walk->used + size > walk->size) {
			walk->need = size;
			walk->cursor = walk->place[i].order;
			return false;
		}
		for (; i < same; i++) {
			struct kmap_entry *entry;

			entry = shmap_pool_entry(&map->pool,
						 walk->place[i].ref);
			if (!walk->measure)
				write_item(walk, entry, i);
			walk->used += item_size(walk, entry);
			walk->count++;
		}
	}
	walk->cursor = end == ORDER_END ? KMAP_KEYS_END : end;
	return true;
}

/* Write one record at @at, if it fits.  Returns where the next one goes. */
static __always_inline void *write_fast(void *at, void *limit,
					const struct kmap_entry *entry,
					const bool values)
{
	u32 lens = entry->lens;
	u32 key_len = KMAP_ENTRY_KEY_LEN(lens);
	u32 value_len = KMAP_ENTRY_VALUE_LEN(lens);
	void *next = at + KMAP_ITEM_SIZE(key_len, values ? value_len : 0);
	const u64 *from = shmap_entry_key(entry);
	struct kmap_item *item = at;
	u64 *to = (u64 *)(item + 1);
	s64 number;
	u64 word;

	if (unlikely(next > limit))
		return NULL;
	item->key_len = key_len;
	item->value_len = value_len;
	/* A key in an entry has zeroes behind it, up to a whole word. */
	*to++ = *from++;
	while ((void *)from < shmap_entry_key(entry) + key_len)
		*to++ = *from++;
	if (values) {
		shmap_entry_state(entry, &word, &number);
		at = (void *)(item + 1) + key_len;
		shmap_entry_copy(at, entry, word, number);
		at += value_len;
		memset(at, 0, next - at);
	} else {
		word = READ_ONCE(entry->version);
	}
	item->flags = KMAP_ENTRY_FLAGS(word);
	item->version = KMAP_ENTRY_VERSION(word);
	return next;
}

/*
 * Write a chain in the order of its slots, which is quick, where that is as good:
 * the walk stands at its beginning, and all of it fits.
 *
 * Return: 1; 0 when it is to be done in another way; -EAGAIN.  Only with 1 has
 * the walk gone on.
 */
static __always_inline int step_whole(struct shmap_map *map,
				      struct shmap_shard *shard,
				      struct shmap_walk *walk,
				      const struct shmap_probe *probe,
				      bool locked, const bool values)
{
	const struct kmap_bucket *bucket = probe->home;
	const struct shmap_table *table = &shard->table;
	unsigned int left = SHMAP_CHAIN_BUCKETS, bits, slot, count = 0;
	void *limit = walk->buf + walk->size;
	void *at = walk->buf + walk->used;
	u32 mask, behind;

	/* The number of buckets again: see shmap_table_collect(). */
	shmap_table_home_number(table, probe->hash, &bits);
	mask = (u32)(BIT_ULL(bits) - 1);
	behind = 0xffffffffu >> bits;
	if (unlikely((u32)walk->cursor & behind))
		return 0;
	do {
		for (slot = 0; slot < KMAP_BUCKET_SLOTS; slot++) {
			u32 ref = READ_ONCE(bucket->refs[slot]);
			const struct kmap_entry *entry;

			if (!ref)
				break;
			entry = shmap_pool_entry(&map->pool, ref);
			/* What moves in a split may still be here as well. */
			if (unlikely((entry->hash ^ probe->hash) & mask))
				continue;
			at = write_fast(at, limit, entry, values);
			if (unlikely(!at))
				return 0;
			count++;
		}
		bucket = shmap_chain_next(table, bucket);
	} while (unlikely(bucket) && --left);
	if (unlikely(!locked && !shmap_table_stable(table, probe)))
		return -EAGAIN;
	walk->used = at - walk->buf;
	walk->count += count;
	walk->cursor += behind + 1ull;
	if (walk->cursor == ORDER_END)
		walk->cursor = KMAP_KEYS_END;
	return 1;
}

static int step_once(struct shmap_map *map, struct shmap_shard *shard,
		     struct shmap_walk *walk, u32 hash, bool locked)
{
	struct shmap_probe probe __uninitialized;
	unsigned int n, i;
	u64 end;
	int r;

	lockdep_assert(walk->frozen ||
		       map->config.lock->read_held(&shard->lock));
	if (!shmap_table_begin(&shard->table, hash, &probe))
		return -EAGAIN;
	if (likely(!walk->measure)) {
		r = walk->values ?
		    step_whole(map, shard, walk, &probe, locked, true) :
		    step_whole(map, shard, walk, &probe, locked, false);
		if (likely(r))
			return r;
	}
	if (walk->whole && walk->used) {
		walk->need = 1;
		return false;
	}
	n = shmap_table_collect(&shard->table, &probe, walk->place, &end);
	for (i = 0; i < n; i++)
		shmap_entry_state(shmap_pool_entry(&map->pool,
						   walk->place[i].ref),
				  &walk->word[i], &walk->number[i]);
	if (!locked && !shmap_table_stable(&shard->table, &probe))
		return -EAGAIN;
	return write_chain(map, walk, n, end);
}

/**
 * shmap_walk_step - go on with a walk, by one chain
 * @map: the map
 * @walk: the walk; cursor is a place in the order, not the end
 *
 * Context: may sleep.
 * Return: true, or false when something did not fit; then need says how much
 * the next records take.
 */
bool shmap_walk_step(struct shmap_map *map, struct shmap_walk *walk)
{
	const struct shmap_lock_ops *lock = map->config.lock;
	u32 hash = bitrev32(walk->cursor);
	struct shmap_shard *shard = shmap_map_shard(map, hash);
	unsigned int try;
	int r;

	if (walk->frozen)
		return step_once(map, shard, walk, hash, true);
	for (try = 0;; try++) {
		if (lock->lockless_reads && try == SHMAP_TRIES) {
			shmap_lock_write_enter(lock, &shard->lock);
			r = step_once(map, shard, walk, hash, true);
			shmap_lock_write_leave(lock, &shard->lock);
			break;
		}
		shmap_lock_read_enter(lock, &shard->lock);
		r = step_once(map, shard, walk, hash, !lock->lockless_reads);
		shmap_lock_read_leave(lock, &shard->lock);
		if (r != -EAGAIN)
			break;
		shmap_map_count(map, SHMAP_RETRIES);
		cpu_relax();
	}
	return r;
}

/**
 * shmap_walk_freeze - keep the map as it is
 * @map: the map
 *
 * Context: may sleep; no user memory may be touched until shmap_walk_thaw().
 * Return: 0, or -EINTR when a fatal signal came.
 */
int shmap_walk_freeze(struct shmap_map *map)
{
	const struct shmap_lock_ops *lock = map->config.lock;
	unsigned int i;

	if (mutex_lock_killable(&map->snapshot))
		return -EINTR;
	if (wait_event_killable(map->thawed, !atomic_read(&map->held_up))) {
		mutex_unlock(&map->snapshot);
		return -EINTR;
	}
	WRITE_ONCE(map->frozen, true);
	for (i = 0; i < map->config.shards; i++) {
		shmap_lock_write_enter(lock, &map->shard[i].lock);
		map->shard[i].frozen = true;
		shmap_lock_write_leave(lock, &map->shard[i].lock);
	}
	return 0;
}

/**
 * shmap_walk_thaw - let writers go on
 * @map: the map
 *
 * Context: may sleep.
 */
void shmap_walk_thaw(struct shmap_map *map)
{
	const struct shmap_lock_ops *lock = map->config.lock;
	unsigned int i;

	for (i = 0; i < map->config.shards; i++) {
		shmap_lock_write_enter(lock, &map->shard[i].lock);
		map->shard[i].frozen = false;
		shmap_lock_write_leave(lock, &map->shard[i].lock);
	}
	WRITE_ONCE(map->frozen, false);
	wake_up_all(&map->thawed);
	mutex_unlock(&map->snapshot);
}
