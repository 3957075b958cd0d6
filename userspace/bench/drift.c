// SPDX-License-Identifier: MIT
/*
 * What becomes of a table when the sizes of its values drift: does it refuse values
 * although there is room, and how much memory does it take for what it stores?
 *
 * The table has a budget of bytes.  In each generation, values of one size are stored
 * until the table holds 80 % of the budget; then entries are removed at random until it
 * holds 5 %.  The next generation has another size.  As a comparison, the same is done
 * with sizes that are drawn at random from the beginning, so that nothing drifts.
 *
 * What is stored is counted as key, value and 24 bytes per entry.  How long each set
 * takes is measured as in growth.c.
 */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "../cli/bench_hist.h"
#include "bench.h"

/* Bytes that are counted per entry, besides key and value. */
#define ENTRY_BYTES	24

/* Share of the budget, in percent, that a generation fills, and leaves. */
#define FULL		80
#define THIN		5

/* Memory is looked at once in so many sets. */
#define LOOK		512

/* Sizes of the values of one generation after another. */
static const uint32_t sizes[] = { 100, 250, 600, 1400 };

#define SIZE_MAX_USED	1400

/* An entry in the table. */
struct live {
	uint64_t	id;
	uint32_t	size;
};

/**
 * struct drift - one run
 * @peer: the table
 * @seat: this thread's
 * @plan: how long, and with how many bytes
 * @live: the entries in the table
 * @count: number of them
 * @room: length of @live
 * @stored: bytes that they count as
 * @next: number of the next key
 * @sets: values that were stored
 * @refused: values that were refused
 * @early: lowest share of the budget that was stored when one was, in percent, or 100
 * @ratio: highest ratio of memory to @stored while at least half of the budget was stored
 * @peak: most memory
 * @dice: for the choice of sizes and of entries to remove
 * @hist: how long sets took
 */
struct drift {
	const struct peer	*peer;
	void			*seat;
	const struct drift_plan	*plan;
	struct live		*live;
	size_t			count;
	size_t			room;
	uint64_t		stored;
	uint64_t		next;
	uint64_t		sets;
	uint64_t		refused;
	double			early;
	double			ratio;
	int64_t			peak;
	struct dice		dice;
	struct hist		hist;
};

static uint64_t counted(uint32_t size)
{
	return KEY_SIZE + size + ENTRY_BYTES;
}

static double share(const struct drift *drift)
{
	return 100.0 * (double)drift->stored / (double)drift->plan->bytes;
}

static void look(struct drift *drift)
{
	int64_t memory = drift->peer->memory ? drift->peer->memory() : resident(0);
	double ratio = (double)memory / (double)drift->stored;

	if (memory > drift->peak)
		drift->peak = memory;
	if (share(drift) >= 50 && ratio > drift->ratio)
		drift->ratio = ratio;
}

static int remember(struct drift *drift, uint64_t id, uint32_t size)
{
	struct live *more;

	if (drift->count == drift->room) {
		drift->room = 2 * drift->room + 1024;
		more = realloc(drift->live, drift->room * sizeof(*more));
		if (!more)
			return -ENOMEM;
		drift->live = more;
	}
	drift->live[drift->count++] = (struct live){ .id = id, .size = size };
	drift->stored += counted(size);
	return 0;
}

/* Store one value; 0, -ENOSPC when it is refused, or another error. */
static int store(struct drift *drift, uint32_t size)
{
	static const char value[SIZE_MAX_USED];
	char key[KEY_SIZE];
	uint64_t begun;
	int ret;

	key_write(key, drift->next);
	begun = now_ns();
	ret = drift->peer->put(drift->seat, key, value, size);
	hist_add(&drift->hist, now_ns() - begun);
	if (ret == -ENOSPC) {
		drift->refused++;
		if (share(drift) < drift->early)
			drift->early = share(drift);
	}
	if (ret)
		return ret;
	if (!(++drift->sets % LOOK))
		look(drift);
	return remember(drift, drift->next++, size);
}

static int fill_up(struct drift *drift, unsigned int generation, bool drifts)
{
	unsigned int which = generation % ARRAY_SIZE(sizes);
	int ret = 0;

	while (!ret && share(drift) < FULL) {
		if (!drifts)
			which = dice_next(&drift->dice) % ARRAY_SIZE(sizes);
		ret = store(drift, sizes[which]);
	}
	look(drift);
	/* The generation ends where the table says that it is full. */
	return ret == -ENOSPC ? 0 : ret;
}

static int thin_out(struct drift *drift)
{
	char key[KEY_SIZE];
	int ret = 0;

	while (!ret && drift->count && share(drift) > THIN) {
		size_t i = dice_next(&drift->dice) % drift->count;

		key_write(key, drift->live[i].id);
		ret = drift->peer->delete(drift->seat, key);
		drift->stored -= counted(drift->live[i].size);
		drift->live[i] = drift->live[--drift->count];
	}
	return ret;
}

