// SPDX-License-Identifier: MIT
/*
 * The progress of a long load, see progress.h.
 */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "progress.h"

/* Milliseconds until the first drawing, and between two. */
#define FIRST_AFTER	1000
#define DRAW_EVERY	200

static uint64_t now(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (uint64_t)ts.tv_sec * 1000 + (uint64_t)ts.tv_nsec / 1000000;
}

static void draw(struct progress *progress, const char *doing,
		 uint64_t records, uint64_t bytes, uint64_t at)
{
	uint64_t took = at - progress->begun;

	if (progress->terminal)
		fputs("\r\033[K", stderr);
	fprintf(stderr, "%s: %" PRIu64 " records, %" PRIu64 " MB", doing,
		records, bytes / 1000000);
	if (progress->total)
		fprintf(stderr, " of %" PRIu64 " MB, %" PRIu64 " %%",
			progress->total / 1000000,
			bytes * 100 / progress->total);
	if (took)
		fprintf(stderr, ", %" PRIu64 " per second",
			records * 1000 / took);
	if (!progress->terminal)
		fputc('\n', stderr);
	fflush(stderr);
	progress->drawn = true;
	progress->drawn_at = at;
}

void progress_begin(struct progress *progress, bool quiet, bool forced,
		    uint64_t total)
{
	memset(progress, 0, sizeof(*progress));
	progress->terminal = isatty(STDERR_FILENO);
	progress->shown = forced || (progress->terminal && !quiet);
	progress->total = total;
	progress->begun = now();
	progress->drawn_at = progress->begun;
	/* The first drawing is due at once, or after FIRST_AFTER. */
	progress->drawn_at += forced ? -(uint64_t)DRAW_EVERY :
				       FIRST_AFTER - DRAW_EVERY;
}

void progress_phase(struct progress *progress)
{
	progress->begun = now();
}

void progress_update(struct progress *progress, const char *doing,
		     uint64_t records, uint64_t bytes)
{
	uint64_t at;

	if (!progress->shown)
		return;
	at = now();
	if (at >= progress->drawn_at + DRAW_EVERY)
		draw(progress, doing, records, bytes, at);
}

void progress_end(struct progress *progress, const char *doing,
		  uint64_t records, uint64_t bytes)
{
	if (!progress->drawn)
		return;
	draw(progress, doing, records, bytes, now());
	if (progress->terminal)
		fputc('\n', stderr);
	progress->drawn = false;
}
