/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What a map consists of: its shards, and what these share.  map.c has the lock order,
 * and what protects what.
 */
#ifndef SHMAP_MAP_TYPES_H
#define SHMAP_MAP_TYPES_H

#include <linux/percpu.h>
#include <linux/refcount.h>
#include <linux/slab.h>
#include <linux/string.h>
#include <linux/workqueue.h>

#include "arena.h"
#include "cut_types.h"
#include "defer.h"
#include "hash.h"
#include "lock.h"
#include "quota.h"
#include "table.h"

/* What max_bytes may be: the entry area leaves a third over. */
#define SHMAP_BYTES_MAX		(SHMAP_POOL_MAX / 4 * 3)
#define SHMAP_BYTES_MIN		(64ull << 10)
#define SHMAP_ENTRIES_MAX	BIT_ULL(31)
#define SHMAP_SHARDS_MAX	1024u

/**
 * struct shmap_config - what a map is made for
 * @lock: the lock mode
 * @shards: number of shards, a power of two
 * @max_entries: most entries
 * @max_bytes: most bytes of entries
 * @max_key: longest key
 * @max_value: longest value
 * @wipe: zero a removed entry as soon as no reader has it
 */
struct shmap_config {
	const struct shmap_lock_ops	*lock;
	unsigned int			shards;
	u64				max_entries;
	u64				max_bytes;
	u32				max_key;
	u32				max_value;
	bool				wipe;
};

/* What each CPU counts; see struct kmap_info. */
enum shmap_event {
	SHMAP_GETS,
	SHMAP_HITS,
	SHMAP_SETS,
	SHMAP_DELETES,
	SHMAP_ADDS,
	SHMAP_WALKS,
	SHMAP_RETRIES,
	SHMAP_EVENTS
};

/**
 * struct shmap_stats - the counters of one CPU
 * @count: of each event
 */
struct shmap_stats {
	u64	count[SHMAP_EVENTS];
};

/**
 * struct shmap_shard - one lock and what it protects
 * @lock: protects all but @defer and @arena, and orders writers
 * @marked: a cut is being made whose version was not noted here yet
 * @version: version of the last change, be it a removal
 * @bytes: bytes of entries
 * @newest: of active cuts, the latest version noted here; what is not older need
 *	not be kept
 * @table: buckets
 * @cut: number of the last cut whose version was noted here
 * @kept: entries that are kept for snapshots, by place
 * @kept_fifo: the same, by death
 * @defer: removed entries that wait for readers; has its own lock
 * @arena: entries; has its own lock
 */
struct shmap_shard {
	struct shmap_lock	lock;
	bool			marked;
	u64			version;
	u64			bytes;
	u64			newest;
	struct shmap_table	table;
	u64			cut;
	struct rb_root		kept;
	struct list_head	kept_fifo;
	struct shmap_defer	defer ____cacheline_aligned;
	struct shmap_arena	arena;
} ____cacheline_aligned;

/**
 * struct shmap_map - a map
 * @config: constant
 * @refs: open files, and whoever opens them
 * @hash_key: constant
 * @hash_init: constant; what each hash begins with
 * @shard_bits: constant
 * @shard: the shards
 * @head: first page of the window, and behind it the shards' descriptors
 * @head_order: 2^head_order pages
 * @mem: memory, as far as it is counted
 * @pool: the entry area
 * @quota: of entries and bytes
 * @stats: counters per CPU
 * @squeezed: pool->stirred when shmap_space_squeeze() last began and went through
 * @wiper: where @wipe runs, if the map wipes what was removed
 * @wipe: frees what waits for readers, without any other operation
 * @wiped_cut: number of the last cut when @wipe last ran
 * @cuts: moments of snapshots
 */
struct shmap_map {
	struct shmap_config		config;
	refcount_t			refs;
	hsiphash_key_t			hash_key;
	struct shmap_hash		hash_init;
	unsigned int			shard_bits;
	struct shmap_shard		*shard;
	struct kmap_window		*head;
	unsigned int			head_order;
	struct shmap_mem		mem;
	struct shmap_pool		pool;
	struct shmap_quota		quota;
	struct shmap_stats __percpu	*stats;
	long				squeezed;
	struct workqueue_struct		*wiper;
	struct delayed_work		wipe;
	u64				wiped_cut;
	struct shmap_cuts		cuts;
};

/**
 * shmap_map_shard - the shard of a hash
 * @map: the map
 * @hash: of a key
 *
 * Context: any.
 * Return: the shard.
 */
static inline struct shmap_shard *shmap_map_shard(const struct shmap_map *map,
						  u32 hash)
{
	return &map->shard[hash & (map->config.shards - 1)];
}

/**
 * shmap_map_count - count an event
 * @map: the map
 * @event: which
 *
 * Context: any.
 */
static inline void shmap_map_count(struct shmap_map *map,
				   enum shmap_event event)
{
	this_cpu_inc(map->stats->count[event]);
}

/**
 * shmap_map_count_gets - count lookups
 * @map: the map
 * @gets: how many
 * @hits: how many of them found their key
 *
 * Context: any.
 */
static inline void shmap_map_count_gets(struct shmap_map *map,
					unsigned int gets, unsigned int hits)
{
	this_cpu_add(map->stats->count[SHMAP_GETS], gets);
	this_cpu_add(map->stats->count[SHMAP_HITS], hits);
}

/**
 * shmap_map_wipe_copy - wipe a copy of a key or value, if that is asked for
 * @map: the map
 * @mem: the copy
 * @size: bytes
 *
 * For what is on the stack: each function that puts a key or a value there calls
 * this before it returns.
 *
 * Context: any.
 */
static __always_inline void shmap_map_wipe_copy(const struct shmap_map *map,
						void *mem, size_t size)
{
	if (unlikely(map->config.wipe))
		memzero_explicit(mem, size);
}

/**
 * shmap_map_free_copy - free a buffer that may hold copies of keys or values
 * @map: the map
 * @mem: from kmalloc() or kvmalloc(), or NULL
 * @size: bytes
 *
 * Wiped first, if that is asked for.
 *
 * Context: may sleep.
 */
static inline void shmap_map_free_copy(const struct shmap_map *map, void *mem,
				       size_t size)
{
	if (mem)
		shmap_map_wipe_copy(map, mem, size);
	kvfree(mem);
}

#endif /* SHMAP_MAP_TYPES_H */
