// SPDX-License-Identifier: GPL-2.0
/*
 * A full map: what each operation does there with each of its flags, on a key
 * that is present and on one that is absent, in a single call and in a batch.  An
 * operation that is refused changes nothing, and after a delete a key can be stored.
 */
#include <errno.h>

#include "kselftest_harness.h"
#include "kmap_fixture.h"

#define ENTRIES		50
#define BYTES		65536
#define TEXT_LEN	100
#define OUT_SIZE	4096

enum which { PRESENT, ABSENT };
enum match { NO, RIGHT, WRONG };

/**
 * struct line - an operation, and its results
 * @opcode: the operation; ADD on a number, the others on a text
 * @flags: its flags; KMAP_MATCH is added where @match says so
 * @which: the key
 * @match: which version to match
 * @len: length of the value for SET
 * @out_size: size of the buffer for a value that is returned
 * @entries: result when max_entries is reached
 * @bytes: result when max_bytes is reached
 */
static const struct line {
	enum kmap_opcode opcode;
	__u32 flags;
	enum which which;
	enum match match;
	size_t len;
	size_t out_size;
	int entries;
	int bytes;
} lines[] = {
	{ KMAP_OP_GET, 0, PRESENT, NO, 0, OUT_SIZE, 0, 0 },
	{ KMAP_OP_GET, 0, PRESENT, NO, 0, 1, -EMSGSIZE, -EMSGSIZE },
	{ KMAP_OP_GET, 0, ABSENT, NO, 0, OUT_SIZE, -ENOENT, -ENOENT },

	{ KMAP_OP_SET, 0, PRESENT, NO, TEXT_LEN, 0, 0, 0 },
	{ KMAP_OP_SET, 0, PRESENT, NO, 1, 0, 0, 0 },
	{ KMAP_OP_SET, 0, PRESENT, NO, 3000, 0, 0, -ENOSPC },
	{ KMAP_OP_SET, 0, ABSENT, NO, 0, 0, -ENOSPC, -ENOSPC },
	{ KMAP_OP_SET, 0, ABSENT, NO, 3000, 0, -ENOSPC, -ENOSPC },
	{ KMAP_OP_SET, KMAP_RETURN, PRESENT, NO, 9, OUT_SIZE, 0, 0 },
	{ KMAP_OP_SET, KMAP_RETURN, PRESENT, NO, 9, 1, -EMSGSIZE, -EMSGSIZE },
	{ KMAP_OP_SET, KMAP_RETURN, PRESENT, NO, 3000, OUT_SIZE, 0, -ENOSPC },
	{ KMAP_OP_SET, KMAP_RETURN, ABSENT, NO, 0, OUT_SIZE, -ENOSPC,
	  -ENOSPC },
	{ KMAP_OP_SET, KMAP_CREATE, PRESENT, NO, 9, 0, -EEXIST, -EEXIST },
	{ KMAP_OP_SET, KMAP_CREATE, PRESENT, NO, 3000, 0, -EEXIST, -EEXIST },
	{ KMAP_OP_SET, KMAP_CREATE, ABSENT, NO, 0, 0, -ENOSPC, -ENOSPC },
	{ KMAP_OP_SET, KMAP_CREATE | KMAP_RETURN, PRESENT, NO, 9, OUT_SIZE,
	  -EEXIST, -EEXIST },
	{ KMAP_OP_SET, KMAP_CREATE | KMAP_RETURN, ABSENT, NO, 9, OUT_SIZE,
	  -ENOSPC, -ENOSPC },
	{ KMAP_OP_SET, KMAP_REPLACE, PRESENT, NO, TEXT_LEN, 0, 0, 0 },
	{ KMAP_OP_SET, KMAP_REPLACE, PRESENT, NO, 3000, 0, 0, -ENOSPC },
	{ KMAP_OP_SET, KMAP_REPLACE, ABSENT, NO, 9, 0, -ENOENT, -ENOENT },
	{ KMAP_OP_SET, KMAP_REPLACE | KMAP_RETURN, PRESENT, NO, 9, OUT_SIZE,
	  0, 0 },
	{ KMAP_OP_SET, 0, PRESENT, RIGHT, TEXT_LEN, 0, 0, 0 },
	{ KMAP_OP_SET, 0, PRESENT, RIGHT, 3000, 0, 0, -ENOSPC },
	{ KMAP_OP_SET, 0, PRESENT, WRONG, TEXT_LEN, 0, -ESTALE, -ESTALE },
	{ KMAP_OP_SET, 0, PRESENT, WRONG, 3000, 0, -ESTALE, -ESTALE },
	{ KMAP_OP_SET, 0, ABSENT, RIGHT, 9, 0, -ENOENT, -ENOENT },
	{ KMAP_OP_SET, KMAP_RETURN, PRESENT, RIGHT, 9, OUT_SIZE, 0, 0 },
	{ KMAP_OP_SET, KMAP_RETURN, PRESENT, WRONG, 9, OUT_SIZE, -ESTALE,
	  -ESTALE },

	{ KMAP_OP_ADD, 0, PRESENT, NO, 0, 0, 0, 0 },
	{ KMAP_OP_ADD, 0, ABSENT, NO, 0, 0, -ENOSPC, -ENOSPC },
	{ KMAP_OP_ADD, KMAP_CREATE, PRESENT, NO, 0, 0, -EEXIST, -EEXIST },
	{ KMAP_OP_ADD, KMAP_CREATE, ABSENT, NO, 0, 0, -ENOSPC, -ENOSPC },
	{ KMAP_OP_ADD, KMAP_REPLACE, PRESENT, NO, 0, 0, 0, 0 },
	{ KMAP_OP_ADD, KMAP_REPLACE, ABSENT, NO, 0, 0, -ENOENT, -ENOENT },

	{ KMAP_OP_DELETE, 0, PRESENT, NO, 0, 0, 0, 0 },
	{ KMAP_OP_DELETE, 0, ABSENT, NO, 0, 0, -ENOENT, -ENOENT },
	{ KMAP_OP_DELETE, KMAP_RETURN, PRESENT, NO, 0, OUT_SIZE, 0, 0 },
	{ KMAP_OP_DELETE, KMAP_RETURN, PRESENT, NO, 0, 1, -EMSGSIZE,
	  -EMSGSIZE },
	{ KMAP_OP_DELETE, KMAP_RETURN, ABSENT, NO, 0, OUT_SIZE, -ENOENT,
	  -ENOENT },
	{ KMAP_OP_DELETE, 0, PRESENT, RIGHT, 0, 0, 0, 0 },
	{ KMAP_OP_DELETE, 0, PRESENT, WRONG, 0, 0, -ESTALE, -ESTALE },
	{ KMAP_OP_DELETE, 0, ABSENT, RIGHT, 0, 0, -ENOENT, -ENOENT },
};

