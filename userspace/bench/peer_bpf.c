// SPDX-License-Identifier: MIT
/*
 * BPF_MAP_TYPE_HASH through bpf(2), by default with all entries allocated
 * beforehand, and with BPF_F_NO_PREALLOC; and BPF_MAP_TYPE_RHASH, which grows and
 * shrinks, where the kernel has it (Linux 7.2).
 */
#include <errno.h>
#include <linux/bpf.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "bench.h"

/* Keys per call of a walk. */
#define WALK_KEYS	256

struct seat {
	int	fd;
	bool	begun;
	char	place[2][KEY_SIZE];	/* of a walk: where this call begins, and the next */
	char	keys[WALK_KEYS * KEY_SIZE];
	char	values[WALK_KEYS * VALUE_SIZE];
};

enum which { PREALLOCATED, ALLOCATED, RESIZABLE, KINDS };

static int fds[KINDS] = { -1, -1, -1 };

static int bpf(int cmd, union bpf_attr *attr)
{
	return syscall(SYS_bpf, cmd, attr, sizeof(*attr)) < 0 ? -errno : 0;
}

/* The number of the type, which older headers do not have. */
#define MAP_TYPE_RHASH	35

static int map_create(enum which which, uint64_t entries, uint32_t value_size)
{
	union bpf_attr attr = {
		.map_type = which == RESIZABLE ? MAP_TYPE_RHASH :
						 BPF_MAP_TYPE_HASH,
		.key_size = KEY_SIZE,
		.value_size = value_size,
		.max_entries = (uint32_t)entries,
		.map_flags = which == PREALLOCATED ? 0 : BPF_F_NO_PREALLOC,
	};
	long fd = syscall(SYS_bpf, BPF_MAP_CREATE, &attr, sizeof(attr));

	fds[which] = (int)fd;
	if (fd >= 0)
		return 0;
	/* A type that the kernel does not know. */
	return which == RESIZABLE && errno == EINVAL ? -EOPNOTSUPP : -errno;
}

static int map_open(enum which which, uint64_t entries)
{
	return map_create(which, entries, VALUE_SIZE);
}

static int bpf_open(uint64_t entries)
{
	return map_open(PREALLOCATED, entries);
}

static int bpf_malloc_open(uint64_t entries)
{
	return map_open(ALLOCATED, entries);
}

static void bpf_close(void)
{
	close(fds[PREALLOCATED]);
}

static void bpf_malloc_close(void)
{
	close(fds[ALLOCATED]);
}

static void *join(enum which which)
{
	struct seat *seat = calloc(1, sizeof(*seat));

	if (seat)
		seat->fd = fds[which];
	return seat;
}

static void *bpf_join(void)
{
	return join(PREALLOCATED);
}

static void *bpf_malloc_join(void)
{
	return join(ALLOCATED);
}

static int element(void *arg, int cmd, const char *key, const char *value)
{
	const struct seat *seat = arg;
	union bpf_attr attr;

	/* Zero and pass only the part that the command uses. */
	memset(&attr, 0, offsetof(union bpf_attr, flags) + sizeof(attr.flags));
	attr.map_fd = (uint32_t)seat->fd;
	attr.key = (uint64_t)(uintptr_t)key;
	attr.value = (uint64_t)(uintptr_t)value;
	return syscall(SYS_bpf, cmd, &attr, offsetof(union bpf_attr, flags) +
		       sizeof(attr.flags)) < 0 ? -errno : 0;
}

static int bpf_get(void *seat, const char *key, char *value)
{
	return element(seat, BPF_MAP_LOOKUP_ELEM, key, value);
}

static int bpf_set(void *seat, const char *key, const char *value)
{
	return element(seat, BPF_MAP_UPDATE_ELEM, key, value);
}

static int bpf_delete(void *seat, const char *key)
{
	return element(seat, BPF_MAP_DELETE_ELEM, key, NULL);
}

static int bpf_fill(void *arg, const char *keys, const char *value)
{
	const struct seat *seat = arg;
	char values[MANY * VALUE_SIZE];
	union bpf_attr attr = { 0 };

	for (size_t i = 0; i < MANY; i++)
		memcpy(values + i * VALUE_SIZE, value, VALUE_SIZE);
	attr.batch.map_fd = (uint32_t)seat->fd;
	attr.batch.keys = (uint64_t)(uintptr_t)keys;
	attr.batch.values = (uint64_t)(uintptr_t)values;
	attr.batch.count = MANY;
	return bpf(BPF_MAP_UPDATE_BATCH, &attr);
}

