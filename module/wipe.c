// SPDX-License-Identifier: GPL-2.0-only
/*
 * Wiping removed entries in time.  An entry is zeroed when it is freed.  But where
 * readers take no lock, it is freed after a grace period, by a later operation on its
 * shard; and an entry that a snapshot needs is kept.  If no operation comes, work in
 * the background frees these entries.
 *
 * The work is queued when an entry is removed.  It starts the grace period of all
 * deferred entries, frees those whose grace period is over, and queues itself again as
 * long as entries are deferred or kept.  If any are kept, it ends the snapshots that began
 * before its last run.  So an entry waits for three runs at most, and for its grace period
 * between them.
 */
#include <linux/sched.h>

#include "shard.h"
#include "sweep.h"
#include "wipe.h"

static void wipe_some(struct work_struct *work)
{
	struct shmap_map *map = container_of(to_delayed_work(work),
					     struct shmap_map, wipe);
	bool more = shmap_sweep_expire(map, &map->wiped_cut);
	unsigned int i;

	for (i = 0; i < map->config.shards; i++) {
		struct shmap_defer *defer = &map->shard[i].defer;

		shmap_defer_close(defer);
		shmap_defer_reap(defer);
		more |= READ_ONCE(defer->bytes);
		cond_resched();
	}
	if (more)
		shmap_shard_removed(map);
}

/**
 * shmap_wipe_init - prepare the work that wipes
 * @map: the map
 *
 * Context: may sleep.
 * Return: 0 or -ENOMEM.
 */
int shmap_wipe_init(struct shmap_map *map)
{
	INIT_DELAYED_WORK(&map->wipe, wipe_some);
	map->wiper = alloc_workqueue("kmap_wipe", WQ_UNBOUND, 0);
	return map->wiper ? 0 : -ENOMEM;
}

/**
 * shmap_wipe_exit - stop the work that wipes
 * @map: the map, which is no longer in use
 *
 * Context: may sleep.
 */
void shmap_wipe_exit(struct shmap_map *map)
{
	if (!map->wiper)
		return;
	cancel_delayed_work_sync(&map->wipe);
	destroy_workqueue(map->wiper);
}
