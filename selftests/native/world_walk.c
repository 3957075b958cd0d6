// SPDX-License-Identifier: GPL-2.0-only
/* Operations on all keys, on a map and its model; see world.c. */
#include <stdlib.h>
#include <string.h>

#include "test.h"
#include "world.h"

/**
 * world_clear - CLEAR
 * @world: the world
 *
 * Return: what CLEAR returned.
 */
int world_clear(struct world *world)
{
	struct model_key *key;
	u64 removed;
	int r = shmap_map_clear(world->map, &removed);

	if (r == -ENOMEM && world->failing) {
		check_equal(removed, 0);
		world->no_memory++;
		return r;
	}
	check_equal(r, 0);
	check_equal(removed, world->model.entries);
	for (key = model_next(&world->model, NULL); key;
	     key = model_next(&world->model, key))
		model_remove(&world->model, key);
	return 0;
}

/* One record of a walk.  Returns its size. */
static size_t check_item(struct world *world, const struct world_walk *walk,
			 const void *buf)
{
	const struct kmap_item *item = buf;
	const u8 *at = buf + sizeof(*item);
	struct model_key *key;
	size_t size, data;

	key = model_find(&world->model, at, item->key_len);
	check(key->present);
	check(!key->seen[walk->id]);
	key->seen[walk->id] = true;
	check_equal(item->value_len, key->value_len);
	check_equal(item->version, key->version);
	check_equal(item->flags, key->number ? KMAP_IS_NUMBER : 0);
	data = item->key_len;
	if (walk->walk.values) {
		check(!memcmp(at + data, key->value, key->value_len));
		data += key->value_len;
	}
	size = (sizeof(*item) + data + 7) / 8 * 8;
	while (data < size - sizeof(*item))
		check_equal(at[data++], 0);
	return size;
}

static void check_items(struct world *world, const struct world_walk *walk)
{
	const struct shmap_walk *w = &walk->walk;
	size_t at = 0;
	u32 n;

	check(w->used <= w->size);
	for (n = 0; n < w->count; n++) {
		check(at < w->used);
		at += check_item(world, walk, w->buf + at);
	}
	check_equal(at, w->used);
}

/**
 * world_walk_begin - begin a walk
 * @world: the world
 * @walk: the walk
 * @id: less than MODEL_WALKS, one of no other walk
 * @values: values too
 */
void world_walk_begin(struct world *world, struct world_walk *walk,
		      unsigned int id, bool values)
{
	memset(walk, 0, sizeof(*walk));
	walk->id = id;
	walk->active = true;
	walk->walk.values = values;
	model_walk_begin(&world->model, id);
}

/**
 * world_walk_some - go on with a walk
 * @world: the world
 * @walk: the walk; not active any more when it is over
 * @size: size of the buffer; it is larger when not even one record fits
 * @steps: most chains
 *
 * Return: true when the walk is over.
 */
bool world_walk_some(struct world *world, struct world_walk *walk, size_t size,
		     unsigned int steps)
{
	struct shmap_walk *w = &walk->walk;
	bool fits;

	do {
		/* Exactly as large, so that a sanitizer sees what is behind. */
		w->buf = malloc(size);
		check(w->buf);
		w->size = size;
		w->used = 0;
		w->count = 0;
		w->need = 0;
		do {
			fits = shmap_walk_step(world->map, w);
		} while (fits && w->cursor != KMAP_KEYS_END && --steps);
		check_items(world, walk);
		free(w->buf);
		if (!fits) {
			check(w->used + w->need > size);
			size = w->need;
		}
	} while (!fits && !w->used);

	if (w->cursor != KMAP_KEYS_END) {
		check(w->cursor < 1ull << 32);
		return false;
	}
	walk->active = false;
	model_walk_end(&world->model, walk->id);
	return true;
}

/**
 * world_snapshot - a walk of one moment
 * @world: the world
 *
 * First measured, then taken into a buffer of just that size.
 */
void world_snapshot(struct world *world)
{
	struct world_walk walk;
	struct shmap_walk *w = &walk.walk;

	world_walk_begin(world, &walk, MODEL_WALKS - 1, true);
	check_equal(shmap_walk_freeze(world->map), 0);
	w->measure = true;
	w->frozen = true;
	while (w->cursor != KMAP_KEYS_END)
		check(shmap_walk_step(world->map, w));
	check_equal(w->count, world->model.entries);
	w->size = w->used;
	w->buf = malloc(w->size + 1);
	check(w->buf);
	w->measure = false;
	w->cursor = 0;
	w->used = 0;
	w->count = 0;
	while (w->cursor != KMAP_KEYS_END)
		check(shmap_walk_step(world->map, w));
	shmap_walk_thaw(world->map);
	check_items(world, &walk);
	check_equal(w->used, w->size);
	check_equal(w->count, world->model.entries);
	model_walk_end(&world->model, walk.id);
	free(w->buf);
}
