/* SPDX-License-Identifier: GPL-2.0 */
/* The checker of histories; see history_check.c and history_shrink.c. */
#ifndef KMAP_HISTORY_CHECK_H
#define KMAP_HISTORY_CHECK_H

#include "history_configs.h"

/* Most records of one call on one key. */
#define HISTORY_RECORDS	255u

/* Configurations looked at, after which a history counts as undecided. */
#define HISTORY_LIMIT	(1ul << 20)

/**
 * struct history_report - where a history failed
 * @end: ticket of the first answer after which there is no order
 * @failed: index of the operation under way then that is the likely culprit: it
 *	should have come next in the longest order, but cannot
 * @past: for each operation: it is in every order up to the last time at which
 *	all orders had the same operations
 * @start: possible states of the key at that time
 * @starts: number of these states
 * @last: possible states of the key at the failure, in all orders
 * @lasts: number of these states
 */
struct history_report {
	__u64 end;
	unsigned int failed;
	bool *past;
	struct history_state *start;
	unsigned int starts;
	struct history_state *last;
	unsigned int lasts;
};

/*
 * Is there an order in which the map, one operation after the other, could have
 * given all these answers?  Returns 1 if so, 0 if not, or a negative errno
 * value: -E2BIG when more than HISTORY_WIDTH calls overlap or one has more than
 * HISTORY_RECORDS records, -EDQUOT after @limit configurations, -EINVAL for
 * operations that are not sorted or times that are impossible, -ENOMEM.  @report
 * may be NULL, and is filled in only if the result is 0.  Several threads may call
 * this at the same time.
 */
int history_check(const struct history *h, unsigned long limit,
		  struct history_report *report);
void history_report_drop(struct history_report *report);

/**
 * struct history_part - a part of a history that has no order in itself
 * @op: the operations, in the order of their invocations
 * @firm: for each: it belongs to the contradiction.  The others are shown only
 *	because a firm one found their value or version: whether they were
 *	carried out or not, there is no order.
 * @ops: number of operations
 * @failed: index of the likely culprit
 * @start: possible states of the key before
 * @starts: number of these states
 * @last: possible states of the key, in all orders, where no order continues
 * @lasts: number of these states
 * @others: number of changes at the same time that make no difference
 * @also: the first few changes, earlier or later, whose value or version a firm
 *	operation found
 * @alsos: number of these
 */
struct history_part {
	struct history_op *op;
	bool *firm;
	unsigned int ops;
	unsigned int failed;
	struct history_state *start;
	unsigned int starts;
	struct history_state *last;
	unsigned int lasts;
	unsigned int others;
	struct history_op also[4];
	unsigned int alsos;
};

/*
 * Finds a small part of a history that was refused: without any of its firm
 * operations it would have an order.  Returns 0 or a negative errno value.
 */
int history_shrink(const struct history *h, struct history_part *part);
void history_part_drop(struct history_part *part);

/* Prints a part as comments of TAP, with a headline. */
void history_print(FILE *to, const struct history_part *part, const char *what);

#endif /* KMAP_HISTORY_CHECK_H */
