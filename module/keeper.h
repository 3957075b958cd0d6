/* SPDX-License-Identifier: GPL-2.0-only */
/* The keeper gives back what is not used any more; see keeper.c. */
#ifndef SHMAP_KEEPER_H
#define SHMAP_KEEPER_H

#include "map_types.h"

int shmap_keeper_start(void);
void shmap_keeper_stop(void);
void shmap_keeper_init(struct shmap_map *map);
void shmap_keeper_hurry(struct shmap_map *map);
void shmap_keeper_exit(struct shmap_map *map);

#endif /* SHMAP_KEEPER_H */
