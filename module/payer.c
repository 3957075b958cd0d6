// SPDX-License-Identifier: GPL-2.0-only
/*
 * Which arena an entry comes from.
 *
 * Memory is charged to the memory cgroup of the task that allocates it, a slab at a time.
 * So the entries of a slab are all stored by tasks of one cgroup, its payer: when they are
 * removed, the slab goes, and with it the charge.  Each payer has arenas of its own, and a
 * slab knows its arena.
 *
 * A payer begins with one arena, lane 0, for all shards, so that a map with few entries
 * takes few slabs.  When that has SMALL bytes, shards that need more memory go over to
 * further lanes, so that they seldom wait for each other's arena->lock; until such a lane
 * is empty.
 *
 * A shard remembers the arena that was used last.  An arena without slabs goes when the
 * keeper next runs; so do those of cgroups that are gone, with their last entry.
 *
 * Locking: payers->lock for the tree, for arena->users, and to write shard->arena.  A task
 * that reads shard->arena without it has preemption off as long as it uses the arena: it
 * finds no slab in an arena that is about to be freed.
 */
#include <linux/err.h>
#include <linux/limits.h>
#include <linux/list.h>

#include "payer.h"

/* Bytes of slabs with which lane 0 is full. */
#define SMALL		(4 * SHMAP_UNIT_SIZE)

/* No payer has this number. */
#define NOBODY		U64_MAX

/* Its lock is never taken. */
struct shmap_arena shmap_payer_none = { .payer = NOBODY };

/**
 * struct place - what arenas are sorted by
 * @payer: the payer
 * @lane: the lane
 */
struct place {
	u64		payer;
	unsigned int	lane;
};

static int compare(const void *key, const struct rb_node *node)
{
	const struct shmap_arena *arena = rb_entry(node, struct shmap_arena, node);
	const struct place *place = key;

	if (place->payer != arena->payer)
		return place->payer < arena->payer ? -1 : 1;
	return (int)place->lane - (int)arena->lane;
}

static int compare_nodes(struct rb_node *node, const struct rb_node *other)
{
	const struct shmap_arena *arena = rb_entry(node, struct shmap_arena, node);
	const struct place place = { arena->payer, arena->lane };

	return compare(&place, other);
}

/**
 * shmap_payers_init - prepare for the arenas of a map
 * @payers: to be made
 * @lanes: number of lanes besides lane 0
 *
 * Context: any.
 */
void shmap_payers_init(struct shmap_payers *payers, unsigned int lanes)
{
	raw_spin_lock_init(&payers->lock);
	payers->arenas = RB_ROOT;
	payers->lanes = lanes;
}

static struct shmap_arena *find_locked(struct shmap_payers *payers, u64 payer,
				       unsigned int lane)
{
	const struct place place = { payer, lane };
	struct rb_node *node;

	lockdep_assert_held(&payers->lock);
	node = rb_find(&place, &payers->arenas, compare);
	return node ? rb_entry(node, struct shmap_arena, node) : NULL;
}

/* Find the arena for a shard, or NULL and the lane in which it is to be. */
static struct shmap_arena *choose_locked(struct shmap_payers *payers, u64 payer,
					 u32 shard, unsigned int *lane)
{
	struct shmap_arena *arena;

	/* A shard that has gone over stays there. */
	*lane = 1 + shard % payers->lanes;
	arena = find_locked(payers, payer, *lane);
	if (arena)
		return arena;
	arena = find_locked(payers, payer, 0);
	if (arena && READ_ONCE(arena->held) >= SMALL)
		return NULL;
	*lane = 0;
	return arena;
}

/* Insert the arena, unless another task has inserted one in its place. */
static struct shmap_arena *insert(struct shmap_map *map, struct shmap_arena *arena)
{
	struct shmap_payers *payers = &map->payers;
	struct shmap_arena *other = NULL;
	struct rb_node *node;

	raw_spin_lock(&payers->lock);
	node = rb_find_add(&arena->node, &payers->arenas, compare_nodes);
	if (node) {
		other = rb_entry(node, struct shmap_arena, node);
		other->users++;
	}
	raw_spin_unlock(&payers->lock);
	if (!other)
		return arena;
	shmap_mem_free(&map->mem, arena, sizeof(*arena));
	return other;
}

/**
 * shmap_payer_get - the arena for what this task stores
 * @map: the map
 * @shard: the shard that it is stored in, which remembers the arena
 *
 * Context: may sleep.
 * Return: the arena, which stays until shmap_payer_put(), or ERR_PTR(-ENOMEM).
 */
