// SPDX-License-Identifier: GPL-2.0
/*
 * The promise of a walk while the map changes: it returns a key that is there all
 * the time exactly once, and no key twice.  First with changes between two calls,
 * then with threads that change the map as fast as they can.
 *
 * And the promise of a snapshot: it shows the map as of one moment.
 */
#include <errno.h>
#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>
#include <stdlib.h>

#include "kselftest_harness.h"
#include "kmap_fixture.h"

#define STABLE		kt_less(700, 300) /* keys that stay: 0 to STABLE - 1 */
#define IDS		60000		/* keys that come and go: from STABLE */
#define KEY_LEN		12
#define VALUE_LEN	24

/* Counts what a walk returns; a wrong value, or a key twice, is an error. */
struct tally {
	__u8 seen[IDS];
	unsigned int stable;
	unsigned int others;
};

static struct tally tally;

static void tally_item(struct __test_metadata *_metadata,
		       const struct kt_item *item)
{
	__u64 id = kt_key_id(item->key);

	ASSERT_EQ(KEY_LEN, item->key_len);
	ASSERT_LT(id, IDS);
	ASSERT_EQ(0, tally.seen[id]) {
		TH_LOG("key %llu came twice", id);
	}
	tally.seen[id] = 1;
	if (id < STABLE)
		tally.stable++;
	else
		tally.others++;
	if (item->value)
		ASSERT_TRUE(kt_value_check(item->value, item->value_len,
					   item->key, item->key_len, NULL));
}

static int put(int fd, __u64 id)
{
	__u8 key[KEY_LEN], value[VALUE_LEN];

	kt_key(key, KEY_LEN, id);
	kt_value_fill(value, VALUE_LEN, key, KEY_LEN, id);
	return kt_set(fd, key, KEY_LEN, value, VALUE_LEN, 0, NULL);
}

static int drop(int fd, __u64 id)
{
	__u8 key[KEY_LEN];

	kt_key(key, KEY_LEN, id);
	return kt_del(fd, key, KEY_LEN, 0, NULL);
}

static void put_all(struct __test_metadata *_metadata, int fd, __u64 first,
		    __u64 count)
{
	ASSERT_EQ(0, kt_fill(fd, first, count, KEY_LEN, VALUE_LEN, NULL));
}

/*
 * One walk that calls @change before each of its calls.  The buffer has space for one
 * item, or for a few.
 */
static void walk_with(struct __test_metadata *_metadata, int fd, __u32 flags,
		      size_t size,
		      void (*change)(struct __test_metadata *_metadata, int fd,
				     unsigned int step))
{
	struct kt_walk walk;
	struct kt_item item;
	unsigned int step = 0;
	int ret;

	memset(&tally, 0, sizeof(tally));
	ASSERT_EQ(0, kt_walk_begin(&walk, fd, flags, size));
	do {
		if (!walk.count && walk.cursor != KMAP_KEYS_END)
			change(_metadata, fd, step++);
		ret = kt_walk_next(&walk, &item);
		ASSERT_GE(ret, 0);
		if (ret)
			tally_item(_metadata, &item);
	} while (ret);
	EXPECT_EQ(STABLE, tally.stable);
	EXPECT_GT(step, 10);
	kt_walk_end(&walk);
}

/* Stores enough new keys for every bucket to split several times in one walk. */
static void grow(struct __test_metadata *_metadata, int fd, unsigned int step)
{
	__u64 first = STABLE + step * 60ull;

	if (first + 60 < kt_less(IDS, 10000))
		put_all(_metadata, fd, first, 60);
}

TEST_F_TIMEOUT(map, growth_between_calls, KT_LONG)
{
	static const size_t sizes[] = { 32, 100, 500, 1500 };
	struct kmap_info before, after;
	unsigned int i;

	for (i = 0; i < kt_less(ARRAY_SIZE(sizes), 2); i++) {
		RELOAD("%s", "");
		put_all(_metadata, self->fd, 0, STABLE);
		ASSERT_EQ(0, kt_info(self->fd, &before));
		walk_with(_metadata, self->fd, i & 1 ? KMAP_KEYS_VALUES : 0,
			  sizes[i], grow);
		ASSERT_EQ(0, kt_info(self->fd, &after));
		EXPECT_GT(after.buckets, 2 * before.buckets);
	}
}

