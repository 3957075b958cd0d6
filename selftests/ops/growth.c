// SPDX-License-Identifier: GPL-2.0
/*
 * Growth: every key is found at every moment while the table grows, by the writer
 * and by others; and the table is no larger than it needs to be.
 */
#include <errno.h>
#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <unistd.h>

#include "kselftest_harness.h"
#include "kmap_fixture.h"

#define ENTRIES		kt_less(200000, 20000)
#define STEPS		40
#define MEBI		1048576ull
#define KEY_LEN		16
#define VALUE_LEN	24

static int put(int fd, __u64 id)
{
	__u8 key[KEY_LEN], value[VALUE_LEN];

	kt_key(key, KEY_LEN, id);
	kt_value_fill(value, VALUE_LEN, key, KEY_LEN, id);
	return kt_set(fd, key, KEY_LEN, value, VALUE_LEN, KMAP_CREATE, NULL);
}

/* 0 when key @id is there with its value, -ENOENT when it is not there. */
static int check(int fd, __u64 id)
{
	__u8 key[KEY_LEN], value[VALUE_LEN];
	size_t len;
	int ret;

	kt_key(key, KEY_LEN, id);
	ret = kt_get(fd, key, KEY_LEN, value, VALUE_LEN, &len, NULL);
	if (ret)
		return ret;
	if (len != VALUE_LEN || !kt_value_check(value, len, key, KEY_LEN, NULL))
		return -EBADMSG;
	return 0;
}

/* There are neither too few nor too many buckets, and few overflow buckets. */
static void in_proportion(struct __test_metadata *_metadata,
			  const struct kmap_info *info)
{
	/* 8 slots per bucket; a map begins with a block of 128 buckets, or one per shard. */
	EXPECT_LE(info->entries, (info->buckets + info->overflow) * 8);
	EXPECT_LE(info->buckets, info->entries / 4 + 128 + info->shards);
	EXPECT_LE(info->overflow, info->buckets / 2 + info->shards * 8) {
		TH_LOG("%llu overflow buckets, %llu buckets, %llu entries",
		       info->overflow, info->buckets, info->entries);
	}
}

TEST_F_TIMEOUT(map, fill_and_empty, KT_LONG)
{
	struct kmap_info info, was, empty;
	const __u64 entries = ENTRIES, step = entries / STEPS;
	__u64 id, done, state = 5;
	int i;

	RELOAD("%s", "");
	was = self->info;
	empty = was;
	for (id = 0; id < entries; id += step) {
		ASSERT_EQ(0, kt_fill(self->fd, id, step, KEY_LEN, VALUE_LEN,
				     NULL));
		/* Keys that are present, and keys that are not, at this size. */
		for (i = 0; i < 100; i++) {
			ASSERT_EQ(0, check(self->fd, kt_random(&state) %
						     (id + step)));
			ASSERT_EQ(-ENOENT, check(self->fd, entries +
						 kt_random(&state) % entries));
		}
		ASSERT_EQ(0, kt_info(self->fd, &info));
		ASSERT_EQ(id + step, info.entries);
		ASSERT_GE(info.buckets, was.buckets);
		in_proportion(_metadata, &info);
		was = info;
	}
	EXPECT_EQ(0, kt_verify(self->fd, 0, entries, KEY_LEN, VALUE_LEN,
			       &done));
	EXPECT_EQ(entries, done);
	EXPECT_EQ(entries, kt_walk_count(self->fd));

	/* Half of the keys are removed, and the other half is found. */
	EXPECT_EQ(0, kt_remove(self->fd, 0, entries / 2, KEY_LEN, NULL));
	EXPECT_EQ(0, kt_verify(self->fd, entries / 2, entries / 2, KEY_LEN,
			       VALUE_LEN, &done));
	EXPECT_EQ(entries / 2, done);
	EXPECT_EQ(-ENOENT, kt_verify(self->fd, 0, entries / 2, KEY_LEN,
				     VALUE_LEN, &done));
	EXPECT_EQ(0, done);
	EXPECT_EQ(0, kt_remove(self->fd, entries / 2, entries / 2, KEY_LEN,
			       NULL));
	ASSERT_EQ(0, kt_info(self->fd, &info));
	EXPECT_EQ(0, info.entries);
	EXPECT_EQ(0, info.bytes);
	EXPECT_EQ(0, info.overflow);
	/* The table is as small as it was, and its memory is given back in time. */
	while (info.memory > empty.memory + MEBI) {
		usleep(10000);
		ASSERT_EQ(0, kt_info(self->fd, &info));
	}
	EXPECT_LT(empty.buckets * 2, was.buckets);
	EXPECT_EQ(empty.buckets, info.buckets);
	EXPECT_EQ(0, kt_walk_count(self->fd));
}

