// SPDX-License-Identifier: GPL-2.0
/*
 * Every operation with each of its flags, on a key that is present and on one that
 * is absent: what it returns, what it leaves alone, and what is in the map then.
 */
#include <errno.h>
#include <limits.h>
#include <stdlib.h>

#include "kselftest_harness.h"
#include "kmap_fixture.h"

#define POISON32	0xa5a5a5a5u
#define POISON64	0xa5a5a5a5a5a5a5a5ull

static __u8 out[256];

/* Poisons the outputs, except for those that the operation takes as input. */
static void poison(struct kmap_op *op)
{
	memset(out, KT_POISON, sizeof(out));
	if (!(op->flags & KMAP_MATCH))
		op->version = POISON64;
	if (op->opcode != KMAP_OP_ADD)
		op->number = (__s64)POISON64;
	op->out_len = POISON32;
	op->error = (__s16)POISON32;
}

static int send_op(int fd, struct kmap_op *op)
{
	return kt_ioctl(fd, _IOC(_IOC_READ | _IOC_WRITE, KMAP_IOC_MAGIC,
				 op->opcode, sizeof(*op)), op);
}

/* The operation fails with @ret, and changes neither its record nor the map. */
static void refused(struct __test_metadata *_metadata, int fd,
		    struct kmap_op *op, int ret)
{
	struct kmap_op copy;

	poison(op);
	copy = *op;
	REMEMBER(fd);
	EXPECT_EQ(-ret, send_op(fd, op));
	EXPECT_EQ(0, memcmp(&copy, op, sizeof(copy)));
	EXPECT_EQ(KT_POISON, out[0]);
	UNCHANGED(fd);
}

/* The operation fails with @ret, returns the version found, and changes nothing. */
static void told(struct __test_metadata *_metadata, int fd, struct kmap_op *op,
		 int ret, __u64 version)
{
	poison(op);
	REMEMBER(fd);
	EXPECT_EQ(-ret, send_op(fd, op));
	EXPECT_EQ(version, op->version);
	EXPECT_EQ(-ret, op->error);
	UNCHANGED(fd);
}

static void holds(struct __test_metadata *_metadata, int fd, const char *key,
		  const void *value, size_t len, __u64 version)
{
	__u8 buf[256];
	size_t got;
	__u64 now;

	EXPECT_EQ(0, kt_get(fd, key, strlen(key), buf, sizeof(buf), &got,
			    &now)) {
		TH_LOG("key %s", key);
	}
	EXPECT_EQ(len, got);
	EXPECT_EQ(version, now);
	EXPECT_EQ(0, memcmp(buf, value, len));
}

static void absent(struct __test_metadata *_metadata, int fd, const char *key)
{
	struct kmap_op op;

	kt_op_get(&op, key, strlen(key), out, sizeof(out));
	refused(_metadata, fd, &op, ENOENT);
}

/* Stores @value under "key"; returns its version. */
static __u64 put(struct __test_metadata *_metadata, int fd, const char *value)
{
	__u64 version = 0;

	EXPECT_EQ(0, kt_set(fd, "key", 3, value, strlen(value), 0, &version));
	EXPECT_GT(version, 0);
	return version;
}

static void op_return(struct kmap_op *op, size_t size)
{
	op->flags |= KMAP_RETURN;
	op->out = kt_ptr(out);
	op->out_size = size;
}

TEST_F(map, get)
{
	__u64 version = put(_metadata, self->fd, "value");
	struct kmap_op op;

	absent(_metadata, self->fd, "other");
	absent(_metadata, self->fd, "ke");
	absent(_metadata, self->fd, "key ");
	kt_op_get(&op, "key", 3, out, sizeof(out));
	poison(&op);
	EXPECT_EQ(0, send_op(self->fd, &op));
	EXPECT_EQ(5, op.out_len);
	EXPECT_EQ(version, op.version);
	EXPECT_EQ(0, op.number);
	EXPECT_EQ(0, op.error);
	EXPECT_EQ(0, memcmp(out, "value", 5));
	EXPECT_EQ(KT_POISON, out[5]);
}

TEST_F(map, get_buffer_too_small)
{
	__u64 version = put(_metadata, self->fd, "value");
	struct kmap_op op;
	size_t size;

	for (size = 0; size < 5; size++) {
		kt_op_get(&op, "key", 3, size ? out : NULL, size);
		told(_metadata, self->fd, &op, EMSGSIZE, version);
		EXPECT_EQ(5, op.out_len);
		EXPECT_EQ(KT_POISON, out[0]);
	}
	kt_op_get(&op, "key", 3, out, 5);
	poison(&op);
	EXPECT_EQ(0, send_op(self->fd, &op));
	EXPECT_EQ(5, op.out_len);
	EXPECT_EQ(KT_POISON, out[5]);
}

