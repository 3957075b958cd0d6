/* SPDX-License-Identifier: GPL-2.0-only */
/* The operations on the whole map; see ops_map.c. */
#ifndef SHMAP_OPS_MAP_H
#define SHMAP_OPS_MAP_H

#include "call.h"

int shmap_ops_clear(struct shmap_call *call, void *record);
int shmap_ops_info(struct shmap_call *call, void *record);

#endif /* SHMAP_OPS_MAP_H */