/* When the map is filled again and again, the table keeps its size. */
TEST_F_TIMEOUT(map, refill, KT_LONG)
{
	const __u64 entries = kt_less(20000, 5000);
	struct kmap_info empty, first = { 0 }, info;
	__u64 round;

	RELOAD("%s", "");
	ASSERT_EQ(0, kt_info(self->fd, &empty));
	for (round = 0; round < 5; round++) {
		ASSERT_EQ(0, kt_fill(self->fd, round * entries, entries, KEY_LEN,
				     VALUE_LEN, NULL));
		ASSERT_EQ(0, kt_info(self->fd, &info));
		EXPECT_EQ(entries, info.entries);
		if (!round)
			first = info;
		/* By chance, shards get different parts of each set of keys. */
		EXPECT_LE(info.buckets, first.buckets * 11 / 10 + 64);
		EXPECT_LE(info.memory, first.memory * 3 / 2);
		ASSERT_EQ(0, kt_verify(self->fd, round * entries, entries, KEY_LEN,
				       VALUE_LEN, NULL));
		ASSERT_EQ(0, kt_clear(self->fd, NULL));
		/* What is not used any more is given back before more is needed. */
		do {
			usleep(10000);
			ASSERT_EQ(0, kt_info(self->fd, &info));
		} while (info.memory > empty.memory +
			 (first.memory - empty.memory) / 4);
	}
}

/* The map takes max_entries, however unequal the shards' parts are. */
TEST_F_TIMEOUT(map, to_the_last_entry, KT_LONG)
{
	static const struct {
		unsigned int shards, entries;
	} maps[] = {
		{ 1, 1000 }, { 1, 30000 }, { 16, 5000 }, { 256, 1000 },
		{ 256, 20000 }, { 1024, 1024 }, { 1024, 30000 },
	};
	unsigned int i, entries;
	__u64 done;

	for (i = 0; i < ARRAY_SIZE(maps); i++) {
		entries = kt_less(maps[i].entries, 1000);
		RELOAD("shards=%u max_entries=%u", maps[i].shards, entries);
		EXPECT_EQ(maps[i].shards, self->info.shards);
		EXPECT_EQ(0, kt_fill(self->fd, 0, entries, KEY_LEN,
				     VALUE_LEN, &done)) {
			TH_LOG("%u shards, %u entries: %llu went in",
			       maps[i].shards, entries, done);
		}
		EXPECT_EQ(entries, kt_entries(self->fd));
		EXPECT_EQ(-ENOSPC, put(self->fd, entries));
		EXPECT_EQ(0, kt_verify(self->fd, 0, entries, KEY_LEN,
				       VALUE_LEN, NULL));
		EXPECT_EQ(entries, kt_walk_count(self->fd));
	}
}

#define READERS	3
#define GROW_TO	60000

/**
 * struct crew - readers beside one writer
 * @fd: the device
 * @from: first key that is present
 * @to: end of the keys that are present
 * @stop: set at the end
 * @missed: lookups that did not find a key that is present
 * @wrong: other results that are not allowed
 * @lookups: number of lookups
 */
struct crew {
	int fd;
	atomic_ullong from;
	atomic_ullong to;
	atomic_bool stop;
	atomic_uint missed;
	atomic_uint wrong;
	atomic_uint lookups;
};

