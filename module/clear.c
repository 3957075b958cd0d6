// SPDX-License-Identifier: GPL-2.0-only
/*
 * Removing all keys, some chains at a time.
 *
 * CLEAR locks one shard at a time, and drops the lock after a bounded number of
 * entries and chains, so that no other task waits for long.  What a snapshot still
 * needs is kept for it, as by any other change; the records for that are allocated
 * while no lock is held.
 */
#include <linux/bitrev.h>
#include <linux/err.h>
#include <linux/sched.h>
#include <linux/slab.h>

#include "clear.h"
#include "fatal.h"
#include "shard_inline.h"
#include "sweep.h"

/* Most entries that CLEAR removes in one hold of the lock. */
#define CLEAR_REFS	(2 * SHMAP_CHAIN_SLOTS)

/* Most chains that it looks at in one hold, if they have few entries. */
#define CLEAR_CHAINS	16

/**
 * struct clearing - working memory of CLEAR
 * @refs: references to entries that were removed and are not kept
 * @n: number of references
 * @records: records for entries that must be kept
 */
struct clearing {
	u32			refs[CLEAR_REFS];
	unsigned int		n;
	struct shmap_records	records;
};

/*
 * Remove some entries of a shard.  Sets *@place to the place to go on with, and adds
 * the number of entries to *@removed.  Returns false when records must be allocated first.
 */
static bool clear_some_locked(struct shmap_map *map, struct shmap_shard *shard,
			      struct clearing *work, u64 *place, u64 end,
			      u64 *removed)
{
	u32 count = shard->table.count, bucket, k;
	unsigned int n;
	bool more = true;
	u64 next;

	shmap_table_assert_locked(&shard->table);
	work->n = 0;
	for (k = 0; more && k < CLEAR_CHAINS && *place < end &&
	     count - shard->table.count + SHMAP_CHAIN_SLOTS <= CLEAR_REFS; k++) {
		next = shmap_table_next_locked(&shard->table, *place, &bucket);
		more = !shmap_shard_unlink_chain_locked(map, shard, bucket,
							&work->records,
							work->refs + work->n,
							&n);
		if (more)
			*place = next;
		work->n += n;
	}
	*removed += count - shard->table.count;
	return more;
}

static void get_records(struct shmap_map *map, struct shmap_records *records)
{
	struct shmap_kept *record;

	while (records->n < SHMAP_CHAIN_SLOTS) {
		record = shmap_kept_record(map);
		if (IS_ERR(record)) {
			records->none = record;
			return;
		}
		records->record[records->n++] = record;
	}
}

static int clear_shard(struct shmap_map *map, struct shmap_shard *shard,
		       struct clearing *work, u64 *removed)
{
	const struct kmap_entry *entry;
	u64 place = bitrev32(shard->table.shard);
	u64 end = place + (SHMAP_ORDER_END >> map->shard_bits);

	while (place < end) {
		unsigned int k;
		bool more;

		shmap_shard_lock(map, shard);
		more = clear_some_locked(map, shard, work, &place, end,
					 removed);
		shmap_shard_unlock(map, shard);
		for (k = 0; k < work->n; k++) {
			entry = shmap_pool_entry(&map->pool, work->refs[k]);
			shmap_shard_retire(map, shard, work->refs[k],
					   shmap_arena_entry_size(entry));
		}
		if (unlikely(!more))
			get_records(map, &work->records);
		shmap_sweep_some(map);
		if (shmap_fatal_pending())
			return -EINTR;
		cond_resched();
	}
	while (shmap_shard_shrink(map, shard))
		cond_resched();
	return 0;
}

/**
 * shmap_clear_run - remove all keys that are present when the call begins
 * @map: the map
 * @removed: set to the number of entries that were removed
 *
 * The pass goes in the order of walks, in which no split or merge moves an entry to a
 * place that is behind it.  So it meets all keys.
 *
 * Context: may sleep.
 * Return: 0, -ENOMEM, or -EINTR when a fatal signal came; some keys may be left then.
 */
int shmap_clear_run(struct shmap_map *map, u64 *removed)
{
	struct clearing *work = kzalloc(sizeof(*work), SHMAP_MEM_GFP);
	unsigned int i;
	int ret = 0;

	*removed = 0;
	if (!work)
		return -ENOMEM;
	for (i = 0; !ret && i < map->config.shards; i++)
		ret = clear_shard(map, &map->shard[i], work, removed);
	for (i = 0; i < work->records.n; i++)
		shmap_kept_discard(map, work->records.record[i]);
	kfree(work);
	return ret;
}
