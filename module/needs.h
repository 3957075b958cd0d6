/* SPDX-License-Identifier: GPL-2.0-only */
/* Why an operation has to start over. */
#ifndef SHMAP_NEEDS_H
#define SHMAP_NEEDS_H

/*
 * An attempt at an operation returns one of these, instead of 0 or a negative errno,
 * when it needs something that cannot be had under the lock.  It has changed nothing,
 * and the shard is unlocked again.  The caller gets what is needed and makes another
 * attempt: see answer() in key.c.
 */
enum shmap_needs {
	SHMAP_NEEDS_NOTHING,
	SHMAP_NEEDS_CREDIT,	/* units of the quota: more credits must be taken back */
	SHMAP_NEEDS_BLOCK,	/* a block of buckets */
	SHMAP_NEEDS_RECORD,	/* a record, to keep an entry that a snapshot needs */
	SHMAP_NEEDS_COPY,	/* such a record, and an entry for a changed copy */
	SHMAP_NEEDS_ENTRY,	/* an entry for a key that is absent */
	SHMAP_NEEDS_COMPARE,	/* a long value to be compared in pieces */
	SHMAP_NEEDS_PIECES,	/* a long value to be copied in pieces */
};

#endif /* SHMAP_NEEDS_H */
