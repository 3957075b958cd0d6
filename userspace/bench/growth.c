// SPDX-License-Identifier: MIT
/*
 * How long single sets take while an empty table grows: the longest, and a
 * histogram.  One table at a time, one thread.  Under QEMU's -icount the figures
 * are instructions, and show the work of the operation itself; otherwise they are
 * nanoseconds, and include other work of the machine.
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "../cli/bench_hist.h"
#include "bench.h"

static int grow(const struct peer *peer, uint64_t entries, struct hist *hist)
{
	char key[KEY_SIZE], value[VALUE_SIZE];
	void *seat;
	int ret = peer->open(entries);

	memset(hist, 0, sizeof(*hist));
	memset(value, 'v', sizeof(value));
	if (ret)
		return ret;
	seat = peer->join();
	if (!seat)
		ret = -1;
	for (uint64_t n = 0; !ret && n < entries; n++) {
		uint64_t begun;

		key_write(key, n);
		begun = now_ns();
		ret = peer->set(seat, key, value);
		hist_add(hist, now_ns() - begun);
	}
	if (seat)
		peer->leave(seat);
	peer->close();
	return ret;
}

/* Write figures, one per line: quantiles, and the number of sets per octave. */
static void write_data(FILE *data, const char *peer, const struct hist *hist)
{
	static const struct {
		const char	*name;
		unsigned int	permille;
	} quantiles[] = { { "p50", 500 }, { "p99", 990 }, { "p99.9", 999 } };
	uint64_t before = 0;

	for (size_t i = 0; i < ARRAY_SIZE(quantiles); i++)
		fprintf(data, "%s\t%s\t1\t%" PRIu64 "\t%" PRIu64 "\n", peer,
			quantiles[i].name, hist->count,
			hist_quantile(hist, quantiles[i].permille));
	fprintf(data, "%s\tmax\t1\t%" PRIu64 "\t%" PRIu64 "\n", peer,
		hist->count, hist->max);
	for (unsigned int bits = HIST_SUB_BITS; bits <= HIST_BITS; bits++) {
		uint64_t below = hist_below(hist, bits);

		if (below > before)
			fprintf(data, "%s\tbelow %" PRIu64 "\t1\t%" PRIu64
				"\t%" PRIu64 "\n", peer, UINT64_C(1) << bits,
				hist->count, below - before);
		before = below;
	}
}

int measure_growth(const struct peer *const *peers, size_t count,
		   uint64_t entries, bool (*wanted)(const char *name),
		   FILE *data)
{
	struct hist *hist = malloc(sizeof(*hist));
	int failed = !hist;

	printf("%-14s%10s%10s%10s%12s%12s\n", "peer", "p50", "p99", "p99.9",
	       "max", "max/p99.9");
	for (size_t i = 0; hist && i < count; i++) {
		uint64_t p999;

		if (!peers[i]->set || !wanted(peers[i]->name))
			continue;
		if (grow(peers[i], entries, hist)) {
			fprintf(stderr, "%s failed after %" PRIu64 " entries\n",
				peers[i]->name, hist->count);
			failed = 1;
			continue;
		}
		p999 = hist_quantile(hist, 999);
		printf("%-14s%10" PRIu64 "%10" PRIu64 "%10" PRIu64 "%12" PRIu64
		       "%12.1f\n", peers[i]->name, hist_quantile(hist, 500),
		       hist_quantile(hist, 990), p999, hist->max,
		       (double)hist->max / (double)(p999 ? p999 : 1));
		fflush(stdout);
		if (data)
			write_data(data, peers[i]->name, hist);
	}
	free(hist);
	return failed;
}
