/* SPDX-License-Identifier: GPL-2.0-only */
/* Operations on one key; see key.c. */
#ifndef SHMAP_KEY_H
#define SHMAP_KEY_H

#include "map.h"

/**
 * struct shmap_fresh - an entry that is not in the map yet
 * @entry: the entry, or NULL
 * @ref: reference to it
 */
struct shmap_fresh {
	struct kmap_entry	*entry;
	u32			ref;
};

/**
 * struct shmap_request - one operation on kernel memory
 * @key: the key
 * @key_len: its length, 1 to max_key
 * @hash: of the key, from shmap_key_hash()
 * @flags: KMAP_CREATE and so on; checked by the caller
 * @version: in: to match; out: as struct kmap_op says
 * @number: in: to add; out: as struct kmap_op says
 * @out: buffer for a value that comes back
 * @out_room: size of the buffer
 * @out_size: longest value that the user can take
 * @out_len: out: length of the value, or KMAP_ABSENT
 * @fresh: entry that SET puts in the map, with key and value
 */
struct shmap_request {
	const void		*key;
	u32			key_len;
	u32			hash;
	u32			flags;
	u64			version;
	s64			number;
	void			*out;
	u32			out_room;
	u32			out_size;
	u32			out_len;
	struct shmap_fresh	fresh;
};

u32 shmap_key_hash(const struct shmap_map *map, const void *key, u32 key_len);
int shmap_key_prepare(struct shmap_map *map, struct shmap_request *rq,
		      u32 value_len);
void shmap_key_discard(struct shmap_map *map, struct shmap_request *rq);
int shmap_key_get(struct shmap_map *map, struct shmap_request *rq);
int shmap_key_set(struct shmap_map *map, struct shmap_request *rq);
int shmap_key_delete(struct shmap_map *map, struct shmap_request *rq);
int shmap_key_add(struct shmap_map *map, struct shmap_request *rq);

#endif /* SHMAP_KEY_H */
