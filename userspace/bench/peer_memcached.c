// SPDX-License-Identifier: MIT
/*
 * memcached over a unix socket, in its text protocol.  Values are letters, so
 * that no answer ends early by chance.
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "bench.h"

#define SIZE	"64"		/* VALUE_SIZE */

static struct server server = { .path = "/tmp/kmap-bench.memcached" };

static int64_t empty;

static int memcached_open(uint64_t entries)
{
	char megabytes[32];
	const char *const argv[] = { "memcached", "-s", server.path, "-u", "root", "-t", "2",
			 "-m", megabytes, NULL };
	int ret;

	snprintf(megabytes, sizeof(megabytes), "%llu",
		 (unsigned long long)(64 + entries * 512 / (1 << 20)));
	ret = server_start(&server, argv[0], argv);
	empty = resident(server.pid);
	return ret;
}

/* It says that it is full instead of evicting, and moves memory between its classes. */
static int memcached_open_bytes(uint64_t bytes, uint32_t longest)
{
	char megabytes[32];
	const char *const argv[] = { "memcached", "-s", server.path, "-u", "root", "-t", "2",
			 "-m", megabytes, "-M", "-o",
			 "slab_reassign,slab_automove=1,no_modern", NULL };

	(void)longest;
	snprintf(megabytes, sizeof(megabytes), "%llu",
		 (unsigned long long)(bytes >> 20));
	empty = 0;
	return server_start(&server, argv[0], argv);
}

static void memcached_close(void)
{
	server_stop(&server);
}

static void *memcached_join(void)
{
	return wire_open(&server);
}

static void memcached_leave(void *seat)
{
	wire_close(seat);
}

/* VALUE key flags bytes\r\n value \r\n */
#define HEAD	(6 + KEY_SIZE + 7)
#define ITEM	(HEAD + VALUE_SIZE + 2)
#define END	"END\r\n"

static int memcached_get(void *seat, const char *key, char *value)
{
	struct wire *wire = seat;
	int ret;

	wire_text(wire, "get ");
	wire_put(wire, key, KEY_SIZE);
	wire_text(wire, "\r\n");
	ret = wire_send(wire);
	if (!ret)
		ret = wire_until(wire, END);
	if (ret)
		return ret;
	if (wire->have != ITEM + 5)
		return -ENOENT;
	memcpy(value, wire->in + HEAD, VALUE_SIZE);
	return 0;
}

static int memcached_get_many(void *seat, const char *keys, char *values)
{
	struct wire *wire = seat;
	int found = 0;

	wire_text(wire, "get");
	for (size_t i = 0; i < MANY; i++) {
		wire_text(wire, " ");
		wire_put(wire, keys + i * KEY_SIZE, KEY_SIZE);
	}
	wire_text(wire, "\r\n");
	if (wire_send(wire) || wire_until(wire, END))
		return 0;
	for (size_t at = 0; at + ITEM < wire->have; at += ITEM, found++)
		memcpy(values + found * VALUE_SIZE, wire->in + at + HEAD,
		       VALUE_SIZE);
	return found;
}

static int memcached_set(void *seat, const char *key, const char *value)
{
	struct wire *wire = seat;
	int ret;

	wire_text(wire, "set ");
	wire_put(wire, key, KEY_SIZE);
	wire_text(wire, " 0 0 " SIZE "\r\n");
	wire_put(wire, value, VALUE_SIZE);
	wire_text(wire, "\r\n");
	ret = wire_send(wire);
	if (!ret)
		ret = wire_until(wire, "\r\n");
	return ret ? ret : wire->in[0] == 'S' ? 0 : -EIO;
}

static int memcached_put(void *seat, const char *key, const char *value, uint32_t len)
{
	struct wire *wire = seat;
	char size[32];
	int ret;

	snprintf(size, sizeof(size), " 0 0 %u\r\n", len);
	wire_text(wire, "set ");
	wire_put(wire, key, KEY_SIZE);
	wire_text(wire, size);
	wire_put(wire, value, len);
	wire_text(wire, "\r\n");
	ret = wire_send(wire);
	if (!ret)
		ret = wire_until(wire, "\r\n");
	/* STORED, or SERVER_ERROR out of memory storing object */
	if (!ret && memcmp(wire->in, "STORED", 6))
		ret = !memcmp(wire->in, "SERVER_ERROR out of memory", 26) ? -ENOSPC : -EIO;
	return ret;
}

static int memcached_delete(void *seat, const char *key)
{
	struct wire *wire = seat;
	int ret;

	wire_text(wire, "delete ");
	wire_put(wire, key, KEY_SIZE);
	wire_text(wire, "\r\n");
	ret = wire_send(wire);
	if (!ret)
		ret = wire_until(wire, "\r\n");
	return ret ? ret : wire->in[0] == 'D' ? 0 : -ENOENT;
}

/* Send sets without answers, and then a command that has an answer. */
static int memcached_fill(void *seat, const char *keys, const char *value)
{
	struct wire *wire = seat;
	int ret;

	for (size_t i = 0; i < MANY; i++) {
		wire_text(wire, "set ");
		wire_put(wire, keys + i * KEY_SIZE, KEY_SIZE);
		wire_text(wire, " 0 0 " SIZE " noreply\r\n");
		wire_put(wire, value, VALUE_SIZE);
		wire_text(wire, "\r\n");
	}
	wire_text(wire, "version\r\n");
	ret = wire_send(wire);
	return ret ? ret : wire_until(wire, "\r\n");
}

static int64_t memcached_memory(void)
{
	return resident(server.pid) - empty;
}

const struct peer peer_memcached = {
	.name = "memcached",
	.what = "memcached, unix socket",
	.open = memcached_open,
	.close = memcached_close,
	.join = memcached_join,
	.leave = memcached_leave,
	.get = memcached_get,
	.get_many = memcached_get_many,
	.set = memcached_set,
	.delete = memcached_delete,
	.fill = memcached_fill,
	.memory = memcached_memory,
	.open_bytes = memcached_open_bytes,
	.put = memcached_put,
};
