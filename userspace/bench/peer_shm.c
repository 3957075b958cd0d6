// SPDX-License-Identifier: MIT
/*
 * A plain hash table in shared memory: chains of entries from one array, and at
 * least as many buckets as there can be entries, so it never grows; a value is
 * replaced in place.  There are three forms: under a robust mutex, under a
 * reader-writer lock, and read-only without a lock, which is the least cost of a
 * lookup without a call.
 */
#include <errno.h>
#include <pthread.h>
#include <stdlib.h>
#include <sys/mman.h>

#include "bench.h"
#include "hash.h"

struct item {
	uint32_t	next;		/* in the chain, or in the list of free items */
	uint32_t	hash;
	char		key[KEY_SIZE];
	char		value[VALUE_SIZE];
};

/* Items are numbered from 1; 0 stands for none. */
struct shared {
	pthread_mutex_t		mutex;
	pthread_rwlock_t	rwlock;
	uint32_t		free;
	uint32_t		used;
	uint32_t		most;
	uint32_t		mask;
	size_t			size;
	struct item		*items;	/* all processes have the mapping at one address */
	uint32_t		buckets[];
};

/* Under a mutex, under a rwlock, unlocked. */
static struct shared *tables[3];

static int shm_open_table(int which, uint64_t entries)
{
	uint64_t buckets = 1;
	struct shared *shared;
	size_t items, size;
	pthread_mutexattr_t mutex;
	pthread_rwlockattr_t rwlock;

	while (buckets < entries)
		buckets *= 2;
	items = sizeof(*shared) + buckets * sizeof(uint32_t);
	items = (items + 63) & ~(size_t)63;
	size = items + (entries + 1) * sizeof(struct item);
	shared = mmap(NULL, size, PROT_READ | PROT_WRITE,
		      MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	if (shared == MAP_FAILED)
		return -errno;
	shared->size = size;
	shared->mask = (uint32_t)buckets - 1;
	shared->most = (uint32_t)entries;
	shared->items = (struct item *)((char *)shared + items);
	pthread_mutexattr_init(&mutex);
	pthread_mutexattr_setpshared(&mutex, PTHREAD_PROCESS_SHARED);
	pthread_mutexattr_setrobust(&mutex, PTHREAD_MUTEX_ROBUST);
	pthread_mutex_init(&shared->mutex, &mutex);
	pthread_rwlockattr_init(&rwlock);
	pthread_rwlockattr_setpshared(&rwlock, PTHREAD_PROCESS_SHARED);
	pthread_rwlock_init(&shared->rwlock, &rwlock);
	tables[which] = shared;
	return 0;
}

static void shm_close_table(int which)
{
	if (tables[which])
		munmap(tables[which], tables[which]->size);
	tables[which] = NULL;
}

/* Find the place of the reference to a key's item, or where it would be. */
static uint32_t *find(struct shared *shared, const char *key, uint32_t hash)
{
	uint32_t *at = &shared->buckets[hash & shared->mask];

	while (*at) {
		struct item *item = &shared->items[*at];

		if (item->hash == hash && !memcmp(item->key, key, KEY_SIZE))
			break;
		at = &item->next;
	}
	return at;
}

static int get(struct shared *shared, const char *key, char *value)
{
	uint32_t at = *find(shared, key, (uint32_t)hash_key(key));

	if (!at)
		return -ENOENT;
	memcpy(value, shared->items[at].value, VALUE_SIZE);
	return 0;
}

static int set(struct shared *shared, const char *key, const char *value)
{
	uint32_t hash = (uint32_t)hash_key(key);
	uint32_t *at = find(shared, key, hash);
	struct item *item;

	if (!*at) {
		uint32_t fresh = shared->free;

		if (fresh)
			shared->free = shared->items[fresh].next;
		else if (shared->used < shared->most)
			fresh = ++shared->used;
		else
			return -ENOSPC;
		item = &shared->items[fresh];
		item->next = 0;
		item->hash = hash;
		memcpy(item->key, key, KEY_SIZE);
		*at = fresh;
	}
	memcpy(shared->items[*at].value, value, VALUE_SIZE);
	return 0;
}

static int delete(struct shared *shared, const char *key)
{
	uint32_t *at = find(shared, key, (uint32_t)hash_key(key));
	uint32_t gone = *at;

	if (!gone)
		return -ENOENT;
	*at = shared->items[gone].next;
	shared->items[gone].next = shared->free;
	shared->free = gone;
	return 0;
}

static void shm_leave(void *seat)
{
	(void)seat;
}

/* ---- under a mutex ---- */

static int mutex_open(uint64_t entries)
{
	return shm_open_table(0, entries);
}

static void mutex_close(void)
{
	shm_close_table(0);
}

static void *mutex_join(void)
{
	return tables[0];
}

static void mutex_lock(struct shared *shared)
{
	/* The owner may have died within a change; a real program would repair that. */
	if (pthread_mutex_lock(&shared->mutex) == EOWNERDEAD)
		pthread_mutex_consistent(&shared->mutex);
}

static int mutex_get(void *seat, const char *key, char *value)
{
	struct shared *shared = seat;
	int ret;

	mutex_lock(shared);
	ret = get(shared, key, value);
	pthread_mutex_unlock(&shared->mutex);
	return ret;
}

static int mutex_set(void *seat, const char *key, const char *value)
{
	struct shared *shared = seat;
	int ret;

	mutex_lock(shared);
	ret = set(shared, key, value);
	pthread_mutex_unlock(&shared->mutex);
	return ret;
}

static int mutex_delete(void *seat, const char *key)
{
	struct shared *shared = seat;
	int ret;

	mutex_lock(shared);
	ret = delete(shared, key);
	pthread_mutex_unlock(&shared->mutex);
	return ret;
}

const struct peer peer_shm_mutex = {
	.name = "shm-mutex",
	.what = "shared memory, robust mutex",
	.open = mutex_open,
	.close = mutex_close,
	.join = mutex_join,
	.leave = shm_leave,
	.get = mutex_get,
	.set = mutex_set,
	.delete = mutex_delete,
};

/* ---- under a reader-writer lock ---- */

static int rwlock_open(uint64_t entries)
{
	return shm_open_table(1, entries);
}

static void rwlock_close(void)
{
	shm_close_table(1);
}

static void *rwlock_join(void)
{
	return tables[1];
}

static int rwlock_get(void *seat, const char *key, char *value)
{
	struct shared *shared = seat;
	int ret;

	pthread_rwlock_rdlock(&shared->rwlock);
	ret = get(shared, key, value);
	pthread_rwlock_unlock(&shared->rwlock);
	return ret;
}

static int rwlock_set(void *seat, const char *key, const char *value)
{
	struct shared *shared = seat;
	int ret;

	pthread_rwlock_wrlock(&shared->rwlock);
	ret = set(shared, key, value);
	pthread_rwlock_unlock(&shared->rwlock);
	return ret;
}

static int rwlock_delete(void *seat, const char *key)
{
	struct shared *shared = seat;
	int ret;

	pthread_rwlock_wrlock(&shared->rwlock);
	ret = delete(shared, key);
	pthread_rwlock_unlock(&shared->rwlock);
	return ret;
}

const struct peer peer_shm_rwlock = {
	.name = "shm-rwlock",
	.what = "shared memory, rwlock",
	.open = rwlock_open,
	.close = rwlock_close,
	.join = rwlock_join,
	.leave = shm_leave,
	.get = rwlock_get,
	.set = rwlock_set,
	.delete = rwlock_delete,
};

/* ---- unlocked: filled by one thread, then only read ---- */

static int unlocked_open(uint64_t entries)
{
	return shm_open_table(2, entries);
}

static void unlocked_close(void)
{
	shm_close_table(2);
}

static void *unlocked_join(void)
{
	return tables[2];
}

static int unlocked_get(void *seat, const char *key, char *value)
{
	return get(seat, key, value);
}

static int unlocked_fill(void *seat, const char *keys, const char *value)
{
	int ret = 0;

	for (size_t i = 0; !ret && i < MANY; i++)
		ret = set(seat, keys + i * KEY_SIZE, value);
	return ret;
}

const struct peer peer_shm_unlocked = {
	.name = "shm-unlocked",
	.what = "shared memory, no lock, read only",
	.open = unlocked_open,
	.close = unlocked_close,
	.join = unlocked_join,
	.leave = shm_leave,
	.get = unlocked_get,
	.fill = unlocked_fill,
};
