// SPDX-License-Identifier: GPL-2.0
/*
 * Draws the operations of a history at random, but so that workers collide: there
 * are few keys, conditions hold about as often as not, and each value is stored only
 * once, so that an answer tells which operation has stored it.
 */
#include <errno.h>
#include <string.h>

#include "history_draw.h"
#include "kmap_test.h"

#define SHARES(get, set, delete, add) .shares = { 0, get, set, delete, add }

static const struct history_mood moods[] = {
	/* Everything */
	{ .keys = 2, SHARES(5, 5, 3, 3), .conditions = 8, .numbers = 4,
	  .batches = 3, .records = 4 },
	{ .keys = 4, SHARES(5, 5, 3, 3), .conditions = 8, .numbers = 4,
	  .batches = 3, .records = 4 },
	{ .keys = 8, SHARES(5, 5, 3, 3), .conditions = 8, .numbers = 4,
	  .batches = 6, .records = 4 },
	/* Counters, which some reset or remove */
	{ .keys = 1, SHARES(4, 1, 1, 10), .conditions = 4, .numbers = 14,
	  .batches = 2, .records = 4 },
	{ .keys = 2, SHARES(6, 0, 0, 10), .conditions = 2, .numbers = 16,
	  .batches = 2, .records = 4 },
	/* Versioned updates */
	{ .keys = 1, SHARES(4, 11, 1, 0), .conditions = 14, .numbers = 2,
	  .batches = 2, .records = 4 },
	{ .keys = 3, SHARES(4, 9, 1, 2), .conditions = 14, .numbers = 8,
	  .batches = 2, .records = 4 },
	/* Coming and going */
	{ .keys = 1, SHARES(3, 6, 6, 1), .conditions = 10, .numbers = 4,
	  .batches = 2, .records = 4 },
	{ .keys = 3, SHARES(2, 5, 6, 3), .conditions = 8, .numbers = 6,
	  .batches = 4, .records = 4 },
	/* Readers, and a change now and then */
	{ .keys = 1, SHARES(13, 2, 0, 1), .conditions = 4, .numbers = 8,
	  .batches = 2, .records = 4 },
	{ .keys = 2, SHARES(12, 2, 1, 1), .conditions = 4, .numbers = 8,
	  .batches = 4, .records = 4 },
	/* Values that take long to copy */
	{ .keys = 1, SHARES(8, 7, 1, 0), .conditions = 2, .longest = 16 },
	/* Long batches, which follow each other closely */
	{ .keys = 1, SHARES(8, 0, 0, 8), .numbers = 16, .batches = 16,
	  .records = HISTORY_BATCH },
	{ .keys = 1, SHARES(8, 0, 0, 8), .numbers = 16, .batches = 16,
	  .records = HISTORY_BATCH },
	{ .keys = 1, SHARES(8, 8, 0, 0), .numbers = 2, .batches = 16,
	  .records = HISTORY_BATCH },
	{ .keys = 2, SHARES(6, 4, 3, 3), .conditions = 8, .numbers = 8,
	  .batches = 16, .records = HISTORY_BATCH },
};

const struct history_mood *history_mood(__u64 number)
{
	__u64 hash = kt_hash(&number, sizeof(number), 0);

	return &moods[hash % ARRAY_SIZE(moods)];
}

unsigned int history_below(struct history_asker *asker, unsigned int n)
{
	return (kt_random(&asker->random) >> 32) % n;
}

unsigned int history_records(struct history_asker *asker,
			     const struct history_mood *mood, unsigned int most)
{
	if (history_below(asker, 16) >= mood->batches)
		return 1;
	if (most > mood->records)
		most = mood->records;
	/* At least half as many as there may be. */
	return most - history_below(asker, most / 2 + 1);
}

static __u32 draw_len(struct history_asker *asker,
		      const struct history_mood *mood)
{
	if (history_below(asker, 16) < mood->longest)
		return asker->room - history_below(asker, 8);
	switch (history_below(asker, 32)) {
	case 0:
		return 0;
	case 1:
		return 1 + history_below(asker, 7);
	case 2:
		return 9 + history_below(asker, 7);
	case 3:
	case 4:
		return 16 + history_below(asker, 2000) % (asker->room - 16);
	default:
		return 16 + history_below(asker, 240);
	}
}

static void draw_value(struct history_asker *asker,
		       const struct history_mood *mood,
		       struct history_value *value)
{
	__u64 id = (asker->worker + 1ull) << 40 | ++asker->serial << 8;

	if (history_below(asker, 16) < mood->numbers) {
		/* Some are so large, or small, that little can be added. */
		if (!history_below(asker, 12))
			id = history_below(asker, 2) ? (1ull << 63) - 1 - asker->serial :
						       (1ull << 63) + asker->serial;
		value->len = HISTORY_NUMBER;
		value->id = id;
		return;
	}
	value->len = draw_len(asker, mood);
	/* A value of up to 15 bytes has no seed in it. */
	value->id = value->len >= 16 ? id : 0;
}

static unsigned int draw_opcode(struct history_asker *asker,
				const struct history_mood *mood)
{
	unsigned int share = history_below(asker, 16);
	unsigned int opcode = KMAP_OP_GET;

	while (share >= mood->shares[opcode])
		share -= mood->shares[opcode++];
	return opcode;
}

static unsigned int draw_flags(struct history_asker *asker,
			       const struct history_mood *mood,
			       unsigned int opcode)
{
	static const unsigned int conditions[] = {
		KMAP_CREATE, KMAP_REPLACE, KMAP_MATCH, KMAP_MATCH
	};
	unsigned int flags = 0;

	if (opcode == KMAP_OP_GET)
		return 0;
	if (history_below(asker, 16) < mood->conditions)
		flags = conditions[history_below(asker, 4)];
	if (opcode == KMAP_OP_ADD)
		return flags & (KMAP_CREATE | KMAP_REPLACE);
	if (opcode == KMAP_OP_DELETE)
		flags &= KMAP_MATCH;
	if (!history_below(asker, 3))
		flags |= KMAP_RETURN;
	return flags;
}

void history_ask(struct history_asker *asker, const struct history_mood *mood,
		 struct history_op *op)
{
	memset(op, 0, sizeof(*op));
	op->worker = asker->worker;
	op->key = history_below(asker, mood->keys);
	op->opcode = draw_opcode(asker, mood);
	op->flags = draw_flags(asker, mood, op->opcode);
	if (op->opcode == KMAP_OP_GET || op->flags & KMAP_RETURN)
		op->out_size = history_below(asker, 8) ? asker->room :
			       history_below(asker, 64);
	if (op->flags & KMAP_MATCH)
		op->match = history_below(asker, 4) ? asker->newest[op->key] :
			    asker->older[op->key];
	if (op->opcode == KMAP_OP_SET)
		draw_value(asker, mood, &op->stored);
	if (op->opcode == KMAP_OP_ADD)
		op->delta = (__s64)history_below(asker, 200) - 50;
}

void history_note(struct history_asker *asker, const struct history_op *op)
{
	if (op->error && op->error != -EEXIST && op->error != -ESTALE)
		return;
	if (op->version == asker->newest[op->key])
		return;
	asker->older[op->key] = asker->newest[op->key];
	asker->newest[op->key] = op->version;
}
