/* SPDX-License-Identifier: GPL-2.0-only */
/* Walks over all keys; see walk.c. */
#ifndef SHMAP_WALK_H
#define SHMAP_WALK_H

#include "map.h"

/**
 * struct shmap_walk - a walk, and what it filled
 * @cursor: where to go on: place in the order, or KMAP_KEYS_END
 * @values: values too
 * @measure: count only, write nothing
 * @whole: more room comes when @buf is emptied: do not part a chain before that
 * @frozen: the map is frozen by the caller, so no lock is needed
 * @buf: records go here
 * @size: size of @buf
 * @used: bytes filled
 * @count: records filled
 * @need: bytes that the records which did not fit need
 * @place: entries of one chain
 * @word: their version words
 * @number: their values where these are numbers
 */
struct shmap_walk {
	u64			cursor;
	bool			values;
	bool			measure;
	bool			whole;
	bool			frozen;
	void			*buf;
	size_t			size;
	size_t			used;
	u32			count;
	size_t			need;
	struct shmap_place	place[SHMAP_CHAIN_SLOTS];
	u64			word[SHMAP_CHAIN_SLOTS];
	s64			number[SHMAP_CHAIN_SLOTS];
};

bool shmap_walk_step(struct shmap_map *map, struct shmap_walk *walk);
int shmap_walk_freeze(struct shmap_map *map);
void shmap_walk_thaw(struct shmap_map *map);

#endif /* SHMAP_WALK_H */
