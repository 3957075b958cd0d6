// SPDX-License-Identifier: GPL-2.0
/*
 * Runs of the hammer tests: forks the processes, starts their threads, keeps
 * the clock and the watchdog, and prints the first failure.
 *
 * The test's own process coordinates.  It makes no call on the device during a
 * run, so it can report a map that blocks its callers forever.
 */
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/random.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "hammer.h"

#define TICK_US		5000
#define BARRIER_SPINS	200

double hammer_clock(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return now.tv_sec + now.tv_nsec / 1e9;
}

static void __attribute__((noreturn)) no_number(const char *name,
						const char *text)
{
	fprintf(stderr, "%s is no number that will do: %s\n", name, text);
	exit(EXIT_FAILURE);
}

unsigned long hammer_setting(const char *name, unsigned long otherwise)
{
	const char *text = getenv(name);
	unsigned long number;
	char *end;

	if (!text || !*text)
		return otherwise;
	errno = 0;
	number = strtoul(text, &end, 10);
	if (*end || errno || strchr(text, '-'))
		no_number(name, text);
	return number;
}

static double setting_seconds(void)
{
	const char *text = getenv("HAMMER_SECONDS");
	double seconds;
	char *end;

	if (!text || !*text)
		return 2;
	seconds = strtod(text, &end);
	if (*end || !(seconds > 0))
		no_number("HAMMER_SECONDS", text);
	return seconds;
}

static __u64 setting_seed(void)
{
	const char *text = getenv("HAMMER_SEED");
	__u64 seed = 0;
	char *end;

	if (text && *text) {
		seed = strtoull(text, &end, 0);
		if (*end)
			no_number("HAMMER_SEED", text);
		return seed;
	}
	if (getrandom(&seed, sizeof(seed), 0) != sizeof(seed))
		seed = (__u64)time(NULL);
	return seed;
}

int hammer_timeout(void)
{
	/* watch() finds what hangs, unless it hangs itself. */
	return 10 * (10 * setting_seconds() + hammer_setting("HAMMER_KILLS", 200) +
		     4 * hammer_setting("HAMMER_PATIENCE", 60));
}

int hammer_reload(void)
{
	const char *shards = getenv("KMAP_SHARDS");

	return kt_reload("%s", shards && *shards ? "" : "shards=8");
}

void *hammer_share(size_t size)
{
	void *shared = mmap(NULL, size, PROT_READ | PROT_WRITE,
			    MAP_SHARED | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);

	return shared == MAP_FAILED ? NULL : shared;
}

void hammer_unshare(void *shared, size_t size)
{
	if (shared)
		munmap(shared, size);
}

struct hammer *hammer_new(void)
{
	struct hammer *h = hammer_share(sizeof(*h));
	unsigned int i;
	__u64 seed;
	int fd;

	if (!h)
		return NULL;
	h->processes = hammer_setting("HAMMER_PROCESSES", 4);
	h->threads = hammer_setting("HAMMER_THREADS", 4);
	h->seconds = setting_seconds();
	h->workers = h->processes * h->threads;
	if (h->processes < 2 || h->threads < 2 || h->workers > HAMMER_WORKERS) {
		fprintf(stderr, "at least 2 processes and threads, at most %d in all\n",
			HAMMER_WORKERS);
		goto free;
	}

	if (!kt_loaded() && kt_reload("%s", "")) {
		fprintf(stderr, "kmap is not loaded and cannot be loaded\n");
		goto free;
	}
	seed = setting_seed();
	printf("# HAMMER_SEED=%#llx\n", seed);
	fflush(stdout);
	for (i = 0; i < HAMMER_WORKERS; i++)
		h->worker[i].random = kt_hash(&i, sizeof(i), seed);

	fd = kt_open(O_RDWR);
	if (fd < 0 || kt_clear(fd, NULL)) {
		fprintf(stderr, "cannot clear %s\n", KT_DEVICE);
		if (fd >= 0)
			close(fd);
		goto free;
	}
	close(fd);
	return h;
free:
	hammer_unshare(h, sizeof(*h));
	return NULL;
}

void hammer_free(struct hammer *h)
{
	hammer_unshare(h, sizeof(*h));
}

/* Notes a failure; @w is NULL when the coordinator has found it. */
static void __attribute__((format(printf, 3, 0)))
fail(struct hammer *h, struct hammer_worker *w, const char *fmt, va_list args)
{
	int used = 0;

	if (!atomic_exchange(&h->failed, true)) {
		if (w)
			used = snprintf(h->message, sizeof(h->message),
					"worker %u in process %u: ", w->id,
					w->process);
		vsnprintf(h->message + used, sizeof(h->message) - used, fmt,
			  args);
	}
	atomic_store(&h->stop, true);
}

