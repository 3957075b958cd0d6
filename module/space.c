// SPDX-License-Identifier: GPL-2.0-only
/*
 * Memory for entries, when the arena has none at hand.
 *
 * It is taken from, in this order: deferred entries of this shard that no reader holds
 * any more; a slab from the pool, for which some entries are moved if much memory is in
 * free objects; deferred entries and empty slabs of all shards, after entries were moved
 * wherever that pays, which means waiting for grace periods; entries kept for snapshots,
 * which ends the snapshots.
 */
#include <linux/err.h>
#include <linux/sched.h>

#include "compact.h"
#include "payer.h"
#include "space.h"
#include "sweep.h"

/**
 * shmap_space_squeeze - free deferred entries and give empty slabs back to the pool
 * @map: the map
 * @killable: whether a fatal signal ends the wait for readers
 *
 * Context: may sleep.
 * Return: 0, or -EINTR when a fatal signal came.
 */
int shmap_space_squeeze(struct shmap_map *map, bool killable)
{
	long stirred = atomic_long_read(&map->pool.stirred);
	struct shmap_arena *arena;
	unsigned int i;
	int ret = 0;

	if (map->config.lock->lockless_reads) {
		for (i = 0; i < map->config.shards; i++)
			shmap_defer_close(&map->shard[i].defer);
		for (i = 0; !ret && i < map->config.shards; i++)
			ret = shmap_defer_drain(&map->shard[i].defer, killable);
	}
	for (arena = shmap_payer_next(map, NULL); arena;
	     arena = shmap_payer_next(map, arena))
		shmap_arena_trim(arena, READ_ONCE(map->pool.round));
	if (!ret)
		WRITE_ONCE(map->squeezed, stirred);
	return ret;
}

/* Was anything freed or put aside since make_space() last began? */
static bool can_make_space(const struct shmap_map *map)
{
	return READ_ONCE(map->squeezed) != atomic_long_read(&map->pool.stirred) ||
	       READ_ONCE(map->pool.uneven);
}

/* Move entries wherever that makes slabs empty, and free all that can be freed. */
static int make_space(struct shmap_map *map)
{
	struct shmap_arena *arena;

	WRITE_ONCE(map->pool.uneven, false);
	for (arena = shmap_payer_next(map, NULL); arena;
	     arena = shmap_payer_next(map, arena))
		shmap_compact_arena(map, arena, 0);
	return shmap_space_squeeze(map, true);
}

/**
 * shmap_space_alloc - allocate an entry when shmap_payer_take() has returned none
 * @map: the map
 * @shard: the shard that the entry is for; not locked
 * @bytes: its size, including the header
 * @ref: set to the reference to it
 *
 * Memory of removed entries is reused before fresh memory is allocated.
 *
 * Context: may sleep.
 * Return: the entry, or -ENOSPC, -ENOMEM or -EINTR as an ERR_PTR().
 */
struct kmap_entry *shmap_space_alloc(struct shmap_map *map,
				     struct shmap_shard *shard, u32 bytes,
				     u32 *ref)
{
	bool reaped = !map->config.lock->lockless_reads, squeezed = false;
	struct shmap_arena *arena = shmap_payer_get(map, shard);
	struct kmap_entry *entry = NULL;
	int ret = PTR_ERR_OR_ZERO(arena);

	while (!ret) {
		entry = shmap_arena_take(arena, bytes, ref);
		if (entry)
			break;
		if (!reaped) {
			shmap_defer_close(&shard->defer);
			shmap_defer_reap(&shard->defer);
			reaped = true;
			continue;
		}
		if (shmap_arena_is_uneven(arena, SHMAP_ARENA_SLACK / 2))
			shmap_compact_some(map, arena);
		ret = shmap_arena_grow(arena, bytes);
		if (ret == -ENOSPC && !squeezed && can_make_space(map)) {
			ret = make_space(map);
			squeezed = true;
		}
		/* End a snapshot rather than let the operation fail. */
		if ((ret == -ENOSPC || ret == -ENOMEM) && shmap_sweep_relieve(map))
			ret = shmap_space_squeeze(map, true);
	}
	if (!IS_ERR(arena))
		shmap_payer_put(map, arena);
	return entry ?: ERR_PTR(ret);
}