TEST_F(map, get_number)
{
	static const __s64 numbers[] = {
		0, 1, -1, LLONG_MAX, LLONG_MIN, 0x0102030405060708ll
	};
	struct kmap_op op;
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(numbers); i++) {
		ASSERT_EQ(0, kt_set(self->fd, "n", 1, &numbers[i], 8,
				    KMAP_NUMBER, NULL));
		kt_op_get(&op, "n", 1, out, 8);
		poison(&op);
		EXPECT_EQ(0, send_op(self->fd, &op));
		EXPECT_EQ(numbers[i], op.number);
		EXPECT_EQ(8, op.out_len);
		EXPECT_EQ(0, memcmp(out, &numbers[i], 8));
	}
	/* A value with a byte more or less is not a number. */
	ASSERT_EQ(0, kt_set(self->fd, "n", 1, "1234567", 7, 0, NULL));
	kt_op_get(&op, "n", 1, out, sizeof(out));
	poison(&op);
	EXPECT_EQ(0, send_op(self->fd, &op));
	EXPECT_EQ(0, op.number);
	ASSERT_EQ(0, kt_set(self->fd, "n", 1, "123456789", 9, 0, NULL));
	poison(&op);
	EXPECT_EQ(0, send_op(self->fd, &op));
	EXPECT_EQ(0, op.number);
}

TEST_F(map, set)
{
	struct kmap_op op;
	__u64 first;

	kt_op_set(&op, "key", 3, "one", 3, 0);
	poison(&op);
	EXPECT_EQ(0, send_op(self->fd, &op));
	EXPECT_EQ(0, op.error);
	first = op.version;
	holds(_metadata, self->fd, "key", "one", 3, first);
	kt_op_set(&op, "key", 3, "three", 5, 0);
	poison(&op);
	EXPECT_EQ(0, send_op(self->fd, &op));
	EXPECT_NE(first, op.version);
	holds(_metadata, self->fd, "key", "three", 5, op.version);
	EXPECT_EQ(1, kt_entries(self->fd));
	/* To store the same value again is a change, too. */
	first = op.version;
	EXPECT_EQ(0, send_op(self->fd, &op));
	EXPECT_NE(first, op.version);
}

TEST_F(map, set_create)
{
	__u64 version;
	struct kmap_op op;

	kt_op_set(&op, "key", 3, "one", 3, KMAP_CREATE);
	poison(&op);
	EXPECT_EQ(0, send_op(self->fd, &op));
	version = op.version;
	holds(_metadata, self->fd, "key", "one", 3, version);
	kt_op_set(&op, "key", 3, "two", 3, KMAP_CREATE);
	told(_metadata, self->fd, &op, EEXIST, version);
	holds(_metadata, self->fd, "key", "one", 3, version);
}

/* Get the value of a present key, or create it. */
TEST_F(map, set_create_return)
{
	__u64 version;
	struct kmap_op op;

	kt_op_set(&op, "key", 3, "one", 3, KMAP_CREATE);
	op_return(&op, sizeof(out));
	poison(&op);
	EXPECT_EQ(0, send_op(self->fd, &op));
	EXPECT_EQ(KMAP_ABSENT, op.out_len);
	EXPECT_EQ(KT_POISON, out[0]);
	version = op.version;
	kt_op_set(&op, "key", 3, "another", 7, KMAP_CREATE);
	op_return(&op, sizeof(out));
	told(_metadata, self->fd, &op, EEXIST, version);
	EXPECT_EQ(3, op.out_len);
	EXPECT_EQ(0, memcmp(out, "one", 3));
	EXPECT_EQ(KT_POISON, out[3]);
	op_return(&op, 2);
	poison(&op);
	REMEMBER(self->fd);
	EXPECT_EQ(-EMSGSIZE, send_op(self->fd, &op));
	EXPECT_EQ(3, op.out_len);
	EXPECT_EQ(-EMSGSIZE, op.error);
	UNCHANGED(self->fd);
}

TEST_F(map, set_replace)
{
	struct kmap_op op;

	kt_op_set(&op, "key", 3, "one", 3, KMAP_REPLACE);
	refused(_metadata, self->fd, &op, ENOENT);
	op_return(&op, sizeof(out));
	refused(_metadata, self->fd, &op, ENOENT);
	put(_metadata, self->fd, "old");
	kt_op_set(&op, "key", 3, "newer", 5, KMAP_REPLACE);
	poison(&op);
	EXPECT_EQ(0, send_op(self->fd, &op));
	holds(_metadata, self->fd, "key", "newer", 5, op.version);
	kt_op_set(&op, "key", 3, "newest", 6, KMAP_REPLACE);
	op_return(&op, sizeof(out));
	poison(&op);
	EXPECT_EQ(0, send_op(self->fd, &op));
	EXPECT_EQ(5, op.out_len);
	EXPECT_EQ(0, memcmp(out, "newer", 5));
	holds(_metadata, self->fd, "key", "newest", 6, op.version);
}

