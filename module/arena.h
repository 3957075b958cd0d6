/* SPDX-License-Identifier: GPL-2.0-only */
/* Entries in size classes; see arena.c. */
#ifndef SHMAP_ARENA_H
#define SHMAP_ARENA_H

#include <linux/list.h>
#include <linux/spinlock.h>

#include "pool.h"

/* Up to 512 bytes every 8 bytes, then eight classes a doubling. */
#define SHMAP_SMALL_MAX		512u
#define SHMAP_SMALL_CLASSES	(SHMAP_SMALL_MAX / 8)
#define SHMAP_CLASSES		(SHMAP_SMALL_CLASSES + 8 * 12)

struct shmap_deferred;

/**
 * struct shmap_arena - the entries of one shard
 * @pool: where units come from
 * @wipe: zero a freed entry before it can be used again
 * @lock: protects all that follows
 * @partial: of each size class, the slabs that have a free object
 * @open: removed entries that no grace period has been asked for yet
 * @waiting: older ones, oldest first, each batch with its grace period
 * @deferred: bytes in @open and @waiting
 * @deferred_max: bound of @deferred
 * @waits: times that someone had to wait because of that bound
 */
struct shmap_arena {
	struct shmap_pool	*pool;
	bool			wipe;
	spinlock_t		lock;	/* see above */
	struct shmap_deferred	*open;
	struct list_head	waiting;
	u64			deferred;
	u64			deferred_max;
	u64			waits;
	struct hlist_head	partial[SHMAP_CLASSES];
};

void shmap_arena_init(struct shmap_arena *arena, struct shmap_pool *pool,
		      bool wipe, u64 deferred_max);
void shmap_arena_exit(struct shmap_arena *arena);
u32 shmap_arena_size(u32 bytes);
struct kmap_entry *shmap_arena_take(struct shmap_arena *arena, u32 bytes,
				    u32 *ref);
int shmap_arena_grow(struct shmap_arena *arena, u32 bytes);
void shmap_arena_free(struct shmap_arena *arena, const u32 *refs,
		      unsigned int n);
void shmap_arena_trim(struct shmap_arena *arena);

/**
 * shmap_arena_entry_size - bytes that an entry takes
 * @entry: a live entry
 *
 * Context: any.
 * Return: size of its class.
 */
static inline u32 shmap_arena_entry_size(const struct kmap_entry *entry)
{
	u32 key_len = KMAP_ENTRY_KEY_LEN(entry->lens);

	return shmap_arena_size(KMAP_ENTRY_SIZE(key_len,
						KMAP_ENTRY_VALUE_LEN(entry->lens)));
}

#endif /* SHMAP_ARENA_H */