/*
 * Keys come until the table has several times as many buckets, and go until they are back
 * in few, again and again.  All the time keys are where the cursor is not.
 */
static void grow_and_shrink(struct __test_metadata *_metadata, int fd,
			    unsigned int step)
{
	const __u64 count = kt_less(2400, 1200), slice = count / 4;
	const __u64 first = STABLE + step % 4 * slice;

	if (step / 4 % 2 == 0) {
		put_all(_metadata, fd, first, slice);
		return;
	}
	ASSERT_EQ(0, kt_remove(fd, first, slice, KEY_LEN, NULL));
}

TEST_F_TIMEOUT(map, shrinking_between_calls, KT_LONG)
{
	static const size_t sizes[] = { 32, 100, 500, 1500 };
	unsigned int i;

	for (i = 0; i < kt_less(ARRAY_SIZE(sizes), 2); i++) {
		RELOAD("%s", "");
		put_all(_metadata, self->fd, 0, STABLE);
		walk_with(_metadata, self->fd, i & 1 ? KMAP_KEYS_VALUES : 0,
			  sizes[i], grow_and_shrink);
		EXPECT_GT(tally.others, 0);
	}
}

/* Removes keys that were just returned, and others, and stores them again. */
static void remove_and_restore(struct __test_metadata *_metadata, int fd,
			       unsigned int step)
{
	__u64 id, state = step;
	int i;

	for (i = 0; i < 40; i++) {
		id = STABLE + kt_random(&state) % STABLE;
		if (drop(fd, id) == -ENOENT)
			ASSERT_EQ(0, put(fd, id));
	}
}

TEST_F_TIMEOUT(map, changes_between_calls, KT_LONG)
{
	int i;

	put_all(_metadata, self->fd, 0, 2 * STABLE);
	for (i = 0; i < 3; i++)
		walk_with(_metadata, self->fd, i & 1 ? KMAP_KEYS_VALUES : 0,
			  32 << i, remove_and_restore);
	EXPECT_GT(tally.others, 0);
}

/* Every key is removed as soon as it was returned, so the cursor is at no key. */
TEST_F_TIMEOUT(map, removed_behind_the_cursor, KT_LONG)
{
	struct kt_walk walk;
	struct kt_item item;
	int ret;

	put_all(_metadata, self->fd, 0, STABLE);
	memset(&tally, 0, sizeof(tally));
	ASSERT_EQ(0, kt_walk_begin(&walk, self->fd, KMAP_KEYS_VALUES, 32));
	while ((ret = kt_walk_next(&walk, &item)) > 0) {
		tally_item(_metadata, &item);
		ASSERT_EQ(0, kt_del(self->fd, item.key, item.key_len, 0, NULL));
	}
	ASSERT_EQ(0, ret);
	EXPECT_EQ(STABLE, tally.stable);
	EXPECT_EQ(0, kt_entries(self->fd));
	kt_walk_end(&walk);
}

/* Replaces keys, which therefore are there all the time. */
static void replace_all(struct __test_metadata *_metadata, int fd,
			unsigned int step)
{
	__u8 key[KEY_LEN], value[VALUE_LEN];
	__u64 id;

	for (id = step % 9; id < STABLE; id += 9) {
		kt_key(key, KEY_LEN, id);
		kt_value_fill(value, VALUE_LEN, key, KEY_LEN, step);
		ASSERT_EQ(0, kt_set(fd, key, KEY_LEN, value, VALUE_LEN,
				    KMAP_REPLACE, NULL));
	}
}

TEST_F_TIMEOUT(map, replaced_between_calls, KT_LONG)
{
	put_all(_metadata, self->fd, 0, STABLE);
	walk_with(_metadata, self->fd, KMAP_KEYS_VALUES, 100, replace_all);
	EXPECT_EQ(0, tally.others);
}

