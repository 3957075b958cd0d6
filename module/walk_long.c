// SPDX-License-Identifier: GPL-2.0-only
/*
 * Walks at places where an entry is long, or many entries have the same hash.
 *
 * Such entries are copied one by one, and long values in pieces of SHMAP_PIECE bytes,
 * leaving the shard after each piece.  For each piece the entry is looked up again by
 * its version, which no other entry of the shard ever has.  It may have been moved.
 * An entry that has changed SHMAP_TRIES times meanwhile is copied whole at once.
 *
 * The keys of the records written so far tell which entries have been copied.
 */
#include <linux/bitrev.h>
#include <linux/sched.h>

#include "walk_long.h"

/**
 * struct target - the entry that is being copied
 * @walk: the walk
 * @from: offset in the walk's buffer of the first record of this place
 * @order: place of the entry
 * @seen: state of the entry when it was chosen
 * @size: size of its record, in bytes
 * @set_size: size of the records of all entries at that place, in bytes
 * @whole: write even a long value at once
 * @to: address that a piece of its value is copied to
 * @at: offset of the piece in the value
 * @len: length of the piece
 */
struct target {
	struct shmap_walk	*walk;
	size_t			from;
	u32			order;
	struct shmap_seen	seen;
	size_t			size;
	size_t			set_size;
	bool			whole;
	void			*to;
	u32			at;
	u32			len;
};

/* Does one of the records from offset @at on have the key of the entry? */
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
 * Choose an entry at the target's place whose key is in none of the records from @from
 * on, and write its record, without the value if that is to be copied in pieces.
 *
 * Return: true; false when no such entry is left; -EMSGSIZE when the record does not fit;
 * -EAGAIN.
 */
static int choose_once(struct shmap_map *map, struct shmap_shard *shard,
		       void *arg, bool locked)
{
	struct shmap_probe probe __uninitialized;
	const struct kmap_entry *entry, *found = NULL;
	struct target *target = arg;
	struct shmap_walk *walk = target->walk;
	struct shmap_seen seen __uninitialized;
	unsigned int n, i;
	u64 end;

	lockdep_assert(map->config.lock->read_held(&shard->lock));
	if (!shmap_table_begin(&shard->table, bitrev32(target->order), &probe))
		return -EAGAIN;
	n = shmap_table_collect(&shard->table, &probe, walk->place, &end);
	target->set_size = 0;
	for (i = 0; i < n && walk->place[i].order == target->order; i++) {
		entry = shmap_pool_entry(&map->pool, walk->place[i].ref);
		if (!shmap_read_see(entry, &seen))
			continue;
		target->set_size += shmap_item_size(walk, entry);
		if (found || has_key(walk, target->from, entry))
			continue;
		found = entry;
		target->seen = seen;
		target->size = shmap_item_size(walk, entry);
	}
	if (!shmap_read_stable(&shard->table, &probe, locked))
		return -EAGAIN;
	if (!found)
		return false;
	if (walk->used + target->size > walk->size)
		return -EMSGSIZE;
	shmap_item_write(walk, found, &target->seen,
			 target->whole || target->size <= SHMAP_PIECE);
	return true;
}

/* Copy a piece of a value: 0, -EAGAIN, or -ESTALE when the entry was removed or changed. */
static int piece_once(struct shmap_map *map, struct shmap_shard *shard,
		      void *arg, bool locked)
{
	struct shmap_probe probe __uninitialized;
	const struct kmap_entry *entry = NULL, *at;
	struct target *target = arg;
	unsigned int n, i;
	struct shmap_seen seen;
	u64 end;

	lockdep_assert(map->config.lock->read_held(&shard->lock));
	if (!shmap_table_begin(&shard->table, bitrev32(target->order), &probe))
		return -EAGAIN;
	n = shmap_table_collect(&shard->table, &probe, target->walk->place, &end);
	for (i = 0; i < n && !entry; i++) {
		at = shmap_pool_entry(&map->pool, target->walk->place[i].ref);
		if (shmap_read_see(at, &seen) && seen.word == target->seen.word)
			entry = at;
	}
	if (!shmap_read_stable(&shard->table, &probe, locked))
		return -EAGAIN;
	if (!entry)
		return -ESTALE;
	memcpy(target->to, shmap_entry_value(entry) + target->at, target->len);
	return 0;
}

/* Write the record of one more entry at the place.  Returns as choose_once(), or -ESTALE. */
static int write_one(struct shmap_map *map, struct shmap_shard *shard,
		     struct target *target)
{
	struct shmap_walk *walk = target->walk;
	struct kmap_item *item = walk->buf + walk->used;
	void *value;
	int ret;

	ret = shmap_read_run(map, shard, choose_once, target);
	if (ret <= 0 || target->whole || target->size <= SHMAP_PIECE)
		return ret;
	value = (void *)(item + 1) + item->key_len;
	for (target->at = 0; target->at < item->value_len;
	     target->at += target->len) {
		target->to = value + target->at;
		target->len = min(item->value_len - target->at, SHMAP_PIECE);
		cond_resched();
		ret = shmap_read_run(map, shard, piece_once, target);
		if (ret)
			return ret;
	}
	value += item->value_len;
	memset(value, 0, (void *)item + target->size - value);
	return true;
}

/**
 * shmap_walk_long - go on with a walk, by the entries at the cursor's place
 * @map: the map
 * @shard: the shard that the place belongs to
 * @walk: the walk
 *
 * Context: may sleep.
 * Return: as shmap_walk_step().
 */
bool shmap_walk_long(struct shmap_map *map, struct shmap_shard *shard,
		     struct shmap_walk *walk)
{
	struct target target = {
		.walk	= walk,
		.from	= walk->used,
		.order	= walk->cursor,
	};
	u32 count = walk->count;
	unsigned int try = 0;
	int ret;

	do {
		target.whole = try >= SHMAP_TRIES;
		ret = write_one(map, shard, &target);
		if (ret == -ESTALE) {
			try++;
			shmap_map_count(map, SHMAP_RETRIES);
		} else if (ret > 0) {
			walk->used += target.size;
			walk->count++;
			try = 0;
		}
	} while (ret > 0 || ret == -ESTALE);
	if (ret == -EMSGSIZE) {
		walk->used = target.from;
		walk->count = count;
		walk->need = target.set_size;
		return false;
	}
	walk->cursor = target.order + 1ull;
	if (walk->cursor == SHMAP_ORDER_END)
		walk->cursor = KMAP_KEYS_END;
	return true;
}
