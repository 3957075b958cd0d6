/* SPDX-License-Identifier: GPL-2.0-only */
/* Memory goes back sooner when the machine is short of it; see shrinker.c. */
#ifndef SHMAP_SHRINKER_H
#define SHMAP_SHRINKER_H

#include "map_types.h"

int shmap_shrinker_init(struct shmap_map *map);
void shmap_shrinker_exit(struct shmap_map *map);

#endif /* SHMAP_SHRINKER_H */
