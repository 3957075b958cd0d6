// SPDX-License-Identifier: GPL-2.0-only
/*
 * Random operations on a world.  The numbers come from a generator, or from the
 * bytes that a fuzzer made up.
 */
#include <stdlib.h>
#include <string.h>

#include <linux/random.h>

#include "compact.h"
#include "inspect.h"
#include "payer.h"
#include "player.h"
#include "shim.h"
#include "space.h"
#include "test.h"

/**
 * player_random - a random number
 * @from: ignored
 * @n: less than this
 *
 * Return: the number.
 */
u32 player_random(void *from, u32 n)
{
	u32 x;

	get_random_bytes(&x, sizeof(x));
	return x % n;
}

static u32 draw(struct player *player, u32 n)
{
	return n > 1 ? player->draw(player->from, n) : 0;
}

static bool one_in(struct player *player, u32 n)
{
	return !draw(player, n);
}

/**
 * player_start - prepare to play
 * @player: with keys, draw and from
 * @world: where
 */
void player_start(struct player *player, struct world *world)
{
	player->world = world;
	player->filling = 128;
	player->value = malloc(world->map->config.max_value + 1);
	check(player->value);
	get_random_bytes(player->value, world->map->config.max_value);
}

/* A number to add, now and then at the end of the range. */
static s64 draw_delta(struct player *player)
{
	switch (draw(player, 16)) {
	case 0:
		return INT64_MAX;
	case 1:
		return INT64_MIN;
	case 2:
		return 0;
	default:
		return (s64)draw(player, 2001) - 1000;
	}
}

static u32 draw_value(struct player *player)
{
	u32 most = player->world->map->config.max_value, len, i;

	switch (draw(player, 8)) {
	case 0:
		len = 0;
		break;
	case 1:
	case 2:
		len = 8;
		break;
	case 3:
	case 4:
		len = draw(player, 64);
		break;
	case 5:
		len = draw(player, 600);
		break;
	case 6:
		len = draw(player, most < 3000 ? most + 1 : 3000);
		break;
	default:
		len = draw(player, most + 1);
		break;
	}
	len = min(len, most);
	/* Enough to tell one value from another. */
	for (i = 0; i < 16 && i < len; i++)
		player->value[i] = draw(player, 256);
	return len;
}

static u32 draw_out_size(struct player *player)
{
	u32 most = player->world->map->config.max_value;

	return one_in(player, 4) ? draw(player, most + 1) : most;
}

/* The right version, one that it had, or any. */
static u64 draw_version(struct player *player, const struct model_key *key)
{
	switch (draw(player, 4)) {
	case 0:
		return key->top - draw(player, 3);
	case 1:
		return draw(player, 1000);
	default:
		return key->version;
	}
}

/* A value to compare with: mostly the one that is there, or nearly. */
static void draw_expected(struct player *player, const struct model_key *key)
{
	static u8 other[8];

	player->world->expected = key->value;
	player->world->expected_len = key->present ? key->value_len : 0;
	switch (draw(player, 4)) {
	case 0:
		player->world->expected = other;
		player->world->expected_len = draw(player, sizeof(other) + 1);
		break;
	case 1:
		if (player->world->expected_len)
			player->world->expected_len--;
		break;
	default:
		break;
	}
}

static void play_set(struct player *player, const void *key, u32 len)
{
	static const u32 conditions[] = {
		0, 0, KMAP_CREATE, KMAP_REPLACE, KMAP_MATCH, KMAP_EQUAL,
	};
	struct world *world = player->world;
	struct model_key *mk = model_find(&world->model, key, len);
	u32 flags = conditions[draw(player, ARRAY_SIZE(conditions))];
	u32 value_len = draw_value(player);

	if (one_in(player, 3))
		flags |= KMAP_RETURN;
	if (value_len == 8 && one_in(player, 2))
		flags |= KMAP_NUMBER;
	draw_expected(player, mk);
	world_set(world, key, len, player->value, value_len, flags,
		  draw_version(player, mk), draw_out_size(player));
}

static void play_delete(struct player *player, const void *key, u32 len)
{
	struct world *world = player->world;
	struct model_key *mk = model_find(&world->model, key, len);
	u32 flags = 0;

	if (one_in(player, 3))
		flags |= one_in(player, 2) ? KMAP_MATCH : KMAP_EQUAL;
	draw_expected(player, mk);
	if (one_in(player, 3))
		flags |= KMAP_RETURN;
	world_delete(world, key, len, flags, draw_version(player, mk),
		     draw_out_size(player));
}

static void play_add(struct player *player, const void *key, u32 len)
{
	static const u32 conditions[] = { 0, 0, 0, KMAP_CREATE, KMAP_REPLACE };
	u32 flags = conditions[draw(player, ARRAY_SIZE(conditions))];

	world_add(player->world, key, len, draw_delta(player), flags);
}

static void play_walk(struct player *player)
{
	unsigned int i = draw(player, ARRAY_SIZE(player->walk));
	struct world_walk *walk = &player->walk[i];

	if (!walk->active)
		world_walk_begin(player->world, walk, i, one_in(player, 2));
	else
		world_walk_some(player->world, walk, draw(player, 3000),
				draw(player, 32) + 1);
}

