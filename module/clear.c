// SPDX-License-Identifier: GPL-2.0-only
/*
 * Removing all keys, some chains at a time.
 *
 * CLEAR locks one shard at a time, and lets go of it after a bounded number of
 * entries and chains, so that it holds nobody up.  What a snapshot still needs is
 * kept for it like what any other change takes away; the records for that are got
 * while nothing is locked.
 */
#include <linux/err.h>
#include <linux/sched.h>
#include <linux/slab.h>

#include "clear.h"
#include "fatal.h"

/* Entries that CLEAR removes under one lock. */
#define CLEAR_REFS	(2 * SHMAP_CHAIN_SLOTS)

/* Chains that it looks at, most of them empty. */
#define CLEAR_CHAINS	16

/**
 * struct clearing - what CLEAR works with
 * @refs: entries that were removed
 * @n: how many
 * @keep: which of a chain's a snapshot needs, a bit for each
 * @record: records for these
 * @records: how many there are
 * @none: ERR_PTR() when there is no memory for more
 */
struct clearing {
	u32			refs[CLEAR_REFS];
	unsigned int		n;
	u64			keep;
	struct shmap_kept	*record[SHMAP_CHAIN_SLOTS];
	unsigned int		records;
	struct shmap_kept	*none;
};

/* Find out what of a chain is to be kept.  False: get records first. */
static bool choose_locked(struct shmap_map *map, struct shmap_shard *shard,
			  u32 bucket, struct clearing *work)
{
	u32 *refs = work->refs + work->n;
	const struct kmap_entry *entry;
	unsigned int n, i, used = 0;

	BUILD_BUG_ON(SHMAP_CHAIN_SLOTS > 64);
	work->keep = 0;
	if (!shard->newest)
		return true;
	n = shmap_table_refs_locked(&shard->table, bucket, refs);
	for (i = 0; i < n; i++) {
		entry = shmap_pool_entry(&map->pool, refs[i]);
		if (!shmap_map_may_need(shard, entry) ||
		    !shmap_kept_claim_locked(map, shard, entry,
					     used < work->records ?
					     work->record[used] : work->none))
			continue;
		if (used++ == work->records)
			return false;
		work->keep |= BIT_ULL(i);
	}
	return true;
}

/* Remove all entries of a chain.  False: get records first. */
static bool clear_chain_locked(struct shmap_map *map, struct shmap_shard *shard,
			       u32 bucket, struct clearing *work)
{
	unsigned int i = shard - map->shard, n, k;
	u32 *refs = work->refs + work->n;
	u64 bytes = 0;

	shmap_table_assert_locked(&shard->table);
	if (!choose_locked(map, shard, bucket, work))
		return false;
	n = shmap_table_empty_locked(&shard->table, bucket, refs);
	for (k = 0; k < n; k++) {
		bytes += shmap_arena_entry_size(shmap_pool_entry(&map->pool,
								 refs[k]));
		shard->version++;
		if (work->keep & BIT_ULL(k))
			shmap_kept_keep_locked(map, shard,
					       work->record[--work->records],
					       refs[k]);
		else
			work->refs[work->n++] = refs[k];
	}
	WRITE_ONCE(shard->bytes, shard->bytes - bytes);
	shmap_quota_give(&map->quota, i, n, bytes);
	return true;
}

/*
 * Remove some entries of a shard.  Sets *@bucket to where to go on, and adds to
 * *@removed.  False: get records first.
 */
static bool clear_some_locked(struct shmap_map *map, struct shmap_shard *shard,
			      struct clearing *work, u32 *bucket, u64 *removed)
{
	u32 buckets = shard->table.desc->buckets, count = shard->table.count, k;
	bool more = true;

	shmap_table_assert_locked(&shard->table);
	work->n = 0;
	for (k = 0; more && k < CLEAR_CHAINS && *bucket < buckets &&
	     count - shard->table.count + SHMAP_CHAIN_SLOTS <= CLEAR_REFS; k++) {
		more = clear_chain_locked(map, shard, *bucket, work);
		if (more)
			++*bucket;
	}
	*removed += count - shard->table.count;
	return more;
}

static void get_records(struct shmap_map *map, struct clearing *work)
{
	struct shmap_kept *record;

	while (work->records < SHMAP_CHAIN_SLOTS) {
		record = shmap_kept_record(map);
		if (IS_ERR(record)) {
			work->none = record;
			return;
		}
		work->record[work->records++] = record;
	}
}

static int clear_shard(struct shmap_map *map, struct shmap_shard *shard,
		       struct clearing *work, u64 *removed)
{
	const struct kmap_entry *entry;
	u32 bucket = 0;

	while (bucket < READ_ONCE(shard->table.desc->buckets)) {
		unsigned int k;
		bool more;

		shmap_map_lock(map, shard);
		more = clear_some_locked(map, shard, work, &bucket, removed);
		shmap_map_unlock(map, shard);
		for (k = 0; k < work->n; k++) {
			entry = shmap_pool_entry(&map->pool, work->refs[k]);
			shmap_map_retire(map, shard, work->refs[k],
					 shmap_arena_entry_size(entry));
		}
		if (unlikely(!more))
			get_records(map, work);
		shmap_kept_sweep_some(map);
		if (shmap_fatal_pending())
			return -EINTR;
		cond_resched();
	}
	return 0;
}

/**
 * shmap_clear_run - remove all keys that are present when the call begins
 * @map: the map
 * @removed: set to how many were removed
 *
 * Buckets split towards higher numbers, so going up meets all keys.
 *
 * Context: may sleep.
 * Return: 0, -ENOMEM, or -EINTR when some are left.
 */
int shmap_clear_run(struct shmap_map *map, u64 *removed)
{
	struct clearing *work = kzalloc(sizeof(*work), SHMAP_MEM_GFP);
	unsigned int i;
	int r = 0;

	*removed = 0;
	if (!work)
		return -ENOMEM;
	for (i = 0; !r && i < map->config.shards; i++)
		r = clear_shard(map, &map->shard[i], work, removed);
	for (i = 0; i < work->records; i++)
		shmap_kept_discard(map, work->record[i]);
	kfree(work);
	return r;
}