struct shmap_arena *shmap_payer_get(struct shmap_map *map, struct shmap_shard *shard)
{
	struct shmap_payers *payers = &map->payers;
	struct shmap_arena *arena;
	unsigned int lane;
	u64 payer;

	raw_spin_lock(&payers->lock);
	payer = shmap_payer_current();
	arena = choose_locked(payers, payer, shard->table.shard, &lane);
	if (arena)
		arena->users++;
	raw_spin_unlock(&payers->lock);
	if (!arena) {
		arena = shmap_mem_alloc(&map->mem, sizeof(*arena));
		if (!arena)
			return ERR_PTR(-ENOMEM);
		shmap_arena_init(arena, &map->pool, payer);
		arena->lane = lane;
		arena->users = 1;
		arena = insert(map, arena);
	}
	raw_spin_lock(&payers->lock);
	WRITE_ONCE(shard->arena, arena);
	raw_spin_unlock(&payers->lock);
	return arena;
}

/**
 * shmap_payer_put - do not use an arena any more
 * @map: the map
 * @arena: the arena
 *
 * Context: any.
 */
void shmap_payer_put(struct shmap_map *map, struct shmap_arena *arena)
{
	raw_spin_lock(&map->payers.lock);
	arena->users--;
	raw_spin_unlock(&map->payers.lock);
}

/* Go on to the next arena, and if @gone is set, move one without slabs there. */
static struct shmap_arena *step(struct shmap_map *map, struct shmap_arena *arena,
				struct list_head *gone)
{
	struct shmap_payers *payers = &map->payers;
	struct shmap_arena *next = NULL;
	struct rb_node *node;

	raw_spin_lock(&payers->lock);
	node = arena ? rb_next(&arena->node) : rb_first(&payers->arenas);
	if (node) {
		next = rb_entry(node, struct shmap_arena, node);
		next->users++;
	}
	if (arena && !--arena->users && gone && !READ_ONCE(arena->held) &&
	    !READ_ONCE(arena->leaving)) {
		rb_erase(&arena->node, &payers->arenas);
		list_add(&arena->gone, gone);
	}
	raw_spin_unlock(&payers->lock);
	return next;
}

/**
 * shmap_payer_next - go on to the next arena
 * @map: the map
 * @arena: from this function or from shmap_payer_get(), not used afterwards; or NULL
 *
 * Context: any.
 * Return: the arena that follows, or the first one, which stays until shmap_payer_put() or
 * the next call; or NULL.
 */
struct shmap_arena *shmap_payer_next(struct shmap_map *map, struct shmap_arena *arena)
{
	return step(map, arena, NULL);
}

/* Take arenas without slabs out of the tree. */
static void take_out(struct shmap_map *map, struct list_head *gone)
{
	struct shmap_arena *arena = NULL;

	do {
		arena = step(map, arena, gone);
	} while (arena);
}

/* Let no shard remember an arena that is no longer in the tree. */
static void forget(struct shmap_map *map, const struct shmap_arena *arena)
{
	unsigned int i;

	for (i = 0; i < map->config.shards; i++) {
		raw_spin_lock(&map->payers.lock);
		if (map->shard[i].arena == arena)
			WRITE_ONCE(map->shard[i].arena, &shmap_payer_none);
		raw_spin_unlock(&map->payers.lock);
	}
}

static void free_all(struct shmap_map *map, struct list_head *gone)
{
	struct shmap_arena *arena, *next;

	list_for_each_entry_safe(arena, next, gone, gone)
		shmap_mem_free(&map->mem, arena, sizeof(*arena));
}

/**
 * shmap_payers_drop - free the arenas that have no slabs
 * @map: the map
 *
 * Context: may sleep, for a grace period; the keeper.
 */
void shmap_payers_drop(struct shmap_map *map)
{
	struct shmap_arena *arena;
	LIST_HEAD(gone);

	take_out(map, &gone);
	if (list_empty(&gone))
		return;
	list_for_each_entry(arena, &gone, gone)
		forget(map, arena);
	/* Pairs with the read-side critical section in shmap_payer_take(). */
	synchronize_rcu();
	free_all(map, &gone);
}

/**
 * shmap_payers_exit - free all arenas
 * @map: the map, which is no longer in use; its arenas have no slabs
 *
 * Context: may sleep.
 */
void shmap_payers_exit(struct shmap_map *map)
{
	LIST_HEAD(gone);

	take_out(map, &gone);
	free_all(map, &gone);
}
