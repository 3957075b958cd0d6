// SPDX-License-Identifier: GPL-2.0-only
/*
 * How long single sets take beside snapshots, on the real processor: one thread replaces
 * values of random keys; another sleeps, computes, or takes snapshots one after the
 * other, with values or counting only, in time slices that follow each other.
 *
 * Keys neither come nor go, so each snapshot must have all of them; a slice with snapshots
 * lasts until one is complete.  How long anything takes is told and not judged.
 *
 * The figures are nanoseconds, which include what else the machine did: only what was
 * measured in one run can be compared.  The longest of a slice is that of its own sets;
 * the table tells the median of the slices' longest as well.
 *
 *	N=N		entries (default 10,000)
 *	ROUNDS=N	slices of each kind (default 1, at most 100)
 *	SETS=N		sets in a slice (default 50,000)
 *	SHARDS=N	shards (default 64)
 *	MODE=LOCK	lock mode (default rcu)
 */
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <linux/err.h>

#include "actors.h"
#include "shim.h"
#include "snapshot.h"
#include "test.h"

#define VALUE_LEN	64
#define ROUNDS_MAX	100u

enum kind { ALONE, BUSY, VALUES, COUNTED, KINDS };

static const char *const names[KINDS] = {
	"alone", "busy", "values", "counted"
};

/* What both threads share. */
static struct shmap_map *map;
static int kind = -1;		/* of the slice that runs; -1 between slices */
static bool over;
static u64 snapshots[KINDS];	/* that are complete */

static u32 entries;
static u32 sets;		/* in a slice */

static u64 now(void)
{
	struct timespec at;

	clock_gettime(CLOCK_MONOTONIC, &at);
	return at.tv_sec * 1000000000ull + at.tv_nsec;
}

static bool still(enum kind mine)
{
	return READ_ONCE(kind) == mine;
}

static void take(enum kind mine)
{
	static u8 buf[SHMAP_PIECE];
	struct shmap_snapshot *snap = shmap_snapshot_begin(map, mine == VALUES);
	ssize_t n;

	check(!IS_ERR(snap));
	do
		n = shmap_snapshot_read(snap, mine == VALUES ? buf : NULL,
					sizeof(buf));
	while (n > 0 && still(mine));
	check(n >= 0 || n == -ENOBUFS);
	if (!n) {
		check_equal(snap->count, entries);
		WRITE_ONCE(snapshots[mine], snapshots[mine] + 1);
	}
	shmap_snapshot_end(snap);
}

static void *taker(void *unused)
{
	shim_set_cpu(1);
	while (!READ_ONCE(over)) {
		int mine = READ_ONCE(kind);

		if (mine == VALUES || mine == COUNTED)
			take(mine);
		else if (mine != BUSY)
			nanosleep(&(struct timespec){ .tv_nsec = 50000 }, NULL);
	}
	return unused;
}

static int compare(const void *a, const void *b)
{
	u64 x = *(const u64 *)a, y = *(const u64 *)b;

	return x < y ? -1 : x > y;
}

/* Replace values for one slice.  The longest and all of the durations go to @took. */
static u64 slice(struct actor *actor, enum kind mine, u64 *took)
{
	u64 longest = 0, since, before = READ_ONCE(snapshots[mine]);
	char key[ACTOR_KEY];
	u32 i, len;

	WRITE_ONCE(kind, mine);
	for (i = 0; i < sets; i++) {
		len = actor_key(key, 'b', actor_draw(actor, entries));
		since = now();
		check_equal(actor_put(map, key, len, VALUE_LEN, KMAP_REPLACE),
			    0);
		took[i] = now() - since;
		longest = max(longest, took[i]);
	}
	while (mine >= VALUES && READ_ONCE(snapshots[mine]) == before)
		sched_yield();
	WRITE_ONCE(kind, -1);
	nanosleep(&(struct timespec){ .tv_nsec = 1000000 }, NULL);
	return longest;
}

static void tell(enum kind mine, u64 *took, u64 *longest, u32 rounds)
{
	size_t n = (size_t)rounds * sets;

	qsort(took, n, sizeof(*took), compare);
	qsort(longest, rounds, sizeof(*longest), compare);
	printf("# %-8s %8llu %8llu %8llu %8llu %10llu %10llu %9llu\n", names[mine],
	       took[n / 2], took[n / 100 * 99], took[n / 1000 * 999],
	       took[n - 1 - n / 100000], longest[rounds / 2],
	       longest[rounds - 1], snapshots[mine]);
}

static void beside(void)
{
	const char *lock = getenv("MODE");
	u32 n = test_number("N", 10000);
	u32 rounds = min_t(u32, test_number("ROUNDS", 1), ROUNDS_MAX);
	const struct shmap_config config = {
		.lock		= shmap_lock_find(lock && *lock ? lock : "rcu"),
		.shards		= test_number("SHARDS", 64),
		.max_entries	= 2 * n,
		.max_bytes	= 256ull * n,
		.max_key	= ACTOR_KEY,
		.max_value	= VALUE_LEN,
	};
	static u64 longest[KINDS][ROUNDS_MAX];
	static u64 *took[KINDS];
	struct actor actor = { .random = 1 };
	char key[ACTOR_KEY];
	pthread_t thread;
	u32 i, k;

	entries = n;
	sets = test_number("SETS", 50000);
	check(config.lock && rounds && sets);
	shim_rcu_by_hand(false);
	shim_pages_reserve(1024ull * n + (1ull << 30));
	shim_spins = 1000000;
	map = shmap_map_create(&config);
	check(!IS_ERR(map));
	for (i = 0; i < n; i++)
		check_equal(actor_put(map, key, actor_key(key, 'b', i),
				      VALUE_LEN, 0), 0);
	for (k = 0; k < KINDS; k++) {
		took[k] = calloc((size_t)rounds * sets, sizeof(u64));
		check(took[k]);
	}
	check(!pthread_create(&thread, NULL, taker, NULL));
	for (i = 0; i < rounds; i++)
		for (k = 0; k < KINDS; k++)
			longest[k][i] = slice(&actor, k, took[k] +
					      (size_t)i * sets);
	WRITE_ONCE(over, true);
	check(!pthread_join(thread, NULL));
	printf("# set, ns       p50      p99    p99.9  p99.999     median       most snapshots\n"
	       "# %73s\n", "of the slices' longest");
	for (k = 0; k < KINDS; k++)
		tell(k, took[k], longest[k], rounds);
	shmap_map_put(map);
	check_equal(shim_bytes_out(), 0);
}

int main(int argc, char **argv)
{
	static const struct test tests[] = {
		{ "beside", beside },
	};

	return test_main(argc, argv, tests, ARRAY_SIZE(tests));
}
