// SPDX-License-Identifier: MIT
/*
 * How long single sets take beside snapshots of the whole map.
 *
 * A task of a real-time priority replaces values of random keys, with a short sleep
 * after each; another takes snapshots meanwhile, one after the other.  So a set takes
 * as long as its own work and what it waits for; what the other task does between two
 * sets does not count.  Under QEMU's -icount with one CPU the figures are
 * instructions; otherwise they are nanoseconds, and include other work of the machine.
 *
 * There are time slices of five kinds.  The other task sleeps; computes; takes
 * snapshots with values; takes snapshots without a buffer, so that entries are only
 * counted; or takes one with values that stalls half way, in a page of its buffer that
 * does not arrive.  The slices follow each other, round after round.
 */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <linux/userfaultfd.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include <linux/kmap.h>

#include "../cli/bench_hist.h"
#include "bench.h"

/* Sets per slice, and how long the writer sleeps after each. */
#define SETS		20000
#define SLEEP_NS	20000

#define ROUNDS_MAX	100

#define PAGE		4096

enum kind { ALONE, BUSY, VALUES, COUNTED, STALLED, KINDS };

static const char *const names[KINDS] = {
	"alone", "busy", "values", "counted", "stalled"
};

/* The results of the snapshots of one kind. */
struct results {
	uint64_t	complete;
	uint64_t	behind;		/* ENOBUFS */
	uint64_t	failed;
	uint64_t	entries;	/* of the last one */
};

/* What both processes share. */
struct shared {
	_Atomic bool	stop;
	struct results	results[KINDS];
};

struct taker {
	struct shared	*shared;
	int		command[2];	/* a byte, the kind, begins a slice */
	int		reply[2];	/* a byte: it has begun; another: it is over */
	int		release[2];	/* a byte lets the page arrive */
	pid_t		pid;
	uint8_t		*buf;
	size_t		size;
	int		map;
};

struct measure {
	struct hist	hist[KINDS];
	uint64_t	longest[KINDS][ROUNDS_MAX];
};

static int say(int fd, char byte)
{
	return write(fd, &byte, 1) == 1 ? 0 : -EPIPE;
}

static int hear(int fd)
{
	char byte;

	return read(fd, &byte, 1) == 1 ? byte : -EPIPE;
}

static void take(struct taker *taker, enum kind kind)
{
	struct results *results = &taker->shared->results[kind];
	struct kmap_keys keys = {
		.buf = (uintptr_t)taker->buf,
		.size = taker->size,
		.flags = KMAP_KEYS_ATOMIC | KMAP_KEYS_VALUES,
	};
	int error = 0;

	if (kind == COUNTED) {
		keys.buf = 0;
		keys.size = 0;
	}
	if (ioctl(taker->map, KMAP_IOC_KEYS, &keys))
		error = errno;
	if (kind == COUNTED && error == EMSGSIZE)
		error = 0;
	if (!error)
		results->complete++;
	else if (error == ENOBUFS)
		results->behind++;
	else
		results->failed++;
	results->entries = kind == COUNTED ?
		keys.used / KMAP_ITEM_SIZE(KEY_SIZE, VALUE_SIZE) : keys.count;
}

/* The page of the buffer that does not arrive. */
struct hole {
	struct taker	*taker;
	int		fault;
	uint8_t		*page;
};

/* Report that the snapshot has stalled, and let it continue when that is asked for. */
static void *guard(void *arg)
{
	struct hole *hole = arg;
	struct uffd_msg msg;
	struct uffdio_zeropage zero = {
		.range = { .start = (uintptr_t)hole->page, .len = PAGE },
	};

	if (read(hole->fault, &msg, sizeof(msg)) == sizeof(msg)) {
		say(hole->taker->reply[1], 'b');
		hear(hole->taker->release[0]);
	}
	ioctl(hole->fault, UFFDIO_ZEROPAGE, &zero);
	return NULL;
}