/* There is no batch of keys alone, so the values are read, too. */
static long bpf_walk(void *arg)
{
	struct seat *seat = arg;
	union bpf_attr attr = { 0 };
	int ret;

	attr.batch.map_fd = (uint32_t)seat->fd;
	attr.batch.in_batch = seat->begun ?
		(uint64_t)(uintptr_t)seat->place[0] : 0;
	attr.batch.out_batch = (uint64_t)(uintptr_t)seat->place[1];
	attr.batch.keys = (uint64_t)(uintptr_t)seat->keys;
	attr.batch.values = (uint64_t)(uintptr_t)seat->values;
	attr.batch.count = WALK_KEYS;
	ret = bpf(BPF_MAP_LOOKUP_BATCH, &attr);
	if (ret && ret != -ENOENT)
		return ret;
	memcpy(seat->place[0], seat->place[1], KEY_SIZE);
	seat->begun = !ret;
	return attr.batch.count;
}

/* The bytes that the map takes, as the kernel reports them. */
static int64_t memory(enum which which)
{
	char path[64], line[128];
	long long bytes = -1;
	FILE *file;

	snprintf(path, sizeof(path), "/proc/self/fdinfo/%d", fds[which]);
	file = fopen(path, "r");
	if (!file)
		return -1;
	while (fgets(line, sizeof(line), file))
		if (!strncmp(line, "memlock:", 8))
			bytes = atoll(line + 8);
	fclose(file);
	return bytes;
}

static int64_t bpf_memory(void)
{
	return memory(PREALLOCATED);
}

static int64_t bpf_malloc_memory(void)
{
	return memory(ALLOCATED);
}

const struct peer peer_bpf = {
	.name = "bpf",
	.what = "BPF_MAP_TYPE_HASH, bpf(2)",
	.open = bpf_open,
	.close = bpf_close,
	.join = bpf_join,
	.leave = free,
	.get = bpf_get,
	.set = bpf_set,
	.delete = bpf_delete,
	.fill = bpf_fill,
	.walk = bpf_walk,
	.memory = bpf_memory,
};

const struct peer peer_bpf_malloc = {
	.name = "bpf-malloc",
	.what = "the same with BPF_F_NO_PREALLOC",
	.open = bpf_malloc_open,
	.close = bpf_malloc_close,
	.join = bpf_malloc_join,
	.leave = free,
	.get = bpf_get,
	.set = bpf_set,
	.delete = bpf_delete,
	.fill = bpf_fill,
	.walk = bpf_walk,
	.memory = bpf_malloc_memory,
};

/* Kernel memory in use that belongs to no process, in bytes. */
static int64_t kernel_memory(void)
{
	FILE *file = fopen("/proc/meminfo", "r");
	long long total = 0, kib;
	char line[128];

	if (!file)
		return -1;
	while (fgets(line, sizeof(line), file))
		if (sscanf(line, "SUnreclaim: %lld", &kib) == 1 ||
		    sscanf(line, "Percpu: %lld", &kib) == 1 ||
		    sscanf(line, "VmallocUsed: %lld", &kib) == 1)
			total += kib;
	fclose(file);
	return total * 1024;
}

/* All kernel memory when the map was made. */
static int64_t kernel_before;

static int rhash_open(uint64_t entries)
{
	kernel_before = kernel_memory();
	return map_open(RESIZABLE, entries);
}

/* All values take as much as the longest; it has no budget of bytes. */
static int rhash_open_bytes(uint64_t bytes, uint32_t longest)
{
	kernel_before = kernel_memory();
	return map_create(RESIZABLE, bytes / KEY_SIZE, longest);
}

static void rhash_close(void)
{
	close(fds[RESIZABLE]);
}

static void *rhash_join(void)
{
	return join(RESIZABLE);
}

/* memlock of its fdinfo leaves most of it out. */
static int64_t rhash_memory(void)
{
	return kernel_memory() - kernel_before;
}

/* A value shorter than the longest is followed by whatever the buffer holds. */
static int rhash_put(void *seat, const char *key, const char *value, uint32_t len)
{
	int ret = element(seat, BPF_MAP_UPDATE_ELEM, key, value);

	(void)len;
	return ret == -E2BIG ? -ENOSPC : ret;
}

const struct peer peer_bpf_rhash = {
	.name = "bpf-rhash",
	.what = "BPF_MAP_TYPE_RHASH, bpf(2), since Linux 7.2",
	.open = rhash_open,
	.close = rhash_close,
	.join = rhash_join,
	.leave = free,
	.get = bpf_get,
	.set = bpf_set,
	.delete = bpf_delete,
	.fill = bpf_fill,
	.walk = bpf_walk,
	.memory = rhash_memory,
	.open_bytes = rhash_open_bytes,
	.put = rhash_put,
};
