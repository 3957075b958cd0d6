// SPDX-License-Identifier: GPL-2.0
/*
 * The records of the ABI: their sizes, flags, reserved fields and layout.
 *
 * A call that is refused must leave its record, the buffer to which it points and
 * the map exactly as they were.  So each record is sent with its outputs poisoned,
 * and the map is read again afterwards.
 */
#include <errno.h>
#include <sys/ioctl.h>
#include <sys/mman.h>

#include "kselftest_harness.h"
#include "kmap_fixture.h"

/* The largest size that an ioctl can have; and the largest that a record can have. */
#define SIZE_MAX_IOC	((1 << _IOC_SIZEBITS) - 1)
#define RECORD_MAX	(SIZE_MAX_IOC / 8 * 8)
#define TEXT_LEN	64
#define POISON16	0xa5a5u
#define POISON32	0xa5a5a5a5u
#define POISON64	0xa5a5a5a5a5a5a5a5ull

/* @size: of the first published record; @whole: of the longest that is known */
struct command {
	const char *name;
	unsigned int nr;
	size_t size;
	size_t whole;
};

#define COMMAND(name, type) \
	{ #name, _IOC_NR(KMAP_IOC_##name), sizeof(struct type), sizeof(struct type) }
#define OPERATION(name) \
	{ #name, _IOC_NR(KMAP_IOC_##name), sizeof(struct kmap_op), \
	  sizeof(struct kmap_op_ext) }

static const struct command commands[] = {
	OPERATION(GET),
	OPERATION(SET),
	OPERATION(DELETE),
	OPERATION(ADD),
	COMMAND(BATCH, kmap_batch),
	COMMAND(KEYS, kmap_keys),
	COMMAND(CLEAR, kmap_clear),
	COMMAND(INFO, kmap_info),
};

union record {
	struct kmap_op op;
	struct kmap_op_ext ext;
	struct kmap_batch batch;
	struct kmap_keys keys;
	struct kmap_clear clear;
	struct kmap_info info;
	__u8 bytes[SIZE_MAX_IOC + 1];
};

/* Static, since a test runs in a process of its own. */
static union record record, copy;
static struct kmap_op batch_op;
static __u8 out[4096], value[TEXT_LEN];

static unsigned long command_cmd(const struct command *c, size_t size)
{
	return _IOC(_IOC_READ | _IOC_WRITE, KMAP_IOC_MAGIC, c->nr, size);
}

static void poison_outputs(struct kmap_op *op)
{
	if (op->opcode != KMAP_OP_ADD)
		op->number = (__s64)POISON64;
	op->version = POISON64;
	op->out_len = POISON32;
	op->out_flags = POISON16;
	op->error = (__s16)POISON16;
}

static void prepare_op(struct kmap_op *op, enum kmap_opcode opcode)
{
	switch (opcode) {
	case KMAP_OP_GET:
		kt_op_get(op, "text", 4, out, sizeof(out));
		break;
	case KMAP_OP_SET:
		kt_op_set(op, "text", 4, "other", 5, 0);
		break;
	case KMAP_OP_DELETE:
		kt_op_del(op, "text", 4, 0);
		break;
	case KMAP_OP_ADD:
		kt_op_add(op, "number", 6, 1, 0);
		break;
	}
	poison_outputs(op);
}

/* Prepares a record that succeeds, and changes the map if its operation can. */
static void prepare(const struct command *c)
{
	memset(&record, 0, sizeof(record));
	memset(out, KT_POISON, sizeof(out));
	switch (c->nr) {
	case _IOC_NR(KMAP_IOC_BATCH):
		prepare_op(&batch_op, KMAP_OP_DELETE);
		record.batch.ops = kt_ptr(&batch_op);
		record.batch.count = 1;
		record.batch.op_size = sizeof(batch_op);
		record.batch.done = POISON32;
		break;
	case _IOC_NR(KMAP_IOC_KEYS):
		record.keys.buf = kt_ptr(out);
		record.keys.size = sizeof(out);
		record.keys.used = POISON64;
		record.keys.count = POISON32;
		break;
	case _IOC_NR(KMAP_IOC_CLEAR):
		record.clear.removed = POISON64;
		break;
	case _IOC_NR(KMAP_IOC_INFO):
		memset(&record.info.abi, KT_POISON,
		       sizeof(record.info) - sizeof(record.info.flags));
		break;
	default:
		prepare_op(&record.op, c->nr);
	}
}

FIXTURE(abi) {
	int fd;
};

static void fill(struct __test_metadata *_metadata, int fd)
{
	ASSERT_EQ(0, kt_clear(fd, NULL));
	ASSERT_EQ(0, kt_set(fd, "text", 4, value, TEXT_LEN, 0, NULL));
	ASSERT_EQ(0, kt_add(fd, "number", 6, 41, 0, NULL, NULL));
	REMEMBER(fd);
}

FIXTURE_SETUP(abi)
{
	self->fd = open_empty(_metadata);
	if (self->fd < 0)
		return;
	kt_value_fill(value, TEXT_LEN, "text", 4, 1);
	fill(_metadata, self->fd);
}

FIXTURE_TEARDOWN(abi)
{
	close(self->fd);
}

static bool poisoned(const void *p, size_t len)
{
	const __u8 *byte = p;

	while (len && *byte == KT_POISON) {
		byte++;
		len--;
	}
	return !len;
}

/* Sends the record as it is: it fails with @ret and changes nothing. */
static void refused(struct __test_metadata *_metadata, int fd,
		    const struct command *c, size_t size, int ret,
		    const char *what)
{
	copy = record;
	EXPECT_EQ(-ret, kt_ioctl(fd, command_cmd(c, size), &record)) {
		TH_LOG("%s: %s (size %zu)", c->name, what, size);
	}
	EXPECT_EQ(0, memcmp(&copy, &record, sizeof(copy))) {
		TH_LOG("%s: %s: the record was changed", c->name, what);
	}
	EXPECT_TRUE(poisoned(out, sizeof(out))) {
		TH_LOG("%s: %s: the buffer was changed", c->name, what);
	}
	UNCHANGED(fd) {
		TH_LOG("%s: %s: the map was changed", c->name, what);
	}
}

static void accepted(struct __test_metadata *_metadata,
		     int fd, const struct command *c,
		     size_t size, const char *what)
{
	EXPECT_EQ(0, kt_ioctl(fd, command_cmd(c, size), &record)) {
		TH_LOG("%s: %s (size %zu)", c->name, what, size);
	}
}

TEST_F(abi, record_sizes)
{
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(commands); i++) {
		const struct command *c = &commands[i];
		size_t size;

		prepare(c);
		refused(_metadata, self->fd, c, 0, EINVAL, "empty record");
		refused(_metadata, self->fd, c, c->size - 1, EINVAL, "one short");
		refused(_metadata, self->fd, c, c->size - 8, EINVAL, "8 short");
		accepted(_metadata, self->fd, c, c->size, "exact size");
		fill(_metadata, self->fd);
		for (size = c->whole + 8; size <= c->whole + 24; size += 8) {
			prepare(c);
			record.bytes[size - 1] = 1;
			refused(_metadata, self->fd, c, size, E2BIG, "tail set");
			record.bytes[size - 1] = 0;
			record.bytes[size] = 1;
			accepted(_metadata, self->fd, c, size, "tail of zeros");
			EXPECT_EQ(0, record.bytes[size - 1]);
			EXPECT_EQ(1, record.bytes[size]);
			fill(_metadata, self->fd);
		}
	}
}

