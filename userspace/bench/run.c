// SPDX-License-Identifier: MIT
/*
 * Threads that carry out an operation for a time slice.
 *
 * They are started once and join every table, so that short slices of different
 * peers can follow each other.  Each thread measures its own time, so it does not
 * matter when the others begin and end.
 */
#include <errno.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "bench.h"

struct member {
	pthread_t	thread;
	unsigned int	number;
	struct work	*works;		/* one for each table */
	double		rate;
	/* Aligned, since each thread writes only to its own. */
} __attribute__((__aligned__(128)));

static struct {
	const struct table	*tables;
	size_t			count;
	uint64_t		entries;
	unsigned int		threads;
	struct member		*members;

	/* What to do in the next slice; no load means to end. */
	const struct load	*load;
	size_t			table;
	unsigned int		busy;

	pthread_barrier_t	begin;
	pthread_barrier_t	end;
	atomic_int		err;
} crew;

/* On a cache line of its own, since all threads read it all the time. */
static atomic_bool stop __attribute__((__aligned__(128)));

uint64_t now_ns(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (uint64_t)now.tv_sec * 1000000000u + (uint64_t)now.tv_nsec;
}

static void window(struct member *member)
{
	struct work *work = &member->works[crew.table];
	uint64_t (*once)(struct work *work) = crew.load->once;
	uint64_t begun = now_ns(), done = 0;

	do {
		done += once(work);
	} while (!atomic_load_explicit(&stop, memory_order_relaxed));
	member->rate = (double)done * 1e9 / (double)(now_ns() - begun);
}

static void join_tables(struct member *member)
{
	for (size_t i = 0; i < crew.count; i++) {
		struct work *work = &member->works[i];

		work->peer = crew.tables[i].peer;
		work->entries = crew.entries;
		work->dice.state = (member->number + 1) * 0x9e3779b97f4a7c15ull;
		work->seat = work->peer->join();
		if (!work->seat)
			atomic_store(&crew.err, EIO);
	}
}

static void *member_main(void *arg)
{
	struct member *member = arg;

	join_tables(member);
	pthread_barrier_wait(&crew.end);
	for (;;) {
		pthread_barrier_wait(&crew.begin);
		if (!crew.load)
			break;
		member->rate = 0;
		if (member->number < crew.busy)
			window(member);
		pthread_barrier_wait(&crew.end);
	}
	for (size_t i = 0; i < crew.count; i++)
		if (member->works[i].seat)
			crew.tables[i].peer->leave(member->works[i].seat);
	return NULL;
}

int run_start(const struct table *tables, size_t count, unsigned int threads,
	      uint64_t entries)
{
	crew.tables = tables;
	crew.count = count;
	crew.entries = entries;
	crew.threads = threads;
	crew.members = aligned_alloc(128, threads * sizeof(*crew.members));
	if (!crew.members)
		return -ENOMEM;
	pthread_barrier_init(&crew.begin, NULL, threads + 1);
	pthread_barrier_init(&crew.end, NULL, threads + 1);
	for (unsigned int i = 0; i < threads; i++) {
		struct member *member = &crew.members[i];

		member->number = i;
		member->works = calloc(count, sizeof(*member->works));
		if (!member->works ||
		    pthread_create(&member->thread, NULL, member_main, member))
			return -ENOMEM;
	}
	pthread_barrier_wait(&crew.end);
	return -atomic_load(&crew.err);
}

double run_window(size_t table, const struct load *load, unsigned int threads,
		  uint64_t ns)
{
	struct timespec time = {
		.tv_sec = (time_t)(ns / 1000000000u),
		.tv_nsec = (long)(ns % 1000000000u),
	};
	double rate = 0;

	crew.load = load;
	crew.table = table;
	crew.busy = threads;
	atomic_store(&stop, false);
	pthread_barrier_wait(&crew.begin);
	nanosleep(&time, NULL);
	atomic_store(&stop, true);
	pthread_barrier_wait(&crew.end);
	for (unsigned int i = 0; i < threads; i++)
		rate += crew.members[i].rate;
	return rate;
}

uint64_t run_failed(void)
{
	uint64_t failed = 0;

	for (unsigned int i = 0; i < crew.threads; i++)
		for (size_t j = 0; j < crew.count; j++) {
			const struct work *work = &crew.members[i].works[j];

			if (work->failed)
				fprintf(stderr, "%s: %llu operations failed\n",
					work->peer->name,
					(unsigned long long)work->failed);
			failed += work->failed;
		}
	return failed;
}

void run_stop(void)
{
	crew.load = NULL;
	pthread_barrier_wait(&crew.begin);
	for (unsigned int i = 0; i < crew.threads; i++) {
		pthread_join(crew.members[i].thread, NULL);
		free(crew.members[i].works);
	}
	free(crew.members);
}
