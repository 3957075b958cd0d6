/* SPDX-License-Identifier: GPL-2.0-only */
/* A set of units in which a run of so many is found at once; see runs.c. */
#ifndef SHMAP_RUNS_H
#define SHMAP_RUNS_H

#include <linux/bits.h>
#include <linux/log2.h>
#include <linux/types.h>

/**
 * struct shmap_run - what runs of units there are in a part of a set
 * @longest: length of the longest
 * @front: length of the one that the part begins with
 * @back: length of the one that it ends with
 */
struct shmap_run {
	u32	longest;
	u32	front;
	u32	back;
};

/**
 * struct shmap_runs - a set of units
 * @missing: bitmap of the units that are not in the set
 * @node: a binary tree as an array: 1 is the root, node i has 2i and 2i + 1 below
 *	it, and the last half are the words of @missing
 * @words: words of @missing, a power of two
 */
struct shmap_runs {
	unsigned long		*missing;
	struct shmap_run	*node;
	unsigned int		words;
};

void shmap_runs_init(struct shmap_runs *runs, unsigned int first,
		     unsigned int units);
void shmap_runs_update(struct shmap_runs *runs, unsigned int first,
		       unsigned int units);
int shmap_runs_find(const struct shmap_runs *runs, unsigned int units,
		    bool last);

/**
 * shmap_runs_words - words that the bitmap of a set has
 * @units: units that can be in the set
 *
 * Context: any.
 * Return: how many; of nodes there are twice as many.
 */
static inline unsigned int shmap_runs_words(unsigned int units)
{
	return roundup_pow_of_two(BITS_TO_LONGS(units));
}

#endif /* SHMAP_RUNS_H */
