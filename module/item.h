/* SPDX-License-Identifier: GPL-2.0-only */
/* A walk, and the records that it writes; see walk.c and walk_long.c. */
#ifndef SHMAP_ITEM_H
#define SHMAP_ITEM_H

#include "read.h"

/**
 * struct shmap_walk - a walk, and its buffer
 * @cursor: place to go on from, or KMAP_KEYS_END
 * @hash: @cursor as a hash, for a step
 * @values: the walk returns values as well as keys
 * @whole: the buffer of the user has space for more than @size, so a chain that does not
 *	fit behind other records as a whole waits until @buf has been emptied
 * @buf: buffer for the records
 * @size: bytes of @buf that may be filled
 * @whole_size: bytes of @buf that were allocated
 * @used: bytes filled
 * @count: number of records written
 * @need: bytes that the records which did not fit need
 * @place: places of the entries of one chain
 * @seen: what was seen of these entries
 */
struct shmap_walk {
	u64			cursor;
	u32			hash;
	bool			values;
	bool			whole;
	void			*buf;
	size_t			size;
	size_t			whole_size;
	size_t			used;
	u32			count;
	size_t			need;
	struct shmap_place	place[SHMAP_CHAIN_SLOTS];
	struct shmap_seen	seen[SHMAP_CHAIN_SLOTS];
};

/**
 * shmap_item_size - bytes of a record
 * @walk: the walk
 * @entry: an entry
 *
 * Context: any.
 * Return: bytes, a multiple of 8.
 */
static inline size_t shmap_item_size(const struct shmap_walk *walk,
				     const struct kmap_entry *entry)
{
	return KMAP_ITEM_SIZE(shmap_entry_key_len(entry),
			      walk->values ? shmap_entry_value_len(entry) : 0);
}

/**
 * shmap_item_write - write a record where the used part of the buffer ends
 * @walk: the walk
 * @entry: an entry
 * @seen: what was seen of it
 * @whole: write the whole record; otherwise neither its value nor what follows that
 *
 * Context: reader or writer.
 */
static inline void shmap_item_write(struct shmap_walk *walk,
				    const struct kmap_entry *entry,
				    const struct shmap_seen *seen, bool whole)
{
	size_t size = shmap_item_size(walk, entry);
	struct kmap_item *item = walk->buf + walk->used;
	void *at = item + 1;

	item->key_len = KMAP_ENTRY_KEY_LEN(seen->lens);
	item->flags = KMAP_ENTRY_FLAGS(seen->word);
	item->value_len = KMAP_ENTRY_VALUE_LEN(seen->lens);
	item->version = KMAP_ENTRY_VERSION(seen->word);
	memcpy(at, shmap_entry_key(entry), item->key_len);
	if (!whole)
		return;
	at += item->key_len;
	if (walk->values) {
		shmap_entry_copy(at, entry, seen->word, seen->number);
		at += item->value_len;
	}
	memset(at, 0, (void *)item + size - at);
}

#endif /* SHMAP_ITEM_H */
