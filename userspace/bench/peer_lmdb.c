// SPDX-License-Identifier: MIT
/*
 * LMDB on tmpfs: a copy-on-write B+ tree that readers map, with one writer at a
 * time.  Nothing is synced; each get is a read transaction, and each set is a write
 * transaction.
 */
#include <errno.h>
#include <lmdb.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "bench.h"

#define PATH	"/dev/shm/kmap-bench.mdb"

/* Keys per call of lmdb_walk(). */
#define WALK_KEYS	256

struct seat {
	MDB_txn		*reader;	/* reset between transactions */
	MDB_txn		*walker;
	MDB_cursor	*cursor;
};

static MDB_env *env;
static MDB_dbi dbi;

/* LMDB returns errno values, or negative numbers of its own. */
static int error(int ret)
{
	if (ret == MDB_MAP_FULL)
		return -ENOSPC;
	return ret > 0 ? -ret : ret ? -EIO : 0;
}

static int open_sized(uint64_t bytes)
{
	MDB_txn *txn;
	int ret;

	unlink(PATH);
	ret = mdb_env_create(&env);
	if (ret)
		return error(ret);
	mdb_env_set_mapsize(env, bytes);
	mdb_env_set_maxreaders(env, 2 * THREADS_MAX);
	ret = mdb_env_open(env, PATH, MDB_NOSUBDIR | MDB_NOSYNC |
			   MDB_NOMETASYNC | MDB_WRITEMAP | MDB_NOTLS |
			   MDB_NORDAHEAD, 0600);
	if (!ret)
		ret = mdb_txn_begin(env, NULL, 0, &txn);
	if (ret)
		return error(ret);
	ret = mdb_dbi_open(txn, NULL, 0, &dbi);
	return error(ret ? ret : mdb_txn_commit(txn));
}

static int lmdb_open(uint64_t entries)
{
	return open_sized((64u << 20) + entries * 1024);
}

static int lmdb_open_bytes(uint64_t bytes, uint32_t longest)
{
	(void)longest;
	return open_sized(bytes);
}

static void lmdb_close(void)
{
	mdb_env_close(env);
	unlink(PATH);
	unlink(PATH "-lock");
}

static void *lmdb_join(void)
{
	struct seat *seat = calloc(1, sizeof(*seat));
	int ret = seat ? mdb_txn_begin(env, NULL, MDB_RDONLY, &seat->reader) :
			ENOMEM;

	if (!ret) {
		mdb_txn_reset(seat->reader);
		return seat;
	}
	fprintf(stderr, "lmdb: %s\n", mdb_strerror(ret));
	free(seat);
	return NULL;
}

static void end_walk(struct seat *seat)
{
	if (seat->cursor)
		mdb_cursor_close(seat->cursor);
	if (seat->walker)
		mdb_txn_abort(seat->walker);
	seat->cursor = NULL;
	seat->walker = NULL;
}

static void lmdb_leave(void *arg)
{
	struct seat *seat = arg;

	end_walk(seat);
	mdb_txn_abort(seat->reader);
	free(seat);
}

static MDB_val as_key(const char *key)
{
	/* LMDB does not write to it. */
	return (MDB_val){ .mv_size = KEY_SIZE, .mv_data = (void *)key };
}

static int read_one(struct seat *seat, const char *key, char *value)
{
	MDB_val name = as_key(key), found;
	int ret = mdb_get(seat->reader, dbi, &name, &found);

	if (!ret)
		memcpy(value, found.mv_data, VALUE_SIZE);
	return ret;
}

static int lmdb_get(void *arg, const char *key, char *value)
{
	struct seat *seat = arg;
	int ret = mdb_txn_renew(seat->reader);

	if (ret)
		return error(ret);
	ret = read_one(seat, key, value);
	mdb_txn_reset(seat->reader);
	return error(ret);
}

static int lmdb_get_many(void *arg, const char *keys, char *values)
{
	struct seat *seat = arg;
	int found = 0;

	if (mdb_txn_renew(seat->reader))
		return 0;
	for (size_t i = 0; i < MANY; i++)
		found += !read_one(seat, keys + i * KEY_SIZE,
				   values + i * VALUE_SIZE);
	mdb_txn_reset(seat->reader);
	return found;
}

static int put(const char *keys, size_t count, const char *value, size_t len)
{
	MDB_txn *txn;
	int ret = mdb_txn_begin(env, NULL, 0, &txn);

	if (ret)
		return error(ret);
	for (size_t i = 0; !ret && i < count; i++) {
		MDB_val name = as_key(keys + i * KEY_SIZE);
		MDB_val data = {
			.mv_size = len,
			.mv_data = (void *)value,
		};

		ret = mdb_put(txn, dbi, &name, &data, 0);
	}
	if (!ret)
		return error(mdb_txn_commit(txn));
	mdb_txn_abort(txn);
	return error(ret);
}

static int lmdb_set(void *seat, const char *key, const char *value)
{
	(void)seat;
	return put(key, 1, value, VALUE_SIZE);
}

static int lmdb_put(void *seat, const char *key, const char *value, uint32_t len)
{
	(void)seat;
	return put(key, 1, value, len);
}

static int lmdb_fill(void *seat, const char *keys, const char *value)
{
	(void)seat;
	return put(keys, MANY, value, VALUE_SIZE);
}

static int lmdb_delete(void *seat, const char *key)
{
	MDB_val name = as_key(key);
	MDB_txn *txn;
	int ret = mdb_txn_begin(env, NULL, 0, &txn);

	(void)seat;
	if (ret)
		return error(ret);
	ret = mdb_del(txn, dbi, &name, NULL);
	if (!ret)
		return error(mdb_txn_commit(txn));
	mdb_txn_abort(txn);
	return error(ret);
}

static long lmdb_walk(void *arg)
{
	struct seat *seat = arg;
	MDB_val name, data;
	long keys = 0;
	int ret = 0;

	if (!seat->cursor) {
		ret = mdb_txn_begin(env, NULL, MDB_RDONLY, &seat->walker);
		if (!ret)
			ret = mdb_cursor_open(seat->walker, dbi, &seat->cursor);
	}
	while (!ret && keys < WALK_KEYS) {
		ret = mdb_cursor_get(seat->cursor, &name, &data, MDB_NEXT);
		keys += !ret;
	}
	if (ret)
		end_walk(seat);
	return ret && ret != MDB_NOTFOUND ? error(ret) : keys;
}

static int64_t lmdb_memory(void)
{
	struct stat stat_buf;

	return stat(PATH, &stat_buf) ? -1 : (int64_t)stat_buf.st_blocks * 512;
}

const struct peer peer_lmdb = {
	.name = "lmdb",
	.what = "LMDB on tmpfs, not synced",
	.open = lmdb_open,
	.close = lmdb_close,
	.join = lmdb_join,
	.leave = lmdb_leave,
	.get = lmdb_get,
	.get_many = lmdb_get_many,
	.set = lmdb_set,
	.delete = lmdb_delete,
	.fill = lmdb_fill,
	.walk = lmdb_walk,
	.memory = lmdb_memory,
	.open_bytes = lmdb_open_bytes,
	.put = lmdb_put,
};
