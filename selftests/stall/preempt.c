// SPDX-License-Identifier: GPL-2.0
/*
 * A client that loses its CPU in the middle of a call holds no writer up, on a
 * kernel that may take the CPU away anywhere (preempt=full).
 *
 * A SCHED_IDLE client works on long values, on a CPU that a SCHED_FIFO thread then
 * takes.  A writer on another CPU must replace more memory than may be deferred,
 * before the CPU is given back.  That is an order of events: the CPU is given back
 * early only when no SET has completed for a long time.
 *
 * With RCU, writers wait for all readers of the kernel, and a call now and then is
 * in read-side critical sections of the kernel's own, mostly to allocate memory:
 * these are short, but the client may lose its CPU there.  So some of the rounds
 * may fail; if the module's copies could be preempted, about half of them would.
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <sched.h>
#include <stdlib.h>
#include <sys/mount.h>
#include <time.h>
#include <unistd.h>

#include "kselftest_harness.h"
#include "kmap_fixture.h"

#define LONG_LEN	1048576u
#define ROOM		(2 * LONG_LEN)
#define SET_LEN		65536
#define SETS		100	/* in a round; twice what may be deferred */
#define ROUNDS		16
#define HELD_MOST	4	/* rounds in which the writer was held up */
#define GIVE_UP		10	/* seconds without a completed SET */
#define HOG_PRIORITY	50

#define DEBUGFS		"/sys/kernel/debug"
#define PREEMPT		DEBUGFS "/sched/preempt"
#define FAIR_SERVER	DEBUGFS "/sched/fair_server/cpu1/runtime"
#define RT_RUNTIME	"/proc/sys/kernel/sched_rt_runtime_us"

static int read_text(const char *path, char *text, size_t size)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	ssize_t got;

	if (fd < 0)
		return -errno;
	got = read(fd, text, size - 1);
	close(fd);
	if (got < 0)
		return -EIO;
	text[got] = 0;
	return 0;
}

static int write_text(const char *path, const char *text)
{
	int fd = open(path, O_WRONLY | O_CLOEXEC);
	int ret = 0;

	if (fd < 0)
		return -errno;
	if (write(fd, text, strlen(text)) < 0)
		ret = -errno;
	close(fd);
	return ret;
}

static int pin(pid_t pid, int cpu)
{
	cpu_set_t set;

	CPU_ZERO(&set);
	CPU_SET(cpu, &set);
	return sched_setaffinity(pid, sizeof(set), &set) ? -errno : 0;
}

/* The thread that reports a CPU's quiescent states, if the kernel has one. */
static pid_t rcu_teller;
static int policy_before;
static struct sched_param priority_before;

/*
 * Moves RCU's threads to the writer's CPU.  With PREEMPT_RT one has to run on the
 * other CPU; it gets a higher priority than the thread that takes that CPU, because
 * otherwise no grace period would end, even without readers.
 */
static void arrange_rcu(void)
{
	const struct sched_param first = {
		.sched_priority = HOG_PRIORITY + 1,
	};
	DIR *proc = opendir("/proc");
	struct dirent *one;
	char path[300], comm[32];

	while (proc && (one = readdir(proc))) {
		snprintf(path, sizeof(path), "/proc/%s/comm", one->d_name);
		if (read_text(path, comm, sizeof(comm)) ||
		    strncmp(comm, "rcu", 3))
			continue;
		pin(strtol(one->d_name, NULL, 10), 0);
		if (!strcmp(comm, "rcuc/1\n")) {
			rcu_teller = strtol(one->d_name, NULL, 10);
			policy_before = sched_getscheduler(rcu_teller);
			sched_getparam(rcu_teller, &priority_before);
			sched_setscheduler(rcu_teller, SCHED_FIFO, &first);
		}
	}
	if (proc)
		closedir(proc);
}

/* Settings of the kernel from before, for restore(). */
static char preempt_before[16], rt_before[32], fair_before[32];

