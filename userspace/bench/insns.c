// SPDX-License-Identifier: MIT
/*
 * Instructions per operation, in a machine whose clock counts them: QEMU with
 * -icount shift=0, where the time stamp counter advances by one with each
 * instruction of user space and kernel.  On any other machine the figures are
 * cycles of some clock.
 *
 * A round has some thousand operations, so that work that not every operation
 * causes, such as timer ticks or freeing after a grace period, is included.  The
 * result is the median of several rounds, less the cost of choosing a key.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "bench.h"

#define ROUNDS		11
#define ROUND_OPS	4096

/* The first operations of a kind take longer, because nothing is cached yet. */
#define WARM_OPS	1024

static uint64_t ticks(void)
{
#ifdef __x86_64__
	return __builtin_ia32_rdtsc();
#else
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (uint64_t)now.tv_sec * 1000000000u + (uint64_t)now.tv_nsec;
#endif
}

static int compare(const void *left, const void *right)
{
	double a = *(const double *)left, b = *(const double *)right;

	return (a > b) - (a < b);
}

static double measure(const struct load *load, struct work *work)
{
	double rounds[ROUNDS];
	uint64_t done, begun;

	for (done = 0; done < WARM_OPS && !work->failed; )
		done += load->once(work);
	for (size_t i = 0; i < ROUNDS; i++) {
		begun = ticks();
		for (done = 0; done < ROUND_OPS && !work->failed; )
			done += load->once(work);
		rounds[i] = (double)(ticks() - begun) /
			    (double)(done ? done : 1);
	}
	qsort(rounds, ROUNDS, sizeof(rounds[0]), compare);
	return rounds[ROUNDS / 2];
}

uint64_t count_insns(const struct table *tables, size_t count,
		     uint64_t entries, bool (*wanted)(const char *name))
{
	struct work *work = calloc(1, sizeof(*work));
	uint64_t failed = 0;
	double drawing;

	if (!work)
		return 1;
	work->entries = entries;
	/* The first load needs no peer. */
	drawing = measure(&loads[0], work);
	for (size_t i = 0; i < count; i++) {
		work->peer = tables[i].peer;
		work->seat = work->peer->join();
		for (size_t j = 1; work->seat && j < load_count; j++) {
			const struct load *load = &loads[j];
			double insns;

			if (!load->can(work->peer) || !wanted(load->name))
				continue;
			insns = measure(load, work);
			if (load->draws)
				insns -= drawing;
			printf("%-14s%-8s%10.0f\n", work->peer->name,
			       load->name, insns);
			fflush(stdout);
		}
		if (work->failed)
			fprintf(stderr, "%s: an operation failed\n",
				work->peer->name);
		failed += work->failed + !work->seat;
		work->failed = 0;
		if (work->seat)
			work->peer->leave(work->seat);
	}
	free(work);
	return failed;
}
