// SPDX-License-Identifier: GPL-2.0
/*
 * Histories made without a map, with workers that overlap: at each step one of
 * them makes a call, or has its next record carried out, or gets its answer, or is
 * killed.  The code that carries records out does not use the checker's model, so
 * that the two check each other.
 */
#include <errno.h>
#include <string.h>

#include "history_draw.h"
#include "history_model.h"
#include "history_random.h"
#include "kmap_test.h"

#define WORKERS		16u
#define ROOM		4096u

/* One key of a map: present when @version is not 0. */
struct key {
	struct history_value value;
	__u64 version;
};

/**
 * struct asking - one worker
 * @asker: draws its operations
 * @op: its call, or NULL
 * @records: number of records of the call
 * @carried: number of records carried out
 */
struct asking {
	struct history_asker asker;
	struct history_op *op;
	unsigned int records;
	unsigned int carried;
};

/**
 * struct world - workers and the key
 * @plan: the plan
 * @random: state of the random sequence that decides what happens next
 * @ticket: the last ticket
 * @now: the key
 * @before: the key before its last change
 * @version: the last version
 * @faults: number of faults so far
 * @worker: the workers
 * @workers: number of all workers so far, with those that were killed
 */
struct world {
	const struct history_plan *plan;
	__u64 random;
	__u64 ticket;
	struct key now;
	struct key before;
	__u64 version;
	unsigned int faults;
	struct asking worker[WORKERS];
	unsigned int workers;
};

static unsigned int below(__u64 *random, unsigned int n)
{
	return (kt_random(random) >> 32) % n;
}

static void put(struct history_op *op, struct key *key,
		const struct history_value *value, __u64 *version)
{
	key->value = *value;
	key->version = ++*version;
	op->version = key->version;
}

static void add(struct history_op *op, struct key *key, __u64 *version)
{
	struct history_value sum = { .len = 8, .id = op->delta };
	__s64 old = key->value.id;

	if (key->version && key->value.len != 8) {
		op->error = -EDOM;
		return;
	}
	if (key->version) {
		if (op->delta > 0 ? old > INT64_MAX - op->delta :
				    old < INT64_MIN - op->delta) {
			op->error = -ERANGE;
			return;
		}
		sum.id = old + op->delta;
	}
	op->number = sum.id;
	put(op, key, &sum, version);
}

/* What the map answers; the key may change. */
static void carry_out(struct history_op *op, struct key *key, __u64 *version)
{
	bool get = op->opcode == KMAP_OP_GET;

	op->error = 0;
	if (!key->version && (get || op->opcode == KMAP_OP_DELETE ||
			      op->flags & (KMAP_REPLACE | KMAP_MATCH))) {
		op->error = -ENOENT;
		return;
	}
	if (get || op->flags & KMAP_RETURN) {
		op->found = key->value;
		if (!key->version)
			op->found.len = HISTORY_ABSENT;
		else if (key->value.len > op->out_size)
			op->error = -EMSGSIZE;
	}
	if (op->error) {
		op->found.id = 0;
		op->version = get ? key->version : 0;
		return;
	}
	if (key->version && op->flags & KMAP_CREATE)
		op->error = -EEXIST;
	else if (op->flags & KMAP_MATCH && op->match != key->version)
		op->error = -ESTALE;
	if (get || op->error || op->opcode == KMAP_OP_DELETE)
		op->version = key->version;
	if (op->error)
		return;

	if (get)
		op->number = key->value.len == 8 ? key->value.id : 0;
	else if (op->opcode == KMAP_OP_DELETE)
		*key = (struct key) { 0 };
	else if (op->opcode == KMAP_OP_SET)
		put(op, key, &op->stored, version);
	else
		add(op, key, version);
}

/* Finds a SET whose value is not stored yet. */
static const struct history_op *not_yet(const struct world *w)
{
	unsigned int i;

	for (i = 0; i < w->plan->workers; i++) {
		const struct asking *a = &w->worker[i];

		if (a->op && a->op[a->carried].opcode == KMAP_OP_SET &&
		    a->carried < a->records && a->op[a->carried].stored.id &&
		    a->op[a->carried].stored.len > 8)
			return &a->op[a->carried];
	}
	return NULL;
}

