/* SPDX-License-Identifier: GPL-2.0-only */
/* The moments of snapshots, and what is kept for them: see cut.c and kept.c. */
#ifndef SHMAP_CUT_TYPES_H
#define SHMAP_CUT_TYPES_H

#include <linux/bits.h>
#include <linux/list.h>
#include <linux/rbtree.h>
#include <linux/spinlock.h>
#include <linux/uidgid.h>

/* Most snapshots that are active at a time. */
#define SHMAP_CUTS	64u

/* Records that are allocated together, in 1 KiB. */
#define SHMAP_SHEET_RECORDS	((1024 - 3 * sizeof(long)) / sizeof(struct shmap_kept))

/* The place behind the last one in the order of a walk. */
#define SHMAP_ORDER_END	BIT_ULL(32)

/**
 * struct shmap_cut - one moment of the whole map, which a snapshot shows
 * @node: in cuts->active, oldest first, as long as it is active
 * @number: cuts are counted from 1
 * @uid: whose snapshot it is
 * @refs: the snapshot, and those who help
 * @steps: how many steps of it have been made
 * @chosen: its moment is over; cuts->order
 * @ended: not active any more: what it needs is not kept
 * @passed: the snapshot needs nothing before this place
 * @version: of each shard at that moment; the shard's lock
 *
 * cuts->lock protects all but constant fields, @chosen and @version.
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
 * @order: of changes in marked shards, and the moment of a cut
 * @lock: protects all that follows
 * @number: of the last cut
 * @running: the cut that is not complete yet, or NULL; also constant for whoever has
 *	locked a marked shard
 * @active: cuts whose snapshots need what was there, oldest first
 * @n: how many
 * @kept: bytes of entries, and of records, that are kept for them
 * @kept_max: past this the oldest is ended; past 3/2 of it while a sweep is pending
 * @sheets: of records, none of which is in use
 * @spare: records that are not in use
 * @spares: how many
 * @sweep: shard to look at next for what nobody needs any more
 * @sweep_left: shards to look at until all have been since a cut was ended
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
 * struct shmap_kept - an entry that is not in the table any more, but needed
 * @node: in shard->kept, by @order and @death
 * @fifo: in shard->kept_fifo, by @death; or in cuts->spare
 * @ref: reference to the entry
 * @order: its place in the order of a walk
 * @bytes: its size
 * @index: of the record in its sheet
 * @birth: its version
 * @death: the shard's version when it was replaced or removed
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
