/* SPDX-License-Identifier: GPL-2.0-only */
/* Reading the whole map as of one moment; see snapshot.c. */
#ifndef SHMAP_SNAPSHOT_H
#define SHMAP_SNAPSHOT_H

#include "read.h"

/* Most entries that are collected at a time. */
#define SHMAP_SNAPSHOT_ITEMS	SHMAP_CHAIN_SLOTS

/**
 * struct shmap_snapshot_item - an entry that is to be copied
 * @ref: reference to it
 * @seen: its state when it was collected
 */
struct shmap_snapshot_item {
	u32			ref;
	struct shmap_seen	seen;
};

/**
 * struct shmap_snapshot - a walk that shows one moment
 * @map: the map
 * @cut: the moment
 * @values: whether records have values too
 * @over: everything has been collected
 * @short_of_memory: an allocation ahead has failed, so none is tried any more
 * @kept_only: only kept entries of the interval are still to be collected
 * @count: number of records begun
 * @from: place where the interval begins; all entries before it have been copied
 * @end: place where the interval ends
 * @until: version of the shard when the interval's chain was collected
 * @order: place of the next kept entry to look at
 * @death: death of the next kept entry to look at
 * @n: number of entries collected
 * @at: index of the first of them whose record is not copied completely
 * @done: bytes of its record that are copied
 * @place: for shmap_table_collect()
 * @item: entries collected
 */
struct shmap_snapshot {
	struct shmap_map		*map;
	struct shmap_cut		*cut;
	bool				values;
	bool				over;
	bool				short_of_memory;
	bool				kept_only;
	u64				count;
	u64				from;
	u64				end;
	u64				until;
	u32				order;
	u64				death;
	unsigned int			n;
	unsigned int			at;
	u64				done;
	struct shmap_place		place[SHMAP_CHAIN_SLOTS];
	struct shmap_snapshot_item	item[SHMAP_SNAPSHOT_ITEMS];
};

struct shmap_snapshot *shmap_snapshot_begin(struct shmap_map *map, bool values);
ssize_t shmap_snapshot_read(struct shmap_snapshot *snap, void *buf,
			    size_t size);
void shmap_snapshot_end(struct shmap_snapshot *snap);

#endif /* SHMAP_SNAPSHOT_H */
