/* SPDX-License-Identifier: GPL-2.0-only */
/* Moving entries, so that slabs become empty; see compact.c. */
#ifndef SHMAP_COMPACT_H
#define SHMAP_COMPACT_H

#include "map_types.h"

void shmap_compact_some(struct shmap_map *map, struct shmap_arena *arena);
bool shmap_compact_arena(struct shmap_map *map, struct shmap_arena *arena,
			 unsigned int part);

#endif /* SHMAP_COMPACT_H */
