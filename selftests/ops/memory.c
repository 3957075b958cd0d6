// SPDX-License-Identifier: GPL-2.0
/*
 * Memory: how much an entry takes, that INFO tells how much is really used, and that
 * all of it is returned.
 */
#include <errno.h>
#include <stdlib.h>
#include <unistd.h>

#include "kselftest_harness.h"
#include "kmap_fixture.h"

#define MEBI		1048576ll

#define ENTRIES		1000000ll
#define KEY_LEN		16
#define VALUE_LEN	64
#define OVERHEAD	40		/* bytes per entry, at most */

/* Free pages that are in the lists of CPUs, which MemFree does not count. */
static __s64 listed_pages(void)
{
	FILE *file = fopen("/proc/zoneinfo", "re");
	char line[512];
	__s64 pages = 0, count;

	if (!file)
		return 0;
	while (fgets(line, sizeof(line), file)) {
		if (sscanf(line, " count: %lld", &count) == 1)
			pages += count;
	}
	fclose(file);
	return pages;
}

/* Free memory of the kernel, except for what it has not counted yet. */
static __s64 free_memory(void)
{
	return kt_meminfo("MemFree") + listed_pages() * sysconf(_SC_PAGESIZE);
}

/* Lines of /proc/vmallocinfo that name the module. */
static int vmalloc_areas(void)
{
	FILE *file = fopen("/proc/vmallocinfo", "re");
	char line[512];
	int count = 0;

	if (!file)
		return -errno;
	while (fgets(line, sizeof(line), file))
		count += strstr(line, "[kmap]") || strstr(line, "shmap_");
	fclose(file);
	return count;
}

static void unload(struct __test_metadata *_metadata, int *fd)
{
	close(*fd);
	*fd = -1;
	ASSERT_EQ(0, kt_unload());
}

TEST_F_TIMEOUT(map, a_million_entries, KT_LONG)
{
	struct kmap_info empty, full, cleared, again;
	__s64 before, loaded, filled, overhead, used;

	/* Do it once before, since the kernel allocates some things only once. */
	RELOAD("%s", "");
	ASSERT_EQ(0, kt_fill(self->fd, 0, 20000, KEY_LEN, VALUE_LEN, NULL));
	unload(_metadata, &self->fd);

	before = free_memory();
	ASSERT_EQ(0, kt_reload("max_entries=%lld max_bytes=%lld", ENTRIES,
			       ENTRIES * 128));
	self->fd = kt_open(O_RDWR | O_CLOEXEC);
	ASSERT_GE(self->fd, 0);
	ASSERT_EQ(0, kt_info(self->fd, &empty));
	loaded = free_memory();
	ASSERT_EQ(0, kt_fill(self->fd, 0, ENTRIES, KEY_LEN, VALUE_LEN, NULL));
	filled = free_memory();
	ASSERT_EQ(0, kt_info(self->fd, &full));
	ASSERT_EQ(ENTRIES, full.entries);

	overhead = (__s64)full.memory - ENTRIES * (KEY_LEN + VALUE_LEN);
	TH_LOG("%lld.%lld bytes per entry beyond key and value",
	       overhead / ENTRIES, overhead * 10 / ENTRIES % 10);
	EXPECT_LE(overhead, ENTRIES * OVERHEAD);
	EXPECT_GE(overhead, ENTRIES * 16) {
		TH_LOG("INFO.memory cannot be true");
	}

	/* INFO's count agrees with the kernel's loss of free memory, to a few percent. */
	used = loaded - filled;
	EXPECT_LE(used, (__s64)(full.memory - empty.memory) * 104 / 100 +
			4 * MEBI);
	EXPECT_GE(used, (__s64)(full.memory - empty.memory) * 96 / 100 -
			4 * MEBI);
	/* This includes the module's code and data. */
	EXPECT_LE(before - loaded, (__s64)empty.memory + 8 * MEBI);

	ASSERT_EQ(0, kt_clear(self->fd, NULL));
	ASSERT_EQ(0, kt_info(self->fd, &cleared));
	EXPECT_EQ(0, cleared.entries);
	EXPECT_EQ(0, cleared.bytes);
	EXPECT_LE(cleared.memory, full.memory + MEBI);
	EXPECT_LE(cleared.deferred, cleared.deferred_max);

	/* Memory that was freed is used again. */
	ASSERT_EQ(0, kt_fill(self->fd, ENTRIES, ENTRIES / 2, KEY_LEN,
			     VALUE_LEN, NULL));
	ASSERT_EQ(0, kt_info(self->fd, &again));
	EXPECT_LE(again.memory, full.memory + MEBI);
	ASSERT_EQ(0, kt_clear(self->fd, NULL));
	/* It is also used for entries of another size. */
	ASSERT_EQ(0, kt_fill(self->fd, 0, ENTRIES / 12, KEY_LEN, 1000, NULL));
	ASSERT_EQ(0, kt_info(self->fd, &again));
	EXPECT_LE(again.memory, full.memory * 21 / 20 + full.deferred_max) {
		TH_LOG("%llu KiB after %llu KiB", again.memory / 1024,
		       full.memory / 1024);
	}
	ASSERT_EQ(0, kt_clear(self->fd, NULL));

	unload(_metadata, &self->fd);
	EXPECT_GE(free_memory(), before - 4 * MEBI) {
		TH_LOG("%lld KiB are missing", (before - free_memory()) / 1024);
	}
	EXPECT_EQ(0, vmalloc_areas());
}

