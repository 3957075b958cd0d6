/* SPDX-License-Identifier: GPL-2.0-only */
/* Walks at places with long entries; see walk_long.c. */
#ifndef SHMAP_WALK_LONG_H
#define SHMAP_WALK_LONG_H

#include "item.h"

bool shmap_walk_long(struct shmap_map *map, struct shmap_shard *shard,
		     struct shmap_walk *walk);

#endif /* SHMAP_WALK_LONG_H */