/**
 * struct crowd - threads that change the map until told to stop
 * @fd: the device
 * @stop: set when they must stop
 * @errors: results that are not allowed
 * @changes: changes made
 * @next: number of the next thread
 */
struct crowd {
	int fd;
	atomic_bool stop;
	atomic_uint errors;
	atomic_uint changes;
	atomic_uint next;
};

#define CHANGERS	3

/* Each thread has a third of the numbers for itself. */
static void *changer(void *arg)
{
	struct crowd *crowd = arg;
	__u64 part = (kt_less(IDS, 10000) - STABLE) / CHANGERS;
	unsigned int me = atomic_fetch_add(&crowd->next, 1);
	__u64 first = STABLE + me * part;
	__u64 state = me, id, top = 100;
	__u8 *there = calloc(part, 1);
	int ret;

	while (there && !atomic_load(&crowd->stop)) {
		/* The range widens, so that the table keeps growing. */
		if (top < part)
			top += kt_random(&state) % 4 == 0;
		id = kt_random(&state) % top;
		ret = there[id] ? drop(crowd->fd, first + id) :
				  put(crowd->fd, first + id);
		there[id] = !there[id];
		if (ret)
			atomic_fetch_add(&crowd->errors, 1);
		atomic_fetch_add(&crowd->changes, 1);
	}
	free(there);
	return NULL;
}

TEST_F_TIMEOUT(map, walks_among_changers, KT_LONG)
{
	static const size_t sizes[] = { 32, 300, 4096, 65536 };
	struct crowd crowd = { .fd = self->fd };
	pthread_t threads[CHANGERS];
	unsigned int i, others = 0;
	struct kt_walk walk;
	struct kt_item item;
	int ret;

	put_all(_metadata, self->fd, 0, STABLE);
	for (i = 0; i < CHANGERS; i++)
		ASSERT_EQ(0, pthread_create(&threads[i], NULL, changer,
					    &crowd));
	/* They are at work. */
	while (atomic_load(&crowd.changes) <= 100)
		sched_yield();
	for (i = 0; i < kt_less(24, 4); i++) {
		memset(&tally, 0, sizeof(tally));
		ASSERT_EQ(0, kt_walk_begin(&walk, self->fd,
					   (i ^ i / 4) & 1 ? KMAP_KEYS_VALUES : 0,
					   sizes[i % 4]));
		while ((ret = kt_walk_next(&walk, &item)) > 0)
			tally_item(_metadata, &item);
		ASSERT_EQ(0, ret);
		ASSERT_EQ(STABLE, tally.stable);
		others += tally.others;
		kt_walk_end(&walk);
	}
	/* Snapshots keep the promise, too. */
	for (i = 0; i < kt_less(6, 2); i++) {
		memset(&tally, 0, sizeof(tally));
		ASSERT_EQ(0, kt_walk_begin(&walk, self->fd, KMAP_KEYS_ATOMIC |
					   (i & 1 ? KMAP_KEYS_VALUES : 0),
					   1 << 20));
		while ((ret = kt_walk_next(&walk, &item)) > 0)
			tally_item(_metadata, &item);
		ASSERT_EQ(0, ret);
		ASSERT_EQ(STABLE, tally.stable);
		kt_walk_end(&walk);
	}
	atomic_store(&crowd.stop, true);
	for (i = 0; i < CHANGERS; i++)
		pthread_join(threads[i], NULL);
	EXPECT_EQ(0, atomic_load(&crowd.errors));
	EXPECT_GT(atomic_load(&crowd.changes), 100);
	EXPECT_GT(others, 0);
}

#define WRITERS		2
#define COUNTERS	48

/* Adds 1 to each of its counters in turn, again and again. */
static void *counter_writer(void *arg)
{
	struct crowd *crowd = arg;
	__u64 me = atomic_fetch_add(&crowd->next, 1);
	__u64 key[2] = { 0, me };

	while (!atomic_load(&crowd->stop)) {
		for (key[0] = 0; key[0] < COUNTERS; key[0]++) {
			if (kt_add(crowd->fd, key, 16, 1, 0, NULL, NULL))
				atomic_fetch_add(&crowd->errors, 1);
		}
		atomic_fetch_add(&crowd->changes, 1);
	}
	return NULL;
}

