/* SPDX-License-Identifier: GPL-2.0-only */
/* A set of units in which a run of a given length is found quickly; see runs.c. */
#ifndef SHMAP_RUNS_H
#define SHMAP_RUNS_H

#include <linux/bits.h>
#include <linux/log2.h>
#include <linux/types.h>

/**
 * struct shmap_run - the runs of units in a part of a set
 * @longest: length of the longest run
 * @front: length of the run that the part begins with, or 0
 * @back: length of the run that the part ends with, or 0
 */
struct shmap_run {
	u32	longest;
	u32	front;
	u32	back;
};

/**
 * struct shmap_runs - a set of units
 * @missing: bitmap of the units that are not in the set
 * @node: a binary tree as an array: node 1 is the root, node i has the children 2i and
 *	2i + 1, and the second half stands for the words of @missing
 * @words: number of words of @missing, a power of two
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
 * shmap_runs_words - number of words in the bitmap of a set
 * @units: number of units that the set can have
 *
 * Context: any.
 * Return: the number of words; there are twice as many nodes.
 */
static inline unsigned int shmap_runs_words(unsigned int units)
{
	return roundup_pow_of_two(BITS_TO_LONGS(units));
}

#endif /* SHMAP_RUNS_H */
