/* SPDX-License-Identifier: GPL-2.0-only */
/* The map that reader.c looks at, and a look at it. */
#ifndef READER_STAGE_H
#define READER_STAGE_H

#include <stdlib.h>

#include <linux/err.h>

#include "actors.h"
#include "reader_window.h"
#include "shim.h"
#include "test.h"

/* Make the map of a stage, large enough for all that happens there. */
static inline void map_make(struct stage *stage, const char *lock,
			    unsigned int shards, u64 max_entries)
{
	const struct shmap_config config = {
		.lock		= shmap_lock_find(lock),
		.shards		= shards,
		.max_entries	= max_entries,
		.max_bytes	= 16 << 20,
		.max_key	= KMAP_KEY_MAX,
		.max_value	= KMAP_VALUE_MAX,
	};

	shim_rcu_by_hand(false);
	stage->map = shmap_map_create(&config);
	check(!IS_ERR(stage->map));
}

/* GET through the window; the value is all right.  Waits for no writer. */
static inline int get(struct reader *reader, const char *key, u32 key_len)
{
	static u8 *room;
	uint64_t version = 0;
	size_t len = 0;
	int ret;

	if (!room)
		room = malloc(READER_ROOM);
	check(room);
	ret = window_get(&reader->window, key, key_len, room, READER_ROOM, &len,
			 &version);
	if (ret)
		return ret;
	check(version);
	check(len <= KMAP_VALUE_MAX);
	actor_check(shmap_key_hash(reader->map, key, key_len), room, len);
	return 0;
}

#endif /* READER_STAGE_H */
