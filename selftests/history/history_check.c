// SPDX-License-Identifier: GPL-2.0
/*
 * Decides whether a history of one key is linearizable: whether each operation
 * can have a moment between its invocation and its answer such that the map of
 * history_model.c gives the same answers in the order of these moments.
 *
 * The search is that of Wing and Gong ("Testing and Verifying Concurrent
 * Objects", Journal of Parallel and Distributed Computing 17, 1993), with later
 * improvements:
 *
 *  - Keys are checked one by one, which is enough, and shortens histories
 *    (Horn and Kroening, "Faster linearizability checking via
 *    P-compositionality", FORTE 2015).
 *  - Operations are put in order just in time: not before there is an answer that
 *    needs them.  A configuration is the state of the key, and how much of the
 *    calls under way is in the order already.  All configurations go through the
 *    history together, and each is looked at once (Lowe, "Testing for
 *    linearizability", Concurrency and Computation: Practice and Experience 29(4),
 *    2017: just-in-time linearization, as a graph search).
 *  - An answered operation that changes nothing where it fits is put there at
 *    once: no order is lost, as it could be moved there from any later place.
 *    Readers then cost nothing, however many overlap.
 *  - Versions grow: a configuration whose version has passed that of an operation
 *    under way cannot be the beginning of an order.
 *  - A configuration is dropped if another one can continue in all the ways in
 *    which it can (history_configs.c).
 *
 * The history fails at the first answer that no configuration survives.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "history_check.h"
#include "history_model.h"

/**
 * struct line - a call: records that are carried out in their order.  In a call
 * that was answered, a record without an answer may not have been carried out.
 * @first: index of the first record
 * @count: number of records
 * @answer: ticket of the answer, or 0
 * @slot: its place in a configuration while it is under way
 * @over: its answer has come
 */
struct line {
	unsigned int first;
	unsigned int count;
	__u64 answer;
	unsigned int slot;
	bool over;
};

/**
 * struct live - lines under way
 * @line: the lines in its slots, or NULL
 * @end: slots below this one may be in use
 */
struct live {
	struct line *line[HISTORY_WIDTH];
	unsigned int end;
};

/**
 * struct search - one check
 * @op: the operations
 * @ops: number of operations
 * @least: for each, the least version that it or a later record of its line is
 *	known to have got, or the largest possible number
 * @line: the lines
 * @lines: number of lines
 * @order: the lines with an answer, in the order of their answers
 * @answers: number of these
 * @answered: lines under way that will be answered
 * @lost: lines under way that will never be answered
 * @now: the configurations after the events so far
 * @seen: those found on the way to the next answer
 * @next: those that contain the answered line
 * @budget: configurations that may still be looked at
 * @tell: fill in the report
 * @report: as in history_check(); its memory is the search's until the end
 */
struct search {
	const struct history_op *op;
	unsigned int ops;
	__u64 *least;
	struct line *line;
	unsigned int lines;
	struct line **order;
	unsigned int answers;
	struct live answered;
	struct live lost;
	struct history_configs now;
	struct history_configs seen;
	struct history_configs next;
	unsigned long budget;
	bool tell;
	struct history_report report;
};

static int enter(struct live *live, struct line *line)
{
	unsigned int slot = 0;

	while (slot < HISTORY_WIDTH && live->line[slot])
		slot++;
	if (slot == HISTORY_WIDTH)
		return -E2BIG;
	live->line[slot] = line;
	line->slot = slot;
	if (live->end <= slot)
		live->end = slot + 1;
	return 0;
}

static void leave(struct live *live, struct line *line)
{
	live->line[line->slot] = NULL;
	line->over = true;
}

/* How many records of a line are in the order. */
static __u8 *far(struct history_config *c, const struct line *line)
{
	return &(line->answer ? c->done : c->used)[line->slot];
}

/* Puts operations that change nothing in the order. */
static void settle(const struct search *s, struct history_config *c)
{
	struct history_state state;
	unsigned int slot;

	for (slot = 0; slot < s->answered.end; slot++) {
		const struct line *line = s->answered.line[slot];

		while (line && c->done[slot] < line->count) {
			const struct history_op *op;

			op = &s->op[line->first + c->done[slot]];
			if (!op->answer ||
			    history_step(op, &c->state, &state) != HISTORY_SAME)
				break;
			c->done[slot]++;
		}
	}
}

/* Has the configuration passed the version of an operation under way? */
static bool too_late(const struct search *s, const struct history_config *c)
{
	unsigned int slot;

	for (slot = 0; slot < s->answered.end; slot++) {
		const struct line *line = s->answered.line[slot];

		if (line && c->done[slot] < line->count &&
		    s->least[line->first + c->done[slot]] <= c->state.high)
			return true;
	}
	return false;
}

