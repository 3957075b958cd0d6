// SPDX-License-Identifier: MIT
/*
 * What a table gives back when most of its entries are removed: nine of ten at random, or
 * all but the first tenth.
 *
 * What is stored is counted as key, value and 24 bytes per entry.  A table may need a
 * while to give memory back, so the memory is looked at until it has not fallen for a
 * second.
 */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "bench.h"

#define ENTRY_BYTES	24
#define ONE_OF		10

/* Looks that find nothing given back until the memory counts as settled, and their gap. */
#define QUIET		10
#define GAP_US		100000

struct thin {
	const struct peer	*peer;
	void			*seat;
	uint64_t		entries;
	int64_t			before;		/* memory of this process, for some peers */
};

static int64_t memory_now(const struct thin *thin)
{
	return thin->peer->memory ? thin->peer->memory() : resident(0) - thin->before;
}

static int64_t settled(const struct thin *thin)
{
	int64_t least = memory_now(thin), now;
	unsigned int quiet = 0;

	while (quiet < QUIET) {
		usleep(GAP_US);
		now = memory_now(thin);
		quiet++;
		if (now < least) {
			least = now;
			quiet = 0;
		}
	}
	return least;
}

/* Does an entry stay?  At random, one of ten numbers of each ten does. */
static bool stays(uint64_t n, uint64_t entries, bool at_random)
{
	struct dice dice = { .state = n / ONE_OF };

	if (!at_random)
		return n < entries / ONE_OF;
	return dice_next(&dice) % ONE_OF == n % ONE_OF;
}

static int thin_out(const struct thin *thin, bool at_random)
{
	char key[KEY_SIZE];
	int ret = 0;

	for (uint64_t n = 0; !ret && n < thin->entries; n++) {
		if (stays(n, thin->entries, at_random))
			continue;
		key_write(key, n);
		ret = thin->peer->delete(thin->seat, key);
	}
	return ret;
}

static int run(struct thin *thin, bool at_random, FILE *data)
{
	uint64_t stored = thin->entries / ONE_OF * (KEY_SIZE + VALUE_SIZE + ENTRY_BYTES);
	int64_t full, left;
	int ret = fill(thin->peer, thin->seat, thin->entries);

	if (ret)
		return ret;
	full = memory_now(thin);
	ret = thin_out(thin, at_random);
	if (ret)
		return ret;
	left = settled(thin);
	printf("%-14s%-8s%10.1f%10.1f%10.1f%10.2f\n", thin->peer->name,
	       at_random ? "random" : "first", (double)full / 1048576,
	       (double)left / 1048576, (double)stored / 1048576,
	       (double)left / (double)stored);
	fflush(stdout);
	if (data)
		fprintf(data, "%s\tthin %s\t%" PRIu64 "\t%" PRId64 "\t%" PRId64
			"\t%" PRIu64 "\n", thin->peer->name,
			at_random ? "random" : "first", thin->entries, full, left,
			stored);
	return 0;
}

static int measure_one(const struct peer *peer, uint64_t entries, bool at_random,
		       FILE *data)
{
	struct thin thin = { .peer = peer, .entries = entries, .before = resident(0) };
	int ret = peer->open(entries);

	if (ret == -EOPNOTSUPP)
		return 0;
	if (ret)
		return ret;
	thin.seat = peer->join();
	ret = thin.seat ? run(&thin, at_random, data) : -ENOMEM;
	if (thin.seat)
		peer->leave(thin.seat);
	peer->close();
	return ret;
}

int measure_thin(const struct peer *const *peers, size_t count, uint64_t entries,
		 bool (*wanted)(const char *name), FILE *data)
{
	int failed = 0, ret;

	printf("%" PRIu64 " entries, of which a tenth stays; MiB\n", entries);
	printf("%-14s%-8s%10s%10s%10s%10s\n", "peer", "stay", "full", "left", "stored",
	       "ratio");
	for (size_t i = 0; i < count; i++) {
		if (!peers[i]->delete || !wanted(peers[i]->name))
			continue;
		for (int at_random = 1; at_random >= 0; at_random--) {
			ret = measure_one(peers[i], entries, at_random, data);
			if (ret)
				fprintf(stderr, "%s failed: %s\n", peers[i]->name,
					strerror(-ret));
			failed |= ret != 0;
		}
	}
	return failed;
}
