// SPDX-License-Identifier: GPL-2.0
/*
 * The limits of the map: each is reached exactly; a full map refuses to store and
 * changes nothing, but still replaces and deletes, and what is deleted can be used
 * again at once.
 */
#include <errno.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>

#include "kselftest_harness.h"
#include "kmap_fixture.h"

#define LIMIT	300

static int put(int fd, __u64 id, size_t len, unsigned int flags)
{
	__u8 key[8], value[65536];

	kt_key(key, 8, id);
	kt_value_fill(value, len, key, 8, id);
	return kt_set(fd, key, 8, value, len, flags, NULL);
}

static int drop(int fd, __u64 id)
{
	return kt_del(fd, &id, 8, 0, NULL);
}

/* Does key @id hold the value that put() gave it? */
static bool right(int fd, __u64 id, size_t len)
{
	__u8 value[65536];
	size_t got;

	return !kt_get(fd, &id, 8, value, sizeof(value), &got, NULL) &&
	       got == len && kt_value_check(value, len, &id, 8, NULL);
}

static __u64 bytes_now(int fd)
{
	struct kmap_info info;

	return kt_info(fd, &info) ? ~0ull : info.bytes;
}

TEST_F_TIMEOUT(map, max_entries, KT_LONG)
{
	__s64 number = 5;
	__u64 id;

	RELOAD("max_entries=%d", LIMIT);
	EXPECT_EQ(LIMIT, self->info.max_entries);
	ASSERT_EQ(0, kt_set(self->fd, "number", 6, &number, 8,
			    KMAP_NUMBER, NULL));
	for (id = 1; id < LIMIT; id++)
		ASSERT_EQ(0, put(self->fd, id, 20, id & 1 ? KMAP_CREATE : 0)) {
			TH_LOG("key %llu", id);
		}
	ASSERT_EQ(LIMIT, kt_entries(self->fd));

	/* The map is full: no key can be stored in any way. */
	REMEMBER(self->fd);
	for (id = LIMIT; id < 3 * LIMIT; id++) {
		ASSERT_EQ(-ENOSPC, put(self->fd, id, 20, 0));
		ASSERT_EQ(-ENOSPC, put(self->fd, id, 20, KMAP_CREATE));
		ASSERT_EQ(-ENOSPC, kt_add(self->fd, &id, 8, 1, 0, NULL, NULL));
		ASSERT_EQ(-ENOENT, put(self->fd, id, 20, KMAP_REPLACE));
	}
	EXPECT_EQ(-EEXIST, put(self->fd, 1, 20, KMAP_CREATE));
	UNCHANGED(self->fd);

	/* Present keys can change. */
	for (id = 1; id < LIMIT; id++) {
		ASSERT_EQ(0, put(self->fd, id, 30, 0));
		ASSERT_TRUE(right(self->fd, id, 30));
	}
	EXPECT_EQ(0, kt_add(self->fd, "number", 6, 1, 0, &number, NULL));
	EXPECT_EQ(6, number);
	EXPECT_EQ(LIMIT, kt_entries(self->fd));

	/* For each key that is removed, one can be stored. */
	for (id = 1; id < LIMIT; id++) {
		ASSERT_EQ(0, drop(self->fd, id));
		ASSERT_EQ(0, put(self->fd, id + LIMIT, 20, 0));
		ASSERT_EQ(-ENOSPC, put(self->fd, id, 20, 0));
	}
	EXPECT_EQ(LIMIT, kt_entries(self->fd));
	EXPECT_EQ(LIMIT, kt_walk_count(self->fd));
}

TEST_F(map, one_entry)
{
	int i;

	RELOAD("max_entries=1");
	for (i = 0; i < 300; i++) {
		ASSERT_EQ(0, put(self->fd, i, 10, 0));
		ASSERT_EQ(-ENOSPC, put(self->fd, i + 1, 10, 0));
		ASSERT_EQ(0, put(self->fd, i, 20, 0));
		ASSERT_EQ(0, drop(self->fd, i));
	}
}

/* Fills the map with values of @len; returns how many were stored. */
static __u64 fill(struct __test_metadata *_metadata, int fd, size_t len)
{
	__u64 id;
	int ret;

	for (id = 0; !(ret = put(fd, id, len, 0)); id++)
		;
	EXPECT_EQ(-ENOSPC, ret);
	return id;
}

