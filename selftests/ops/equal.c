// SPDX-License-Identifier: GPL-2.0
/*
 * KMAP_EQUAL: SET and DELETE only if the key has the expected value, in the longer
 * record and in the short one, in single calls and in batches.
 */
#include <errno.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

#include "kselftest_harness.h"
#include "kmap_fixture.h"

#define KEY	"key", 3

static int set_equal(int fd, const void *value, size_t len,
		     const void *expected, size_t expected_len, __u64 *version)
{
	struct kmap_op_ext ext = {
		.expected = kt_ptr(expected),
		.expected_len = expected_len,
	};
	int ret;

	kt_op_set(&ext.op, KEY, value, len, KMAP_EQUAL);
	ret = kt_ioctl(fd, KMAP_IOC_SET_EXT, &ext);
	if (version)
		*version = ext.op.version;
	return ret;
}

static int del_equal(int fd, const void *expected, size_t expected_len,
		     __u64 *version)
{
	struct kmap_op_ext ext = {
		.expected = kt_ptr(expected),
		.expected_len = expected_len,
	};
	int ret;

	kt_op_del(&ext.op, KEY, KMAP_EQUAL);
	ret = kt_ioctl(fd, KMAP_IOC_DELETE_EXT, &ext);
	if (version)
		*version = ext.op.version;
	return ret;
}

TEST_F(map, absent)
{
	EXPECT_EQ(-ENOENT, set_equal(self->fd, "new", 3, "old", 3, NULL));
	EXPECT_EQ(-ENOENT, set_equal(self->fd, "new", 3, NULL, 0, NULL));
	EXPECT_EQ(-ENOENT, del_equal(self->fd, "old", 3, NULL));
	EXPECT_EQ(0, kt_entries(self->fd));
}

TEST_F(map, equal)
{
	__u64 version, now;
	__u8 out[8];
	size_t len;

	ASSERT_EQ(0, kt_set(self->fd, KEY, "old", 3, 0, &version));
	EXPECT_EQ(0, set_equal(self->fd, "new", 3, "old", 3, &now));
	EXPECT_GT(now, version);
	EXPECT_EQ(0, kt_get(self->fd, KEY, out, sizeof(out), &len, &version));
	EXPECT_EQ(now, version);
	EXPECT_EQ(3, len);
	EXPECT_EQ(0, memcmp(out, "new", 3));
	EXPECT_EQ(0, del_equal(self->fd, "new", 3, &now));
	EXPECT_EQ(version, now);
	EXPECT_EQ(0, kt_entries(self->fd));
}

/* Any difference counts, in bytes or in length; the version found is returned. */
TEST_F(map, differs)
{
	static const struct {
		const char *expected;
		size_t len;
	} others[] = {
		{ "olc", 3 }, { "pld", 3 }, { "ol", 2 }, { "old", 4 },
		{ "", 0 }, { "a much longer value than the one there", 30 },
	};
	__u64 version, now;
	unsigned int i;

	ASSERT_EQ(0, kt_set(self->fd, KEY, "old", 3, 0, &version));
	REMEMBER(self->fd);
	for (i = 0; i < ARRAY_SIZE(others); i++) {
		EXPECT_EQ(-ESTALE, set_equal(self->fd, "new", 3,
					     others[i].expected, others[i].len,
					     &now));
		EXPECT_EQ(version, now);
		EXPECT_EQ(-ESTALE, del_equal(self->fd, others[i].expected,
					     others[i].len, &now));
		EXPECT_EQ(version, now);
	}
	UNCHANGED(self->fd);
}

/* KMAP_RETURN returns the value that the next try must expect. */
TEST_F(map, brings_what_differs)
{
	struct kmap_op_ext ext = { .expected = kt_ptr("no"), .expected_len = 2 };
	__u8 out[8] = { 0 };

	ASSERT_EQ(0, kt_set(self->fd, KEY, "old", 3, 0, NULL));
	kt_op_set(&ext.op, KEY, "new", 3, KMAP_EQUAL | KMAP_RETURN);
	ext.op.out = kt_ptr(out);
	ext.op.out_size = sizeof(out);
	EXPECT_EQ(-ESTALE, kt_ioctl(self->fd, KMAP_IOC_SET_EXT, &ext));
	EXPECT_EQ(-ESTALE, ext.op.error);
	EXPECT_EQ(3, ext.op.out_len);
	EXPECT_EQ(0, memcmp(out, "old", 3));
	ext.expected = kt_ptr(out);
	ext.expected_len = ext.op.out_len;
	EXPECT_EQ(0, kt_ioctl(self->fd, KMAP_IOC_SET_EXT, &ext));
	EXPECT_EQ(3, ext.op.out_len);
	EXPECT_EQ(0, kt_get(self->fd, KEY, out, sizeof(out), NULL, NULL));
	EXPECT_EQ(0, memcmp(out, "new", 3));
}

