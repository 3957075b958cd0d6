/* SPDX-License-Identifier: GPL-2.0 */
/* What to ask the map in a history; see history_draw.c. */
#ifndef KMAP_HISTORY_DRAW_H
#define KMAP_HISTORY_DRAW_H

#include "history.h"

#define HISTORY_KEYS	8u	/* in a round, at most */
#define HISTORY_BATCH	32u	/* records in a batch, at most */

/**
 * struct history_mood - what a round is like
 * @keys: keys that are asked for, 1 to HISTORY_KEYS
 * @shares: of each opcode among 16 operations; [0] is not used
 * @conditions: of 16 changes, those that have one
 * @numbers: of 16 values, those that are numbers
 * @longest: of 16 values, those that are as long as can be
 * @batches: of 16 calls, those that are batches
 * @records: in a batch, at most
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
 * struct history_asker - one who asks
 * @random: state of the random sequence
 * @worker: number, which makes its values differ from those of others
 * @serial: values it made so far
 * @room: longest value that it makes and takes, at least 256
 * @newest: the newest version it saw of each key, or 0
 * @older: one that it saw before
 */
struct history_asker {
	__u64 random;
	unsigned int worker;
	__u64 serial;
	__u32 room;
	__u64 newest[HISTORY_KEYS];
	__u64 older[HISTORY_KEYS];
};

/* One of some moods, the same for the same number. */
const struct history_mood *history_mood(__u64 number);

/* A random number below @n. */
unsigned int history_below(struct history_asker *asker, unsigned int n);

/* How many records the next call has, 1 to @most. */
unsigned int history_records(struct history_asker *asker,
			     const struct history_mood *mood, unsigned int most);

/* Fills in what is asked; all else is zero. */
void history_ask(struct history_asker *asker, const struct history_mood *mood,
		 struct history_op *op);

/* Takes note of what an answer told about versions. */
void history_note(struct history_asker *asker, const struct history_op *op);

#endif /* KMAP_HISTORY_DRAW_H */
