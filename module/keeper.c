// SPDX-License-Identifier: GPL-2.0-only
/*
 * The keeper of a map: work in the background that gives back to the kernel what is not
 * used any more, and that wipes removed entries in time.
 *
 * Where readers take no lock, a removed entry is freed after a grace period, by a later
 * operation on its shard; a slab that has become empty is kept for a while; and an entry
 * that a snapshot needs is kept.  If no operation comes, the keeper does what is left to
 * do.  It is called when something is put aside, and comes again as long as anything is.
 *
 * In each run it moves entries out of slabs that have few, starts the grace period of all
 * deferred entries, frees those whose grace period is over, takes away buckets that a table
 * does not need, gives empty slabs back to the pool that were empty in its last run already,
 * and gives idle memory of the pool and of the table back to the kernel.
 * With wipe=Y it ends the snapshots that began before its last run, if anything is kept.
 * So an entry waits for three runs at most, and for its grace period between them.  When
 * the machine is short of memory (shrinker.c), one run does all that can be done.
 *
 * Only the keeper takes mappings of the window away, because for that it waits for clients
 * that are about to map or unmap it.  Nobody waits for the keeper.
 */
#include <linux/sched.h>

#include "blocks.h"
#include "compact.h"
#include "hole.h"
#include "inode.h"
#include "keeper.h"
#include "payer.h"
#include "shard.h"
#include "space.h"
#include "sweep.h"

static struct workqueue_struct *queue;

/* Take units away from all mappings. */
static void unmap(struct shmap_map *map, const struct shmap_gone *gone)
{
	u64 at = map->head->entry_offset +
		 (u64)gone->region * SHMAP_REGION_UNITS * SHMAP_UNIT_SIZE;
	unsigned int from, to;

	for_each_set_bitrange(from, to, gone->unit, SHMAP_REGION_UNITS)
		shmap_inode_unmap(map->inode,
				  at + (u64)from * SHMAP_UNIT_SIZE,
				  (u64)(to - from) * SHMAP_UNIT_SIZE);
}

/* Take stale pages of zeros away, then give the memory of idle units back. */
static bool keep_pool(struct shmap_map *map)
{
	struct shmap_pool *pool = &map->pool;
	unsigned int made = READ_ONCE(pool->area.made);
	struct shmap_gone gone;

	for (gone.region = 0; gone.region < made; gone.region++) {
		if (shmap_hole_fill_begin(pool, &gone)) {
			unmap(map, &gone);
			shmap_hole_fill_end(pool, &gone);
		}
		if (shmap_hole_give_begin(pool, &gone)) {
			unmap(map, &gone);
			shmap_hole_give_end(pool, &gone);
		}
		cond_resched();
	}
	return shmap_hole_waits(pool);
}

/*
 * Free what readers of a shard do not use any more, and shrink its table.  Returns true when
 * more is left.
 */
static bool keep_shard(struct shmap_map *map, struct shmap_shard *shard)
{
	while (shmap_shard_shrink(map, shard))
		cond_resched();
	shmap_defer_close(&shard->defer);
	shmap_defer_reap(&shard->defer);
	return READ_ONCE(shard->defer.bytes);
}

/* Is the map tight, and has it grown since all its slabs were last exposed? */
static bool must_expose(struct shmap_map *map)
{
	unsigned int backed = READ_ONCE(map->pool.backed);
	bool tight = shmap_pool_is_tight(&map->pool);

	if (tight && backed > map->exposed + map->exposed / 64) {
		map->exposed = backed;
		return true;
	}
	map->exposed = tight ? min(map->exposed, backed) : 0;
	return false;
}

/* Move entries of slabs that have few.  Returns true when slabs are left to be emptied. */
static bool compact_arenas(struct shmap_map *map)
{
	bool more = false, expose = must_expose(map);
	struct shmap_arena *arena;

	for (arena = shmap_payer_next(map, NULL); arena;
	     arena = shmap_payer_next(map, arena)) {
		if (expose)
			shmap_arena_expose(arena);
		more |= shmap_compact_arena(map, arena, SHMAP_ARENA_SLACK);
		cond_resched();
	}
	return more;
}

/* Give slabs back that were empty in the last run already.  Returns true if others are. */
static bool trim_arenas(struct shmap_map *map, unsigned long round)
{
	struct shmap_arena *arena;
	bool more = false;

	for (arena = shmap_payer_next(map, NULL); arena;
	     arena = shmap_payer_next(map, arena)) {
		more |= shmap_arena_trim(arena, round - 2);
		cond_resched();
	}
	shmap_payers_drop(map);
	return more;
}

