/* SPDX-License-Identifier: GPL-2.0-only */
/* Walks over all keys; see walk.c. */
#ifndef SHMAP_WALK_H
#define SHMAP_WALK_H

#include "item.h"

bool shmap_walk_step(struct shmap_map *map, struct shmap_walk *walk);

#endif /* SHMAP_WALK_H */
