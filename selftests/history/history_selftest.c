// SPDX-License-Identifier: GPL-2.0
/*
 * The checker of histories, on histories that are known to be good or bad.
 * Needs no map.
 *
 * A line is one operation: worker, tickets of its invocation and of its answer
 * (0: there was none), the operation, the answer.
 */
#include <errno.h>

#include <string.h>

#include "history_check.h"
#include "kselftest.h"

#define OP(who, from, till) .worker = who, .invoke = from, .answer = till

#define BYTES(n)	{ .id = n, .len = 24 }
#define NUMBER(n)	{ .id = n, .len = 8 }
#define NOTHING		{ .len = HISTORY_ABSENT }

#define GET		.opcode = KMAP_OP_GET, .out_size = 100
#define SET(...)	.opcode = KMAP_OP_SET, .stored = __VA_ARGS__
#define DELETE		.opcode = KMAP_OP_DELETE
#define ADD(n)		.opcode = KMAP_OP_ADD, .delta = n
#define CREATE		.flags = KMAP_CREATE
#define REPLACE		.flags = KMAP_REPLACE
#define MATCH(v)	.flags = KMAP_MATCH, .match = v
#define SWAP		.flags = KMAP_RETURN, .out_size = 100

#define FOUND(...)	.found = __VA_ARGS__
#define IS(v)		.version = v
#define SUM(n)		.number = n
#define FAILS(e)	.error = -(e)

#define OPS		5u	/* in a sample, at most */
#define GOOD		true
#define BAD		false