static int add_seen(struct search *s, struct history_config *c)
{
	if (!s->budget--)
		return -EDQUOT;
	settle(s, c);
	if (too_late(s, c))
		return 0;
	return history_configs_add(&s->seen, c);
}

/* Adds all configurations that can follow one by an operation of the lines in @live. */
static int expand(struct search *s, const struct live *live,
		  const struct history_config *from)
{
	unsigned int slot;
	int ret = 0;

	for (slot = 0; slot < live->end && !ret; slot++) {
		const struct line *line = live->line[slot];
		struct history_config to = *from;
		const struct history_op *op;
		enum history_step step;

		if (!line || *far(&to, line) == line->count)
			continue;
		op = &s->op[line->first + (*far(&to, line))++];
		step = history_step(op, &from->state, &to.state);
		/* A record without an answer may change nothing, and the next one follows. */
		if (step == HISTORY_CHANGE ||
		    (step == HISTORY_SAME && *far(&to, line) < line->count))
			ret = add_seen(s, &to);
		if (op->answer || !line->answer || ret)
			continue;
		to.state = from->state;
		ret = add_seen(s, &to);
	}
	return ret;
}

/* Records of answered calls that are in the order. */
static unsigned int length(const struct search *s,
			   const struct history_config *c)
{
	unsigned int slot, length = 0;

	for (slot = 0; slot < s->answered.end; slot++)
		length += c->done[slot];
	return length;
}

/* Finds the operation that should have come next, by its version, but cannot. */
static unsigned int culprit(const struct search *s, const struct line *line)
{
	const struct history_config *c = s->seen.config;
	unsigned int i, slot, failed = line->first;
	__u64 next = ~0ull;

	if (!s->seen.count)
		return failed;
	for (i = 1; i < s->seen.count; i++) {
		if (length(s, &s->seen.config[i]) > length(s, c))
			c = &s->seen.config[i];
	}
	if (c->done[line->slot] < line->count)
		failed += c->done[line->slot];
	for (slot = 0; slot < s->answered.end; slot++) {
		const struct line *other = s->answered.line[slot];
		const struct history_op *op;
		__u64 version;

		if (!other || c->done[slot] == other->count)
			continue;
		i = other->first + c->done[slot];
		op = &s->op[i];
		version = s->least[i];
		if (!op->error && op->answer && op->version < version)
			version = op->version;
		if (version < next) {
			next = version;
			failed = i;
		}
	}
	return failed;
}

/* A call was answered: returns 1, or 0 when no configuration explains the answer. */
static int answer(struct search *s, struct line *line)
{
	struct history_configs swap;
	unsigned int k;
	int ret = 0;

	history_configs_empty(&s->seen);
	history_configs_empty(&s->next);
	for (k = 0; k < s->now.count && !ret; k++) {
		struct history_config c = s->now.config[k];

		ret = add_seen(s, &c);
	}
	for (k = 0; k < s->seen.count && !ret; k++) {
		struct history_config c = s->seen.config[k];

		if (*far(&c, line) == line->count) {
			*far(&c, line) = 0;
			ret = history_configs_add(&s->next, &c);
			continue;
		}
		ret = expand(s, &s->answered, &c);
		if (!ret)
			ret = expand(s, &s->lost, &c);
	}
	if (ret)
		return ret;
	if (!s->next.count) {
		s->report.end = line->answer;
		s->report.failed = culprit(s, line);
		if (s->tell)
			ret = history_configs_states(s->seen.count ? &s->seen :
						     &s->now, &s->report.last);
		s->report.lasts = ret > 0 ? ret : 0;
		return ret < 0 ? ret : 0;
	}

	leave(&s->answered, line);
	swap = s->now;
	s->now = s->next;
	s->next = swap;
	return 1;
}

static int invoke(struct search *s, struct line *line)
{
	int ret;

	if (line->answer)
		return enter(&s->answered, line) ? : 1;
	ret = enter(&s->lost, line);
	if (ret)
		return ret;
	s->now.lost = s->lost.end;
	s->seen.lost = s->lost.end;
	s->next.lost = s->lost.end;
	s->now.batch[line->slot] = line->count > 1;
	s->seen.batch[line->slot] = line->count > 1;
	s->next.batch[line->slot] = line->count > 1;
	return 1;
}