/* A number is compared by its 8 bytes, whichever operation has stored it. */
TEST_F(map, numbers)
{
	__s64 five = 5, six = 6;

	ASSERT_EQ(0, kt_add(self->fd, KEY, 5, 0, NULL, NULL));
	EXPECT_EQ(-ESTALE, set_equal(self->fd, "x", 1, &six, 8, NULL));
	ASSERT_EQ(0, kt_add(self->fd, KEY, 1, 0, NULL, NULL));
	EXPECT_EQ(-ESTALE, del_equal(self->fd, &five, 8, NULL));
	EXPECT_EQ(0, set_equal(self->fd, &five, 8, &six, 8, NULL));
	/* What was stored is bytes now. */
	EXPECT_EQ(-EDOM, kt_add(self->fd, KEY, 1, 0, NULL, NULL));
	EXPECT_EQ(0, del_equal(self->fd, &five, 8, NULL));
}

/* The short record can only expect the empty value. */
TEST_F(map, short_record)
{
	struct kmap_op op;

	ASSERT_EQ(0, kt_set(self->fd, KEY, "old", 3, 0, NULL));
	kt_op_set(&op, KEY, "new", 3, KMAP_EQUAL);
	EXPECT_EQ(-ESTALE, kt_ioctl(self->fd, KMAP_IOC_SET, &op));
	ASSERT_EQ(0, kt_set(self->fd, KEY, NULL, 0, 0, NULL));
	kt_op_set(&op, KEY, "new", 3, KMAP_EQUAL);
	EXPECT_EQ(0, kt_ioctl(self->fd, KMAP_IOC_SET, &op));
	kt_op_del(&op, KEY, KMAP_EQUAL);
	EXPECT_EQ(-ESTALE, kt_ioctl(self->fd, KMAP_IOC_DELETE, &op));
	ASSERT_EQ(0, kt_set(self->fd, KEY, NULL, 0, 0, NULL));
	EXPECT_EQ(0, kt_ioctl(self->fd, KMAP_IOC_DELETE, &op));
}

/* Every length up to the longest, and a difference in the last byte. */
TEST_F(map, long_values)
{
	static const size_t lens[] = { 8, 255, 256, 257, 4096, 16384, 16385, 65536 };
	__u8 *value = malloc(65536);
	unsigned int i;

	ASSERT_TRUE(value);
	for (i = 0; i < ARRAY_SIZE(lens) && lens[i] <= self->info.max_value; i++) {
		kt_value_fill(value, lens[i], KEY, i);
		ASSERT_EQ(0, kt_set(self->fd, KEY, value, lens[i], 0, NULL));
		value[lens[i] - 1] ^= 1;
		EXPECT_EQ(-ESTALE, set_equal(self->fd, "new", 3, value, lens[i],
					     NULL));
		EXPECT_EQ(-ESTALE, del_equal(self->fd, value, lens[i], NULL));
		value[lens[i] - 1] ^= 1;
		EXPECT_EQ(0, set_equal(self->fd, value, lens[i], value, lens[i],
				       NULL));
		EXPECT_EQ(0, del_equal(self->fd, value, lens[i], NULL));
	}
	free(value);
}

#define COUNT_LEN	20000u
#define COUNT		300u

/* Counts in a long value; returns 0, or an exit status. */
static int count_up(int fd)
{
	__u8 *old = malloc(COUNT_LEN), *new = malloc(COUNT_LEN);
	unsigned int i;
	size_t len;
	int ret;

	if (!old || !new)
		return 1;
	for (i = 0; i < COUNT; i++) {
		do {
			if (kt_get(fd, KEY, old, COUNT_LEN, &len, NULL) ||
			    len != COUNT_LEN)
				return 2;
			memcpy(new, old, COUNT_LEN);
			/* In the last piece that is compared. */
			++*(__u64 *)(new + COUNT_LEN - 8);
			ret = set_equal(fd, new, COUNT_LEN, old, COUNT_LEN,
					NULL);
		} while (ret == -ESTALE);
		if (ret)
			return 3;
	}
	return 0;
}

