// SPDX-License-Identifier: GPL-2.0
/*
 * A fuzzer of the ioctls: any record, of any size, with any pointer, on any
 * file, from several processes, while other threads change the memory.
 *
 * Whatever the calls are, the results are those that the ABI names, nothing is
 * written where nothing should be, entries that no call touches stay, and at the
 * end the counts of the map are right and it can be filled to its limits.
 *
 * Environment:
 *	FUZZ_CALLS	calls in all, default 20000
 *	FUZZ_PROCESSES	processes that make them, default 2
 *	FUZZ_SEED	start of all random sequences, default random
 *
 * On a kernel with KCOV, with the module built with KCOV_INSTRUMENT=y, calls
 * that reach new places of the module are kept and varied.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <pthread.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <linux/futex.h>

#include "fuzz.h"
#include "kselftest_harness.h"

#define KEPT		40	/* entries that no call touches */
#define KEPT_FIRST	1000000000ull
#define KEPT_KEY	97
#define KEPT_VALUE	500

/* The runner's own limit is shorter. */
#define LONGEST		3600

/* Calls after which the arena is filled again. */
#define FILL_EVERY	1024

static bool client_begin(struct fuzz_client *c, struct hammer_worker *w)
{
	c->w = w;
	c->fuzz = w->h->shared;
	c->rw = w->fd;
	c->rd = kt_open(O_RDONLY);
	c->wr = kt_open(O_WRONLY);
	c->path = kt_open(O_PATH);
	c->other = open("/dev/null", O_RDWR);
	HAMMER_CHECK(w, c->rd >= 0 && c->wr >= 0 && c->path >= 0 &&
		     c->other >= 0, "no files");
	HAMMER_CHECK(w, fuzz_arena_new(c) && fuzz_race_new(c), "no memory");
	fuzz_cover_open(c);
	return true;
}

static bool make_calls(struct fuzz_client *c)
{
	/* The calls since the arena was last checked. */
	struct fuzz_call calls[FUZZ_LOOK_EVERY];
	int results[FUZZ_LOOK_EVERY];
	struct fuzz_shot shot;
	__u64 i;

	for (i = 1; i <= c->fuzz->quota && hammer_next(c->w); i++) {
		struct fuzz_call *call = &calls[i % FUZZ_LOOK_EVERY];
		int *ret = &results[i % FUZZ_LOOK_EVERY];

		fuzz_draw(c, call);
		fuzz_build(c, call, &shot);
		fuzz_cover_begin(c);
		*ret = kt_ioctl(shot.fd, shot.cmd, shot.record);
		fuzz_cover_end(c, call);
		if (!fuzz_judge(c, &shot, *ret))
			return false;
		if (i % FUZZ_LOOK_EVERY == 0 && !fuzz_intact(c)) {
			fuzz_tell(calls, results, FUZZ_LOOK_EVERY);
			return false;
		}
		if (i % FILL_EVERY == 0)
			fuzz_arena_fill(c);
	}
	atomic_fetch_add(&c->fuzz->calls, i - 1);
	return fuzz_intact(c);
}

/* One thread per process makes calls; it starts another one that disturbs them. */
static bool work(struct hammer_worker *w)
{
	struct fuzz_client c = { 0 };
	pthread_t racer;
	bool good;

	if (w->id % w->h->threads)
		return true;
	if (!client_begin(&c, w))
		return false;
	HAMMER_CHECK(w, !pthread_create(&racer, NULL, fuzz_race, &c),
		     "no thread");
	good = make_calls(&c);
	atomic_store(&c.over, true);
	pthread_join(racer, NULL);
	return good;
}

FIXTURE(fuzz) {
	struct hammer *h;
	struct fuzz *fuzz;
	int fd;
	struct kmap_info info;
	__u64 version[KEPT];
};

/* A 64-bit kernel may lack the futex call of 32-bit programs, which threads need. */
static bool threads_work(void)
{
	static __u32 word = 1;

	return syscall(SYS_futex, &word, FUTEX_WAIT, 0, NULL, NULL, 0) == 0 ||
	       errno != ENOSYS;
}

FIXTURE_SETUP(fuzz)
{
	const char *seed = getenv("FUZZ_SEED");

	if (!threads_work())
		SKIP(return, "this kernel has no futexes for such a program");
	/* Few shards: else calls that look at all buckets would take most of the time. */
	ASSERT_EQ(0, kt_reload("shards=2 max_key=%u max_value=%u max_entries=%u max_bytes=%u",
			       FUZZ_MAX_KEY, FUZZ_MAX_VALUE, FUZZ_MAX_ENTRIES,
			       FUZZ_MAX_BYTES));
	if (seed && *seed)
		setenv("HAMMER_SEED", seed, 1);
	/* It prints the seed, which FUZZ_SEED takes. */
	self->h = hammer_new();
	ASSERT_NE(NULL, self->h);
	self->fuzz = hammer_share(sizeof(*self->fuzz));
	ASSERT_NE(NULL, self->fuzz);
	self->h->shared = self->fuzz;
	self->h->processes = hammer_setting("FUZZ_PROCESSES", 2);
	self->h->threads = 1;
	self->h->seconds = 0;
	self->h->work = work;
	self->fuzz->quota = hammer_setting("FUZZ_CALLS", 20000) / 2 /
			    self->h->processes;
	self->fd = kt_open(O_RDWR | O_CLOEXEC);
	ASSERT_GE(self->fd, 0);
}