/* Bytes that an entry with a value of @len counts for. */
static __u64 entry_size(struct __test_metadata *_metadata, int fd, size_t len)
{
	__u64 size = bytes_now(fd);

	ASSERT_EQ(0, put(fd, ~0ull, len, KMAP_CREATE));
	size = bytes_now(fd) - size;
	EXPECT_GE(size, 16 + 8 + len + KMAP_ENTRY_SHARE);
	EXPECT_LE(size, (16 + 8 + len + 8) * 9 / 8 + KMAP_ENTRY_SHARE);
	ASSERT_EQ(0, drop(fd, ~0ull));
	return size;
}

/* The map is filled to the last byte with entries of one size, then of another. */
TEST_F_TIMEOUT(map, max_bytes, KT_LONG)
{
	static const size_t lens[] = { 100, 0, 1000, 3000, 16, 9000, 333, 60000,
				       100, 4060, 20000, 40 };
	__u64 max = kt_less(1 << 20, 1 << 17), count, size, id;
	unsigned int i;

	RELOAD("max_bytes=%llu max_entries=1000000", max);
	EXPECT_EQ(max, self->info.max_bytes);
	for (i = 0; i < ARRAY_SIZE(lens); i++) {
		size = entry_size(_metadata, self->fd, lens[i]);
		count = fill(_metadata, self->fd, lens[i]);
		ASSERT_EQ(max / size, count) {
			TH_LOG("values of %zu: %llu entries of %llu bytes",
			       lens[i], count, size);
		}
		EXPECT_EQ(count * size, bytes_now(self->fd));
		EXPECT_EQ(count, kt_entries(self->fd));
		for (id = 0; id < count; id++)
			ASSERT_TRUE(right(self->fd, id, lens[i]));
		/* The map is full, but every entry can be replaced. */
		for (id = 0; id < count; id++)
			ASSERT_EQ(0, put(self->fd, id, lens[i], 0));
		EXPECT_EQ(-ENOSPC, put(self->fd, count, lens[i], 0));
		EXPECT_EQ(count * size, bytes_now(self->fd));
		for (id = 0; id < count; id++)
			ASSERT_EQ(0, drop(self->fd, id));
		EXPECT_EQ(0, bytes_now(self->fd));
	}
}

/* A replacement cannot exceed the limit, and changes nothing when it is refused. */
TEST_F_TIMEOUT(map, replace_with_larger, KT_LONG)
{
	__u64 count, id;

	RELOAD("max_bytes=65536 max_entries=100000");
	count = fill(_metadata, self->fd, 100);
	REMEMBER(self->fd);
	for (id = 0; id < count; id++) {
		ASSERT_EQ(-ENOSPC, put(self->fd, id, 60000, 0));
		ASSERT_EQ(-ENOSPC, put(self->fd, id, 60000, KMAP_REPLACE));
	}
	UNCHANGED(self->fd);
	/* With smaller values, a larger one fits. */
	for (id = 0; id < count; id++)
		ASSERT_EQ(0, put(self->fd, id, 8, 0));
	EXPECT_EQ(0, put(self->fd, 0, 8000, 0));
	EXPECT_TRUE(right(self->fd, 0, 8000));
	EXPECT_LE(bytes_now(self->fd), 65536);
}

/*
 * What is deleted or cleared can be used again at once, even while readers may still
 * read it, and however often.
 */
TEST_F_TIMEOUT(map, room_again_at_once, KT_LONG)
{
	__u64 count, id;
	int round;

	RELOAD("max_bytes=262144 max_entries=100000");
	for (round = 0; round < (int)kt_less(20, 4); round++) {
		count = fill(_metadata, self->fd, 200 + 50 * round);
		ASSERT_GT(count, 100);
		if (round & 1) {
			ASSERT_EQ(0, kt_clear(self->fd, &id));
			EXPECT_EQ(count, id);
		} else {
			for (id = 0; id < count; id++)
				ASSERT_EQ(0, drop(self->fd, id));
		}
		ASSERT_EQ(0, bytes_now(self->fd));
		ASSERT_EQ(0, kt_entries(self->fd));
	}
	/* The largest entries replace each other again and again. */
	for (round = 0; round < (int)kt_less(200, 30); round++) {
		ASSERT_EQ(0, put(self->fd, 1, 65536, 0));
		ASSERT_EQ(0, put(self->fd, 2, 65536, 0));
		ASSERT_EQ(0, put(self->fd, 3, 65536, 0));
		ASSERT_EQ(0, drop(self->fd, 1 + round % 3));
	}
}

