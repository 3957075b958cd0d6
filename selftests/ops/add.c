// SPDX-License-Identifier: GPL-2.0
/*
 * ADD: sums, their limits, its flags, and values that are no numbers; and that
 * no key ever has the same version twice, whatever is done to it.
 */
#include <errno.h>
#include <limits.h>
#include <stdlib.h>

#include "kselftest_harness.h"
#include "kmap_fixture.h"

/* ADD fails, and its record and the map stay as they were. */
static void refused(struct __test_metadata *_metadata, int fd, __s64 delta,
		    unsigned int flags, int ret)
{
	struct kmap_op op, copy;

	kt_op_add(&op, "n", 1, delta, flags);
	op.version = ~0ull;
	op.out_len = 1234;
	op.error = 5678;
	copy = op;
	REMEMBER(fd);
	EXPECT_EQ(-ret, kt_ioctl(fd, KMAP_IOC_ADD, &op));
	EXPECT_EQ(0, memcmp(&copy, &op, sizeof(op)));
	UNCHANGED(fd);
}

static void is(struct __test_metadata *_metadata, int fd, __s64 number,
	       __u64 version)
{
	__s64 value;
	size_t len;
	__u64 now;

	EXPECT_EQ(0, kt_get(fd, "n", 1, &value, sizeof(value), &len, &now));
	EXPECT_EQ(8, len);
	EXPECT_EQ(number, value);
	EXPECT_EQ(version, now);
}

/* Adds @delta and expects @sum. */
static void adds(struct __test_metadata *_metadata, int fd, __s64 delta,
		 unsigned int flags, __s64 expected)
{
	__s64 sum = 0;
	__u64 version = 0;

	EXPECT_EQ(0, kt_add(fd, "n", 1, delta, flags, &sum, &version)) {
		TH_LOG("%lld with flags %u", delta, flags);
	}
	EXPECT_EQ(expected, sum);
	EXPECT_GT(version, 0);
	is(_metadata, fd, expected, version);
}

TEST_F(map, absent_counts_as_zero)
{
	static const __s64 numbers[] = { 0, 1, -1, LLONG_MAX, LLONG_MIN };
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(numbers); i++) {
		adds(_metadata, self->fd, numbers[i], 0, numbers[i]);
		EXPECT_EQ(1, kt_entries(self->fd));
		EXPECT_EQ(0, kt_del(self->fd, "n", 1, 0, NULL));
		adds(_metadata, self->fd, numbers[i], KMAP_CREATE, numbers[i]);
		EXPECT_EQ(0, kt_del(self->fd, "n", 1, 0, NULL));
		refused(_metadata, self->fd, numbers[i], KMAP_REPLACE, ENOENT);
		EXPECT_EQ(0, kt_entries(self->fd));
	}
}

TEST_F(map, sums)
{
	__s64 sum = 0;
	int i;

	for (i = -100; i < 200; i++) {
		sum += i;
		adds(_metadata, self->fd, i, i & 1 && i > -100 ? KMAP_REPLACE :
						0, sum);
	}
	EXPECT_EQ(1, kt_entries(self->fd));
}

TEST_F(map, create_on_present)
{
	struct kmap_op op;
	__u64 version;

	ASSERT_EQ(0, kt_add(self->fd, "n", 1, 5, 0, NULL, &version));
	kt_op_add(&op, "n", 1, 7, KMAP_CREATE);
	REMEMBER(self->fd);
	EXPECT_EQ(-EEXIST, kt_ioctl(self->fd, KMAP_IOC_ADD, &op));
	EXPECT_EQ(version, op.version);
	EXPECT_EQ(-EEXIST, op.error);
	UNCHANGED(self->fd);
	is(_metadata, self->fd, 5, version);
}

