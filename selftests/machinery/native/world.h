/* SPDX-License-Identifier: GPL-2.0-only */
/* A map and its model, which see the same operations and have to agree. */
#ifndef WORLD_H
#define WORLD_H

#include <linux/fs.h>

#include "key.h"
#include "map.h"
#include "model.h"
#include "snapshot.h"
#include "walk.h"

/**
 * struct world - a map and its model
 * @map: the map
 * @file: a file of it, open for reading and writing
 * @sent: how many records were sent, for the form of the next
 * @model: the model
 * @failing: allocations may fail: ENOMEM is a fair answer
 * @no_memory: times it was given
 * @refused: times a limit was met: ENOSPC for entries and bytes, EXFULL of the
 *	chain and of the table, ENOSPC of the entry area; the last also when
 *	neither entries nor bytes were used up
 * @snapshots: snapshots read to their end
 * @fallen: snapshots that were ended, because more was to be kept than there may be
 * @enlarged: values that came back and were too long for the first buffer
 * @bytes_before: memory that was out before the map was made
 * @value: a buffer for values that come back
 * @expected: what KMAP_EQUAL compares with
 * @expected_len: its length
 */
struct world {
	struct shmap_map	*map;
	struct file		file;
	u64			sent;
	struct model		model;
	bool			failing;
	u64			no_memory;
	struct {
		u64		entries;
		u64		bytes;
		u64		chain;
		u64		area;
		u64		early;
	} refused;
	u64			snapshots;
	u64			fallen;
	u64			enlarged;
	long			bytes_before;
	u8			*value;
	const void		*expected;
	u32			expected_len;
};

/**
 * struct world_walk - a walk that goes on between other operations
 * @id: less than MODEL_WALKS
 * @active: it has begun and not ended
 * @walk: the module's part
 */
struct world_walk {
	unsigned int		id;
	bool			active;
	struct shmap_walk	walk;
};

/**
 * struct world_snapshot - a snapshot that is read between other operations
 * @id: less than MODEL_MOMENTS
 * @active: it has begun and not ended
 * @snap: the module's part
 * @buf: what was read
 * @used: how much
 */
struct world_snapshot {
	unsigned int		id;
	bool			active;
	struct shmap_snapshot	*snap;
	u8			*buf;
	size_t			used;
};

void world_make(struct world *world, const struct shmap_config *config);
bool world_try_make(struct world *world, const struct shmap_config *config);
void world_unmake(struct world *world);
void world_compare(struct world *world);

int world_get(struct world *world, const void *key, u32 key_len, u32 out_size);
int world_set(struct world *world, const void *key, u32 key_len,
	      const void *value, u32 value_len, u32 flags, u64 version,
	      u32 out_size);
int world_delete(struct world *world, const void *key, u32 key_len, u32 flags,
		 u64 version, u32 out_size);
int world_add(struct world *world, const void *key, u32 key_len, s64 delta,
	      u32 flags);
int world_clear(struct world *world);

void world_walk_begin(struct world *world, struct world_walk *walk,
		      unsigned int id, bool values);
bool world_walk_some(struct world *world, struct world_walk *walk, size_t size,
		     unsigned int steps);
int world_snapshot_begin(struct world *world, struct world_snapshot *snapshot,
			 unsigned int id, bool values);
void world_snapshot_begin_partly(struct world *world,
				 struct world_snapshot *snapshot,
				 unsigned int id, unsigned int steps);
bool world_snapshot_some(struct world *world, struct world_snapshot *snapshot,
			 size_t size, unsigned int pieces);
void world_snapshot(struct world *world);

#endif /* WORLD_H */
