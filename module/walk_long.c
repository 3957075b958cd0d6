// SPDX-License-Identifier: GPL-2.0-only
/*
 * Walks where an entry is long, or many entries have the same hash.
 *
 * Such entries are copied one by one, and a long value in pieces of SHMAP_PIECE
 * bytes, each under a lock of its own.  Before each piece the entry is looked up
 * again by its reference and version, which together no other entry of the shard
 * ever has.  One that is changed again and again is copied whole, under one lock.
 *
 * What has been written already is known by the keys of the records.
 */
#include <linux/bitrev.h>
#include <linux/sched.h>

#include "table_inline.h"
#include "walk.h"

/**
 * struct target - the entry that is being copied
 * @order: its place
 * @ref: reference to it
 * @word: its version word
 * @size: bytes of its record
 * @set_size: bytes of all records of that place
 */
struct target {
	u32	order;
	u32	ref;
	u64	word;
	size_t	size;
	size_t	set_size;
};

/* Is the key of an entry in one of the records from @at on? */
static bool has_key(const struct shmap_walk *walk, size_t at,
		    const struct kmap_entry *entry)
{
	u32 key_len = shmap_entry_key_len(entry);

	while (at < walk->used) {
		const struct kmap_item *item = walk->buf + at;

		if (item->key_len == key_len &&
		    !memcmp(item + 1, shmap_entry_key(entry), key_len))
			return true;
		at += KMAP_ITEM_SIZE(item->key_len,
				     walk->values ? item->value_len : 0);
	}
	return false;
}

/*
 * Choose an entry at the place whose key is in none of the records from @from on,
 * and write its record; not a value that is long, unless @whole.
 *
 * Return: true; false when there is none; -EMSGSIZE when it does not fit; -EAGAIN.
 */
static int choose(struct shmap_map *map, struct shmap_shard *shard,
		  struct shmap_walk *walk, size_t from, bool whole, bool locked,
		  struct target *target)
{
	struct shmap_probe probe __uninitialized;
	const struct kmap_entry *entry;
	unsigned int n, i, found;
	u64 end;

	lockdep_assert(map->config.lock->read_held(&shard->lock));
	if (!shmap_table_begin(&shard->table, bitrev32(target->order), &probe))
		return -EAGAIN;
	n = shmap_table_collect(&shard->table, &probe, walk->place, &end);
	target->set_size = 0;
	for (i = 0, found = n; i < n; i++) {
		if (walk->place[i].order != target->order)
			break;
		entry = shmap_pool_entry(&map->pool, walk->place[i].ref);
		target->set_size += shmap_walk_item_size(walk, entry);
		if (found == n && !has_key(walk, from, entry))
			found = i;
	}
	if (found < n) {
		target->ref = walk->place[found].ref;
		entry = shmap_pool_entry(&map->pool, target->ref);
		shmap_entry_state(entry, &target->word, &walk->number[0]);
		walk->word[0] = target->word;
		target->size = shmap_walk_item_size(walk, entry);
	}
	if (!locked && !shmap_table_stable(&shard->table, &probe))
		return -EAGAIN;
	if (found == n)
		return false;
	if (walk->used + target->size > walk->size)
		return -EMSGSIZE;
	shmap_walk_write_item(walk, entry, 0,
			      whole || target->size <= SHMAP_PIECE);
	return true;
}

/* Copy a piece of a value, if the entry is still there, and unchanged. */
static int copy_piece(struct shmap_map *map, struct shmap_shard *shard,
		      const struct target *target, void *to, u32 at, u32 len,
		      bool locked)
{
	struct shmap_probe probe __uninitialized;
	unsigned int left = SHMAP_CHAIN_BUCKETS, slot;
	const struct kmap_entry *entry = NULL;
	struct kmap_bucket *bucket;

	lockdep_assert(map->config.lock->read_held(&shard->lock));
	if (!shmap_table_begin(&shard->table, bitrev32(target->order), &probe))
		return -EAGAIN;
	bucket = probe.home;
	do {
		for (slot = 0; slot < KMAP_BUCKET_SLOTS; slot++)
			if (READ_ONCE(bucket->refs[slot]) == target->ref)
				entry = shmap_pool_entry(&map->pool,
							 target->ref);
		bucket = shmap_chain_next(&shard->table.chains, bucket);
	} while (!entry && bucket && --left);
	if (!entry || READ_ONCE(entry->version) != target->word)
		return -EAGAIN;
	if (!locked && !shmap_table_same(&probe))
		return -EAGAIN;
	memcpy(to, shmap_entry_value(entry) + at, len);
	return 0;
}

/* Lock a shard for reading, or as its only user: then nothing else changes it. */
static bool enter(const struct shmap_lock_ops *lock, struct shmap_shard *shard,
		  bool alone)
{
	if (alone)
		shmap_lock_write_enter(lock, &shard->lock);
	else
		shmap_lock_read_enter(lock, &shard->lock);
	return alone || !lock->lockless_reads;
}

static void leave(const struct shmap_lock_ops *lock, struct shmap_shard *shard,
		  bool alone)
{
	if (alone)
		shmap_lock_write_leave(lock, &shard->lock);
	else
		shmap_lock_read_leave(lock, &shard->lock);
}

/* Write the record of one more entry at the place; returns as choose(). */
static int write_one(struct shmap_map *map, struct shmap_shard *shard,
		     struct shmap_walk *walk, size_t from, bool alone,
		     struct target *target)
{
	const struct shmap_lock_ops *lock = map->config.lock;
	struct kmap_item *item = walk->buf + walk->used;
	void *value;
	bool locked;
	u32 at, len;
	int r;

	locked = enter(lock, shard, alone);
	r = choose(map, shard, walk, from, alone, locked, target);
	leave(lock, shard, alone);
	if (r <= 0 || alone || target->size <= SHMAP_PIECE)
		return r;
	value = (void *)(item + 1) + item->key_len;
	for (at = 0; at < item->value_len; at += len) {
		len = min(item->value_len - at, SHMAP_PIECE);
		cond_resched();
		locked = enter(lock, shard, false);
		r = copy_piece(map, shard, target, value + at, at, len, locked);
		leave(lock, shard, false);
		if (r)
			return r;
	}
	value += at;
	memset(value, 0, (void *)item + target->size - value);
	return true;
}

/**
 * shmap_walk_long - go on with a walk, by all entries at the cursor's place
 * @map: the map
 * @shard: the shard of the place
 * @walk: the walk
 *
 * Context: may sleep.
 * Return: as shmap_walk_step().
 */
bool shmap_walk_long(struct shmap_map *map, struct shmap_shard *shard,
		     struct shmap_walk *walk)
{
	struct target target = { .order = walk->cursor };
	size_t from = walk->used;
	u32 count = walk->count;
	unsigned int try = 0;
	int r;

	do {
		r = write_one(map, shard, walk, from, try >= SHMAP_TRIES,
			      &target);
		if (r == -EAGAIN) {
			try++;
			shmap_map_count(map, SHMAP_RETRIES);
			cpu_relax();
		} else if (r > 0) {
			walk->used += target.size;
			walk->count++;
			try = 0;
		}
	} while (r > 0 || r == -EAGAIN);
	if (r == -EMSGSIZE) {
		walk->used = from;
		walk->count = count;
		walk->need = target.set_size;
		return false;
	}
	walk->cursor = target.order + 1ull;
	if (walk->cursor == SHMAP_ORDER_END)
		walk->cursor = KMAP_KEYS_END;
	return true;
}