/* Memory is used again for entries of other sizes, in any order. */
TEST_F_TIMEOUT(map, other_sizes, KT_LONG)
{
	static const size_t lens[] = { 64, 1000, 5000, 24, 12000, 300, 64,
				       40000, 2000 };
	struct kmap_info info;
	__u64 total = 8 * MEBI, count, peak = 0;
	unsigned int i;

	RELOAD("max_entries=200000 max_bytes=%llu", total);
	for (i = 0; i < ARRAY_SIZE(lens); i++) {
		count = total / (KEY_LEN + lens[i] + 40);
		ASSERT_EQ(0, kt_fill(self->fd, 0, count * 7 / 8, KEY_LEN,
				     lens[i], NULL));
		ASSERT_EQ(0, kt_info(self->fd, &info));
		ASSERT_EQ(0, kt_clear(self->fd, NULL));
		if (info.memory > peak)
			peak = info.memory;
	}
	EXPECT_LE(peak, total * 5 / 4 + 2 * info.deferred_max +
			info.shards * MEBI) {
		TH_LOG("%llu KiB at most, limit %llu KiB", peak / 1024,
		       total / 1024);
	}
}

/* Stores @count entries of all sizes, as far as they fit. */
static void fill_sizes(struct __test_metadata *_metadata, int fd, int count)
{
	static const size_t lens[] = { 0, 8, 100, 500, 2000, 9000, 30000,
				       65536 };
	__u64 first = 0;
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(lens); i++) {
		__u64 n = count / (1 + lens[i] / 100) + 1;

		ASSERT_EQ(0, kt_fill(fd, first, n, 24, lens[i], NULL));
		first += n;
	}
}

/* Kinds of cycles, which take turns. */
#define KINDS	6
#define ROUNDS	5
#define CYCLES	(ROUNDS * KINDS)

/*
 * Unload frees all memory, whatever the map contains.
 *
 * Now and then the kernel takes 2 MiB for itself and keeps them, and the lists of
 * the CPUs vary by some pages.  What a kind of cycle leaks is missing after each
 * cycle of that kind, so the least loss of each kind is checked.
 */
TEST_F_TIMEOUT(map, cycles, KT_LONG)
{
	__s64 left[CYCLES], missing, least[KINDS], slab_first = 0;
	int cycle, kind;

	for (cycle = 0; cycle < CYCLES; cycle++) {
		RELOAD("%s", cycle & 1 ? "wipe=1" : "");
		fill_sizes(_metadata, self->fd, 16000);
		if (cycle % 3 == 1)
			ASSERT_EQ(0, kt_clear(self->fd, NULL));
		if (cycle % 3 == 2)
			ASSERT_EQ(0, kt_remove(self->fd, 0, 8000, 24, NULL));
		unload(_metadata, &self->fd);
		EXPECT_EQ(0, vmalloc_areas());
		left[cycle] = free_memory();
		/* The first ones fill the kernel's own caches. */
		if (cycle == KINDS - 1)
			slab_first = kt_meminfo("SUnreclaim");
	}
	for (kind = 0; kind < KINDS; kind++)
		least[kind] = INT64_MAX;
	for (cycle = KINDS; cycle < CYCLES; cycle++) {
		missing = left[cycle - 1] - left[cycle];
		kind = cycle % KINDS;
		if (missing < least[kind])
			least[kind] = missing;
	}
	for (kind = 0; kind < KINDS; kind++) {
		EXPECT_LE(least[kind], MEBI / 4) {
			TH_LOG("at least %lld KiB are missing after each cycle of kind %d",
			       least[kind] / 1024, kind);
		}
	}
	EXPECT_LE(kt_meminfo("SUnreclaim"), slab_first + MEBI) {
		TH_LOG("%lld KiB more in slabs",
		       (kt_meminfo("SUnreclaim") - slab_first) / 1024);
	}
}

/* A key whose value changes its size all the time takes no more memory. */
TEST_F_TIMEOUT(map, churn_does_not_grow, KT_LONG)
{
	static __u8 value[65536];
	struct kmap_info first = { 0 }, info;
	__u64 i, state = 11;

	RELOAD("%s", "");
	for (i = 0; i < 30000; i++) {
		ASSERT_EQ(0, kt_set(self->fd, "key", 3, value,
				    kt_random(&state) % 10000, 0, NULL));
		if (i % 1000)
			continue;
		ASSERT_EQ(0, kt_info(self->fd, &info));
		ASSERT_LE(info.deferred, info.deferred_max);
		if (i == 5000)
			first = info;
	}
	EXPECT_LE(info.memory, first.memory + first.deferred_max + MEBI);
	EXPECT_EQ(1, info.entries);
}

TEST_HARNESS_MAIN