static int drop(int fd, __u64 id)
{
	__u8 key[KEY_LEN];

	kt_key(key, KEY_LEN, id);
	return kt_del(fd, key, KEY_LEN, 0, NULL);
}

static void *reader(void *arg)
{
	struct crew *crew = arg;
	__u64 state = (uintptr_t)&state;
	__u64 from, to;
	int ret;

	while (!atomic_load(&crew->stop)) {
		to = atomic_load(&crew->to);
		from = atomic_load(&crew->from);
		ret = check(crew->fd, from + kt_random(&state) % (to - from));
		if (ret == -ENOENT)
			atomic_fetch_add(&crew->missed, 1);
		else if (ret)
			atomic_fetch_add(&crew->wrong, 1);
		ret = check(crew->fd, GROW_TO + kt_random(&state) % GROW_TO);
		if (ret != -ENOENT)
			atomic_fetch_add(&crew->wrong, 1);
		atomic_fetch_add(&crew->lookups, 1);
	}
	return NULL;
}

#define LOOKUPS		1000

/* Waits for the readers, so that they get their share however busy the machine is. */
static void keep_pace(struct crew *crew, __u64 done, __u64 all)
{
	while (atomic_load(&crew->lookups) <= LOOKUPS * done / all)
		sched_yield();
}

TEST_F_TIMEOUT(map, readers_beside_growth, KT_LONG)
{
	struct crew crew = { .from = 0, .to = 100 };
	const __u64 grow_to = kt_less(GROW_TO, 8000);
	pthread_t threads[READERS];
	__u64 id;
	int i;

	RELOAD("%s", "");
	crew.fd = self->fd;
	for (id = 0; id < 100; id++)
		ASSERT_EQ(0, put(self->fd, id));
	for (i = 0; i < READERS; i++)
		ASSERT_EQ(0, pthread_create(&threads[i], NULL, reader, &crew));
	for (; id < grow_to; id++) {
		ASSERT_EQ(0, put(self->fd, id));
		atomic_store(&crew.to, id + 1);
		keep_pace(&crew, id + 1, grow_to);
	}
	atomic_store(&crew.stop, true);
	for (i = 0; i < READERS; i++)
		pthread_join(threads[i], NULL);
	EXPECT_EQ(0, atomic_load(&crew.missed));
	EXPECT_EQ(0, atomic_load(&crew.wrong));
	EXPECT_GT(atomic_load(&crew.lookups), LOOKUPS);
}

#define STAY		200
#define CHURN		150
#define CHANGES		40000

/*
 * A map of few buckets, in all of which keys come and go while others are read: a
 * removal moves other entries of its chain.
 */
TEST_F_TIMEOUT(map, readers_beside_changes, KT_LONG)
{
	struct crew crew = { .from = 0, .to = STAY };
	const int changes = kt_less(CHANGES, 5000);
	bool there[CHURN] = { false };
	pthread_t threads[READERS];
	__u64 id, state = 9;
	int i;

	RELOAD("shards=1");
	crew.fd = self->fd;
	for (id = 0; id < STAY; id++)
		ASSERT_EQ(0, put(self->fd, id));
	for (i = 0; i < READERS; i++)
		ASSERT_EQ(0, pthread_create(&threads[i], NULL, reader, &crew));
	for (i = 0; i < changes; i++) {
		id = kt_random(&state) % CHURN;
		ASSERT_EQ(0, there[id] ? drop(self->fd, STAY + id) :
					 put(self->fd, STAY + id));
		there[id] = !there[id];
		keep_pace(&crew, i + 1, changes);
	}
	atomic_store(&crew.stop, true);
	for (i = 0; i < READERS; i++)
		pthread_join(threads[i], NULL);
	EXPECT_EQ(0, atomic_load(&crew.missed));
	EXPECT_EQ(0, atomic_load(&crew.wrong));
	EXPECT_GT(atomic_load(&crew.lookups), LOOKUPS);
}

TEST_HARNESS_MAIN
