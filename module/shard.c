// SPDX-License-Identifier: GPL-2.0-only
/*
 * One shard of a map.
 *
 * A shard is a lock, a table of entries and the arena that the entries are allocated
 * from.  A task that changes entries locks the shard with shmap_shard_lock(), which helps
 * to make the cut of a snapshot when one is being made.  After unlocking the shard it
 * hands the entries that it unlinked to shmap_shard_retire(): they are freed at once where
 * readers lock the shard, and after a grace period where they do not.
 */
#include <linux/sched.h>

#include "shard.h"

/**
 * shmap_shard_feed - allocate a block of buckets for a table
 * @map: the map
 * @shard: the shard whose table needed the block when it was last locked
 * @index: from shmap_table_wants_locked()
 *
 * Context: may sleep.
 * Return: 0 or -ENOMEM.
 */
int shmap_shard_feed(struct shmap_map *map, struct shmap_shard *shard,
		     u32 index)
{
	void *block = shmap_mem_alloc_pages(&map->mem, SHMAP_BLOCK_ORDER);

	if (!block)
		return -ENOMEM;
	shmap_shard_lock(map, shard);
	if (shmap_table_feed_locked(&shard->table, index, block))
		block = NULL;
	shmap_shard_unlock(map, shard);
	shmap_mem_free_pages(&map->mem, block, SHMAP_BLOCK_ORDER);
	return 0;
}

/**
 * shmap_shard_drop - free all entries of a shard
 * @map: the map, which is no longer in use
 * @shard: the shard
 *
 * Versions and quotas are not updated, since they are not used any more.
 *
 * Context: may sleep.
 */
void shmap_shard_drop(struct shmap_map *map, struct shmap_shard *shard)
{
	u32 refs[SHMAP_CHAIN_SLOTS], bucket;
	unsigned int n;

	for (bucket = 0; bucket < shard->table.desc->buckets; bucket++) {
		shmap_lock_write_enter(map->config.lock, &shard->lock);
		n = shmap_table_empty_locked(&shard->table, bucket, refs);
		shmap_lock_write_leave(map->config.lock, &shard->lock);
		shmap_arena_free(&shard->arena, refs, n);
		cond_resched();
	}
}
