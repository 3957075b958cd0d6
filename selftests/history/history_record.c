// SPDX-License-Identifier: GPL-2.0
/*
 * Records histories: the operations of each worker, their times and their answers,
 * in memory that outlives it.  The operation is written first, then the ticket of
 * the invocation; after the call the answer, then its ticket.  So a worker that is
 * killed leaves an operation without an answer, never half an answer.
 *
 * Each round has new keys, so that they are absent at first and their histories
 * are short.
 */
#include <errno.h>
#include <sched.h>
#include <stdlib.h>
#include <string.h>

#include "history_check.h"
#include "history_record.h"

#define FILLER_LEN	32u

/* Longest value of a call of one record, and of one of several. */
#define ROOM		32768u
#define BATCH_ROOM	2048u

size_t history_lot_size(unsigned int rows, unsigned int row, unsigned int rounds)
{
	return sizeof(struct history_lot) +
	       (size_t)rows * row * rounds * sizeof(struct history_op);
}

static struct history_op *row_of(struct history_lot *lot, unsigned int round,
				 unsigned int row)
{
	return lot->op + ((size_t)round * lot->rows + row) * lot->row;
}

void history_lot_begin(struct history_lot *lot, __u64 first)
{
	size_t ops = (size_t)lot->rounds * lot->rows * lot->row;

	memset(lot->op, 0, ops * sizeof(lot->op[0]));
	lot->first = first;
	atomic_store(&lot->ticket, 0);
	atomic_store(&lot->met, 0);
	atomic_store(&lot->item, 0);
}

__u64 history_lot_count(const struct history_lot *lot)
{
	size_t ops = (size_t)lot->rounds * lot->rows * lot->row, i;
	__u64 count = 0;

	for (i = 0; i < ops; i++)
		count += lot->op[i].invoke != 0;
	return count;
}

static size_t name_of(char name[HAMMER_KEY_MAX], const struct history_lot *lot,
		      unsigned int round, unsigned int key)
{
	return hammer_key(name, "history",
			  (lot->first + round) * HISTORY_KEYS + key);
}

/**
 * struct call - one call, of one record or several
 * @w: the worker
 * @lot: the lot
 * @round: the round
 * @op: the operations, in shared memory
 * @records: how many
 * @name: the keys
 * @record: as the kernel gets them
 */
struct call {
	struct hammer_worker *w;
	struct history_lot *lot;
	unsigned int round;
	struct history_op *op;
	unsigned int records;
	char name[HISTORY_BATCH][HAMMER_KEY_MAX];
	struct kmap_op record[HISTORY_BATCH];
};

static void make_record(struct call *call, unsigned int i)
{
	const struct history_op *op = &call->op[i];
	struct kmap_op *record = &call->record[i];
	__u8 *in = call->w->in + i * BATCH_ROOM;
	__u8 *out = call->w->out + i * BATCH_ROOM;
	char *name = call->name[i];

	memset(record, 0, sizeof(*record));
	record->opcode = op->opcode;
	record->flags = op->flags;
	record->key = kt_ptr(name);
	record->key_len = name_of(name, call->lot, call->round, op->key);
	record->version = op->match;
	record->number = op->delta;
	if (op->opcode == KMAP_OP_SET) {
		if (op->stored.len == HISTORY_NUMBER) {
			record->flags |= KMAP_NUMBER;
			memcpy(in, &op->stored.id, HISTORY_NUMBER);
		} else {
			kt_value_fill(in, op->stored.len, name, record->key_len,
				      op->stored.id);
		}
		record->value = kt_ptr(in);
		record->value_len = op->stored.len;
	}
	if (op->opcode == KMAP_OP_GET || op->flags & KMAP_RETURN) {
		/* The remains of an earlier call must not look like a value. */
		memset(out, KT_POISON, 32);
		record->out = kt_ptr(out);
		record->out_size = op->out_size;
	}
}

/* Which value is in the buffer? */
static struct history_value read_value(const struct call *call, unsigned int i)
{
	const struct kmap_op *record = &call->record[i];
	const __u8 *out = call->w->out + i * BATCH_ROOM;
	struct history_value value = { .len = record->out_len };

	if (value.len == HISTORY_ABSENT)
		return value;
	if (value.len == HISTORY_NUMBER)
		memcpy(&value.id, out, HISTORY_NUMBER);
	else if (value.len > record->out_size ||
		 !kt_value_check(out, value.len, call->name[i], record->key_len,
				 &value.id))
		return (struct history_value) { .len = HISTORY_TORN };
	return value;
}

