// SPDX-License-Identifier: GPL-2.0-only
/*
 * Snapshots: all entries as of one moment, read piece by piece.
 *
 * cut.c chooses the moment, and kept.c keeps entries that are replaced or removed after
 * it until they have been read here.  The walk goes interval by interval; an interval
 * is what one chain covers in the order of walks when the walk arrives there.  Under
 * the shard's lock it collects references: to the entries of the chain that were born
 * before the cut, and to the entries kept for that interval that were born before the
 * cut and died after it.  If too many are kept to be collected at once, the rest is
 * collected later, without those that died since the chain was collected: they were
 * collected from the chain.
 *
 * The entries collected stay as they are, since the snapshot needs them, unless the cut
 * is ended.  So each piece is copied as a reader copies, after a check that the cut has
 * not ended: where readers take no lock, the entry outlives the read-side critical
 * section; where they do, the entry cannot be removed meanwhile, neither from the table
 * nor from what is kept.  Version and number are copied as they were collected.  No lock
 * is held when pieces are copied to the user.
 */
#include <linux/bitrev.h>
#include <linux/err.h>
#include <linux/preempt.h>
#include <linux/slab.h>

#include "cut.h"
#include "fatal.h"
#include "kept.h"
#include "snapshot.h"
#include "sweep.h"

/* Most kept entries that are looked at before the lock is dropped. */
#define LOOKS		256u

/* Most calls of shmap_sweep_shard() after a piece. */
#define SWEEPS		4u

/* Free what was allocated ahead, if no snapshot is left. */
static void unstock(struct shmap_map *map)
{
	if (!READ_ONCE(map->cuts.n))
		shmap_kept_unstock(map);
}

/**
 * shmap_snapshot_begin - begin a snapshot
 * @map: the map
 * @values: whether records have values too
 *
 * Context: may sleep.
 * Return: the snapshot, of a moment during the call; ERR_PTR(-ENOMEM), or
 * ERR_PTR(-ENOBUFS) when SHMAP_CUTS snapshots are active and no user has more of them than
 * the caller.
 */
struct shmap_snapshot *shmap_snapshot_begin(struct shmap_map *map, bool values)
{
	struct shmap_snapshot *snap = kzalloc(sizeof(*snap), SHMAP_MEM_GFP);
	struct shmap_cut *cut;

	if (!snap)
		return ERR_PTR(-ENOMEM);
	snap->short_of_memory = !shmap_kept_stock(map);
	cut = shmap_cut_begin(map);
	if (IS_ERR(cut)) {
		unstock(map);
		kfree(snap);
		return ERR_CAST(cut);
	}
	snap->map = map;
	snap->cut = cut;
	snap->values = values;
	return snap;
}

/**
 * shmap_snapshot_end - end a snapshot
 * @snap: the snapshot, read to its end or not
 *
 * Context: may sleep.
 */
void shmap_snapshot_end(struct shmap_snapshot *snap)
{
	shmap_cut_end(snap->map, snap->cut);
	shmap_sweep_all(snap->map);
	unstock(snap->map);
	shmap_map_free_copy(snap->map, snap, sizeof(*snap));
}

static struct shmap_shard *shard_at(const struct shmap_snapshot *snap)
{
	return shmap_map_shard(snap->map, bitrev32(snap->from));
}

static void note(struct shmap_snapshot *snap, u32 ref)
{
	const struct kmap_entry *entry = shmap_pool_entry(&snap->map->pool, ref);
	struct shmap_snapshot_item *item = &snap->item[snap->n];

	item->ref = ref;
	snap->n += shmap_read_see(entry, &item->seen);
}

