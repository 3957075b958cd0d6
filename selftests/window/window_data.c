// SPDX-License-Identifier: GPL-2.0
/*
 * What the window shows: all of the map, as it is now, and nothing else.
 *
 * Read from one end to the other while nobody writes; for readers among writers
 * see hammer_window.
 */
#include <errno.h>
#include <stdlib.h>

#include "kselftest_harness.h"
#include "kmap_fixture.h"
#include "kmap_test_window.h"

#define SMALL	"max_bytes=4M max_entries=20000 max_value=65536"

#define MAP(window)	ASSERT_EQ(0, kt_window_map(self->fd, window))

/* Is the entry what GET says? */
static int compare(const struct kmap_entry *entry, void *arg)
{
	static __u8 out[KMAP_VALUE_MAX];
	__u32 key_len = KMAP_ENTRY_KEY_LEN(entry->lens);
	__u32 value_len = KMAP_ENTRY_VALUE_LEN(entry->lens);
	const __u8 *key = kt_window_key(entry);
	__u64 version;
	size_t len;
	int ret = kt_get(*(int *)arg, key, key_len, out, sizeof(out), &len,
			 &version);

	if (ret)
		return ret;
	if (len != value_len || version != KMAP_ENTRY_VERSION(entry->version) ||
	    memcmp(out, kt_window_value(entry), len))
		return -EBADMSG;
	return 0;
}

#define SAME(window, count) \
	EXPECT_EQ(count, kt_window_scan(window, compare, &self->fd))

/* A mapping made while the map was empty shows how it grows and shrinks. */
TEST_F_TIMEOUT(map, follows, KT_LONG)
{
	struct kt_window window;
	const __u64 part = kt_less(1000, 200);
	struct kmap_info info;
	unsigned int i;

	RELOAD(SMALL " shards=2");
	MAP(&window);
	SAME(&window, 0);
	for (i = 0; i < 10; i++) {
		ASSERT_EQ(0, kt_fill(self->fd, i * part, part, 16, 64, NULL));
		SAME(&window, (i + 1) * part);
	}
	ASSERT_EQ(0, kt_info(self->fd, &info));
	EXPECT_GT(info.buckets, self->info.buckets);
	ASSERT_EQ(0, kt_remove(self->fd, 0, 5 * part, 16, NULL));
	SAME(&window, 5 * part);
	ASSERT_EQ(0, kt_clear(self->fd, NULL));
	SAME(&window, 0);
	/* The memory is used again for other sizes, also for runs of units. */
	ASSERT_EQ(0, kt_fill(self->fd, 0, 100, 16, 20000, NULL));
	SAME(&window, 100);
	ASSERT_EQ(0, kt_clear(self->fd, NULL));
	ASSERT_EQ(0, kt_fill(self->fd, 0, 10 * part, 16, 64, NULL));
	SAME(&window, 10 * part);
	kt_window_unmap(&window);
}

TEST_F_TIMEOUT(map, every_key_length, KT_LONG)
{
	struct kt_window window;
	__u8 key[KMAP_KEY_MAX];
	unsigned int len;

	RELOAD(SMALL);
	MAP(&window);
	for (len = 1; len <= KMAP_KEY_MAX; len++) {
		memset(key, len & 0xff, len);
		ASSERT_EQ(0, kt_set(self->fd, key, len, key, len % 9, 0, NULL));
	}
	SAME(&window, KMAP_KEY_MAX);
	kt_window_unmap(&window);
}

TEST_F_TIMEOUT(map, every_value_length, KT_LONG)
{
	static __u8 value[65536];
	struct kt_window window;
	unsigned int len, count = 0;
	__u64 id;

	RELOAD(SMALL);
	MAP(&window);
	for (len = 0; len <= sizeof(value); len += len < 600 ? 1 : len / 9) {
		id = len;
		kt_value_fill(value, len, &id, 8, len);
		ASSERT_EQ(0, kt_set(self->fd, &id, 8, value, len, 0, NULL));
		count++;
	}
	SAME(&window, count);
	kt_window_unmap(&window);
}

/* Numbers change in place, and with them their version. */
TEST_F(map, numbers)
{
	struct kt_window window;
	__s64 sum;
	int i;

	RELOAD(SMALL);
	MAP(&window);
	for (i = 0; i < (int)kt_less(100, 10); i++) {
		ASSERT_EQ(0, kt_add(self->fd, "number", 6, i, 0, &sum, NULL));
		SAME(&window, 1);
	}
	kt_window_unmap(&window);
}

/* What every byte of the window's pages may be. */
enum { OURS_NOT, OURS };

static __u8 *ours;

static void mark(const struct kt_window *window, const void *from, size_t len)
{
	memset(ours + ((const __u8 *)from - window->mem), OURS, len);
}

static int mark_entry(const struct kmap_entry *entry, void *arg)
{
	__u32 key_len = KMAP_ENTRY_KEY_LEN(entry->lens);
	__u32 value_len = KMAP_ENTRY_VALUE_LEN(entry->lens);

	mark(arg, entry, sizeof(*entry) + key_len);
	mark(arg, kt_window_value(entry), value_len);
	return 0;
}

