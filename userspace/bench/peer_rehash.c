// SPDX-License-Identifier: MIT
/*
 * A hash table of one process that doubles when it is three quarters full, like
 * the containers of most languages: the set that notices that moves all entries.
 * Open addressing, linear probing, under a mutex.
 */
#include <errno.h>
#include <pthread.h>
#include <stdlib.h>

#include "bench.h"
#include "hash.h"

struct item {
	uint64_t	hash;		/* 0: free */
	char		key[KEY_SIZE];
	char		value[VALUE_SIZE];
};

static struct {
	pthread_mutex_t	lock;
	struct item	*items;
	uint64_t	mask;
	uint64_t	used;
} table = { .lock = PTHREAD_MUTEX_INITIALIZER };

static int rehash_open(uint64_t entries)
{
	(void)entries;
	table.mask = 1023;
	table.used = 0;
	table.items = calloc(table.mask + 1, sizeof(*table.items));
	return table.items ? 0 : -ENOMEM;
}

static void rehash_close(void)
{
	free(table.items);
	table.items = NULL;
}

static void *rehash_join(void)
{
	return &table;
}

static void rehash_leave(void *seat)
{
	(void)seat;
}

static uint64_t hash_of(const char *key)
{
	return hash_key(key) | 1ull << 63;
}

/* Find the item of a key, or the free one where it would be. */
static struct item *find(struct item *items, uint64_t mask, const char *key,
			 uint64_t hash)
{
	for (uint64_t i = hash & mask; ; i = (i + 1) & mask)
		if (!items[i].hash ||
		    (items[i].hash == hash &&
		     !memcmp(items[i].key, key, KEY_SIZE)))
			return &items[i];
}

static int grow(void)
{
	uint64_t mask = 2 * table.mask + 1;
	struct item *items = calloc(mask + 1, sizeof(*items));

	if (!items)
		return -ENOMEM;
	for (uint64_t i = 0; i <= table.mask; i++) {
		const struct item *item = &table.items[i];

		if (item->hash)
			*find(items, mask, item->key, item->hash) = *item;
	}
	free(table.items);
	table.items = items;
	table.mask = mask;
	return 0;
}

static int rehash_get(void *seat, const char *key, char *value)
{
	const struct item *item;
	int ret = -ENOENT;

	(void)seat;
	pthread_mutex_lock(&table.lock);
	item = find(table.items, table.mask, key, hash_of(key));
	if (item->hash) {
		memcpy(value, item->value, VALUE_SIZE);
		ret = 0;
	}
	pthread_mutex_unlock(&table.lock);
	return ret;
}

static int rehash_set(void *seat, const char *key, const char *value)
{
	uint64_t hash = hash_of(key);
	struct item *item;
	int ret = 0;

	(void)seat;
	pthread_mutex_lock(&table.lock);
	if (4 * table.used > 3 * table.mask)
		ret = grow();
	if (!ret) {
		item = find(table.items, table.mask, key, hash);
		table.used += !item->hash;
		item->hash = hash;
		memcpy(item->key, key, KEY_SIZE);
		memcpy(item->value, value, VALUE_SIZE);
	}
	pthread_mutex_unlock(&table.lock);
	return ret;
}

const struct peer peer_rehash = {
	.name = "rehash",
	.what = "a table that doubles, one process, mutex",
	.open = rehash_open,
	.close = rehash_close,
	.join = rehash_join,
	.leave = rehash_leave,
	.get = rehash_get,
	.set = rehash_set,
};
