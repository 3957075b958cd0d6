/* SPDX-License-Identifier: GPL-2.0-only */
/* Why an operation has to start over. */
#ifndef SHMAP_NEEDS_H
#define SHMAP_NEEDS_H

/*
 * What an attempt at an operation can need, and what it returns then, instead of 0 or
 * a negative errno.  Nothing has changed, and nothing is locked any more.  Whoever made
 * the attempt gets what is needed and tries again: see answer() in key.c.
 */
enum shmap_needs {
	SHMAP_NEEDS_NOTHING,
	SHMAP_NEEDS_CREDIT,	/* units of the quota: more credits to take back */
	SHMAP_NEEDS_BLOCK,	/* a block of buckets */
	SHMAP_NEEDS_RECORD,	/* a record, to keep what a snapshot needs */
	SHMAP_NEEDS_COPY,	/* an entry as well, to change a copy of that */
	SHMAP_NEEDS_ENTRY,	/* an entry for a key that is absent */
	SHMAP_NEEDS_COMPARE,	/* a long value compared, in pieces */
	SHMAP_NEEDS_PIECES,	/* a long value copied, in pieces */
};

#endif /* SHMAP_NEEDS_H */