static void collect_live(struct shmap_snapshot *snap, struct shmap_shard *shard,
			 u64 version)
{
	struct shmap_probe probe __uninitialized;
	const struct kmap_entry *entry;
	unsigned int n, i;

	shmap_table_begin(&shard->table, bitrev32(snap->from), &probe);
	n = shmap_table_collect(&shard->table, &probe, snap->place, &snap->end);
	for (i = 0; i < n; i++) {
		entry = shmap_pool_entry(&snap->map->pool, snap->place[i].ref);
		if (KMAP_ENTRY_VERSION(entry->version) <= version)
			note(snap, snap->place[i].ref);
	}
	snap->until = shard->version;
	snap->order = snap->from;
	snap->death = 0;
}

/* Returns whether there may be more. */
static bool collect_kept(struct shmap_snapshot *snap, struct shmap_shard *shard,
			 u64 version)
{
	unsigned int looks = LOOKS;
	struct shmap_kept *kept;

	kept = shmap_kept_find(shard, snap->order, snap->death);
	for (; kept && kept->order < snap->end; kept = shmap_kept_next(kept)) {
		if (!looks-- || snap->n == SHMAP_SNAPSHOT_ITEMS) {
			snap->order = kept->order;
			snap->death = kept->death;
			return true;
		}
		if (kept->birth <= version && kept->death > version &&
		    kept->death <= snap->until)
			note(snap, kept->ref);
	}
	return false;
}

/* Collect the next entries.  There may be none although more follow: see snap->over. */
static int collect(struct shmap_snapshot *snap)
{
	const struct shmap_lock_ops *lock = snap->map->config.lock;
	struct shmap_shard *shard;
	u64 version;
	int ret = 0;

	if (!snap->kept_only)
		snap->from = snap->end;
	snap->over = snap->from == SHMAP_ORDER_END;
	if (snap->over)
		return 0;
	snap->n = 0;
	snap->at = 0;
	shard = shard_at(snap);
	if (lock->lockless_reads)
		shmap_lock_write_enter(lock, &shard->lock);
	else
		shmap_lock_read_enter(lock, &shard->lock);
	preempt_disable();
	version = snap->cut->version[shard - snap->map->shard];
	if (READ_ONCE(snap->cut->ended)) {
		ret = -ENOBUFS;
	} else {
		if (!snap->kept_only)
			collect_live(snap, shard, version);
		snap->kept_only = collect_kept(snap, shard, version);
	}
	preempt_enable();
	if (lock->lockless_reads)
		shmap_lock_write_leave(lock, &shard->lock);
	else
		shmap_lock_read_leave(lock, &shard->lock);
	return ret;
}

static u64 item_size(const struct shmap_snapshot *snap,
		     const struct shmap_snapshot_item *item)
{
	return KMAP_ITEM_SIZE(KMAP_ENTRY_KEY_LEN(item->seen.lens), snap->values ?
			      KMAP_ENTRY_VALUE_LEN(item->seen.lens) : 0);
}

/* Copy the rest of one part of a record, as far as it fits.  Returns the bytes copied. */
static size_t copy_part(void *to, size_t room, const void *from, u64 len,
			u64 done)
{
	size_t n = 0;

	if (done < len) {
		n = min_t(u64, room, len - done);
		memcpy(to, from + done, n);
	}
	return n;
}

/* Copy the next bytes of an entry's record, as far as they fit.  Returns how many. */
static size_t copy_item(struct shmap_snapshot *snap,
			const struct shmap_snapshot_item *item, void *to,
			size_t room)
{
	const struct kmap_entry *entry = shmap_pool_entry(&snap->map->pool,
							  item->ref);
	u32 key_len = KMAP_ENTRY_KEY_LEN(item->seen.lens);
	u32 value_len = KMAP_ENTRY_VALUE_LEN(item->seen.lens);
	const struct kmap_item head = {
		.key_len	= key_len,
		.flags		= KMAP_ENTRY_FLAGS(item->seen.word),
		.value_len	= value_len,
		.version	= KMAP_ENTRY_VERSION(item->seen.word),
	};
	const u64 zero = 0;
	const void *parts[] = {
		&head,
		shmap_entry_key(entry),
		shmap_entry_is_number(item->seen.word) ?
		(const void *)&item->seen.number : shmap_entry_value(entry),
		&zero,
	};
	const u64 lens[] = {
		sizeof(head),
		key_len,
		snap->values ? value_len : 0,
		item_size(snap, item) - sizeof(head) - key_len -
		(snap->values ? value_len : 0),
	};
	u64 begin = 0, done = snap->done;
	size_t copied = 0;
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(parts); i++) {
		if (done + copied >= begin)
			copied += copy_part(to + copied, room - copied,
					    parts[i], lens[i],
					    done + copied - begin);
		begin += lens[i];
	}
	return copied;
}

