// SPDX-License-Identifier: GPL-2.0-only
/*
 * What is kept for snapshots: entries that were replaced or removed since.
 *
 * Each change of a shard has a version of its own.  The birth of an entry is its
 * version, its death the shard's version when it was replaced or removed.  An entry
 * belongs to a cut when its birth is not above the version that was noted there, and
 * its death is, or has not come.  A change that takes such an entry out of the
 * table, before the snapshot has passed its place, keeps it: in a record, in the
 * shard's tree by place and in its list by death.  A key that is replaced again and
 * again is kept once for each cut: what was born later belongs to none.
 *
 * What is kept is bounded: past cuts->kept_max the oldest cut is ended, and its
 * snapshot fails.  What nobody needs any more is swept up in bounded steps: by
 * who keeps something after a cut was ended, and by each snapshot behind itself.
 * A change neither fails nor waits because of a snapshot: when memory or the entry
 * area runs out, cuts are ended first.
 *
 * An entry that was kept is freed as any that was unlinked: at once where readers
 * lock the shard, as a snapshot does while it copies a piece, else after a grace
 * period.
 */
#include <linux/bitrev.h>
#include <linux/err.h>
#include <linux/sched.h>

#include "entry.h"
#include "map.h"

/* Records that are swept up under one lock. */
#define SWEEP		16u
#define SWEEP_BYTES	65536u

/* Shards that one change looks at for what is to be swept up. */
#define SWEEP_SHARDS	4u

/**
 * shmap_kept_record - get a record
 * @map: the map
 *
 * Context: may sleep.
 * Return: the record, or ERR_PTR(-ENOMEM), with which shmap_kept_claim_locked()
 * does as well.
 */
struct shmap_kept *shmap_kept_record(struct shmap_map *map)
{
	struct shmap_kept *record = shmap_mem_alloc(&map->mem,
						     sizeof(*record));

	return record ?: ERR_PTR(-ENOMEM);
}

/**
 * shmap_kept_discard - free a record that was not used
 * @map: the map
 * @record: the record, ERR_PTR() or NULL
 *
 * Context: may sleep.
 */
void shmap_kept_discard(struct shmap_map *map, struct shmap_kept *record)
{
	if (!IS_ERR_OR_NULL(record))
		shmap_mem_free(&map->mem, record, sizeof(*record));
}

/**
 * shmap_kept_claim_locked - does a snapshot need an entry that is to go?
 * @map: the map
 * @shard: the shard
 * @entry: an entry in its table
 * @record: a record, or ERR_PTR() when there is no memory for one: snapshots
 *	that need the entry are ended then
 *
 * Context: writer.
 * Return: false when the entry can go; true when it has to be kept.
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
 * shmap_kept_keep_locked - keep an entry that was taken out of the table
 * @map: the map
 * @shard: the shard; its version is that of the change
 * @record: to be filled in
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
		/* No death is before those that are there. */
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
 * shmap_kept_find - look at what a shard has kept
 * @shard: the shard
 * @order: from this place on
 * @death: and of that place, from this death on
 *
 * Context: the shard's lock, in whatever way.
 * Return: the first, or NULL.
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
 * shmap_kept_next - look at what follows
 * @kept: from shmap_kept_find()
 *
 * Context: the shard's lock, held since then.
 * Return: the next, or NULL.
 */
struct shmap_kept *shmap_kept_next(const struct shmap_kept *kept)
{
	struct rb_node *node = rb_next(&kept->node);

	return node ? rb_entry(node, struct shmap_kept, node) : NULL;
}

/* What no cut needs: all that died up to this version or is before that place. */
static void see_locked(struct shmap_map *map, struct shmap_shard *shard,
		       u64 *version, u64 *place)
{
	unsigned int i = shard - map->shard;
	const struct shmap_cut *cut;
	u64 newest = 0;

	shmap_table_assert_locked(&shard->table);
	*version = ~0ull;
	*place = SHMAP_ORDER_END;
	raw_spin_lock(&map->cuts.lock);
	list_for_each_entry(cut, &map->cuts.active, node) {
		/* Made here later, it needs nothing that was kept before. */
		if (shard->cut < cut->number)
			continue;
		newest = max(newest, cut->version[i]);
		*version = min(*version, cut->version[i]);
		*place = min(*place, cut->passed);
	}
	raw_spin_unlock(&map->cuts.lock);
	shard->newest = newest;
}

static struct shmap_kept *take_locked(struct shmap_shard *shard, u64 version,
				      u64 place)
{
	struct shmap_kept *kept;
	struct rb_node *first;

	shmap_table_assert_locked(&shard->table);
	kept = list_first_entry_or_null(&shard->kept_fifo, struct shmap_kept,
					fifo);
	if (!kept)
		return NULL;
	if (kept->death > version) {
		first = rb_first(&shard->kept);
		kept = rb_entry(first, struct shmap_kept, node);
		if (kept->order >= place)
			return NULL;
	}
	list_del(&kept->fifo);
	rb_erase(&kept->node, &shard->kept);
	return kept;
}

