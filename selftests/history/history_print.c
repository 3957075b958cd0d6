// SPDX-License-Identifier: GPL-2.0
/* Sorting histories, and printing them for people. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "history_check.h"
#include "kselftest.h"

#define STATES_MAX	6u	/* states that are printed */
#define BAR_MAX		72u	/* columns of the picture of times */

static int by_invocation(const void *a, const void *b)
{
	const struct history_op *x = a, *y = b;

	if (x->invoke != y->invoke)
		return x->invoke < y->invoke ? -1 : 1;
	return x->record < y->record ? -1 : x->record > y->record;
}

void history_sort(struct history_op *op, unsigned int ops)
{
	qsort(op, ops, sizeof(*op), by_invocation);
}

unsigned int history_overlaps(const struct history_op *op, unsigned int ops)
{
	__u64 latest = 0;
	unsigned int i, n = 0;
	bool overlaps = false;
	bool counted = false;	/* the one that is answered last so far */

	for (i = 0; i < ops; i++) {
		__u64 answer = op[i].answer ? : ~0ull;

		if (i && op[i].invoke == op[i - 1].invoke) {
			n += overlaps;
			continue;
		}
		overlaps = op[i].invoke < latest;
		if (overlaps) {
			n += counted ? 1 : 2;
			counted = true;
		}
		if (answer > latest) {
			latest = answer;
			counted = overlaps;
		}
	}
	return n;
}

static void print_value(FILE *to, const struct history_value *value)
{
	if (value->len == HISTORY_ABSENT)
		fprintf(to, "no value");
	else if (value->len == HISTORY_TORN)
		fprintf(to, "A TORN VALUE");
	else if (value->len == HISTORY_NUMBER)
		fprintf(to, "number %lld", (long long)value->id);
	else if (value->id)
		fprintf(to, "%u bytes #%llx", value->len,
			(unsigned long long)value->id);
	else
		fprintf(to, "%u bytes", value->len);
}

static void print_state(FILE *to, const struct history_state *s)
{
	if (!s->present && !s->high) {
		fprintf(to, "absent, never present");
	} else if (!s->present) {
		fprintf(to, "absent, no version above %llu used",
			(unsigned long long)s->high);
	} else {
		print_value(to, &s->value);
		fprintf(to, s->vague ? ", a version from %llu up" :
				       ", version %llu",
			(unsigned long long)s->high);
	}
}

static void print_states(FILE *to, const char *when,
			 const struct history_state *state, unsigned int states)
{
	unsigned int i;

	for (i = 0; i < states && i < STATES_MAX; i++) {
		fprintf(to, "#   %s: ", i ? "or" : when);
		print_state(to, &state[i]);
		fprintf(to, "\n");
	}
	if (states > STATES_MAX)
		fprintf(to, "#   or: %u more\n", states - STATES_MAX);
}

static void print_question(FILE *to, const struct history_op *op)
{
	switch (op->opcode) {
	case KMAP_OP_GET:
		fprintf(to, "get");
		break;
	case KMAP_OP_SET:
		fprintf(to, "set ");
		print_value(to, &op->stored);
		break;
	case KMAP_OP_DELETE:
		fprintf(to, "delete");
		break;
	default:
		fprintf(to, "add %lld", (long long)op->delta);
	}
	if (op->flags & KMAP_CREATE)
		fprintf(to, " CREATE");
	if (op->flags & KMAP_REPLACE)
		fprintf(to, " REPLACE");
	if (op->flags & KMAP_MATCH)
		fprintf(to, " MATCH %llu", (unsigned long long)op->match);
	if (op->flags & KMAP_RETURN)
		fprintf(to, " RETURN");
	if (op->opcode == KMAP_OP_GET || op->flags & KMAP_RETURN)
		fprintf(to, ", room for %u", op->out_size);
	if (op->record)
		fprintf(to, " (record %u)", op->record);
}

static const char *error_name(int error)
{
	static const struct {
		int error;
		const char *name;
	} names[] = {
		{ ENOENT, "ENOENT" }, { EEXIST, "EEXIST" },
		{ ESTALE, "ESTALE" }, { EMSGSIZE, "EMSGSIZE" },
		{ EDOM, "EDOM" }, { ERANGE, "ERANGE" },
		{ ENOSPC, "ENOSPC" }, { ENOMEM, "ENOMEM" },
		{ EXFULL, "EXFULL" }, { EINTR, "EINTR" },
	};
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(names); i++) {
		if (names[i].error == -error)
			return names[i].name;
	}
	return strerror(-error);
}

