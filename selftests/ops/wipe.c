// SPDX-License-Identifier: GPL-2.0
/*
 * wipe=1: what was removed is soon gone from memory, too, without any further call.
 *
 * Some tests store values with a mark that nothing else has, remove them, and look
 * for the mark in the kernel's memory, through /proc/kcore.  Others look through the
 * window.
 */
#include <errno.h>
#include <stdlib.h>
#include <sys/random.h>

#include "kselftest_harness.h"
#include "kmap_fixture.h"
#include "kmap_test_window.h"

#define SECRETS		((unsigned int)kt_less(40000, 10000))
#define VALUE_LEN	64
#define PAGE		4096
#define STRIDE		32768		/* one page is read per so many bytes */

/* The mark is computed from this, so that our own memory has no copy of it. */
static __u64 seed;

static __u64 mark_word(void)
{
	return seed << 17 ^ seed;
}

static void mark(__u8 *value)
{
	__u64 word = mark_word();
	int i;

	for (i = 0; i < VALUE_LEN; i += 8)
		memcpy(value + i, &word, 8);
}

/* Stores the mark under @count keys from @first on, leaving no copy. */
static int store(int fd, __u64 first, __u64 count, bool secret)
{
	__u8 value[VALUE_LEN] = { 0 };
	int ret = 0;
	__u64 id;

	if (secret)
		mark(value);
	for (id = first; !ret && id < first + count; id++)
		ret = kt_set(fd, &id, 8, value, VALUE_LEN, 0, NULL);
	explicit_bzero(value, VALUE_LEN);
	return ret;
}

/* Counts values in @len bytes at @buf: runs of the mark, VALUE_LEN long. */
static unsigned int count_marks(const __u64 *buf, size_t len)
{
	__u64 word = mark_word();
	unsigned int run = 0, count = 0;
	size_t i;

	for (i = 0; i < len / 8; i++) {
		run = buf[i] == word ? run + 1 : 0;
		if (run == VALUE_LEN / 8) {
			count++;
			run = 0;
		}
	}
	return count;
}

/* The fields of a 64-bit ELF file that are needed. */
#define ELF_HEAD	64
#define ELF_PHOFF	32
#define ELF_PHNUM	56
#define ELF_LOAD	1

struct elf_part {
	__u32 type;
	__u32 flags;
	__u64 offset;
	__u64 vaddr;
	__u64 paddr;
	__u64 filesz;
	__u64 memsz;
	__u64 align;
};

/* Is this part of kcore memory, mapped one to one? */
static bool is_memory(const struct elf_part *part, __s64 total)
{
	return part->type == ELF_LOAD && part->paddr != ~0ull &&
	       part->memsz <= (__u64)total * 2;
}

/* The places where the first search found marks; the second looks only there. */
static __u64 places[16384];
static unsigned int places_n;

/* Counts marks in the page at @offset of kcore. */
static unsigned int find_in(int fd, __u64 offset)
{
	static __u64 page[PAGE / 8];
	ssize_t got = pread(fd, page, PAGE, offset);
	unsigned int count = got > 0 ? count_marks(page, got) : 0;

	memset(page, 0, sizeof(page));
	return count;
}

/* Searches all of a part of memory. */
static unsigned int find_all(int fd, const struct elf_part *part)
{
	static __u64 buf[32 * PAGE / 8];
	unsigned int count = 0;
	__u64 at;
	ssize_t got;

	for (at = 0; at < part->filesz; at += sizeof(buf)) {
		got = pread(fd, buf, sizeof(buf), part->offset + at);
		if (got > 0)
			count += count_marks(buf, got);
		memset(buf, 0, sizeof(buf));
	}
	return count;
}