bool hammer_fail(struct hammer_worker *w, const char *fmt, ...)
{
	va_list args;

	va_start(args, fmt);
	fail(w->h, w, fmt, args);
	va_end(args);
	return false;
}

static void __attribute__((format(printf, 2, 3)))
fail_run(struct hammer *h, const char *fmt, ...)
{
	va_list args;

	va_start(args, fmt);
	fail(h, NULL, fmt, args);
	va_end(args);
}

bool hammer_barrier(struct hammer_worker *w)
{
	struct hammer *h = w->h;
	unsigned int turn = atomic_load(&h->turn);
	unsigned int spins = 0;

	hammer_step(w);
	if (atomic_fetch_add(&h->waiting, 1) + 1 == h->workers) {
		atomic_store(&h->waiting, 0);
		atomic_store(&h->turn, turn + 1);
		return !atomic_load(&h->stop);
	}
	while (atomic_load(&h->turn) == turn) {
		if (atomic_load(&h->stop))
			return false;
		if (++spins < BARRIER_SPINS)
			sched_yield();
		else
			usleep(200);
	}
	return !atomic_load(&h->stop);
}

__u64 hammer_below(struct hammer_worker *w, __u64 n)
{
	return kt_random(&w->random) % n;
}

size_t hammer_length(__u64 random, size_t max)
{
	static const size_t most[16] = {
		128, 128, 128, 128, 128, 128, 128, 128,
		2048, 2048, 2048, 2048, 16384, 16384, 16384, SIZE_MAX
	};
	size_t limit = most[random & 15];

	random >>= 4;
	if (limit >= max) {
		limit = max;
		if (!(random & 3))
			return max;
	}
	return (random >> 2) % (limit + 1);
}

size_t hammer_key(char key[HAMMER_KEY_MAX], const char *name, __u64 number)
{
	return snprintf(key, HAMMER_KEY_MAX, "%s-%llu", name,
			(unsigned long long)number);
}

__s64 hammer_key_number(const void *key, size_t key_len, const char *name)
{
	size_t name_len = strlen(name);
	const char *text = key;
	__s64 number = 0;
	size_t i;

	if (key_len < name_len + 2 || key_len > name_len + 1 + 18 ||
	    memcmp(text, name, name_len) || text[name_len] != '-')
		return -1;
	for (i = name_len + 1; i < key_len; i++) {
		if (text[i] < '0' || text[i] > '9')
			return -1;
		number = number * 10 + (text[i] - '0');
	}
	return number;
}

static void work(struct hammer_worker *w)
{
	struct hammer *h = w->h;
	struct kmap_info info;
	int ret = kt_info(w->fd, &info);

	w->max_value = info.max_value;
	w->own = NULL;
	w->in = malloc(w->max_value);
	w->out = malloc(w->max_value);
	if (ret || !w->in || !w->out) {
		hammer_fail(w, "no beginning: %d", ret);
		return;
	}

	if (h->together) {
		if (h->prepare && !h->prepare(w))
			return;
		if (!hammer_barrier(w))
			return;
	}
	h->work(w);
}

static void *thread_main(void *arg)
{
	struct hammer_worker *w = arg;

	atomic_store(&w->tid, (pid_t)syscall(SYS_gettid));
	work(w);
	free(w->in);
	free(w->out);
	free(w->own);
	atomic_store(&w->ended, true);
	return NULL;
}

static int process_main(struct hammer *h, unsigned int process)
{
	struct hammer_worker *first = &h->worker[process * h->threads];
	pthread_t thread[HAMMER_WORKERS];
	int fd = kt_open(O_RDWR);
	unsigned int i;

	if (fd < 0) {
		fail_run(h, "process %u cannot open %s: %s", process, KT_DEVICE,
			 strerror(-fd));
		return EXIT_FAILURE;
	}
	for (i = 0; i < h->threads; i++) {
		first[i].fd = fd;
		if (pthread_create(&thread[i], NULL, thread_main, &first[i])) {
			fail_run(h, "process %u cannot start a thread", process);
			return EXIT_FAILURE;
		}
	}
	for (i = 0; i < h->threads; i++)
		pthread_join(thread[i], NULL);
	return EXIT_SUCCESS;
}