TEST_F(map, overflow)
{
	static const struct {
		__s64 start, delta;
	} over[] = {
		{ LLONG_MAX, 1 }, { LLONG_MAX, LLONG_MAX }, { 1, LLONG_MAX },
		{ LLONG_MIN, -1 }, { LLONG_MIN, LLONG_MIN }, { -1, LLONG_MIN },
	};
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(over); i++) {
		ASSERT_EQ(0, kt_set(self->fd, "n", 1, &over[i].start, 8,
				    KMAP_NUMBER, NULL));
		refused(_metadata, self->fd, over[i].delta, 0, ERANGE);
		refused(_metadata, self->fd, over[i].delta, KMAP_REPLACE,
			ERANGE);
	}
	/* Up to the limits, and from one to the other. */
	ASSERT_EQ(0, kt_del(self->fd, "n", 1, 0, NULL));
	adds(_metadata, self->fd, LLONG_MAX - 1, 0, LLONG_MAX - 1);
	adds(_metadata, self->fd, 1, 0, LLONG_MAX);
	adds(_metadata, self->fd, 0, 0, LLONG_MAX);
	adds(_metadata, self->fd, LLONG_MIN, 0, -1);
	adds(_metadata, self->fd, -LLONG_MAX, 0, LLONG_MIN);
	adds(_metadata, self->fd, LLONG_MAX, 0, -1);
}

TEST_F(map, no_number)
{
	static const size_t lens[] = { 0, 1, 4, 7, 8, 9, 16, 100 };
	unsigned int i;
	__u8 value[100] = { 0 };

	for (i = 0; i < ARRAY_SIZE(lens); i++) {
		ASSERT_EQ(0, kt_set(self->fd, "n", 1, value, lens[i], 0, NULL));
		refused(_metadata, self->fd, 1, 0, EDOM);
		refused(_metadata, self->fd, 0, 0, EDOM);
		refused(_metadata, self->fd, 1, KMAP_REPLACE, EDOM);
	}
}

/* GET, a walk and KMAP_RETURN return these flags for the value under "n". */
static void flags_are(struct __test_metadata *_metadata, int fd, __u16 flags)
{
	struct kt_walk walk;
	struct kt_item item;
	struct kmap_op op;
	__u8 out[16];

	kt_op_get(&op, "n", 1, out, sizeof(out));
	op.out_flags = 0xa5a5;
	EXPECT_EQ(0, kt_ioctl(fd, KMAP_IOC_GET, &op));
	EXPECT_EQ(flags, op.out_flags);
	kt_op_get(&op, "n", 1, NULL, 0);
	op.out_flags = 0xa5a5;
	EXPECT_EQ(-EMSGSIZE, kt_ioctl(fd, KMAP_IOC_GET, &op));
	EXPECT_EQ(flags, op.out_flags);
	kt_op_set(&op, "n", 1, "other", 5, KMAP_CREATE | KMAP_RETURN);
	op.out = kt_ptr(out);
	op.out_size = sizeof(out);
	op.out_flags = 0xa5a5;
	EXPECT_EQ(-EEXIST, kt_ioctl(fd, KMAP_IOC_SET, &op));
	EXPECT_EQ(flags, op.out_flags);
	ASSERT_EQ(0, kt_walk_begin(&walk, fd, KMAP_KEYS_VALUES, 4096));
	ASSERT_EQ(1, kt_walk_next(&walk, &item));
	EXPECT_EQ(flags, item.flags);
	kt_walk_end(&walk);
	ASSERT_EQ(0, kt_walk_begin(&walk, fd, KMAP_KEYS_ATOMIC, 4096));
	ASSERT_EQ(1, kt_walk_next(&walk, &item));
	EXPECT_EQ(flags, item.flags);
	kt_walk_end(&walk);
}

/* A number is a value that was stored as one, not any value of 8 bytes. */
TEST_F(map, numbers_are_told)
{
	__s64 sum = -9;
	__u8 out[16];

	ASSERT_EQ(0, kt_set(self->fd, "n", 1, "12345678", 8, 0, NULL));
	refused(_metadata, self->fd, 1, 0, EDOM);
	flags_are(_metadata, self->fd, 0);
	ASSERT_EQ(0, kt_set(self->fd, "n", 1, &sum, 8, KMAP_NUMBER, NULL));
	flags_are(_metadata, self->fd, KMAP_IS_NUMBER);
	adds(_metadata, self->fd, 10, 0, 1);
	flags_are(_metadata, self->fd, KMAP_IS_NUMBER);
	/* The other way round, as a swap. */
	ASSERT_EQ(0, kt_swap(self->fd, "n", 1, "12345678", 8, 0, NULL, out,
			     sizeof(out), NULL));
	flags_are(_metadata, self->fd, 0);
	refused(_metadata, self->fd, 1, 0, EDOM);
	ASSERT_EQ(0, kt_del(self->fd, "n", 1, 0, NULL));
	adds(_metadata, self->fd, 3, 0, 3);
	flags_are(_metadata, self->fd, KMAP_IS_NUMBER);
}