TEST_F(map, set_match)
{
	__u64 version;
	struct kmap_op op;

	kt_op_set(&op, "key", 3, "one", 3, KMAP_MATCH);
	op.version = 1;
	refused(_metadata, self->fd, &op, ENOENT);
	version = put(_metadata, self->fd, "old");
	kt_op_set(&op, "key", 3, "new", 3, KMAP_MATCH);
	op.version = version + 1;
	told(_metadata, self->fd, &op, ESTALE, version);
	op.version = 0;
	told(_metadata, self->fd, &op, ESTALE, version);
	op.version = version | 1ull << 63;
	told(_metadata, self->fd, &op, ESTALE, version);
	op.version = version;
	poison(&op);
	EXPECT_EQ(0, send_op(self->fd, &op));
	EXPECT_NE(version, op.version);
	holds(_metadata, self->fd, "key", "new", 3, op.version);
	/* The version that matched once is stale now. */
	version = op.version;
	op.version--;
	told(_metadata, self->fd, &op, ESTALE, version);
}

TEST_F(map, set_match_return)
{
	__u64 version = put(_metadata, self->fd, "found");
	struct kmap_op op;

	kt_op_set(&op, "key", 3, "new", 3, KMAP_MATCH);
	op_return(&op, sizeof(out));
	op.version = version + 1;
	told(_metadata, self->fd, &op, ESTALE, version);
	EXPECT_EQ(5, op.out_len);
	EXPECT_EQ(0, memcmp(out, "found", 5));
	/* The version that was returned is what the next try needs. */
	EXPECT_EQ(0, send_op(self->fd, &op));
	holds(_metadata, self->fd, "key", "new", 3, op.version);
	EXPECT_EQ(5, op.out_len);
}

TEST_F(map, set_return)
{
	struct kmap_op op;
	size_t size;

	kt_op_set(&op, "key", 3, "one", 3, 0);
	op_return(&op, sizeof(out));
	poison(&op);
	EXPECT_EQ(0, send_op(self->fd, &op));
	EXPECT_EQ(KMAP_ABSENT, op.out_len);
	op.value_len = 0;
	poison(&op);
	EXPECT_EQ(0, send_op(self->fd, &op));
	EXPECT_EQ(3, op.out_len);
	EXPECT_EQ(0, memcmp(out, "one", 3));
	/* A value of no bytes is not the same as no value. */
	kt_op_set(&op, "key", 3, "long value", 10, 0);
	op_return(&op, 0);
	poison(&op);
	EXPECT_EQ(0, send_op(self->fd, &op));
	EXPECT_EQ(0, op.out_len);
	for (size = 0; size < 10; size++) {
		kt_op_set(&op, "key", 3, "x", 1, 0);
		op_return(&op, size);
		poison(&op);
		REMEMBER(self->fd);
		EXPECT_EQ(-EMSGSIZE, send_op(self->fd, &op));
		EXPECT_EQ(10, op.out_len);
		EXPECT_EQ(-EMSGSIZE, op.error);
		EXPECT_EQ(KT_POISON, out[0]);
		UNCHANGED(self->fd);
	}
}

TEST_F(map, delete)
{
	__u64 version;
	struct kmap_op op;

	kt_op_del(&op, "key", 3, 0);
	refused(_metadata, self->fd, &op, ENOENT);
	version = put(_metadata, self->fd, "value");
	poison(&op);
	EXPECT_EQ(0, send_op(self->fd, &op));
	EXPECT_EQ(version, op.version);
	EXPECT_EQ(0, op.error);
	absent(_metadata, self->fd, "key");
	EXPECT_EQ(0, kt_entries(self->fd));
	refused(_metadata, self->fd, &op, ENOENT);
}

TEST_F(map, delete_match)
{
	__u64 version;
	struct kmap_op op;

	kt_op_del(&op, "key", 3, KMAP_MATCH);
	op.version = 1;
	refused(_metadata, self->fd, &op, ENOENT);
	version = put(_metadata, self->fd, "value");
	op.version = version - 1;
	told(_metadata, self->fd, &op, ESTALE, version);
	op.version = version + 1;
	op_return(&op, sizeof(out));
	told(_metadata, self->fd, &op, ESTALE, version);
	EXPECT_EQ(5, op.out_len);
	EXPECT_EQ(0, memcmp(out, "value", 5));
	EXPECT_EQ(0, send_op(self->fd, &op));
	EXPECT_EQ(version, op.version);
	absent(_metadata, self->fd, "key");
}

TEST_F(map, delete_return)
{
	struct kmap_op op;
	__u64 version;
	size_t size;

	kt_op_del(&op, "key", 3, 0);
	op_return(&op, sizeof(out));
	refused(_metadata, self->fd, &op, ENOENT);
	version = put(_metadata, self->fd, "value");
	for (size = 0; size < 5; size++) {
		op_return(&op, size);
		poison(&op);
		REMEMBER(self->fd);
		EXPECT_EQ(-EMSGSIZE, send_op(self->fd, &op));
		EXPECT_EQ(5, op.out_len);
		EXPECT_EQ(KT_POISON, out[0]);
		UNCHANGED(self->fd);
	}
	op_return(&op, 5);
	poison(&op);
	EXPECT_EQ(0, send_op(self->fd, &op));
	EXPECT_EQ(5, op.out_len);
	EXPECT_EQ(version, op.version);
	EXPECT_EQ(0, memcmp(out, "value", 5));
	absent(_metadata, self->fd, "key");
}

TEST_HARNESS_MAIN
