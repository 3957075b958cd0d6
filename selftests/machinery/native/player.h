/* SPDX-License-Identifier: GPL-2.0-only */
/* Random operations on a world; see player.c. */
#ifndef PLAYER_H
#define PLAYER_H

#include "world.h"

/**
 * struct keyset - keys to play with
 * @key: the keys
 * @len: their lengths
 * @n: how many
 */
struct keyset {
	u8		**key;
	u32		*len;
	u32		n;
};

void keyset_random(struct keyset *keys, const struct shmap_map *map, u32 n);
void keyset_colliding(struct keyset *keys, const struct shmap_map *map, u32 n,
		      unsigned int bits, u32 wanted);
void keyset_twins(struct keyset *keys, const struct shmap_map *map, u32 n);
void keyset_free(struct keyset *keys);

/**
 * struct player - who draws the operations
 * @world: where
 * @keys: with which keys
 * @draw: a number less than n, from @from
 * @from: the argument of @draw
 * @over: there is nothing more to draw
 * @filling: out of 256, how often the map is made fuller rather than emptier
 * @walk: walks that go on between other operations
 * @snapshot: snapshots that are read between other operations
 * @making: the one of them whose moment was not chosen yet, or NULL
 * @value: a buffer for values
 */
struct player {
	struct world		*world;
	struct keyset		keys;
	u32			(*draw)(void *from, u32 n);
	void			*from;
	u32			filling;
	struct world_walk	walk[MODEL_WALKS];
	struct world_snapshot	snapshot[3];
	struct world_snapshot	*making;
	u8			*value;
};

void player_start(struct player *player, struct world *world);
void player_step(struct player *player);
void player_settle(struct player *player);
void player_stop(struct player *player);
u32 player_random(void *from, u32 n);

#endif /* PLAYER_H */
