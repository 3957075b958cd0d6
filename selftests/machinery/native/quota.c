// SPDX-License-Identifier: GPL-2.0-only
/*
 * The limits by themselves: exact to the last entry and byte, whoever has drawn
 * credits; refusals that cost little with many shards; and no refusal while there
 * is room, however units move meanwhile.
 *
 *	ROUNDS=N	how much each thread does
 */
#include <pthread.h>
#include <stdio.h>
#include <string.h>

#include "quota.h"
#include "shim.h"
#include "test.h"

#define SHARDS		1024u
/* Most credits that are gone through in one go, and the taker's own. */
#define STEPS_MOST	33

static struct shmap_quota quota;

static void begin(u64 entries, u64 bytes, unsigned int shards)
{
	memset(&quota, 0, sizeof(quota));
	check_equal(shmap_quota_init(&quota, entries, bytes, shards), 0);
}

static void end(void)
{
	shmap_quota_exit(&quota);
	check_equal(shim_bytes_out(), 0);
}

/* As who changes the map does: again, as long as that is asked for. */
static int take(unsigned int shard, u64 entries, u64 bytes)
{
	int ret;

	do {
		ret = shmap_quota_take(&quota, shard, entries, bytes);
	} while (ret == -EAGAIN);
	check(!ret || ret == -ENOSPC);
	return ret;
}

static void give(unsigned int shard, u64 entries, u64 bytes)
{
	shmap_quota_give(&quota, shard, entries, bytes);
}

/* To the last unit of either kind. */
static void play_exact(u64 entries, u64 bytes, unsigned int shards)
{
	u64 each = bytes / entries, taken, i;
	unsigned int shard;

	begin(entries, bytes, shards);
	for (shard = 0; shard < shards; shard++) {
		/* Every shard draws credit and gives it all back. */
		check_equal(take(shard, 1, each), 0);
		give(shard, 1, each);
	}
	for (taken = 0; !take(taken % shards, 1, each);)
		taken++;
	check_equal(taken, entries);
	check_equal(take(3 % shards, 1, 0), -ENOSPC);
	check_equal(take(3 % shards, 0, bytes - entries * each + 1), -ENOSPC);
	check_equal(take(3 % shards, 0, bytes - entries * each), 0);
	check_equal(take(1 % shards, 0, 1), -ENOSPC);
	/* One of each kind, for whom there is room of the other. */
	give(5 % shards, 1, 0);
	check_equal(take(3 % shards, 1, 1), -ENOSPC);
	give(2 % shards, 0, 1);
	check_equal(take(3 % shards, 1, 2), -ENOSPC);
	check_equal(take(7 % shards, 1, 1), 0);
	for (i = 0; i < taken; i++)
		give(i % shards, 1, i ? each : bytes - (taken - 1) * each);
	check_equal(take(0, 1, bytes), 0);
	give(0, 1, bytes);
	end();
}

static void exact(void)
{
	static const unsigned int shards[] = { 1, 8, 64, SHARDS };
	unsigned int i;
	u64 entries;

	for (i = 0; i < ARRAY_SIZE(shards); i++)
		for (entries = 1; entries < 50000; entries += entries + 1)
			play_exact(entries, 100000 + entries * 37, shards[i]);
}

/* Take, and count what that costs: never much in one go. */
static int take_counted(unsigned int shard, u64 entries, u64 bytes, u64 *steps)
{
	u64 before;
	int ret;

	do {
		before = shim_exchanges;
		ret = shmap_quota_take(&quota, shard, entries, bytes);
		check(shim_exchanges - before <= STEPS_MOST);
		*steps += shim_exchanges - before;
	} while (ret == -EAGAIN);
	return ret;
}

/*
 * All shards keep a credit, then nothing is left: that is found out once, and from
 * then on a refusal costs two steps, and so does one who comes for one who goes.
 */