static bool preempts_anywhere(void)
{
	char text[64], *from, *to;

	mount("debugfs", DEBUGFS, "debugfs", 0, NULL);
	if (read_text(PREEMPT, text, sizeof(text)))
		return !access("/sys/kernel/realtime", F_OK);
	from = strchr(text, '(');
	to = from ? strchr(from, ')') : NULL;
	if (!to)
		return false;
	*to = 0;
	snprintf(preempt_before, sizeof(preempt_before), "%s", from + 1);
	return !write_text(PREEMPT, "full");
}

static void prepare(void)
{
	if (!read_text(RT_RUNTIME, rt_before, sizeof(rt_before)))
		write_text(RT_RUNTIME, "-1");
	if (!read_text(FAIR_SERVER, fair_before, sizeof(fair_before)))
		write_text(FAIR_SERVER, "0");
	arrange_rcu();
}

static void restore(void)
{
	if (*fair_before)
		write_text(FAIR_SERVER, fair_before);
	if (*rt_before)
		write_text(RT_RUNTIME, rt_before);
	if (*preempt_before)
		write_text(PREEMPT, preempt_before);
	if (rcu_teller)
		sched_setscheduler(rcu_teller, policy_before, &priority_before);
}

/* What the threads share: numbers of rounds, and counts. */
static unsigned int asked, taken, released;
static unsigned int held_up;	/* how often */
static unsigned long calls, sets;
static bool stop;

/* Keeps the CPU until the writer is done, or makes no progress. */
static void spin(unsigned int round)
{
	unsigned long before = 0, now;
	struct timespec at, since;

	clock_gettime(CLOCK_MONOTONIC, &since);
	while (__atomic_load_n(&released, __ATOMIC_ACQUIRE) < round) {
		clock_gettime(CLOCK_MONOTONIC, &at);
		now = __atomic_load_n(&sets, __ATOMIC_ACQUIRE);
		if (now != before) {
			before = now;
			since = at;
		} else if (at.tv_sec > since.tv_sec + kt_seconds(GIVE_UP)) {
			__atomic_fetch_add(&held_up, 1, __ATOMIC_RELEASE);
			return;
		}
	}
}

static void *hog(void *arg)
{
	struct sched_param param = { .sched_priority = HOG_PRIORITY };
	unsigned int round;

	if (pin(0, 1) || sched_setscheduler(0, SCHED_FIFO, &param))
		return arg;
	for (round = 1; round <= ROUNDS; round++) {
		while (__atomic_load_n(&asked, __ATOMIC_ACQUIRE) < round) {
			if (__atomic_load_n(&stop, __ATOMIC_ACQUIRE))
				return NULL;
			usleep(200);
		}
		__atomic_store_n(&taken, round, __ATOMIC_RELEASE);
		spin(round);
	}
	return NULL;
}

/* A client, and the call that it repeats. */
struct client {
	int fd;
	int (*call)(int fd, __u8 *value);
};

static int get_long(int fd, __u8 *value)
{
	return kt_get(fd, "long", 4, value, LONG_LEN, NULL, NULL);
}

/* Replaces a value, and gets the old one. */
static int swap_long(int fd, __u8 *value)
{
	return kt_swap(fd, "long", 4, value, LONG_LEN, 0, NULL, value, LONG_LEN,
		       NULL);
}

/* Is refused, and gets the value that is there. */
static int create_long(int fd, __u8 *value)
{
	int ret = kt_swap(fd, "long", 4, "", 0, KMAP_CREATE, NULL, value,
			  LONG_LEN, NULL);

	return ret == -EEXIST ? 0 : ret;
}

static int walk_long(int fd, __u8 *value)
{
	struct kmap_keys keys = {
		.flags	= KMAP_KEYS_VALUES,
		.buf	= kt_ptr(value),
		.size	= ROOM,
	};

	while (keys.cursor != KMAP_KEYS_END) {
		int ret = kt_ioctl(fd, KMAP_IOC_KEYS, &keys);

		if (ret)
			return ret;
	}
	return 0;
}

