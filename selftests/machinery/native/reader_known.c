// SPDX-License-Identifier: GPL-2.0-only
/*
 * What the window has beside what a reader of today knows: flags of an entry, and
 * features that it must know.
 */
#include <errno.h>
#include <string.h>

#include <linux/err.h>

#include "entry.h"
#include "reader_window.h"
#include "shim.h"
#include "test.h"
#include "walk.h"

static struct shmap_map *map_make(void)
{
	const struct shmap_config config = {
		.lock		= shmap_lock_find("rcu"),
		.shards		= 2,
		.max_entries	= 100,
		.max_bytes	= 1 << 20,
		.max_key	= KMAP_KEY_MAX,
		.max_value	= KMAP_VALUE_MAX,
	};
	struct shmap_map *map;

	shim_rcu_by_hand(false);
	map = shmap_map_create(&config);
	check(!IS_ERR(map));
	return map;
}

/* One record of a walk over one key. */
static void check_walked(struct shmap_map *map, u64 version, u32 flags)
{
	static u8 buf[256];
	struct shmap_walk walk = { .buf = buf, .size = sizeof(buf) };
	struct kmap_item *item = (void *)buf;

	while (walk.cursor != KMAP_KEYS_END)
		check(shmap_walk_step(map, &walk));
	check_equal(walk.count, 1);
	check_equal(item->version, version);
	check_equal(item->flags, flags);
}

/*
 * Whatever flags an entry has beside its version, every reader sees the same version,
 * and changes leave them alone.
 */
static void flags(void)
{
	struct shmap_map *map;
	struct reader reader;
	u32 bit, all;

	map = map_make();
	reader_open(&reader, map);
	for (bit = 0; bit <= 8; bit++) {
		struct shmap_request rq = { .key = "n", .key_len = 1 };
		uint64_t version = 0;
		u64 stored, number;
		size_t len = 0;
		int ret;

		/* Each alone, and then all of them. */
		all = bit < 8 ? 1u << bit : 0xff;
		rq.hash = shmap_key_hash(map, rq.key, rq.key_len);
		check_equal(shmap_key_prepare(map, &rq, 8, all), 0);
		memset(shmap_entry_value(rq.fresh.entry), 1, 8);
		check_equal(shmap_key_set(map, &rq), 0);
		stored = rq.version;
		check(stored && stored <= KMAP_VERSION_MASK);

		rq.out = &number;
		rq.out_room = 8;
		rq.out_size = 8;
		check_equal(shmap_key_get(map, &rq), 0);
		check_equal(rq.version, stored);
		check_equal(rq.out_flags, all);
		check_equal(window_get(&reader.window, "n", 1, &number, 8, &len,
				       &version), 0);
		check_equal(version, stored);
		ret = window_get_number(&reader.window, "n", 1,
					(int64_t *)&number, &version);
		check_equal(ret, all & KMAP_IS_NUMBER ? 0 : -EDOM);
		check_equal(version, stored);
		check_walked(map, stored, all);

		rq.number = 1;
		ret = shmap_key_add(map, &rq);
		check_equal(ret, all & KMAP_IS_NUMBER ? 0 : -EDOM);
		if (!ret) {
			check_equal(rq.version, stored + 1);
			stored++;
		}
		check_walked(map, stored, all);
		rq.flags = KMAP_MATCH;
		rq.version = stored;
		check_equal(shmap_key_delete(map, &rq), 0);
		check_equal(rq.version, stored);
	}
	reader_close(&reader);
	shmap_map_put(map);
}

/* A window that needs more of a reader than it knows is left alone. */
static void features(void)
{
	struct kmap_window *head;
	struct shmap_map *map;
	struct window window;
	u64 features;
	u32 bit;

	map = map_make();
	head = map->head;
	features = head->features;
	check(window_init(&window, head, head->size, 10));
	for (bit = 0; bit < 64; bit++) {
		head->features = features ^ 1ull << bit;
		check(!window_init(&window, head, head->size, 10));
	}
	shmap_map_put(map);
}

int main(int argc, char **argv)
{
	static const struct test tests[] = {
		{ "flags", flags },
		{ "features", features },
	};

	return test_main(argc, argv, tests, ARRAY_SIZE(tests));
}
