// SPDX-License-Identifier: GPL-2.0
/*
 * The checker of histories, on random histories: those of a sound map pass, those
 * of faulty maps do not, and on short ones it agrees with a search of all orders.
 * Needs no map.
 *
 * Seeds are fixed, so the counts are the same each time.
 */
#include "history_check.h"
#include "history_random.h"
#include "kmap_test.h"
#include "kselftest_harness.h"

#define OPS		200u
#define HISTORIES	100u

static int verdict(const struct history_op *op, unsigned int ops)
{
	struct history h = { .op = op, .ops = ops };

	return history_check(&h, HISTORY_LIMIT, NULL);
}

FIXTURE(made) {
	struct history_op op[OPS + HISTORY_SPARE];
};

FIXTURE_VARIANT(made) {
	unsigned int workers;
	unsigned int records;
	unsigned int lost;
};

FIXTURE_VARIANT_ADD(made, alone) {
	.workers = 1,
	.records = 32
};

FIXTURE_VARIANT_ADD(made, two) {
	.workers = 2,
	.records = 32
};

FIXTURE_VARIANT_ADD(made, eight) {
	.workers = 8,
	.records = 32
};

FIXTURE_VARIANT_ADD(made, sixteen) {
	.workers = 16,
	.records = 4
};

FIXTURE_VARIANT_ADD(made, four_some_killed) {
	.workers = 4,
	.records = 4,
	.lost = 10
};

FIXTURE_SETUP(made)
{
}

FIXTURE_TEARDOWN(made)
{
}

TEST_F(made, sound_ones_pass)
{
	struct history_plan plan = {
		.workers = variant->workers,
		.lost = variant->lost,
		.ops = OPS,
		.records = variant->records,
	};
	unsigned int ops, overlaps = 0, all = 0;

	for (plan.seed = 1; plan.seed <= HISTORIES; plan.seed++) {
		ops = history_make(&plan, self->op, NULL);
		ASSERT_EQ(1, verdict(self->op, ops))
			TH_LOG("seed %llu", plan.seed);
		overlaps += history_overlaps(self->op, ops);
		all += ops;
	}
	TH_LOG("%u operations, %u of them overlap", all, overlaps);
	EXPECT_EQ(variant->workers > 1, overlaps > 0);
}

/* One answer was changed: few such histories still have an order. */
TEST_F(made, bent_ones_do_not)
{
	struct history_plan plan = {
		.workers = variant->workers,
		.lost = variant->lost,
		.ops = OPS,
		.records = variant->records,
	};
	unsigned int ops, bent = 0, refused = 0;
	__u64 random = 1;

	for (plan.seed = 1; plan.seed <= HISTORIES; plan.seed++) {
		ops = history_make(&plan, self->op, NULL);
		if (!history_bend(self->op, ops, &random))
			continue;
		bent++;
		refused += !verdict(self->op, ops);
	}
	TH_LOG("%u of %u histories refused", refused, bent);
	EXPECT_LT(HISTORIES * 8 / 10, bent);
	EXPECT_LT(bent * 8 / 10, refused);
}

static const struct {
	const char *name;
	unsigned int refused;	/* per cent, at least */
} faults[HISTORY_FAULTS] = {
	[HISTORY_STALE_GET]	= { "stale get", 85 },
	[HISTORY_LOST_ADD]	= { "lost add", 85 },
	[HISTORY_TWO_WINNERS]	= { "two winners", 85 },
	[HISTORY_TWO_REMOVED]	= { "removed twice", 85 },
	[HISTORY_MIXED]		= { "value of one, version of another", 85 },
	[HISTORY_REPEATED]	= { "version repeated", 85 },
	[HISTORY_EARLY]		= { "published early", 60 },
	[HISTORY_FORGOTTEN]	= { "change forgotten", 85 },
	[HISTORY_FAILED_MADE]	= { "failed and made", 85 },
	[HISTORY_DISORDER]	= { "batch in disorder", 80 },
};

FIXTURE(faults) {
	struct history_op op[OPS + HISTORY_SPARE];
};

FIXTURE_SETUP(faults)
{
}

FIXTURE_TEARDOWN(faults)
{
}

TEST_F(faults, are_found)
{
	struct history_plan plan = { .workers = 4, .lost = 2, .ops = OPS,
				     .records = 4 };

	for (plan.fault = 1; plan.fault < HISTORY_FAULTS; plan.fault++) {
		unsigned int ops, count, faulty = 0, refused = 0;

		for (plan.seed = 1; plan.seed <= HISTORIES; plan.seed++) {
			ops = history_make(&plan, self->op, &count);
			if (!count)
				continue;
			faulty++;
			refused += !verdict(self->op, ops);
		}
		TH_LOG("%s: %u of %u histories refused",
		       faults[plan.fault].name, refused, faulty);
		EXPECT_LT(20, faulty);
		EXPECT_LE(faulty * faults[plan.fault].refused, refused * 100);
	}
}

/* The part of a refused history that is printed is short. */
TEST_F(faults, are_shown_in_few_lines)
{
	struct history_plan plan = { .workers = 6, .ops = OPS, .records = 4 };
	unsigned int ops, i, parts = 0, firm = 0, longest = 0;

	for (plan.seed = 1; plan.seed <= 3 * HISTORY_FAULTS; plan.seed++) {
		struct history h = { .op = self->op };
		struct history_part part;

		plan.fault = plan.seed % HISTORY_FAULTS;
		ops = history_make(&plan, self->op, NULL);
		h.ops = ops;
		if (verdict(self->op, ops))
			continue;
		ASSERT_EQ(0, history_shrink(&h, &part));
		if (parts < 4)
			history_print(stdout, &part, faults[plan.fault].name);
		h.op = part.op;
		h.ops = part.ops;
		h.start = part.start;
		h.starts = part.starts;
		EXPECT_EQ(0, history_check(&h, HISTORY_LIMIT, NULL));
		ops = 0;
		for (i = 0; i < part.ops; i++)
			ops += part.firm[i];
		EXPECT_LT(0, ops);
		firm += ops;
		longest = ops > longest ? ops : longest;
		parts++;
		history_part_drop(&part);
	}
	TH_LOG("%u parts, %u operations in them, %u in the longest", parts, firm,
	       longest);
	EXPECT_LT(15, parts);
	EXPECT_GE(3 * parts, firm);
	EXPECT_GE(8, longest);
}

#define SHORT	6u

TEST_F(faults, short_ones_as_by_trying_all)
{
	struct history_plan plan = { .ops = SHORT, .records = 3 };
	unsigned int legal = 0, refused = 0, differ = 0;
	__u64 random = 1;

	for (plan.seed = 1; plan.seed <= 3000; plan.seed++) {
		struct history h = { .op = self->op };
		int ret;

		plan.workers = 2 + plan.seed % 4;
		plan.lost = plan.seed % 3 * 50;
		plan.fault = kt_random(&random) % HISTORY_FAULTS;
		h.ops = history_make(&plan, self->op, NULL);
		if (plan.seed & 1)
			history_bend(self->op, h.ops, &random);
		ret = history_check(&h, HISTORY_LIMIT, NULL);
		legal += ret == 1;
		refused += ret == 0;
		differ += ret != history_try_all(&h);
	}
	TH_LOG("%u legal, %u refused", legal, refused);
	EXPECT_EQ(0, differ);
	EXPECT_LT(500, legal);
	EXPECT_LT(500, refused);
}

TEST_HARNESS_MAIN
