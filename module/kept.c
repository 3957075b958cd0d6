// SPDX-License-Identifier: GPL-2.0-only
/*
 * What is kept for snapshots: entries that were replaced or removed since their cut.
 *
 * Each change of a shard has a version of its own.  The birth of an entry is its
 * version, its death the shard's version when it was replaced or removed.  An entry
 * belongs to a cut when its birth is not above the version that was noted for its shard,
 * and its death is above that, or has not come.  A change that unlinks such an entry
 * before the snapshot has passed its place keeps it: a record of it goes into the
 * shard's tree by place and list by death.  When a key is replaced again and again,
 * one entry is kept for each cut: entries that are born after the newest cut belong to
 * none.
 *
 * The tasks that take snapshots allocate ahead, within bounds, what changes need to
 * keep entries: records, and memory for the entries that replace the kept ones.
 *
 * What is kept is bounded: above cuts->kept_max, or above 3/2 of it while a sweep is
 * pending, the oldest cut is ended, and its snapshot fails.  sweep.c frees what no cut
 * needs any more.
 */
#include <linux/bitrev.h>
#include <linux/err.h>

#include "cut.h"
#include "entry.h"
#include "kept.h"

/* Maximum number of records that are allocated ahead. */
#define SPARES		128u

/**
 * struct sheet - records that are allocated together
 * @node: in cuts->sheets, while no record is in use
 * @used: number of records in use
 * @record: the records; those that are not in use are in cuts->spare
 *
 * Records that are allocated one by one would take single pages from the kernel's
 * allocator, which moves up to 2016 of them at once for a task that takes many.
 */
struct sheet {
	struct list_head	node;
	unsigned int		used;
	struct shmap_kept	record[SHMAP_SHEET_RECORDS];
};

static bool add_sheet(struct shmap_map *map)
{
	struct sheet *sheet = shmap_mem_alloc(&map->mem, sizeof(*sheet));
	struct shmap_cuts *cuts = &map->cuts;
	unsigned int i;

	if (!sheet)
		return false;
	raw_spin_lock(&cuts->lock);
	list_add_tail(&sheet->node, &cuts->sheets);
	for (i = 0; i < SHMAP_SHEET_RECORDS; i++) {
		sheet->record[i].index = i;
		list_add_tail(&sheet->record[i].fifo, &cuts->spare);
	}
	WRITE_ONCE(cuts->spares, cuts->spares + SHMAP_SHEET_RECORDS);
	raw_spin_unlock(&cuts->lock);
	return true;
}

/* Take out a sheet without records in use, if @left spare records remain without it. */
static struct sheet *take_sheet(struct shmap_cuts *cuts, unsigned int left)
{
	struct sheet *sheet = NULL;
	unsigned int i;

	raw_spin_lock(&cuts->lock);
	if (cuts->spares >= left + SHMAP_SHEET_RECORDS)
		sheet = list_first_entry_or_null(&cuts->sheets, struct sheet,
						 node);
	if (sheet) {
		list_del(&sheet->node);
		for (i = 0; i < SHMAP_SHEET_RECORDS; i++)
			list_del(&sheet->record[i].fifo);
		WRITE_ONCE(cuts->spares, cuts->spares - SHMAP_SHEET_RECORDS);
	}
	raw_spin_unlock(&cuts->lock);
	return sheet;
}

static void free_sheets(struct shmap_map *map, unsigned int left)
{
	struct sheet *sheet;

	while (READ_ONCE(map->cuts.spares) >= left + SHMAP_SHEET_RECORDS) {
		sheet = take_sheet(&map->cuts, left);
		if (!sheet)
			break;
		shmap_mem_free(&map->mem, sheet, sizeof(*sheet));
	}
}

static struct sheet *sheet_of(struct shmap_kept *record)
{
	return container_of(record - record->index, struct sheet, record[0]);
}

