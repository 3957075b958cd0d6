/* SPDX-License-Identifier: GPL-2.0-only */
/* Freeing kept entries that no snapshot needs any more; see sweep.c. */
#ifndef SHMAP_SWEEP_H
#define SHMAP_SWEEP_H

#include "map_types.h"

bool shmap_sweep_shard(struct shmap_map *map, struct shmap_shard *shard);
void shmap_sweep_some(struct shmap_map *map);
bool shmap_sweep_relieve(struct shmap_map *map);
bool shmap_sweep_expire(struct shmap_map *map, u64 *number);
void shmap_sweep_all(struct shmap_map *map);

#endif /* SHMAP_SWEEP_H */
