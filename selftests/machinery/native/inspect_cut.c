// SPDX-License-Identifier: GPL-2.0-only
/*
 * The module's cut.c, and a way to stop in the middle of it.  Whatever is tested is
 * in the file included first.
 */
#include "../../../module/cut.c"

#include "inspect.h"
#include "test.h"

/**
 * inspect_cut_partly - begin a cut, and do not complete it
 * @map: the map
 * @shards: make it in so many shards
 *
 * Return: the cut.
 */
struct shmap_cut *inspect_cut_partly(struct shmap_map *map, unsigned int shards)
{
	struct shmap_cut *cut = announce(map);
	unsigned int i;

	check(!IS_ERR(cut));
	for (i = 0; i < shards; i++)
		visit(map, &map->shard[i], cut);
	return cut;
}
