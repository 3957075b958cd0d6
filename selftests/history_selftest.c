// SPDX-License-Identifier: GPL-2.0
/*
 * The checker of histories, on histories that are known to be good or bad.
 * Needs no map.
 *
 * A line is one operation: worker, ticket of its invocation and of its answer
 * (0: it never came), what it asked, what it was told.
 */
#include <errno.h>

#include "history_check.h"
#include "kselftest_harness.h"

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

static int verdict(const struct history_op *op, unsigned int ops)
{
	struct history h = { .op = op, .ops = ops };

	return history_check(&h, HISTORY_LIMIT, NULL);
}

/* Refused, and so is the part that is said to be why; prints it. */
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

#define GOOD(name, ...)							\
TEST(good_##name)							\
{									\
	static const struct history_op op[] = { __VA_ARGS__ };		\
									\
	EXPECT_EQ(1, verdict(op, ARRAY_SIZE(op)));			\
}

#define BAD(name, ...)							\
TEST(bad_##name)							\
{									\
	static const struct history_op op[] = { __VA_ARGS__ };		\
									\
	EXPECT_TRUE(refused(op, ARRAY_SIZE(op)));			\
}

/* What was set is there when the set was answered, and no sooner than asked. */

GOOD(read_after_write,
	{ OP(0, 1, 2), SET(BYTES(7)), IS(1) },
	{ OP(1, 3, 4), GET, FOUND(BYTES(7)), IS(1) })

BAD(stale_read,
	{ OP(0, 1, 2), SET(BYTES(7)), IS(1) },
	{ OP(0, 3, 4), SET(BYTES(8)), IS(2) },
	{ OP(1, 5, 6), GET, FOUND(BYTES(7)), IS(1) })

GOOD(old_or_new_while_writing,
	{ OP(0, 1, 2), SET(BYTES(7)), IS(1) },
	{ OP(0, 3, 8), SET(BYTES(8)), IS(2) },
	{ OP(1, 4, 5), GET, FOUND(BYTES(7)), IS(1) },
	{ OP(1, 6, 7), GET, FOUND(BYTES(8)), IS(2) })

BAD(reordered_reads_of_one_worker,
	{ OP(0, 1, 2), SET(BYTES(7)), IS(1) },
	{ OP(0, 3, 8), SET(BYTES(8)), IS(2) },
	{ OP(1, 4, 5), GET, FOUND(BYTES(8)), IS(2) },
	{ OP(1, 6, 7), GET, FOUND(BYTES(7)), IS(1) })

BAD(reordered_reads_of_two_workers,
	{ OP(0, 1, 2), SET(BYTES(7)), IS(1) },
	{ OP(0, 3, 8), SET(BYTES(8)), IS(2) },
	{ OP(1, 4, 5), GET, FOUND(BYTES(8)), IS(2) },
	{ OP(2, 6, 7), GET, FOUND(BYTES(7)), IS(1) })

BAD(read_from_the_future,
	{ OP(1, 1, 2), GET, FOUND(BYTES(7)), IS(1) },
	{ OP(0, 3, 4), SET(BYTES(7)), IS(1) })

BAD(read_of_nothing,
	{ OP(0, 1, 2), SET(BYTES(7)), IS(1) },
	{ OP(1, 3, 4), GET, FAILS(ENOENT) })

BAD(missed_while_replaced,
	{ OP(0, 1, 2), SET(BYTES(7)), IS(1) },
	{ OP(0, 3, 6), SET(BYTES(8)), IS(2) },
	{ OP(1, 4, 5), GET, FAILS(ENOENT) })

BAD(torn_value,
	{ OP(0, 1, 2), SET(BYTES(7)), IS(1) },
	{ OP(1, 3, 4), GET, FOUND({ .len = HISTORY_TORN }), IS(1) })

/* A value and its version are of one moment. */

BAD(new_version_old_value,
	{ OP(0, 1, 2), SET(BYTES(7)), IS(1) },
	{ OP(0, 3, 6), SET(BYTES(8)), IS(2) },
	{ OP(1, 4, 5), GET, FOUND(BYTES(7)), IS(2) })

BAD(old_version_new_sum,
	{ OP(0, 1, 2), ADD(5), IS(1), SUM(5) },
	{ OP(0, 3, 6), ADD(5), IS(2), SUM(10) },
	{ OP(1, 4, 5), GET, FOUND(NUMBER(10)), IS(1), SUM(10) })

BAD(value_and_number_differ,
	{ OP(0, 1, 2), ADD(5), IS(1), SUM(5) },
	{ OP(0, 3, 6), ADD(5), IS(2), SUM(10) },
	{ OP(1, 4, 5), GET, FOUND(NUMBER(10)), IS(2), SUM(5) })

BAD(number_of_no_number,
	{ OP(0, 1, 2), SET(BYTES(7)), IS(1) },
	{ OP(1, 3, 4), GET, FOUND(BYTES(7)), IS(1), SUM(7) })

/* Versions rise, and none comes twice. */

BAD(version_goes_back,
	{ OP(0, 1, 2), SET(BYTES(7)), IS(5) },
	{ OP(0, 3, 4), SET(BYTES(8)), IS(4) })

BAD(version_repeated_after_delete,
	{ OP(0, 1, 2), SET(BYTES(7)), IS(5) },
	{ OP(0, 3, 4), DELETE, IS(5) },
	{ OP(1, 5, 6), SET(BYTES(8)), IS(5) })

BAD(match_of_a_version_that_came_back,
	{ OP(0, 1, 2), SET(BYTES(7)), IS(1) },
	{ OP(1, 3, 4), DELETE, IS(1) },
	{ OP(1, 5, 6), SET(BYTES(8)), IS(2) },
	{ OP(0, 7, 8), SET(BYTES(9)), MATCH(1), IS(3) })

BAD(version_zero,
	{ OP(0, 1, 2), SET(BYTES(7)), IS(0) })

BAD(version_too_large,
	{ OP(0, 1, 2), SET(BYTES(7)), IS(KMAP_VERSION_MASK + 1) })

GOOD(order_by_version,
	{ OP(0, 1, 6), SET(BYTES(7)), IS(3) },
	{ OP(1, 2, 5), SET(BYTES(8)), IS(1) },
	{ OP(2, 3, 4), SET(BYTES(9)), IS(2) },
	{ OP(1, 7, 8), GET, FOUND(BYTES(7)), IS(3) })

BAD(order_against_version,
	{ OP(0, 1, 6), SET(BYTES(7)), IS(3) },
	{ OP(1, 2, 5), SET(BYTES(8)), IS(1) },
	{ OP(2, 3, 4), SET(BYTES(9)), IS(2) },
	{ OP(1, 7, 8), GET, FOUND(BYTES(9)), IS(2) })

/* Conditions. */

GOOD(one_creates,
	{ OP(0, 1, 3), SET(BYTES(7)), CREATE, IS(1) },
	{ OP(1, 2, 4), SET(BYTES(8)), CREATE, FAILS(EEXIST), IS(1) })

BAD(two_create,
	{ OP(0, 1, 3), SET(BYTES(7)), CREATE, IS(1) },
	{ OP(1, 2, 4), SET(BYTES(8)), CREATE, IS(2) })

BAD(two_create_by_number,
	{ OP(0, 1, 3), SET(NUMBER(7)), CREATE, IS(1) },
	{ OP(1, 2, 4), ADD(8), CREATE, IS(2), SUM(8) })

BAD(none_creates,
	{ OP(0, 1, 3), SET(BYTES(7)), CREATE, FAILS(EEXIST), IS(1) },
	{ OP(1, 2, 4), SET(BYTES(8)), CREATE, FAILS(EEXIST), IS(1) })

GOOD(created_again,
	{ OP(0, 1, 6), SET(BYTES(7)), CREATE, IS(1) },
	{ OP(1, 2, 5), SET(BYTES(8)), CREATE, IS(2) },
	{ OP(2, 3, 4), DELETE, IS(1) })

BAD(replaced_nothing,
	{ OP(0, 1, 2), SET(BYTES(7)), REPLACE, IS(1) })

BAD(refused_to_replace,
	{ OP(0, 1, 2), SET(BYTES(7)), IS(1) },
	{ OP(0, 3, 4), SET(BYTES(8)), REPLACE, FAILS(ENOENT) })

GOOD(one_update_matches,
	{ OP(0, 1, 2), SET(BYTES(7)), IS(1) },
	{ OP(0, 3, 6), SET(BYTES(8)), MATCH(1), IS(2) },
	{ OP(1, 4, 5), SET(BYTES(9)), MATCH(1), FAILS(ESTALE), IS(2) })

BAD(lost_update,
	{ OP(0, 1, 2), SET(BYTES(7)), IS(1) },
	{ OP(0, 3, 6), SET(BYTES(8)), MATCH(1), IS(2) },
	{ OP(1, 4, 5), SET(BYTES(9)), MATCH(1), IS(3) })

BAD(match_refused_for_nothing,
	{ OP(0, 1, 2), SET(BYTES(7)), IS(1) },
	{ OP(0, 3, 4), SET(BYTES(8)), MATCH(1), FAILS(ESTALE), IS(1) })

BAD(match_refused_with_a_wrong_version,
	{ OP(0, 1, 2), SET(BYTES(7)), IS(2) },
	{ OP(0, 3, 4), SET(BYTES(8)), MATCH(1), FAILS(ESTALE), IS(3) })

BAD(refused_and_done,
	{ OP(0, 1, 2), SET(BYTES(7)), IS(1) },
	{ OP(0, 3, 4), SET(BYTES(8)), CREATE, FAILS(EEXIST), IS(1) },
	{ OP(1, 5, 6), GET, FOUND(BYTES(8)), IS(2) })

GOOD(no_memory_and_nothing_done,
	{ OP(0, 1, 2), SET(BYTES(7)), IS(1) },
	{ OP(0, 3, 4), SET(BYTES(8)), FAILS(ENOMEM) },
	{ OP(1, 5, 6), GET, FOUND(BYTES(7)), IS(1) })

BAD(no_memory_and_done,
	{ OP(0, 1, 2), SET(BYTES(7)), IS(1) },
	{ OP(0, 3, 4), SET(BYTES(8)), FAILS(ENOMEM) },
	{ OP(1, 5, 6), GET, FOUND(BYTES(8)), IS(2) })

BAD(an_error_that_is_none,
	{ OP(0, 1, 2), SET(BYTES(7)), FAILS(EFAULT) })

/* What comes back. */

GOOD(swap_in_a_row,
	{ OP(0, 1, 2), SET(BYTES(7)), SWAP, FOUND(NOTHING), IS(1) },
	{ OP(0, 3, 6), SET(BYTES(8)), SWAP, FOUND(BYTES(7)), IS(2) },
	{ OP(1, 4, 5), SET(BYTES(9)), SWAP, FOUND(BYTES(8)), IS(3) })

BAD(swap_returns_one_value_twice,
	{ OP(0, 1, 2), SET(BYTES(7)), SWAP, FOUND(NOTHING), IS(1) },
	{ OP(0, 3, 6), SET(BYTES(8)), SWAP, FOUND(BYTES(7)), IS(2) },
	{ OP(1, 4, 5), SET(BYTES(9)), SWAP, FOUND(BYTES(7)), IS(3) })

BAD(swap_finds_nothing,
	{ OP(0, 1, 2), SET(BYTES(7)), IS(1) },
	{ OP(0, 3, 4), SET(BYTES(8)), SWAP, FOUND(NOTHING), IS(2) })

BAD(two_take_one_value,
	{ OP(0, 1, 2), SET(BYTES(7)), IS(1) },
	{ OP(0, 3, 6), DELETE, SWAP, FOUND(BYTES(7)), IS(1) },
	{ OP(1, 4, 5), DELETE, SWAP, FOUND(BYTES(7)), IS(1) })

BAD(delete_of_another_version,
	{ OP(0, 1, 2), SET(BYTES(7)), IS(1) },
	{ OP(0, 3, 4), SET(BYTES(8)), IS(2) },
	{ OP(0, 5, 6), DELETE, IS(1) })

BAD(delete_undone,
	{ OP(0, 1, 2), SET(BYTES(7)), IS(1) },
	{ OP(0, 3, 4), DELETE, IS(1) },
	{ OP(1, 5, 6), GET, FOUND(BYTES(7)), IS(1) })

GOOD(too_long,
	{ OP(0, 1, 2), SET({ .id = 7, .len = 101 }), IS(1) },
	{ OP(1, 3, 4), GET, FAILS(EMSGSIZE), FOUND({ .len = 101 }), IS(1) },
	{ OP(1, 5, 6), DELETE, SWAP, FAILS(EMSGSIZE), FOUND({ .len = 101 }) })

BAD(not_too_long,
	{ OP(0, 1, 2), SET({ .id = 7, .len = 100 }), IS(1) },
	{ OP(1, 3, 4), GET, FAILS(EMSGSIZE), FOUND({ .len = 100 }), IS(1) })

BAD(too_long_of_another_length,
	{ OP(0, 1, 2), SET({ .id = 7, .len = 101 }), IS(1) },
	{ OP(1, 3, 4), GET, FAILS(EMSGSIZE), FOUND({ .len = 102 }), IS(1) })

/* Numbers. */

GOOD(adds_at_once,
	{ OP(0, 1, 6), ADD(1), IS(3), SUM(111) },
	{ OP(1, 2, 5), ADD(10), IS(2), SUM(110) },
	{ OP(2, 3, 4), ADD(100), IS(1), SUM(100) })

BAD(add_lost,
	{ OP(0, 1, 2), SET(NUMBER(5)), IS(1) },
	{ OP(0, 3, 6), ADD(1), IS(2), SUM(6) },
	{ OP(1, 4, 5), ADD(1), IS(3), SUM(6) })

BAD(add_made_twice,
	{ OP(0, 1, 2), SET(NUMBER(5)), IS(1) },
	{ OP(0, 3, 4), ADD(1), IS(2), SUM(6) },
	{ OP(1, 5, 6), GET, FOUND(NUMBER(7)), IS(2), SUM(7) })

GOOD(no_room_above,
	{ OP(0, 1, 2), SET(NUMBER(0x7fffffffffffffff)), IS(1) },
	{ OP(0, 3, 4), ADD(1), FAILS(ERANGE) },
	{ OP(0, 5, 6), ADD(-1), IS(2), SUM(0x7ffffffffffffffe) })

BAD(room_above,
	{ OP(0, 1, 2), SET(NUMBER(0x7ffffffffffffffe)), IS(1) },
	{ OP(0, 3, 4), ADD(1), FAILS(ERANGE) })

BAD(wrapped_around,
	{ OP(0, 1, 2), SET(NUMBER(0x7fffffffffffffff)), IS(1) },
	{ OP(0, 3, 4), ADD(1), IS(2), SUM(-0x7fffffffffffffff - 1) })

GOOD(add_to_no_number,
	{ OP(0, 1, 2), SET(BYTES(7)), IS(1) },
	{ OP(0, 3, 4), ADD(1), FAILS(EDOM) })

BAD(add_refused_on_a_number,
	{ OP(0, 1, 2), SET(NUMBER(7)), IS(1) },
	{ OP(0, 3, 4), ADD(1), FAILS(EDOM) })

/* Batches: records in their order, others in between. */

GOOD(batch_with_another_in_between,
	{ OP(0, 1, 4), SET(BYTES(7)), IS(1) },
	{ OP(0, 1, 4), .record = 1, GET, FOUND(BYTES(8)), IS(2) },
	{ OP(1, 2, 3), SET(BYTES(8)), IS(2) })

BAD(batch_in_disorder,
	{ OP(0, 1, 2), GET, FOUND(BYTES(7)), IS(1) },
	{ OP(0, 1, 2), .record = 1, SET(BYTES(7)), IS(1) })

/* Clients that were killed: done or not, but not both, and not sooner. */

GOOD(killed_and_done,
	{ OP(0, 1, 0), SET(BYTES(7)) },
	{ OP(1, 2, 3), GET, FAILS(ENOENT) },
	{ OP(1, 4, 5), GET, FOUND(BYTES(7)), IS(9) })

GOOD(killed_and_not_done,
	{ OP(0, 1, 0), SET(BYTES(7)) },
	{ OP(1, 2, 3), SET(BYTES(8)), IS(1) },
	{ OP(1, 4, 5), GET, FOUND(BYTES(8)), IS(1) })

BAD(killed_and_half_done,
	{ OP(0, 1, 0), SET(BYTES(7)) },
	{ OP(1, 2, 3), GET, FOUND(BYTES(7)), IS(9) },
	{ OP(1, 4, 5), GET, FAILS(ENOENT) })

BAD(killed_and_done_twice,
	{ OP(0, 1, 2), SET(NUMBER(5)), IS(1) },
	{ OP(0, 3, 0), ADD(1) },
	{ OP(1, 4, 5), GET, FOUND(NUMBER(7)), IS(3), SUM(7) })

BAD(killed_and_done_before_asked,
	{ OP(1, 1, 2), GET, FOUND(BYTES(7)), IS(9) },
	{ OP(0, 3, 0), SET(BYTES(7)) })

BAD(killed_and_its_version_changes,
	{ OP(0, 1, 0), SET(BYTES(7)) },
	{ OP(1, 2, 3), GET, FOUND(BYTES(7)), IS(9) },
	{ OP(1, 4, 5), GET, FOUND(BYTES(7)), IS(10) })

BAD(killed_with_a_version_of_old,
	{ OP(1, 1, 2), SET(BYTES(8)), IS(9) },
	{ OP(0, 3, 0), SET(BYTES(7)) },
	{ OP(1, 4, 5), GET, FOUND(BYTES(7)), IS(9) })

BAD(killed_with_a_condition_that_failed,
	{ OP(1, 1, 2), SET(BYTES(8)), IS(1) },
	{ OP(0, 3, 0), SET(BYTES(7)), CREATE },
	{ OP(1, 4, 5), GET, FOUND(BYTES(7)), IS(2) })

GOOD(killed_in_a_batch,
	{ OP(0, 1, 0), SET(BYTES(7)) },
	{ OP(0, 1, 0), .record = 1, SET(BYTES(8)) },
	{ OP(1, 2, 3), GET, FOUND(BYTES(7)), IS(9) })

BAD(killed_in_a_batch_in_disorder,
	{ OP(0, 1, 0), SET(BYTES(7)) },
	{ OP(0, 1, 0), .record = 1, SET(BYTES(8)) },
	{ OP(1, 2, 3), GET, FOUND(BYTES(8)), IS(9) },
	{ OP(1, 4, 5), GET, FOUND(BYTES(7)), IS(10) })

/* A record of the dead that failed lets the next one come. */
GOOD(killed_in_a_batch_after_a_failure,
	{ OP(1, 1, 2), SET(BYTES(9)), IS(1) },
	{ OP(0, 3, 0), SET(BYTES(7)), CREATE },
	{ OP(0, 3, 0), .record = 1, SET(BYTES(8)) },
	{ OP(1, 4, 5), GET, FOUND(BYTES(8)), IS(2) })

/* What is no history at all. */

TEST(input_that_is_none)
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
	struct history_op wide[HISTORY_WIDTH + 1];
	unsigned int i;

	EXPECT_EQ(1, verdict(NULL, 0));
	EXPECT_EQ(-EINVAL, verdict(early, 2));
	EXPECT_EQ(-EINVAL, verdict(back, 1));
	EXPECT_EQ(-EINVAL, verdict(never, 1));

	for (i = 0; i <= HISTORY_WIDTH; i++)
		wide[i] = (struct history_op) { OP(i, i + 1, 1000 + i), GET,
						FAILS(ENOENT) };
	EXPECT_EQ(1, verdict(wide, HISTORY_WIDTH));
	EXPECT_EQ(-E2BIG, verdict(wide, HISTORY_WIDTH + 1));
}

TEST_HARNESS_MAIN
