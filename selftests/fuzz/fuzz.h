/* SPDX-License-Identifier: GPL-2.0 */
/*
 * A fuzzer of the ioctls of kmap that knows the ABI.
 *
 * A few bytes, the genes (struct fuzz_call), describe a call completely:
 * fuzz_draw() draws them, fuzz_build() turns them into a record with all that it
 * points to, and fuzz_judge() decides whether the result is allowed.  Gene 0 is the
 * ordinary choice everywhere.  Where the kernel tells which parts of the module a
 * call went through (KCOV), calls that reach something new are kept and changed a
 * little (fuzz_cover.c).
 *
 * All that the kernel may write to is in an arena, of which there is a copy, so
 * that a byte written to the wrong place is found.  The memory that a second thread
 * unmaps, protects and rewrites meanwhile is elsewhere (fuzz_race.c).
 */
#ifndef KMAP_FUZZ_H
#define KMAP_FUZZ_H

#include "hammer.h"

/* The map that is fuzzed; small, so that every limit is near. */
#define FUZZ_MAX_KEY		600u
#define FUZZ_MAX_VALUE		20000u
#define FUZZ_MAX_ENTRIES	240u
#define FUZZ_MAX_BYTES		400000u

/* Parts of the arena; the record is first, and zeros follow it. */
#define FUZZ_RECORD		0u
#define FUZZ_KEYS		20480u
#define FUZZ_VALUE		24576u
#define FUZZ_OUT		49152u
#define FUZZ_ARRAY		73728u
#define FUZZ_WALK		90112u
#define FUZZ_ARENA		131072u

#define FUZZ_RACY		32768u	/* bytes that a second thread changes */
#define FUZZ_KEY_COUNT		256u	/* keys that calls use on purpose */
#define FUZZ_BATCH		16u	/* records of most batches, at most */
#define FUZZ_LOOK_EVERY		64u	/* calls after which the arena is checked */
#define FUZZ_SINGLES		240u	/* of 256 calls are on one key */

enum fuzz_gene {
	GENE_NR, GENE_COMMAND, GENE_SIZE, GENE_FD, GENE_PLACE,
	GENE_OPCODE, GENE_FLAGS, GENE_KEY, GENE_KEY_AT, GENE_KEY_LEN,
	GENE_VALUE_AT, GENE_VALUE_LEN, GENE_OUT_AT, GENE_OUT_SIZE, GENE_TTL,
	GENE_VERSION, GENE_NUMBER, GENE_JUNK, GENE_COUNT, GENE_OP_SIZE,
	GENE_BUF_AT, GENE_BUF_SIZE, GENE_CURSOR, GENE_RESERVED,
	FUZZ_GENES
};

/**
 * struct fuzz_call - the description of a call
 * @gene: each one is a choice
 * @seed: seed of everything else that is random, and of the records of a batch
 */
struct fuzz_call {
	__u8 gene[FUZZ_GENES];
	__u64 seed;
};

/* Bytes from @at on that the call may write, if its result allows that. */
struct fuzz_range {
	__u32 at;
	__u32 len;
};

/**
 * struct fuzz_shot - a call that is ready to be made
 * @call: its description
 * @fd: file
 * @cmd: command
 * @record: pointer that ioctl(2) gets
 * @nr: which ioctl the command's number means, or 0
 * @must: the only possible result, or 1 when it is not known beforehand
 * @wild: all of the arena may be written
 * @op: record in the arena, to be checked after the call, or NULL
 * @batch: the same for a batch
 * @keys: the same for a walk
 * @key: number of the key, for its version
 * @range: ranges that may be written
 * @ranges: number of these
 */
struct fuzz_shot {
	const struct fuzz_call *call;
	int fd;
	unsigned int cmd;
	void *record;
	unsigned int nr;
	int must;
	bool wild;
	const struct kmap_op *op;
	const struct kmap_batch *batch;
	const struct kmap_keys *keys;
	unsigned int key;
	struct fuzz_range range[2 * FUZZ_BATCH + 4];
	unsigned int ranges;
};

#define FUZZ_CORPUS	1024u
#define FUZZ_PLACES	65536u

