/* SPDX-License-Identifier: GPL-2.0-only */
/* Reading all of the map as of one moment; see snapshot.c. */
#ifndef SHMAP_SNAPSHOT_H
#define SHMAP_SNAPSHOT_H

#include "read.h"

/* Entries that are collected at a time. */
#define SHMAP_SNAPSHOT_ITEMS	SHMAP_CHAIN_SLOTS

/**
 * struct shmap_snapshot_item - an entry that is to be copied
 * @ref: reference to it
 * @seen: what was seen of it
 */
struct shmap_snapshot_item {
	u32			ref;
	struct shmap_seen	seen;
};

/**
 * struct shmap_snapshot - a walk that shows one moment
 * @map: the map
 * @cut: the moment
 * @values: values too
 * @over: everything was collected
 * @short_of_memory: nothing is allocated ahead any more
 * @kept_only: of the interval, only what is kept is still to be collected
 * @count: records begun
 * @from: place where the interval begins; all before was copied
 * @end: place where it ends
 * @until: version of the shard when the interval's live entries were collected
 * @order: place from which on kept entries are still to be looked at
 * @death: and of that place, from this death on
 * @n: entries collected
 * @at: the first of them that was not copied to its end
 * @done: bytes copied of its record
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