/* Searches a sample of all memory, or all of it; returns the number of marks. */
static unsigned int find_first(struct __test_metadata *_metadata, int fd,
			       bool all)
{
	__s64 total = kt_meminfo("MemTotal");
	__u8 head[ELF_HEAD];
	struct elf_part part;
	__u64 at, table;
	unsigned int count = 0, i, found;
	__u16 parts;

	ASSERT_EQ(sizeof(head), pread(fd, head, sizeof(head), 0));
	memcpy(&table, head + ELF_PHOFF, sizeof(table));
	memcpy(&parts, head + ELF_PHNUM, sizeof(parts));
	for (i = 0; i < parts; i++) {
		ASSERT_EQ(sizeof(part), pread(fd, &part, sizeof(part),
					      table + i * sizeof(part)));
		if (!is_memory(&part, total))
			continue;
		if (all)
			count += find_all(fd, &part);
		for (at = 0; !all && at < part.filesz; at += STRIDE) {
			found = find_in(fd, part.offset + at);
			count += found;
			if (found && places_n < ARRAY_SIZE(places))
				places[places_n++] = part.offset + at;
		}
	}
	return count;
}

static unsigned int find_again(int fd)
{
	unsigned int count = 0, i;

	for (i = 0; i < places_n; i++)
		count += find_in(fd, places[i]);
	return count;
}

/*
 * How often to look until no mark is left, and the time between.  Nobody uses the
 * map meanwhile.
 */
#define LOOKS		600
#define BETWEEN		100000	/* microseconds */

TEST_F_TIMEOUT(map, removed_is_gone, KT_LONG)
{
	unsigned int first, marks = 0, look;
	int kcore;

	kcore = open("/proc/kcore", O_RDONLY | O_CLOEXEC);
	if (kcore < 0)
		SKIP(return, "/proc/kcore: %s", strerror(errno));
	RELOAD("wipe=1 shards=4");
	ASSERT_EQ(sizeof(seed), getrandom(&seed, sizeof(seed), 0));
	ASSERT_EQ(0, store(self->fd, 0, SECRETS, true));
	first = find_first(_metadata, kcore, false);
	ASSERT_GE(first, SECRETS * PAGE / STRIDE / 2) {
		TH_LOG("only %u values were found in memory", first);
	}

	/* Remove them one by one, replace them, clear them. */
	ASSERT_EQ(0, kt_remove(self->fd, 0, SECRETS / 2, 8, NULL));
	ASSERT_EQ(0, store(self->fd, SECRETS / 2, SECRETS / 4, false));
	ASSERT_EQ(0, kt_clear(self->fd, NULL));
	for (look = 0; look < LOOKS; look++) {
		marks = find_again(kcore);
		if (!marks)
			break;
		usleep(BETWEEN);
	}
	EXPECT_EQ(0, marks) {
		TH_LOG("%u of %u values are still there", marks, first);
	}
	close(kcore);
}

#define LONG_KEY	1000u
#define LONG_VALUE	2000u

/*
 * Calls whose key and value are too long for the kernel's stack.  Nothing of them
 * stays in the buffers to which the kernel copied them.
 */
TEST_F_TIMEOUT(map, copies_are_gone, KT_LONG)
{
	static __u64 key[LONG_KEY / 8], value[LONG_VALUE / 8];
	unsigned int marks = 1;
	int kcore, i;

	kcore = open("/proc/kcore", O_RDONLY | O_CLOEXEC);
	if (kcore < 0)
		SKIP(return, "/proc/kcore: %s", strerror(errno));
	RELOAD("wipe=1");
	ASSERT_EQ(sizeof(seed), getrandom(&seed, sizeof(seed), 0));
	for (i = 0; i < (int)ARRAY_SIZE(key); i++)
		key[i] = mark_word();
	for (i = 0; i < (int)ARRAY_SIZE(value); i++)
		value[i] = mark_word();
	ASSERT_EQ(0, kt_set(self->fd, key, LONG_KEY, value, LONG_VALUE, 0,
			    NULL));
	for (i = 0; i < 10; i++)
		ASSERT_EQ(0, kt_get(self->fd, key, LONG_KEY, value, LONG_VALUE,
				    NULL, NULL));
	ASSERT_EQ(-EEXIST, kt_swap(self->fd, key, LONG_KEY, value, LONG_VALUE,
				   KMAP_CREATE, NULL, value, LONG_VALUE, NULL));
	ASSERT_EQ(0, kt_take(self->fd, key, LONG_KEY, 0, NULL, value,
			     LONG_VALUE, NULL));
	explicit_bzero(key, sizeof(key));
	explicit_bzero(value, sizeof(value));
	/* The entry itself is wiped a little later. */
	for (i = 0; i < 10 && marks; i++) {
		sleep(1);
		marks = find_first(_metadata, kcore, true);
	}
	EXPECT_EQ(0, marks);
	close(kcore);
}