/* The comparison starts over when the value was replaced by one of the same length. */
TEST_F(map, long_values_that_change)
{
	__u8 *value = calloc(1, COUNT_LEN);
	pid_t pids[3];
	unsigned int i;
	int status;

	ASSERT_LE(COUNT_LEN, self->info.max_value);
	ASSERT_TRUE(value);
	ASSERT_EQ(0, kt_set(self->fd, KEY, value, COUNT_LEN, 0, NULL));
	for (i = 0; i < ARRAY_SIZE(pids); i++) {
		pids[i] = fork();
		ASSERT_LE(0, pids[i]);
		if (!pids[i])
			_exit(count_up(self->fd));
	}
	for (i = 0; i < ARRAY_SIZE(pids); i++) {
		ASSERT_EQ(pids[i], waitpid(pids[i], &status, 0));
		EXPECT_EQ(0, status);
	}
	ASSERT_EQ(0, kt_get(self->fd, KEY, value, COUNT_LEN, NULL, NULL));
	EXPECT_EQ(ARRAY_SIZE(pids) * COUNT, *(__u64 *)(value + COUNT_LEN - 8));
	free(value);
}

/* Bad records get the right error, and nothing changes. */
TEST_F(map, bad_input)
{
	struct kmap_op_ext ext;
	unsigned int condition;

	ASSERT_EQ(0, kt_set(self->fd, KEY, "old", 3, 0, NULL));
	REMEMBER(self->fd);
	/* Unreadable, or longer than any value. */
	EXPECT_EQ(-EFAULT, set_equal(self->fd, "new", 3, (void *)8, 3, NULL));
	EXPECT_EQ(-EFAULT, del_equal(self->fd, NULL, 3, NULL));
	EXPECT_EQ(-EFBIG, set_equal(self->fd, "new", 3, "old",
				    self->info.max_value + 1, NULL));
	EXPECT_EQ(-EFBIG, del_equal(self->fd, "old", 0xffffffff, NULL));
	/* Without the flag there is nothing to compare. */
	memset(&ext, 0, sizeof(ext));
	kt_op_set(&ext.op, KEY, "new", 3, 0);
	ext.expected = kt_ptr("old");
	EXPECT_EQ(-EINVAL, kt_ioctl(self->fd, KMAP_IOC_SET_EXT, &ext));
	ext.expected = 0;
	ext.expected_len = 3;
	EXPECT_EQ(-EINVAL, kt_ioctl(self->fd, KMAP_IOC_SET_EXT, &ext));
	/* One condition at a time. */
	for (condition = KMAP_CREATE; condition <= KMAP_MATCH; condition *= 2) {
		kt_op_set(&ext.op, KEY, "new", 3, KMAP_EQUAL | condition);
		EXPECT_EQ(-EINVAL, kt_ioctl(self->fd, KMAP_IOC_SET_EXT, &ext));
	}
	kt_op_add(&ext.op, KEY, 1, KMAP_EQUAL);
	EXPECT_EQ(-EINVAL, kt_ioctl(self->fd, KMAP_IOC_ADD_EXT, &ext));
	kt_op_get(&ext.op, KEY, NULL, 0);
	ext.op.flags = KMAP_EQUAL;
	EXPECT_EQ(-EINVAL, kt_ioctl(self->fd, KMAP_IOC_GET_EXT, &ext));
	UNCHANGED(self->fd);
}

/* In batches each record compares with the state that the records before it left. */
TEST_F(map, batches)
{
	struct kmap_op_ext ops[4];
	struct kmap_batch batch = {
		.ops = kt_ptr(ops),
		.count = ARRAY_SIZE(ops),
		.op_size = sizeof(ops[0]),
	};
	__u8 out[8] = { 0 };

	ASSERT_EQ(0, kt_set(self->fd, KEY, "one", 3, 0, NULL));
	memset(ops, 0, sizeof(ops));
	kt_op_set(&ops[0].op, KEY, "two", 3, KMAP_EQUAL);
	ops[0].expected = kt_ptr("one");
	ops[0].expected_len = 3;
	kt_op_set(&ops[1].op, KEY, "three", 5, KMAP_EQUAL);
	ops[1].expected = kt_ptr("one");
	ops[1].expected_len = 3;
	kt_op_get(&ops[2].op, KEY, out, sizeof(out));
	kt_op_del(&ops[3].op, KEY, KMAP_EQUAL);
	ops[3].expected = kt_ptr("two");
	ops[3].expected_len = 3;
	EXPECT_EQ(0, kt_ioctl(self->fd, KMAP_IOC_BATCH, &batch));
	EXPECT_EQ(4, batch.done);
	EXPECT_EQ(0, ops[0].op.error);
	EXPECT_EQ(-ESTALE, ops[1].op.error);
	EXPECT_EQ(0, ops[2].op.error);
	EXPECT_EQ(0, memcmp(out, "two", 3));
	EXPECT_EQ(0, ops[3].op.error);
	EXPECT_EQ(0, kt_entries(self->fd));
}

TEST_HARNESS_MAIN
