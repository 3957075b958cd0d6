// SPDX-License-Identifier: GPL-2.0
/*
 * The ioctls of kmap as plain calls, and values that can be checked.
 * See kmap_test.h for what each function promises.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>

#include "kmap_test.h"

__u64 kt_less(__u64 count, __u64 least)
{
	const char *less = getenv("KT_LESS");
	__u64 times = less ? strtoull(less, NULL, 10) : 1;

	count /= times ? times : 1;
	return count < least ? least : count;
}

int kt_open(int flags)
{
	int fd = open(KT_DEVICE, flags);

	return fd < 0 ? -errno : fd;
}

int kt_ioctl(int fd, unsigned long cmd, void *arg)
{
	return ioctl(fd, cmd, arg) < 0 ? -errno : 0;
}

static void op_init(struct kmap_op *op, enum kmap_opcode opcode,
		    const void *key, size_t key_len, unsigned int flags)
{
	memset(op, 0, sizeof(*op));
	op->opcode = opcode;
	op->flags = flags;
	op->key = kt_ptr(key);
	op->key_len = key_len;
}

void kt_op_get(struct kmap_op *op, const void *key, size_t key_len, void *out,
	       size_t size)
{
	op_init(op, KMAP_OP_GET, key, key_len, 0);
	op->out = kt_ptr(out);
	op->out_size = size;
}

void kt_op_set(struct kmap_op *op, const void *key, size_t key_len,
	       const void *value, size_t value_len, unsigned int flags)
{
	op_init(op, KMAP_OP_SET, key, key_len, flags);
	op->value = kt_ptr(value);
	op->value_len = value_len;
}

void kt_op_del(struct kmap_op *op, const void *key, size_t key_len,
	       unsigned int flags)
{
	op_init(op, KMAP_OP_DELETE, key, key_len, flags);
}

void kt_op_add(struct kmap_op *op, const void *key, size_t key_len,
	       __s64 delta, unsigned int flags)
{
	op_init(op, KMAP_OP_ADD, key, key_len, flags);
	op->number = delta;
}

int kt_get(int fd, const void *key, size_t key_len, void *out, size_t size,
	   size_t *len, __u64 *version)
{
	struct kmap_op op;
	int ret;

	kt_op_get(&op, key, key_len, out, size);
	ret = kt_ioctl(fd, KMAP_IOC_GET, &op);
	if (len)
		*len = op.out_len;
	if (version)
		*version = op.version;
	return ret;
}

/* Sends a SET or DELETE, which may return the previous value. */
static int change(int fd, unsigned long cmd, struct kmap_op *op, __u64 *version,
		  size_t *out_len)
{
	int ret;

	if (version && op->flags & KMAP_MATCH)
		op->version = *version;
	op->out_len = KMAP_ABSENT;
	ret = kt_ioctl(fd, cmd, op);
	if (version)
		*version = op->version;
	if (out_len)
		*out_len = op->out_len == KMAP_ABSENT ? KT_NONE : op->out_len;
	return ret;
}

int kt_swap(int fd, const void *key, size_t key_len, const void *value,
	    size_t value_len, unsigned int flags, __u64 *version, void *out,
	    size_t size, size_t *out_len)
{
	struct kmap_op op;

	kt_op_set(&op, key, key_len, value, value_len, flags | KMAP_RETURN);
	op.out = kt_ptr(out);
	op.out_size = size;
	return change(fd, KMAP_IOC_SET, &op, version, out_len);
}

int kt_take(int fd, const void *key, size_t key_len, unsigned int flags,
	    __u64 *version, void *out, size_t size, size_t *out_len)
{
	struct kmap_op op;

	kt_op_del(&op, key, key_len, flags | KMAP_RETURN);
	op.out = kt_ptr(out);
	op.out_size = size;
	return change(fd, KMAP_IOC_DELETE, &op, version, out_len);
}

int kt_set(int fd, const void *key, size_t key_len, const void *value,
	   size_t value_len, unsigned int flags, __u64 *version)
{
	struct kmap_op op;

	kt_op_set(&op, key, key_len, value, value_len, flags);
	return change(fd, KMAP_IOC_SET, &op, version, NULL);
}

int kt_del(int fd, const void *key, size_t key_len, unsigned int flags,
	   __u64 *version)
{
	struct kmap_op op;

	kt_op_del(&op, key, key_len, flags);
	return change(fd, KMAP_IOC_DELETE, &op, version, NULL);
}

