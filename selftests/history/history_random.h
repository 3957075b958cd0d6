/* SPDX-License-Identifier: GPL-2.0 */
/* Histories without a map, for the tests of the checker; see history_random.c. */
#ifndef KMAP_HISTORY_RANDOM_H
#define KMAP_HISTORY_RANDOM_H

#include "history.h"

/* Faults that a map can have. */
enum history_fault {
	HISTORY_SOUND,
	HISTORY_STALE_GET,	/* a get returns the state before the last change */
	HISTORY_LOST_ADD,	/* an add uses the number before the last change */
	HISTORY_TWO_WINNERS,	/* a condition is tested on the state before */
	HISTORY_TWO_REMOVED,	/* a delete removes a value that is gone */
	HISTORY_MIXED,		/* a get pairs a value with another's version */
	HISTORY_REPEATED,	/* a version is used again after a delete */
	HISTORY_EARLY,		/* a get returns a value that is not stored yet */
	HISTORY_FORGOTTEN,	/* a change is answered, but not made */
	HISTORY_FAILED_MADE,	/* a change is made, although it was refused */
	HISTORY_DISORDER,	/* a batch is carried out backwards */
	HISTORY_FAULTS
};

/**
 * struct history_plan - a history to make
 * @seed: seed of everything random
 * @workers: number of workers at a time
 * @ops: least number of operations; the last batch is completed
 * @records: most records in a batch
 * @lost: of 1000 steps, how many kill the worker
 * @fault: what is wrong with the map
 */
struct history_plan {
	__u64 seed;
	unsigned int workers;
	unsigned int ops;
	unsigned int records;
	unsigned int lost;
	enum history_fault fault;
};

#define HISTORY_SPARE	32u	/* so many more than @ops are possible */

/*
 * Makes the history of one key, sorted.  Returns how many operations it has;
 * @faults is set to the number of faults in it.
 */
unsigned int history_make(const struct history_plan *plan,
			  struct history_op *op, unsigned int *faults);

/*
 * Changes something in one answer, as a faulty map might.  Returns false when it
 * found nothing to change.
 */
bool history_bend(struct history_op *op, unsigned int ops, __u64 *random);

/* Tries all orders, by brute force; for up to a dozen operations. */
bool history_try_all(const struct history *h);

#endif /* KMAP_HISTORY_RANDOM_H */
