// SPDX-License-Identifier: MIT
/*
 * kmap itself, through libkmap: by system calls, and through the window.
 *
 * Both are the same map, the module's only one, which must be empty before and
 * is empty afterwards.  Only gets use the window; sets are the same system calls
 * in both.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#include "bench.h"
#include "kmap.h"

struct seat {
	struct kmap		*map;
	struct kmap_iter	*iter;
};

/* How many peers have it open. */
static unsigned int users;

/* Memory of the empty map. */
static uint64_t empty;

static int map_facts(struct kmap_info *info)
{
	struct kmap *map;
	int ret = kmap_open(&map, NULL, KMAP_RDWR);

	if (ret)
		return ret;
	ret = kmap_info(map, info);
	kmap_close(map);
	return ret;
}

static int map_open(uint64_t entries)
{
	struct kmap_info info;
	int ret = map_facts(&info);

	if (ret)
		return ret;
	if (!users && info.entries) {
		fprintf(stderr, "the map is not empty: somebody may need it\n");
		return -EEXIST;
	}
	if (info.max_entries < entries)
		return -ENOSPC;
	if (!users++)
		empty = info.memory;
	return 0;
}

static void map_close(void)
{
	struct kmap *map;

	if (!users || --users || kmap_open(&map, NULL, KMAP_RDWR))
		return;
	kmap_clear(map, NULL);
	kmap_close(map);
}

static void *join(unsigned int flags)
{
	struct seat *seat = calloc(1, sizeof(*seat));
	int ret = seat ? kmap_open(&seat->map, NULL, KMAP_RDWR | flags) :
			-ENOMEM;

	if (!ret)
		return seat;
	fprintf(stderr, "kmap: %s\n", kmap_strerror(ret));
	free(seat);
	return NULL;
}

static void *map_join(void)
{
	return join(KMAP_NO_WINDOW);
}

/* Do gets use the window?  The module counts only gets by system call. */
static bool window_used(struct kmap *map)
{
	struct kmap_info before, after;
	char key[KEY_SIZE];

	key_write(key, 0);
	if (kmap_info(map, &before))
		return false;
	kmap_get(map, key, KEY_SIZE, NULL, 0, NULL, NULL);
	return !kmap_info(map, &after) && after.gets == before.gets;
}

static void *window_join(void)
{
	return join(0);
}

static int window_open(uint64_t entries)
{
	struct kmap *map;
	bool used;
	int ret = kmap_open(&map, NULL, KMAP_RDWR);

	if (ret)
		return ret;
	used = window_used(map);
	kmap_close(map);
	return used ? map_open(entries) : -EOPNOTSUPP;
}

static void map_leave(void *arg)
{
	struct seat *seat = arg;

	kmap_iter_close(seat->iter);
	kmap_close(seat->map);
	free(seat);
}

static int map_get(void *arg, const char *key, char *value)
{
	struct seat *seat = arg;

	return kmap_get(seat->map, key, KEY_SIZE, value, VALUE_SIZE, NULL,
			NULL);
}

static int map_get_many(void *arg, const char *keys, char *values)
{
	struct seat *seat = arg;
	struct kmap_op ops[MANY];
	size_t done = 0;
	int found = 0;

	for (size_t i = 0; i < MANY; i++)
		ops[i] = (struct kmap_op){
			.opcode = KMAP_OP_GET,
			.key = KMAP_PTR(keys + i * KEY_SIZE),
			.key_len = KEY_SIZE,
			.out = KMAP_PTR(values + i * VALUE_SIZE),
			.out_size = VALUE_SIZE,
		};
	kmap_batch(seat->map, ops, MANY, &done);
	for (size_t i = 0; i < done; i++)
		found += !ops[i].error;
	return found;
}

static int map_set(void *arg, const char *key, const char *value)
{
	struct seat *seat = arg;

	return kmap_set(seat->map, key, KEY_SIZE, value, VALUE_SIZE, 0, NULL);
}

/* The module has been loaded with this budget. */
static int map_open_bytes(uint64_t bytes, uint32_t longest)
{
	struct kmap_info info;
	int ret = map_facts(&info);

	if (ret)
		return ret;
	if (info.max_bytes != bytes || info.max_value < longest) {
		fprintf(stderr, "load the module with max_bytes=%llu\n",
			(unsigned long long)bytes);
		return -EINVAL;
	}
	ret = map_open(1);
	/* All of it, as in what the budget is for. */
	empty = 0;
	return ret;
}

static int map_put(void *arg, const char *key, const char *value, uint32_t len)
{
	struct seat *seat = arg;

	return kmap_set(seat->map, key, KEY_SIZE, value, len, 0, NULL);
}

static int map_delete(void *arg, const char *key)
{
	struct seat *seat = arg;

	return kmap_delete(seat->map, key, KEY_SIZE, 0, NULL);
}

static int map_fill(void *arg, const char *keys, const char *value)
{
	struct seat *seat = arg;
	struct kmap_op ops[MANY];
	size_t done = 0;
	int ret;

	/*
	 * The other peer has filled the same map.  To fill it again would replace
	 * all values, and leave deferred entries behind.
	 */
	if (users > 1)
		return 0;
	for (size_t i = 0; i < MANY; i++)
		ops[i] = (struct kmap_op){
			.opcode = KMAP_OP_SET,
			.key = KMAP_PTR(keys + i * KEY_SIZE),
			.key_len = KEY_SIZE,
			.value = KMAP_PTR(value),
			.value_len = VALUE_SIZE,
		};
	ret = kmap_batch(seat->map, ops, MANY, &done);
	for (size_t i = 0; !ret && i < done; i++)
		ret = ops[i].error;
	return ret;
}

/* Some keys at a time, so that a window can end within a walk. */
static long map_walk(void *arg)
{
	struct seat *seat = arg;
	struct kmap_pair pair;
	long keys = 0;
	int ret = 0;

	if (!seat->iter)
		ret = kmap_iter_open(seat->map, 0, &seat->iter);
	if (ret)
		return ret;
	while (keys < 256 && (ret = kmap_iter_next(seat->iter, &pair)) > 0)
		keys++;
	if (ret > 0)
		return keys;
	kmap_iter_close(seat->iter);
	seat->iter = NULL;
	return ret ? ret : keys;
}

static int64_t map_memory(void)
{
	struct kmap_info info;

	if (map_facts(&info))
		return -1;
	return (int64_t)(info.memory - empty);
}

const struct peer peer_kmap = {
	.name = "kmap",
	.what = "libkmap with system calls only",
	.open = map_open,
	.close = map_close,
	.join = map_join,
	.leave = map_leave,
	.get = map_get,
	.get_many = map_get_many,
	.set = map_set,
	.delete = map_delete,
	.fill = map_fill,
	.walk = map_walk,
	.memory = map_memory,
	.open_bytes = map_open_bytes,
	.put = map_put,
};

const struct peer peer_kmap_window = {
	.name = "kmap-window",
	.what = "libkmap, gets through the window",
	.open = window_open,
	.close = map_close,
	.join = window_join,
	.leave = map_leave,
	.get = map_get,
	.set = map_set,
	.fill = map_fill,
	.memory = map_memory,
};
