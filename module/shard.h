/* SPDX-License-Identifier: GPL-2.0-only */
/* One shard of a map: locking it, retiring entries; see shard.c. */
#ifndef SHMAP_SHARD_H
#define SHMAP_SHARD_H

#include "cut.h"
#include "map_types.h"

bool shmap_shard_shrink(struct shmap_map *map, struct shmap_shard *shard);
void shmap_shard_drop(struct shmap_map *map, struct shmap_shard *shard);

/**
 * shmap_shard_lock - lock a shard to change it
 * @map: the map
 * @shard: the shard
 *
 * If the shard is marked for a cut whose moment is not chosen yet, this takes cuts->order
 * as well.
 *
 * Context: may sleep; nothing may sleep until shmap_shard_unlock().
 */
static inline void shmap_shard_lock(struct shmap_map *map,
				    struct shmap_shard *shard)
{
	shmap_lock_write_enter(map->config.lock, &shard->lock);
	if (unlikely(shard->marked))
		shmap_cut_enter(map, shard);
}

/**
 * shmap_shard_unlock - unlock a shard after a change
 * @map: the map
 * @shard: the shard
 *
 * Context: as shmap_shard_lock() left it.
 */
static inline void shmap_shard_unlock(struct shmap_map *map,
				      struct shmap_shard *shard)
{
	if (unlikely(shard->marked))
		shmap_cut_leave(map);
	shmap_lock_write_leave(map->config.lock, &shard->lock);
}

/**
 * shmap_shard_retire - hand over an unlinked entry to be freed
 * @map: the map
 * @shard: the shard that the entry was in; not locked
 * @ref: reference to it
 * @bytes: its size
 *
 * Context: may sleep.
 */
static inline void shmap_shard_retire(struct shmap_map *map,
				      struct shmap_shard *shard, u32 ref,
				      u32 bytes)
{
	if (map->config.lock->lockless_reads)
		shmap_defer_add(&shard->defer, ref, bytes);
	else
		shmap_arena_free(&map->pool, &ref, 1);
}

#endif /* SHMAP_SHARD_H */
