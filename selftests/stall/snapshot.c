// SPDX-License-Identifier: GPL-2.0
/*
 * Snapshots whose callers do not run, or stall in the copy to their buffers: others
 * go on, memory is bounded, and a snapshot that falls behind fails.
 *
 * No check depends on time: a call that waited for a stalled one would never return.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include <linux/userfaultfd.h>

#include "kselftest_harness.h"
#include "kmap_fixture.h"
#include "kmap_test_window.h"

#define PAGE		4096u
#define KEY_LEN		16
#define CUTS		64	/* most snapshots at a time */
#define TICK_US		500

static int keys_ioctl(int fd, void *buf, __u64 size, __u32 flags,
		      struct kmap_keys *keys)
{
	memset(keys, 0, sizeof(*keys));
	keys->buf = kt_ptr(buf);
	keys->size = size;
	keys->flags = KMAP_KEYS_ATOMIC | flags;
	return kt_ioctl(fd, KMAP_IOC_KEYS, keys);
}

static bool run_on(int cpu)
{
	cpu_set_t set;

	CPU_ZERO(&set);
	CPU_SET(cpu, &set);
	return !sched_setaffinity(0, sizeof(set), &set);
}

/**
 * struct crowd - what the processes of a test share
 * @spin: the processes that keep a CPU busy must do so
 * @spun: how often they have seen that
 * @taken: number of snapshots
 * @stop: all must end
 */
struct crowd {
	atomic_int spin;
	atomic_uint spun;
	atomic_uint taken;
	atomic_int stop;
};

static void keep_busy(struct crowd *crowd)
{
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	if (!run_on(1) || setpriority(PRIO_PROCESS, 0, -20))
		_exit(1);
	while (!atomic_load(&crowd->stop)) {
		if (atomic_load(&crowd->spin))
			atomic_fetch_add(&crowd->spun, 1);
		else
			usleep(TICK_US);
	}
	_exit(0);
}

/* Takes snapshots with SCHED_IDLE, which runs only when nobody else needs the CPU. */
static void take_snapshots(struct crowd *crowd, int fd)
{
	struct sched_param param = { 0 };
	struct kmap_keys keys;

	prctl(PR_SET_PDEATHSIG, SIGKILL);
	if (!run_on(1) || sched_setscheduler(0, SCHED_IDLE, &param))
		_exit(1);
	while (!atomic_load(&crowd->stop)) {
		if (keys_ioctl(fd, NULL, 0, 0, &keys) != -EMSGSIZE)
			_exit(2);
		atomic_fetch_add(&crowd->taken, 1);
	}
	_exit(0);
}

/* Waits for the end of a snapshot; returns about how long, in microseconds. */
static unsigned int wait_taken(struct crowd *crowd)
{
	unsigned int before = atomic_load(&crowd->taken);
	struct timespec from, to;

	clock_gettime(CLOCK_MONOTONIC, &from);
	while (atomic_load(&crowd->taken) == before)
		;
	clock_gettime(CLOCK_MONOTONIC, &to);
	return (to.tv_sec - from.tv_sec) * 1000000 +
	       (to.tv_nsec - from.tv_nsec) / 1000;
}

FIXTURE(snapshot) {
	int fd;
	struct kmap_info info;
};

FIXTURE_SETUP(snapshot)
{
	self->fd = open_empty(_metadata);
}

FIXTURE_TEARDOWN(snapshot)
{
	if (self->fd >= 0) {
		kt_clear(self->fd, NULL);
		close(self->fd);
	}
}

/*
 * Snapshots by a task that gets no CPU, because others keep it busy, wherever in the
 * call the task is when they begin.
 */