static void read_record(const struct call *call, unsigned int i)
{
	const struct kmap_op *record = &call->record[i];
	struct history_op *op = &call->op[i];
	bool brings = op->opcode == KMAP_OP_GET || op->flags & KMAP_RETURN;
	bool tells = record->error == -EEXIST || record->error == -ESTALE;

	op->error = record->error;
	if (!op->error || tells)
		op->version = record->version;
	if (!op->error)
		op->number = record->number;
	if (brings && (!op->error || tells))
		op->found = read_value(call, i);
	if (op->error == -EMSGSIZE) {
		op->found.len = record->out_len;
		op->version = op->opcode == KMAP_OP_GET ? record->version : 0;
	}
}

static __u64 draw_ticket(struct history_lot *lot)
{
	return atomic_fetch_add(&lot->ticket, 1) + 1;
}

static int make_call(struct call *call)
{
	static const unsigned long commands[] = {
		[KMAP_OP_GET] = KMAP_IOC_GET,
		[KMAP_OP_SET] = KMAP_IOC_SET,
		[KMAP_OP_DELETE] = KMAP_IOC_DELETE,
		[KMAP_OP_ADD] = KMAP_IOC_ADD,
	};
	struct kmap_op *record = call->record;

	if (call->records > 1)
		return kt_batch(call->w->fd, record, call->records, NULL);
	record->error = kt_ioctl(call->w->fd, commands[record->opcode], record);
	return 0;
}

/* Can this be the result of a valid operation, while memory and limits suffice? */
static bool expected(int error)
{
	switch (error) {
	case 0:
	case -ENOENT:
	case -EEXIST:
	case -ESTALE:
	case -EMSGSIZE:
	case -EDOM:
	case -ERANGE:
		return true;
	default:
		return false;
	}
}

static bool perform(struct call *call, struct history_asker *asker)
{
	struct hammer_worker *w = call->w;
	struct history_op *op = call->op;
	unsigned int i;
	__u64 ticket;
	int ret;

	for (i = 0; i < call->records; i++)
		make_record(call, i);
	ticket = draw_ticket(call->lot);
	for (i = 0; i < call->records; i++)
		__atomic_store_n(&op[i].invoke, ticket, __ATOMIC_RELEASE);
	ret = make_call(call);
	ticket = draw_ticket(call->lot);

	HAMMER_CHECK(w, !ret, "batch: %s", strerror(-ret));
	for (i = 0; i < call->records; i++) {
		read_record(call, i);
		HAMMER_CHECK(w, expected(op[i].error), "operation %u: %s",
			     op[i].opcode, strerror(-op[i].error));
		if (asker)
			history_note(asker, &op[i]);
	}
	for (i = 0; i < call->records; i++)
		__atomic_store_n(&op[i].answer, ticket, __ATOMIC_RELEASE);
	hammer_step(w);
	return true;
}

/* Stores a key that is in no history, so that buckets split. */
static bool fill_one(struct hammer_worker *w, struct history_lot *lot)
{
	__u64 number = atomic_fetch_add(&lot->filler, 1);
	char key[HAMMER_KEY_MAX];
	size_t key_len = hammer_key(key, "filler", number);
	int ret;

	kt_value_fill(w->in, FILLER_LEN, key, key_len, number);
	ret = kt_set(w->fd, key, key_len, w->in, FILLER_LEN, KMAP_CREATE, NULL);
	HAMMER_CHECK(w, !ret, "key %s: %s", key, strerror(-ret));
	hammer_step(w);
	return true;
}

static bool fill(struct hammer_worker *w, struct history_lot *lot)
{
	unsigned int i;

	for (i = 0; i < 2 * lot->row; i++) {
		if (!fill_one(w, lot))
			return false;
	}
	return true;
}

bool history_meet(struct hammer_worker *w, struct history_lot *lot,
		  unsigned int round)
{
	__u64 all = (round + 1ull) * w->h->workers;

	hammer_step(w);
	atomic_fetch_add(&lot->met, 1);
	while (atomic_load(&lot->met) < all) {
		if (atomic_load(&w->h->stop))
			return false;
		sched_yield();
	}
	return true;
}