static const unsigned long commands[] = {
	[KMAP_OP_GET]		= KMAP_IOC_GET,
	[KMAP_OP_SET]		= KMAP_IOC_SET,
	[KMAP_OP_DELETE]	= KMAP_IOC_DELETE,
	[KMAP_OP_ADD]		= KMAP_IOC_ADD,
};

static __u8 text[OUT_SIZE], out[OUT_SIZE];

static const char *key_of(const struct line *line)
{
	if (line->which == ABSENT)
		return "absent";
	return line->opcode == KMAP_OP_ADD ? "number" : "textkey";
}

/* Stores the two keys, and others until nothing fits any more. */
static void fill_up(struct __test_metadata *_metadata, int fd)
{
	static const size_t lens[] = { 1000, 100, 8, 0 };
	__s64 number = 5;
	unsigned int i;
	__u64 id = 0;
	int ret;

	ASSERT_EQ(0, kt_clear(fd, NULL));
	ASSERT_EQ(0, kt_set(fd, "number", 6, &number, 8, KMAP_NUMBER, NULL));
	ASSERT_EQ(0, kt_set(fd, "textkey", 7, text, TEXT_LEN, 0, NULL));
	for (i = 0; i < ARRAY_SIZE(lens); i++) {
		do {
			id++;
			ret = kt_set(fd, &id, 8, text, lens[i], 0, NULL);
		} while (!ret);
		ASSERT_EQ(-ENOSPC, ret);
	}
}

