// SPDX-License-Identifier: GPL-2.0
/*
 * A model of the map for one key, one operation after the other: the rules of
 * uapi/linux/kmap.h, and that a new version is larger than any that the key had.
 *
 * What no answer tells is left open.  After an operation without an answer the
 * version is vague, until an answer returns it.
 */
#include <errno.h>
#include <stddef.h>

#include "history_model.h"

bool history_refused(const struct history_op *op)
{
	switch (op->error) {
	case -ENOMEM:
	case -ENOSPC:
	case -EXFULL:
	case -EINTR:
		return op->answer;
	default:
		return false;
	}
}

bool history_changes(const struct history_op *op)
{
	return op->opcode != KMAP_OP_GET && (!op->answer || !op->error);
}

static bool same_value(const struct history_value *a,
		       const struct history_value *b)
{
	return a->len == b->len && a->id == b->id;
}

/* Is the key present at @version?  A vague version becomes known by that. */
static bool at_version(struct history_state *s, __u64 version)
{
	if (!s->present || !version || version > KMAP_VERSION_MASK)
		return false;
	if (!s->vague)
		return version == s->high;
	if (version < s->high)
		return false;
	s->vague = false;
	s->high = version;
	return true;
}

/* Is the value that was returned, or none, the one in this state? */
static bool brought(const struct history_op *op, const struct history_state *s)
{
	if (!(op->flags & KMAP_RETURN) && op->opcode != KMAP_OP_GET)
		return true;
	if (!s->present)
		return op->found.len == HISTORY_ABSENT;
	return same_value(&op->found, &s->value);
}

static bool matches(const struct history_op *op, const struct history_state *s)
{
	if (!s->vague)
		return op->match == s->high;
	/* The version is vague: the answer tells whether it matched. */
	if (op->answer && op->error)
		return op->error != -ESTALE;
	return op->match >= s->high;
}

/* The result that the map must return, unless it lacks memory or the like. */
static int expected(const struct history_op *op, const struct history_state *s,
		    __s64 *sum)
{
	bool brings = op->flags & KMAP_RETURN || op->opcode == KMAP_OP_GET;
	bool adds = op->opcode == KMAP_OP_ADD;
	bool needs = op->opcode == KMAP_OP_GET || op->opcode == KMAP_OP_DELETE ||
		     op->flags & (KMAP_REPLACE | KMAP_MATCH);

	*sum = op->delta;
	if (!s->present)
		return needs ? -ENOENT : 0;
	if (brings && s->value.len > op->out_size)
		return -EMSGSIZE;
	if (op->flags & KMAP_CREATE)
		return -EEXIST;
	if (op->flags & KMAP_MATCH && !matches(op, s))
		return -ESTALE;
	if (adds && s->value.len != HISTORY_NUMBER)
		return -EDOM;
	if (adds && __builtin_add_overflow((__s64)s->value.id, op->delta, sum))
		return -ERANGE;
	return 0;
}

/* Is the answer to an operation that failed right? */
static bool explained(const struct history_op *op, struct history_state *s)
{
	switch (op->error) {
	case -EEXIST:
		return at_version(s, op->version) && brought(op, s);
	case -ESTALE:
		return op->version != op->match && at_version(s, op->version) &&
		       brought(op, s);
	case -EMSGSIZE:
		return op->found.len == s->value.len &&
		       (op->opcode != KMAP_OP_GET || at_version(s, op->version));
	default:
		return true;
	}
}

static bool got(const struct history_op *op, struct history_state *s)
{
	__s64 number = s->value.len == HISTORY_NUMBER ? s->value.id : 0;

	return brought(op, s) && at_version(s, op->version) &&
	       op->number == number;
}

static bool removed(const struct history_op *op, struct history_state *s)
{
	if (op->flags & KMAP_MATCH && !at_version(s, op->match))
		return false;
	if (op->answer && (!brought(op, s) || !at_version(s, op->version)))
		return false;
	s->present = false;
	s->vague = false;
	s->value = (struct history_value) { 0 };
	return true;
}

static bool stored(const struct history_op *op, struct history_state *s,
		   const struct history_value *value)
{
	if (op->flags & KMAP_MATCH && !at_version(s, op->match))
		return false;
	if (op->answer && (!brought(op, s) || op->version <= s->high ||
			   op->version > KMAP_VERSION_MASK))
		return false;
	s->present = true;
	s->vague = !op->answer;
	s->value = *value;
	s->high = op->answer ? op->version : s->high + 1;
	return true;
}

enum history_step history_step(const struct history_op *op,
			       const struct history_state *s,
			       struct history_state *next)
{
	struct history_value number = { .len = HISTORY_NUMBER };
	__s64 sum;
	int error;
	bool fits;

	*next = *s;
	if (history_refused(op))
		return HISTORY_SAME;
	error = expected(op, s, &sum);
	if (!op->answer) {
		if (error || op->opcode == KMAP_OP_GET)
			return HISTORY_SAME;
	} else if (error != op->error) {
		return HISTORY_NEVER;
	}

	number.id = sum;
	if (error)
		fits = explained(op, next);
	else if (op->opcode == KMAP_OP_GET)
		fits = got(op, next);
	else if (op->opcode == KMAP_OP_DELETE)
		fits = removed(op, next);
	else if (op->opcode == KMAP_OP_SET)
		fits = stored(op, next, &op->stored);
	else
		fits = (!op->answer || op->number == sum) &&
		       stored(op, next, &number);
	if (!fits)
		return HISTORY_NEVER;
	if (history_changes(op) || next->vague != s->vague)
		return HISTORY_CHANGE;
	return HISTORY_SAME;
}
