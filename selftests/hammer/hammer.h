/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What the hammer tests share: workers, which are threads in several processes,
 * each of which opens the device itself; a way for any of them to fail the test
 * with one message; and a watchdog, so that a hang is a failure that names the
 * worker and its place.
 *
 * Everything that workers share is in shared anonymous memory that exists before
 * they are forked (hammer_share()).  There is no other state.
 *
 * Environment, all optional:
 *	HAMMER_SECONDS		how long one case hammers, default 2, may be 0.5
 *	HAMMER_PROCESSES	processes, default 4, at least 2
 *	HAMMER_THREADS		threads in each, default 4, at least 2
 *	HAMMER_SEED		start of all random sequences, default random
 *	HAMMER_PATIENCE		seconds without any progress that count as a
 *				hang, default 60; it takes longer where the
 *				machine itself makes no progress
 *	HAMMER_KILLS		clients that hammer_kill kills, default 200
 */
#ifndef KMAP_HAMMER_H
#define KMAP_HAMMER_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "kmap_test.h"

#define HAMMER_WORKERS	64
#define HAMMER_KEY_MAX	32
#define HAMMER_GOALS	2

struct hammer;

/**
 * struct hammer_worker - one thread of one process
 * @h: the run it belongs to
 * @id: number over all processes, from 0
 * @process: number of its process
 * @fd: the device, opened by this process
 * @max_value: the map's longest value
 * @in: scratch of @max_value bytes for a value to store
 * @out: scratch of @max_value bytes for a value that is returned
 * @own: data of the test, private to the worker; freed at the worker's end
 * @random: state of its random sequence, see hammer_below()
 * @tid: its thread, for the watchdog
 * @steps: operations so far
 * @ended: its work is over
 */
struct hammer_worker {
	struct hammer *h;
	unsigned int id;
	unsigned int process;
	int fd;
	size_t max_value;
	__u8 *in;
	__u8 *out;
	void *own;
	__u64 random;
	atomic_int tid;
	atomic_ulong steps;
	atomic_bool ended;
};

/**
 * struct hammer - one run
 * @processes: number of processes
 * @threads: threads per process
 * @seconds: time until hammer_next() returns false; 0 leaves the end to the workers
 * @goals: counts of what the case tests, or NULL: the run continues until none of
 *	them is 0, however slow the machine is
 * @prepare: called by each worker before the clock starts, or NULL; no worker
 *	begins its work before all have prepared
 * @work: called by each worker; false when it failed
 * @shared: memory of the test, from hammer_share()
 * @workers: number of workers in all
 * @together: set by hammer_run(): workers prepare, and begin at the same time
 * @stop: workers must end
 * @failed: @message is being written, or was written
 * @waiting: workers at the barrier
 * @turn: how often the barrier opened
 * @message: what failed first
 * @worker: the workers
 */
struct hammer {
	unsigned int processes;
	unsigned int threads;
	double seconds;
	const atomic_ulong *goals[HAMMER_GOALS];
	bool (*prepare)(struct hammer_worker *w);
	bool (*work)(struct hammer_worker *w);
	void *shared;

	unsigned int workers;
	bool together;
	atomic_bool stop;
	atomic_bool failed;
	atomic_uint waiting;
	atomic_uint turn;
	char message[512];
	struct hammer_worker worker[HAMMER_WORKERS];
};

/* Allocates shared, zeroed memory, or returns NULL; only used pages take memory. */
void *hammer_share(size_t size);
void hammer_unshare(void *shared, size_t size);

/*
 * Loads the module anew, with few shards, so that the table is small and grows
 * soon.  Returns 0 or a negative errno value.
 */
int hammer_reload(void);

/*
 * Allocates a run with the processes, threads and seconds of the environment, or
 * returns NULL after a message on stderr.  Loads the module if it is not loaded, and
 * clears the map.
 */
struct hammer *hammer_new(void);
void hammer_free(struct hammer *h);

/*
 * Carries out a run.  Returns true when every worker has succeeded; otherwise the
 * reason is printed on stdout as a comment, and is in @message.  May be called again
 * on the same run.
 */
bool hammer_run(struct hammer *h);

/*
 * Forks one process of the run, with its threads; the caller waits for it or kills
 * it.  Its workers begin at once.  Returns the process id or a negative errno value.
 */
pid_t hammer_spawn(struct hammer *h, unsigned int process);

/* Fails the run, with this message if it is the first; returns false. */
bool hammer_fail(struct hammer_worker *w, const char *fmt, ...)
	__attribute__((format(printf, 2, 3)));

/* A check inside a worker's function, which returns false. */
#define HAMMER_CHECK(w, condition, ...) do {		\
	if (!(condition))				\
		return hammer_fail((w), __VA_ARGS__);	\
} while (0)

/* Counts an operation; the watchdog takes these counts as progress. */
static inline void hammer_step(struct hammer_worker *w)
{
	atomic_fetch_add_explicit(&w->steps, 1, memory_order_relaxed);
}

/* The same; false when it is time to end. */
static inline bool hammer_next(struct hammer_worker *w)
{
	hammer_step(w);
	return !atomic_load_explicit(&w->h->stop, memory_order_relaxed);
}

/* Waits until all workers are here; false when it is time to end instead. */
bool hammer_barrier(struct hammer_worker *w);

/* A random number below @n, which is at least 1. */
__u64 hammer_below(struct hammer_worker *w, __u64 n);

/*
 * A length for a value, drawn from @random: mostly short, some long, now and
 * then @max itself.
 */
size_t hammer_length(__u64 random, size_t max);

/* Writes "name-number" to @key; returns the length of the key. */
size_t hammer_key(char key[HAMMER_KEY_MAX], const char *name, __u64 number);

/* The number at the end of a key with this name, or -1 if it has another name. */
__s64 hammer_key_number(const void *key, size_t key_len, const char *name);

/* An unsigned setting of the environment, or @otherwise. */
unsigned long hammer_setting(const char *name, unsigned long otherwise);

/*
 * Seconds that the harness gives a case.  The watchdog acts before that; this is
 * for a run whose coordinator hangs.
 */
int hammer_timeout(void);

/* Seconds on a clock that only runs forward. */
double hammer_clock(void);

#endif /* KMAP_HAMMER_H */
