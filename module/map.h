/* SPDX-License-Identifier: GPL-2.0-only */
/* Creating, freeing and describing a map; see map.c. */
#ifndef SHMAP_MAP_H
#define SHMAP_MAP_H

#include "map_types.h"

struct shmap_map *shmap_map_create(const struct shmap_config *config);
struct shmap_map *shmap_map_get(struct shmap_map *map);
void shmap_map_put(struct shmap_map *map);
void shmap_map_info(struct shmap_map *map, struct kmap_info *info);

#endif /* SHMAP_MAP_H */