/*
 * At any one moment, a writer's counters up to some place are one ahead of the
 * rest, so no counter is ever less than one after it.
 */
static void check_counters(struct __test_metadata *_metadata, int fd,
			   size_t *size)
{
	__s64 sums[WRITERS][COUNTERS] = { { 0 } };
	unsigned int i, writer;
	struct kt_walk walk;
	struct kt_item item;
	__u64 key[2];
	int ret;

	ASSERT_EQ(0, kt_walk_begin(&walk, fd, KMAP_KEYS_VALUES |
				   KMAP_KEYS_ATOMIC, *size));
	while ((ret = kt_walk_next(&walk, &item)) > 0) {
		if (item.key_len != sizeof(key))
			continue;
		memcpy(key, item.key, sizeof(key));
		ASSERT_EQ(8, item.value_len);
		memcpy(&sums[key[1]][key[0]], item.value, 8);
	}
	ASSERT_EQ(0, ret);
	*size = walk.size;
	kt_walk_end(&walk);
	for (writer = 0; writer < WRITERS; writer++) {
		for (i = 1; i < COUNTERS; i++) {
			ASSERT_GE(sums[writer][i - 1], sums[writer][i]) {
				TH_LOG("counter %u of writer %u", i, writer);
			}
		}
		ASSERT_LE(sums[writer][0], sums[writer][COUNTERS - 1] + 1);
	}
}

TEST_F_TIMEOUT(map, snapshot_is_of_one_moment, KT_LONG)
{
	struct crowd crowd = { .fd = self->fd };
	pthread_t threads[WRITERS];
	size_t size = 4096;
	unsigned int i;

	/* With more keys, a snapshot takes longer. */
	put_all(_metadata, self->fd, 0, 3000);
	for (i = 0; i < WRITERS; i++)
		ASSERT_EQ(0, pthread_create(&threads[i], NULL, counter_writer,
					    &crowd));
	while (atomic_load(&crowd.changes) < 10)
		sched_yield();
	for (i = 0; i < kt_less(150, 20); i++)
		check_counters(_metadata, self->fd, &size);
	atomic_store(&crowd.stop, true);
	for (i = 0; i < WRITERS; i++)
		pthread_join(threads[i], NULL);
	EXPECT_EQ(0, atomic_load(&crowd.errors));
}

/* Passes a token on: stores the new one before it removes the old one. */
static void *token_passer(void *arg)
{
	struct crowd *crowd = arg;
	__u64 id;

	for (id = STABLE; !atomic_load(&crowd->stop); id++) {
		if (put(crowd->fd, id % (IDS - 1) + 1) ||
		    drop(crowd->fd, (id - 1) % (IDS - 1) + 1))
			atomic_fetch_add(&crowd->errors, 1);
		atomic_fetch_add(&crowd->changes, 1);
	}
	return NULL;
}

TEST_F_TIMEOUT(map, snapshot_never_misses_a_token, KT_LONG)
{
	struct crowd crowd = { .fd = self->fd };
	struct kmap_keys keys;
	pthread_t thread;
	__u8 buf[256];
	int i;

	ASSERT_EQ(0, put(self->fd, (STABLE - 1) % (IDS - 1) + 1));
	ASSERT_EQ(0, pthread_create(&thread, NULL, token_passer, &crowd));
	while (atomic_load(&crowd.changes) < 10)
		sched_yield();
	for (i = 0; i < (int)kt_less(500, 100); i++) {
		memset(&keys, 0, sizeof(keys));
		keys.buf = kt_ptr(buf);
		keys.size = sizeof(buf);
		keys.flags = KMAP_KEYS_ATOMIC;
		ASSERT_EQ(0, kt_ioctl(self->fd, KMAP_IOC_KEYS, &keys));
		ASSERT_GE(keys.count, 1);
		ASSERT_LE(keys.count, 2);
	}
	atomic_store(&crowd.stop, true);
	pthread_join(thread, NULL);
	EXPECT_EQ(0, atomic_load(&crowd.errors));
}

TEST_HARNESS_MAIN
