/* SPDX-License-Identifier: GPL-2.0-only */
/* Choosing the moment of a snapshot; see cut.c. */
#ifndef SHMAP_CUT_H
#define SHMAP_CUT_H

#include "map_types.h"

struct shmap_cut *shmap_cut_begin(struct shmap_map *map);
void shmap_cut_pass(struct shmap_map *map, struct shmap_cut *cut, u64 place);
void shmap_cut_end(struct shmap_map *map, struct shmap_cut *cut);
void shmap_cut_end_locked(struct shmap_map *map, struct shmap_cut *cut);
void shmap_cut_enter(struct shmap_map *map, struct shmap_shard *shard);
void shmap_cut_leave(struct shmap_map *map);

#endif /* SHMAP_CUT_H */
