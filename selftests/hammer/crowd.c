// SPDX-License-Identifier: GPL-2.0
/*
 * Very many clients: ten thousand opens, thousands of forks, and overwriters
 * that outrun the grace periods.  The map keeps working, deferred entries stay
 * below their bound, and everything is released at the end.
 */
#include <errno.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/wait.h>

#include "kselftest_harness.h"
#include "kmap_fixture.h"

#define OPENS		((int)kt_less(10000, 1000))
#define FORKS		(PARENTS * (int)kt_less(500, 50))
#define PARENTS		4
#define WRITERS		4
#define STORM		((int)kt_less(150, 50))	/* rounds of each writer */
#define BIG		60000

/* Seconds; a fork takes long on an emulated CPU with a debug kernel. */
#define LONGEST		9000

static int add(int fd)
{
	return kt_add(fd, "count", 5, 1, 0, NULL, NULL);
}

static __s64 sum(int fd)
{
	__s64 count = 0;

	if (kt_get(fd, "count", 5, &count, 8, NULL, NULL))
		return -1;
	return count;
}

TEST_F_TIMEOUT(map, ten_thousand_opens, LONGEST)
{
	const struct rlimit limit = { OPENS + 100, OPENS + 100 };
	int *fds = calloc(OPENS, sizeof(*fds));
	int i;

	ASSERT_NE(NULL, fds);
	ASSERT_EQ(0, setrlimit(RLIMIT_NOFILE, &limit));
	for (i = 0; i < OPENS; i++) {
		fds[i] = kt_open(O_RDWR | O_CLOEXEC);
		ASSERT_GE(fds[i], 0) {
			TH_LOG("open %d: %s", i, strerror(-fds[i]));
		}
	}
	for (i = 0; i < OPENS; i++)
		ASSERT_EQ(0, add(fds[i]));
	EXPECT_EQ(OPENS, sum(self->fd));
	close(self->fd);
	self->fd = fds[OPENS - 1];
	for (i = 0; i < OPENS - 1; i++)
		ASSERT_EQ(0, close(fds[i]));
	EXPECT_EQ(-EWOULDBLOCK, kt_unload());
	EXPECT_EQ(OPENS, sum(self->fd));
	close(self->fd);
	EXPECT_EQ(0, kt_unload());
	ASSERT_EQ(0, kt_reload("%s", ""));
	self->fd = kt_open(O_RDWR | O_CLOEXEC);
	ASSERT_GE(self->fd, 0);
}

/* Fork children one after the other; each uses the file it inherits and its own. */
static int fork_many(int fd, int count)
{
	int status;
	pid_t pid;

	while (count--) {
		pid = fork();
		if (pid < 0)
			return 1;
		if (!pid) {
			int own = kt_open(O_RDWR);

			_exit(own < 0 || add(fd) || add(own));
		}
		if (waitpid(pid, &status, 0) != pid || status)
			return 1;
	}
	return 0;
}

TEST_F_TIMEOUT(map, thousands_of_forks, LONGEST)
{
	pid_t pids[PARENTS];
	int status, i;

	for (i = 0; i < PARENTS; i++) {
		pids[i] = fork();
		ASSERT_GE(pids[i], 0);
		if (!pids[i])
			_exit(fork_many(self->fd, FORKS / PARENTS));
	}
	for (i = 0; i < PARENTS; i++) {
		ASSERT_EQ(pids[i], waitpid(pids[i], &status, 0));
		EXPECT_EQ(0, status);
	}
	EXPECT_EQ(2 * FORKS, sum(self->fd));
	close(self->fd);
	EXPECT_EQ(0, kt_unload());
	ASSERT_EQ(0, kt_reload("%s", ""));
	self->fd = kt_open(O_RDWR | O_CLOEXEC);
	ASSERT_GE(self->fd, 0);
}

/**
 * struct storm - what the writers and the test share
 * @rounds: rounds done by all writers
 * @failed: calls that failed
 * @seen: the test has seen entries deferred and a wait, or need not see them
 */
struct storm {
	atomic_uint rounds;
	atomic_uint failed;
	atomic_bool seen;
};

/* Set big values again and again, over others and where there are none. */
static void overwrite(struct storm *storm, int writer)
{
	static __u8 value[BIG];
	int fd = kt_open(O_RDWR);
	unsigned int i;

	/* How many rounds outrun a grace period depends on how busy the host is. */
	for (i = 0; i < STORM || (!atomic_load(&storm->seen) &&
				  i < 100 * STORM); i++) {
		__u64 key = i % 3;

		kt_value_fill(value, BIG, &key, 8, writer);
		if (fd < 0 || kt_set(fd, &key, 8, value, BIG - i % 1000, 0,
				     NULL))
			atomic_fetch_add(&storm->failed, 1);
		key = 100 + writer;
		if (kt_set(fd, &key, 8, value, BIG, 0, NULL) ||
		    kt_del(fd, &key, 8, 0, NULL))
			atomic_fetch_add(&storm->failed, 1);
		atomic_fetch_add(&storm->rounds, 1);
	}
	_exit(0);
}

TEST_F_TIMEOUT(map, overwrite_storm, KT_LONG)
{
	const char *lock = getenv("KMAP_LOCK");
	bool deferring = lock && !strcmp(lock, "rcu");
	struct kmap_info info = { 0 };
	unsigned int looks = 0;
	struct storm *storm;
	pid_t pids[WRITERS];
	__u64 most = 0, memory = 0;
	int i;

	storm = mmap(NULL, sizeof(*storm), PROT_READ | PROT_WRITE,
		     MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	ASSERT_NE(MAP_FAILED, storm);
	/* These make the bounds as small as possible. */
	RELOAD("shards=2 max_bytes=2m max_entries=1000");
	for (i = 0; i < WRITERS; i++) {
		pids[i] = fork();
		ASSERT_GE(pids[i], 0);
		if (!pids[i])
			overwrite(storm, i);
	}
	while (atomic_load(&storm->rounds) < WRITERS * STORM ||
	       (!atomic_load(&storm->seen) &&
		atomic_load(&storm->rounds) < WRITERS * 100 * STORM)) {
		ASSERT_EQ(0, kt_info(self->fd, &info));
		ASSERT_LE(info.deferred, info.deferred_max);
		if (info.deferred > most)
			most = info.deferred;
		if (info.memory > memory)
			memory = info.memory;
		if (!deferring || (most && info.waits))
			atomic_store(&storm->seen, true);
		looks++;
		usleep(200);
	}
	for (i = 0; i < WRITERS; i++)
		waitpid(pids[i], NULL, 0);
	EXPECT_EQ(0, atomic_load(&storm->failed));
	ASSERT_EQ(0, kt_info(self->fd, &info));
	EXPECT_LE(info.deferred, info.deferred_max);
	TH_LOG("%u looks: at most %llu of %llu bytes deferred, %llu waits, %llu KiB of memory",
	       looks, most, info.deferred_max, info.waits, memory / 1024);
	EXPECT_LE(3, info.entries);
	EXPECT_LE(memory, self->info.memory + info.max_bytes +
			  2 * info.deferred_max + 1048576);
	if (!deferring) {
		EXPECT_EQ(0, most);
		EXPECT_EQ(0, info.waits);
	} else {
		/* More was replaced than may be deferred, so a writer had to wait. */
		EXPECT_GT(most, 0);
		EXPECT_GT(info.waits, 0);
	}
}

TEST_HARNESS_MAIN
