/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Histories of operations on the map: the invocation and the answer of each, and
 * when they were.
 *
 * Times are tickets: numbers that all workers draw from one atomic counter,
 * before the call and after it.  An answer with a smaller ticket than another
 * operation's invocation came before it on every CPU; clocks that are read on
 * different CPUs do not guarantee that.
 */
#ifndef KMAP_HISTORY_H
#define KMAP_HISTORY_H

#include <stdbool.h>
#include <stdio.h>

#include <linux/kmap.h>

/* Lengths that no value has: for no value, and for a torn or another key's value. */
#define HISTORY_ABSENT	KMAP_ABSENT
#define HISTORY_TORN	0xfffffffeu

#define HISTORY_NUMBER	8u	/* length of a value that is a number */

/**
 * struct history_value - a value, as far as a history distinguishes values
 * @id: the number, of a number; the seed, of a value of at least 16 bytes; else 0
 * @len: length
 */
struct history_value {
	__u64 id;
	__u32 len;
};

/**
 * struct history_op - one operation on one key
 * @invoke: ticket of its invocation, larger than 0; records of one batch have
 *	the same
 * @answer: ticket of its answer, or 0 if there was no answer: it may have been
 *	carried out at any time since, or not at all, and the fields after @out_size
 *	are not known
 * @worker: number of the worker
 * @record: number of the record in its batch; they are carried out in order
 * @key: number of the key
 * @opcode: enum kmap_opcode
 * @flags: KMAP_CREATE and so on
 * @match: version to match
 * @delta: number to add
 * @stored: value to store
 * @out_size: size of the buffer for a value that is returned
 * @error: answer: 0 or a negative errno value
 * @version: answer: the version
 * @number: answer: the number
 * @found: answer: the value that was returned; the length alone if it was too
 *	long (EMSGSIZE)
 */
struct history_op {
	__u64 invoke;
	__u64 answer;
	__u16 worker;
	__u16 record;
	__u32 key;
	__u32 opcode;
	__u32 flags;
	__u64 match;
	__s64 delta;
	struct history_value stored;
	__u32 out_size;
	__s32 error;
	__u64 version;
	__s64 number;
	struct history_value found;
};

/**
 * struct history_state - the state of a key between two operations
 * @present: the key is present
 * @vague: its version is not known, only that it is at least @high, because no
 *	answer has returned it yet
 * @value: its value; zero when absent
 * @high: its version; when absent or vague, a lower bound of its next version
 */
struct history_state {
	bool present;
	bool vague;
	struct history_value value;
	__u64 high;
};

/**
 * struct history - the operations on one key
 * @op: in the order of their invocations; records of a batch in their own order
 * @ops: number of operations
 * @start: possible states of the key before
 * @starts: number of states; 0 stands for one, a key that was never present
 */
struct history {
	const struct history_op *op;
	unsigned int ops;
	const struct history_state *start;
	unsigned int starts;
};

/* Puts operations in the order that struct history asks for. */
void history_sort(struct history_op *op, unsigned int ops);

/* How many of a history overlap with another that is not of the same batch. */
unsigned int history_overlaps(const struct history_op *op, unsigned int ops);

#endif /* KMAP_HISTORY_H */
