// SPDX-License-Identifier: GPL-2.0-only
/*
 * The shrinker of a map: when the machine is short of memory, the keeper comes at once and
 * does all that it can.
 *
 * In its usual runs the keeper leaves a small part of an arena in free objects, since to
 * move an entry costs something, and empty slabs for two runs, since they may be needed
 * again.  After the shrinker has called it, it moves entries wherever that makes a slab
 * empty, and gives back all that is free.
 *
 * Nothing is freed in the shrinker itself: that takes a grace period, and mappings of the
 * window that have to be taken away, and reclaim may run in a task that holds locks.
 *
 * It serves the machine, not a cgroup that is at its limit.
 */
#include <linux/slab.h>
/* Linux 6.1's needs some of the former. */
#include <linux/shrinker.h>
#include <linux/version.h>

#include "hole.h"
#include "keeper.h"
#include "shrinker.h"
#include "space.h"

#if LINUX_VERSION_CODE < KERNEL_VERSION(6, 7, 0)

/* Who has a shrinker also has its memory. */
struct owned {
	struct shrinker		shrinker;
	struct shmap_map	*map;
};

static struct shmap_map *map_of(struct shrinker *shrinker)
{
	return container_of(shrinker, struct owned, shrinker)->map;
}

static struct shrinker *make(struct shmap_map *map)
{
	struct owned *owned = kzalloc(sizeof(*owned), GFP_KERNEL);

	if (!owned)
		return NULL;
	owned->map = map;
	return &owned->shrinker;
}

static int start(struct shrinker *shrinker)
{
	return register_shrinker(shrinker, "kmap");
}

static void shrinker_free(struct shrinker *shrinker)
{
	unregister_shrinker(shrinker);
	kfree(container_of(shrinker, struct owned, shrinker));
}

#else

static struct shmap_map *map_of(struct shrinker *shrinker)
{
	return shrinker->private_data;
}

static struct shrinker *make(struct shmap_map *map)
{
	struct shrinker *shrinker = shrinker_alloc(0, "kmap");

	if (shrinker)
		shrinker->private_data = map;
	return shrinker;
}

static int start(struct shrinker *shrinker)
{
	shrinker_register(shrinker);
	return 0;
}

#endif

/* About how many pages would be given back. */
static unsigned long count(struct shrinker *shrinker, struct shrink_control *sc)
{
	struct shmap_map *map = map_of(shrinker);
	unsigned long units = shmap_hole_idle(&map->pool);

	if (shmap_space_can_make(map))
		units += READ_ONCE(map->pool.backed) / SHMAP_ARENA_SLACK;
	return units << SHMAP_UNIT_ORDER;
}

static unsigned long scan(struct shrinker *shrinker, struct shrink_control *sc)
{
	shmap_keeper_hurry(map_of(shrinker));
	/* Pages come, but not yet. */
	return SHRINK_STOP;
}

/**
 * shmap_shrinker_init - give a map its shrinker
 * @map: the map, complete, with its keeper
 *
 * Context: may sleep.
 * Return: 0 or -ENOMEM.
 */
int shmap_shrinker_init(struct shmap_map *map)
{
	struct shrinker *shrinker = make(map);
	int ret;

	if (!shrinker)
		return -ENOMEM;
	shrinker->count_objects = count;
	shrinker->scan_objects = scan;
	shrinker->seeks = DEFAULT_SEEKS;
	ret = start(shrinker);
	if (ret)
		shrinker_free(shrinker);
	else
		map->shrinker = shrinker;
	return ret;
}

/**
 * shmap_shrinker_exit - undo shmap_shrinker_init(), if it was done
 * @map: the map, complete or not, whose keeper is still there
 *
 * Context: may sleep.
 */
void shmap_shrinker_exit(struct shmap_map *map)
{
	if (map->shrinker)
		shrinker_free(map->shrinker);
	map->shrinker = NULL;
}
