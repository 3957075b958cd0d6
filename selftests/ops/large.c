// SPDX-License-Identifier: GPL-2.0
/*
 * Ten million entries can be stored, each is found, a walk returns each exactly
 * once, and they can be removed.  Needs about 2 GiB of memory for the map.
 *
 * Progress is printed line by line, since it takes minutes on an emulated machine.
 */
#include <errno.h>
#include <stdlib.h>

#include "kselftest_harness.h"
#include "kmap_fixture.h"

#define ENTRIES		10000000ull
#define STEP		500000ull
#define KEY_LEN		16
#define VALUE_LEN	64
#define HOUR		3600

/* One bit per key. */
static __u64 seen[ENTRIES / 64 + 1];

static bool mark(__u64 id)
{
	__u64 bit = 1ull << id % 64;

	if (seen[id / 64] & bit)
		return false;
	seen[id / 64] |= bit;
	return true;
}

static void walk(struct __test_metadata *_metadata, int fd, __u32 flags,
		 __u64 first)
{
	struct kt_walk walk;
	struct kt_item item;
	__u64 id, count = 0;
	int ret;

	memset(seen, 0, sizeof(seen));
	ASSERT_EQ(0, kt_walk_begin(&walk, fd, flags, 1 << 20));
	while ((ret = kt_walk_next(&walk, &item)) > 0) {
		__u8 key[KEY_LEN];

		id = kt_key_id(item.key);
		ASSERT_GE(id, first);
		ASSERT_LT(id, ENTRIES);
		ASSERT_TRUE(mark(id)) {
			TH_LOG("key %llu came twice", id);
		}
		ASSERT_EQ(KEY_LEN, item.key_len);
		kt_key(key, KEY_LEN, id);
		ASSERT_EQ(0, memcmp(key, item.key, KEY_LEN));
		if (item.value)
			ASSERT_TRUE(kt_value_check(item.value, item.value_len,
						   key, KEY_LEN, NULL));
		if (++count % (4 * STEP) == 0)
			ksft_print_msg("%llu keys walked\n", count);
	}
	ASSERT_EQ(0, ret);
	EXPECT_EQ(ENTRIES - first, count);
	kt_walk_end(&walk);
}

TEST_F_TIMEOUT(map, ten_million_entries, HOUR)
{
	struct kmap_info info;
	__u64 id, done;

	RELOAD("max_entries=%llu max_bytes=%llu", ENTRIES, ENTRIES * 128);
	for (id = 0; id < ENTRIES; id += STEP) {
		ASSERT_EQ(0, kt_fill(self->fd, id, STEP, KEY_LEN, VALUE_LEN,
				     &done));
		ASSERT_EQ(STEP, done);
		if ((id + STEP) % (4 * STEP) == 0)
			ksft_print_msg("%llu keys set\n", id + STEP);
	}
	ASSERT_EQ(0, kt_info(self->fd, &info));
	EXPECT_EQ(ENTRIES, info.entries);
	EXPECT_LE(info.memory, ENTRIES * (KEY_LEN + VALUE_LEN + 40));
	ksft_print_msg("%llu MiB, %llu buckets, %llu of them overflow\n",
		       info.memory >> 20, info.buckets + info.overflow,
		       info.overflow);
	id = ~0ull;
	EXPECT_EQ(-ENOSPC, kt_set(self->fd, &id, 8, &id, 8, 0, NULL));

	walk(_metadata, self->fd, 0, 0);
	walk(_metadata, self->fd, KMAP_KEYS_VALUES, 0);
	EXPECT_EQ(0, kt_verify(self->fd, 0, ENTRIES, KEY_LEN, VALUE_LEN,
			       &done));
	EXPECT_EQ(ENTRIES, done);
	ksft_print_msg("%llu keys found\n", done);

	EXPECT_EQ(0, kt_remove(self->fd, 0, ENTRIES / 2, KEY_LEN, &done));
	EXPECT_EQ(ENTRIES / 2, done);
	walk(_metadata, self->fd, 0, ENTRIES / 2);
	ASSERT_EQ(0, kt_clear(self->fd, &done));
	EXPECT_EQ(ENTRIES / 2, done);
	ASSERT_EQ(0, kt_info(self->fd, &info));
	EXPECT_EQ(0, info.entries);
	EXPECT_EQ(0, info.bytes);
	EXPECT_EQ(0, info.overflow);
}

TEST_HARNESS_MAIN