int kt_add(int fd, const void *key, size_t key_len, __s64 delta,
	   unsigned int flags, __s64 *sum, __u64 *version)
{
	struct kmap_op op;
	int ret;

	kt_op_add(&op, key, key_len, delta, flags);
	ret = kt_ioctl(fd, KMAP_IOC_ADD, &op);
	if (sum)
		*sum = op.number;
	if (version)
		*version = op.version;
	return ret;
}

int kt_batch(int fd, struct kmap_op *ops, __u32 count, __u32 *done)
{
	struct kmap_batch batch = {
		.ops = kt_ptr(ops),
		.count = count,
		.op_size = sizeof(*ops),
	};
	int ret = kt_ioctl(fd, KMAP_IOC_BATCH, &batch);

	if (done)
		*done = batch.done;
	return ret;
}

int kt_clear(int fd, __u64 *removed)
{
	struct kmap_clear clear = { 0 };
	int ret = kt_ioctl(fd, KMAP_IOC_CLEAR, &clear);

	if (removed)
		*removed = clear.removed;
	return ret;
}

int kt_info(int fd, struct kmap_info *info)
{
	memset(info, 0, sizeof(*info));
	return kt_ioctl(fd, KMAP_IOC_INFO, info);
}

__s64 kt_entries(int fd)
{
	struct kmap_info info;
	int ret = kt_info(fd, &info);

	return ret ? ret : (__s64)info.entries;
}

static __u64 mix(__u64 x)
{
	x ^= x >> 32;
	x *= 0xd6e8feb86659fd93ull;
	x ^= x >> 32;
	x *= 0xd6e8feb86659fd93ull;
	return x ^ x >> 32;
}

__u64 kt_hash(const void *data, size_t len, __u64 seed)
{
	const __u8 *p = data;
	__u64 hash = mix(seed ^ (len + 1) * 0x9e3779b97f4a7c15ull);
	__u64 word;

	for (; len >= 8; len -= 8, p += 8) {
		memcpy(&word, p, 8);
		hash = mix(hash ^ word) + 0x9e3779b97f4a7c15ull;
	}
	if (len) {
		word = 0;
		memcpy(&word, p, len);
		hash = mix(hash ^ word) + 0x9e3779b97f4a7c15ull;
	}
	return mix(hash);
}

__u64 kt_random(__u64 *state)
{
	*state += 0x9e3779b97f4a7c15ull;
	return mix(*state);
}

#define VALUE_HEAD	16

/* Checksum of a value, from which the bytes after its head follow. */
static __u64 value_sum(size_t len, const void *key, size_t key_len, __u64 seed)
{
	return kt_hash(key, key_len, mix(seed) ^ len);
}

void kt_value_fill(void *value, size_t len, const void *key, size_t key_len,
		   __u64 seed)
{
	__u8 *p = value;
	__u64 sum, word;

	if (len < VALUE_HEAD)
		seed = 0;
	sum = value_sum(len, key, key_len, seed);
	if (len >= VALUE_HEAD) {
		memcpy(p, &seed, 8);
		memcpy(p + 8, &sum, 8);
		p += VALUE_HEAD;
		len -= VALUE_HEAD;
	}
	for (; len >= 8; len -= 8, p += 8) {
		word = kt_random(&sum);
		memcpy(p, &word, 8);
	}
	if (len) {
		word = kt_random(&sum);
		memcpy(p, &word, len);
	}
}

bool kt_value_check(const void *value, size_t len, const void *key,
		    size_t key_len, __u64 *seed)
{
	const __u8 *p = value;
	__u64 born = 0;
	__u64 sum, word, found;

	if (len >= VALUE_HEAD)
		memcpy(&born, p, 8);
	sum = value_sum(len, key, key_len, born);
	if (len >= VALUE_HEAD) {
		memcpy(&found, p + 8, 8);
		if (found != sum)
			return false;
		p += VALUE_HEAD;
		len -= VALUE_HEAD;
	}
	for (; len; len -= len < 8 ? len : 8, p += 8) {
		word = kt_random(&sum);
		if (memcmp(p, &word, len < 8 ? len : 8))
			return false;
	}
	if (seed)
		*seed = born;
	return true;
}