FIXTURE_TEARDOWN(fuzz)
{
	if (!self->h)
		return;
	close(self->fd);
	hammer_unshare(self->fuzz, sizeof(*self->fuzz));
	hammer_free(self->h);
	EXPECT_EQ(0, kt_unload());
}

/* Prints how the calls ended, to show that they were of all kinds. */
static void tell(struct __test_metadata *_metadata, struct fuzz *fuzz)
{
	unsigned int i;

	TH_LOG("%lu calls; %u kept, %u places of the module reached, seen by %u processes",
	       atomic_load(&fuzz->calls), atomic_load(&fuzz->kept),
	       atomic_load(&fuzz->places), atomic_load(&fuzz->traced));
	for (i = 0; i < 4096; i++)
		if (fuzz->errors[i])
			TH_LOG("%9lu %s", fuzz->errors[i],
			       i ? strerror(i) : "good");
}

/* What INFO tells agrees with the entries, and is within the limits. */
static void counts_right(struct __test_metadata *_metadata, int fd,
			 struct kmap_info *info)
{
	struct kt_snapshot snapshot;

	ASSERT_EQ(0, kt_info(fd, info));
	EXPECT_EQ(info->entries, kt_walk_count(fd));
	ASSERT_EQ(0, kt_snapshot_take(fd, &snapshot));
	EXPECT_EQ(info->entries, snapshot.count);
	/* A record has a header and padding like an entry. */
	EXPECT_GE(info->bytes, snapshot.used - 8 * snapshot.count);
	kt_snapshot_drop(&snapshot);
	EXPECT_LE(info->entries, FUZZ_MAX_ENTRIES);
	EXPECT_LE(info->bytes, FUZZ_MAX_BYTES);
	EXPECT_LE(info->deferred, info->deferred_max);
}

/* The map can be filled to the last entry and to the last byte. */
static void all_room(struct __test_metadata *_metadata, int fd)
{
	struct kmap_info info;
	__u64 size, count;

	ASSERT_EQ(0, kt_clear(fd, NULL));
	ASSERT_EQ(0, kt_info(fd, &info));
	EXPECT_EQ(0, info.entries);
	EXPECT_EQ(0, info.bytes);
	EXPECT_EQ(0, info.overflow);

	EXPECT_EQ(0, kt_fill(fd, 0, FUZZ_MAX_ENTRIES, 16, 16, NULL));
	EXPECT_EQ(-ENOSPC, kt_fill(fd, FUZZ_MAX_ENTRIES, 1, 16, 16, NULL));
	ASSERT_EQ(0, kt_clear(fd, NULL));

	ASSERT_EQ(0, kt_fill(fd, 0, 1, 16, 5000, NULL));
	ASSERT_EQ(0, kt_info(fd, &info));
	size = info.bytes;
	EXPECT_EQ(-ENOSPC, kt_fill(fd, 0, FUZZ_MAX_ENTRIES, 16, 5000, &count));
	EXPECT_EQ(FUZZ_MAX_BYTES / size, count);
	EXPECT_EQ(0, kt_verify(fd, 0, count, 16, 5000, NULL));
	ASSERT_EQ(0, kt_clear(fd, NULL));
}

TEST_F_TIMEOUT(fuzz, what_is_not_touched_stays, LONGEST)
{
	__u8 key[KEPT_KEY];
	__u64 version;
	int i;

	ASSERT_EQ(0, kt_fill(self->fd, KEPT_FIRST, KEPT, KEPT_KEY, KEPT_VALUE,
			     NULL));
	for (i = 0; i < KEPT; i++) {
		kt_key(key, KEPT_KEY, KEPT_FIRST + i);
		ASSERT_EQ(-EMSGSIZE, kt_get(self->fd, key, KEPT_KEY, NULL, 0,
					    NULL, &self->version[i]));
	}
	ASSERT_TRUE(hammer_run(self->h));
	tell(_metadata, self->fuzz);
	EXPECT_EQ(self->fuzz->quota * self->h->processes, self->fuzz->calls);

	EXPECT_EQ(0, kt_verify(self->fd, KEPT_FIRST, KEPT, KEPT_KEY,
			       KEPT_VALUE, NULL));
	for (i = 0; i < KEPT; i++) {
		kt_key(key, KEPT_KEY, KEPT_FIRST + i);
		EXPECT_EQ(-EMSGSIZE, kt_get(self->fd, key, KEPT_KEY, NULL, 0,
					    NULL, &version));
		EXPECT_EQ(self->version[i], version);
	}
	counts_right(_metadata, self->fd, &self->info);
	all_room(_metadata, self->fd);
}

TEST_F_TIMEOUT(fuzz, with_clear, LONGEST)
{
	self->fuzz->may_clear = true;
	ASSERT_TRUE(hammer_run(self->h));
	tell(_metadata, self->fuzz);
	EXPECT_EQ(self->fuzz->quota * self->h->processes, self->fuzz->calls);
	counts_right(_metadata, self->fd, &self->info);
	all_room(_metadata, self->fd);
}

TEST_HARNESS_MAIN
