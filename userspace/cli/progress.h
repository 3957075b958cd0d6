/* SPDX-License-Identifier: MIT */
/*
 * A line on stderr with the progress of a long load.
 */
#ifndef KMAP_CLI_PROGRESS_H
#define KMAP_CLI_PROGRESS_H

#include <stdbool.h>
#include <stdint.h>

struct progress {
	bool		shown;		/* to be shown at all */
	bool		drawn;		/* a line was drawn, and has not ended */
	bool		terminal;
	uint64_t	total;		/* bytes of the input, 0 if not known */
	uint64_t	begun;		/* milliseconds */
	uint64_t	drawn_at;
};

/*
 * Begin.  On a terminal, a load that takes longer than a second gets a line that
 * is redrawn.  If forced, the progress is shown from the first update on, even if
 * stderr is not a terminal.
 */
void progress_begin(struct progress *progress, bool quiet, bool forced,
		    uint64_t total);

/* Begin a phase: it has a rate of its own. */
void progress_phase(struct progress *progress);

/* This many records and bytes of input are done; doing names the phase. */
void progress_update(struct progress *progress, const char *doing,
		     uint64_t records, uint64_t bytes);

/* Draw the line a last time and end it, so that messages get lines of their own. */
void progress_end(struct progress *progress, const char *doing,
		  uint64_t records, uint64_t bytes);

#endif /* KMAP_CLI_PROGRESS_H */