static void steps(void)
{
	u64 entries = 100 * 16 * SHARDS, taken = 0, n = 0, i;
	unsigned int shard;

	begin(entries, entries * 1000, SHARDS);
	for (shard = 0; shard < SHARDS; shard++) {
		check_equal(take(shard, 1, 100), 0);
		give(shard, 1, 100);
	}
	/* All by one shard, so that the others' credits are needed. */
	while (!take_counted(0, 1, 100, &n))
		taken++;
	check_equal(taken, entries);
	printf("# %llu steps in %llu takes to the last entry\n", n,
	       taken);
	check(n < 2 * entries + 2 * SHARDS);

	for (i = 0, n = 0; i < 10000; i++)
		check_equal(take_counted(i % SHARDS, 1, 100, &n), -ENOSPC);
	printf("# %llu steps in 10000 refusals\n", n);
	check(n <= 2 * 10000);

	for (i = 0, n = 0; i < 10000; i++) {
		give(i * 7 % SHARDS, 1, 100);
		check_equal(take_counted(i % SHARDS, 1, 100, &n), 0);
		check_equal(take_counted(i % SHARDS, 1, 100, &n), -ENOSPC);
	}
	printf("# %llu steps in 10000 replacements and refusals\n", n);
	check(n <= 4 * 10000);

	/* To and fro over the border at which shards may keep credits again. */
	for (i = 0, n = 0; i < 4 * entries / 16; i++)
		give(i % SHARDS, 1, 100);
	for (i = 0; i < 4 * entries / 16; i++)
		check_equal(take_counted(i * 11 % SHARDS, 1, 100, &n), 0);
	printf("# %llu steps in %llu takes\n", n, 4 * entries / 16);
	check(n < 2 * (4 * entries / 16));
	check_equal(take(3, 1, 100), -ENOSPC);
	end();
}

/**
 * struct mover - a thread that never has more than its part
 * @first: it uses shards from here on
 * @n: so many
 * @bytes: of an entry
 * @rounds: how often
 * @refused: how often it was
 */
struct mover {
	unsigned int	first;
	unsigned int	n;
	u64		bytes;
	u64		rounds;
	u64		refused;
};

/* Has one entry, and moves it from shard to shard: first goes the old one. */
static void *move(void *arg)
{
	struct mover *mover = arg;
	unsigned int at = mover->first, to;
	u64 i;

	shim_set_cpu(mover->first % 4);
	for (i = 0; i < mover->rounds; i++) {
		to = mover->first + (i * 7919) % mover->n;
		give(at, 1, mover->bytes);
		while (take(to, 1, mover->bytes))
			mover->refused++;
		at = to;
	}
	return NULL;
}

/*
 * Three entries move, there is room for as many, and credit for each in some
 * shard or other.  So nobody may be refused.
 */
static void play_moves(u64 limit, unsigned int shards)
{
	u64 rounds = test_number("ROUNDS", 8000);
	struct mover movers[3];
	pthread_t threads[3];
	unsigned int i;
	u64 held = 0;

	begin(limit, limit * 100, shards);
	/* Everybody gets a credit; then all but what moves is taken. */
	for (i = 0; i < shards; i++) {
		check_equal(take(i, 1, 100), 0);
		give(i, 1, 100);
	}
	while (held < limit) {
		check_equal(take(held % shards, 1, 100), 0);
		held++;
	}
	for (i = 0; i < ARRAY_SIZE(movers); i++) {
		movers[i] = (struct mover) {
			.first = i * (shards / 3), .n = shards / 3,
			.bytes = 100, .rounds = rounds,
		};
		check_equal(pthread_create(&threads[i], NULL, move, &movers[i]),
			    0);
	}
	for (i = 0; i < ARRAY_SIZE(movers); i++) {
		pthread_join(threads[i], NULL);
		check_equal(movers[i].refused, 0);
	}
	check_equal(take(0, 1, 100), -ENOSPC);
	end();
}

static bool stop;

/* Has one entry, and moves it to the other end of the shards and back. */
static void *swing(void *arg)
{
	struct mover *mover = arg;
	unsigned int ends[2] = { mover->first, mover->first + mover->n - 1 };
	u64 i;

	shim_set_cpu(1);
	for (i = 0; !READ_ONCE(stop); i++) {
		give(ends[i & 1], 1, mover->bytes);
		while (take(ends[~i & 1], 1, mover->bytes))
			mover->refused++;
	}
	return NULL;
}

/*
 * There is room for one entry more, now with the first shard, now with the last:
 * who looks for it from the first to the last must not miss it.
 */
