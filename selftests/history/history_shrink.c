// SPDX-License-Identifier: GPL-2.0
/*
 * The small part of a refused history that a person can look at.
 *
 * It begins at the last time, before the failure, at which all possible orders had
 * the same operations; the possible states of the key at that time are known from
 * these orders.  Then operations are removed one by one, as long as the rest has no
 * order.  One that changes nothing is removed altogether.  One that changes the key
 * only loses its answer: without it, an operation that found its value would seem
 * to be the culprit.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "history_check.h"
#include "history_model.h"
#include "kselftest.h"

#define TRIAL_LIMIT	(1ul << 15)

/* The fate of an operation. */
enum fate {
	FIRM,
	LOOSE,	/* it has no answer, or lost it */
	GONE,
};

/**
 * struct trial - the operations that are left so far
 * @op: all operations
 * @fate: fate of each
 * @ops: number of operations
 * @left: buffer for the operations that are left
 * @from: index of each of these in @op
 * @h: these as a history
 */
struct trial {
	const struct history_op *op;
	enum fate *fate;
	unsigned int ops;
	struct history_op *left;
	unsigned int *from;
	struct history h;
};

static int try(struct trial *t, struct history_report *report)
{
	unsigned int i, n = 0;

	for (i = 0; i < t->ops; i++) {
		if (t->fate[i] == GONE)
			continue;
		t->left[n] = t->op[i];
		if (t->fate[i] == LOOSE)
			t->left[n].answer = 0;
		t->from[n++] = i;
	}
	t->h.op = t->left;
	t->h.ops = n;
	return history_check(&t->h, TRIAL_LIMIT, report);
}

/* Removes operations where that is possible; returns whether any was removed. */
static bool take_out(struct trial *t)
{
	bool any = false;
	unsigned int i;

	for (i = t->ops; i--;) {
		if (t->fate[i] != FIRM)
			continue;
		t->fate[i] = history_changes(&t->op[i]) ? LOOSE : GONE;
		if (try(t, NULL))
			t->fate[i] = FIRM;
		else
			any = true;
	}
	return any;
}

/* Is it a change whose value or version a firm operation found? */
static bool was_found(const struct trial *t, unsigned int which)
{
	const struct history_op *op = &t->op[which];
	unsigned int i;

	if (!history_changes(op))
		return false;
	for (i = 0; i < t->ops; i++) {
		const struct history_op *by = &t->op[i];

		if (t->fate[i] != FIRM)
			continue;
		if (op->answer && op->opcode != KMAP_OP_DELETE &&
		    by->version == op->version)
			return true;
		if (op->opcode == KMAP_OP_SET && op->stored.id &&
		    by->found.id == op->stored.id)
			return true;
	}
	return false;
}

static int fill_in(struct trial *t, struct history_part *part)
{
	struct history_report report;
	unsigned int i;
	int ret = try(t, &report);

	if (ret)
		return ret < 0 ? ret : -EINVAL;
	part->last = report.last;
	part->lasts = report.lasts;
	report.last = NULL;

	for (i = 0; i < t->ops; i++) {
		if (i == t->from[report.failed])
			part->failed = part->ops;
		if (t->fate[i] == FIRM ||
		    (t->fate[i] == LOOSE && was_found(t, i))) {
			part->firm[part->ops] = t->fate[i] == FIRM;
			part->op[part->ops++] = t->op[i];
		} else if (t->fate[i] == LOOSE) {
			part->others++;
		} else if (was_found(t, i) && part->alsos <
			   ARRAY_SIZE(part->also)) {
			part->also[part->alsos++] = t->op[i];
		}
	}
	history_report_drop(&report);
	return 0;
}

static int shrink(struct trial *t, const struct history_report *report,
		  struct history_part *part)
{
	__u64 end = report->end;
	unsigned int i;
	int ret;

	t->fate = calloc(t->ops, sizeof(*t->fate));
	t->left = calloc(t->ops, sizeof(*t->left));
	t->from = calloc(t->ops, sizeof(*t->from));
	part->op = calloc(t->ops, sizeof(*part->op));
	part->firm = calloc(t->ops, sizeof(*part->firm));
	if (!t->fate || !t->left || !t->from || !part->op || !part->firm)
		return -ENOMEM;
	for (i = 0; i < t->ops; i++) {
		if (report->past[i] || t->op[i].invoke > end)
			t->fate[i] = GONE;
		else
			t->fate[i] = t->op[i].answer ? FIRM : LOOSE;
	}
	ret = try(t, NULL);
	if (ret)
		return ret < 0 ? ret : -EINVAL;
	while (take_out(t))
		;
	return fill_in(t, part);
}

int history_shrink(const struct history *h, struct history_part *part)
{
	struct trial t = { .op = h->op, .ops = h->ops };
	struct history_report report;
	int ret;

	memset(part, 0, sizeof(*part));
	ret = history_check(h, HISTORY_LIMIT, &report);
	if (ret)
		return ret < 0 ? ret : -EINVAL;
	t.h.start = report.start;
	t.h.starts = report.starts;
	ret = shrink(&t, &report, part);
	part->start = report.start;
	part->starts = report.starts;
	report.start = NULL;
	history_report_drop(&report);
	free(t.fate);
	free(t.left);
	free(t.from);
	if (ret)
		history_part_drop(part);
	return ret;
}

void history_part_drop(struct history_part *part)
{
	free(part->op);
	free(part->firm);
	free(part->start);
	free(part->last);
	memset(part, 0, sizeof(*part));
}