static const struct sample {
	const char *name;
	bool good;
	struct history_op op[OPS];
} samples[] = {
	/* A value is visible once the SET was answered, and not before it was invoked. */
	{ "read after write", GOOD, {
		{ OP(0, 1, 2), SET(BYTES(7)), IS(1) },
		{ OP(1, 3, 4), GET, FOUND(BYTES(7)), IS(1) },
	} },
	{ "stale read", BAD, {
		{ OP(0, 1, 2), SET(BYTES(7)), IS(1) },
		{ OP(0, 3, 4), SET(BYTES(8)), IS(2) },
		{ OP(1, 5, 6), GET, FOUND(BYTES(7)), IS(1) },
	} },
	{ "old or new while writing", GOOD, {
		{ OP(0, 1, 2), SET(BYTES(7)), IS(1) },
		{ OP(0, 3, 8), SET(BYTES(8)), IS(2) },
		{ OP(1, 4, 5), GET, FOUND(BYTES(7)), IS(1) },
		{ OP(1, 6, 7), GET, FOUND(BYTES(8)), IS(2) },
	} },
	{ "reordered reads of one worker", BAD, {
		{ OP(0, 1, 2), SET(BYTES(7)), IS(1) },
		{ OP(0, 3, 8), SET(BYTES(8)), IS(2) },
		{ OP(1, 4, 5), GET, FOUND(BYTES(8)), IS(2) },
		{ OP(1, 6, 7), GET, FOUND(BYTES(7)), IS(1) },
	} },
	{ "reordered reads of two workers", BAD, {
		{ OP(0, 1, 2), SET(BYTES(7)), IS(1) },
		{ OP(0, 3, 8), SET(BYTES(8)), IS(2) },
		{ OP(1, 4, 5), GET, FOUND(BYTES(8)), IS(2) },
		{ OP(2, 6, 7), GET, FOUND(BYTES(7)), IS(1) },
	} },
	{ "read from the future", BAD, {
		{ OP(1, 1, 2), GET, FOUND(BYTES(7)), IS(1) },
		{ OP(0, 3, 4), SET(BYTES(7)), IS(1) },
	} },
	{ "read of nothing", BAD, {
		{ OP(0, 1, 2), SET(BYTES(7)), IS(1) },
		{ OP(1, 3, 4), GET, FAILS(ENOENT) },
	} },
	{ "missed while replaced", BAD, {
		{ OP(0, 1, 2), SET(BYTES(7)), IS(1) },
		{ OP(0, 3, 6), SET(BYTES(8)), IS(2) },
		{ OP(1, 4, 5), GET, FAILS(ENOENT) },
	} },
	{ "torn value", BAD, {
		{ OP(0, 1, 2), SET(BYTES(7)), IS(1) },
		{ OP(1, 3, 4), GET, FOUND({ .len = HISTORY_TORN }), IS(1) },
	} },

	/* A value and its version are of one moment. */
	{ "new version old value", BAD, {
		{ OP(0, 1, 2), SET(BYTES(7)), IS(1) },
		{ OP(0, 3, 6), SET(BYTES(8)), IS(2) },
		{ OP(1, 4, 5), GET, FOUND(BYTES(7)), IS(2) },
	} },
	{ "old version new sum", BAD, {
		{ OP(0, 1, 2), ADD(5), IS(1), SUM(5) },
		{ OP(0, 3, 6), ADD(5), IS(2), SUM(10) },
		{ OP(1, 4, 5), GET, FOUND(NUMBER(10)), IS(1), SUM(10) },
	} },
	{ "value and number differ", BAD, {
		{ OP(0, 1, 2), ADD(5), IS(1), SUM(5) },
		{ OP(0, 3, 6), ADD(5), IS(2), SUM(10) },
		{ OP(1, 4, 5), GET, FOUND(NUMBER(10)), IS(2), SUM(5) },
	} },
	{ "number of no number", BAD, {
		{ OP(0, 1, 2), SET(BYTES(7)), IS(1) },
		{ OP(1, 3, 4), GET, FOUND(BYTES(7)), IS(1), SUM(7) },
	} },

	/* Versions grow, and none is used twice. */
	{ "version goes back", BAD, {
		{ OP(0, 1, 2), SET(BYTES(7)), IS(5) },
		{ OP(0, 3, 4), SET(BYTES(8)), IS(4) },
	} },
	{ "version repeated after delete", BAD, {
		{ OP(0, 1, 2), SET(BYTES(7)), IS(5) },
		{ OP(0, 3, 4), DELETE, IS(5) },
		{ OP(1, 5, 6), SET(BYTES(8)), IS(5) },
	} },
	{ "match of a version that came back", BAD, {
		{ OP(0, 1, 2), SET(BYTES(7)), IS(1) },
		{ OP(1, 3, 4), DELETE, IS(1) },
		{ OP(1, 5, 6), SET(BYTES(8)), IS(2) },
		{ OP(0, 7, 8), SET(BYTES(9)), MATCH(1), IS(3) },
	} },
	{ "version zero", BAD, {
		{ OP(0, 1, 2), SET(BYTES(7)), IS(0) },
	} },
	{ "version too large", BAD, {
		{ OP(0, 1, 2), SET(BYTES(7)), IS(KMAP_VERSION_MASK + 1) },
	} },
	{ "order by version", GOOD, {
		{ OP(0, 1, 6), SET(BYTES(7)), IS(3) },
		{ OP(1, 2, 5), SET(BYTES(8)), IS(1) },
		{ OP(2, 3, 4), SET(BYTES(9)), IS(2) },
		{ OP(1, 7, 8), GET, FOUND(BYTES(7)), IS(3) },
	} },
	{ "order against version", BAD, {
		{ OP(0, 1, 6), SET(BYTES(7)), IS(3) },
		{ OP(1, 2, 5), SET(BYTES(8)), IS(1) },
		{ OP(2, 3, 4), SET(BYTES(9)), IS(2) },
		{ OP(1, 7, 8), GET, FOUND(BYTES(9)), IS(2) },
	} },

	/* Conditions. */
	{ "one creates", GOOD, {
		{ OP(0, 1, 3), SET(BYTES(7)), CREATE, IS(1) },
		{ OP(1, 2, 4), SET(BYTES(8)), CREATE, FAILS(EEXIST), IS(1) },
	} },
	{ "two create", BAD, {
		{ OP(0, 1, 3), SET(BYTES(7)), CREATE, IS(1) },
		{ OP(1, 2, 4), SET(BYTES(8)), CREATE, IS(2) },
	} },
	{ "two create by number", BAD, {
		{ OP(0, 1, 3), SET(NUMBER(7)), CREATE, IS(1) },
		{ OP(1, 2, 4), ADD(8), CREATE, IS(2), SUM(8) },
	} },
	{ "none creates", BAD, {
		{ OP(0, 1, 3), SET(BYTES(7)), CREATE, FAILS(EEXIST), IS(1) },
		{ OP(1, 2, 4), SET(BYTES(8)), CREATE, FAILS(EEXIST), IS(1) },
	} },
	{ "created again", GOOD, {
		{ OP(0, 1, 6), SET(BYTES(7)), CREATE, IS(1) },
		{ OP(1, 2, 5), SET(BYTES(8)), CREATE, IS(2) },
		{ OP(2, 3, 4), DELETE, IS(1) },
	} },
	{ "replaced nothing", BAD, {
		{ OP(0, 1, 2), SET(BYTES(7)), REPLACE, IS(1) },
	} },
	{ "refused to replace", BAD, {
		{ OP(0, 1, 2), SET(BYTES(7)), IS(1) },
		{ OP(0, 3, 4), SET(BYTES(8)), REPLACE, FAILS(ENOENT) },
	} },
	{ "one update matches", GOOD, {
		{ OP(0, 1, 2), SET(BYTES(7)), IS(1) },
		{ OP(0, 3, 6), SET(BYTES(8)), MATCH(1), IS(2) },
		{ OP(1, 4, 5), SET(BYTES(9)), MATCH(1), FAILS(ESTALE), IS(2) },
	} },
	{ "lost update", BAD, {
		{ OP(0, 1, 2), SET(BYTES(7)), IS(1) },
		{ OP(0, 3, 6), SET(BYTES(8)), MATCH(1), IS(2) },
		{ OP(1, 4, 5), SET(BYTES(9)), MATCH(1), IS(3) },
	} },
	{ "match refused for nothing", BAD, {
		{ OP(0, 1, 2), SET(BYTES(7)), IS(1) },
		{ OP(0, 3, 4), SET(BYTES(8)), MATCH(1), FAILS(ESTALE), IS(1) },
	} },
	{ "match refused with a wrong version", BAD, {
		{ OP(0, 1, 2), SET(BYTES(7)), IS(2) },
		{ OP(0, 3, 4), SET(BYTES(8)), MATCH(1), FAILS(ESTALE), IS(3) },
	} },
	{ "refused and done", BAD, {
		{ OP(0, 1, 2), SET(BYTES(7)), IS(1) },
		{ OP(0, 3, 4), SET(BYTES(8)), CREATE, FAILS(EEXIST), IS(1) },
		{ OP(1, 5, 6), GET, FOUND(BYTES(8)), IS(2) },
	} },
	{ "no memory and nothing done", GOOD, {
		{ OP(0, 1, 2), SET(BYTES(7)), IS(1) },
		{ OP(0, 3, 4), SET(BYTES(8)), FAILS(ENOMEM) },
		{ OP(1, 5, 6), GET, FOUND(BYTES(7)), IS(1) },
	} },
	{ "no memory and done", BAD, {
		{ OP(0, 1, 2), SET(BYTES(7)), IS(1) },
		{ OP(0, 3, 4), SET(BYTES(8)), FAILS(ENOMEM) },
		{ OP(1, 5, 6), GET, FOUND(BYTES(8)), IS(2) },
	} },
	{ "an error that is none", BAD, {
		{ OP(0, 1, 2), SET(BYTES(7)), FAILS(EFAULT) },
	} },

	/* Values that are returned. */
	{ "swap in a row", GOOD, {
		{ OP(0, 1, 2), SET(BYTES(7)), SWAP, FOUND(NOTHING), IS(1) },
		{ OP(0, 3, 6), SET(BYTES(8)), SWAP, FOUND(BYTES(7)), IS(2) },
		{ OP(1, 4, 5), SET(BYTES(9)), SWAP, FOUND(BYTES(8)), IS(3) },
	} },
	{ "swap returns one value twice", BAD, {
		{ OP(0, 1, 2), SET(BYTES(7)), SWAP, FOUND(NOTHING), IS(1) },
		{ OP(0, 3, 6), SET(BYTES(8)), SWAP, FOUND(BYTES(7)), IS(2) },
		{ OP(1, 4, 5), SET(BYTES(9)), SWAP, FOUND(BYTES(7)), IS(3) },
	} },
	{ "swap finds nothing", BAD, {
		{ OP(0, 1, 2), SET(BYTES(7)), IS(1) },
		{ OP(0, 3, 4), SET(BYTES(8)), SWAP, FOUND(NOTHING), IS(2) },
	} },
	{ "two take one value", BAD, {
		{ OP(0, 1, 2), SET(BYTES(7)), IS(1) },
		{ OP(0, 3, 6), DELETE, SWAP, FOUND(BYTES(7)), IS(1) },
		{ OP(1, 4, 5), DELETE, SWAP, FOUND(BYTES(7)), IS(1) },
	} },
	{ "delete of another version", BAD, {
		{ OP(0, 1, 2), SET(BYTES(7)), IS(1) },
		{ OP(0, 3, 4), SET(BYTES(8)), IS(2) },
		{ OP(0, 5, 6), DELETE, IS(1) },
	} },
	{ "delete undone", BAD, {
		{ OP(0, 1, 2), SET(BYTES(7)), IS(1) },
		{ OP(0, 3, 4), DELETE, IS(1) },
		{ OP(1, 5, 6), GET, FOUND(BYTES(7)), IS(1) },
	} },
	{ "too long", GOOD, {
		{ OP(0, 1, 2), SET({ .id = 7, .len = 101 }), IS(1) },
		{ OP(1, 3, 4), GET, FAILS(EMSGSIZE), FOUND({ .len = 101 }), IS(1) },
		{ OP(1, 5, 6), DELETE, SWAP, FAILS(EMSGSIZE), FOUND({ .len = 101 }) },
	} },
	{ "not too long", BAD, {
		{ OP(0, 1, 2), SET({ .id = 7, .len = 100 }), IS(1) },
		{ OP(1, 3, 4), GET, FAILS(EMSGSIZE), FOUND({ .len = 100 }), IS(1) },
	} },
	{ "too long of another length", BAD, {
		{ OP(0, 1, 2), SET({ .id = 7, .len = 101 }), IS(1) },
		{ OP(1, 3, 4), GET, FAILS(EMSGSIZE), FOUND({ .len = 102 }), IS(1) },
	} },

	/* Numbers. */
	{ "adds at once", GOOD, {
		{ OP(0, 1, 6), ADD(1), IS(3), SUM(111) },
		{ OP(1, 2, 5), ADD(10), IS(2), SUM(110) },
		{ OP(2, 3, 4), ADD(100), IS(1), SUM(100) },
	} },
	{ "add lost", BAD, {
		{ OP(0, 1, 2), SET(NUMBER(5)), IS(1) },
		{ OP(0, 3, 6), ADD(1), IS(2), SUM(6) },
		{ OP(1, 4, 5), ADD(1), IS(3), SUM(6) },
	} },
	{ "add made twice", BAD, {
		{ OP(0, 1, 2), SET(NUMBER(5)), IS(1) },
		{ OP(0, 3, 4), ADD(1), IS(2), SUM(6) },
		{ OP(1, 5, 6), GET, FOUND(NUMBER(7)), IS(2), SUM(7) },
	} },
	{ "no room above", GOOD, {
		{ OP(0, 1, 2), SET(NUMBER(0x7fffffffffffffff)), IS(1) },
		{ OP(0, 3, 4), ADD(1), FAILS(ERANGE) },
		{ OP(0, 5, 6), ADD(-1), IS(2), SUM(0x7ffffffffffffffe) },
	} },
	{ "room above", BAD, {
		{ OP(0, 1, 2), SET(NUMBER(0x7ffffffffffffffe)), IS(1) },
		{ OP(0, 3, 4), ADD(1), FAILS(ERANGE) },
	} },
	{ "wrapped around", BAD, {
		{ OP(0, 1, 2), SET(NUMBER(0x7fffffffffffffff)), IS(1) },
		{ OP(0, 3, 4), ADD(1), IS(2), SUM(-0x7fffffffffffffff - 1) },
	} },
	{ "add to no number", GOOD, {
		{ OP(0, 1, 2), SET(BYTES(7)), IS(1) },
		{ OP(0, 3, 4), ADD(1), FAILS(EDOM) },
	} },
	{ "add refused on a number", BAD, {
		{ OP(0, 1, 2), SET(NUMBER(7)), IS(1) },
		{ OP(0, 3, 4), ADD(1), FAILS(EDOM) },
	} },

	/* Batches: records in their order, others in between. */
	{ "batch with another in between", GOOD, {
		{ OP(0, 1, 4), SET(BYTES(7)), IS(1) },
		{ OP(0, 1, 4), .record = 1, GET, FOUND(BYTES(8)), IS(2) },
		{ OP(1, 2, 3), SET(BYTES(8)), IS(2) },
	} },
	{ "batch in disorder", BAD, {
		{ OP(0, 1, 2), GET, FOUND(BYTES(7)), IS(1) },
		{ OP(0, 1, 2), .record = 1, SET(BYTES(7)), IS(1) },
	} },

	/* Clients that were killed: done or not, but not both, and not sooner. */
	{ "killed and done", GOOD, {
		{ OP(0, 1, 0), SET(BYTES(7)) },
		{ OP(1, 2, 3), GET, FAILS(ENOENT) },
		{ OP(1, 4, 5), GET, FOUND(BYTES(7)), IS(9) },
	} },
	{ "killed and not done", GOOD, {
		{ OP(0, 1, 0), SET(BYTES(7)) },
		{ OP(1, 2, 3), SET(BYTES(8)), IS(1) },
		{ OP(1, 4, 5), GET, FOUND(BYTES(8)), IS(1) },
	} },
	{ "killed and half done", BAD, {
		{ OP(0, 1, 0), SET(BYTES(7)) },
		{ OP(1, 2, 3), GET, FOUND(BYTES(7)), IS(9) },
		{ OP(1, 4, 5), GET, FAILS(ENOENT) },
	} },
	{ "killed and done twice", BAD, {
		{ OP(0, 1, 2), SET(NUMBER(5)), IS(1) },
		{ OP(0, 3, 0), ADD(1) },
		{ OP(1, 4, 5), GET, FOUND(NUMBER(7)), IS(3), SUM(7) },
	} },
	{ "killed and done before asked", BAD, {
		{ OP(1, 1, 2), GET, FOUND(BYTES(7)), IS(9) },
		{ OP(0, 3, 0), SET(BYTES(7)) },
	} },
	{ "killed and its version changes", BAD, {
		{ OP(0, 1, 0), SET(BYTES(7)) },
		{ OP(1, 2, 3), GET, FOUND(BYTES(7)), IS(9) },
		{ OP(1, 4, 5), GET, FOUND(BYTES(7)), IS(10) },
	} },
	{ "killed with a version of old", BAD, {
		{ OP(1, 1, 2), SET(BYTES(8)), IS(9) },
		{ OP(0, 3, 0), SET(BYTES(7)) },
		{ OP(1, 4, 5), GET, FOUND(BYTES(7)), IS(9) },
	} },
	{ "killed with a condition that failed", BAD, {
		{ OP(1, 1, 2), SET(BYTES(8)), IS(1) },
		{ OP(0, 3, 0), SET(BYTES(7)), CREATE },
		{ OP(1, 4, 5), GET, FOUND(BYTES(7)), IS(2) },
	} },
	{ "killed in a batch", GOOD, {
		{ OP(0, 1, 0), SET(BYTES(7)) },
		{ OP(0, 1, 0), .record = 1, SET(BYTES(8)) },
		{ OP(1, 2, 3), GET, FOUND(BYTES(7)), IS(9) },
	} },
	{ "killed in a batch in disorder", BAD, {
		{ OP(0, 1, 0), SET(BYTES(7)) },
		{ OP(0, 1, 0), .record = 1, SET(BYTES(8)) },
		{ OP(1, 2, 3), GET, FOUND(BYTES(8)), IS(9) },
		{ OP(1, 4, 5), GET, FOUND(BYTES(7)), IS(10) },
	} },

	/* Clients killed while they noted the answers of a batch: some are not known. */
	{ "killed with the answers of a batch half noted", GOOD, {
		{ OP(1, 1, 2), SET(BYTES(7)), IS(5) },
		{ OP(0, 3, 4), GET, FOUND(BYTES(7)), IS(5) },
		{ OP(0, 3, 0), .record = 1, DELETE, MATCH(4), FAILS(ESTALE), IS(5) },
		{ OP(0, 3, 0), .record = 2, SET(BYTES(8)), REPLACE, FAILS(ENOENT) },
	} },
	{ "killed with a version that is not noted", GOOD, {
		{ OP(1, 1, 2), SET(BYTES(7)), IS(5) },
		{ OP(0, 3, 5), GET, FOUND(BYTES(7)), IS(5) },
		{ OP(0, 3, 0), .record = 1, SET(BYTES(8)) },
		{ OP(1, 6, 7), GET, FOUND(BYTES(8)), IS(6) },
	} },

	/* If a record of a killed client has failed, the next one is carried out. */
	{ "killed in a batch after a failure", GOOD, {
		{ OP(1, 1, 2), SET(BYTES(9)), IS(1) },
		{ OP(0, 3, 0), SET(BYTES(7)), CREATE },
		{ OP(0, 3, 0), .record = 1, SET(BYTES(8)) },
		{ OP(1, 4, 5), GET, FOUND(BYTES(8)), IS(2) },
	} },
};

