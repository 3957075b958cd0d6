/* SPDX-License-Identifier: GPL-2.0-only */
/* Removing all keys; see clear.c. */
#ifndef SHMAP_CLEAR_H
#define SHMAP_CLEAR_H

#include "map_types.h"

int shmap_clear_run(struct shmap_map *map, u64 *removed);

#endif /* SHMAP_CLEAR_H */
