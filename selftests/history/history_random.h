/* SPDX-License-Identifier: GPL-2.0 */
/* Histories without a map, for the tests of the checker; see history_random.c. */
#ifndef KMAP_HISTORY_RANDOM_H
#define KMAP_HISTORY_RANDOM_H

#include "history.h"

/* What can be wrong with a map. */
enum history_fault {
	HISTORY_SOUND,
	HISTORY_STALE_GET,	/* a get answers what was there before */
	HISTORY_LOST_ADD,	/* an add goes on from what was there before */
	HISTORY_TWO_WINNERS,	/* a condition is decided by what was there before */
	HISTORY_TWO_REMOVED,	/* a delete removes what is gone */
	HISTORY_MIXED,		/* a get pairs a value with another's version */
	HISTORY_REPEATED,	/* a version comes back after a delete */
	HISTORY_EARLY,		/* a get answers what is only about to be stored */
	HISTORY_FORGOTTEN,	/* a change is answered, but not made */
	HISTORY_FAILED_MADE,	/* a change is made, though refused */
	HISTORY_DISORDER,	/* a batch goes backwards */
	HISTORY_FAULTS
};

/**
 * struct history_plan - a history to make
 * @seed: of all that is random
 * @workers: who ask at the same time
 * @ops: operations, at least; the last batch is made whole
 * @records: in a batch, at most
 * @lost: of 1000 steps, those with which the asker is killed
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

#define HISTORY_SPARE	32u	/* room for that many more than @ops */

/*
 * Makes the history of one key, in order.  Returns how many operations it has;
 * @faults counts how often the fault came in.
 */
unsigned int history_make(const struct history_plan *plan,
			  struct history_op *op, unsigned int *faults);

/*
 * Changes something in one answer, as a map that is not sound may.  False when
 * it found nothing to change.
 */
bool history_bend(struct history_op *op, unsigned int ops, __u64 *random);

/* Tries all orders, without a thought; for up to a dozen operations. */
bool history_try_all(const struct history *h);

#endif /* KMAP_HISTORY_RANDOM_H */
