/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The client that hammer_kill kills, and what it says of itself in shared
 * memory: of each thing it changes, which operation it has begun and which one
 * it has done.
 */
#ifndef KMAP_HAMMER_CLIENT_H
#define KMAP_HAMMER_CLIENT_H

#include "hammer.h"

#define CLIENT_KEYS	8	/* scripted keys of a thread */
#define CLIENT_NICE	10	/* so much less of a CPU than who kills it */

/* Operations begun and done, by the one thread that owns this. */
struct progress {
	_Atomic __u64 begun;
	_Atomic __u64 done;
};

/**
 * struct owner - what a thread says of itself
 * @key: its scripted keys
 * @batch: how many keys from the first on it changes in a batch, 0 outside one
 * @counter: additions of one to its own counter
 * @sum: additions of one to the common counter
 * @update: versioned updates of the common value
 */
struct owner {
	struct progress key[CLIENT_KEYS];
	_Atomic unsigned int batch;
	struct progress counter;
	struct progress sum;
	struct progress update;
};

/* The number of a scripted key, for its name and its script. */
static inline unsigned int client_key(unsigned int worker, unsigned int key)
{
	return worker * CLIENT_KEYS + key;
}

/*
 * One thread of a client: does operations of all kinds until it is stopped or
 * killed.  The run's shared memory is an array of struct owner, one for each
 * worker.
 */
bool client_work(struct hammer_worker *w);

#endif /* KMAP_HAMMER_CLIENT_H */
