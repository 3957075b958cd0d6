// SPDX-License-Identifier: GPL-2.0-only
/*
 * A map of very many entries: all of them are found, a walk returns each once,
 * and what they cost is told.
 *
 *	N=N	how many (default 100,000; 100,000,000 want some 8 GiB)
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <linux/err.h>
#include <linux/log2.h>

#include "clear.h"
#include "entry.h"
#include "key.h"
#include "map.h"
#include "shim.h"
#include "test.h"
#include "walk.h"

static void request(struct shmap_map *map, struct shmap_request *rq,
		    const u64 *key)
{
	memset(rq, 0, sizeof(*rq));
	rq->key = key;
	rq->key_len = sizeof(*key);
	rq->hash = shmap_key_hash(map, key, sizeof(*key));
}

static void fill(struct shmap_map *map, u64 n)
{
	struct shmap_request rq;
	u64 i;

	for (i = 0; i < n; i++) {
		request(map, &rq, &i);
		check_equal(shmap_key_prepare(map, &rq, sizeof(i), 0), 0);
		*(u64 *)shmap_entry_value(rq.fresh.entry) = ~i;
		check_equal(shmap_key_set(map, &rq), 0);
	}
	request(map, &rq, &i);
	check_equal(shmap_key_prepare(map, &rq, sizeof(i), 0), 0);
	check_equal(shmap_key_set(map, &rq), -ENOSPC);
	shmap_key_discard(map, &rq);
}

static void find(struct shmap_map *map, u64 n)
{
	struct shmap_request rq;
	u64 i, value;

	for (i = 0; i < n; i++) {
		request(map, &rq, &i);
		rq.out = &value;
		rq.out_room = sizeof(value);
		rq.out_size = sizeof(value);
		check_equal(shmap_key_get(map, &rq), 0);
		check(value == ~i && rq.out_len == sizeof(value));
	}
	request(map, &rq, &i);
	check_equal(shmap_key_get(map, &rq), -ENOENT);
}

static void walk(struct shmap_map *map, u64 n)
{
	static struct shmap_walk walk;
	static u8 buf[65536];
	u8 *seen = calloc(n / 8 + 1, 1);
	u64 count = 0, key, value;

	check(seen);
	walk.values = true;
	walk.buf = buf;
	walk.size = sizeof(buf);
	while (walk.cursor != KMAP_KEYS_END) {
		const void *at = buf;

		walk.used = 0;
		walk.count = 0;
		while (shmap_walk_step(map, &walk) &&
		       walk.cursor != KMAP_KEYS_END)
			;
		for (; at < (void *)buf + walk.used; at += 32) {
			memcpy(&key, at + sizeof(struct kmap_item), 8);
			memcpy(&value, at + sizeof(struct kmap_item) + 8, 8);
			check(key < n && value == ~key);
			check(!(seen[key / 8] >> (key % 8) & 1));
			seen[key / 8] |= 1 << (key % 8);
			count++;
		}
	}
	check_equal(count, n);
	free(seen);
}

static void large(void)
{
	u64 n = test_number("N", 100000), removed;
	const struct shmap_config config = {
		.lock		= shmap_lock_find("rcu"),
		.shards		= 8,
		.max_entries	= n,
		.max_bytes	= 48 * n,
		.max_key	= 8,
		.max_value	= 64,
	};
	struct kmap_info info = { 0 };
	struct shmap_map *map;

	shim_rcu_by_hand(true);
	shim_pages_reserve(160 * n + (1ull << 30));
	map = shmap_map_create(&config);
	check(!IS_ERR(map));
	fill(map, n);
	shmap_map_info(map, &info);
	check_equal(info.entries, n);
	check_equal(info.bytes, (32 + KMAP_ENTRY_SHARE) * n);
	printf("# %llu entries: %llu MiB in all", n, info.memory >> 20);
	printf(", %.1f bytes per entry of which 16 are key and value",
	       (double)info.memory / n);
	printf("; %llu buckets, %llu of overflow\n", info.buckets,
	       info.overflow);
	fflush(stdout);
	find(map, n);
	walk(map, n);
	check_equal(shmap_clear_run(map, &removed), 0);
	check_equal(removed, n);
	shmap_map_put(map);
	check_equal(shim_bytes_out(), 0);
}

int main(int argc, char **argv)
{
	static const struct test tests[] = {
		{ "large", large },
	};

	return test_main(argc, argv, tests, ARRAY_SIZE(tests));
}