static struct shmap_kept *take_spare(struct shmap_map *map)
{
	struct shmap_cuts *cuts = &map->cuts;
	struct shmap_kept *record;
	struct sheet *sheet;

	raw_spin_lock(&cuts->lock);
	record = list_first_entry_or_null(&cuts->spare, struct shmap_kept,
					  fifo);
	if (record) {
		sheet = sheet_of(record);
		list_del(&record->fifo);
		WRITE_ONCE(cuts->spares, cuts->spares - 1);
		if (!sheet->used++)
			list_del(&sheet->node);
	}
	raw_spin_unlock(&cuts->lock);
	return record;
}

/**
 * shmap_kept_record - get a record
 * @map: the map
 *
 * Context: may sleep.
 * Return: the record, or ERR_PTR(-ENOMEM), which shmap_kept_claim_locked() takes as
 * well.
 */
struct shmap_kept *shmap_kept_record(struct shmap_map *map)
{
	struct shmap_kept *record;

	do {
		record = take_spare(map);
	} while (!record && add_sheet(map));
	return record ?: ERR_PTR(-ENOMEM);
}

/**
 * shmap_kept_discard - give back a record that is not in use
 * @map: the map
 * @record: the record, or ERR_PTR() or NULL
 *
 * Context: may sleep.
 */
void shmap_kept_discard(struct shmap_map *map, struct shmap_kept *record)
{
	struct shmap_cuts *cuts = &map->cuts;
	unsigned int left = SPARES;
	struct sheet *sheet;

	if (IS_ERR_OR_NULL(record))
		return;
	sheet = sheet_of(record);
	raw_spin_lock(&cuts->lock);
	list_add_tail(&record->fifo, &cuts->spare);
	WRITE_ONCE(cuts->spares, cuts->spares + 1);
	if (!--sheet->used)
		list_add_tail(&sheet->node, &cuts->sheets);
	if (!cuts->n)
		left = 0;
	raw_spin_unlock(&cuts->lock);
	free_sheets(map, left);
}

/**
 * shmap_kept_stock - allocate ahead what changes need to keep entries
 * @map: the map
 *
 * About as many records as the map has entries, and memory for as many units as its
 * entries fill; but at most SPARES records and SHMAP_POOL_STOCK units.
 *
 * Context: may sleep.
 * Return: false when there is no memory.
 */
bool shmap_kept_stock(struct shmap_map *map)
{
	u64 bytes = 0, bytes_max = SHMAP_POOL_STOCK * SHMAP_UNIT_SIZE;
	unsigned int records = 0, i;

	for (i = 0; i < map->config.shards &&
	     (records < SPARES || bytes < bytes_max); i++) {
		records = min(records + READ_ONCE(map->shard[i].table.count),
			      SPARES);
		bytes = min(bytes + READ_ONCE(map->shard[i].bytes), bytes_max);
	}
	while (READ_ONCE(map->cuts.spares) < records)
		if (!add_sheet(map))
			return false;
	return shmap_pool_stock(&map->pool, bytes >> SHMAP_UNIT_SHIFT);
}

/**
 * shmap_kept_unstock - free what was allocated ahead
 * @map: the map; no cut is active
 *
 * Context: may sleep.
 */
void shmap_kept_unstock(struct shmap_map *map)
{
	free_sheets(map, 0);
	shmap_pool_unstock(&map->pool);
}

/**
 * shmap_kept_claim_locked - does a snapshot need an entry that is to be changed?
 * @map: the map
 * @shard: the shard
 * @entry: an entry in its table, which is to be replaced, removed or updated
 * @record: a record, or NULL when there is none yet, or ERR_PTR() when nothing can be
 *	kept: snapshots that need the entry are ended then
 *
 * Context: writer.
 * Return: true when the entry must be kept; else false.
 */