/* If all configurations are orders of the same operations, a part can begin here. */
static int take_note(struct search *s, unsigned int invoked)
{
	struct history_config *c = s->now.config;
	unsigned int i, k;
	int ret;

	for (i = 1; i < s->now.count; i++) {
		if (memcmp(c[i].done, c->done, sizeof(c->done)) ||
		    memcmp(c[i].used, c->used, sizeof(c->used)))
			return 1;
	}
	for (i = 0; i < invoked; i++) {
		struct line *line = &s->line[i];

		for (k = 0; k < line->count; k++)
			s->report.past[line->first + k] =
				line->over || k < *far(c, line);
	}
	ret = history_configs_states(&s->now, &s->report.start);
	if (ret < 0)
		return ret;
	s->report.starts = ret;
	return 1;
}

static int run(struct search *s)
{
	unsigned int i = 0, a = 0;
	int ret = 1;

	while (ret == 1 && (i < s->lines || a < s->answers)) {
		if (i < s->lines &&
		    (a == s->answers || s->op[s->line[i].first].invoke <=
					s->order[a]->answer)) {
			ret = invoke(s, &s->line[i++]);
			continue;
		}
		ret = answer(s, s->order[a++]);
		if (ret == 1 && s->tell)
			ret = take_note(s, i);
	}
	return ret;
}

static int by_answer(const void *a, const void *b)
{
	const struct line *x = *(struct line *const *)a;
	const struct line *y = *(struct line *const *)b;

	if (x->answer != y->answer)
		return x->answer < y->answer ? -1 : 1;
	return x->first < y->first ? -1 : x->first > y->first;
}

/* Finds the lines; -EINVAL if the times are impossible. */
static int find_lines(struct search *s)
{
	const struct history_op *op = s->op;
	struct line *line = s->line;
	unsigned int i;

	for (i = 0; i < s->ops; i++, op++) {
		if (!op->invoke || (op->answer && op->answer <= op->invoke))
			return -EINVAL;
		if (i && (op->invoke < op[-1].invoke ||
			  (op->invoke == op[-1].invoke &&
			   op->record <= op[-1].record)))
			return -EINVAL;
		if (line->count && line->first + line->count == i &&
		    op->invoke == op[-1].invoke) {
			if (line->count++ == HISTORY_RECORDS)
				return -E2BIG;
			if (op->answer > line->answer)
				line->answer = op->answer;
			continue;
		}
		/* A get without an answer proves nothing. */
		if (!op->answer && op->opcode == KMAP_OP_GET)
			continue;
		line += line->count != 0;
		line->first = i;
		line->count = 1;
		line->answer = op->answer;
	}
	s->lines = line - s->line + (line->count != 0);
	return 0;
}

static void find_least(struct search *s)
{
	struct line *line;
	unsigned int i;

	for (line = s->line; line < s->line + s->lines; line++) {
		__u64 least = ~0ull;

		for (i = line->first + line->count; i-- > line->first;) {
			const struct history_op *op = &s->op[i];

			/* Without an answer there is no version, whatever is noted. */
			if (op->answer && history_changes(op) &&
			    op->opcode != KMAP_OP_DELETE && op->version < least)
				least = op->version;
			s->least[i] = least;
		}
		if (line->answer)
			s->order[s->answers++] = line;
	}
	qsort(s->order, s->answers, sizeof(*s->order), by_answer);
}

static int start(struct search *s, const struct history *h)
{
	struct history_config c = { .used = { 0 } };
	unsigned int k;
	int ret;

	s->least = calloc(s->ops + 1, sizeof(*s->least));
	s->line = calloc(s->ops + 1, sizeof(*s->line));
	s->order = calloc(s->ops + 1, sizeof(*s->order));
	s->report.past = calloc(s->ops + 1, sizeof(*s->report.past));
	if (!s->least || !s->line || !s->order || !s->report.past)
		return -ENOMEM;
	ret = find_lines(s);
	if (ret)
		return ret;
	find_least(s);
	for (k = 0; k < (h->starts ? : 1) && !ret; k++) {
		if (h->starts)
			c.state = h->start[k];
		ret = history_configs_add(&s->now, &c);
	}
	if (ret || !s->tell)
		return ret;
	ret = history_configs_states(&s->now, &s->report.start);
	s->report.starts = ret > 0 ? ret : 0;
	return ret > 0 ? 0 : ret;
}

int history_check(const struct history *h, unsigned long limit,
		  struct history_report *report)
{
	struct search s = {
		.op = h->op,
		.ops = h->ops,
		.budget = limit,
		.tell = report,
	};
	int ret = start(&s, h);

	if (!ret)
		ret = run(&s);
	if (!ret && report)
		*report = s.report;
	else
		history_report_drop(&s.report);
	history_configs_drop(&s.now);
	history_configs_drop(&s.seen);
	history_configs_drop(&s.next);
	free(s.least);
	free(s.line);
	free(s.order);
	return ret;
}

void history_report_drop(struct history_report *report)
{
	free(report->past);
	free(report->start);
	free(report->last);
	memset(report, 0, sizeof(*report));
}
