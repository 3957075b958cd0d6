/* SPDX-License-Identifier: GPL-2.0-only */
/* The device node; see device.c. */
#ifndef SHMAP_DEVICE_H
#define SHMAP_DEVICE_H

#include "map_types.h"

int shmap_device_register(struct shmap_map *map, umode_t mode);
void shmap_device_unregister(void);

#endif /* SHMAP_DEVICE_H */
