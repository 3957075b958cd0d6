// SPDX-License-Identifier: GPL-2.0-only
/*
 * One shared map: its shards, its limits, and what concerns the map as a whole.
 *
 * Lock order, outermost first; any of these locks may also be taken without the
 * others:
 *
 *	shard->lock		one shard at a time; the lock mode's lock
 *	cuts->order		raw spinlock; only while a cut is being made
 *	quota->transfer		raw spinlock
 *	cuts->lock		raw spinlock; never together with quota->transfer
 *
 *	arena->lock		raw spinlock; never together with shard->lock
 *	payers->lock		the same; never together with arena->lock
 *	defer->lock		the same
 *	area->lock		raw spinlock; never together with another
 *	buckets->lock		raw spinlock; under shard->lock and cuts->order, but no
 *				other
 *
 * The spinlocks are raw, so that a task that holds one keeps the CPU even with
 * PREEMPT_RT.  Code that runs under them takes no other locks of the kernel than raw
 * spinlocks.
 *
 * What protects what:
 *
 *	config, hash_*, shard_bits	constant while the map lives
 *	buckets, table->count		shard->lock to write; readers see table.c
 *	free overflow buckets		buckets->lock; those that a shard keeps: shard->lock
 *	shard->version			shard->lock
 *	fields that INFO adds up	their lock and WRITE_ONCE to write, READ_ONCE
 *	shard->marked, cut, newest	shard->lock
 *	shard->kept, kept_fifo		shard->lock
 *	active cuts, cuts->kept		cuts->lock
 *	an entry in the table		immutable, except its version and number:
 *					shard->lock and the home bucket's seq
 *	an entry that is kept		immutable; shard->lock to free it
 *	any other entry			owned by the task that allocated or unlinked it
 *	slabs				arena->lock
 *	tree of arenas, shard->arena	payers->lock; see payer.c
 *	deferred batches		defer->lock
 *	map->squeezed			WRITE_ONCE; a stale value costs another squeeze
 *	units				area->lock; a taken unit belongs to its taker, and
 *					one whose memory is given back to the keeper
 *
 * An open file keeps the map and the module.  When the last reference is dropped, no
 * file of the map is open, so there are neither readers nor writers; destroy() waits
 * for the grace periods of entries that are still deferred.
 */
#include <linux/bitrev.h>
#include <linux/err.h>
#include <linux/log2.h>
#include <linux/random.h>
#include <linux/sizes.h>
#include <linux/slab.h>
#include <linux/timekeeping.h>

#include "inode.h"
#include "keeper.h"
#include "map.h"
#include "payer.h"
#include "shard.h"
#include "shrinker.h"
#include "space.h"

/* Versions begin with the time of day, in steps of 2^VERSION_SHIFT ns. */
#define VERSION_SHIFT	7

/* Address space for slabs that are not full: per shard, and per map. */
#define SHARD_SLACK	(64 * SHMAP_UNIT_SIZE)
#define MAP_SLACK	(512 * SHMAP_UNIT_SIZE)

/* Most bytes that may be deferred per shard. */
static u64 deferred_max(const struct shmap_config *config)
{
	u32 entry = shmap_arena_size(KMAP_ENTRY_SIZE(config->max_key,
						     config->max_value));

	return max3(config->max_bytes / SHMAP_DEFER_PART / config->shards, (u64)SZ_256K,
		    2ull * entry);
}

/* Most bytes that may be kept for snapshots, per map. */
static u64 kept_max(const struct shmap_config *config)
{
	u32 entry = shmap_arena_size(KMAP_ENTRY_SIZE(config->max_key,
						     config->max_value));

	return max3(config->max_bytes / 4, (u64)SZ_256K, 4ull * entry);
}

static u64 entry_area(const struct shmap_config *config)
{
	u64 bytes = 2 * config->max_bytes + kept_max(config) / 2 * 3 +
		    config->shards * (deferred_max(config) + SHARD_SLACK) + MAP_SLACK;

	return min(round_up(bytes, SHMAP_UNIT_SIZE), SHMAP_AREA_MAX);
}

/* The shards' descriptors follow the head at the next cache line. */
static size_t shard_offset(void)
{
	return round_up(sizeof(struct kmap_window), sizeof(struct kmap_shard));
}

static size_t head_size(const struct shmap_config *config)
{
	return shard_offset() + config->shards * sizeof(struct kmap_shard);
}