/* Carries an operation out wrongly, if the fault is possible here. */
static bool go_wrong(struct world *w, struct history_op *op)
{
	bool get = op->opcode == KMAP_OP_GET && w->now.version &&
		   op->out_size == ROOM;
	struct history_op is = *op;
	struct key key = w->now;
	__u64 version = w->version;
	const struct history_op *other;

	carry_out(&is, &key, &version);
	switch (w->plan->fault) {
	case HISTORY_STALE_GET:
		if (op->opcode != KMAP_OP_GET)
			return false;
		key = w->before;
		carry_out(op, &key, &version);
		return true;
	case HISTORY_LOST_ADD:
		if (op->opcode != KMAP_OP_ADD || op->flags || is.error ||
		    !w->before.version || w->before.value.len != 8)
			return false;
		key = w->before;
		carry_out(op, &key, &w->version);
		w->now = op->error ? w->now : key;
		return true;
	case HISTORY_TWO_WINNERS:
		if (op->opcode != KMAP_OP_SET || !op->flags)
			return false;
		key = w->before;
		carry_out(op, &key, &w->version);
		w->now = op->error ? w->now : key;
		return true;
	case HISTORY_TWO_REMOVED:
		if (op->opcode != KMAP_OP_DELETE || !w->before.version)
			return false;
		key = w->before;
		carry_out(op, &key, &version);
		w->now = op->error ? w->now : key;
		return true;
	case HISTORY_MIXED:
		if (!get || !w->before.version)
			return false;
		*op = is;
		op->version = w->before.version;
		return true;
	case HISTORY_REPEATED:
		if (op->opcode != KMAP_OP_SET || is.error || w->now.version ||
		    w->version < 2)
			return false;
		w->version -= 2;
		carry_out(op, &w->now, &w->version);
		w->version += 2;
		return true;
	case HISTORY_EARLY:
		other = not_yet(w);
		if (!get || !other)
			return false;
		*op = is;
		op->found = other->stored;
		op->version = w->version + 1;
		op->number = 0;
		return true;
	case HISTORY_FORGOTTEN:
		if (op->opcode == KMAP_OP_GET || is.error)
			return false;
		*op = is;
		w->version = version;
		return true;
	case HISTORY_FAILED_MADE:
		if (op->opcode != KMAP_OP_SET || !is.error)
			return false;
		op->flags &= KMAP_RETURN;
		carry_out(op, &w->now, &w->version);
		*op = is;
		return true;
	default:
		return false;
	}
}

static void do_record(struct world *w, struct history_op *op)
{
	struct key was = w->now;

	if (w->plan->fault != HISTORY_SOUND && !below(&w->random, 6) &&
	    go_wrong(w, op))
		w->faults++;
	else
		carry_out(op, &w->now, &w->version);
	if (was.version != w->now.version)
		w->before = was;
}

/* The next record; from the last to the first, if that is the fault. */
static struct history_op *next_record(struct world *w, struct asking *a)
{
	if (w->plan->fault != HISTORY_DISORDER || a->records == 1)
		return &a->op[a->carried++];
	if (!a->carried)
		w->faults++;
	return &a->op[a->records - ++a->carried];
}

static void begin(struct world *w, struct asking *a)
{
	memset(a, 0, sizeof(*a));
	a->asker.worker = w->workers++;
	a->asker.random = kt_hash(&w->workers, sizeof(w->workers), w->plan->seed);
	a->asker.room = ROOM;
}

static unsigned int ask(struct world *w, struct asking *a,
			const struct history_mood *mood, struct history_op *op)
{
	unsigned int i;

	a->op = op;
	a->carried = 0;
	a->records = history_records(&a->asker, mood, w->plan->records);
	w->ticket++;
	for (i = 0; i < a->records; i++) {
		history_ask(&a->asker, mood, &op[i]);
		op[i].invoke = w->ticket;
		op[i].record = i;
	}
	return a->records;
}

