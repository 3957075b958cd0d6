/* SPDX-License-Identifier: GPL-2.0-only */
/* Memory for entries when the arena has none at hand; see space.c. */
#ifndef SHMAP_SPACE_H
#define SHMAP_SPACE_H

#include "map_types.h"

struct kmap_entry *shmap_space_alloc(struct shmap_map *map,
				     struct shmap_shard *shard, u32 bytes,
				     u32 *ref);
int shmap_space_squeeze(struct shmap_map *map, bool killable);
bool shmap_space_can_make(const struct shmap_map *map);
int shmap_space_make(struct shmap_map *map, bool killable);

#endif /* SHMAP_SPACE_H */
