/* SPDX-License-Identifier: GPL-2.0-only */
/* The moments of snapshots, and what is kept for them; see cut.c and kept.c. */
#ifndef SHMAP_CUT_TYPES_H
#define SHMAP_CUT_TYPES_H

#include <linux/bits.h>
#include <linux/list.h>
#include <linux/rbtree.h>
#include <linux/spinlock.h>
#include <linux/uidgid.h>

/* Maximum number of active snapshots. */
#define SHMAP_CUTS	64u

/* Number of records in a sheet, so that the sheet takes 1 KiB at most. */
#define SHMAP_SHEET_RECORDS	((1024 - 3 * sizeof(long)) / sizeof(struct shmap_kept))

/* The place behind the last one in the order of a walk. */
#define SHMAP_ORDER_END	BIT_ULL(32)

/**
 * struct shmap_cut - one moment of the whole map, which a snapshot shows
 * @node: in cuts->active, oldest first, while the cut is active
 * @number: number of the cut, counted from 1
 * @uid: effective user of the task that takes the snapshot
 * @refs: references of the snapshot, and of the tasks that help to make the cut
 * @steps: number of steps that have been made
 * @chosen: the moment has been chosen; cuts->order protects this
 * @ended: the cut is not active any more: what its snapshot needs is not kept
 * @passed: the snapshot needs nothing before this place
 * @version: version of each shard at the moment; the shard's lock protects this
 *
 * cuts->lock protects the other fields, as far as they are not constant.
 */
struct shmap_cut {
	struct list_head	node;
	u64			number;
	kuid_t			uid;
	unsigned int		refs;
	unsigned int		steps;
	bool			chosen;
	bool			ended;
	u64			passed;
	u64			version[];
};

/**
 * struct shmap_cuts - the cuts of a map
 * @order: orders changes of marked shards and the moment of a cut
 * @lock: protects all that follows
 * @number: number of the last cut
 * @running: the cut that is being made, or NULL; constant as well for a task that has
 *	locked a marked shard
 * @active: the active cuts, oldest first
 * @n: number of active cuts
 * @kept: bytes of the entries that are kept for snapshots, and of their records
 * @kept_max: above this the oldest cut is ended, or above 3/2 of it while a sweep is
 *	pending
 * @sheets: sheets of records none of which is in use
 * @spare: records that are not in use
 * @spares: number of these records
 * @sweep: number of the shard to sweep next
 * @sweep_left: number of shards that have not been swept since a cut was last ended
 */
struct shmap_cuts {
	raw_spinlock_t		order;	/* see above */
	raw_spinlock_t		lock;	/* see above */
	u64			number;
	struct shmap_cut	*running;
	struct list_head	active;
	unsigned int		n;
	u64			kept;
	u64			kept_max;
	struct list_head	sheets;
	struct list_head	spare;
	unsigned int		spares;
	unsigned int		sweep;
	unsigned int		sweep_left;
};

/**
 * struct shmap_kept - record of an entry that is not in the table, but kept for a snapshot
 * @node: in shard->kept, by @order and @death
 * @fifo: in shard->kept_fifo, by @death; or in cuts->spare
 * @ref: reference to the entry
 * @order: place of the entry in the order of a walk
 * @bytes: size of the entry
 * @index: index of the record in its sheet
 * @birth: version of the entry
 * @death: version of the shard when the entry was replaced or removed
 */
struct shmap_kept {
	struct rb_node		node;
	struct list_head	fifo;
	u32			ref;
	u32			order;
	u32			bytes;
	u32			index;
	u64			birth;
	u64			death;
};

#endif /* SHMAP_CUT_TYPES_H */
