/* SPDX-License-Identifier: GPL-2.0 */
/* The operations of a history; see history_draw.c. */
#ifndef KMAP_HISTORY_DRAW_H
#define KMAP_HISTORY_DRAW_H

#include "history.h"

#define HISTORY_KEYS	8u	/* in a round, at most */
#define HISTORY_BATCH	32u	/* records in a batch, at most */

/**
 * struct history_mood - the mix of operations of a round
 * @keys: number of keys, 1 to HISTORY_KEYS
 * @shares: how many of 16 operations have each opcode; [0] is not used
 * @conditions: how many of 16 changes have a condition
 * @numbers: how many of 16 values are numbers
 * @longest: how many of 16 values are as long as possible
 * @batches: how many of 16 calls are batches
 * @records: most records in a batch
 */
struct history_mood {
	unsigned int keys;
	unsigned int shares[KMAP_OP_ADD + 1];
	unsigned int conditions;
	unsigned int numbers;
	unsigned int longest;
	unsigned int batches;
	unsigned int records;
};

/**
 * struct history_asker - a worker that draws operations
 * @random: state of the random sequence
 * @worker: its number, which makes its values differ from those of others
 * @serial: number of values that it has made
 * @room: longest value that it stores, and size of its buffer, at least 256
 * @newest: the newest version that it saw of each key, or 0
 * @older: a version that it saw before that
 */
struct history_asker {
	__u64 random;
	unsigned int worker;
	__u64 serial;
	__u32 room;
	__u64 newest[HISTORY_KEYS];
	__u64 older[HISTORY_KEYS];
};

/* Chooses a mood; the same number always gets the same one. */
const struct history_mood *history_mood(__u64 number);

/* A random number below @n. */
unsigned int history_below(struct history_asker *asker, unsigned int n);

/* Draws how many records the next call has, 1 to @most. */
unsigned int history_records(struct history_asker *asker,
			     const struct history_mood *mood, unsigned int most);

/* Draws an operation; the fields of its answer are zero. */
void history_ask(struct history_asker *asker, const struct history_mood *mood,
		 struct history_op *op);

/* Notes the version that an answer returned. */
void history_note(struct history_asker *asker, const struct history_op *op);

#endif /* KMAP_HISTORY_DRAW_H */
