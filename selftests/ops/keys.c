// SPDX-License-Identifier: GPL-2.0
/*
 * KEYS on a map that nobody changes: every key once, with buffers of any size, with
 * and without values; cursors; snapshots.
 */
#include <errno.h>
#include <stdlib.h>

#include "kselftest_harness.h"
#include "kmap_fixture.h"

#define KEYS	kt_less(600, 200)

/* Key number @id has a length of its own, and so does its value. */
static size_t key_len(__u64 id)
{
	return 8 + id % 40;
}

static size_t value_len(__u64 id)
{
	return id * 7 % 300;
}

static void fill(struct __test_metadata *_metadata, int fd, __u64 count)
{
	__u8 key[64], value[300];
	__u64 id;

	for (id = 0; id < count; id++) {
		kt_key(key, key_len(id), id);
		kt_value_fill(value, value_len(id), key, key_len(id), id);
		ASSERT_EQ(0, kt_set(fd, key, key_len(id), value, value_len(id),
				    KMAP_CREATE, NULL));
	}
}

/* Is this key @id, and is everything about it right? */
static bool item_right(int fd, const struct kt_item *item, __u64 id)
{
	__u8 key[64];
	__u64 version = 0;
	size_t len = 0;

	if (item->key_len != key_len(id) || item->value_len != value_len(id))
		return false;
	kt_key(key, item->key_len, id);
	if (memcmp(key, item->key, item->key_len))
		return false;
	if (item->value && !kt_value_check(item->value, item->value_len, key,
					   item->key_len, NULL))
		return false;
	if (kt_get(fd, key, item->key_len, NULL, 0, &len, &version) !=
	    (value_len(id) ? -EMSGSIZE : 0))
		return false;
	return len == item->value_len && version == item->version;
}

/* One walk with a buffer of @size returns each of @count keys exactly once. */
static void walks(struct __test_metadata *_metadata, int fd, __u32 flags,
		  size_t size, __u64 count)
{
	__u8 *seen = calloc(count + 1, 1);
	struct kt_walk walk;
	struct kt_item item;
	__u64 id, found = 0;
	int ret;

	ASSERT_TRUE(seen);
	ASSERT_EQ(0, kt_walk_begin(&walk, fd, flags, size));
	while ((ret = kt_walk_next(&walk, &item)) > 0) {
		id = kt_key_id(item.key);
		ASSERT_LT(id, count);
		ASSERT_EQ(0, seen[id]) {
			TH_LOG("key %llu twice, buffer of %zu", id, size);
		}
		seen[id] = 1;
		found++;
		ASSERT_TRUE(item_right(fd, &item, id)) {
			TH_LOG("key %llu is not right", id);
		}
	}
	EXPECT_EQ(0, ret);
	EXPECT_EQ(count, found) {
		TH_LOG("buffer of %zu, flags %u", size, flags);
	}
	kt_walk_end(&walk);
	free(seen);
}

static int keys_call(int fd, struct kmap_keys *keys, void *buf, size_t size,
		     __u32 flags, __u64 cursor)
{
	memset(keys, 0, sizeof(*keys));
	keys->buf = kt_ptr(buf);
	keys->size = size;
	keys->flags = flags;
	keys->cursor = cursor;
	keys->used = ~0ull;
	keys->count = ~0u;
	return kt_ioctl(fd, KMAP_IOC_KEYS, keys);
}

TEST_F(map, empty_map)
{
	struct kmap_keys keys;
	__u32 flags;
	__u8 buf[64];

	for (flags = 0; flags < 4; flags++) {
		walks(_metadata, self->fd, flags, 4096, 0);
		memset(buf, KT_POISON, sizeof(buf));
		ASSERT_EQ(0, keys_call(self->fd, &keys, buf, sizeof(buf), flags,
				       flags & KMAP_KEYS_ATOMIC ?
				       0 : KMAP_KEYS_END));
		EXPECT_EQ(0, keys.used);
		EXPECT_EQ(0, keys.count);
		EXPECT_EQ(KMAP_KEYS_END, keys.cursor);
		EXPECT_EQ(KT_POISON, buf[0]);
	}
}

TEST_F_TIMEOUT(map, every_key_once, KT_LONG)
{
	size_t size;

	fill(_metadata, self->fd, KEYS);
	for (size = 0; size < 100000; size += size / kt_less(9, 4) + 11) {
		walks(_metadata, self->fd, 0, size, KEYS);
		walks(_metadata, self->fd, KMAP_KEYS_VALUES, size, KEYS);
	}
}

