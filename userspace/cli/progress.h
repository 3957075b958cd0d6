/* SPDX-License-Identifier: MIT */
/*
 * A line on stderr that tells how far a long load is.
 */
#ifndef KMAP_CLI_PROGRESS_H
#define KMAP_CLI_PROGRESS_H

#include <stdbool.h>
#include <stdint.h>

struct progress {
	bool		shown;		/* to be shown at all */
	bool		drawn;		/* something stands on the line */
	bool		terminal;
	uint64_t	total;		/* bytes of the input, 0 if not known */
	uint64_t	begun;		/* milliseconds */
	uint64_t	drawn_at;
};

/*
 * Begin.  On a terminal a load that takes a second gets a line that is
 * redrawn; forced, there is a line at once and at the end, wherever stderr
 * goes.
 */
void progress_begin(struct progress *progress, bool quiet, bool forced,
		    uint64_t total);

/* The next phase begins: what follows has its own rate. */
void progress_phase(struct progress *progress);

/* So many records and bytes of input are done; what is being done in words. */
void progress_update(struct progress *progress, const char *doing,
		     uint64_t records, uint64_t bytes);

/* Leave the line clean for messages. */
void progress_end(struct progress *progress, const char *doing,
		  uint64_t records, uint64_t bytes);

#endif /* KMAP_CLI_PROGRESS_H */