/* Sizes that are no multiple of 8 are refused, whatever is in the record. */
TEST_F(abi, sizes_within_a_field)
{
	unsigned int i;
	size_t size;

	for (i = 0; i < ARRAY_SIZE(commands); i++) {
		const struct command *c = &commands[i];

		for (size = c->size - 8; size <= c->whole + 24; size++) {
			if (size % 8 == 0)
				continue;
			prepare(c);
			refused(_metadata, self->fd, c, size, EINVAL, "zeros");
			record.bytes[size - 1] = 1;
			refused(_metadata, self->fd, c, size, EINVAL, "set");
		}
	}
}

/*
 * In sizes between the first published record and the longest known one, the fields
 * that are cut off count as zero, and no field may be set that the operation does
 * not take.
 */
TEST_F(abi, sizes_in_between)
{
	unsigned int i;
	size_t size;

	for (i = 0; i < ARRAY_SIZE(commands); i++) {
		const struct command *c = &commands[i];

		for (size = c->size + 8; size <= c->whole; size += 8) {
			prepare(c);
			record.bytes[size - 1] = 1;
			refused(_metadata, self->fd, c, size, EINVAL,
				"a field that is not taken");
			record.bytes[size - 1] = 0;
			accepted(_metadata, self->fd, c, size, "zeros");
			fill(_metadata, self->fd);
		}
	}
}

