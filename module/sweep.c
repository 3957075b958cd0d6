// SPDX-License-Identifier: GPL-2.0-only
/*
 * Freeing entries that were kept for snapshots, when no snapshot needs them any more.
 *
 * This is done in bounded steps: by changes that keep an entry after a cut was ended, by
 * CLEAR each time it has unlocked a shard, and by each snapshot for the part it has read.
 * A change neither fails nor waits because of a snapshot: when memory or the entry area
 * runs out, cuts are ended first.
 *
 * A kept entry is freed as any unlinked entry: at once where readers lock the shard, as
 * a snapshot does while it copies a piece, else after a grace period.
 */
#include <linux/sched.h>

#include "cut.h"
#include "kept.h"
#include "shard.h"
#include "sweep.h"

/* Most records, and bytes, that are swept up before the lock is dropped. */
#define SWEEP		16u
#define SWEEP_BYTES	65536u

/* Most shards that one change sweeps. */
#define SWEEP_SHARDS	4u

/* No cut needs entries that died up to *@version, or that are before *@place. */
static void see_locked(struct shmap_map *map, struct shmap_shard *shard,
		       u64 *version, u64 *place)
{
	unsigned int i = shard - map->shard;
	const struct shmap_cut *cut;
	u64 newest = 0;

	shmap_table_assert_locked(&shard->table);
	*version = ~0ull;
	*place = SHMAP_ORDER_END;
	raw_spin_lock(&map->cuts.lock);
	list_for_each_entry(cut, &map->cuts.active, node) {
		/* This shard's version is not noted yet: the cut needs nothing kept so far. */
		if (shard->cut < cut->number)
			continue;
		newest = max(newest, cut->version[i]);
		*version = min(*version, cut->version[i]);
		*place = min(*place, cut->passed);
	}
	raw_spin_unlock(&map->cuts.lock);
	shard->newest = newest;
}

static struct shmap_kept *take_locked(struct shmap_shard *shard, u64 version,
				      u64 place)
{
	struct shmap_kept *kept;
	struct rb_node *first;

	shmap_table_assert_locked(&shard->table);
	kept = list_first_entry_or_null(&shard->kept_fifo, struct shmap_kept,
					fifo);
	if (!kept)
		return NULL;
	if (kept->death > version) {
		first = rb_first(&shard->kept);
		kept = rb_entry(first, struct shmap_kept, node);
		if (kept->order >= place)
			return NULL;
	}
	list_del(&kept->fifo);
	rb_erase(&kept->node, &shard->kept);
	return kept;
}

/**
 * shmap_sweep_shard - free some kept entries of a shard that no cut needs
 * @map: the map
 * @shard: the shard
 *
 * Context: may sleep.
 * Return: true when there may be more.
 */
bool shmap_sweep_shard(struct shmap_map *map, struct shmap_shard *shard)
{
	const struct shmap_lock_ops *lock = map->config.lock;
	struct shmap_kept *kept[SWEEP];
	unsigned int n = 0, i;
	u64 version, place, bytes = 0;
	bool more = true;

	shmap_lock_write_enter(lock, &shard->lock);
	see_locked(map, shard, &version, &place);
	while (n < SWEEP && bytes < SWEEP_BYTES) {
		kept[n] = take_locked(shard, version, place);
		more = kept[n];
		if (!more)
			break;
		bytes += kept[n++]->bytes + sizeof(**kept);
	}
	shmap_lock_write_leave(lock, &shard->lock);
	for (i = 0; i < n; i++) {
		shmap_shard_retire(map, shard, kept[i]->ref, kept[i]->bytes);
		shmap_kept_discard(map, kept[i]);
	}
	raw_spin_lock(&map->cuts.lock);
	WRITE_ONCE(map->cuts.kept, map->cuts.kept - bytes);
	raw_spin_unlock(&map->cuts.lock);
	return more;
}

/**
 * shmap_sweep_some - free some kept entries that are not needed since a cut was ended
 * @map: the map
 *
 * A change that has kept an entry must call this.  While anything is kept, this calls the
 * keeper as well.
 *
 * Context: may sleep.
 */
void shmap_sweep_some(struct shmap_map *map)
{
	struct shmap_cuts *cuts = &map->cuts;
	struct shmap_defer *defer;
	unsigned int n, i;

	if (READ_ONCE(cuts->kept))
		shmap_pool_call_keeper(&map->pool);
	for (n = 0; n < SWEEP_SHARDS && READ_ONCE(cuts->sweep_left); n++) {
		i = READ_ONCE(cuts->sweep) & (map->config.shards - 1);
		defer = &map->shard[i].defer;
		/* Do not defer so much that a writer would have to wait for readers. */
		if (READ_ONCE(defer->bytes) > defer->max / 2)
			shmap_defer_reap(defer);
		if (READ_ONCE(defer->bytes) > defer->max / 2 ||
		    shmap_sweep_shard(map, &map->shard[i]))
			break;
		raw_spin_lock(&cuts->lock);
		WRITE_ONCE(cuts->sweep, i + 1);
		if (cuts->sweep_left)
			WRITE_ONCE(cuts->sweep_left, cuts->sweep_left - 1);
		raw_spin_unlock(&cuts->lock);
	}
}

/**
 * shmap_sweep_all - free all kept entries that no cut needs
 * @map: the map
 *
 * Context: may sleep.
 */
void shmap_sweep_all(struct shmap_map *map)
{
	unsigned int i;

	for (i = 0; i < map->config.shards; i++)
		while (shmap_sweep_shard(map, &map->shard[i]))
			cond_resched();
}

/**
 * shmap_sweep_relieve - free kept entries because memory ran out
 * @map: the map
 *
 * If no kept entry can be freed because cuts need them all, the oldest cut is ended.
 *
 * Context: may sleep.
 * Return: true when something was freed, or can be by another call.
 */
bool shmap_sweep_relieve(struct shmap_map *map)
{
	struct shmap_cuts *cuts = &map->cuts;
	u64 before = READ_ONCE(cuts->kept);
	bool more = false;

	if (!before)
		return false;
	shmap_sweep_all(map);
	raw_spin_lock(&cuts->lock);
	if (cuts->n && cuts->kept >= before) {
		shmap_cut_end_locked(map,
				     list_first_entry(&cuts->active,
						      struct shmap_cut, node));
		more = true;
	}
	more |= cuts->kept < before;
	raw_spin_unlock(&cuts->lock);
	return more;
}

/**
 * shmap_sweep_expire - free entries that are kept for cuts older than the last call
 * @map: the map
 * @number: number that the last cut had at the last call; set to the present one
 *
 * If anything is kept, this ends the cuts that were made before the last call, and frees
 * kept entries that no cut needs any more.
 *
 * Context: may sleep.
 * Return: true when something is still kept.
 */
bool shmap_sweep_expire(struct shmap_map *map, u64 *number)
{
	struct shmap_cuts *cuts = &map->cuts;
	struct shmap_cut *cut, *next;
	unsigned int i;

	raw_spin_lock(&cuts->lock);
	list_for_each_entry_safe(cut, next, &cuts->active, node)
		if (cuts->kept && cut->number <= *number)
			shmap_cut_end_locked(map, cut);
	*number = cuts->number;
	raw_spin_unlock(&cuts->lock);
	for (i = 0; READ_ONCE(cuts->kept) && i < map->config.shards; i++)
		while (shmap_sweep_shard(map, &map->shard[i]))
			cond_resched();
	return READ_ONCE(cuts->kept);
}
