/* SPDX-License-Identifier: GPL-2.0-only */
/* Wiping removed entries in time; see wipe.c. */
#ifndef SHMAP_WIPE_H
#define SHMAP_WIPE_H

#include "map_types.h"

int shmap_wipe_init(struct shmap_map *map);
void shmap_wipe_exit(struct shmap_map *map);

#endif /* SHMAP_WIPE_H */
