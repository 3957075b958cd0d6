// SPDX-License-Identifier: GPL-2.0-only
/*
 * A reader in another language (selftests/window/window_reader.py) on a copy of a window:
 * it knows the header's words and nothing else.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <linux/err.h>

#include "actors.h"
#include "reader_window.h"
#include "entry.h"
#include "shim.h"
#include "test.h"

#include "../../../module/window.h"

#define READER	"../../window/window_reader.py"

static void copy_to(FILE *file, struct shmap_map *map)
{
	static const u8 nothing[PAGE_SIZE];
	u64 at;

	for (at = 0; at < map->head->size; at += PAGE_SIZE) {
		const void *page = reader_page(map, at);

		check(fwrite(page ? page : nothing, PAGE_SIZE, 1,
			     file) == 1);
	}
	check(!fflush(file));
}

static void print_hex(FILE *to, const u8 *data, u32 len)
{
	while (len--)
		fprintf(to, "%02x", *data++);
}

/* SET a value of any bytes, and tell the reader. */
static void put(struct shmap_map *map, FILE *keys, const u8 *key, u32 key_len,
		const u8 *value, u32 len)
{
	struct shmap_request rq = { .key = key, .key_len = key_len };
	/* Flags beside the version, each of them now and then, are not for a reader. */
	u32 flags = len == 8 ? KMAP_IS_NUMBER : 2u << len % 7;

	rq.hash = shmap_key_hash(map, key, key_len);
	check_equal(shmap_key_prepare(map, &rq, len, flags), 0);
	memcpy(shmap_entry_value(rq.fresh.entry), value, len);
	check_equal(shmap_key_set(map, &rq), 0);
	print_hex(keys, key, key_len);
	fputs(" =", keys);
	print_hex(keys, value, len);
	fprintf(keys, " %llu\n", rq.version);
}

static void read_all(const struct test *test)
{
	const struct shmap_config config = {
		.lock		= shmap_lock_find("rcu"),
		.shards		= test->shards,
		.max_entries	= 3000,
		.max_bytes	= 4 << 20,
		.max_key	= KMAP_KEY_MAX,
		.max_value	= 65536,
	};
	static u8 bytes[KMAP_KEY_MAX + 65536];
	char command[200];
	struct shmap_map *map;
	FILE *window, *list;
	u32 i, number;

	shim_rcu_by_hand(false);
	map = shmap_map_create(&config);
	check(!IS_ERR(map));
	window = tmpfile();
	list = tmpfile();
	check(window && list);
	for (i = 0; i < sizeof(bytes); i++)
		bytes[i] = (i * 2654435761u) >> 20;

	/* Every length of a key, some of values, and enough to make it grow. */
	for (i = 1; i <= KMAP_KEY_MAX; i++)
		put(map, list, bytes + i, i, bytes + 2 * i, i * 37 % 200);
	for (i = 0; i < 1500; i++) {
		number = i * 7919;
		put(map, list, (u8 *)&number, sizeof(number), bytes, i % 50);
	}
	put(map, list, (u8 *)"the longest", 11, bytes, 65536);
	for (i = 0; i < 500; i++)
		fprintf(list, "%08x - 0\n", 0xfff00000 + i);
	copy_to(window, map);
	check(!fflush(list));

	snprintf(command, sizeof(command),
		 "python3 %s -c /proc/%d/fd/%d < /proc/%d/fd/%d", READER,
		 getpid(), fileno(window), getpid(), fileno(list));
	check_equal(system(command), 0);

	/* A window that asks for more than it knows is left alone. */
	map->head->features |= 1ull << 63;
	rewind(window);
	copy_to(window, map);
	check(!fseek(list, 0, SEEK_SET));
	strcat(command, " 2>/dev/null");
	check(system(command));
	check(!fclose(window) && !fclose(list));
	shmap_map_put(map);
}

int main(int argc, char **argv)
{
	static const struct test tests[] = {
		{ "python_1", .play = read_all, .shards = 1 },
		{ "python_16", .play = read_all, .shards = 16 },
	};

	return test_main(argc, argv, tests, ARRAY_SIZE(tests));
}