/**
 * shmap_kept_sweep - free some of what a shard has kept and nobody needs
 * @map: the map
 * @shard: the shard
 *
 * Context: may sleep.
 * Return: true when there may be more.
 */
bool shmap_kept_sweep(struct shmap_map *map, struct shmap_shard *shard)
{
	const struct shmap_lock_ops *lock = map->config.lock;
	struct shmap_kept *kept[SWEEP];
	unsigned int n = 0, i;
	u64 version, place, bytes = 0;
	bool more = true;

	shmap_lock_write_enter(lock, &shard->lock);
	see_locked(map, shard, &version, &place);
	while (n < SWEEP && bytes < SWEEP_BYTES) {
		kept[n] = take_locked(shard, version, place);
		more = kept[n];
		if (!more)
			break;
		bytes += kept[n++]->bytes + sizeof(**kept);
	}
	shmap_lock_write_leave(lock, &shard->lock);
	for (i = 0; i < n; i++) {
		shmap_map_retire(map, shard, kept[i]->ref, kept[i]->bytes);
		shmap_kept_discard(map, kept[i]);
	}
	raw_spin_lock(&map->cuts.lock);
	WRITE_ONCE(map->cuts.kept, map->cuts.kept - bytes);
	raw_spin_unlock(&map->cuts.lock);
	return more;
}

/**
 * shmap_kept_sweep_some - free some of what nobody needs since a cut was ended
 * @map: the map
 *
 * Who has kept something calls this.  Where removed entries are to be wiped in
 * time, this is also what makes sure of that.
 *
 * Context: may sleep.
 */
void shmap_kept_sweep_some(struct shmap_map *map)
{
	struct shmap_cuts *cuts = &map->cuts;
	struct shmap_defer *defer;
	unsigned int n, i;

	if (unlikely(map->config.wipe && READ_ONCE(cuts->kept)))
		shmap_wipe_later(map);
	for (n = 0; n < SWEEP_SHARDS && READ_ONCE(cuts->sweep_left); n++) {
		i = READ_ONCE(cuts->sweep) & (map->config.shards - 1);
		defer = &map->shard[i].defer;
		/* Not so much that a writer would have to wait for readers. */
		if (READ_ONCE(defer->bytes) > defer->max / 2)
			shmap_defer_reap(defer);
		if (READ_ONCE(defer->bytes) > defer->max / 2 ||
		    shmap_kept_sweep(map, &map->shard[i]))
			break;
		raw_spin_lock(&cuts->lock);
		WRITE_ONCE(cuts->sweep, i + 1);
		if (cuts->sweep_left)
			WRITE_ONCE(cuts->sweep_left, cuts->sweep_left - 1);
		raw_spin_unlock(&cuts->lock);
	}
}

/**
 * shmap_kept_relieve - free what is kept, because memory ran out
 * @map: the map
 *
 * What nobody needs goes first, then the oldest cut is ended.
 *
 * Context: may sleep.
 * Return: true when something was freed, or can be by another call.
 */
bool shmap_kept_relieve(struct shmap_map *map)
{
	struct shmap_cuts *cuts = &map->cuts;
	u64 before = READ_ONCE(cuts->kept);
	bool more = false;
	unsigned int i;

	if (!before)
		return false;
	for (i = 0; i < map->config.shards; i++)
		while (shmap_kept_sweep(map, &map->shard[i]))
			cond_resched();
	raw_spin_lock(&cuts->lock);
	if (cuts->n && cuts->kept >= before) {
		shmap_cut_end_locked(map,
				     list_first_entry(&cuts->active,
						      struct shmap_cut, node));
		more = true;
	}
	more |= cuts->kept < before;
	raw_spin_unlock(&cuts->lock);
	return more;
}

/**
 * shmap_kept_expire - free what was kept for longer than since the last call
 * @map: the map
 * @number: number of the last cut at that call; set to what it is now
 *
 * If anything is kept, cuts that were there at the last call are ended, and what
 * nobody needs any more is freed.
 *
 * Context: may sleep.
 * Return: true when something is still kept.
 */
bool shmap_kept_expire(struct shmap_map *map, u64 *number)
{
	struct shmap_cuts *cuts = &map->cuts;
	struct shmap_cut *cut, *next;
	unsigned int i;

	raw_spin_lock(&cuts->lock);
	list_for_each_entry_safe(cut, next, &cuts->active, node)
		if (cuts->kept && cut->number <= *number)
			shmap_cut_end_locked(map, cut);
	*number = cuts->number;
	raw_spin_unlock(&cuts->lock);
	for (i = 0; READ_ONCE(cuts->kept) && i < map->config.shards; i++)
		while (shmap_kept_sweep(map, &map->shard[i]))
			cond_resched();
	return READ_ONCE(cuts->kept);
}