TEST_F(map, snapshots)
{
	fill(_metadata, self->fd, KEYS);
	walks(_metadata, self->fd, KMAP_KEYS_ATOMIC, 4096, KEYS);
	walks(_metadata, self->fd, KMAP_KEYS_ATOMIC | KMAP_KEYS_VALUES, 4096,
	      KEYS);
}

TEST_F(map, counts_of_keys)
{
	__u64 count;

	for (count = 1; count < 70; count++) {
		ASSERT_EQ(0, kt_clear(self->fd, NULL));
		fill(_metadata, self->fd, count);
		walks(_metadata, self->fd, KMAP_KEYS_VALUES, 256, count);
		walks(_metadata, self->fd, KMAP_KEYS_ATOMIC, 256, count);
	}
}

/* With a buffer that is too small, KEYS tells the size that suffices, exactly. */
TEST_F(map, size_needed)
{
	struct kmap_keys keys;
	__u8 key[100], value[1000], buf[4096];
	__u64 needed = KMAP_ITEM_SIZE(100, 1000);
	__u32 flags;
	size_t size;

	kt_key(key, sizeof(key), 1);
	kt_value_fill(value, sizeof(value), key, sizeof(key), 1);
	ASSERT_EQ(0, kt_set(self->fd, key, sizeof(key), value, sizeof(value),
			    0, NULL));
	for (flags = 0; flags < 4; flags++) {
		if (!(flags & KMAP_KEYS_VALUES))
			needed = KMAP_ITEM_SIZE(100, 0);
		else
			needed = KMAP_ITEM_SIZE(100, 1000);
		for (size = 0; size < needed; size += size < 32 ? 1 : 7) {
			__u64 cursor = 0;
			int ret;

			memset(buf, KT_POISON, sizeof(buf));
			/* Empty parts of the map may come first. */
			do {
				ret = keys_call(self->fd, &keys, buf, size,
						flags, cursor);
				cursor = keys.cursor;
			} while (!ret && !keys.count &&
				 cursor != KMAP_KEYS_END);
			ASSERT_EQ(-EMSGSIZE, ret);
			EXPECT_EQ(needed, keys.used);
			EXPECT_EQ(KT_POISON, buf[0]);
		}
		ASSERT_EQ(0, keys_call(self->fd, &keys, buf, needed, flags, 0));
		EXPECT_EQ(1, keys.count);
		EXPECT_EQ(needed, keys.used);
		EXPECT_EQ(KT_POISON, buf[needed]);
	}
}

TEST_F(map, size_of_snapshot)
{
	struct kmap_keys keys;
	__u64 id, needed = 0;
	__u8 *buf;

	fill(_metadata, self->fd, KEYS);
	for (id = 0; id < KEYS; id++)
		needed += KMAP_ITEM_SIZE(key_len(id), value_len(id));
	buf = malloc(needed + 8);
	ASSERT_TRUE(buf);
	memset(buf, KT_POISON, needed + 8);
	EXPECT_EQ(-EMSGSIZE, keys_call(self->fd, &keys, buf, 0,
				       KMAP_KEYS_VALUES | KMAP_KEYS_ATOMIC, 0));
	EXPECT_EQ(needed, keys.used);
	EXPECT_EQ(-EMSGSIZE, keys_call(self->fd, &keys, buf, needed - 1,
				       KMAP_KEYS_VALUES | KMAP_KEYS_ATOMIC, 0));
	EXPECT_EQ(needed, keys.used);
	EXPECT_EQ(0, keys.cursor);
	EXPECT_EQ(0, keys_call(self->fd, &keys, buf, needed,
			       KMAP_KEYS_VALUES | KMAP_KEYS_ATOMIC, 0));
	EXPECT_EQ(needed, keys.used);
	EXPECT_EQ(KEYS, keys.count);
	EXPECT_EQ(KMAP_KEYS_END, keys.cursor);
	EXPECT_EQ(KT_POISON, buf[needed]);
	free(buf);
}