static void make_op(struct __test_metadata *_metadata, int fd,
		    const struct line *line, struct kmap_op *op)
{
	const char *key = key_of(line);
	__u64 version = 1;

	if (line->which == PRESENT)
		ASSERT_EQ(-EMSGSIZE, kt_get(fd, key, strlen(key), NULL, 0,
					    NULL, &version));
	memset(op, 0, sizeof(*op));
	op->opcode = line->opcode;
	op->flags = line->flags;
	op->key = kt_ptr(key);
	op->key_len = strlen(key);
	if (line->opcode == KMAP_OP_SET) {
		op->value = kt_ptr(text);
		op->value_len = line->len;
	}
	if (line->out_size) {
		op->out = kt_ptr(out);
		op->out_size = line->out_size;
	}
	if (line->opcode == KMAP_OP_ADD)
		op->number = 1;
	if (line->match != NO) {
		op->flags |= KMAP_MATCH;
		op->version = line->match == RIGHT ? version : version + 1;
	}
}

static void play(struct __test_metadata *_metadata, int fd,
		 const struct line *line, int want, bool batched)
{
	struct kmap_op op;
	__u32 done;
	int ret;

	make_op(_metadata, fd, line, &op);
	REMEMBER(fd);
	if (batched) {
		ASSERT_EQ(0, kt_batch(fd, &op, 1, &done));
		EXPECT_EQ(1, done);
		ret = op.error;
	} else {
		ret = kt_ioctl(fd, commands[line->opcode], &op);
	}
	EXPECT_EQ(want, ret) {
		TH_LOG("line %td, opcode %u, flags %#x, key %s", line - lines,
		       line->opcode, op.flags, key_of(line));
	}
	if (ret) {
		UNCHANGED(fd) {
			TH_LOG("line %td: the map was changed", line - lines);
		}
		return;
	}
	if (line->opcode != KMAP_OP_GET)
		EXPECT_FALSE(kt_snapshot_same(fd, remembered()));
	/* After a delete, one entry of that size fits, and no other. */
	if (line->opcode == KMAP_OP_DELETE) {
		EXPECT_EQ(0, kt_set(fd, "another", 7, text, TEXT_LEN, 0,
				    NULL));
		EXPECT_EQ(-ENOSPC, kt_set(fd, "one more", 8, NULL, 0, 0,
					  NULL));
	}
	fill_up(_metadata, fd);
}

static void play_all(struct __test_metadata *_metadata, int fd, bool by_bytes)
{
	unsigned int i;

	fill_up(_metadata, fd);
	for (i = 0; i < 2 * ARRAY_SIZE(lines); i++) {
		const struct line *line = &lines[i / 2];

		play(_metadata, fd, line,
		     by_bytes ? line->bytes : line->entries, i % 2);
	}
}

/* Operations on the whole map work as usual. */
static void whole_map(struct __test_metadata *_metadata, int fd)
{
	struct kt_snapshot snapshot;
	struct kmap_info info;
	__u64 removed;

	ASSERT_EQ(0, kt_info(fd, &info));
	EXPECT_LE(info.entries, info.max_entries);
	EXPECT_LE(info.bytes, info.max_bytes);
	EXPECT_EQ(info.entries, kt_walk_count(fd));
	ASSERT_EQ(0, kt_snapshot_take(fd, &snapshot));
	EXPECT_EQ(info.entries, snapshot.count);
	kt_snapshot_drop(&snapshot);
	EXPECT_EQ(0, kt_clear(fd, &removed));
	EXPECT_EQ(info.entries, removed);
	EXPECT_EQ(0, kt_entries(fd));
	EXPECT_EQ(0, kt_fill(fd, 0, ENTRIES, 16, 100, NULL));
	EXPECT_EQ(0, kt_verify(fd, 0, ENTRIES, 16, 100, NULL));
}

TEST_F_TIMEOUT(map, entries, KT_LONG)
{
	RELOAD("max_entries=%d", ENTRIES);
	play_all(_metadata, self->fd, false);
	EXPECT_EQ(ENTRIES, kt_entries(self->fd));
	whole_map(_metadata, self->fd);
}

TEST_F_TIMEOUT(map, bytes, KT_LONG)
{
	RELOAD("max_bytes=%d max_entries=100000", BYTES);
	play_all(_metadata, self->fd, true);
	whole_map(_metadata, self->fd);
}

TEST_HARNESS_MAIN