/* Copy records of the entries collected, as far as they fit.  Returns the bytes copied. */
static size_t copy_items(struct shmap_snapshot *snap, void *to, size_t room)
{
	size_t used = 0;

	while (snap->at < snap->n && used < room) {
		const struct shmap_snapshot_item *item = &snap->item[snap->at];

		if (!snap->done)
			snap->count++;
		if (to) {
			size_t n = copy_item(snap, item, to + used, room - used);

			used += n;
			snap->done += n;
		} else {
			/* Only measured. */
			used += item_size(snap, item) - snap->done;
			snap->done = item_size(snap, item);
		}
		if (snap->done == item_size(snap, item)) {
			snap->done = 0;
			snap->at++;
		}
	}
	return used;
}

static ssize_t copy_piece(struct shmap_snapshot *snap, void *to, size_t room)
{
	const struct shmap_lock_ops *lock = snap->map->config.lock;
	struct shmap_shard *shard = shard_at(snap);
	ssize_t n = -ENOBUFS;

	if (!to)
		return copy_items(snap, NULL, room);
	shmap_lock_read_enter(lock, &shard->lock);
	preempt_disable();
	if (!READ_ONCE(snap->cut->ended))
		n = copy_items(snap, to, room);
	preempt_enable();
	shmap_lock_read_leave(lock, &shard->lock);
	return n;
}

/* Free what was kept for the part already read, and allocate ahead for later changes. */
static void pass(struct shmap_snapshot *snap, const struct shmap_shard *last)
{
	struct shmap_map *map = snap->map;
	unsigned int i;

	shmap_cut_pass(map, snap->cut, snap->over ? SHMAP_ORDER_END : snap->from);
	if (!snap->over && !snap->short_of_memory)
		snap->short_of_memory = !shmap_kept_stock(map);
	if (!READ_ONCE(map->cuts.kept))
		return;
	for (i = 0; i < SWEEPS; i++)
		if (!shmap_sweep_shard(map, &map->shard[last - map->shard]))
			break;
}

/**
 * shmap_snapshot_read - go on reading a snapshot
 * @snap: the snapshot
 * @buf: buffer for the next bytes of the records; or NULL to count them only
 * @size: size of @buf, at most SHMAP_PIECE
 *
 * A record may be split between two calls.
 *
 * Context: may sleep.
 * Return: number of bytes, 0 only at the end; -ENOBUFS when the cut was ended, or
 * -EINTR.  Without a buffer, records are counted whole, so it may exceed @size.
 */
ssize_t shmap_snapshot_read(struct shmap_snapshot *snap, void *buf, size_t size)
{
	const struct shmap_shard *last = NULL;
	size_t used = 0;
	ssize_t n = 0;

	while (used < size) {
		if (snap->at == snap->n) {
			cond_resched();
			n = shmap_fatal_pending() ? -EINTR :
							    collect(snap);
			if (n || snap->over)
				break;
			continue;
		}
		last = shard_at(snap);
		n = copy_piece(snap, buf ? buf + used : NULL, size - used);
		if (n < 0)
			break;
		used += n;
	}
	if (n < 0)
		return n;
	if (last)
		pass(snap, last);
	return used;
}
