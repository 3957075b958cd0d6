/* SPDX-License-Identifier: GPL-2.0-only */
/* What a reader may map; see window.c. */
#ifndef SHMAP_WINDOW_H
#define SHMAP_WINDOW_H

#include <linux/mm.h>

#include "map_types.h"

struct page *shmap_window_page(struct shmap_map *map, u64 at,
			       unsigned int **guests);
int shmap_window_mmap(struct shmap_map *map, struct vm_area_struct *vma);

#endif /* SHMAP_WINDOW_H */
