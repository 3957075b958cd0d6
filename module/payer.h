/* SPDX-License-Identifier: GPL-2.0-only */
/* Which arena an entry comes from: whose memory cgroup pays for it; see payer.c. */
#ifndef SHMAP_PAYER_H
#define SHMAP_PAYER_H

#include <linux/cgroup.h>
#include <linux/rcupdate.h>
#include <linux/sched.h>

#include "map_types.h"

/* In place of an arena that no task has used yet. */
extern struct shmap_arena shmap_payer_none;

void shmap_payers_init(struct shmap_payers *payers, unsigned int lanes);
void shmap_payers_exit(struct shmap_map *map);
struct shmap_arena *shmap_payer_get(struct shmap_map *map, struct shmap_shard *shard);
void shmap_payer_put(struct shmap_map *map, struct shmap_arena *arena);
struct shmap_arena *shmap_payer_next(struct shmap_map *map, struct shmap_arena *arena);
void shmap_payers_drop(struct shmap_map *map);

/**
 * shmap_payer_current - whose memory cgroup pays for what this task allocates
 *
 * Context: any, with preemption off.
 * Return: a number that only this cgroup has had since the machine was booted, or 0
 * where the kernel has no memory cgroups.
 */
static __always_inline u64 shmap_payer_current(void)
{
#ifdef CONFIG_MEMCG
	return task_css_check(current, memory_cgrp_id,
			      rcu_read_lock_sched_held())->serial_nr;
#else
	return 0;
#endif
}

/**
 * shmap_payer_take - allocate an entry that this task pays for
 * @shard: the shard that the entry is for
 * @bytes: its size, header included
 * @ref: set to the reference to the entry
 *
 * Context: may sleep, though this does not.
 * Return: the entry, as from shmap_arena_take(), or NULL if shmap_space_alloc() has to be
 * called.
 */
static __always_inline struct kmap_entry *
shmap_payer_take(const struct shmap_shard *shard, u32 bytes, u32 *ref)
{
	struct kmap_entry *entry = NULL;
	struct shmap_arena *arena;

	/* The arena is freed after a grace period: see shmap_payers_drop(). */
	rcu_read_lock_sched();
	arena = READ_ONCE(shard->arena);
	if (likely(arena->payer == shmap_payer_current()))
		entry = shmap_arena_take(arena, bytes, ref);
	rcu_read_unlock_sched();
	return entry;
}

#endif /* SHMAP_PAYER_H */
