// SPDX-License-Identifier: MIT
/*
 * The benchmark's processes and threads.
 *
 * Each process opens the map itself, and its threads share the handle, like
 * those of any program.  Workers write their results into memory that all
 * processes share.  They begin together, and stop when the first process tells
 * them to, or when one of them fails; each worker measures the time between by
 * itself.  Each completes at least one operation, so that it has a rate, even if
 * the machine is busy with something else.
 */
#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "bench.h"

/* Time in ns between two looks at whether to begin, and at whether a process died. */
#define BEGIN_POLL	100000ull
#define DEATH_POLL	50000000ull

/* What all processes share. */
struct board {
	atomic_uint	ready;		/* workers that are ready, or have failed */
	atomic_bool	go;
	atomic_bool	stop;
	struct bench_result	results[];
};

/* One worker. */
struct worker {
	const struct bench_plan	*plan;
	struct board		*board;
	struct bench_result	*result;
	struct kmap		*map;
	unsigned int		number;
	pthread_t		thread;
};

uint64_t bench_now(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (uint64_t)now.tv_sec * NSEC_PER_SEC + (uint64_t)now.tv_nsec;
}

static void nap(uint64_t ns)
{
	struct timespec time = {
		.tv_sec = (time_t)(ns / NSEC_PER_SEC),
		.tv_nsec = (long)(ns % NSEC_PER_SEC),
	};

	nanosleep(&time, NULL);
}

/* Wait for the others; returns false if the run does not begin. */
static bool wait_for_go(struct board *board)
{
	atomic_fetch_add(&board->ready, 1);
	while (!atomic_load(&board->go)) {
		/* Both may have been set since go was read. */
		if (atomic_load(&board->stop))
			return atomic_load(&board->go);
		nap(BEGIN_POLL);
	}
	return true;
}

/* Carry out an operation that is not a get. */
static int change(const struct worker *worker, const char *key, char *value)
{
	const struct bench_plan *plan = worker->plan;
	uint64_t version;
	int ret;

	switch (plan->write) {
	case BENCH_WRITE_ADD:
		return kmap_add(worker->map, key, plan->key_size, 1, 0, NULL,
				NULL);
	case BENCH_WRITE_MATCH:
		do {
			ret = kmap_get(worker->map, key, plan->key_size, value,
				       plan->value_size, NULL, &version);
			if (!ret)
				ret = kmap_set(worker->map, key, plan->key_size,
					       value, plan->value_size,
					       KMAP_MATCH, &version);
		} while (ret == -ESTALE);
		return ret;
	case BENCH_WRITE_SET:
		break;
	}
	return kmap_set(worker->map, key, plan->key_size, value,
			plan->value_size, 0, NULL);
}

/* The loop that is measured. */
static void work(const struct worker *worker, char *key, char *value)
{
	const struct bench_plan *plan = worker->plan;
	struct bench_result *result = worker->result;
	/* With --own, every step-th key is this worker's. */
	uint64_t step = plan->own ? plan->processes * plan->threads : 1;
	uint64_t first = plan->own ? worker->number : 0;
	struct dice dice;
	int ret = 0;

	dice_init(&dice, worker->number);
	result->begun = bench_now();
	do {
		uint64_t number = skew_draw(&plan->skew, &dice) * step + first;
		enum bench_op op = dice_below(&dice, 100) < plan->read ?
				   BENCH_GET : BENCH_WRITE;
		uint64_t begun = 0;

		bench_key_number(plan, key, number);
		if (plan->latency)
			begun = bench_now();
		if (op == BENCH_GET)
			ret = kmap_get(worker->map, key, plan->key_size, value,
				       plan->value_size, NULL, NULL);
		else
			ret = change(worker, key, value);
		if (plan->latency)
			hist_add(&result->hist[op], bench_now() - begun);
		result->operations[op]++;
		result->hottest += !number;
		if (ret) {
			/* Somebody else removed the key. */
			if (ret != -ENOENT)
				break;
			result->missing++;
			ret = 0;
		}
	} while (!atomic_load_explicit(&worker->board->stop,
				       memory_order_relaxed));
	result->ended = bench_now();
	result->ret = ret;
}

static void *worker_main(void *arg)
{
	struct worker *worker = arg;
	const struct bench_plan *plan = worker->plan;
	char *key = malloc(plan->key_size);
	char *value = malloc(plan->value_size + 1);

	if (key && value && worker->map) {
		bench_key_init(plan, key);
		memset(value, 'v', plan->value_size);
		if (wait_for_go(worker->board))
			work(worker, key, value);
	} else {
		if (!worker->result->ret)
			worker->result->ret = -ENOMEM;
		atomic_fetch_add(&worker->board->ready, 1);
	}
	if (worker->result->ret)
		atomic_store(&worker->board->stop, true);
	free(key);
	free(value);
	return NULL;
}