static void head_init(struct shmap_map *map)
{
	const struct shmap_config *config = &map->config;
	struct kmap_window *head = map->head;
	u64 at = PAGE_SIZE << map->head_order;

	BUILD_BUG_ON(sizeof(map->hash_key) != sizeof(head->hash_key));
	memcpy(head->hash_key, &map->hash_key, sizeof(map->hash_key));
	head->magic = KMAP_WINDOW_MAGIC;
	head->features = KMAP_WINDOW_HSIPHASH;
	head->shards = config->shards;
	head->shard_bits = map->shard_bits;
	head->max_chain = SHMAP_CHAIN_SLOTS;
	head->shard_offset = shard_offset();
	head->bucket_offset = at;
	head->bucket_size = (u64)shmap_table_over_end(config->max_entries,
						      map->shard_bits) *
			    sizeof(struct kmap_bucket);
	at += head->bucket_size;
	head->entry_offset = at;
	head->entry_size = (u64)map->pool.area.end * SHMAP_UNIT_SIZE;
	head->size = at + head->entry_size;
}

/*
 * The version that shards begin with.  No version of this map was used by an earlier
 * map, as long as a shard changes less often than this clock ticks.
 */
static u64 first_version(void)
{
	return (ktime_get_real_ns() >> VERSION_SHIFT) & KMAP_VERSION_MASK;
}

/* Initialise the shards, which needs no more memory. */
static void shards_init(struct shmap_map *map)
{
	struct kmap_shard *desc = (void *)map->head + shard_offset();
	u64 version = first_version();
	unsigned int i;

	for (i = 0; i < map->config.shards; i++) {
		struct shmap_shard *shard = &map->shard[i];

		map->config.lock->init(&shard->lock);
		shard->version = version;
		shard->kept = RB_ROOT;
		INIT_LIST_HEAD(&shard->kept_fifo);
		shard->arena = &shmap_payer_none;
		shmap_defer_init(&shard->defer, &map->pool,
				 deferred_max(&map->config));
		shard->table.lock = &shard->lock;
		shard->table.lock_ops = map->config.lock;
		shard->table.pool = &map->pool;
		shard->table.desc = &desc[i];
		shard->table.chains.buckets = &map->buckets;
		shard->table.shard = i;
		shard->table.shard_bits = map->shard_bits;
		shmap_table_init(&shard->table);
	}
}

static int buckets_init(struct shmap_map *map)
{
	u64 entries = map->config.max_entries;
	unsigned int bits = map->shard_bits;

	return shmap_buckets_init(&map->buckets, &map->tables,
				  shmap_table_home_end(entries, bits),
				  shmap_table_over_end(entries, bits),
				  shmap_table_home_least(bits));
}

static int create(struct shmap_map *map)
{
	const struct shmap_config *config = &map->config;
	int ret;

	ret = shmap_pool_init(&map->pool, &map->mem, &map->tables,
			      entry_area(config),
			      config->max_bytes + config->max_bytes / 16);
	if (ret)
		return ret;
	ret = shmap_quota_init(&map->quota, config->max_entries,
			       config->max_bytes, config->shards);
	if (ret)
		return ret;
	map->stats = alloc_percpu(struct shmap_stats);
	map->head_order = get_order(head_size(config));
	map->head = shmap_mem_alloc_pages(&map->mem, map->head_order);
	if (!map->stats || !map->head)
		return -ENOMEM;
	head_init(map);
	map->pool.area.flag = &map->head->stale;
	map->inode = shmap_inode_create();
	if (IS_ERR(map->inode)) {
		ret = PTR_ERR(map->inode);
		map->inode = NULL;
		return ret;
	}
	ret = buckets_init(map);
	if (ret)
		return ret;
	map->shard = shmap_mem_alloc_table(&map->mem, config->shards,
					   sizeof(*map->shard));
	if (!map->shard)
		return -ENOMEM;
	shards_init(map);
	shmap_keeper_init(map);
	return shmap_shrinker_init(map);
}

/**
 * shmap_map_create - make an empty map
 * @config: its configuration, which the caller has checked
 *
 * Context: may sleep.
 * Return: the map, with one reference, or ERR_PTR(-ENOMEM).
 */
struct shmap_map *shmap_map_create(const struct shmap_config *config)
{
	struct shmap_map *map = kzalloc(sizeof(*map), GFP_KERNEL_ACCOUNT);
	int ret;

	if (!map)
		return ERR_PTR(-ENOMEM);
	map->config = *config;
	refcount_set(&map->refs, 1);
	map->shard_bits = ilog2(config->shards);
	map->shard_mask = config->shards - 1;
	shmap_payers_init(&map->payers, min(config->shards, 2 * num_possible_cpus()));
	map->pool.wipe = config->wipe;
	get_random_bytes(&map->hash_key, sizeof(map->hash_key));
	shmap_hash_init(&map->hash_init, &map->hash_key);
	raw_spin_lock_init(&map->cuts.order);
	raw_spin_lock_init(&map->cuts.lock);
	INIT_LIST_HEAD(&map->cuts.active);
	INIT_LIST_HEAD(&map->cuts.sheets);
	INIT_LIST_HEAD(&map->cuts.spare);
	map->cuts.kept_max = kept_max(config);
	ret = create(map);
	if (ret) {
		shmap_map_put(map);
		return ERR_PTR(ret);
	}
	return map;
}

