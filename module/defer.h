/* SPDX-License-Identifier: GPL-2.0-only */
/* Deferred reuse of removed entries; see defer.c. */
#ifndef SHMAP_DEFER_H
#define SHMAP_DEFER_H

#include <linux/list.h>
#include <linux/spinlock.h>
#include <linux/types.h>

#include "arena.h"

struct shmap_deferred;

/**
 * struct shmap_defer - removed entries of one shard that wait for readers
 * @lock: protects all that follows but @max
 * @open: those that no grace period has been asked for yet
 * @waiting: older ones, oldest first, each batch with its grace period
 * @closed: how many batches have been put there
 * @bytes: of entries in @open and @waiting
 * @max: bound of @bytes
 * @waits: times that someone had to wait because of that bound
 * @arena: where the entries are from
 */
struct shmap_defer {
	raw_spinlock_t		lock;	/* see above */
	struct shmap_deferred	*open;
	u64			bytes;
	u64			max;
	struct list_head	waiting;
	u64			closed;
	u64			waits;
	struct shmap_arena	*arena;
};

void shmap_defer_init(struct shmap_defer *defer, struct shmap_arena *arena,
		      u64 max);
void shmap_defer_add(struct shmap_defer *defer, u32 ref, u32 bytes);
void shmap_defer_close(struct shmap_defer *defer);
void shmap_defer_reap(struct shmap_defer *defer);
int shmap_defer_drain(struct shmap_defer *defer, bool killable);

#endif /* SHMAP_DEFER_H */