/* One process with its threads; does not return. */
static void process_main(const struct bench_plan *plan, struct board *board,
			 unsigned int number, pid_t parent)
{
	struct worker *workers = calloc(plan->threads, sizeof(*workers));
	struct kmap *map = NULL;
	int ret;

	prctl(PR_SET_PDEATHSIG, SIGKILL);
	if (getppid() != parent || !workers)
		_exit(CLI_ERROR);
	ret = kmap_open(&map, plan->device, cli_open_flags(plan->open_flags));
	for (unsigned int i = plan->threads; i--; ) {
		struct worker *worker = &workers[i];

		worker->plan = plan;
		worker->board = board;
		worker->number = number * plan->threads + i;
		worker->result = &board->results[worker->number];
		worker->result->ret = ret;
		worker->map = map;
		/* The first one is this thread. */
		if (i && !ret) {
			ret = -pthread_create(&worker->thread, NULL,
					      worker_main, worker);
			if (!ret)
				continue;
			worker->result->ret = ret;
		}
		if (ret)
			worker->map = NULL;
		if (!i || ret) {
			worker_main(worker);
			worker->thread = pthread_self();
		}
	}
	for (unsigned int i = 1; i < plan->threads; i++)
		if (!pthread_equal(workers[i].thread, pthread_self()))
			pthread_join(workers[i].thread, NULL);
	_exit(CLI_DONE);
}

/*
 * Reap the processes that have ended or, with wait, all; *died is increased for
 * each that did not exit with 0.  Returns how many are left.
 */
static unsigned int reap(unsigned int left, bool wait, unsigned int *died)
{
	int status;

	while (left) {
		pid_t pid = waitpid(-1, &status, wait ? 0 : WNOHANG);

		if (pid < 0 && errno == EINTR)
			continue;
		if (pid <= 0)
			break;
		left--;
		if (!WIFEXITED(status) || WEXITSTATUS(status))
			++*died;
	}
	return left;
}

/* Start the processes, let them work, and stop them.  Returns how many died. */
static unsigned int direct(const struct bench_plan *plan, struct board *board,
			   int *ret)
{
	unsigned int workers = plan->processes * plan->threads;
	unsigned int left = 0, died = 0;
	pid_t parent = getpid();
	uint64_t end, now;

	for (; left < plan->processes; left++) {
		pid_t pid = fork();

		if (!pid)
			process_main(plan, board, left, parent);
		if (pid < 0) {
			*ret = -errno;
			break;
		}
	}
	while (!*ret && !died && atomic_load(&board->ready) < workers &&
	       !cli_end_signal) {
		nap(BEGIN_POLL);
		left = reap(left, false, &died);
	}
	end = bench_now() + plan->duration;
	if (!*ret && !died && !cli_end_signal)
		atomic_store(&board->go, true);
	else
		atomic_store(&board->stop, true);
	while (!atomic_load(&board->stop) && !cli_end_signal && !died &&
	       (now = bench_now()) < end) {
		nap(end - now < DEATH_POLL ? end - now : DEATH_POLL);
		left = reap(left, false, &died);
	}
	atomic_store(&board->stop, true);
	reap(left, true, &died);
	return died;
}

static void sum_up(const struct bench_plan *plan, const struct board *board,
		   struct bench_result *sum)
{
	for (unsigned int i = 0; i < plan->processes * plan->threads; i++) {
		const struct bench_result *one = &board->results[i];
		double seconds = (double)(one->ended - one->begun) /
				 (double)NSEC_PER_SEC;

		if (!sum->ret)
			sum->ret = one->ret;
		if (!i || one->begun < sum->begun)
			sum->begun = one->begun;
		if (one->ended > sum->ended)
			sum->ended = one->ended;
		sum->missing += one->missing;
		sum->hottest += one->hottest;
		for (size_t op = 0; op < BENCH_OPS; op++) {
			sum->operations[op] += one->operations[op];
			hist_merge(&sum->hist[op], &one->hist[op]);
			if (seconds > 0)
				sum->rate[op] += (double)one->operations[op] /
						 seconds;
		}
	}
}

enum cli_status bench_run(const struct cli *cli, const struct bench_plan *plan,
			  struct bench_result *sum)
{
	size_t size = sizeof(struct board) + (size_t)plan->processes *
		      plan->threads * sizeof(struct bench_result);
	struct board *board = mmap(NULL, size, PROT_READ | PROT_WRITE,
				   MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	unsigned int died;
	int ret = 0;

	if (board == MAP_FAILED)
		return cli_fail(cli, -errno);
	died = direct(plan, board, &ret);
	sum_up(plan, board, sum);
	munmap(board, size);
	if (ret)
		return cli_error(cli, "cannot start a process: %s",
				 strerror(-ret));
	if (died)
		return cli_error(cli, "%u of %u processes died", died,
				 plan->processes);
	if (sum->ret)
		return cli_fail(cli, sum->ret);
	return CLI_DONE;
}