static void print_answer(FILE *to, const struct history_op *op)
{
	bool brings = op->opcode == KMAP_OP_GET || op->flags & KMAP_RETURN;
	bool tells = op->error == -EEXIST || op->error == -ESTALE;

	if (!op->answer) {
		fprintf(to, "no answer");
		return;
	}
	fprintf(to, "%s", op->error ? error_name(op->error) : "done");
	if (!op->error || tells ||
	    (op->error == -EMSGSIZE && op->opcode == KMAP_OP_GET))
		fprintf(to, ", version %llu", (unsigned long long)op->version);
	if (op->error == -EMSGSIZE)
		fprintf(to, ", %u bytes are there", op->found.len);
	if (!op->error && op->opcode == KMAP_OP_ADD)
		fprintf(to, ", sum %lld", (long long)op->number);
	if (brings && (!op->error || tells)) {
		fprintf(to, ", found ");
		print_value(to, &op->found);
	}
	/* A get returns a number in two places. */
	if (op->opcode == KMAP_OP_GET && !op->error &&
	    op->number != (op->found.len == HISTORY_NUMBER ?
			   (__s64)op->found.id : 0))
		fprintf(to, ", but number %lld", (long long)op->number);
}

static int by_number(const void *a, const void *b)
{
	__u64 x = *(const __u64 *)a, y = *(const __u64 *)b;

	return x < y ? -1 : x > y;
}

/* The times that occur, sorted, each once; NULL if out of memory. */
static __u64 *times_of(const struct history_part *part, unsigned int *times)
{
	__u64 *time = calloc(2 * part->ops + 1, sizeof(*time));
	unsigned int i, n = 0, k = 0;

	if (!time)
		return NULL;
	for (i = 0; i < part->ops; i++) {
		time[n++] = part->op[i].invoke;
		if (part->op[i].answer)
			time[n++] = part->op[i].answer;
	}
	qsort(time, n, sizeof(*time), by_number);
	for (i = 0; i < n; i++) {
		if (!i || time[i] != time[i - 1])
			time[k++] = time[i];
	}
	*times = k;
	return time;
}

static unsigned int rank_of(const __u64 *time, __u64 of)
{
	unsigned int i = 0;

	while (time[i] != of)
		i++;
	return i;
}

static void print_bar(FILE *to, const struct history_op *op, const __u64 *time,
		      unsigned int times)
{
	unsigned int from = rank_of(time, op->invoke);
	unsigned int till = op->answer ? rank_of(time, op->answer) : times;
	char bar[BAR_MAX + 1];
	unsigned int i;

	if (times >= BAR_MAX) {
		fprintf(to, "%4u to %4u", from, till);
		return;
	}
	memset(bar, ' ', times);
	for (i = from; i < till; i++)
		bar[i] = '-';
	bar[from] = '|';
	bar[times] = '\0';
	if (op->answer)
		bar[till] = '|';
	fprintf(to, "%s", bar);
}

void history_print(FILE *to, const struct history_part *part, const char *what)
{
	unsigned int times = 0, i;
	__u64 *time = times_of(part, &times);

	fprintf(to, "# %s: these answers have no order (*: most likely culprit)\n",
		what);
	print_states(to, "before", part->start, part->starts);
	for (i = 0; i < part->ops && time; i++) {
		const struct history_op *op = &part->op[i];

		fprintf(to, "# %c worker %-3u ", i == part->failed ? '*' :
			part->firm[i] ? ' ' : '?', op->worker);
		print_bar(to, op, time, times);
		fprintf(to, "  ");
		print_question(to, op);
		fprintf(to, " -> ");
		print_answer(to, op);
		fprintf(to, "\n");
	}
	print_states(to, "then it can only be", part->last,
		     part->lasts);
	for (i = 0; i < part->alsos; i++) {
		fprintf(to, "#   %s, worker %u: ", !part->ops ||
			part->also[i].invoke < part->op[0].invoke ?
			"earlier" : "later", part->also[i].worker);
		print_question(to, &part->also[i]);
		fprintf(to, " -> ");
		print_answer(to, &part->also[i]);
		fprintf(to, "\n");
	}
	if (memchr(part->firm, 0, part->ops))
		fprintf(to, "#   ?: does not help, whether carried out or not\n");
	if (part->others)
		fprintf(to, "#   changes at the same time that do not help either: %u\n",
			part->others);
	free(time);
}