TEST_F_TIMEOUT(snapshot, of_an_idle_task, KT_LONG)
{
	const unsigned int rounds = 16, keys = kt_less(200000, 2000);
	unsigned int i, k, before, whole;
	struct crowd *crowd;
	pid_t pids[3];
	int status;

	if (sysconf(_SC_NPROCESSORS_ONLN) < 2)
		SKIP(return, "one CPU");
	crowd = mmap(NULL, sizeof(*crowd), PROT_READ | PROT_WRITE,
		     MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	ASSERT_NE(MAP_FAILED, crowd);
	ASSERT_EQ(0, kt_fill(self->fd, 0, keys, KEY_LEN, 8, NULL));
	for (i = 0; i < ARRAY_SIZE(pids); i++) {
		pids[i] = fork();
		ASSERT_GE(pids[i], 0);
		if (!pids[i] && i)
			keep_busy(crowd);
		if (!pids[i])
			take_snapshots(crowd, self->fd);
	}
	ASSERT_TRUE(run_on(0));
	wait_taken(crowd);
	whole = wait_taken(crowd);
	for (i = 0; i < rounds; i++) {
		/* At another point of the call each time. */
		wait_taken(crowd);
		usleep((__u64)whole * i / rounds);
		before = atomic_load(&crowd->spun);
		atomic_store(&crowd->spin, 1);
		while (atomic_load(&crowd->spun) - before < 1000)
			;
		/* Changes of each kind, in every shard. */
		for (k = 0; k < 300; k++) {
			ASSERT_EQ(0, kt_add(self->fd, &k, sizeof(k), 1, 0, NULL,
					    NULL));
			ASSERT_EQ(0, kt_set(self->fd, &k, sizeof(k), &k,
					    sizeof(k), 0, NULL));
			ASSERT_EQ(0, kt_del(self->fd, &k, sizeof(k), 0, NULL));
		}
		ASSERT_EQ(0, kt_fill(self->fd, i * 100, 500, KEY_LEN, 8, NULL));
		atomic_store(&crowd->spin, 0);
	}
	atomic_store(&crowd->stop, 1);
	for (i = 0; i < ARRAY_SIZE(pids); i++) {
		ASSERT_EQ(pids[i], waitpid(pids[i], &status, 0));
		EXPECT_EQ(0, status);
	}
	TH_LOG("%u snapshots, of about %u us", atomic_load(&crowd->taken), whole);
}

/**
 * struct taker - a thread that takes a snapshot into memory that stalls it
 * @fd: the map
 * @uid: user who takes it
 * @buf: the memory
 * @size: its size
 * @thread: the thread
 * @ret: what the call returned
 */
struct taker {
	int fd;
	uid_t uid;
	void *buf;
	__u64 size;
	pthread_t thread;
	int ret;
};

static int uffd;
static __u8 *pages;

static bool stall_pages(unsigned int n)
{
	struct uffdio_api api = { .api = UFFD_API };
	struct uffdio_register reg = { .mode = UFFDIO_REGISTER_MODE_MISSING };

	uffd = syscall(SYS_userfaultfd, O_CLOEXEC);
	if (uffd < 0 || ioctl(uffd, UFFDIO_API, &api))
		return false;
	pages = mmap(NULL, n * PAGE, PROT_READ | PROT_WRITE,
		     MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	if (pages == MAP_FAILED)
		return false;
	reg.range.start = kt_ptr(pages);
	reg.range.len = n * PAGE;
	return !ioctl(uffd, UFFDIO_REGISTER, &reg);
}

/* Waits until another thread stalls. */
static bool wait_stalled(void)
{
	struct uffd_msg msg;

	return read(uffd, &msg, sizeof(msg)) == sizeof(msg) &&
	       msg.event == UFFD_EVENT_PAGEFAULT;
}

static bool let_go(void *page, unsigned int n)
{
	struct uffdio_zeropage zero = {
		.range = { .start = kt_ptr(page), .len = n * PAGE },
	};

	return !ioctl(uffd, UFFDIO_ZEROPAGE, &zero);
}

static void *take(void *arg)
{
	struct taker *taker = arg;
	struct kmap_keys keys;

	/* By syscall(): the C library would change the user of all threads. */
	if (taker->uid && syscall(SYS_setresuid, taker->uid, taker->uid, 0))
		return arg;
	taker->ret = keys_ioctl(taker->fd, taker->buf, taker->size, 0, &keys);
	return NULL;
}

static bool start(struct taker *taker, int fd, uid_t uid, unsigned int page,
		  unsigned int n)
{
	*taker = (struct taker){
		.fd = fd, .uid = uid, .buf = pages + page * PAGE,
		.size = n * PAGE, .ret = 1,
	};
	return !pthread_create(&taker->thread, NULL, take, taker);
}

#define BEHIND	256	/* pages, for more keys than there are */

/* Everything is replaced, removed and stored again while a snapshot stalls. */
TEST_F_TIMEOUT(snapshot, falls_behind, KT_LONG)
{
	__u64 full, again, first;
	struct taker taker;
	unsigned int i;

	if (!stall_pages(BEHIND))
		SKIP(return, "no userfaultfd");
	RELOAD("max_bytes=16m max_entries=100k");
	EXPECT_EQ(-ENOSPC, kt_fill(self->fd, 0, 100000, KEY_LEN, 1000, &full));
	ASSERT_LT(1000, full);
	ASSERT_TRUE(start(&taker, self->fd, 0, 0, BEHIND));
	ASSERT_TRUE(wait_stalled());
	for (i = 0; i < 3; i++) {
		EXPECT_EQ(0, kt_fill(self->fd, 0, full, KEY_LEN, 1000, NULL));
		EXPECT_EQ(0, kt_remove(self->fd, 0, full / 2, KEY_LEN, NULL));
		EXPECT_EQ(0, kt_fill(self->fd, 0, full / 2, KEY_LEN, 1000,
				     NULL));
		EXPECT_EQ(0, kt_verify(self->fd, 0, full, KEY_LEN, 1000, NULL));
	}
	EXPECT_EQ(1, taker.ret);
	ASSERT_TRUE(let_go(pages, BEHIND));
	ASSERT_EQ(0, pthread_join(taker.thread, NULL));
	EXPECT_EQ(-ENOBUFS, taker.ret);

	/* As much as before can be stored, of another size, too. */
	ASSERT_EQ(0, kt_clear(self->fd, NULL));
	kt_fill(self->fd, 0, 100000, KEY_LEN, 1000, &again);
	EXPECT_EQ(full, again);
	ASSERT_EQ(0, kt_clear(self->fd, NULL));
	kt_fill(self->fd, 0, 100000, KEY_LEN, 3000, &first);
	ASSERT_EQ(0, kt_clear(self->fd, NULL));
	kt_fill(self->fd, 0, 100000, KEY_LEN, 3000, &again);
	EXPECT_EQ(first, again);
	EXPECT_LT(full / 4, first);
}

/* A snapshot that stalls shows its moment, if not too much was changed since. */
TEST_F(snapshot, of_one_moment)
{
	struct kmap_keys keys = { 0 };
	struct taker taker;
	struct kmap_item *item;
	unsigned int n;

	if (!stall_pages(1))
		SKIP(return, "no userfaultfd");
	ASSERT_EQ(0, kt_fill(self->fd, 0, 80, KEY_LEN, 8, NULL));
	ASSERT_EQ(0, kt_fill(self->fd, 200, 20, KEY_LEN, 8, NULL));
	ASSERT_TRUE(start(&taker, self->fd, 0, 0, 1));
	ASSERT_TRUE(wait_stalled());
	EXPECT_EQ(0, kt_remove(self->fd, 0, 80, KEY_LEN, NULL));
	EXPECT_EQ(0, kt_fill(self->fd, 100, 50, KEY_LEN, 8, NULL));
	EXPECT_EQ(0, kt_clear(self->fd, NULL));
	ASSERT_TRUE(let_go(pages, 1));
	ASSERT_EQ(0, pthread_join(taker.thread, NULL));
	EXPECT_EQ(0, taker.ret);
	for (item = taker.buf, n = 0; item->key_len; n++) {
		EXPECT_EQ(KEY_LEN, item->key_len);
		item = (void *)item + KMAP_ITEM_SIZE(item->key_len, 0);
	}
	EXPECT_EQ(100, n);
	EXPECT_EQ(-EMSGSIZE, keys_ioctl(self->fd, NULL, 0, 0, &keys) ?: -EMSGSIZE);
	EXPECT_EQ(0, keys.used);
}

#define MARK		0xee
#define MARKED		2000	/* keys; most are not copied before it stalls */
#define LOOKS		600	/* 100 ms apart, until the test gives up */

/* Counts the pages of the window that have eight marks in a row. */
static unsigned int marked_pages(const struct kt_window *window)
{
	unsigned int count = 0;
	__u8 page[window->page], marks[8];
	size_t at;

	memset(marks, MARK, sizeof(marks));
	for (at = 0; at < window->size; at += window->page) {
		if (kt_window_page(window, at, page) == 1 &&
		    memmem(page, window->page, marks, sizeof(marks)))
			count++;
	}
	return count;
}

/* With wipe=1 removed values are wiped in time, even if a stalled snapshot needs them. */
TEST_F_TIMEOUT(snapshot, wiped_in_time, KT_LONG)
{
	struct kt_window window;
	struct taker taker;
	unsigned int look;
	__u8 value[64];
	__u64 key[2] = { 0 };

	if (!stall_pages(BEHIND))
		SKIP(return, "no userfaultfd");
	RELOAD("max_bytes=16m max_entries=100k shards=2 wipe=1");
	memset(value, MARK, sizeof(value));
	for (key[0] = 0; key[0] < MARKED; key[0]++)
		ASSERT_EQ(0, kt_set(self->fd, key, sizeof(key), value,
				    sizeof(value), 0, NULL));
	ASSERT_EQ(0, kt_window_map(self->fd, &window));
	EXPECT_LT(0, marked_pages(&window));
	ASSERT_TRUE(start(&taker, self->fd, 0, 0, BEHIND));
	ASSERT_TRUE(wait_stalled());
	for (key[0] = 0; key[0] < MARKED; key[0]++)
		ASSERT_EQ(0, kt_del(self->fd, key, sizeof(key), 0, NULL));
	for (look = 0; look < LOOKS && marked_pages(&window); look++)
		usleep(100000);
	EXPECT_EQ(0, marked_pages(&window));
	EXPECT_EQ(1, taker.ret);
	ASSERT_TRUE(let_go(pages, BEHIND));
	ASSERT_EQ(0, pthread_join(taker.thread, NULL));
	EXPECT_EQ(-ENOBUFS, taker.ret);
	kt_window_unmap(&window);
}

#define EACH	16	/* pages: more than is copied at a time */

/* As many snapshots as possible, by two users. */
TEST_F_TIMEOUT(snapshot, of_two_users, KT_LONG)
{
	static struct taker takers[CUTS + 2];
	unsigned int i;

	if (!stall_pages((CUTS + 2) * EACH))
		SKIP(return, "no userfaultfd");
	ASSERT_EQ(0, kt_fill(self->fd, 0, 1000, KEY_LEN, 8, NULL));
	for (i = 0; i < CUTS; i++) {
		ASSERT_TRUE(start(&takers[i], self->fd, 1000, i * EACH, EACH));
		ASSERT_TRUE(wait_stalled());
	}
	/* One more of the same user is refused, one of another is not. */
	ASSERT_TRUE(start(&takers[i], self->fd, 1000, i * EACH, EACH));
	ASSERT_EQ(0, pthread_join(takers[i].thread, NULL));
	EXPECT_EQ(-ENOBUFS, takers[i].ret);
	i++;
	ASSERT_TRUE(start(&takers[i], self->fd, 1001, i * EACH, EACH));
	ASSERT_TRUE(wait_stalled());
	ASSERT_TRUE(let_go(pages, (CUTS + 2) * EACH));
	for (i = 0; i < CUTS + 2; i++) {
		if (i == CUTS)
			continue;
		ASSERT_EQ(0, pthread_join(takers[i].thread, NULL));
		/* The oldest one of the user who has most was ended. */
		EXPECT_EQ(i ? 0 : -ENOBUFS, takers[i].ret) {
			TH_LOG("snapshot %u", i);
		}
	}
}

/* A snapshot that does not fit tells its exact size; sizes may exceed 2 GiB. */
TEST_F(snapshot, size)
{
	const __u64 large = sizeof(void *) == 8 ? 5ull << 30 : 3ull << 29;
	struct kmap_keys keys;
	__u64 used;
	void *buf;

	ASSERT_EQ(0, kt_fill(self->fd, 0, 3000, KEY_LEN, 100, NULL));
	EXPECT_EQ(-EMSGSIZE, keys_ioctl(self->fd, NULL, 0, KMAP_KEYS_VALUES,
					&keys));
	used = keys.used;
	EXPECT_EQ(3000 * KMAP_ITEM_SIZE(KEY_LEN, 100), used);
	buf = mmap(NULL, large, PROT_READ | PROT_WRITE,
		   MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
	ASSERT_NE(MAP_FAILED, buf);
	EXPECT_EQ(-EMSGSIZE, keys_ioctl(self->fd, buf, used - 1,
					KMAP_KEYS_VALUES, &keys));
	EXPECT_EQ(used, keys.used);
	EXPECT_EQ(0, keys_ioctl(self->fd, buf, used, KMAP_KEYS_VALUES, &keys));
	EXPECT_EQ(used, keys.used);
	EXPECT_EQ(3000, keys.count);
	EXPECT_EQ(0, keys_ioctl(self->fd, buf, large, KMAP_KEYS_VALUES, &keys));
	EXPECT_EQ(used, keys.used);
	/* A buffer that cannot be user memory is refused at once. */
	EXPECT_EQ(-EFAULT, keys_ioctl(self->fd, buf, ~0ull, 0, &keys));
	munmap(buf, large);
}

TEST_HARNESS_MAIN
