// SPDX-License-Identifier: GPL-2.0
/*
 * What INFO tells: limits, sizes and counts, while nobody changes the map.
 */
#include <errno.h>
#include <sys/ioctl.h>

#include "kselftest_harness.h"
#include "kmap_fixture.h"

#define TEXT_LEN	64

static __u8 out[TEXT_LEN], value[TEXT_LEN];

static void two_keys(struct __test_metadata *_metadata, int fd)
{
	kt_value_fill(value, TEXT_LEN, "text", 4, 1);
	ASSERT_EQ(0, kt_set(fd, "text", 4, value, TEXT_LEN, 0, NULL));
	ASSERT_EQ(0, kt_add(fd, "number", 6, 41, 0, NULL, NULL));
}

TEST_F(map, info_fields)
{
	const char *lock = getenv("KMAP_LOCK");
	struct kmap_info info;

	two_keys(_metadata, self->fd);
	memset(&info, KT_POISON, sizeof(info));
	info.flags = 0;
	ASSERT_EQ(0, kt_ioctl(self->fd, KMAP_IOC_INFO, &info));
	EXPECT_EQ(0, info.flags);
	EXPECT_EQ(KMAP_ABI, info.abi);
	EXPECT_TRUE(memchr(info.lock, 0, sizeof(info.lock)));
	if (lock)
		EXPECT_STREQ(lock, info.lock);
	EXPECT_GE(info.shards, 1);
	EXPECT_EQ(0, info.shards & (info.shards - 1));
	EXPECT_GE(info.max_chain, KMAP_BUCKET_SLOTS);
	EXPECT_EQ(2, info.entries);
	EXPECT_GE(info.bytes, 2 * sizeof(struct kmap_entry) + 10 + 8 +
			      TEXT_LEN);
	EXPECT_LE(info.bytes, info.max_bytes);
	EXPECT_GE(info.memory, info.bytes);
	EXPECT_LE(info.deferred, info.deferred_max);
	EXPECT_GE(info.buckets, info.shards);
	EXPECT_GE(info.slabs, info.bytes - info.entries * KMAP_ENTRY_SHARE);
	EXPECT_GE(info.memory, info.slabs + info.tables);
	EXPECT_GE(info.tables, info.buckets * sizeof(struct kmap_bucket));
	EXPECT_GT(info.reusable, 0);
	EXPECT_EQ(0, info.kept);
}

/* Each count goes up by what was done, and by nothing else. */
TEST_F(map, info_counts)
{
	struct kmap_info was, info;
	__s64 sum;

	two_keys(_metadata, self->fd);
	ASSERT_EQ(0, kt_info(self->fd, &was));
	EXPECT_EQ(0, kt_get(self->fd, "text", 4, out, 64, NULL, NULL));
	EXPECT_EQ(0, kt_get(self->fd, "number", 6, out, 64, NULL, NULL));
	EXPECT_EQ(-ENOENT, kt_get(self->fd, "absent", 6, out, 64, NULL, NULL));
	EXPECT_EQ(0, kt_set(self->fd, "new", 3, "1", 1, 0, NULL));
	EXPECT_EQ(-EEXIST, kt_set(self->fd, "new", 3, "1", 1, KMAP_CREATE,
				  NULL));
	EXPECT_EQ(0, kt_del(self->fd, "new", 3, 0, NULL));
	EXPECT_EQ(-ENOENT, kt_del(self->fd, "new", 3, 0, NULL));
	EXPECT_EQ(0, kt_add(self->fd, "number", 6, 1, 0, &sum, NULL));
	EXPECT_EQ(-EDOM, kt_add(self->fd, "text", 4, 1, 0, &sum, NULL));
	EXPECT_EQ(2, kt_walk_count(self->fd));
	ASSERT_EQ(0, kt_info(self->fd, &info));
	EXPECT_EQ(was.gets + 3, info.gets);
	EXPECT_EQ(was.hits + 2, info.hits);
	EXPECT_EQ(was.sets + 1, info.sets);
	EXPECT_EQ(was.deletes + 1, info.deletes);
	EXPECT_EQ(was.adds + 1, info.adds);
	EXPECT_LT(was.walks, info.walks);
	EXPECT_EQ(was.entries, info.entries);
	EXPECT_EQ(was.bytes, info.bytes);
}

TEST_HARNESS_MAIN