pid_t hammer_spawn(struct hammer *h, unsigned int process)
{
	struct hammer_worker *first = &h->worker[process * h->threads];
	pid_t parent = getpid();
	unsigned int i;
	pid_t pid;

	for (i = 0; i < h->threads; i++) {
		first[i].h = h;
		first[i].id = process * h->threads + i;
		first[i].process = process;
		atomic_store(&first[i].tid, 0);
		atomic_store(&first[i].steps, 0);
		atomic_store(&first[i].ended, false);
	}

	fflush(stdout);
	fflush(stderr);
	pid = fork();
	if (pid < 0)
		return -errno;
	if (pid == 0) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		if (getppid() != parent)
			_exit(EXIT_FAILURE);
		_exit(process_main(h, process));
	}
	return pid;
}

/* Prints where in the kernel a thread is, if the kernel tells. */
static void print_stack(pid_t tid)
{
	char path[64], line[256];
	FILE *file;

	snprintf(path, sizeof(path), "/proc/%d/stack", tid);
	file = fopen(path, "r");
	if (!file)
		return;
	while (fgets(line, sizeof(line), file))
		printf("#   %s", line);
	fclose(file);
}

static void print_stuck(struct hammer *h)
{
	struct hammer_worker *w;

	for (w = h->worker; w < h->worker + h->workers; w++) {
		if (atomic_load(&w->ended))
			continue;
		printf("# worker %u (thread %d) is at operation %lu:\n", w->id,
		       atomic_load(&w->tid), atomic_load(&w->steps));
		print_stack(atomic_load(&w->tid));
	}
}

static unsigned long all_steps(struct hammer *h)
{
	unsigned long steps = atomic_load(&h->turn);
	unsigned int i;

	for (i = 0; i < h->workers; i++)
		steps += atomic_load(&h->worker[i].steps) +
			 atomic_load(&h->worker[i].ended);
	return steps;
}

/* Removes the processes that have ended from the list; returns how many are left. */
static unsigned int reap(struct hammer *h, pid_t *pids)
{
	unsigned int left = 0;
	unsigned int i;
	int status;

	for (i = 0; i < h->processes; i++) {
		if (pids[i] <= 0)
			continue;
		if (waitpid(pids[i], &status, WNOHANG) != pids[i]) {
			left++;
			continue;
		}
		pids[i] = 0;
		if (WIFSIGNALED(status))
			fail_run(h, "process %u died of signal %d", i,
				 WTERMSIG(status));
		else if (WEXITSTATUS(status))
			fail_run(h, "process %u ended with status %d", i,
				 WEXITSTATUS(status));
	}
	return left;
}

static void kill_all(struct hammer *h, pid_t *pids)
{
	unsigned int looks = 60 * 1000000 / TICK_US;
	unsigned int i;

	for (i = 0; i < h->processes; i++) {
		if (pids[i] > 0)
			kill(pids[i], SIGKILL);
	}
	while (reap(h, pids) && looks--)
		usleep(TICK_US);
}

static bool goals_reached(struct hammer *h)
{
	int i;

	for (i = 0; i < HAMMER_GOALS; i++) {
		if (h->goals[i] && !atomic_load(h->goals[i]))
			return false;
	}
	return true;
}

/*
 * Stops the run when it is over, or fails it when it hangs.  Patience is counted in
 * looks, not by the clock, because a machine that gets no time from its host looks
 * less often, too.
 */
static void watch(struct hammer *h, pid_t *pids)
{
	const double patience = hammer_setting("HAMMER_PATIENCE", 60);
	unsigned long looks = 0;
	unsigned long last = 0;
	unsigned long steps;
	double end = 0;
	double now;

	while (reap(h, pids)) {
		now = hammer_clock();
		if (h->seconds > 0 && !end && atomic_load(&h->turn))
			end = now + h->seconds;
		if (end && now >= end && goals_reached(h))
			atomic_store(&h->stop, true);

		steps = all_steps(h);
		if (steps != last) {
			last = steps;
			looks = 0;
		} else if (++looks > patience * 1e6 / TICK_US) {
			fail_run(h, "hang: no operation has ended for %.0f seconds or more",
				 patience);
			print_stuck(h);
			kill_all(h, pids);
			return;
		}
		usleep(TICK_US);
	}
}

bool hammer_run(struct hammer *h)
{
	pid_t pids[HAMMER_WORKERS] = { 0 };
	unsigned int i;

	h->workers = h->processes * h->threads;
	atomic_store(&h->stop, false);
	atomic_store(&h->waiting, 0);
	atomic_store(&h->turn, 0);
	h->together = true;

	for (i = 0; i < h->processes; i++) {
		pids[i] = hammer_spawn(h, i);
		if (pids[i] < 0) {
			fail_run(h, "cannot fork: %s", strerror(-pids[i]));
			kill_all(h, pids);
			break;
		}
	}
	watch(h, pids);

	if (atomic_load(&h->failed))
		printf("# %s\n", h->message);
	fflush(stdout);
	return !atomic_load(&h->failed);
}