TEST_F(abi, longest_record)
{
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(commands); i++) {
		const struct command *c = &commands[i];

		prepare(c);
		record.bytes[RECORD_MAX - 1] = 1;
		refused(_metadata, self->fd, c, RECORD_MAX, E2BIG, "last byte set");
		record.bytes[RECORD_MAX - 1] = 0;
		refused(_metadata, self->fd, c, SIZE_MAX_IOC, EINVAL, "no record");
		accepted(_metadata, self->fd, c, RECORD_MAX, "longest record");
		fill(_metadata, self->fd);
	}
}

/* Does the operation take these flags, in this combination? */
static bool flags_known(enum kmap_opcode opcode, unsigned int flags)
{
	unsigned int conditions = flags & (KMAP_CREATE | KMAP_REPLACE |
					   KMAP_MATCH | KMAP_EQUAL);
	unsigned int known = 0;

	switch (opcode) {
	case KMAP_OP_GET:
		break;
	case KMAP_OP_SET:
		known = KMAP_CREATE | KMAP_REPLACE | KMAP_MATCH | KMAP_EQUAL |
			KMAP_RETURN | KMAP_NUMBER;
		break;
	case KMAP_OP_DELETE:
		known = KMAP_MATCH | KMAP_EQUAL | KMAP_RETURN;
		break;
	case KMAP_OP_ADD:
		known = KMAP_CREATE | KMAP_REPLACE;
		break;
	}
	return !(flags & ~known) && !(conditions & (conditions - 1));
}

static void with_flags(struct __test_metadata *_metadata,
		       int fd, const struct command *c,
		       unsigned int flags)
{
	char what[32];

	prepare(c);
	record.op.flags = flags;
	if (flags & KMAP_RETURN && c->nr != KMAP_OP_ADD) {
		record.op.out = kt_ptr(out);
		record.op.out_size = sizeof(out);
	}
	snprintf(what, sizeof(what), "flags %#x", flags);
	if (!flags_known(c->nr, flags)) {
		refused(_metadata, fd, c, c->size, EINVAL, what);
		return;
	}
	EXPECT_NE(-EINVAL, kt_ioctl(fd, command_cmd(c, c->size),
				    &record)) {
		TH_LOG("%s: %s refused", c->name, what);
	}
	fill(_metadata, fd);
}

TEST_F(abi, operation_flags)
{
	unsigned int i, flags, bit;

	for (i = 0; i < ARRAY_SIZE(commands); i++) {
		if (commands[i].size != sizeof(struct kmap_op))
			continue;
		for (flags = 0; flags < 64; flags++)
			with_flags(_metadata, self->fd, &commands[i], flags);
		for (bit = 6; bit < 32; bit++)
			with_flags(_metadata, self->fd, &commands[i], 1u << bit);
	}
}

TEST_F(abi, other_flags)
{
	static const struct {
		unsigned int command;
		size_t offset;
		unsigned int known;
	} flags[] = {
		{ 4, offsetof(struct kmap_batch, flags), 0 },
		{ 5, offsetof(struct kmap_keys, flags),
		  KMAP_KEYS_VALUES | KMAP_KEYS_ATOMIC },
		{ 6, offsetof(struct kmap_clear, flags), 0 },
		{ 7, offsetof(struct kmap_info, flags), 0 },
	};
	unsigned int i, bit;
	__u32 word;

	for (i = 0; i < ARRAY_SIZE(flags); i++) {
		const struct command *c = &commands[flags[i].command];

		for (bit = 0; bit < 32; bit++) {
			word = 1u << bit;
			if (word & flags[i].known)
				continue;
			prepare(c);
			memcpy(record.bytes + flags[i].offset, &word, 4);
			refused(_metadata, self->fd, c, c->size, EINVAL, "flag");
		}
	}
}

