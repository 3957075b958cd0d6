/* SPDX-License-Identifier: GPL-2.0-only */
/* Blocks of buckets that no shard uses; see blocks.c. */
#ifndef SHMAP_BLOCKS_H
#define SHMAP_BLOCKS_H

#include "map_types.h"

bool shmap_blocks_find(struct shmap_map *map);

#endif /* SHMAP_BLOCKS_H */
