/* SPDX-License-Identifier: GPL-2.0-only */
/* Look at all of a map that is at rest, and fail the test if anything is off. */
#ifndef INSPECT_H
#define INSPECT_H

#include "map_types.h"

/**
 * struct inspect - what was found so far
 * @map: the map
 * @live: for each reference: an entry of the table
 * @dead: for each reference: a removed entry that waits
 * @idle: for each reference: a free object
 * @seen: for each bucket: in a chain, or kept by a shard
 * @kept: bytes that are kept for snapshots
 * @records: for what is kept, or spare
 * @memory: bytes that the map should hold
 * @held: bytes of slabs that are not being drained
 * @free: bytes of free objects in those of them that have few in use
 * @leaving: bytes of slabs that are being drained
 */
struct inspect {
	const struct shmap_map	*map;
	unsigned long		*live;
	unsigned long		*dead;
	unsigned long		*idle;
	unsigned long		*seen;
	u64			kept;
	u64			records;
	u64			memory;
	u64			held;
	u64			free;
	u64			leaving;
};

void inspect_map(const struct shmap_map *map);
u32 inspect_home(const struct shmap_table *table, u32 hash);
unsigned int inspect_chain(const struct shmap_map *map, u32 hash);
u32 inspect_class(u32 bytes);

const void *inspect_unit_mem(const struct shmap_pool *pool, unsigned int unit);
bool inspect_unit_in(const struct shmap_pool *pool, enum shmap_set set,
		     unsigned int unit);
bool inspect_unit_idle(const struct shmap_pool *pool, unsigned int unit);

/* The parts, in files that see the private types. */
void inspect_deferred(struct inspect *inspect, const struct shmap_defer *defer);
void inspect_slabs(struct inspect *inspect);
extern const unsigned int inspect_cut_help;
struct shmap_cut *inspect_cut_partly(struct shmap_map *map, unsigned int steps);
void inspect_cut_go_on(struct shmap_map *map, struct shmap_cut *cut, bool whole);
bool inspect_no_room(const struct shmap_map *map,
		     const struct shmap_arena *arena, u32 bytes);

#endif /* INSPECT_H */
