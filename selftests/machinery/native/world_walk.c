// SPDX-License-Identifier: GPL-2.0-only
/* Operations on all keys, on a map and its model; see world.c. */
#include <stdlib.h>
#include <string.h>

#include "clear.h"
#include "inspect.h"
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
	int ret = shmap_clear_run(world->map, &removed);

	if (ret == -ENOMEM && world->failing) {
		check_equal(removed, 0);
		world->no_memory++;
		return ret;
	}
	check_equal(ret, 0);
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
 * world_snapshot_begin - begin a snapshot
 * @world: the world
 * @snapshot: the snapshot
 * @id: less than MODEL_MOMENTS, one of no other snapshot
 * @values: values too
 *
 * Return: 0, or -ENOMEM in a world where that may be.
 */
int world_snapshot_begin(struct world *world, struct world_snapshot *snapshot,
			 unsigned int id, bool values)
{
	memset(snapshot, 0, sizeof(*snapshot));
	snapshot->id = id;
	snapshot->snap = shmap_snapshot_begin(world->map, values);
	if (IS_ERR(snapshot->snap) && world->failing) {
		check_equal(PTR_ERR(snapshot->snap), -ENOMEM);
		world->no_memory++;
		return -ENOMEM;
	}
	check(!IS_ERR(snapshot->snap));
	snapshot->active = true;
	model_moment_take(&world->model, id);
	return 0;
}

/**
 * world_snapshot_begin_partly - begin one whose task is stopped while it makes its cut
 * @world: the world
 * @snapshot: the snapshot
 * @id: less than MODEL_MOMENTS
 * @steps: after so many steps; who calls takes the moment, when it comes
 */
void world_snapshot_begin_partly(struct world *world,
				 struct world_snapshot *snapshot,
				 unsigned int id, unsigned int steps)
{
	memset(snapshot, 0, sizeof(*snapshot));
	snapshot->id = id;
	snapshot->active = true;
	snapshot->snap = kzalloc(sizeof(*snapshot->snap), SHMAP_MEM_GFP);
	check(snapshot->snap);
	snapshot->snap->map = world->map;
	snapshot->snap->values = true;
	snapshot->snap->cut = inspect_cut_partly(world->map, steps);
}

/* One record of a snapshot.  Returns its size. */
static size_t check_then(struct world *world,
			 const struct world_snapshot *snapshot, const u8 *buf)
{
	const struct kmap_item *item = (const void *)buf;
	size_t size, at = sizeof(*item) + item->key_len;
	struct model_moment *then;

	then = &model_find(&world->model, item + 1,
			   item->key_len)->then[snapshot->id];
	check(then->present && !then->seen);
	then->seen = true;
	check_equal(item->version, then->version);
	check_equal(item->value_len, then->value_len);
	if (snapshot->snap->values) {
		check(!memcmp(buf + at, then->value, item->value_len));
		at += item->value_len;
	}
	for (size = (at + 7) / 8 * 8; at < size; at++)
		check_equal(buf[at], 0);
	return size;
}

/**
 * world_snapshot_some - go on with a snapshot
 * @world: the world
 * @snapshot: the snapshot; not active any more when it is over
 * @size: of a piece
 * @pieces: how many
 *
 * Return: true when the snapshot is over.
 */
bool world_snapshot_some(struct world *world, struct world_snapshot *snapshot,
			 size_t size, unsigned int pieces)
{
	ssize_t n = 0;
	u64 count = 0;
	size_t at;
	u8 *piece;

	while (pieces--) {
		/* Exactly as large, so that a sanitizer sees what is behind. */
		piece = malloc(size);
		snapshot->buf = realloc(snapshot->buf, snapshot->used + size);
		check(piece && snapshot->buf);
		n = shmap_snapshot_read(snapshot->snap, piece, size);
		check(n <= (ssize_t)size);
		if (n > 0) {
			memcpy(snapshot->buf + snapshot->used, piece, n);
			snapshot->used += n;
		}
		free(piece);
		if (n <= 0)
			break;
	}
	if (n > 0)
		return false;
	if (n) {
		check_equal(n, -ENOBUFS);
		world->fallen++;
	} else {
		for (at = 0; at < snapshot->used; count++)
			at += check_then(world, snapshot, snapshot->buf + at);
		check_equal(at, snapshot->used);
		check_equal(count, snapshot->snap->count);
		world->snapshots++;
	}
	model_moment_drop(&world->model, snapshot->id, !n);
	shmap_snapshot_end(snapshot->snap);
	free(snapshot->buf);
	snapshot->active = false;
	return true;
}

/**
 * world_snapshot - all of a snapshot at once
 * @world: the world
 *
 * First measured, then read.
 */
void world_snapshot(struct world *world)
{
	struct world_snapshot snapshot;
	u64 snapshots = world->snapshots;
	size_t size = 0;
	ssize_t n;

	if (world_snapshot_begin(world, &snapshot, MODEL_MOMENTS - 1, true))
		return;
	while ((n = shmap_snapshot_read(snapshot.snap, NULL, SHMAP_PIECE)) > 0)
		size += n;
	check_equal(n, 0);
	check_equal(snapshot.snap->count, world->model.entries);
	shmap_snapshot_end(snapshot.snap);
	model_moment_drop(&world->model, MODEL_MOMENTS - 1, false);

	if (world_snapshot_begin(world, &snapshot, MODEL_MOMENTS - 1, true))
		return;
	while (!world_snapshot_some(world, &snapshot, SHMAP_PIECE, 1))
		;
	check_equal(snapshot.used, size);
	check_equal(world->snapshots, snapshots + 1);
}