static int take_stalled(struct taker *taker)
{
	struct hole hole = {
		.taker = taker,
		.page = taker->buf + taker->size / 4 / PAGE * PAGE,
		.fault = (int)syscall(SYS_userfaultfd, O_CLOEXEC),
	};
	struct uffdio_api api = { .api = UFFD_API };
	struct uffdio_register missing = {
		.range = { .start = (uintptr_t)hole.page, .len = PAGE },
		.mode = UFFDIO_REGISTER_MODE_MISSING,
	};
	pthread_t thread;

	if (hole.fault < 0 || ioctl(hole.fault, UFFDIO_API, &api) ||
	    ioctl(hole.fault, UFFDIO_REGISTER, &missing) ||
	    madvise(hole.page, PAGE, MADV_DONTNEED) ||
	    pthread_create(&thread, NULL, guard, &hole))
		return -1;
	take(taker, STALLED);
	pthread_join(thread, NULL);
	close(hole.fault);
	return 0;
}

/* The process that takes snapshots. */
static int serve(struct taker *taker)
{
	int kind;

	prctl(PR_SET_PDEATHSIG, SIGKILL);
	taker->buf = mmap(NULL, taker->size, PROT_READ | PROT_WRITE,
			  MAP_PRIVATE | MAP_ANONYMOUS | MAP_POPULATE, -1, 0);
	taker->map = open("/dev/kmap", O_RDONLY | O_CLOEXEC);
	if (taker->buf == MAP_FAILED || taker->map < 0)
		return 1;
	/* With small pages only, a single one can be removed. */
	madvise(taker->buf, taker->size, MADV_NOHUGEPAGE);
	while ((kind = hear(taker->command[0])) > 0) {
		if (kind == STALLED) {
			if (take_stalled(taker))
				return 1;
		} else {
			say(taker->reply[1], 'b');
			while (!atomic_load(&taker->shared->stop))
				if (kind != BUSY)
					take(taker, (enum kind)kind);
		}
		say(taker->reply[1], 'e');
	}
	return 0;
}