static void *idle(void *arg)
{
	struct sched_param param = { 0 };
	struct client *client = arg;
	__u8 *value = malloc(ROOM);

	if (!value || pin(0, 1) || sched_setscheduler(0, SCHED_IDLE, &param))
		return arg;
	memset(value, 'v', ROOM);
	while (!__atomic_load_n(&stop, __ATOMIC_ACQUIRE)) {
		if (client->call(client->fd, value))
			return arg;
		__atomic_fetch_add(&calls, 1, __ATOMIC_RELEASE);
	}
	free(value);
	return NULL;
}

static int write_much(int fd)
{
	static __u8 value[SET_LEN];
	unsigned int i;
	int ret = 0;

	for (i = 0; !ret && i < SETS; i++) {
		ret = kt_set(fd, "short", 5, value, SET_LEN, 0, NULL);
		__atomic_fetch_add(&sets, 1, __ATOMIC_RELEASE);
	}
	return ret;
}

/* Waits until the client has completed another call, and a little longer. */
static void let_it_run(__u64 *random)
{
	unsigned long before = __atomic_load_n(&calls, __ATOMIC_ACQUIRE);
	unsigned int i;

	for (i = 0; i < 100000 &&
	     __atomic_load_n(&calls, __ATOMIC_ACQUIRE) < before + 2; i++)
		usleep(1000);
	usleep(kt_random(random) % 3000);
}

/* @in_kernel: before a change, the kernel touches every page of the buffer. */
FIXTURE_VARIANT(map)
{
	int (*call)(int fd, __u8 *value);
	bool in_kernel;
};

FIXTURE_VARIANT_ADD(map, get) { get_long, false };
FIXTURE_VARIANT_ADD(map, walk) { walk_long, false };
FIXTURE_VARIANT_ADD(map, swap) { swap_long, true };
FIXTURE_VARIANT_ADD(map, create) { create_long, true };

TEST_F_TIMEOUT(map, loses_its_cpu, KT_LONG)
{
	struct client client = { .call = variant->call };
	static __u8 value[LONG_LEN];
	pthread_t threads[2];
	unsigned int round;
	__u64 random = 1;
	void *failed;

	if (sysconf(_SC_NPROCESSORS_ONLN) < 2)
		SKIP(return, "one CPU");
	if (!preempts_anywhere())
		SKIP(return, "this kernel has no preempt=full");
	RELOAD("shards=1 max_bytes=16M max_entries=1000 max_value=1M");
	if (variant->in_kernel && !strcmp(self->info.lock, "rcu"))
		SKIP(return, "the kernel itself is a reader for much of it");
	ASSERT_EQ(0, kt_set(self->fd, "long", 4, value, LONG_LEN, 0, NULL));
	ASSERT_LT(self->info.deferred_max, SETS * SET_LEN / 2);
	prepare();
	ASSERT_EQ(0, pin(0, 0));
	client.fd = self->fd;
	ASSERT_EQ(0, pthread_create(&threads[0], NULL, hog, &client));
	ASSERT_EQ(0, pthread_create(&threads[1], NULL, idle, &client));
	for (round = 1; round <= ROUNDS; round++) {
		let_it_run(&random);
		__atomic_store_n(&asked, round, __ATOMIC_RELEASE);
		while (__atomic_load_n(&taken, __ATOMIC_ACQUIRE) < round)
			usleep(200);
		EXPECT_EQ(0, write_much(self->fd));
		__atomic_store_n(&released, round, __ATOMIC_RELEASE);
		if (__atomic_load_n(&held_up, __ATOMIC_ACQUIRE) > HELD_MOST)
			break;
	}
	EXPECT_LE(held_up, HELD_MOST) {
		TH_LOG("in %u of %u rounds a writer waited until the client had its CPU back",
		       held_up, round);
	}
	__atomic_store_n(&stop, true, __ATOMIC_RELEASE);
	for (round = 0; round < 2; round++) {
		ASSERT_EQ(0, pthread_join(threads[round], &failed));
		EXPECT_EQ(NULL, failed);
	}
	restore();
}

TEST_HARNESS_MAIN
