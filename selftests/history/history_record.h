/* SPDX-License-Identifier: GPL-2.0 */
/* Recording of histories from the map; see history_record.c. */
#ifndef KMAP_HISTORY_RECORD_H
#define KMAP_HISTORY_RECORD_H

#include <stdatomic.h>

#include "hammer.h"
#include "history_draw.h"

/**
 * struct history_lot - histories of some rounds, in shared memory
 * @rows: rows per round: one per worker, and one for the verifier of killed clients
 * @row: most operations in a row
 * @rounds: number of rounds
 * @first: number of the first round, among all rounds; keys are numbered by it
 * @batch: most records in a batch
 * @growing: one worker in four only makes the table grow
 * @padding: what all workers change is in a cache line of its own
 * @ticket: the last ticket
 * @met: how often a worker came to the beginning of a round
 * @filler: number of the next key that only makes the table grow
 * @item: the next key to be checked
 * @overlaps: operations checked that overlap with another
 * @lost: operations checked that had no answer
 * @shown: a violation was printed
 * @op: the operations, row by row, round by round; one that was not invoked has
 *	0 there
 */
struct history_lot {
	unsigned int rows;
	unsigned int row;
	unsigned int rounds;
	__u64 first;
	unsigned int batch;
	bool growing;
	char padding[64];

	_Atomic __u64 ticket;
	_Atomic __u64 met;
	_Atomic __u64 filler;
	_Atomic unsigned int item;
	_Atomic __u64 overlaps;
	_Atomic __u64 lost;
	_Atomic bool shown;

	char padding2[64];
	struct history_op op[];
};

size_t history_lot_size(unsigned int rows, unsigned int row, unsigned int rounds);

/* Forgets what was recorded; the next rounds are numbered from @first. */
void history_lot_begin(struct history_lot *lot, __u64 first);

/* Operations invoked in the whole lot. */
__u64 history_lot_count(const struct history_lot *lot);

/*
 * Waits for all workers of the run without sleeping, because workers that sleep wake
 * one by one and hardly overlap.  Returns false when it is time to end instead.
 */
bool history_meet(struct hammer_worker *w, struct history_lot *lot,
		  unsigned int round);

/*
 * Carries out a worker's part of a round, and fills its row.  Returns false with a
 * message when the map returns an error that no history may have.
 */
bool history_record(struct hammer_worker *w, struct history_lot *lot,
		    unsigned int round);

/* Gets every key of a round, for the last row. */
bool history_record_last(struct hammer_worker *w, struct history_lot *lot,
			 unsigned int round);

/* Checks one key of one round; returns false with a message, and prints the reason. */
bool history_judge(struct hammer_worker *w, struct history_lot *lot,
		   unsigned int round, unsigned int key);

/* The same for the lot: each worker takes the next key until none is left. */
bool history_judge_all(struct hammer_worker *w, struct history_lot *lot);

#endif /* KMAP_HISTORY_RECORD_H */