/* Free a map, complete or not, that is no longer in use. */
static void destroy(struct shmap_map *map)
{
	unsigned int i;

	shmap_shrinker_exit(map);
	shmap_keeper_exit(map);
	for (i = 0; map->shard && i < map->config.shards; i++)
		shmap_shard_drop(map, &map->shard[i]);
	if (map->shard)
		shmap_space_squeeze(map, false);
	shmap_payers_exit(map);
	shmap_buckets_exit(&map->buckets);
	shmap_mem_free_table(&map->mem, map->shard, map->config.shards,
			     sizeof(*map->shard));
	shmap_inode_put(map->inode);
	shmap_mem_free_pages(&map->mem, map->head, map->head_order);
	free_percpu(map->stats);
	shmap_quota_exit(&map->quota);
	shmap_pool_exit(&map->pool);
	WARN_ON_ONCE(atomic_long_read(&map->mem.bytes) ||
		     atomic_long_read(&map->tables.bytes));
	kfree(map);
}

/**
 * shmap_map_get - take a reference
 * @map: the map; the caller holds a reference, or knows that one is held
 *
 * Context: any.
 * Return: the map.
 */
struct shmap_map *shmap_map_get(struct shmap_map *map)
{
	refcount_inc(&map->refs);
	return map;
}

/**
 * shmap_map_put - drop a reference, and free the map with the last one
 * @map: the map
 *
 * Context: may sleep.
 */
void shmap_map_put(struct shmap_map *map)
{
	if (refcount_dec_and_test(&map->refs))
		destroy(map);
}

static u64 events(const struct shmap_map *map, enum shmap_event event)
{
	u64 sum = 0;
	int cpu;

	for_each_possible_cpu(cpu)
		sum += READ_ONCE(per_cpu_ptr(map->stats, cpu)->count[event]);
	return sum;
}

/* Where memory is, and what became of it; @info->bytes and so on are there already. */
static void info_memory(struct shmap_map *map, struct kmap_info *info)
{
	const struct shmap_pool *pool = &map->pool;
	struct shmap_arena *arena;
	u64 used, backed;

	info->tables = atomic_long_read(&map->tables.bytes);
	info->memory = sizeof(*map) + atomic_long_read(&map->mem.bytes) + info->tables;
	for (arena = shmap_payer_next(map, NULL); arena;
	     arena = shmap_payer_next(map, arena))
		info->slabs += READ_ONCE(arena->held) + READ_ONCE(arena->leaving);
	info->kept = READ_ONCE(map->cuts.kept);
	used = info->bytes - info->entries * KMAP_ENTRY_SHARE + info->deferred +
	       info->kept;
	backed = (u64)READ_ONCE(pool->backed) * SHMAP_UNIT_SIZE;
	/* The sums are not of one moment. */
	info->reusable = backed > used ? backed - used : 0;
	info->compacted = atomic_long_read(&pool->compacted);
	info->given_back = READ_ONCE(pool->given_back) * SHMAP_UNIT_SIZE +
			   READ_ONCE(map->buckets.given_back);
}

/**
 * shmap_map_info - limits, size and statistics
 * @map: the map
 * @info: zeroed by the caller; filled in, except flags
 *
 * Context: any.
 */
void shmap_map_info(struct shmap_map *map, struct kmap_info *info)
{
	const struct shmap_config *config = &map->config;
	unsigned int i;

	info->abi = KMAP_ABI;
	strscpy_pad(info->lock, config->lock->name, sizeof(info->lock));
	info->shards = config->shards;
	info->max_key = config->max_key;
	info->max_value = config->max_value;
	info->max_chain = SHMAP_CHAIN_SLOTS;
	info->max_entries = config->max_entries;
	info->max_bytes = config->max_bytes;
	for (i = 0; i < config->shards; i++) {
		const struct shmap_shard *shard = &map->shard[i];
		const struct shmap_table *table = &shard->table;

		info->entries += READ_ONCE(table->count);
		info->bytes += READ_ONCE(shard->bytes);
		info->deferred += READ_ONCE(shard->defer.bytes);
		info->deferred_max += shard->defer.max;
		info->waits += READ_ONCE(shard->defer.waits);
		info->buckets += READ_ONCE(table->desc->end) >> map->shard_bits;
		info->overflow += READ_ONCE(table->chains.over_n);
	}
	info_memory(map, info);
	info->gets = events(map, SHMAP_GETS);
	info->hits = events(map, SHMAP_HITS);
	info->sets = events(map, SHMAP_SETS);
	info->deletes = events(map, SHMAP_DELETES);
	info->adds = events(map, SHMAP_ADDS);
	info->walks = events(map, SHMAP_WALKS);
	info->retries = events(map, SHMAP_RETRIES);
	info->window = map->head->size;
}
