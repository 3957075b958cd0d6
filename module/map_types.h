/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What a map consists of: its shards and what they share.  map.c documents the lock
 * order, and which lock protects which field.
 */
#ifndef SHMAP_MAP_TYPES_H
#define SHMAP_MAP_TYPES_H

#include <linux/percpu.h>
#include <linux/refcount.h>
#include <linux/slab.h>
#include <linux/string.h>

#include "arena.h"
#include "cut_types.h"
#include "defer.h"
#include "hash.h"
#include "lock.h"
#include "quota.h"
#include "table.h"

/* Limits of max_bytes: even at the maximum the entry area is a third larger. */
#define SHMAP_BYTES_MAX		(SHMAP_AREA_MAX / 4 * 3)
#define SHMAP_BYTES_MIN		(64ull << 10)
#define SHMAP_ENTRIES_MAX	BIT_ULL(31)
#define SHMAP_SHARDS_MAX	1024u

/**
 * struct shmap_config - the configuration of a map
 * @lock: the lock mode
 * @shards: number of shards, a power of two
 * @max_entries: most entries
 * @max_bytes: most bytes of entries
 * @max_key: longest key
 * @max_value: longest value
 * @wipe: zero removed entries when they are freed, and free them in time (keeper.c)
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

/* Events that are counted per CPU; see struct kmap_info. */
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
 * @count: one counter per event
 */
struct shmap_stats {
	u64	count[SHMAP_EVENTS];
};

/**
 * struct shmap_shard - one lock and what it protects
 * @lock: protects all fields but @defer and @arena, and orders writers
 * @marked: a cut is being made, for which this shard's version is not noted yet
 * @version: version of the last change; a removal is a change too
 * @bytes: bytes of entries
 * @newest: the latest version noted here for an active cut, or 0; a newer entry need
 *	not be kept
 * @table: its entries by their keys
 * @cut: number of the last cut for which @version was noted
 * @kept: entries that are kept for snapshots, by place
 * @kept_fifo: the same entries, by death
 * @defer: deferred entries; has its own lock
 * @arena: the arena from which an entry was allocated last; see payer.c
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
	struct shmap_arena	*arena;
} ____cacheline_aligned;

/**
 * struct shmap_payers - the arenas of a map; see payer.c
 * @lock: protects @arenas
 * @arenas: the arenas, by payer and lane
 * @lanes: how many a payer has besides lane 0; constant
 */
struct shmap_payers {
	raw_spinlock_t		lock;	/* see above */
	struct rb_root		arenas;
	unsigned int		lanes;
};

/**
 * struct shmap_map - a map
 * @config: constant
 * @refs: references, held by open files and by the device
 * @hash_key: constant
 * @hash_init: constant; the state that each hash begins with
 * @shard_bits: constant
 * @shard_mask: constant; the number of shards, less 1
 * @shard: the shards
 * @head: first page of the window, followed by the shards' descriptors
 * @head_order: @head has 2^head_order pages
 * @mem: account of the map's memory; mem.c tells what it does not count
 * @tables: the same, for buckets alone
 * @inode: what the mappings of the window belong to
 * @pool: the entry area
 * @payers: the arenas that entries come from
 * @buckets: the buckets of all shards
 * @quota: the limits of entries and bytes
 * @stats: counters per CPU
 * @squeezed: pool->stirred at the beginning of the last complete shmap_space_squeeze()
 * @shrinker: what tells that the machine is short of memory
 * @hurry: the keeper is to free all that it can in its next run
 * @stuck: bytes that waited for readers after space.c last waited for them, or fewer
 * @exposed: units that had memory when slabs were last exposed, or fewer; the keeper's
 * @kept_cut: number that the last cut had when the keeper last ran
 * @cuts: the moments of snapshots, and what is kept for them
 */
struct shmap_map {
	struct shmap_config		config;
	refcount_t			refs;
	hsiphash_key_t			hash_key;
	struct shmap_hash		hash_init;
	unsigned int			shard_bits;
	u32				shard_mask;
	struct shmap_shard		*shard;
	struct kmap_window		*head;
	unsigned int			head_order;
	struct shmap_mem		mem;
	struct shmap_mem		tables;
	struct inode			*inode;
	struct shmap_pool		pool;
	struct shmap_payers		payers;
	struct shmap_buckets		buckets;
	struct shmap_quota		quota;
	struct shmap_stats __percpu	*stats;
	long				squeezed;
	struct shrinker			*shrinker;
	bool				hurry;
	u64				stuck;
	unsigned int			exposed;
	u64				kept_cut;
	struct shmap_cuts		cuts;
};

/**
 * shmap_map_shard - the shard of a hash
 * @map: the map
 * @hash: hash of a key
 *
 * Context: any.
 * Return: the shard.
 */
static inline struct shmap_shard *shmap_map_shard(const struct shmap_map *map,
						  u32 hash)
{
	return &map->shard[hash & map->shard_mask];
}

/**
 * shmap_map_count - count an event
 * @map: the map
 * @event: the event
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
 * shmap_map_wipe_copy - wipe a copy of a key or value, if the map wipes
 * @map: the map
 * @mem: the copy
 * @size: bytes
 *
 * Every function that puts a key or a value on the stack calls this before it
 * returns.
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
 * The buffer is wiped first, if the map wipes.
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
