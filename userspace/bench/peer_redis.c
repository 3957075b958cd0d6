// SPDX-License-Identifier: MIT
/*
 * Redis over a unix socket, in RESP2, nothing saved to disk.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "bench.h"

static struct server server = { .path = "/tmp/kmap-bench.redis" };

static int64_t empty;

static int redis_open(uint64_t entries)
{
	const char *const argv[] = { "redis-server", "--port", "0", "--unixsocket",
			 server.path, "--save", "", "--appendonly", "no",
			 "--dir", "/tmp", NULL };
	int ret = server_start(&server, argv[0], argv);

	(void)entries;
	/* The program has several names, and may be installed under another one only. */
	if (ret == -ENOENT)
		ret = server_start(&server, "redis-check-rdb", argv);
	empty = resident(server.pid);
	return ret;
}

static int redis_open_bytes(uint64_t bytes, uint32_t longest)
{
	char limit[32];
	const char *const argv[] = { "redis-server", "--port", "0", "--unixsocket",
			 server.path, "--save", "", "--appendonly", "no",
			 "--dir", "/tmp", "--maxmemory", limit,
			 "--maxmemory-policy", "noeviction",
			 "--activedefrag", "yes", NULL };
	const char *const plain[] = { "redis-server", "--port", "0", "--unixsocket",
			 server.path, "--save", "", "--appendonly", "no",
			 "--dir", "/tmp", "--maxmemory", limit,
			 "--maxmemory-policy", "noeviction", NULL };
	int ret;

	(void)longest;
	snprintf(limit, sizeof(limit), "%llu", (unsigned long long)bytes);
	empty = 0;
	/* Not every build of it can move what it has allocated. */
	ret = server_start(&server, argv[0], argv);
	if (ret == -ENOENT)
		ret = server_start(&server, "redis-check-rdb", argv);
	if (ret == -ENOENT)
		ret = server_start(&server, plain[0], plain);
	if (ret == -ENOENT)
		ret = server_start(&server, "redis-check-rdb", plain);
	return ret;
}

static void redis_close(void)
{
	server_stop(&server);
}

static void *redis_join(void)
{
	return wire_open(&server);
}

static void redis_leave(void *seat)
{
	wire_close(seat);
}

static void put_key(struct wire *wire, const char *key)
{
	wire_text(wire, "$16\r\n");
	wire_put(wire, key, KEY_SIZE);
	wire_text(wire, "\r\n");
}

static void put_set(struct wire *wire, const char *key, const char *value)
{
	wire_text(wire, "*3\r\n$3\r\nSET\r\n");
	put_key(wire, key);
	wire_text(wire, "$64\r\n");
	wire_put(wire, value, VALUE_SIZE);
	wire_text(wire, "\r\n");
}

/* $64\r\n value \r\n */
#define HEAD	5
#define ITEM	(HEAD + VALUE_SIZE + 2)

/* The answer for an absent key is shorter: $-1\r\n */
static int redis_get(void *seat, const char *key, char *value)
{
	struct wire *wire = seat;
	int ret;

	wire_text(wire, "*2\r\n$3\r\nGET\r\n");
	put_key(wire, key);
	ret = wire_send(wire);
	if (!ret)
		ret = wire_want(wire, HEAD);
	if (!ret && wire->in[1] == '-')
		return -ENOENT;
	if (!ret)
		ret = wire_want(wire, ITEM);
	if (!ret)
		memcpy(value, wire->in + HEAD, VALUE_SIZE);
	return ret;
}

/* If a key is absent, the answer is shorter, and all keys count as not found. */
static int redis_get_many(void *seat, const char *keys, char *values)
{
	static const char head[] = "*64\r\n";	/* MANY */
	const size_t all = sizeof(head) - 1 + MANY * ITEM;
	struct wire *wire = seat;
	int found = 0;

	wire_text(wire, "*65\r\n$4\r\nMGET\r\n");
	for (size_t i = 0; i < MANY; i++)
		put_key(wire, keys + i * KEY_SIZE);
	if (wire_send(wire))
		return 0;
	while (wire->have < all) {
		if (wire_want(wire, wire->have + 1))
			return 0;
		/* A key is absent while another thread deletes and inserts it. */
		if (memmem(wire->in, wire->have, "$-1", 3))
			return 0;
	}
	for (; found < MANY; found++)
		memcpy(values + found * VALUE_SIZE, wire->in + sizeof(head) -
		       1 + found * ITEM + HEAD, VALUE_SIZE);
	return found;
}

static int redis_set(void *seat, const char *key, const char *value)
{
	struct wire *wire = seat;
	int ret;

	put_set(wire, key, value);
	ret = wire_send(wire);
	if (!ret)
		ret = wire_until(wire, "\r\n");
	return ret ? ret : wire->in[0] == '+' ? 0 : -EIO;
}

static int redis_put(void *seat, const char *key, const char *value, uint32_t len)
{
	struct wire *wire = seat;
	char size[32];
	int ret;

	snprintf(size, sizeof(size), "$%u\r\n", len);
	wire_text(wire, "*3\r\n$3\r\nSET\r\n");
	put_key(wire, key);
	wire_text(wire, size);
	wire_put(wire, value, len);
	wire_text(wire, "\r\n");
	ret = wire_send(wire);
	if (!ret)
		ret = wire_until(wire, "\r\n");
	if (!ret && wire->in[0] != '+')
		ret = !memcmp(wire->in, "-OOM", 4) ? -ENOSPC : -EIO;
	return ret;
}

static int redis_delete(void *seat, const char *key)
{
	struct wire *wire = seat;
	int ret;

	wire_text(wire, "*2\r\n$3\r\nDEL\r\n");
	put_key(wire, key);
	ret = wire_send(wire);
	if (!ret)
		ret = wire_until(wire, "\r\n");
	return ret ? ret : wire->in[1] == '1' ? 0 : -ENOENT;
}

static int redis_fill(void *seat, const char *keys, const char *value)
{
	struct wire *wire = seat;
	int ret;

	for (size_t i = 0; i < MANY; i++)
		put_set(wire, keys + i * KEY_SIZE, value);
	ret = wire_send(wire);
	/* +OK\r\n for each. */
	return ret ? ret : wire_want(wire, MANY * 5);
}

static int64_t redis_memory(void)
{
	return resident(server.pid) - empty;
}

const struct peer peer_redis = {
	.name = "redis",
	.what = "Redis, unix socket",
	.open = redis_open,
	.close = redis_close,
	.join = redis_join,
	.leave = redis_leave,
	.get = redis_get,
	.get_many = redis_get_many,
	.set = redis_set,
	.delete = redis_delete,
	.fill = redis_fill,
	.memory = redis_memory,
	.open_bytes = redis_open_bytes,
	.put = redis_put,
};
