// SPDX-License-Identifier: MIT
/*
 * Histograms with buckets that grow with the value, like those of HdrHistogram:
 * the first 2^HIST_SUB_BITS values have a bucket each, and each octave above is
 * divided into 2^HIST_SUB_BITS buckets of one width.
 */
#include <stddef.h>

#include "bench_hist.h"

#define SUB_COUNT	(1u << HIST_SUB_BITS)

static unsigned int bucket_of(uint64_t value)
{
	unsigned int shift;

	if (value < SUB_COUNT)
		return (unsigned int)value;
	if (value >> HIST_BITS)
		return HIST_SIZE - 1;
	shift = 63 - HIST_SUB_BITS - (unsigned int)__builtin_clzll(value);
	/* value >> shift has its highest bit at HIST_SUB_BITS. */
	return (shift << HIST_SUB_BITS) + (unsigned int)(value >> shift);
}

/* The largest value of a bucket. */
static uint64_t bucket_top(unsigned int bucket)
{
	unsigned int shift;

	if (bucket < SUB_COUNT)
		return bucket;
	shift = (bucket >> HIST_SUB_BITS) - 1;
	return ((uint64_t)((bucket & (SUB_COUNT - 1)) + SUB_COUNT + 1)
		<< shift) - 1;
}

void hist_add(struct hist *hist, uint64_t value)
{
	hist->buckets[bucket_of(value)]++;
	hist->count++;
	if (value > hist->max)
		hist->max = value;
}

void hist_merge(struct hist *hist, const struct hist *other)
{
	for (size_t i = 0; i < HIST_SIZE; i++)
		hist->buckets[i] += other->buckets[i];
	hist->count += other->count;
	if (other->max > hist->max)
		hist->max = other->max;
}

uint64_t hist_quantile(const struct hist *hist, unsigned int permille)
{
	/* Rounded up, so that it is the rank of a value. */
	uint64_t rank = (hist->count * permille + 999) / 1000;
	uint64_t seen = 0, top;

	for (unsigned int i = 0; i < HIST_SIZE - 1; i++) {
		seen += hist->buckets[i];
		if (!seen || seen < rank)
			continue;
		top = bucket_top(i);
		return top < hist->max ? top : hist->max;
	}
	return hist->max;
}

uint64_t hist_below(const struct hist *hist, unsigned int bits)
{
	unsigned int end = bucket_of((UINT64_C(1) << bits) - 1);
	uint64_t sum = 0;

	for (unsigned int i = 0; i <= end; i++)
		sum += hist->buckets[i];
	return sum;
}