/* Marks the fields that are in use of everything but entries. */
static void mark_tables(const struct kt_window *window)
{
	const struct kmap_window *head = window->head;
	const struct kmap_shard *shards;
	const struct kmap_bucket *bucket;
	size_t at, end = head->entry_offset, in_page;

	mark(window, head, sizeof(*head));
	shards = (const void *)(window->mem + head->shard_offset);
	for (at = 0; at < head->shards; at++)
		mark(window, &shards[at].end, sizeof(shards->end));
	for (at = head->bucket_offset; at < end; at += window->page) {
		if (kt_window_page(window, at, NULL) != 1)
			continue;
		for (in_page = 0; in_page < window->page;
		     in_page += sizeof(*bucket)) {
			bucket = (const void *)(window->mem + at + in_page);
			mark(window, &bucket->seq, sizeof(bucket->seq));
			mark(window, &bucket->link, sizeof(bucket->link));
			mark(window, &bucket->mark, sizeof(bucket->mark));
			mark(window, bucket->tags, sizeof(bucket->tags));
			mark(window, bucket->refs, sizeof(bucket->refs));
		}
	}
}

/* Counts the pages there are, and the bytes that should be zero and are not. */
static size_t strange_bytes(const struct kt_window *window, size_t *pages)
{
	size_t at, i, count = 0;
	__u8 page[window->page];

	*pages = 0;
	for (at = 0; at < window->size; at += window->page) {
		if (kt_window_page(window, at, page) != 1)
			continue;
		++*pages;
		for (i = 0; i < window->page; i++)
			count += page[i] && ours[at + i] == OURS_NOT;
	}
	return count;
}

/*
 * In a map where nothing was removed yet, all that is not a field in use is zero:
 * gaps, tails of pages, memory that waits for its first entry.
 */
TEST_F_TIMEOUT(map, nothing_but_the_map, KT_LONG)
{
	static __u8 value[65536];
	struct kt_window window;
	unsigned int len;
	size_t pages;
	__u64 id;

	RELOAD(SMALL " shards=2");
	memset(value, 0xff, sizeof(value));
	for (len = 0; len <= sizeof(value); len += len < 100 ? 1 : len / 7) {
		for (id = len; id < 3ull << 32; id += 1ull << 32)
			ASSERT_EQ(0, kt_set(self->fd, &id, 8, value, len,
					    KMAP_CREATE, NULL));
	}
	for (len = 1; len <= 1024; len += 9)
		ASSERT_EQ(0, kt_set(self->fd, value, len, value, len % 50,
				    KMAP_CREATE, NULL));
	MAP(&window);
	ours = calloc(1, window.size);
	ASSERT_TRUE(ours);
	mark_tables(&window);
	ASSERT_LT(0, kt_window_scan(&window, mark_entry, &window));
	EXPECT_EQ(0, strange_bytes(&window, &pages));
	EXPECT_GT(pages, 200);
	kt_window_unmap(&window);
	free(ours);
}

#define MARK_LEN	64

/* Times that a run of MARK_LEN bytes 0xee is in the window. */
static unsigned int count_marks(const struct kt_window *window)
{
	unsigned int count = 0, run = 0;
	__u8 page[window->page];
	size_t at, i;

	for (at = 0; at < window->size; at += window->page) {
		if (kt_window_page(window, at, page) != 1)
			continue;
		/* Most have none. */
		if (!memchr(page, 0xee, window->page)) {
			run = 0;
			continue;
		}
		for (i = 0; i < window->page; i++) {
			run = page[i] == 0xee ? run + 1 : 0;
			count += run && !(run % MARK_LEN);
		}
	}
	return count;
}

/* With wipe=1 what was removed is gone; and the test would see it otherwise. */
TEST_F_TIMEOUT(map, wiped, KT_LONG)
{
	__u8 value[MARK_LEN + 1];
	struct kt_window window;
	unsigned int wipe, i;

	memset(value, 0xee, sizeof(value));
	for (wipe = 0; wipe < 2; wipe++) {
		RELOAD(SMALL " shards=1 wipe=%u", wipe);
		MAP(&window);
		for (i = 0; i < 1000; i++)
			ASSERT_EQ(0, kt_set(self->fd, &i, sizeof(i), value,
					    MARK_LEN, 0, NULL));
		EXPECT_EQ(1000, count_marks(&window));
		/* One that fails, of a size that nobody else has. */
		i = 0;
		EXPECT_EQ(-EEXIST, kt_set(self->fd, &i, sizeof(i), value,
					  sizeof(value), KMAP_CREATE, NULL));
		ASSERT_EQ(0, kt_clear(self->fd, NULL));
		if (!wipe)
			EXPECT_LT(500, count_marks(&window));
		/* Readers may have it for a while yet. */
		for (i = 0; wipe && count_marks(&window) && i < 600; i++)
			usleep(100000);
		if (wipe)
			EXPECT_EQ(0, count_marks(&window));
		kt_window_unmap(&window);
	}
}

TEST_HARNESS_MAIN
