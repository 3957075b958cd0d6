/* SPDX-License-Identifier: GPL-2.0-only */
/* Reading in a shard, and long values in pieces; see piece.c. */
#ifndef SHMAP_PIECE_H
#define SHMAP_PIECE_H

#include <linux/sched.h>

#include "table_inline.h"
#include "map.h"

/* A longer value is copied in pieces of so much, so that no hold is long. */
#define SHMAP_PIECE		16384u

/*
 * Something to be read in a shard: -EAGAIN when a writer disturbed it, never where
 * the reader shuts writers out.
 */
typedef int shmap_piece_once_t(const struct shmap_map *map,
			       struct shmap_shard *shard, void *arg,
			       bool locked);

int shmap_piece_copy(struct shmap_map *map, u32 hash, const void *key,
		     u32 key_len, u64 version, void *to, u32 len);
u64 shmap_piece_compare(struct shmap_map *map, u32 hash, const void *key,
			u32 key_len, const void *expected, u32 len,
			bool *equal);

/**
 * shmap_piece_read - read in a shard: as its readers do, or with the lock
 * @map: the map
 * @shard: the shard
 * @once: what to do
 * @arg: for @once
 *
 * With the lock is when writers disturbed it too often.
 *
 * Context: may sleep.
 * Return: what @once returned.
 */
static __always_inline int
shmap_piece_read(struct shmap_map *map, struct shmap_shard *shard,
		 shmap_piece_once_t *once, void *arg)
{
	const struct shmap_lock_ops *lock = map->config.lock;
	unsigned int try;
	int r;

	for (try = 0;; try++) {
		if (lock->lockless_reads && try == SHMAP_TRIES) {
			shmap_lock_write_enter(lock, &shard->lock);
			r = once(map, shard, arg, true);
			shmap_lock_write_leave(lock, &shard->lock);
			return r;
		}
		shmap_lock_read_enter(lock, &shard->lock);
		r = once(map, shard, arg, !lock->lockless_reads);
		shmap_lock_read_leave(lock, &shard->lock);
		if (r != -EAGAIN)
			return r;
		shmap_map_count(map, SHMAP_RETRIES);
		cpu_relax();
	}
}

#endif /* SHMAP_PIECE_H */