bool history_record(struct hammer_worker *w, struct history_lot *lot,
		    unsigned int round)
{
	const struct history_mood *mood = history_mood(lot->first + round);
	struct history_asker asker = {
		.random = kt_random(&w->random),
		.worker = w->id,
	};
	struct call call = { .w = w, .lot = lot, .round = round };
	unsigned int used, i, ops = lot->row;

	HAMMER_CHECK(w, w->max_value >= HISTORY_BATCH * BATCH_ROOM,
		     "max_value of the map is below %u", HISTORY_BATCH * BATCH_ROOM);
	if (lot->growing && w->id % 4 == 3)
		return fill(w, lot);
	/* Long values take longer. */
	if (mood->longest)
		ops /= 4;
	for (used = 0; used < ops; used += call.records) {
		call.op = row_of(lot, round, w->id) + used;
		call.records = history_records(&asker, mood, lot->batch);
		if (call.records > ops - used)
			call.records = ops - used;
		asker.room = call.records > 1 ? BATCH_ROOM : ROOM;
		for (i = 0; i < call.records; i++) {
			history_ask(&asker, mood, &call.op[i]);
			call.op[i].record = i;
		}
		if (!perform(&call, &asker))
			return false;
	}
	return true;
}

bool history_record_last(struct hammer_worker *w, struct history_lot *lot,
			 unsigned int round)
{
	struct call call = {
		.w = w,
		.lot = lot,
		.round = round,
		.op = row_of(lot, round, lot->rows - 1),
		.records = 1,
	};
	unsigned int key;

	for (key = 0; key < HISTORY_KEYS; key++, call.op++) {
		*call.op = (struct history_op) {
			.worker = lot->rows - 1,
			.key = key,
			.opcode = KMAP_OP_GET,
			.out_size = ROOM,
		};
		if (!perform(&call, NULL))
			return false;
	}
	return true;
}

/* The operations on one key of a round, in order. */
static unsigned int collect(struct history_lot *lot, unsigned int round,
			    unsigned int key, struct history_op *op)
{
	const struct history_op *from = row_of(lot, round, 0);
	const struct history_op *end = row_of(lot, round + 1, 0);
	unsigned int ops = 0;

	for (; from < end; from++) {
		if (from->invoke && from->key == key)
			op[ops++] = *from;
	}
	history_sort(op, ops);
	return ops;
}

/* Prints why there is no order, for the first key that has none. */
static void explain(struct history_lot *lot, const struct history *h,
		    unsigned int round, unsigned int key)
{
	struct history_part part;
	char what[80];
	int ret;

	if (atomic_exchange(&lot->shown, true))
		return;
	snprintf(what, sizeof(what), "key %u of round %llu, %u operations", key,
		 lot->first + round, h->ops);
	ret = history_shrink(h, &part);
	if (ret) {
		printf("# %s: no part of it to show: %s\n", what, strerror(-ret));
	} else {
		history_print(stdout, &part, what);
		history_part_drop(&part);
	}
	fflush(stdout);
}

bool history_judge(struct hammer_worker *w, struct history_lot *lot,
		   unsigned int round, unsigned int key)
{
	struct history_op *op = malloc(lot->rows * lot->row * sizeof(*op));
	struct history h = { .op = op };
	unsigned int i, lost = 0;
	int ret;

	HAMMER_CHECK(w, op, "out of memory");
	h.ops = collect(lot, round, key, op);
	for (i = 0; i < h.ops; i++)
		lost += !op[i].answer;
	atomic_fetch_add(&lot->lost, lost);
	atomic_fetch_add(&lot->overlaps, history_overlaps(op, h.ops));

	ret = history_check(&h, HISTORY_LIMIT, NULL);
	if (!ret)
		explain(lot, &h, round, key);
	free(op);
	HAMMER_CHECK(w, ret, "key %u of round %llu: the answers have no order", key,
		     lot->first + round);
	HAMMER_CHECK(w, ret == 1, "key %u of round %llu: cannot be decided: %s", key,
		     lot->first + round, strerror(-ret));
	return true;
}

bool history_judge_all(struct hammer_worker *w, struct history_lot *lot)
{
	unsigned int items = lot->rounds * HISTORY_KEYS, item;

	while ((item = atomic_fetch_add(&lot->item, 1)) < items) {
		if (!hammer_next(w))
			break;
		if (!history_judge(w, lot, item / HISTORY_KEYS,
				   item % HISTORY_KEYS))
			return false;
	}
	return true;
}