#define MARK_LEN	64
#define MARK		0xee

/* Counts runs of MARK_LEN marks in the window. */
static unsigned int count_runs(const struct kt_window *window)
{
	unsigned int count = 0, run = 0;
	__u8 page[window->page];
	size_t at, i;

	for (at = 0; at < window->size; at += window->page) {
		if (kt_window_page(window, at, page) != 1)
			continue;
		if (!memchr(page, MARK, window->page)) {
			run = 0;
			continue;
		}
		for (i = 0; i < window->page; i++) {
			run = page[i] == MARK ? run + 1 : 0;
			count += run && !(run % MARK_LEN);
		}
	}
	return count;
}

/* Returns how many are left when nobody has used the map for a while. */
static unsigned int runs_left(const struct kt_window *window,
			      unsigned int expected)
{
	unsigned int look, count = 0;

	for (look = 0; look < LOOKS; look++) {
		count = count_runs(window);
		if (count <= expected)
			break;
		usleep(BETWEEN);
	}
	return count;
}

/* Ways to remove or replace the value of a key. */
static int delete_it(int fd, unsigned int key)
{
	return kt_del(fd, &key, sizeof(key), 0, NULL);
}

static int replace_it(int fd, unsigned int key)
{
	return kt_set(fd, &key, sizeof(key), "harmless", 8, 0, NULL);
}

static int take_it(int fd, unsigned int key)
{
	__u8 out[2 * MARK_LEN];

	return kt_take(fd, &key, sizeof(key), 0, NULL, out, sizeof(out), NULL);
}

/* A SET that fails, with a value of a length that no other has. */
static int fail_to_set(int fd, unsigned int key)
{
	__u8 value[4 * MARK_LEN];
	int ret;

	memset(value, MARK, sizeof(value));
	ret = kt_set(fd, &key, sizeof(key), value, sizeof(value), KMAP_CREATE,
		     NULL);
	return ret == -EEXIST ? 0 : -EPROTO;
}

#define KEYS	1000u

FIXTURE(values) {
	int fd;
	struct kmap_info info;
};

/* Few keys, which fill no deferred batch, and many. */
FIXTURE_VARIANT(values)
{
	unsigned int keys;
	int (*away)(int fd, unsigned int key);
	unsigned int stay;
};

FIXTURE_VARIANT_ADD(values, one_delete) { 1, delete_it, KEYS - 1 };
FIXTURE_VARIANT_ADD(values, deletes) { KEYS, delete_it, 0 };
FIXTURE_VARIANT_ADD(values, one_replace) { 1, replace_it, KEYS - 1 };
FIXTURE_VARIANT_ADD(values, replaces) { KEYS, replace_it, 0 };
FIXTURE_VARIANT_ADD(values, one_take) { 1, take_it, KEYS - 1 };
FIXTURE_VARIANT_ADD(values, failed_set) { 1, fail_to_set, KEYS };
FIXTURE_VARIANT_ADD(values, clear) { 0, NULL, 0 };

FIXTURE_SETUP(values)
{
	self->fd = open_empty(_metadata);
}

FIXTURE_TEARDOWN(values)
{
	if (self->fd >= 0)
		close(self->fd);
}

TEST_F_TIMEOUT(values, gone_by_itself, KT_LONG)
{
	__u8 value[MARK_LEN];
	struct kt_window window;
	unsigned int i;

	RELOAD("wipe=1 max_bytes=4M max_entries=20000");
	ASSERT_EQ(0, kt_window_map(self->fd, &window));
	memset(value, MARK, sizeof(value));
	for (i = 0; i < KEYS; i++)
		ASSERT_EQ(0, kt_set(self->fd, &i, sizeof(i), value,
				    sizeof(value), 0, NULL));
	ASSERT_EQ(KEYS, count_runs(&window));
	for (i = 0; i < variant->keys; i++)
		ASSERT_EQ(0, variant->away(self->fd, i));
	if (!variant->away)
		ASSERT_EQ(0, kt_clear(self->fd, NULL));
	EXPECT_EQ(variant->stay, runs_left(&window, variant->stay));
	kt_window_unmap(&window);
}

TEST_HARNESS_MAIN