/* Notes the answers of a call.  A worker that is killed meanwhile has noted only some. */
static void answer(struct world *w, struct asking *a)
{
	unsigned int noted = a->records, i;
	bool dies = w->plan->lost && below(&w->random, 250) < w->plan->lost;

	if (dies)
		noted = below(&w->random, a->records);
	w->ticket++;
	for (i = 0; i < noted; i++) {
		a->op[i].answer = w->ticket;
		history_note(&a->asker, &a->op[i]);
	}
	a->op = NULL;
	if (dies)
		begin(w, a);
}

unsigned int history_make(const struct history_plan *plan,
			  struct history_op *op, unsigned int *faults)
{
	struct history_mood mood = *history_mood(plan->seed);
	struct world w = {
		.plan = plan,
		.random = plan->seed,
		.ticket = 1,
	};
	unsigned int i, busy = 0, ops = 0;

	mood.keys = 1;
	for (i = 0; i < plan->workers; i++)
		begin(&w, &w.worker[i]);
	while (ops < plan->ops || busy) {
		struct asking *a = &w.worker[below(&w.random, plan->workers)];

		if (!a->op && ops < plan->ops) {
			ops += ask(&w, a, &mood, op + ops);
			busy++;
		} else if (a->op && below(&w.random, 1000) < plan->lost) {
			begin(&w, a);
			busy--;
		} else if (a->op && a->carried < a->records) {
			do_record(&w, next_record(&w, a));
		} else if (a->op) {
			answer(&w, a);
			busy--;
		}
	}
	history_sort(op, ops);
	if (faults)
		*faults = w.faults;
	return ops;
}

bool history_bend(struct history_op *op, unsigned int ops, __u64 *random)
{
	struct history_op *a = &op[below(random, ops)], *b;
	unsigned int tries = 100;

	while (tries--) {
		a = &op[below(random, ops)];
		b = &op[below(random, ops)];
		if (!a->answer || !b->answer || a == b)
			continue;
		switch (below(random, 6)) {
		case 0:
			if (a->error || b->error || a->version == b->version)
				continue;
			a->version = b->version;
			return true;
		case 1:
			if (a->error || a->opcode != KMAP_OP_GET)
				continue;
			a->version += below(random, 2) ? 1 : -1;
			return true;
		case 2:
			if (a->error || !a->found.id || !b->stored.id ||
			    a->found.id == b->stored.id)
				continue;
			a->found = b->stored;
			a->number = a->opcode == KMAP_OP_GET &&
				    a->found.len == 8 ? a->found.id : 0;
			return true;
		case 3:
			if (a->error || a->opcode != KMAP_OP_ADD)
				continue;
			a->number++;
			return true;
		case 4:
			if (a->error)
				continue;
			a->error = -ENOENT;
			return true;
		default:
			if (a->error != -ENOENT || b->error || !b->version ||
			    a->opcode != KMAP_OP_DELETE || a->flags)
				continue;
			a->error = 0;
			a->version = b->version;
			return true;
		}
	}
	return false;
}

/* Can operation @i come next, after those of @done? */
static bool may_follow(const struct history *h, unsigned int done,
		       unsigned int i)
{
	const struct history_op *op = h->op;
	unsigned int j;

	for (j = 0; j < h->ops; j++) {
		if (done >> j & 1 || j == i)
			continue;
		if (op[j].answer && op[j].answer < op[i].invoke)
			return false;
		if (op[j].invoke == op[i].invoke && op[j].record < op[i].record)
			return false;
	}
	return true;
}

static bool try_rest(const struct history *h, unsigned int done,
		     const struct history_state *state)
{
	bool complete = true;
	unsigned int i;

	for (i = 0; i < h->ops; i++) {
		struct history_state next;

		if (done >> i & 1)
			continue;
		complete &= !h->op[i].answer;
		if (may_follow(h, done, i) &&
		    history_step(&h->op[i], state, &next) != HISTORY_NEVER &&
		    try_rest(h, done | 1u << i, &next))
			return true;
	}
	return complete;
}

bool history_try_all(const struct history *h)
{
	struct history_state never = { .present = false };

	return try_rest(h, 0, &never);
}