/* Free what was kept for snapshots and is not needed.  Returns true when more is kept. */
static bool keep_kept(struct shmap_map *map)
{
	const struct shmap_cuts *cuts = &map->cuts;
	unsigned int i;

	if (map->config.wipe)
		return shmap_sweep_expire(map, &map->kept_cut);
	for (i = 0; i < map->config.shards && READ_ONCE(cuts->kept) &&
	     READ_ONCE(cuts->sweep_left); i++) {
		shmap_sweep_some(map);
		cond_resched();
	}
	return READ_ONCE(cuts->kept);
}

/* Free a block of buckets that nobody finds, unless the fault handler still has it. */
static bool free_block(struct shmap_map *map, struct kmap_bucket *block, u32 at)
{
	if (shmap_mem_pages_shared(block))
		return false;
	/* Pairs with put_page() in map_page(): mappings that were made are found. */
	smp_mb();
	shmap_inode_unmap(map->inode, map->head->bucket_offset +
			  (u64)at * sizeof(struct kmap_bucket),
			  PAGE_SIZE << SHMAP_BLOCK_ORDER);
	shmap_mem_free_pages(&map->tables, block, SHMAP_BLOCK_ORDER);
	WRITE_ONCE(map->buckets.given_back,
		   map->buckets.given_back + (PAGE_SIZE << SHMAP_BLOCK_ORDER));
	return true;
}

/* Give blocks of buckets back.  Returns true when there may be more. */
static bool keep_buckets(struct shmap_map *map)
{
	struct shmap_buckets *buckets = &map->buckets;
	struct shmap_blocks *gone = &buckets->gone;
	unsigned int i, left = 0;
	bool more = false;

	if (READ_ONCE(buckets->blank) && READ_ONCE(buckets->fed)) {
		WRITE_ONCE(buckets->fed, false);
		WRITE_ONCE(buckets->blank, false);
		shmap_inode_unmap(map->inode, map->head->bucket_offset,
				  map->head->bucket_size);
	}
	if (!gone->n)
		more = shmap_blocks_find(map);
	for (i = 0; i < gone->n; i++) {
		if (free_block(map, gone->block[i], gone->at[i]))
			continue;
		gone->block[left] = gone->block[i];
		gone->at[left++] = gone->at[i];
	}
	gone->n = left;
	return more || left;
}

static void run(struct work_struct *work)
{
	struct shmap_pool *pool = container_of(to_delayed_work(work),
					       struct shmap_pool, keeper);
	struct shmap_map *map = container_of(pool, struct shmap_map, pool);
	unsigned long round = pool->round + 1;
	bool more;
	unsigned int i;

	WRITE_ONCE(pool->round, round);
	more = keep_kept(map);
	if (READ_ONCE(map->hurry)) {
		WRITE_ONCE(map->hurry, false);
		shmap_space_make(map, false);
	}
	more |= compact_arenas(map);
	for (i = 0; i < map->config.shards; i++) {
		more |= keep_shard(map, &map->shard[i]);
		cond_resched();
	}
	more |= trim_arenas(map, round);
	more |= keep_buckets(map);
	more |= keep_pool(map);
	if (more)
		shmap_pool_call_keeper(pool);
}

/**
 * shmap_keeper_start - prepare for the keepers of maps
 *
 * Context: may sleep.
 * Return: 0 or -ENOMEM.
 */
int shmap_keeper_start(void)
{
	queue = alloc_workqueue("kmap", WQ_UNBOUND | WQ_MEM_RECLAIM, 0);
	return queue ? 0 : -ENOMEM;
}

/**
 * shmap_keeper_stop - undo shmap_keeper_start(); there is no map any more
 *
 * Context: may sleep.
 */
void shmap_keeper_stop(void)
{
	destroy_workqueue(queue);
}

/**
 * shmap_keeper_init - give a map its keeper
 * @map: the map, complete
 *
 * Context: may sleep.
 */
void shmap_keeper_init(struct shmap_map *map)
{
	INIT_DELAYED_WORK(&map->pool.keeper, run);
	map->pool.queue = queue;
}

/**
 * shmap_keeper_hurry - have the keeper run at once, and free all that can be freed
 * @map: the map; its keeper was not stopped
 *
 * Context: any.
 */
void shmap_keeper_hurry(struct shmap_map *map)
{
	WRITE_ONCE(map->hurry, true);
	mod_delayed_work(map->pool.queue, &map->pool.keeper, 0);
}

/**
 * shmap_keeper_exit - stop the keeper of a map
 * @map: the map, which is no longer in use, complete or not
 *
 * Context: may sleep.
 */
void shmap_keeper_exit(struct shmap_map *map)
{
	if (!map->pool.queue)
		return;
	cancel_delayed_work_sync(&map->pool.keeper);
	map->pool.queue = NULL;
}
