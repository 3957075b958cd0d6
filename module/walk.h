/* SPDX-License-Identifier: GPL-2.0-only */
/* Walks over all keys; see walk.c and walk_long.c. */
#ifndef SHMAP_WALK_H
#define SHMAP_WALK_H

#include "entry.h"
#include "map.h"

/* Most bytes that are copied under one lock, or with preemption off. */
#define SHMAP_PIECE	16384u

/**
 * struct shmap_walk - a walk, and what it filled
 * @cursor: where to go on: place in the order, or KMAP_KEYS_END
 * @values: values too
 * @whole: more room comes when @buf is emptied: do not part a chain before that
 * @buf: records go here
 * @size: size of @buf, as far as it may be filled
 * @whole_size: size of @buf as it was allocated
 * @used: bytes filled
 * @count: records filled
 * @need: bytes that the records which did not fit need
 * @place: entries of one chain
 * @word: their version words
 * @number: their values where these are numbers
 */
struct shmap_walk {
	u64			cursor;
	bool			values;
	bool			whole;
	void			*buf;
	size_t			size;
	size_t			whole_size;
	size_t			used;
	u32			count;
	size_t			need;
	struct shmap_place	place[SHMAP_CHAIN_SLOTS];
	u64			word[SHMAP_CHAIN_SLOTS];
	s64			number[SHMAP_CHAIN_SLOTS];
};

bool shmap_walk_step(struct shmap_map *map, struct shmap_walk *walk);
bool shmap_walk_long(struct shmap_map *map, struct shmap_shard *shard,
		     struct shmap_walk *walk);

/**
 * shmap_walk_item_size - bytes of a record
 * @walk: the walk
 * @entry: an entry
 *
 * Context: any.
 * Return: bytes, a multiple of 8.
 */
static inline size_t shmap_walk_item_size(const struct shmap_walk *walk,
					  const struct kmap_entry *entry)
{
	return KMAP_ITEM_SIZE(shmap_entry_key_len(entry),
			      walk->values ? shmap_entry_value_len(entry) : 0);
}

/**
 * shmap_walk_write_item - write a record where the used part of the buffer ends
 * @walk: the walk
 * @entry: an entry
 * @i: index of its version and number
 * @whole: all of it; else neither its value nor what is behind that
 *
 * Context: reader or writer.
 */
static inline void shmap_walk_write_item(struct shmap_walk *walk,
					 const struct kmap_entry *entry,
					 unsigned int i, bool whole)
{
	size_t size = shmap_walk_item_size(walk, entry);
	struct kmap_item *item = walk->buf + walk->used;
	void *at = item + 1;

	item->key_len = shmap_entry_key_len(entry);
	item->flags = KMAP_ENTRY_FLAGS(walk->word[i]);
	item->value_len = shmap_entry_value_len(entry);
	item->version = KMAP_ENTRY_VERSION(walk->word[i]);
	memcpy(at, shmap_entry_key(entry), item->key_len);
	if (!whole)
		return;
	at += item->key_len;
	if (walk->values) {
		shmap_entry_copy(at, entry, walk->word[i], walk->number[i]);
		at += item->value_len;
	}
	memset(at, 0, (void *)item + size - at);
}

#endif /* SHMAP_WALK_H */
