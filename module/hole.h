/* SPDX-License-Identifier: GPL-2.0-only */
/* Units without memory, and how they lose it; see hole.c. */
#ifndef SHMAP_HOLE_H
#define SHMAP_HOLE_H

#include "pool.h"

/**
 * struct shmap_gone - units of a region whose mappings have to be taken away
 * @region: number of the region
 * @unit: bitmap of the units
 */
struct shmap_gone {
	unsigned int	region;
	DECLARE_BITMAP(unit, SHMAP_REGION_UNITS);
};

struct page *shmap_hole_page(struct shmap_pool *pool, u64 at,
			     unsigned int **guests);
void shmap_hole_leave(struct shmap_pool *pool, unsigned int *guests);
bool shmap_hole_give_begin(struct shmap_pool *pool, struct shmap_gone *gone);
void shmap_hole_give_end(struct shmap_pool *pool, const struct shmap_gone *gone);
bool shmap_hole_fill_begin(struct shmap_pool *pool, struct shmap_gone *gone);
void shmap_hole_fill_end(struct shmap_pool *pool, const struct shmap_gone *gone);
bool shmap_hole_waits(struct shmap_pool *pool);
unsigned int shmap_hole_idle(struct shmap_pool *pool);

#endif /* SHMAP_HOLE_H */
