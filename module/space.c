// SPDX-License-Identifier: GPL-2.0-only
/*
 * Room for entries, where the shard's arena has none at hand.
 *
 * In this order: what was removed from this shard and no reader has any more; a slab
 * from the pool; what all shards have put aside, for which grace periods are waited
 * for; what is kept for snapshots, which are ended then.
 */
#include <linux/err.h>
#include <linux/sched.h>

#include "space.h"
#include "sweep.h"

/**
 * shmap_space_squeeze - make all free memory of the entry area usable for all
 * @map: the map
 * @killable: end at a fatal signal
 *
 * Context: may sleep.
 * Return: 0, or -EINTR when a fatal signal came.
 */
int shmap_space_squeeze(struct shmap_map *map, bool killable)
{
	long stirred = atomic_long_read(&map->pool.stirred);
	unsigned int i;
	int ret = 0;

	if (map->config.lock->lockless_reads) {
		for (i = 0; i < map->config.shards; i++)
			shmap_defer_close(&map->shard[i].defer);
		for (i = 0; !ret && i < map->config.shards; i++)
			ret = shmap_defer_drain(&map->shard[i].defer, killable);
	}
	for (i = 0; i < map->config.shards; i++)
		shmap_arena_trim(&map->shard[i].arena);
	if (!ret)
		WRITE_ONCE(map->squeezed, stirred);
	return ret;
}

/* Has anything been put aside since somebody last looked for it in vain? */
static bool can_squeeze(const struct shmap_map *map)
{
	return READ_ONCE(map->squeezed) != atomic_long_read(&map->pool.stirred);
}

/**
 * shmap_space_alloc - allocate an entry, where shmap_arena_take() gave none
 * @map: the map
 * @shard: the shard it is for; not locked
 * @bytes: its size, header and all
 * @ref: set to the reference that names it
 *
 * What was removed and can be used again goes before fresh memory.
 *
 * Context: may sleep.
 * Return: the entry, or -ENOSPC, -ENOMEM or -EINTR as an ERR_PTR().
 */
struct kmap_entry *shmap_space_alloc(struct shmap_map *map,
				     struct shmap_shard *shard, u32 bytes,
				     u32 *ref)
{
	bool reaped = !map->config.lock->lockless_reads, squeezed = false;
	struct kmap_entry *entry;
	int ret = 0;

	while (!ret) {
		entry = shmap_arena_take(&shard->arena, bytes, ref);
		if (entry)
			return entry;
		if (!reaped) {
			shmap_defer_close(&shard->defer);
			shmap_defer_reap(&shard->defer);
			reaped = true;
			continue;
		}
		ret = shmap_arena_grow(&shard->arena, bytes);
		if (ret == -ENOSPC && !squeezed && can_squeeze(map)) {
			ret = shmap_space_squeeze(map, true);
			squeezed = true;
		}
		/* No snapshot is worth an operation that fails. */
		if ((ret == -ENOSPC || ret == -ENOMEM) && shmap_sweep_relieve(map))
			ret = shmap_space_squeeze(map, true);
	}
	return ERR_PTR(ret);
}
