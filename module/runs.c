// SPDX-License-Identifier: GPL-2.0-only
/*
 * A set of units in which a run of a given length is found quickly.
 *
 * A bitmap says which units are in the set.  Its words are the leaves of a binary tree.
 * Each node of the tree holds the length of the longest run among its units, and of the
 * runs at both ends.  So one descent from the root finds a run, or that there is none,
 * and a change updates only the nodes above it.  For two million units that is a path of
 * 16 nodes, whatever the set looks like.
 *
 * Locking: by the caller.
 */
#include <linux/bitmap.h>
#include <linux/bitops.h>
#include <linux/minmax.h>

#include "runs.h"

static void word_update(struct shmap_runs *runs, unsigned int i)
{
	struct shmap_run *run = &runs->node[runs->words + i];
	unsigned long missing = runs->missing[i], at = ~missing;

	if (!missing) {
		run->longest = BITS_PER_LONG;
		run->front = BITS_PER_LONG;
		run->back = BITS_PER_LONG;
		return;
	}
	run->front = __ffs(missing);
	run->back = BITS_PER_LONG - 1 - __fls(missing);
	/* Bits in @at: where runs of 1 unit begin, then of 2, of 3, ... */
	for (run->longest = 0; at; at &= at >> 1)
		run->longest++;
}

/* Compute a node from its two children, each of which covers @units units. */
static void node_update(struct shmap_runs *runs, unsigned int i, u32 units)
{
	const struct shmap_run *left = &runs->node[2 * i], *right = left + 1;
	struct shmap_run *run = &runs->node[i];

	run->longest = max3(left->longest, right->longest,
			    left->back + right->front);
	run->front = left->front < units ? left->front : units + right->front;
	run->back = right->back < units ? right->back : units + left->back;
}

/**
 * shmap_runs_update - note that the bitmap has changed
 * @runs: the set
 * @first: first unit that has changed
 * @units: number of units from there on that may have changed, at least one
 *
 * Context: any.
 */
void shmap_runs_update(struct shmap_runs *runs, unsigned int first,
		       unsigned int units)
{
	unsigned int from = first / BITS_PER_LONG;
	unsigned int to = (first + units - 1) / BITS_PER_LONG, i;
	u32 below = BITS_PER_LONG;

	for (i = from; i <= to; i++)
		word_update(runs, i);
	from += runs->words;
	to += runs->words;
	while (from > 1) {
		from /= 2;
		to /= 2;
		for (i = from; i <= to; i++)
			node_update(runs, i, below);
		below *= 2;
	}
}

/**
 * shmap_runs_init - make a set
 * @runs: to be made; the caller has set missing, node and words
 * @first: first unit that is in the set
 * @units: number of units in the set, from @first on; may be 0
 *
 * Context: any.
 */
void shmap_runs_init(struct shmap_runs *runs, unsigned int first,
		     unsigned int units)
{
	bitmap_fill(runs->missing, runs->words * BITS_PER_LONG);
	if (units)
		bitmap_clear(runs->missing, first, units);
	shmap_runs_update(runs, 0, runs->words * BITS_PER_LONG);
}

/**
 * shmap_runs_find - find a run
 * @runs: the set
 * @units: its length, at least one
 * @last: search from the end rather than from the start
 *
 * Context: any.
 * Return: first unit of the run, or -1 when there is none.
 */
int shmap_runs_find(const struct shmap_runs *runs, unsigned int units,
		    bool last)
{
	unsigned int half = runs->words * BITS_PER_LONG, from = 0, i = 1, n;
	unsigned long at;

	if (runs->node[1].longest < units)
		return -1;
	while (i < runs->words) {
		const struct shmap_run *left = &runs->node[2 * i];
		const struct shmap_run *right = left + 1;

		half /= 2;
		i *= 2;
		if ((last ? right : left)->longest >= units) {
			i += last;
			from += last ? half : 0;
		} else if (left->back + right->front >= units) {
			return from + half + (last ? right->front - units :
						     -left->back);
		} else {
			i += !last;
			from += last ? 0 : half;
		}
	}
	at = ~runs->missing[i - runs->words];
	for (n = 1; n < units; n++)
		at &= at >> 1;
	return from + (last ? __fls(at) : __ffs(at));
}