/* What is refused because of one limit does not count against the other. */
TEST_F(map, refusals_cost_nothing)
{
	__u64 id;

	RELOAD("max_bytes=65536 max_entries=%d", LIMIT);
	ASSERT_EQ(0, put(self->fd, LIMIT, 60000, 0));
	for (id = 0; id < LIMIT; id++)
		ASSERT_EQ(-ENOSPC, put(self->fd, id, 30000, 0));
	ASSERT_EQ(0, drop(self->fd, LIMIT));
	for (id = 0; id < LIMIT; id++)
		ASSERT_EQ(0, put(self->fd, id, 8, 0));
	for (; id < 2 * LIMIT; id++)
		ASSERT_EQ(-ENOSPC, put(self->fd, id, 8, 0));
	ASSERT_EQ(LIMIT, kt_entries(self->fd));
	ASSERT_EQ(0, kt_clear(self->fd, NULL));
	ASSERT_EQ(0, put(self->fd, 0, 60000, 0));
	EXPECT_EQ(1, kt_entries(self->fd));
}

TEST_F(map, deferred_memory_is_bounded)
{
	struct kmap_info info;
	int i;

	for (i = 0; i < 3000; i++) {
		ASSERT_EQ(0, put(self->fd, i % 7, 5000, 0));
		if (i % 50)
			continue;
		ASSERT_EQ(0, kt_info(self->fd, &info));
		ASSERT_LE(info.deferred, info.deferred_max);
	}
	EXPECT_EQ(7, kt_entries(self->fd));
}

TEST_F(map, max_key)
{
	struct kmap_op op[4];
	unsigned int i;
	__u8 key[64];
	size_t len;

	memset(key, 'k', sizeof(key));
	RELOAD("max_key=16");
	EXPECT_EQ(16, self->info.max_key);
	for (len = 1; len <= 16; len++)
		ASSERT_EQ(0, kt_set(self->fd, key, len, key, len, 0, NULL));
	REMEMBER(self->fd);
	for (len = 17; len <= sizeof(key); len++) {
		kt_op_get(&op[0], key, len, NULL, 0);
		kt_op_set(&op[1], key, len, key, 1, 0);
		kt_op_del(&op[2], key, len, 0);
		kt_op_add(&op[3], key, len, 1, 0);
		EXPECT_EQ(-ENAMETOOLONG, kt_ioctl(self->fd, KMAP_IOC_GET,
						  &op[0]));
		EXPECT_EQ(-ENAMETOOLONG, kt_ioctl(self->fd, KMAP_IOC_SET,
						  &op[1]));
		EXPECT_EQ(-ENAMETOOLONG, kt_ioctl(self->fd, KMAP_IOC_DELETE,
						  &op[2]));
		EXPECT_EQ(-ENAMETOOLONG, kt_ioctl(self->fd, KMAP_IOC_ADD,
						  &op[3]));
		EXPECT_EQ(0, kt_batch(self->fd, op, 4, NULL));
		for (i = 0; i < 4; i++)
			EXPECT_EQ(-ENAMETOOLONG, op[i].error);
	}
	UNCHANGED(self->fd);
	RELOAD("max_key=1");
	EXPECT_EQ(0, kt_set(self->fd, key, 1, key, 1, 0, NULL));
	EXPECT_EQ(-ENAMETOOLONG, kt_set(self->fd, key, 2, key, 1, 0, NULL));
}

TEST_F(map, max_value)
{
	__u8 value[128] = { 0 };
	size_t len;

	RELOAD("max_value=100");
	EXPECT_EQ(100, self->info.max_value);
	ASSERT_EQ(0, kt_set(self->fd, "key", 3, value, 100, 0, NULL));
	REMEMBER(self->fd);
	for (len = 101; len <= sizeof(value); len++) {
		EXPECT_EQ(-EFBIG, kt_set(self->fd, "key", 3, value, len, 0,
					 NULL));
		EXPECT_EQ(-EFBIG, kt_set(self->fd, "new", 3, value, len, 0,
					 NULL));
	}
	UNCHANGED(self->fd);
}

