/* SPDX-License-Identifier: GPL-2.0-only */
/* Deferred freeing of unlinked entries; see defer.c. */
#ifndef SHMAP_DEFER_H
#define SHMAP_DEFER_H

#include <linux/list.h>
#include <linux/spinlock.h>
#include <linux/types.h>

#include "arena.h"

/* One part of so many of max_bytes may be deferred, in all; in small maps more. */
#define SHMAP_DEFER_PART	16u

struct shmap_deferred;

/**
 * struct shmap_defer - deferred entries of one shard
 * @lock: protects the other fields, except @max and @pool, which are constant
 * @open: the batch to note entries in, which has no grace period yet, or NULL
 * @waiting: closed batches, oldest first, each with its grace period
 * @closed: number of batches that have been closed
 * @bytes: bytes of the entries in @open and @waiting
 * @max: bound on @bytes
 * @waits: number of entries that could not be noted at once because of that bound
 * @pool: the entry area
 */
struct shmap_defer {
	raw_spinlock_t		lock;	/* see above */
	struct shmap_deferred	*open;
	u64			bytes;
	u64			max;
	struct list_head	waiting;
	u64			closed;
	u64			waits;
	struct shmap_pool	*pool;
};

void shmap_defer_init(struct shmap_defer *defer, struct shmap_pool *pool,
		      u64 max);
void shmap_defer_add(struct shmap_defer *defer, u32 ref, u32 bytes);
void shmap_defer_close(struct shmap_defer *defer);
void shmap_defer_reap(struct shmap_defer *defer);
int shmap_defer_drain(struct shmap_defer *defer, bool killable);

#endif /* SHMAP_DEFER_H */