/**
 * struct fuzz - what all processes share
 * @quota: calls that each of them makes
 * @may_clear: CLEAR may succeed
 * @calls: number of calls so far
 * @errors: how often each errno value was returned
 * @traced: processes that see coverage
 * @corpus: calls that reached something new
 * @kept: how many such calls there were
 * @place: places of the module that were reached, a hash table
 * @places: number of these
 */
struct fuzz {
	__u64 quota;
	bool may_clear;
	atomic_ulong calls;
	atomic_ulong errors[4096];
	atomic_uint traced;
	struct fuzz_call corpus[FUZZ_CORPUS];
	atomic_uint kept;
	__u64 place[FUZZ_PLACES];
	atomic_uint places;
};

/**
 * struct fuzz_client - one process
 * @w: its thread that makes the calls
 * @fuzz: what all share
 * @arena: memory that the kernel may write to; a hole follows it
 * @copy: what the arena should contain
 * @racy: memory that the other thread changes
 * @readonly: a read-only page
 * @locked: a page without permissions
 * @hole: an address where nothing is mapped
 * @window: the first page of the window, or NULL
 * @rw: the device, opened for reading and writing
 * @rd: opened for reading
 * @wr: opened for writing
 * @path: opened with O_PATH
 * @other: file of another kind
 * @changing: descriptor that the other thread closes and opens
 * @version: the last version seen of each key
 * @trace: what KCOV writes, or NULL
 * @over: the other thread must end
 */
struct fuzz_client {
	struct hammer_worker *w;
	struct fuzz *fuzz;
	__u8 *arena;
	__u8 *copy;
	__u8 *racy;
	__u8 *readonly;
	__u8 *locked;
	__u8 *hole;
	__u8 *window;
	int rw;
	int rd;
	int wr;
	int path;
	int other;
	int changing;
	__u64 version[FUZZ_KEY_COUNT];
	__u64 *trace;
	atomic_bool over;
};

/* fuzz_draw.c: descriptions of calls */
void fuzz_draw(struct fuzz_client *c, struct fuzz_call *call);
bool fuzz_fail(struct fuzz_client *c, const struct fuzz_shot *shot, int ret,
	       const char *why);
void fuzz_tell(const struct fuzz_call *calls, const int *results,
	       unsigned int count);

/*
 * fuzz_choose.c: what genes stand for.  An address is one for @len bytes; @normal,
 * an offset in the arena, is the ordinary choice.
 */
__u64 fuzz_place(struct fuzz_client *c, __u8 gene, __u64 random,
		 unsigned int normal, __u64 len);
bool fuzz_overlaps(__u8 gene, __u64 len);
__u32 fuzz_value_len(__u8 gene, __u64 random);
__u32 fuzz_out_size(__u8 gene, __u64 random);
__u32 fuzz_key_len(__u8 gene, unsigned int key);
__u32 fuzz_op_flags(__u8 gene);

/*
 * fuzz_build.c: from a description to a call.  A region has a page without
 * permissions on either side, so that no other memory of ours is next to it.
 */
void *fuzz_region(size_t size, int prot);
bool fuzz_arena_new(struct fuzz_client *c);
void fuzz_arena_fill(struct fuzz_client *c);
void fuzz_build(struct fuzz_client *c, const struct fuzz_call *call,
		struct fuzz_shot *shot);

/*
 * fuzz_judge.c: which results are allowed.  fuzz_judge() must be called after each
 * call, fuzz_intact() now and then.
 */
bool fuzz_judge(struct fuzz_client *c, const struct fuzz_shot *shot, int ret);
bool fuzz_intact(struct fuzz_client *c);

/* fuzz_cover.c: coverage */
void fuzz_cover_open(struct fuzz_client *c);
void fuzz_cover_begin(struct fuzz_client *c);
void fuzz_cover_end(struct fuzz_client *c, const struct fuzz_call *call);

/* fuzz_race.c: the other thread; @arg is the client */
bool fuzz_race_new(struct fuzz_client *c);
void *fuzz_race(void *arg);

#endif /* KMAP_FUZZ_H */