/* A snapshot cannot begin at a cursor. */
TEST_F(map, cursor_of_snapshot)
{
	static const __u64 cursors[] = { 1, 1ull << 20, 1ull << 40, ~0ull };
	struct kmap_keys keys, copy;
	unsigned int i;
	__u8 buf[256];

	fill(_metadata, self->fd, 3);
	for (i = 0; i < ARRAY_SIZE(cursors); i++) {
		memset(&keys, 0, sizeof(keys));
		keys.buf = kt_ptr(buf);
		keys.size = sizeof(buf);
		keys.flags = KMAP_KEYS_ATOMIC;
		keys.cursor = cursors[i];
		copy = keys;
		EXPECT_EQ(-EINVAL, kt_ioctl(self->fd, KMAP_IOC_KEYS, &keys));
		EXPECT_EQ(0, memcmp(&copy, &keys, sizeof(keys)));
	}
}

/* Cursors that no walk can have set. */
TEST_F(map, bad_cursors)
{
	static const __u64 cursors[] = {
		~0ull - 1, 1ull << 63, 0x8000000000000001ull, 1ull << 33,
		0xffffffff00000000ull, (1ull << 32) + 1
	};
	struct kmap_keys keys, copy;
	unsigned int i;
	__u8 buf[256];

	fill(_metadata, self->fd, 3);
	for (i = 0; i < ARRAY_SIZE(cursors); i++) {
		memset(&keys, 0, sizeof(keys));
		keys.buf = kt_ptr(buf);
		keys.size = sizeof(buf);
		keys.cursor = cursors[i];
		copy = keys;
		EXPECT_EQ(-EINVAL, kt_ioctl(self->fd, KMAP_IOC_KEYS, &keys)) {
			TH_LOG("cursor %#llx", cursors[i]);
		}
		EXPECT_EQ(0, memcmp(&copy, &keys, sizeof(keys)));
	}
}

/* With any other invented cursor, KEYS returns keys of the map. */
TEST_F(map, invented_cursors)
{
	static __u8 buf[65536];
	struct kmap_keys keys;
	__u64 state = 3;
	int i, ret;

	fill(_metadata, self->fd, KEYS);
	for (i = 0; i < (int)kt_less(150, 50); i++) {
		struct kt_walk walk;
		struct kt_item item;
		__u64 cursor = kt_random(&state) >> kt_random(&state) % 64;

		ret = keys_call(self->fd, &keys, buf, sizeof(buf), 0, cursor);
		if (ret) {
			EXPECT_EQ(-EINVAL, ret);
			continue;
		}
		ASSERT_EQ(0, kt_walk_begin(&walk, self->fd, 0, sizeof(buf)));
		walk.cursor = cursor;
		while ((ret = kt_walk_next(&walk, &item)) > 0)
			ASSERT_TRUE(item_right(self->fd, &item,
					       kt_key_id(item.key)));
		EXPECT_EQ(0, ret);
		kt_walk_end(&walk);
	}
}

/* A walk can continue with another size, other flags or another file. */
TEST_F(map, cursor_stays_good)
{
	static __u8 buf[4096];
	struct kmap_keys keys;
	__u64 cursor = 0, total = 0;
	unsigned int i;

	fill(_metadata, self->fd, KEYS);
	for (i = 0; cursor != KMAP_KEYS_END; i++) {
		/* Two calls with one cursor return the same. */
		struct kmap_keys first;
		int fd = i & 1 ? self->fd : kt_open(O_RDONLY);

		ASSERT_EQ(0, keys_call(fd, &first, buf, 1000 + i % 3000,
				       i & 1, cursor));
		ASSERT_EQ(0, keys_call(fd, &keys, buf, 1000 + i % 3000,
				       i & 1, cursor));
		EXPECT_EQ(0, memcmp(&first, &keys, sizeof(keys)));
		total += keys.count;
		cursor = keys.cursor;
		if (fd != self->fd)
			close(fd);
	}
	EXPECT_EQ(KEYS, total);
}

/* A buffer need be neither aligned nor used up. */
TEST_F(map, buffers)
{
	static __u8 buf[65536 + 16];
	struct kmap_keys keys;
	unsigned int shift;

	fill(_metadata, self->fd, 100);
	for (shift = 0; shift < 8; shift++) {
		memset(buf, KT_POISON, sizeof(buf));
		ASSERT_EQ(0, keys_call(self->fd, &keys, buf + shift, 65536, 0,
				       0));
		EXPECT_EQ(100, keys.count);
		EXPECT_EQ(KMAP_KEYS_END, keys.cursor);
		EXPECT_EQ(0, keys.used % 8);
		EXPECT_EQ(KT_POISON, buf[shift + keys.used]);
		if (shift)
			EXPECT_EQ(KT_POISON, buf[shift - 1]);
	}
}

TEST_HARNESS_MAIN