static void swings(void)
{
	u64 rounds = 4 * test_number("ROUNDS", 8000), i;
	struct mover mover = { .n = SHARDS, .bytes = 100 };
	const u64 limit = SHARDS * 16 * 2;
	pthread_t thread;

	begin(limit, limit * 100, SHARDS);
	for (i = 0; i < limit - 1; i++)
		check_equal(take(i % SHARDS, 1, 100), 0);
	WRITE_ONCE(stop, false);
	check_equal(pthread_create(&thread, NULL, swing, &mover), 0);
	for (i = 0; i < rounds; i++) {
		check_equal(take(SHARDS / 2, 1, 100), 0);
		give(i & 1 ? 0 : SHARDS - 1, 1, 100);
	}
	WRITE_ONCE(stop, true);
	pthread_join(thread, NULL);
	check_equal(mover.refused, 0);
	end();
}

static void moves(void)
{
	play_moves(SHARDS * 16 * 2, SHARDS);
	play_moves(1000, 8);
	play_moves(40, 8);
}

/* As move(), where there is room enough that shards keep credits. */
static void *move_many(void *arg)
{
	struct mover *mover = arg;
	u64 i, k, n = mover->bytes;

	shim_set_cpu(mover->first % 4);
	for (i = 0; i < mover->rounds / 100; i++) {
		for (k = 0; k < n; k++)
			give(mover->first + k % mover->n, 1, 1);
		for (k = 0; k < n; k++)
			while (take(mover->first + k * 7 % mover->n, 1, 1))
				mover->refused++;
	}
	return NULL;
}

/*
 * Each of two threads gives up its half of the map and takes it again, so that
 * there is ample room now and then, and none at other times.
 */
static void waves(void)
{
	u64 rounds = test_number("ROUNDS", 8000), i;
	const unsigned int shards = 16;
	const u64 limit = 16 * shards * 8;
	struct mover movers[2];
	pthread_t threads[2];

	begin(limit, limit * 16384, shards);
	for (i = 0; i < limit; i++)
		check_equal(take(i % shards, 1, 1), 0);
	for (i = 0; i < 2; i++) {
		movers[i] = (struct mover) {
			.first = i * 8, .n = 8, .bytes = limit / 2,
			.rounds = rounds,
		};
		check_equal(pthread_create(&threads[i], NULL, move_many,
					   &movers[i]), 0);
	}
	for (i = 0; i < 2; i++) {
		pthread_join(threads[i], NULL);
		check_equal(movers[i].refused, 0);
	}
	check_equal(take(0, 1, 1), -ENOSPC);
	end();
}

/* Asks for an entry that has more bytes than there are. */
static void *ask_for_too_much(void *arg)
{
	struct mover *mover = arg;

	shim_set_cpu(mover->first % 4);
	while (!READ_ONCE(stop))
		check_equal(take(mover->first, 1, mover->bytes), -ENOSPC);
	return NULL;
}

/* What is refused for one limit is at no time missing from the other. */
static void both_or_none(void)
{
	struct mover asks = { .first = 4, .bytes = 100001 };
	struct mover moves = {
		.n = 4, .bytes = 10, .rounds = 4 * test_number("ROUNDS", 8000),
	};
	pthread_t asking, moving;
	u64 i;

	/* One entry more than those held, for the one that moves. */
	begin(1000, 100000, 8);
	for (i = 0; i < 1000; i++)
		check_equal(take(i % 4, 1, 10), 0);
	WRITE_ONCE(stop, false);
	check_equal(pthread_create(&asking, NULL, ask_for_too_much, &asks), 0);
	check_equal(pthread_create(&moving, NULL, move, &moves), 0);
	pthread_join(moving, NULL);
	WRITE_ONCE(stop, true);
	pthread_join(asking, NULL);
	check_equal(moves.refused, 0);
	end();
}

int main(int argc, char **argv)
{
	static const struct test tests[] = {
		{ "exact", exact },
		{ "steps", steps },
		{ "moves", moves },
		{ "swings", swings },
		{ "waves", waves },
		{ "both_or_none", both_or_none },
	};

	return test_main(argc, argv, tests, ARRAY_SIZE(tests));
}