/* A line per generation: what is stored, and what it takes, when it is full and thin. */
static void note(struct drift *drift, const char *kind, const char *when,
		 unsigned int generation)
{
	int64_t memory = drift->peer->memory ? drift->peer->memory() : resident(0);

	if (!drift->plan->data)
		return;
	fprintf(drift->plan->data,
		"%s\t%s %s\t%u\t%" PRIu64 "\t%" PRIu64 "\t%" PRId64 "\t%" PRIu64
		"\t%lld\n", drift->peer->name, kind, when, generation, drift->plan->bytes,
		drift->stored, memory, drift->refused, (long long)time(NULL));
	fflush(drift->plan->data);
}

static int generations(struct drift *drift, bool drifts)
{
	const char *kind = drifts ? "drift" : "steady";
	uint64_t end = now_ns() + drift->plan->seconds * UINT64_C(1000000000);
	unsigned int i;
	int ret = 0;

	for (i = 0; !ret && (drift->plan->seconds ? now_ns() < end :
			     i < drift->plan->generations); i++) {
		ret = fill_up(drift, i, drifts);
		note(drift, kind, "full", i);
		if (!ret)
			ret = thin_out(drift);
		note(drift, kind, "thin", i);
	}
	return ret;
}

static int run(struct drift *drift, bool drifts)
{
	int ret = drift->peer->open_bytes(drift->plan->bytes, SIZE_MAX_USED);

	if (ret)
		return ret;
	drift->seat = drift->peer->join();
	ret = drift->seat ? generations(drift, drifts) : -ENOMEM;
	if (drift->seat)
		drift->peer->leave(drift->seat);
	drift->peer->close();
	return ret;
}

/* The whole run in a line: what RESULTS.md has of it. */
static void write_whole(const struct drift *drift, bool drifts)
{
	if (!drift->plan->data)
		return;
	fprintf(drift->plan->data,
		"%s\t%s whole\t%" PRIu64 "\t%" PRIu64 "\t%.1f\t%.3f\t%" PRId64
		"\t%" PRIu64 "\t%" PRIu64 "\t%" PRIu64 "\n", drift->peer->name,
		drifts ? "drift" : "steady", drift->sets, drift->refused,
		drift->early, drift->ratio, drift->peak,
		hist_quantile(&drift->hist, 500),
		hist_quantile(&drift->hist, 999), drift->hist.max);
}

static void print(const struct drift *drift, bool drifts)
{
	uint64_t p999 = hist_quantile(&drift->hist, 999);

	write_whole(drift, drifts);
	printf("%-12s%-7s%9" PRIu64 "%9" PRIu64, drift->peer->name,
	       drifts ? "drift" : "steady", drift->sets, drift->refused);
	if (drift->refused)
		printf("%8.0f%%", drift->early);
	else
		printf("%9s", "-");
	printf("%8.2f%9" PRId64 "%9" PRIu64 "%9" PRIu64 "%12" PRIu64 "%11.1f\n",
	       drift->ratio, drift->peak >> 10, hist_quantile(&drift->hist, 500),
	       p999, drift->hist.max, (double)drift->hist.max / (double)(p999 ? p999 : 1));
	fflush(stdout);
}

static int measure_one(const struct peer *peer, const struct drift_plan *plan,
		       bool drifts)
{
	struct drift *drift = calloc(1, sizeof(*drift));
	int ret;

	if (!drift)
		return -ENOMEM;
	drift->peer = peer;
	drift->plan = plan;
	drift->early = 100;
	drift->dice.state = 1;
	ret = run(drift, drifts);
	if (ret == -EOPNOTSUPP)
		fprintf(stderr, "%s is left out: there is none here\n", peer->name);
	else if (ret)
		fprintf(stderr, "%s failed after %" PRIu64 " sets: %s\n", peer->name,
			drift->sets, strerror(-ret));
	else
		print(drift, drifts);
	free(drift->live);
	free(drift);
	return ret == -EOPNOTSUPP ? 0 : ret;
}

int measure_drift(const struct peer *const *peers, size_t count,
		  const struct drift_plan *plan, bool (*wanted)(const char *name))
{
	int failed = 0;

	printf("%-12s%-7s%9s%9s%9s%8s%9s%9s%9s%12s%11s\n", "peer", "sizes", "sets",
	       "refused", "lowest", "memory", "peak KiB", "p50", "p99.9", "longest",
	       "to p99.9");
	for (size_t i = 0; i < count; i++) {
		if (!peers[i]->put || !wanted(peers[i]->name))
			continue;
		failed |= measure_one(peers[i], plan, true) != 0;
		if (!plan->seconds)
			failed |= measure_one(peers[i], plan, false) != 0;
	}
	printf("refused, lowest: values that were refused, and the least that was stored\n"
	       "	then, of the budget\n"
	       "memory: most bytes taken per byte stored (key, value and %d bytes per\n"
	       "	entry), while at least half of the budget was stored\n", ENTRY_BYTES);
	return failed;
}
