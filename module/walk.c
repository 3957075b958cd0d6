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
	item->value_len = shmap_entry_value_len(entry);
	item->version = walk->version[i];
	memcpy(at, shmap_entry_key(entry), item->key_len);
	at += item->key_len;
	if (walk->values) {
		shmap_entry_copy(at, entry, walk->number[i]);
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

static int step_once(struct shmap_map *map, struct shmap_shard *shard,
		     struct shmap_walk *walk, bool locked)
{
	struct shmap_probe probe;
	unsigned int n, i;
	u64 end;

	lockdep_assert(walk->frozen ||
		       map->config.lock->read_held(&shard->lock));
	if (!shmap_table_begin(&shard->table, bitrev32(walk->cursor), &probe))
		return -EAGAIN;
	n = shmap_table_collect(&shard->table, &probe, walk->place, &end);
	for (i = 0; i < n; i++)
		shmap_entry_state(shmap_pool_entry(&map->pool,
						   walk->place[i].ref),
				  &walk->version[i], &walk->number[i]);
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
	struct shmap_shard *shard = shmap_map_shard(map,
						    bitrev32(walk->cursor));
	unsigned int try;
	int r;

	if (walk->frozen)
		return step_once(map, shard, walk, true);
	for (try = 0;; try++) {
		if (lock->lockless_reads && try == SHMAP_TRIES) {
			shmap_lock_write_enter(lock, &shard->lock);
			r = step_once(map, shard, walk, true);
			shmap_lock_write_leave(lock, &shard->lock);
			break;
		}
		lock->read_enter(&shard->lock);
		r = step_once(map, shard, walk, !lock->lockless_reads);
		lock->read_leave(&shard->lock);
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