bool shmap_kept_claim_locked(struct shmap_map *map, struct shmap_shard *shard,
			     const struct kmap_entry *entry,
			     const struct shmap_kept *record)
{
	unsigned int i = shard - map->shard;
	u64 version = KMAP_ENTRY_VERSION(entry->version);
	u32 order = bitrev32(entry->hash);
	struct shmap_cut *cut, *next;
	bool needed = false;
	u64 newest = 0;

	shmap_table_assert_locked(&shard->table);
	raw_spin_lock(&map->cuts.lock);
	list_for_each_entry_safe(cut, next, &map->cuts.active, node) {
		newest = max(newest, cut->version[i]);
		if (cut->version[i] < version || order < cut->passed)
			continue;
		if (IS_ERR(record))
			shmap_cut_end_locked(map, cut);
		else
			needed = true;
	}
	raw_spin_unlock(&map->cuts.lock);
	shard->newest = newest;
	return needed;
}

/**
 * shmap_kept_keep_locked - keep an entry that was unlinked
 * @map: the map
 * @shard: the shard; its version is that of the change
 * @record: filled in
 * @ref: reference to the entry
 *
 * Context: writer.
 */
void shmap_kept_keep_locked(struct shmap_map *map, struct shmap_shard *shard,
			    struct shmap_kept *record, u32 ref)
{
	const struct kmap_entry *entry = shmap_pool_entry(&map->pool, ref);
	struct rb_node **at = &shard->kept.rb_node, *parent = NULL;
	struct shmap_cuts *cuts = &map->cuts;
	const struct shmap_kept *other;

	shmap_table_assert_locked(&shard->table);
	record->ref = ref;
	record->order = bitrev32(entry->hash);
	record->bytes = shmap_arena_entry_size(entry);
	record->birth = KMAP_ENTRY_VERSION(entry->version);
	record->death = shard->version;
	list_add_tail(&record->fifo, &shard->kept_fifo);
	while (*at) {
		parent = *at;
		other = rb_entry(parent, struct shmap_kept, node);
		/* No kept entry has a later death, so this one is behind those of its place. */
		at = record->order < other->order ? &parent->rb_left :
						    &parent->rb_right;
	}
	rb_link_node(&record->node, parent, at);
	rb_insert_color(&record->node, &shard->kept);

	raw_spin_lock(&cuts->lock);
	WRITE_ONCE(cuts->kept, cuts->kept + record->bytes + sizeof(*record));
	if (cuts->n && cuts->kept > cuts->kept_max &&
	    (!cuts->sweep_left || cuts->kept > cuts->kept_max / 2 * 3))
		shmap_cut_end_locked(map,
				     list_first_entry(&cuts->active,
						      struct shmap_cut, node));
	raw_spin_unlock(&cuts->lock);
}

/**
 * shmap_kept_find - find the first entry that a shard has kept from a place on
 * @shard: the shard
 * @order: the place
 * @death: lowest death of an entry that has this very place
 *
 * Context: the caller must hold the shard's lock, so that writers are shut out.
 * Return: the first such record, or NULL.
 */
struct shmap_kept *shmap_kept_find(const struct shmap_shard *shard, u32 order,
				   u64 death)
{
	struct rb_node *node = shard->kept.rb_node;
	struct shmap_kept *kept, *found = NULL;

	while (node) {
		kept = rb_entry(node, struct shmap_kept, node);
		if (kept->order > order ||
		    (kept->order == order && kept->death >= death)) {
			found = kept;
			node = node->rb_left;
		} else {
			node = node->rb_right;
		}
	}
	return found;
}

/**
 * shmap_kept_next - find the kept entry that follows
 * @kept: from shmap_kept_find()
 *
 * Context: the shard's lock must have been held since shmap_kept_find().
 * Return: the next record, or NULL.
 */
struct shmap_kept *shmap_kept_next(const struct shmap_kept *kept)
{
	struct rb_node *node = rb_next(&kept->node);

	return node ? rb_entry(node, struct shmap_kept, node) : NULL;
}
