// SPDX-License-Identifier: GPL-2.0
/*
 * Pointers that cannot be read or written, at every place where the ABI takes
 * one: the record, the key, the value, the buffer, the array of a batch.
 *
 * Each gives EFAULT and changes nothing, even where only the end of the memory is
 * missing, and even where the input can be read but the output cannot be written.
 */
#include <errno.h>
#include <sys/mman.h>

#include "kselftest_harness.h"
#include "kmap_fixture.h"

#define TEXT_LEN	64

/**
 * struct pages - memory next to memory that cannot be touched
 * @open: a page to read and write, just before @hole
 * @hole: a page where nothing is mapped
 * @locked: a page that is mapped but has no permissions
 * @readonly: a read-only page
 * @size: size of a page
 */
struct pages {
	__u8 *open;
	__u8 *hole;
	__u8 *locked;
	__u8 *readonly;
	size_t size;
};

FIXTURE(pointers) {
	int fd;
	struct pages pages;
	__u8 text[TEXT_LEN];
};

static __u8 *new_page(size_t pages, int prot)
{
	void *p = mmap(NULL, pages * getpagesize(), prot,
		       MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	return p == MAP_FAILED ? NULL : p;
}

FIXTURE_SETUP(pointers)
{
	struct pages *pages = &self->pages;

	self->fd = open_empty(_metadata);
	if (self->fd < 0)
		return;
	kt_value_fill(self->text, TEXT_LEN, "text", 4, 1);
	ASSERT_EQ(0, kt_set(self->fd, "text", 4, self->text, TEXT_LEN, 0,
			    NULL));
	ASSERT_EQ(0, kt_add(self->fd, "number", 6, 41, 0, NULL, NULL));
	REMEMBER(self->fd);
	pages->size = getpagesize();
	pages->open = new_page(2, PROT_READ | PROT_WRITE);
	ASSERT_TRUE(pages->open);
	pages->hole = pages->open + pages->size;
	ASSERT_EQ(0, munmap(pages->hole, pages->size));
	pages->locked = new_page(1, PROT_NONE);
	ASSERT_TRUE(pages->locked);
	pages->readonly = new_page(1, PROT_READ | PROT_WRITE);
	ASSERT_TRUE(pages->readonly);
}

FIXTURE_TEARDOWN(pointers)
{
	close(self->fd);
}

struct bad {
	const char *name;
	__u64 address;
};

#define BAD_MAX	16

/* Lists addresses from which @len bytes cannot be read; returns their number. */
static unsigned int bad_addresses(const struct pages *pages, size_t len,
				  struct bad *bad)
{
	__u64 hole = kt_ptr(pages->hole);
	struct bad list[BAD_MAX] = {
		{ "null", 0 },
		{ "low", 8 },
		{ "hole", hole },
		{ "into the hole", hole - 1 },
		{ "last byte in the hole", hole - len + 1 },
		{ "no permission", kt_ptr(pages->locked) },
		{ "kernel", 0xffff888000000000ull },
		{ "kernel text", 0xffffffff81000000ull },
		{ "not canonical", 0x8000000000000000ull },
		{ "end of all", 0xffffffffffffffffull },
		{ "wraps around", -(__u64)len },
		{ "wraps around by one", -(__u64)len + 1 },
		{ "beyond the task", 0x00007ffffffff000ull },
		/* A 64-bit kernel must see all bits of a 32-bit caller. */
		{ "upper half", hole - 64 + (1ull << 63) },
		{ "bit 47", (hole - 64) | 1ull << 47 },
	};
	unsigned int n;

	for (n = 0; n < BAD_MAX && list[n].name; n++)
		bad[n] = list[n];
	return n;
}

/* Sends @op: it fails with EFAULT, and the map is unchanged. */
static void faults(struct __test_metadata *_metadata,
		   int fd, unsigned long cmd,
		   struct kmap_op *op, const char *what, const char *name)
{
	struct kmap_op copy = *op;

	EXPECT_EQ(-EFAULT, kt_ioctl(fd, cmd, op)) {
		TH_LOG("%s: %s", what, name);
	}
	EXPECT_EQ(0, memcmp(&copy, op, sizeof(copy))) {
		TH_LOG("%s: %s: the record was changed", what, name);
	}
	UNCHANGED(fd) {
		TH_LOG("%s: %s: the map was changed", what, name);
	}
}

TEST_F(pointers, key)
{
	struct bad bad[BAD_MAX];
	unsigned int i, n = bad_addresses(&self->pages, 6, bad);
	__u8 out[TEXT_LEN];
	struct kmap_op op;

	for (i = 0; i < n; i++) {
		kt_op_get(&op, NULL, 6, out, sizeof(out));
		op.key = bad[i].address;
		faults(_metadata, self->fd, KMAP_IOC_GET, &op, "GET",
		       bad[i].name);
		kt_op_set(&op, NULL, 6, "v", 1, 0);
		op.key = bad[i].address;
		faults(_metadata, self->fd, KMAP_IOC_SET, &op, "SET",
		       bad[i].name);
		kt_op_del(&op, NULL, 6, 0);
		op.key = bad[i].address;
		faults(_metadata, self->fd, KMAP_IOC_DELETE, &op, "DELETE",
		       bad[i].name);
		kt_op_add(&op, NULL, 6, 1, 0);
		op.key = bad[i].address;
		faults(_metadata, self->fd, KMAP_IOC_ADD, &op, "ADD",
		       bad[i].name);
	}
}

TEST_F(pointers, value)
{
	static const size_t lens[] = { 1, 8, 100, 4000 };
	struct bad bad[BAD_MAX];
	unsigned int i, j, n;
	struct kmap_op op;

	for (j = 0; j < ARRAY_SIZE(lens); j++) {
		n = bad_addresses(&self->pages, lens[j], bad);
		for (i = 0; i < n; i++) {
			/* The byte before the hole can be read. */
			if (lens[j] == 1 && bad[i].address ==
					    kt_ptr(self->pages.hole) - 1)
				continue;
			kt_op_set(&op, "text", 4, NULL, lens[j], 0);
			op.value = bad[i].address;
			faults(_metadata, self->fd, KMAP_IOC_SET, &op,
			       "SET of present", bad[i].name);
			op.key = kt_ptr("new");
			op.key_len = 3;
			faults(_metadata, self->fd, KMAP_IOC_SET, &op,
			       "SET of absent", bad[i].name);
		}
	}
}

TEST_F(pointers, out)
{
	struct bad bad[BAD_MAX];
	unsigned int i, n = bad_addresses(&self->pages, TEXT_LEN, bad);
	struct kmap_op op;

	bad[n++] = (struct bad){ "read-only", kt_ptr(self->pages.readonly) };
	ASSERT_EQ(0, mprotect(self->pages.readonly, self->pages.size,
			      PROT_READ));
	for (i = 0; i < n; i++) {
		kt_op_get(&op, "text", 4, NULL, TEXT_LEN);
		op.out = bad[i].address;
		faults(_metadata, self->fd, KMAP_IOC_GET, &op, "GET",
		       bad[i].name);
		kt_op_set(&op, "text", 4, "v", 1, KMAP_RETURN);
		op.out = bad[i].address;
		op.out_size = TEXT_LEN;
		faults(_metadata, self->fd, KMAP_IOC_SET, &op, "SET",
		       bad[i].name);
		kt_op_del(&op, "text", 4, KMAP_RETURN);
		op.out = bad[i].address;
		op.out_size = TEXT_LEN;
		faults(_metadata, self->fd, KMAP_IOC_DELETE, &op, "DELETE",
		       bad[i].name);
	}
}

/*
 * A buffer that is smaller than its size says: only the bytes that are written must
 * be there, for GET as well as for changes.
 */
TEST_F(pointers, out_size_too_generous)
{
	static const size_t lens[] = { 0, 1, 8, TEXT_LEN, 255, 256, 257, 4000 };
	static const __u32 sizes[] = { 4096, 8192, 65536, 1 << 20, ~0u };
	__u8 value[4096], *hole = self->pages.hole;
	unsigned int i, j, k;
	struct kmap_op op;

	kt_value_fill(value, sizeof(value), "text", 4, 7);
	for (i = 0; i < ARRAY_SIZE(lens) * ARRAY_SIZE(sizes); i++) {
		size_t len = lens[i % ARRAY_SIZE(lens)];
		__u32 size = sizes[i / ARRAY_SIZE(lens)];

		for (j = 0; j < 4; j++) {
			ASSERT_EQ(0, kt_set(self->fd, "text", 4, value, len, 0,
					    NULL));
			/* First with the last byte in the hole, then with all bytes. */
			for (k = !len; k < 2; k++) {
				__u8 *out = hole - len + !k;

				if (j == 0)
					kt_op_get(&op, "text", 4, NULL, 0);
				else if (j == 1)
					kt_op_del(&op, "text", 4, KMAP_RETURN);
				else
					kt_op_set(&op, "text", 4, "v", 1,
						  KMAP_RETURN |
						  (j == 2 ? 0 : KMAP_REPLACE));
				op.out = kt_ptr(out);
				op.out_size = size;
				REMEMBER(self->fd);
				memset(hole - 4096, 0, 4096);
				EXPECT_EQ(k ? 0 : -EFAULT,
					  kt_ioctl(self->fd,
						   j == 0 ? KMAP_IOC_GET :
						   j == 1 ? KMAP_IOC_DELETE :
							    KMAP_IOC_SET,
						   &op)) {
					TH_LOG("%u: value of %zu, size %u", j,
					       len, size);
				}
				if (!k) {
					UNCHANGED(self->fd);
					continue;
				}
				EXPECT_EQ(len, op.out_len);
				EXPECT_EQ(0, memcmp(out, value, len));
			}
		}
	}
	/* Nothing is returned, so no memory is needed. */
	kt_op_set(&op, "absent", 6, "v", 1, KMAP_RETURN);
	op.out = kt_ptr(hole);
	op.out_size = 64;
	EXPECT_EQ(0, kt_ioctl(self->fd, KMAP_IOC_SET, &op));
	EXPECT_EQ(KMAP_ABSENT, op.out_len);
}

/* Only bytes before the hole are touched. */
TEST_F(pointers, exact_ends)
{
	__u8 *hole = self->pages.hole;
	struct kmap_op *op = (struct kmap_op *)(hole - sizeof(*op));
	__u8 out[TEXT_LEN];

	kt_op_get(op, "text", 4, out, sizeof(out));
	EXPECT_EQ(0, kt_ioctl(self->fd, KMAP_IOC_GET, op));
	EXPECT_EQ(TEXT_LEN, op->out_len);
	memcpy(hole - 4, "text", 4);
	EXPECT_EQ(0, kt_get(self->fd, hole - 4, 4, out, sizeof(out), NULL,
			    NULL));
	EXPECT_EQ(0, kt_get(self->fd, "text", 4, hole - TEXT_LEN, TEXT_LEN,
			    NULL, NULL));
	EXPECT_EQ(0, memcmp(self->text, hole - TEXT_LEN, TEXT_LEN));
	EXPECT_EQ(0, kt_set(self->fd, "text", 4, hole - TEXT_LEN, TEXT_LEN, 0,
			    NULL));
	/* The buffer ends at the hole, and the value needs all of it. */
	memset(hole - TEXT_LEN, 0, TEXT_LEN);
	EXPECT_EQ(0, kt_get(self->fd, "text", 4, hole - TEXT_LEN, TEXT_LEN,
			    NULL, NULL));
	EXPECT_EQ(0, memcmp(self->text, hole - TEXT_LEN, TEXT_LEN));
	/* Without bytes to read or write, any pointer is valid. */
	EXPECT_EQ(0, kt_set(self->fd, "empty", 5, hole, 0, 0, NULL));
	EXPECT_EQ(0, kt_get(self->fd, "empty", 5, hole, 0, NULL, NULL));
}

struct command {
	const char *name;
	unsigned long cmd;
	size_t size;
	void (*prepare)(void *record);
};

static __u8 room[4096];
static struct kmap_op one;

static void prepare_get(void *record)
{
	kt_op_get(record, "text", 4, room, sizeof(room));
}

static void prepare_set(void *record)
{
	kt_op_set(record, "text", 4, "v", 1, 0);
}

static void prepare_create(void *record)
{
	kt_op_set(record, "new", 3, "v", 1, KMAP_CREATE);
}

static void prepare_del(void *record)
{
	kt_op_del(record, "text", 4, 0);
}

static void prepare_add(void *record)
{
	kt_op_add(record, "number", 6, 1, 0);
}

static void prepare_batch(void *record)
{
	struct kmap_batch *batch = record;

	kt_op_del(&one, "text", 4, 0);
	memset(batch, 0, sizeof(*batch));
	batch->ops = kt_ptr(&one);
	batch->count = 1;
	batch->op_size = sizeof(one);
}

static void prepare_keys(void *record)
{
	struct kmap_keys *keys = record;

	memset(keys, 0, sizeof(*keys));
	keys->buf = kt_ptr(room);
	keys->size = sizeof(room);
}

static void prepare_clear(void *record)
{
	memset(record, 0, sizeof(struct kmap_clear));
}

static void prepare_info(void *record)
{
	memset(record, 0, sizeof(struct kmap_info));
}

static const struct command commands[] = {
	{ "GET", KMAP_IOC_GET, sizeof(struct kmap_op), prepare_get },
	{ "SET", KMAP_IOC_SET, sizeof(struct kmap_op), prepare_set },
	{ "CREATE", KMAP_IOC_SET, sizeof(struct kmap_op), prepare_create },
	{ "DELETE", KMAP_IOC_DELETE, sizeof(struct kmap_op), prepare_del },
	{ "ADD", KMAP_IOC_ADD, sizeof(struct kmap_op), prepare_add },
	{ "BATCH", KMAP_IOC_BATCH, sizeof(struct kmap_batch), prepare_batch },
	{ "KEYS", KMAP_IOC_KEYS, sizeof(struct kmap_keys), prepare_keys },
	{ "CLEAR", KMAP_IOC_CLEAR, sizeof(struct kmap_clear), prepare_clear },
	{ "INFO", KMAP_IOC_INFO, sizeof(struct kmap_info), prepare_info },
};

static void record_faults(struct __test_metadata *_metadata,
			  int fd,
			  const struct command *c, void *at, const char *name)
{
	EXPECT_EQ(-EFAULT, kt_ioctl(fd, c->cmd, at)) {
		TH_LOG("%s: record at %s", c->name, name);
	}
	UNCHANGED(fd) {
		TH_LOG("%s: record at %s: the map was changed", c->name, name);
	}
}

TEST_F(pointers, record_unreadable)
{
	struct bad bad[BAD_MAX];
	unsigned int i, j, n;

	for (j = 0; j < ARRAY_SIZE(commands); j++) {
		const struct command *c = &commands[j];

		n = bad_addresses(&self->pages, c->size, bad);
		for (i = 0; i < n; i++) {
			/* ioctl(2) itself takes a native pointer. */
			if (bad[i].address != (uintptr_t)bad[i].address)
				continue;
			record_faults(_metadata, self->fd, c,
				      (void *)(uintptr_t)bad[i].address,
				      bad[i].name);
		}
		/* A valid record, of which the last byte is missing. */
		c->prepare(room + 1024);
		memcpy(self->pages.hole - c->size + 1, room + 1024,
		       c->size - 1);
		record_faults(_metadata, self->fd, c,
			      self->pages.hole - c->size + 1, "the edge");
	}
}

/* If the outputs cannot be written, the call has no effect. */
TEST_F(pointers, record_read_only)
{
	unsigned int j;

	for (j = 0; j < ARRAY_SIZE(commands); j++) {
		const struct command *c = &commands[j];

		ASSERT_EQ(0, mprotect(self->pages.readonly, self->pages.size,
				      PROT_READ | PROT_WRITE));
		c->prepare(self->pages.readonly);
		ASSERT_EQ(0, mprotect(self->pages.readonly, self->pages.size,
				      PROT_READ));
		record_faults(_metadata, self->fd, c, self->pages.readonly,
			      "a page that cannot be written");
	}
}

/* The known part of a record is there, and its tail is not. */
TEST_F(pointers, record_tail)
{
	unsigned int j;

	for (j = 0; j < ARRAY_SIZE(commands); j++) {
		const struct command *c = &commands[j];
		unsigned long cmd = _IOC(_IOC_READ | _IOC_WRITE,
					 KMAP_IOC_MAGIC, _IOC_NR(c->cmd),
					 c->size + 8);

		c->prepare(self->pages.hole - c->size);
		EXPECT_EQ(-EFAULT, kt_ioctl(self->fd, cmd,
					    self->pages.hole - c->size)) {
			TH_LOG("%s", c->name);
		}
		UNCHANGED(self->fd);
	}
}

TEST_F(pointers, keys_buffer)
{
	struct bad bad[BAD_MAX];
	struct kmap_keys keys, copy;
	unsigned int i, n, flags;

	n = bad_addresses(&self->pages, 48, bad);
	bad[n++] = (struct bad){ "read-only", kt_ptr(self->pages.readonly) };
	ASSERT_EQ(0, mprotect(self->pages.readonly, self->pages.size,
			      PROT_READ));
	for (flags = 0; flags < 4; flags++) {
		for (i = 0; i < n; i++) {
			memset(&keys, 0, sizeof(keys));
			keys.buf = bad[i].address;
			keys.size = 1000;
			keys.flags = flags;
			copy = keys;
			EXPECT_EQ(-EFAULT, kt_ioctl(self->fd, KMAP_IOC_KEYS,
						    &keys)) {
				TH_LOG("flags %u: %s", flags, bad[i].name);
			}
			EXPECT_EQ(0, memcmp(&copy, &keys, sizeof(keys)));
			UNCHANGED(self->fd);
		}
	}
}

/* With an absurd size, KEYS must not write beyond the buffer. */
TEST_F(pointers, keys_size)
{
	static const __u64 sizes[] = {
		~0ull, ~0ull - 7, 1ull << 63, 1ull << 47, 0xffffffffull
	};
	struct kmap_keys keys;
	unsigned int i;
	int ret;

	for (i = 0; i < ARRAY_SIZE(sizes); i++) {
		memset(&keys, 0, sizeof(keys));
		keys.buf = kt_ptr(room);
		keys.size = sizes[i];
		ret = kt_ioctl(self->fd, KMAP_IOC_KEYS, &keys);
		EXPECT_TRUE(!ret || ret == -EFAULT || ret == -EINVAL) {
			TH_LOG("size %#llx: %d", sizes[i], ret);
		}
		if (!ret)
			EXPECT_LE(keys.used, sizeof(room));
		UNCHANGED(self->fd);
	}
}

TEST_F(pointers, batch_array)
{
	struct bad bad[BAD_MAX];
	struct kmap_batch batch;
	unsigned int i, n;

	n = bad_addresses(&self->pages, sizeof(struct kmap_op), bad);
	for (i = 0; i < n; i++) {
		memset(&batch, 0, sizeof(batch));
		batch.ops = bad[i].address;
		batch.count = 1;
		batch.op_size = sizeof(struct kmap_op);
		batch.done = 7;
		EXPECT_EQ(-EFAULT, kt_ioctl(self->fd, KMAP_IOC_BATCH, &batch)) {
			TH_LOG("%s", bad[i].name);
		}
		EXPECT_EQ(0, batch.done);
		UNCHANGED(self->fd);
	}
}

TEST_HARNESS_MAIN
