// SPDX-License-Identifier: GPL-2.0-only
/*
 * Walks over all keys, chain by chain in the order of the bit-reversed hash.
 *
 * The low bits of the hash choose the shard and the bits above them the bucket,
 * so in the bit-reversed order one shard follows another, and within a shard one
 * chain follows another.  The cursor is a place in that order: everything before it
 * has been returned.  Entries with the same hash are returned together or not at
 * all.  A step of a walk reads one chain as a reader of its shard, and copies no more
 * than SHMAP_PIECE bytes before it leaves: longer records are left to walk_long.c.
 */
#include <linux/bitrev.h>
#include <linux/err.h>

#include "walk.h"
#include "walk_long.h"

/* Result of an attempt at a step, besides true, false and -EAGAIN: see write_chain(). */
#define STEP_LONG	2

/* Size of the records of all entries at the place of entry *@i; moves *@i past them. */
static size_t same_size(struct shmap_map *map, const struct shmap_walk *walk,
			unsigned int *i, unsigned int n)
{
	u32 order = walk->place[*i].order;
	size_t size = 0;

	for (; *i < n && walk->place[*i].order == order; ++*i)
		size += shmap_item_size(walk,
					     shmap_pool_entry(&map->pool,
							      walk->place[*i].ref));
	return size;
}

/*
 * Write the records of one chain, as many as fit and may be copied at a time.
 *
 * Return: true; false when a record did not fit; STEP_LONG when the records at the
 * cursor's place are longer than SHMAP_PIECE.
 */
static int write_chain(struct shmap_map *map, struct shmap_walk *walk,
		       unsigned int n, u64 end)
{
	size_t size, copied = 0;
	unsigned int i, same;

	for (i = 0; i < n;) {
		same = i;
		size = same_size(map, walk, &same, n);
		if (walk->used + size > walk->size) {
			walk->need = size;
			walk->cursor = walk->place[i].order;
			return false;
		}
		if (copied + size > SHMAP_PIECE) {
			walk->cursor = walk->place[i].order;
			return copied ? true : STEP_LONG;
		}
		copied += size;
		for (; i < same; i++) {
			struct kmap_entry *entry;

			entry = shmap_pool_entry(&map->pool,
						 walk->place[i].ref);
			shmap_item_write(walk, entry, &walk->seen[i],
					 true);
			walk->used += shmap_item_size(walk, entry);
			walk->count++;
		}
	}
	walk->cursor = end == SHMAP_ORDER_END ? KMAP_KEYS_END : end;
	return true;
}

/* Write one record at @at, if it fits.  Returns the address of the next one, or NULL. */
static __always_inline void *write_fast(void *at, void *limit,
					const struct kmap_entry *entry,
					const bool values, unsigned int *count)
{
	u32 lens = entry->lens;
	u32 key_len = KMAP_ENTRY_KEY_LEN(lens);
	u32 value_len = KMAP_ENTRY_VALUE_LEN(lens);
	void *next = at + KMAP_ITEM_SIZE(key_len, values ? value_len : 0);
	const u64 *from = shmap_entry_key(entry);
	struct kmap_item *item = at;
	u64 *to = (u64 *)(item + 1);
	struct shmap_seen seen __uninitialized;
	unsigned int i;
	u64 word;

	if (unlikely(next > limit))
		return NULL;
	item->key_len = key_len;
	item->flags = 0;
	item->value_len = value_len;
	/* Padding of the record; the rest of this word is overwritten. */
	if (values)
		((u64 *)next)[-1] = 0;
	/* The key in an entry is padded with zeroes to a whole word. */
	to[0] = from[0];
	if (key_len > 8)
		to[1] = from[1];
	for (i = 2; unlikely(i * 8 < key_len); i++)
		to[i] = from[i];
	word = READ_ONCE(entry->version);
	item->version = word;
	at = (void *)(item + 1) + key_len;
	if (likely(word == KMAP_ENTRY_VERSION(word))) {
		if (values)
			memcpy(at, (const void *)entry + KMAP_ENTRY_VALUE(key_len),
			       value_len);
	} else {
		/* With flags, the value may be a number, which changes in place. */
		if (!shmap_read_see(entry, &seen))
			return item;
		item->flags = KMAP_ENTRY_FLAGS(seen.word);
		item->version = KMAP_ENTRY_VERSION(seen.word);
		if (values)
			shmap_entry_copy(at, entry, seen.word, seen.number);
	}
	++*count;
	return next;
}

/*
 * Write a whole chain in the order of its slots, which is faster than sorting it.  This
 * is possible if the walk is at the beginning of the chain and all of it fits.
 *
 * Return: 1; 0 when the caller has to sort the chain; -EAGAIN.  The walk advances only
 * if this returns 1.
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
	void *limit = walk->buf + min_t(size_t, walk->size,
					walk->used + SHMAP_PIECE);
	void *at = walk->buf + walk->used;
	u32 mask, behind;

	/* As shmap_table_collect(): the number of buckets may have grown since. */
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
			/* An entry that a split moves may be here as well for a moment. */
			if (unlikely((entry->hash ^ probe->hash) & mask))
				continue;
			at = write_fast(at, limit, entry, values, &count);
			if (unlikely(!at))
				return 0;
		}
		bucket = shmap_chain_next(&table->chains, bucket);
	} while (unlikely(bucket) && --left);
	if (unlikely(!shmap_read_stable(table, probe, locked)))
		return -EAGAIN;
	walk->used = at - walk->buf;
	walk->count += count;
	walk->cursor += behind + 1ull;
	if (walk->cursor == SHMAP_ORDER_END)
		walk->cursor = KMAP_KEYS_END;
	return 1;
}

static int step_once(struct shmap_map *map, struct shmap_shard *shard,
		     void *arg, bool locked)
{
	struct shmap_probe probe __uninitialized;
	struct shmap_walk *walk = arg;
	unsigned int n, i, k = 0;
	u64 end;
	int ret;

	lockdep_assert(map->config.lock->read_held(&shard->lock));
	if (!shmap_table_begin(&shard->table, walk->hash, &probe))
		return -EAGAIN;
	ret = walk->values ?
	      step_whole(map, shard, walk, &probe, locked, true) :
	      step_whole(map, shard, walk, &probe, locked, false);
	if (likely(ret))
		return ret;
	if (walk->whole && walk->used) {
		walk->need = 1;
		return false;
	}
	n = shmap_table_collect(&shard->table, &probe, walk->place, &end);
	for (i = 0; i < n; i++) {
		if (!shmap_read_see(shmap_pool_entry(&map->pool,
						     walk->place[i].ref),
				    &walk->seen[k]))
			continue;
		walk->place[k++] = walk->place[i];
	}
	if (!shmap_read_stable(&shard->table, &probe, locked))
		return -EAGAIN;
	return write_chain(map, walk, k, end);
}

/**
 * shmap_walk_step - go on with a walk, by one chain
 * @map: the map
 * @walk: the walk; cursor is a place in the order, not the end
 *
 * Context: may sleep.
 * Return: true, or false when a record did not fit.  Then need is the size of the records
 * at the cursor's place, or 1 when the chain is tried again with an emptied buffer.
 */
bool shmap_walk_step(struct shmap_map *map, struct shmap_walk *walk)
{
	struct shmap_shard *shard;
	int ret;

	walk->hash = bitrev32(walk->cursor);
	shard = shmap_map_shard(map, walk->hash);
	ret = shmap_read_run(map, shard, step_once, walk);
	return ret == STEP_LONG ? shmap_walk_long(map, shard, walk) : ret;
}
