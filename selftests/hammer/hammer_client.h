/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The client that hammer_kill kills, and what it records in shared memory: for
 * everything that it changes, the last operation begun and the last one done.
 */
#ifndef KMAP_HAMMER_CLIENT_H
#define KMAP_HAMMER_CLIENT_H

#include "hammer.h"

#define CLIENT_KEYS	8	/* scripted keys of a thread */
#define CLIENT_NICE	10	/* lower priority than the verifier's */

/* Numbers of the last operations begun and done, written by the owning thread. */
struct progress {
	_Atomic __u64 begun;
	_Atomic __u64 done;
};

/**
 * struct owner - what a thread records
 * @key: its scripted keys
 * @batch: number of keys, from the first on, that a batch is changing; else 0
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
 * One thread of a client: carries out operations of all kinds until it is stopped
 * or killed.  The run's shared memory is an array of struct owner, one per worker.
 */
bool client_work(struct hammer_worker *w);

#endif /* KMAP_HAMMER_CLIENT_H */