/* Fields that are reserved, or that the operation does not take. */
TEST_F(abi, fields_not_taken)
{
	static const struct {
		unsigned int command;
		size_t offset;
		size_t size;
	} fields[] = {
		{ 0, offsetof(struct kmap_op, value), 8 },
		{ 0, offsetof(struct kmap_op, value_len), 4 },
		{ 0, offsetof(struct kmap_op, ttl), 4 },
		{ 1, offsetof(struct kmap_op, out), 8 },
		{ 1, offsetof(struct kmap_op, out_size), 4 },
		{ 1, offsetof(struct kmap_op, ttl), 4 },
		{ 2, offsetof(struct kmap_op, value), 8 },
		{ 2, offsetof(struct kmap_op, value_len), 4 },
		{ 2, offsetof(struct kmap_op, out), 8 },
		{ 2, offsetof(struct kmap_op, out_size), 4 },
		{ 2, offsetof(struct kmap_op, ttl), 4 },
		{ 3, offsetof(struct kmap_op, value), 8 },
		{ 3, offsetof(struct kmap_op, value_len), 4 },
		{ 3, offsetof(struct kmap_op, out), 8 },
		{ 3, offsetof(struct kmap_op, out_size), 4 },
		{ 3, offsetof(struct kmap_op, ttl), 4 },
		{ 5, offsetof(struct kmap_keys, reserved), 4 },
		{ 5, offsetof(struct kmap_keys, reserved2), 4 },
		{ 6, offsetof(struct kmap_clear, reserved), 4 },
	};
	unsigned int i, byte;
	char what[32];

	for (i = 0; i < ARRAY_SIZE(fields); i++) {
		const struct command *c = &commands[fields[i].command];

		for (byte = 0; byte < fields[i].size; byte++) {
			prepare(c);
			record.bytes[fields[i].offset + byte] = 1;
			snprintf(what, sizeof(what), "byte %zu set",
				 fields[i].offset + byte);
			refused(_metadata, self->fd, c, c->size, EINVAL, what);
		}
	}
}

TEST_F(abi, opcode_of_ioctl)
{
	static const __u32 opcodes[] = {
		1, 2, 3, 4, 5, 6, 7, 8, 0x80000000, 0x101, 0xffffffff
	};
	unsigned int i, j;

	for (i = 0; i < ARRAY_SIZE(commands); i++) {
		const struct command *c = &commands[i];

		if (c->size != sizeof(struct kmap_op))
			continue;
		for (j = 0; j < ARRAY_SIZE(opcodes); j++) {
			if (opcodes[j] == c->nr)
				continue;
			prepare(c);
			record.op.opcode = opcodes[j];
			refused(_metadata, self->fd, c, c->size, EINVAL, "opcode");
		}
		prepare(c);
		record.op.opcode = 0;
		accepted(_metadata, self->fd, c, c->size, "opcode 0");
		fill(_metadata, self->fd);
	}
}

TEST_F(abi, key_and_value_lengths)
{
	struct kmap_info info;
	unsigned int i;

	ASSERT_EQ(0, kt_info(self->fd, &info));
	ASSERT_LE(info.max_key, KMAP_KEY_MAX);
	ASSERT_LE(info.max_value, KMAP_VALUE_MAX);
	for (i = 0; i < ARRAY_SIZE(commands); i++) {
		const struct command *c = &commands[i];

		if (c->size != sizeof(struct kmap_op))
			continue;
		prepare(c);
		record.op.key_len = 0;
		refused(_metadata, self->fd, c, c->size, EINVAL, "empty key");
		record.op.key_len = info.max_key + 1;
		refused(_metadata, self->fd, c, c->size, ENAMETOOLONG, "key");
		record.op.key_len = 0xffffffff;
		refused(_metadata, self->fd, c, c->size, ENAMETOOLONG, "key");
	}
	prepare(&commands[1]);
	record.op.value_len = info.max_value + 1;
	refused(_metadata, self->fd, &commands[1], sizeof(record.op), EFBIG, "value");
	record.op.value_len = 0xffffffff;
	refused(_metadata, self->fd, &commands[1], sizeof(record.op), EFBIG, "value");
}

TEST_F(abi, unknown_ioctls)
{
	struct command c = { .name = "unknown", .size = sizeof(struct kmap_op) };

	for (c.nr = 0; c.nr < 256; c.nr++) {
		if (c.nr >= 1 && c.nr <= 8)
			continue;
		prepare(&commands[2]);
		refused(_metadata, self->fd, &c, c.size, ENOTTY, "number");
	}
	for (c.nr = 1; c.nr <= 8; c.nr++) {
		prepare(&commands[2]);
		EXPECT_EQ(-ENOTTY, kt_ioctl(self->fd,
					    _IOC(_IOC_READ | _IOC_WRITE, 'k',
						 c.nr, c.size), &record));
		UNCHANGED(self->fd);
	}
}

/* Without an mmap there is no window, and never a writable one. */
TEST_F(abi, no_writable_mapping)
{
	struct kmap_info info;
	void *p;

	ASSERT_EQ(0, kt_info(self->fd, &info));
	p = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED, self->fd, 0);
	EXPECT_TRUE(p == MAP_FAILED);
	if (!info.window) {
		p = mmap(NULL, 4096, PROT_READ, MAP_SHARED, self->fd, 0);
		EXPECT_TRUE(p == MAP_FAILED);
	}
}

TEST_HARNESS_MAIN