/* With max_value below 8 there can be no numbers, and with 0 only empty values. */
TEST_F(map, max_value_under_eight)
{
	RELOAD("max_value=0");
	EXPECT_EQ(0, kt_set(self->fd, "key", 3, NULL, 0, 0, NULL));
	EXPECT_EQ(-EFBIG, kt_set(self->fd, "key", 3, "v", 1, 0, NULL));
	EXPECT_EQ(-EFBIG, kt_add(self->fd, "n", 1, 1, 0, NULL, NULL));
	RELOAD("max_value=7");
	EXPECT_EQ(-EFBIG, kt_add(self->fd, "n", 1, 1, 0, NULL, NULL));
	EXPECT_EQ(0, kt_entries(self->fd));
	RELOAD("max_value=8");
	EXPECT_EQ(0, kt_add(self->fd, "n", 1, 1, 0, NULL, NULL));
}

#define THREADS		4
#define EACH		40
#define CYCLES		((int)kt_less(60, 8))

struct share {
	int fd;
	size_t len;
	atomic_uint next;
	atomic_uint refused;
	atomic_uint errors;
};

/* Takes its part of the limit, to the last entry, and gives it back. */
static void *sharer(void *arg)
{
	struct share *share = arg;
	__u64 first = atomic_fetch_add(&share->next, 1) * 1000;
	__u64 id;
	int cycle, ret;

	for (cycle = 0; cycle < CYCLES; cycle++) {
		for (id = first; id < first + EACH; id++) {
			ret = put(share->fd, id, share->len, KMAP_CREATE);
			if (ret == -ENOSPC)
				atomic_fetch_add(&share->refused, 1);
			else if (ret)
				atomic_fetch_add(&share->errors, 1);
		}
		for (id = first; id < first + EACH; id++) {
			ret = drop(share->fd, id);
			if (ret && ret != -ENOENT)
				atomic_fetch_add(&share->errors, 1);
		}
	}
	return NULL;
}

static void share_limit(struct __test_metadata *_metadata, struct share *share)
{
	pthread_t threads[THREADS];
	int i;

	for (i = 0; i < THREADS; i++)
		ASSERT_EQ(0, pthread_create(&threads[i], NULL, sharer, share));
	for (i = 0; i < THREADS; i++)
		ASSERT_EQ(0, pthread_join(threads[i], NULL));
	EXPECT_EQ(0, atomic_load(&share->refused)) {
		TH_LOG("ENOSPC below the limit");
	}
	EXPECT_EQ(0, atomic_load(&share->errors));
	EXPECT_EQ(0, kt_entries(share->fd));
	EXPECT_EQ(0, bytes_now(share->fd));
}

/* Together the threads never exceed the limit, so none may be refused. */
TEST_F_TIMEOUT(map, max_entries_shared_out, KT_LONG)
{
	struct share share = { .len = 16 };

	RELOAD("max_entries=%d", THREADS * EACH);
	share.fd = self->fd;
	share_limit(_metadata, &share);
}

TEST_F_TIMEOUT(map, max_bytes_shared_out, KT_LONG)
{
	struct share share = { .len = 1000 };
	__u64 size = entry_size(_metadata, self->fd, share.len);

	RELOAD("max_bytes=%llu", size * THREADS * EACH);
	share.fd = self->fd;
	share_limit(_metadata, &share);
}

/* Inserts keys until the map is full; all threads do so at once. */
static void *filler(void *arg)
{
	struct share *share = arg;
	__u64 id = atomic_fetch_add(&share->next, 1) * 1000000;
	int ret;

	while (!(ret = put(share->fd, id, share->len, KMAP_CREATE)))
		id++;
	if (ret != -ENOSPC)
		atomic_fetch_add(&share->errors, 1);
	return NULL;
}

TEST_F_TIMEOUT(map, filled_by_threads, KT_LONG)
{
	struct share share = { .len = 16 };
	pthread_t threads[THREADS];
	int i, round;

	RELOAD("max_entries=2000");
	share.fd = self->fd;
	for (round = 0; round < (int)kt_less(5, 2); round++) {
		for (i = 0; i < THREADS; i++)
			ASSERT_EQ(0, pthread_create(&threads[i], NULL, filler,
						    &share));
		for (i = 0; i < THREADS; i++)
			ASSERT_EQ(0, pthread_join(threads[i], NULL));
		EXPECT_EQ(0, atomic_load(&share.errors));
		EXPECT_EQ(2000, kt_entries(self->fd));
		EXPECT_EQ(2000, kt_walk_count(self->fd));
		ASSERT_EQ(0, kt_clear(self->fd, NULL));
	}
}

TEST_HARNESS_MAIN
