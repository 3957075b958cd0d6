// SPDX-License-Identifier: GPL-2.0-only
/*
 * Memory for entries, when the arena has none at hand.
 *
 * It is taken from, in this order: deferred entries of this shard that no reader holds
 * any more; a slab from the pool, for which some entries are moved if much memory is in
 * free objects; deferred entries and empty slabs of all shards, after entries were moved
 * wherever that pays, which means waiting for grace periods; entries kept for snapshots,
 * which ends the snapshots.
 *
 * A task also waits for grace periods before it takes a slab when the map takes more than it
 * should, and much of that waits for readers: see must_wait().
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

/**
 * shmap_space_can_make - may shmap_space_make() find anything?
 * @map: the map
 *
 * Context: any.
 * Return: true if anything was freed or put aside since it last began.
 */
bool shmap_space_can_make(const struct shmap_map *map)
{
	return READ_ONCE(map->squeezed) != atomic_long_read(&map->pool.stirred) ||
	       READ_ONCE(map->pool.uneven);
}

/**
 * shmap_space_make - move entries wherever that makes slabs empty, and free all that can be
 * @map: the map
 * @killable: whether a fatal signal ends the wait for readers
 *
 * Context: may sleep.
 * Return: 0, or -EINTR when a fatal signal came.
 */
int shmap_space_make(struct shmap_map *map, bool killable)
{
	struct shmap_arena *arena;

	WRITE_ONCE(map->pool.uneven, false);
	for (arena = shmap_payer_next(map, NULL); arena;
	     arena = shmap_payer_next(map, arena))
		shmap_compact_arena(map, arena, 0);
	return shmap_space_squeeze(map, killable);
}

/* Bytes that wait for readers: deferred entries, and slabs that go when they are freed. */
static u64 waiting_bytes(const struct shmap_map *map)
{
	u64 bytes = atomic_long_read(&map->pool.drained);
	unsigned int i;

	for (i = 0; i < map->config.shards; i++)
		bytes += READ_ONCE(map->shard[i].defer.bytes);
	return bytes;
}

/*
 * Does the map take so much, with what waits for readers, that a task must wait for them,
 * too?  Half of the part of max_bytes that may be deferred is no reason, nor is what small
 * maps may defer beyond that part.  What stays after a wait, for instance because of entries
 * kept for a snapshot, is not waited for again.
 */
static bool must_wait(struct shmap_map *map)
{
	u64 part = map->config.max_bytes / SHMAP_DEFER_PART;
	u64 may = max(map->config.shards * map->shard->defer.max, part);
	u64 waiting;

	if (!map->config.lock->lockless_reads ||
	    shmap_pool_taken(&map->pool) <= map->pool.usual + may - part / 2 ||
	    READ_ONCE(map->squeezed) == atomic_long_read(&map->pool.stirred))
		return false;
	waiting = waiting_bytes(map);
	if (waiting < READ_ONCE(map->stuck))
		WRITE_ONCE(map->stuck, waiting);
	return waiting > READ_ONCE(map->stuck) + may / 4;
}

/* Wait for the grace periods of all that is deferred. */
static int wait_for_readers(struct shmap_map *map)
{
	int ret = shmap_space_squeeze(map, true);

	WRITE_ONCE(map->stuck, waiting_bytes(map));
	return ret;
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
		shmap_compact_some(map, arena);
		if (must_wait(map))
			ret = wait_for_readers(map);
		if (!ret)
			ret = shmap_arena_grow(arena, bytes);
		if (ret == -ENOSPC && !squeezed &&
		    shmap_space_can_make(map)) {
			ret = shmap_space_make(map, true);
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