static int verdict(const struct history_op *op, unsigned int ops)
{
	struct history h = { .op = op, .ops = ops };

	return history_check(&h, HISTORY_LIMIT, NULL);
}

/* Is the history refused, and the part of it that explains why?  Prints the part. */
static bool refused(const struct history_op *op, unsigned int ops)
{
	struct history h = { .op = op, .ops = ops };
	struct history_part part;
	bool ok;

	if (history_check(&h, HISTORY_LIMIT, NULL) || history_shrink(&h, &part))
		return false;
	history_print(stdout, &part, "refused");
	ok = part.ops && part.ops <= ops && part.firm[part.failed];
	h.op = part.op;
	h.ops = part.ops;
	h.start = part.start;
	h.starts = part.starts;
	ok &= !history_check(&h, HISTORY_LIMIT, NULL);
	history_part_drop(&part);
	return ok;
}

static bool as_it_should_be(const struct sample *sample)
{
	unsigned int ops = 0;

	while (ops < OPS && sample->op[ops].invoke)
		ops++;
	return sample->good ? verdict(sample->op, ops) == 1 :
			      refused(sample->op, ops);
}

/* Input that is not a history. */
static bool refuses_nonsense(void)
{
	static const struct history_op early[] = {
		{ OP(0, 3, 4), GET, FAILS(ENOENT) },
		{ OP(0, 1, 2), GET, FAILS(ENOENT) },
	};
	static const struct history_op back[] = {
		{ OP(0, 3, 2), GET, FAILS(ENOENT) },
	};
	static const struct history_op never[] = {
		{ OP(0, 0, 2), GET, FAILS(ENOENT) },
	};

	return verdict(NULL, 0) == 1 && verdict(early, 2) == -EINVAL &&
	       verdict(back, 1) == -EINVAL && verdict(never, 1) == -EINVAL;
}

/* A history that is too wide or too long to check is neither good nor bad. */
static bool knows_its_limits(void)
{
	struct history_op wide[HISTORY_WIDTH + 1];
	struct history h = { .op = wide, .ops = HISTORY_WIDTH };
	unsigned int i;

	for (i = 0; i <= HISTORY_WIDTH; i++)
		wide[i] = (struct history_op) { OP(i, i + 1, 1000 + i), GET,
						FAILS(ENOENT) };
	return verdict(wide, HISTORY_WIDTH) == 1 &&
	       verdict(wide, HISTORY_WIDTH + 1) == -E2BIG &&
	       history_check(&h, HISTORY_WIDTH / 2, NULL) == -EDQUOT;
}

int main(void)
{
	const struct sample *sample;

	ksft_print_header();
	ksft_set_plan(ARRAY_SIZE(samples) + 2);
	for (sample = samples; sample < samples + ARRAY_SIZE(samples); sample++)
		ksft_test_result(as_it_should_be(sample), "%s: %s\n",
				 sample->good ? "good" : "bad", sample->name);
	ksft_test_result(refuses_nonsense(), "refuses nonsense\n");
	ksft_test_result(knows_its_limits(), "knows its limits\n");
	ksft_finished();
}
