// SPDX-License-Identifier: GPL-2.0-only
/*
 * Wiping what was removed in time.  An entry is zeroed when it is freed, but where
 * readers take no lock that is after a grace period, and left to later operations
 * of its shard; and what a snapshot needs is kept for it.  Where nobody comes,
 * work in the background does it.
 *
 * The work is queued when something was removed.  It asks for the grace period of
 * all that was, frees what can be freed, and queues itself again as long as there
 * is more.  If something is kept, snapshots whose moment was before the last run are
 * ended.  So an entry waits at most for three runs, and for its grace period between
 * them.
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
 * shmap_wipe_init - get ready to wipe
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
 * shmap_wipe_exit - wipe no more
 * @map: the map; nobody uses it any more
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
