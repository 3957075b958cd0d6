/* SPDX-License-Identifier: GPL-2.0 */
/* The checker of histories; see history_check.c and history_shrink.c. */
#ifndef KMAP_HISTORY_CHECK_H
#define KMAP_HISTORY_CHECK_H

#include "history_configs.h"

/* Records of one call on one key. */
#define HISTORY_RECORDS	255u

/* Configurations looked at, after which a history counts as undecided. */
#define HISTORY_LIMIT	(1ul << 20)

/**
 * struct history_report - where a history failed
 * @end: ticket of the first answer by which no order is left
 * @failed: index of the operation under way then that is the likely culprit:
 *	it stops the order that came furthest, and should have come next
 * @past: for each operation: it is in every order of what came before, up to
 *	the last time at which these were orders of the same operations
 * @start: what the key may have been then
 * @starts: how many
 * @last: what it may have been then, in all orders
 * @lasts: how many
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
 * operations that are not in order or times that cannot be, -ENOMEM.  @report
 * may be NULL, and is filled in with 0 alone.  Safe to be called from several
 * threads.
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
 * @ops: how many
 * @failed: index of the likely culprit
 * @start: what the key may have been before
 * @starts: how many
 * @last: what it may have been, in all orders, when no order was left
 * @lasts: how many
 * @others: changes at the same time that do not matter either
 * @also: changes earlier or later whose value or version a firm one found
 * @alsos: how many; the first few
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
 * Finds a small part of a history that was refused.  No firm operation can be
 * taken out of it without its becoming legal.  Returns 0 or a negative errno
 * value.
 */
int history_shrink(const struct history *h, struct history_part *part);
void history_part_drop(struct history_part *part);

/* Prints it as comments of TAP, with a headline. */
void history_print(FILE *to, const struct history_part *part, const char *what);

#endif /* KMAP_HISTORY_CHECK_H */
