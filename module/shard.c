// SPDX-License-Identifier: GPL-2.0-only
/*
 * One shard of a map.
 *
 * A shard is a lock and a table of entries.  A task that changes entries locks the shard
 * with shmap_shard_lock(), which helps to make the cut of a snapshot when one is being
 * made.  After unlocking the shard it hands the entries that it unlinked to
 * shmap_shard_retire(): they are freed at once where readers lock the shard, and after a
 * grace period where they do not.
 */
#include <linux/bitrev.h>
#include <linux/sched.h>

#include "shard.h"

/* Most buckets that are taken away in one hold of the lock. */
#define SHRINK_BUCKETS	8

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
	u64 place = bitrev32(shard->table.shard);
	u64 end = place + (SHMAP_ORDER_END >> map->shard_bits);
	u32 refs[SHMAP_CHAIN_SLOTS], bucket;
	unsigned int n;

	while (place < end) {
		shmap_lock_write_enter(map->config.lock, &shard->lock);
		place = shmap_table_next_locked(&shard->table, place, &bucket);
		n = shmap_table_empty_locked(&shard->table, bucket, refs);
		shmap_lock_write_leave(map->config.lock, &shard->lock);
		shmap_arena_free(&map->pool, refs, n);
		cond_resched();
	}
}

/**
 * shmap_shard_shrink - take buckets away that a shard does not need, a few at a time
 * @map: the map
 * @shard: the shard
 *
 * With the last of them the shard gives back the overflow buckets that it keeps, each of
 * which may be the only one in use of its block.
 *
 * Context: may sleep.
 * Return: true when there are more.
 */
bool shmap_shard_shrink(struct shmap_map *map, struct shmap_shard *shard)
{
	bool more;

	/* No entry changes, so this is of no concern to a cut. */
	shmap_lock_write_enter(map->config.lock, &shard->lock);
	more = shmap_table_shrink_locked(&shard->table, SHRINK_BUCKETS);
	if (!more)
		shmap_chain_settle(&shard->table.chains, 0);
	shmap_lock_write_leave(map->config.lock, &shard->lock);
	return more;
}