static int start(struct taker *taker, uint64_t entries)
{
	taker->size = entries * KMAP_ITEM_SIZE(KEY_SIZE, VALUE_SIZE) + PAGE;
	taker->shared = mmap(NULL, sizeof(*taker->shared),
			     PROT_READ | PROT_WRITE,
			     MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	if (taker->shared == MAP_FAILED || pipe(taker->command) ||
	    pipe(taker->reply) || pipe(taker->release))
		return -errno;
	fflush(NULL);
	taker->pid = fork();
	if (taker->pid)
		return taker->pid < 0 ? -errno : 0;
	close(taker->command[1]);
	_exit(serve(taker));
}

/* End the process that takes snapshots. */
static void finish(struct taker *taker)
{
	close(taker->command[1]);
	kill(taker->pid, SIGKILL);
	waitpid(taker->pid, NULL, 0);
}

/* Replace values, and count how long each set takes. */
static int replace(struct work *work, struct hist *hist, uint64_t *longest)
{
	const struct timespec nap = { .tv_nsec = SLEEP_NS };
	int ret = 0;

	*longest = 0;
	for (int n = 0; !ret && n < SETS; n++) {
		uint64_t begun, took;

		key_write(work->keys, dice_next(&work->dice) % work->entries);
		begun = now_ns();
		ret = work->peer->set(work->seat, work->keys, work->values);
		took = now_ns() - begun;
		hist_add(hist, took);
		if (took > *longest)
			*longest = took;
		nanosleep(&nap, NULL);
	}
	return ret;
}

static int window(struct taker *taker, struct work *work, enum kind kind,
		  struct hist *hist, uint64_t *longest)
{
	int ret;

	if (kind == ALONE)
		return replace(work, hist, longest);
	atomic_store(&taker->shared->stop, false);
	if (say(taker->command[1], (char)kind) || hear(taker->reply[0]) != 'b')
		return -EPIPE;
	ret = replace(work, hist, longest);
	atomic_store(&taker->shared->stop, true);
	if (kind == STALLED)
		say(taker->release[1], 'r');
	return hear(taker->reply[0]) == 'e' ? ret : -EPIPE;
}

static int rounds(struct taker *taker, struct work *work,
		  struct measure *measure, unsigned int count)
{
	const struct sched_param first = { .sched_priority = 1 };
	int ret = 0;

	if (sched_setscheduler(0, SCHED_FIFO, &first) ||
	    mlockall(MCL_CURRENT | MCL_FUTURE))
		return -errno;
	for (unsigned int i = 0; !ret && i < count; i++)
		for (int kind = 0; !ret && kind < KINDS; kind++)
			ret = window(taker, work, (enum kind)kind,
				     &measure->hist[kind],
				     &measure->longest[kind][i]);
	return ret;
}

static int compare(const void *left, const void *right)
{
	uint64_t a = *(const uint64_t *)left, b = *(const uint64_t *)right;

	return (a > b) - (a < b);
}

/* The median of the longest sets of the slices without snapshots. */
static double usual(const struct measure *measure, unsigned int count)
{
	uint64_t sorted[ROUNDS_MAX];

	memcpy(sorted, measure->longest[ALONE], count * sizeof(*sorted));
	qsort(sorted, count, sizeof(*sorted), compare);
	return (double)sorted[(count - 1) / 2];
}

static void print(const struct measure *measure, const struct taker *taker,
		  unsigned int count, uint64_t entries, FILE *data)
{
	const double alone = usual(measure, count);

	printf("%-10s%9s%9s%9s%10s%8s%10s%9s%8s\n", "snapshots", "p50", "p99",
	       "p99.9", "longest", "times", "complete", "ENOBUFS", "failed");
	for (int kind = 0; kind < KINDS; kind++) {
		const struct hist *hist = &measure->hist[kind];
		const struct results *results = &taker->shared->results[kind];
		const uint64_t figures[] = {
			hist_quantile(hist, 500), hist_quantile(hist, 990),
			hist_quantile(hist, 999), hist->max,
			results->complete, results->behind, results->failed,
		};
		static const char *const what[] = {
			"p50", "p99", "p99.9", "max", "complete", "ENOBUFS",
			"failed",
		};

		printf("%-10s%9" PRIu64 "%9" PRIu64 "%9" PRIu64 "%10" PRIu64
		       "%8.2f%10" PRIu64 "%9" PRIu64 "%8" PRIu64 "\n",
		       names[kind], figures[0], figures[1], figures[2],
		       figures[3], (double)figures[3] / alone, figures[4],
		       figures[5], figures[6]);
		for (size_t i = 0; data && i < ARRAY_SIZE(what); i++)
			fprintf(data, "kmap\t%s %s\t1\t%" PRIu64 "\t%" PRIu64
				"\n", names[kind], what[i], entries, figures[i]);
	}
	printf("\nThe longest set of each slice:\n");
	for (int kind = 0; kind < KINDS; kind++) {
		printf("%-10s", names[kind]);
		for (unsigned int i = 0; i < count; i++)
			printf("%9" PRIu64, measure->longest[kind][i]);
		putchar('\n');
	}
	printf("Times: longest, divided by the median of those alone.\n"
	       "%u slices of %d sets of each kind; entries in the last snapshot: %"
	       PRIu64 ", %" PRIu64 "\n", count, SETS,
	       taker->shared->results[VALUES].entries,
	       taker->shared->results[COUNTED].entries);
}

int measure_beside(const struct peer *peer, uint64_t entries, unsigned int count,
		   FILE *data)
{
	struct measure *measure = calloc(1, sizeof(*measure));
	struct work *work = calloc(1, sizeof(*work));
	struct taker taker = { 0 };
	int ret = measure && work ? 0 : -ENOMEM;

	if (count > ROUNDS_MAX)
		count = ROUNDS_MAX;
	if (!ret)
		ret = peer->open(entries);
	if (!ret) {
		work->peer = peer;
		work->entries = entries;
		work->seat = peer->join();
		ret = work->seat ? fill(peer, work->seat, entries) : -ENXIO;
		if (!ret)
			ret = start(&taker, entries);
		if (!ret)
			ret = rounds(&taker, work, measure, count);
		if (!ret)
			print(measure, &taker, count, entries, data);
		if (taker.pid > 0)
			finish(&taker);
		if (work->seat)
			peer->leave(work->seat);
		peer->close();
	}
	if (ret)
		fprintf(stderr, "beside snapshots: %s\n", strerror(-ret));
	free(measure);
	free(work);
	return ret != 0;
}
