/* SPDX-License-Identifier: GPL-2.0-only */
/* Operations on one key; see key.c. */
#ifndef SHMAP_KEY_H
#define SHMAP_KEY_H

#include "change_inline.h"

u32 shmap_key_hash(const struct shmap_map *map, const void *key, u32 key_len);
int shmap_key_prepare(struct shmap_map *map, struct shmap_request *rq,
		      u32 value_len, u32 value_flags);
void shmap_key_discard(struct shmap_map *map, struct shmap_request *rq);
int shmap_key_get(struct shmap_map *map, struct shmap_request *rq);
int shmap_key_set(struct shmap_map *map, struct shmap_request *rq);
int shmap_key_delete(struct shmap_map *map, struct shmap_request *rq);
int shmap_key_add(struct shmap_map *map, struct shmap_request *rq);
int shmap_key_set_more(struct shmap_map *map, struct shmap_request *rq,
		       int needs);
int shmap_key_delete_more(struct shmap_map *map, struct shmap_request *rq,
			  int needs);

/**
 * shmap_key_set_plain - store a value, without conditions
 * @map: the map
 * @shard: the shard of the hash
 * @rq: the request, of which key, key_len and hash are set, with a fresh entry that
 *	holds key and value
 *
 * Context: may sleep.
 * Return: 0, and the entry is the map's; or -ENOSPC, -EXFULL or -ENOMEM, and nothing
 * has changed.
 */
static __always_inline int shmap_key_set_plain(struct shmap_map *map,
					       struct shmap_shard *shard,
					       struct shmap_request *rq)
{
	int ret = shmap_change_set(map, shard, rq, NULL, NULL);

	return unlikely(ret > 0) ? shmap_key_set_more(map, rq, ret) : ret;
}

/**
 * shmap_key_delete_plain - remove a key, without conditions
 * @map: the map
 * @shard: the shard of the hash
 * @rq: the request, of which key, key_len and hash are set
 *
 * Context: may sleep.
 * Return: 0; or -ENOENT, and nothing has changed.
 */
static __always_inline int shmap_key_delete_plain(struct shmap_map *map,
						  struct shmap_shard *shard,
						  struct shmap_request *rq)
{
	int ret = shmap_change_delete(map, shard, rq, NULL, NULL);

	return unlikely(ret > 0) ? shmap_key_delete_more(map, rq, ret) : ret;
}

#endif /* SHMAP_KEY_H */
