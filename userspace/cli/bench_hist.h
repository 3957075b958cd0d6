/* SPDX-License-Identifier: MIT */
/*
 * A histogram of latencies.  It uses nothing of the command, so that the
 * benchmark of peers can use it too.
 */
#ifndef KMAP_CLI_BENCH_HIST_H
#define KMAP_CLI_BENCH_HIST_H

#include <stdint.h>

/*
 * Values below 2^HIST_SUB_BITS have a bucket each, and each octave above has
 * 2^HIST_SUB_BITS of them: a value is known to 1/128 of itself, whatever its
 * size.  Values of 2^HIST_BITS and above (18 minutes) go to the last bucket.
 */
#define HIST_SUB_BITS	7
#define HIST_BITS	40
#define HIST_SIZE	((HIST_BITS - HIST_SUB_BITS + 1) << HIST_SUB_BITS)

/* A histogram of nanoseconds; starts as zeros. */
struct hist {
	uint64_t	count;
	uint64_t	max;
	uint64_t	buckets[HIST_SIZE];
};

void hist_add(struct hist *hist, uint64_t value);
void hist_merge(struct hist *hist, const struct hist *other);

/* The value that permille of 1000 values do not exceed, exact to 1/128. */
uint64_t hist_quantile(const struct hist *hist, unsigned int permille);

/*
 * How many values are below 2^bits.  That is exact if bits is below HIST_BITS,
 * because such powers are bounds of buckets; with HIST_BITS all values count.
 */
uint64_t hist_below(const struct hist *hist, unsigned int bits);

#endif /* KMAP_CLI_BENCH_HIST_H */