/*
 * Who begins a cut is stopped, and others go on with it.  What they do before its
 * moment they do in one go with it, so remember how it is before each time.
 */
static void begin_partly(struct player *player, struct world_snapshot *snapshot,
			 unsigned int i)
{
	struct world *world = player->world;
	u32 steps = 2 * world->map->config.shards + 1;

	world_snapshot_begin_partly(world, snapshot, i, draw(player, steps));
	model_moment_take(&world->model, i);
	if (!snapshot->snap->cut->chosen)
		player->making = snapshot;
}

static void remember(struct player *player)
{
	struct world_snapshot *making = player->making;

	if (making && making->snap->cut->chosen)
		making = NULL;
	player->making = making;
	if (!making)
		return;
	model_moment_drop(&player->world->model, making->id, false);
	model_moment_take(&player->world->model, making->id);
}

static void play_snapshot(struct player *player)
{
	unsigned int i = draw(player, ARRAY_SIZE(player->snapshot));
	struct world_snapshot *snapshot = &player->snapshot[i];

	if (snapshot->active) {
		inspect_cut_go_on(player->world->map, snapshot->snap->cut, true);
		if (player->making == snapshot)
			player->making = NULL;
		world_snapshot_some(player->world, snapshot,
				    draw(player, one_in(player, 4) ?
						 SHMAP_PIECE : 500) + 1,
				    draw(player, 8) + 1);
	} else if (one_in(player, 2) && !player->world->failing) {
		begin_partly(player, snapshot, i);
	} else {
		world_snapshot_begin(player->world, snapshot, i,
				     !one_in(player, 4));
	}
}

/* Move entries: all that can be moved, what the keeper would move, or a bounded part. */
static void play_compact(struct player *player)
{
	struct shmap_map *map = player->world->map;
	unsigned int what = draw(player, 4);
	struct shmap_arena *arena;

	for (arena = shmap_payer_next(map, NULL); arena;
	     arena = shmap_payer_next(map, arena)) {
		switch (what) {
		case 0:
			shmap_compact_arena(map, arena, SHMAP_ARENA_SLACK);
			break;
		case 1:
			shmap_compact_some(map, arena);
			break;
		default:
			shmap_compact_arena(map, arena, 0);
			break;
		}
	}
}

static void play_rarely(struct player *player)
{
	switch (draw(player, 32)) {
	case 0:
		if (!one_in(player, 16))
			break;
		/* It is many changes, and the moment could be between them. */
		if (player->making)
			inspect_cut_go_on(player->world->map,
					  player->making->snap->cut, false);
		world_clear(player->world);
		break;
	case 1:
		player->filling = draw(player, 256);
		break;
	case 2:
		shmap_space_squeeze(player->world->map, true);
		break;
	case 8:
		/* The keeper ends snapshots of a map that wipes, but not here. */
		if (!player->world->map->config.wipe)
			shim_work_pass(draw(player, HZ));
		break;
	case 9:
	case 10:
	case 11:
		play_compact(player);
		break;
	case 3:
		shim_rcu_miss(draw(player, 4));
		break;
	case 6:
		shmap_payers_drop(player->world->map);
		break;
	case 7:
	case 12:
		/* As a task of another group. */
		shim_group.serial_nr = draw(player, 3);
		break;
	case 4:
	case 5:
		world_snapshot(player->world);
		break;
	default:
		shim_rcu_pass();
		break;
	}
}

/**
 * player_step - one operation
 * @player: the player
 */
void player_step(struct player *player)
{
	u32 i = draw(player, player->keys.n), len = player->keys.len[i];
	const u8 *key = player->keys.key[i];
	bool fill = draw(player, 256) < player->filling;

	remember(player);
	switch (draw(player, 16)) {
	case 0:
	case 1:
	case 2:
		world_get(player->world, key, len, draw_out_size(player));
		break;
	case 3:
	case 4:
	case 5:
		play_add(player, key, len);
		break;
	case 6:
		if (one_in(player, 2))
			play_walk(player);
		else
			play_snapshot(player);
		break;
	case 7:
		play_rarely(player);
		break;
	default:
		if (fill)
			play_set(player, key, len);
		else
			play_delete(player, key, len);
		break;
	}
}

/**
 * player_settle - leave no cut half made
 * @player: the player
 */
void player_settle(struct player *player)
{
	unsigned int i;

	remember(player);
	for (i = 0; i < ARRAY_SIZE(player->snapshot); i++)
		if (player->snapshot[i].active)
			inspect_cut_go_on(player->world->map,
					  player->snapshot[i].snap->cut, true);
}

/**
 * player_stop - bring all walks and snapshots to their ends
 * @player: the player; world and keys are left as they are
 */
void player_stop(struct player *player)
{
	unsigned int i;

	player_settle(player);
	for (i = 0; i < ARRAY_SIZE(player->walk); i++)
		while (player->walk[i].active)
			world_walk_some(player->world, &player->walk[i], 512,
					~0u);
	for (i = 0; i < ARRAY_SIZE(player->snapshot); i++)
		if (player->snapshot[i].active)
			check(world_snapshot_some(player->world,
						  &player->snapshot[i],
						  SHMAP_PIECE, ~0u));
	free(player->value);
}