/* KMAP_NUMBER is for SET, and for 8 bytes. */
TEST_F(map, number_flag)
{
	static const size_t lens[] = { 0, 1, 7, 9, 16, 100 };
	__u8 value[100] = { 0 };
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(lens); i++) {
		EXPECT_EQ(-EDOM, kt_set(self->fd, "n", 1, value, lens[i],
					KMAP_NUMBER, NULL));
		EXPECT_EQ(-EDOM, kt_set(self->fd, "n", 1, value, lens[i],
					KMAP_NUMBER | KMAP_CREATE, NULL));
	}
	EXPECT_EQ(-EINVAL, kt_del(self->fd, "n", 1, KMAP_NUMBER, NULL));
	EXPECT_EQ(-EINVAL, kt_add(self->fd, "n", 1, 1, KMAP_NUMBER, NULL,
				  NULL));
	EXPECT_EQ(0, kt_entries(self->fd));
}

/* A versioned update sees an ADD in between. */
TEST_F(map, match_after_add)
{
	__s64 zero = 0;
	__u64 old, version;

	ASSERT_EQ(0, kt_add(self->fd, "n", 1, 5, 0, NULL, &old));
	ASSERT_EQ(0, kt_add(self->fd, "n", 1, 0, 0, NULL, &version));
	EXPECT_NE(old, version);
	EXPECT_EQ(-ESTALE, kt_set(self->fd, "n", 1, &zero, 8, KMAP_MATCH,
				  &old));
	EXPECT_EQ(version, old);
	EXPECT_EQ(0, kt_set(self->fd, "n", 1, &zero, 8, KMAP_MATCH, &version));
	is(_metadata, self->fd, 0, version);
}

#define ROUNDS	5000

static int compare(const void *a, const void *b)
{
	const __u64 *x = a, *y = b;

	return *x < *y ? -1 : *x > *y;
}

/* Makes a random change to "n"; returns the version it made, or 0 if none. */
static __u64 change(struct __test_metadata *_metadata, int fd, __u64 *state)
{
	static const size_t lens[] = { 8, 8, 8, 0, 1, 30, 200 };
	__u64 random = kt_random(state);
	__u64 version = 0;
	__u8 value[200] = { 0 };
	size_t len = lens[random / 8 % ARRAY_SIZE(lens)];
	int ret;

	switch (random % 8) {
	case 0:
	case 1:
		ret = kt_del(fd, "n", 1, 0, NULL);
		EXPECT_TRUE(!ret || ret == -ENOENT);
		return 0;
	case 2:
		ret = kt_set(fd, "n", 1, value, len, KMAP_CREATE, &version);
		EXPECT_TRUE(!ret || ret == -EEXIST);
		return ret ? 0 : version;
	case 3:
		EXPECT_EQ(0, kt_clear(fd, NULL));
		return 0;
	case 4:
		EXPECT_EQ(0, kt_set(fd, "n", 1, value, len, 0, &version));
		return version;
	default:
		ret = kt_add(fd, "n", 1, 1, 0, NULL, &version);
		EXPECT_TRUE(!ret || ret == -EDOM);
		return ret ? 0 : version;
	}
}

TEST_F_TIMEOUT(map, versions_never_repeat, KT_LONG)
{
	__u64 *versions = calloc(ROUNDS, sizeof(*versions));
	__u64 state = 1;
	unsigned int i, n = 0;

	ASSERT_TRUE(versions);
	for (i = 0; i < ROUNDS; i++) {
		__u64 version = change(_metadata, self->fd, &state);

		if (version)
			versions[n++] = version;
	}
	EXPECT_GT(n, ROUNDS / 4);
	qsort(versions, n, sizeof(*versions), compare);
	EXPECT_NE(0, versions[0]);
	for (i = 1; i < n; i++)
		EXPECT_NE(versions[i - 1], versions[i]);
	free(versions);
}

TEST_HARNESS_MAIN
