// SPDX-License-Identifier: GPL-2.0
/*
 * Full means full: a SET is refused when max_bytes would be exceeded, and never otherwise,
 * whatever was stored and removed before.
 *
 * Each test fills the map with entries of one size after the other, and leaves some entries
 * of each size behind, so that the memory that is free is in small parts everywhere.
 */
#include <errno.h>
#include <unistd.h>

#include "kselftest_harness.h"
#include "kmap_fixture.h"

#define MEBI		1048576ull
#define KEY_LEN		16
#define VALUE_MAX	4096

static __u8 value[VALUE_MAX];

static __u64 bytes_now(struct __test_metadata *_metadata, int fd)
{
	struct kmap_info info;

	ASSERT_EQ(0, kt_info(fd, &info));
	return info.bytes;
}

static int set_one(int fd, __u64 id, size_t len)
{
	__u8 key[KEY_LEN];

	kt_key(key, KEY_LEN, id);
	kt_value_fill(value, len, key, KEY_LEN, id);
	return kt_set(fd, key, KEY_LEN, value, len, 0, NULL);
}

static int del_one(int fd, __u64 id)
{
	__u8 key[KEY_LEN];

	kt_key(key, KEY_LEN, id);
	return kt_del(fd, key, KEY_LEN, 0, NULL);
}

/*
 * Sets keys from *@next on until one is refused or @most are set.  Returns how many were
 * set; one that is refused must be one for which there is no room.
 */
static __u64 fill(struct __test_metadata *_metadata, int fd, __u64 *next,
		  __u64 most, size_t len)
{
	struct kmap_info info;
	__u64 count = 0, each;
	int ret = 0;

	while (count < most) {
		ret = set_one(fd, *next, len);
		if (ret)
			break;
		++*next;
		count++;
	}
	if (!ret)
		return count;
	ASSERT_EQ(-ENOSPC, ret);
	/* What one entry takes, seen when there is room for it. */
	ASSERT_EQ(0, kt_info(fd, &info));
	if (count) {
		ASSERT_EQ(0, del_one(fd, *next - 1));
		each = info.bytes - bytes_now(_metadata, fd);
		ASSERT_EQ(0, set_one(fd, *next - 1, len));
	} else {
		each = len + KEY_LEN + 64;
	}
	EXPECT_GT(info.bytes + each, info.max_bytes) {
		TH_LOG("refused at %llu of %llu bytes (%llu %%), an entry takes %llu; memory %llu",
		       info.bytes, info.max_bytes,
		       info.bytes * 100 / info.max_bytes, each, info.memory);
	}
	return count;
}

/* Everything that is there has its own value, and there are @count of them. */
static void check_all(struct __test_metadata *_metadata, int fd, __u64 count)
{
	struct kt_walk walk;
	struct kt_item item;
	__u64 seen = 0;
	int ret;

	ASSERT_EQ(0, kt_walk_begin(&walk, fd, KMAP_KEYS_VALUES, 65536));
	while ((ret = kt_walk_next(&walk, &item)) == 1) {
		seen++;
		ASSERT_TRUE(kt_value_check(item.value, item.value_len, item.key,
					   item.key_len, NULL));
	}
	kt_walk_end(&walk);
	ASSERT_EQ(0, ret);
	EXPECT_EQ(count, seen);
}

/* One of eight entries of each size stays. */
TEST_F_TIMEOUT(map, one_of_eight, KT_LONG)
{
	static const size_t lens[] = { 1000, 500, 250 };
	struct kmap_info info;
	__u64 next = 0, first, id, left = 0;
	unsigned int i;

	RELOAD("shards=1 max_bytes=%llu", kt_less(4 * MEBI, MEBI));
	for (i = 0; i < ARRAY_SIZE(lens); i++) {
		first = next;
		fill(_metadata, self->fd, &next, 1000000, lens[i]);
		ASSERT_GT(next, first);
		for (id = first; id < next; id++) {
			if (!(id % 8)) {
				left++;
				continue;
			}
			ASSERT_EQ(0, del_one(self->fd, id));
		}
	}
	EXPECT_EQ(0, set_one(self->fd, next, 1));
	check_all(_metadata, self->fd, left + 1);
	ASSERT_EQ(0, kt_info(self->fd, &info));
	EXPECT_GT(info.compacted, 0);
}

/* Each generation has a size of its own, and leaves few entries behind, far apart. */
TEST_F_TIMEOUT(map, a_size_a_generation, KT_LONG)
{
	const unsigned int generations = kt_less(100, 25);
	unsigned int generation;
	__u64 next = 0, first, id, left = 0, each;

	RELOAD("shards=1 max_bytes=%llu", kt_less(8 * MEBI, 2 * MEBI));
	for (generation = 0; generation < generations; generation++) {
		size_t len = 64 + 8 * generation;

		first = next;
		fill(_metadata, self->fd, &next, 1000000, len);
		ASSERT_GT(next, first);
		/* About as many as there are in 16 KiB. */
		each = 16384 / (len + 32);
		for (id = first; id < next; id++) {
			if (!((id - first) % each)) {
				left++;
				continue;
			}
			ASSERT_EQ(0, del_one(self->fd, id));
		}
	}
	check_all(_metadata, self->fd, left);
}

/* Generations that fill much of the map and are thinned out at random. */
TEST_F_TIMEOUT(map, thinned_out, KT_LONG)
{
	static const size_t lens[] = { 100, 250, 600, 1400 };
	__u64 next = 0, first, id, left = 0, state = 5, most;
	const __u64 max_bytes = kt_less(32 * MEBI, 8 * MEBI);
	struct kmap_info info, peak = { 0 };
	unsigned int i;

	RELOAD("max_bytes=%llu", max_bytes);
	for (i = 0; i < 2 * ARRAY_SIZE(lens); i++) {
		size_t len = lens[i % ARRAY_SIZE(lens)];

		first = next;
		most = max_bytes * 8 / 10 / (len + 48);
		fill(_metadata, self->fd, &next, most, len);
		ASSERT_EQ(0, kt_info(self->fd, &info));
		if (info.memory > peak.memory)
			peak = info;
		for (id = first; id < next; id++) {
			if (!(kt_random(&state) % 20)) {
				left++;
				continue;
			}
			ASSERT_EQ(0, del_one(self->fd, id));
		}
	}
	TH_LOG("KiB: %llu, bytes %llu, slabs %llu, tables %llu, deferred %llu, free %llu",
	       peak.memory / 1024, peak.bytes / 1024, peak.slabs / 1024,
	       peak.tables / 1024, peak.deferred / 1024, peak.reusable / 1024);
	EXPECT_LE(peak.memory, info.max_bytes * 11 / 10 + info.deferred_max +
			       info.shards * 65536ull);
	check_all(_metadata, self->fd, left);
}

TEST_HARNESS_MAIN
