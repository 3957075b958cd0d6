// SPDX-License-Identifier: GPL-2.0
/*
 * wipe=1: what was removed is gone from memory too.
 *
 * The test stores values with a mark that nothing else has, removes them, and
 * looks for the mark in a sample of the memory, through /proc/kcore.
 */
#include <errno.h>
#include <stdlib.h>
#include <sys/random.h>

#include "kselftest_harness.h"
#include "kmap_fixture.h"

#define SECRETS		((unsigned int)kt_less(40000, 10000))
#define VALUE_LEN	64
#define PAGE		4096
#define STRIDE		32768		/* looks at a page in so much memory */

/* What the mark is made of, so that no copy of it is in our own memory. */
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

/* Values found in @len bytes at @buf: runs of the mark, VALUE_LEN long. */
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

/* What is needed of an ELF file of 64 bits. */
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

/* Whether this part of kcore is memory, mapped one to one. */
static bool is_memory(const struct elf_part *part, __s64 total)
{
	return part->type == ELF_LOAD && part->paddr != ~0ull &&
	       part->memsz <= (__u64)total * 2;
}

/* Where the first search found marks, which is all that the second looks at. */
static __u64 places[16384];
static unsigned int places_n;

/* Marks in the page at @offset of kcore. */
static unsigned int find_in(int fd, __u64 offset)
{
	static __u64 page[PAGE / 8];
	ssize_t got = pread(fd, page, PAGE, offset);
	unsigned int count = got > 0 ? count_marks(page, got) : 0;

	memset(page, 0, sizeof(page));
	return count;
}

/* Looks through a sample of all memory; how many marks are in it. */
static unsigned int find_first(struct __test_metadata *_metadata, int fd)
{
	__s64 total = kt_meminfo("MemTotal");
	__u8 head[ELF_HEAD];
	struct elf_part part;
	__u64 at, table;
	unsigned int count = 0, i, found;
	__u16 parts;

	ASSERT_EQ(sizeof(head), read(fd, head, sizeof(head)));
	memcpy(&table, head + ELF_PHOFF, sizeof(table));
	memcpy(&parts, head + ELF_PHNUM, sizeof(parts));
	for (i = 0; i < parts; i++) {
		ASSERT_EQ(sizeof(part), pread(fd, &part, sizeof(part),
					      table + i * sizeof(part)));
		if (!is_memory(&part, total))
			continue;
		for (at = 0; at < part.filesz; at += STRIDE) {
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

/* Operations in every shard, so that what waits for readers is freed. */
static void stir(struct __test_metadata *_metadata, int fd)
{
	int round;

	for (round = 0; round < 5; round++) {
		ASSERT_EQ(0, store(fd, 1 << 20, SECRETS / 4, false));
		ASSERT_EQ(0, kt_remove(fd, 1 << 20, SECRETS / 4, 8, NULL));
		usleep(50000);
	}
}

TEST_F_TIMEOUT(map, removed_is_gone, KT_LONG)
{
	struct kmap_info info;
	unsigned int first, marks;
	int kcore;

	kcore = open("/proc/kcore", O_RDONLY | O_CLOEXEC);
	if (kcore < 0)
		SKIP(return, "/proc/kcore: %s", strerror(errno));
	RELOAD("wipe=1 shards=4");
	ASSERT_EQ(sizeof(seed), getrandom(&seed, sizeof(seed), 0));
	ASSERT_EQ(0, store(self->fd, 0, SECRETS, true));
	first = find_first(_metadata, kcore);
	ASSERT_GE(first, SECRETS * PAGE / STRIDE / 2) {
		TH_LOG("only %u values were found in memory", first);
	}

	/* Removed one by one, replaced, cleared. */
	ASSERT_EQ(0, kt_remove(self->fd, 0, SECRETS / 2, 8, NULL));
	ASSERT_EQ(0, store(self->fd, SECRETS / 2, SECRETS / 4, false));
	ASSERT_EQ(0, kt_clear(self->fd, NULL));
	stir(_metadata, self->fd);
	ASSERT_EQ(0, kt_info(self->fd, &info));
	marks = find_again(kcore);
	EXPECT_LE(marks, first / 50 + info.deferred / VALUE_LEN) {
		TH_LOG("%u of %u values are still there, %llu bytes deferred",
		       marks, first, info.deferred);
	}
	close(kcore);
}

TEST_HARNESS_MAIN
