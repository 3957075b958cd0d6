// SPDX-License-Identifier: GPL-2.0
/*
 * Allocations and user copies that fail, one after the other.
 *
 * A call is made again and again, each time with the module loaded anew, and each
 * time the next one of its allocations and user copies fails, until a call
 * completes without a failure.  Whatever fails, either the error is ENOMEM or
 * EFAULT and the map is unchanged, or the call does not need what failed and has
 * its usual result.
 *
 * The ABI has one exception: output memory that goes away while a call runs.  The
 * outputs are copied after the change, so if such a copy fails, the call returns
 * EFAULT although the change was made.  The number of these copies is checked.
 *
 * Needs a kernel with failslab, fail_page_alloc and fail_usercopy.  Leaks show in
 * the kernel's log when the module is unloaded.
 */
#include "kselftest_harness.h"
#include "fault.h"

#define BUF_SIZE	(256 * 1024)
#define NONE		-1

static __u8 *new_value, old_value[BUF_SIZE], out[BUF_SIZE];
static char long_key[1024];

FIXTURE(fault) {
	int fd;
	struct kmap_info info;
};

FIXTURE_SETUP(fault)
{
	int file = memfd_create("value", MFD_CLOEXEC);

	self->fd = -1;
	/* The memory of a file: its pages can be dropped and read again. */
	ASSERT_EQ(0, ftruncate(file, BUF_SIZE));
	new_value = mmap(NULL, BUF_SIZE, PROT_READ | PROT_WRITE, MAP_SHARED,
			 file, 0);
	ASSERT_NE(MAP_FAILED, new_value);
	close(file);
	kt_value_fill(new_value, BUF_SIZE, "new", 3, 1);
	kt_value_fill(old_value, BUF_SIZE, "old", 3, 2);
	memset(long_key, 'k', sizeof(long_key));
	memset(out, KT_POISON, sizeof(out));
	ASSERT_EQ(0, fault_begin());
}

FIXTURE_TEARDOWN(fault)
{
	close(self->fd);
	fault_end();
}

/**
 * struct scene - a call with one record
 * @op: the operation; ADD adds 1
 * @flags: flags of the record
 * @key_len: length of the key
 * @old_len: length of its value before, or NONE; a number is old_number
 * @value_len: length of the value to set
 * @out_size: size of the buffer
 * @want: what the call returns
 * @cold: the value to set is not mapped yet
 */
struct scene {
	enum kmap_opcode op;
	unsigned int flags;
	unsigned int key_len;
	int old_len;
	unsigned int value_len;
	unsigned int out_size;
	int want;
	bool cold;
};

FIXTURE_VARIANT(fault) {
	struct scene scene;
};

FIXTURE_VARIANT_ADD(fault, get) {
	.scene = {
		.op = KMAP_OP_GET, .key_len = 8, .old_len = 100,
		.out_size = BUF_SIZE,
	},
};

FIXTURE_VARIANT_ADD(fault, get_long) {
	.scene = {
		.op = KMAP_OP_GET, .key_len = 300, .old_len = 3000,
		.out_size = BUF_SIZE,
	},
};

FIXTURE_VARIANT_ADD(fault, get_absent) {
	.scene = {
		.op = KMAP_OP_GET, .key_len = 8, .old_len = NONE,
		.out_size = BUF_SIZE, .want = -ENOENT,
	},
};

FIXTURE_VARIANT_ADD(fault, get_too_long) {
	.scene = {
		.op = KMAP_OP_GET, .key_len = 8, .old_len = 3000,
		.out_size = 10, .want = -EMSGSIZE,
	},
};

FIXTURE_VARIANT_ADD(fault, set_first) {
	.scene = {
		.op = KMAP_OP_SET, .key_len = 8, .old_len = NONE,
		.value_len = 100,
	},
};

FIXTURE_VARIANT_ADD(fault, set_first_long) {
	.scene = {
		.op = KMAP_OP_SET, .key_len = 300, .old_len = NONE,
		.value_len = 60000,
	},
};

FIXTURE_VARIANT_ADD(fault, set_cold) {
	.scene = {
		.op = KMAP_OP_SET, .key_len = 8, .old_len = 100,
		.value_len = 100, .cold = true,
	},
};

FIXTURE_VARIANT_ADD(fault, set_cold_long) {
	.scene = {
		.op = KMAP_OP_SET, .key_len = 300, .old_len = NONE,
		.value_len = 60000, .cold = true,
	},
};

FIXTURE_VARIANT_ADD(fault, set_again) {
	.scene = {
		.op = KMAP_OP_SET, .key_len = 8, .old_len = 100,
		.value_len = 100,
	},
};

FIXTURE_VARIANT_ADD(fault, set_longer) {
	.scene = {
		.op = KMAP_OP_SET, .key_len = 8, .old_len = 100,
		.value_len = 9000,
	},
};

FIXTURE_VARIANT_ADD(fault, set_return) {
	.scene = {
		.op = KMAP_OP_SET, .flags = KMAP_RETURN, .key_len = 8,
		.old_len = 100, .value_len = 50, .out_size = BUF_SIZE,
	},
};

FIXTURE_VARIANT_ADD(fault, set_return_long) {
	.scene = {
		.op = KMAP_OP_SET, .flags = KMAP_RETURN, .key_len = 8,
		.old_len = 3000, .value_len = 50, .out_size = BUF_SIZE,
	},
};

FIXTURE_VARIANT_ADD(fault, set_create) {
	.scene = {
		.op = KMAP_OP_SET, .flags = KMAP_CREATE | KMAP_RETURN,
		.key_len = 8, .old_len = 3000, .value_len = 50,
		.out_size = BUF_SIZE, .want = -EEXIST,
	},
};

FIXTURE_VARIANT_ADD(fault, set_match) {
	.scene = {
		.op = KMAP_OP_SET, .flags = KMAP_MATCH, .key_len = 8,
		.old_len = 100, .value_len = 50, .want = -ESTALE,
	},
};

FIXTURE_VARIANT_ADD(fault, delete) {
	.scene = {
		.op = KMAP_OP_DELETE, .key_len = 8, .old_len = 100,
	},
};

FIXTURE_VARIANT_ADD(fault, delete_return) {
	.scene = {
		.op = KMAP_OP_DELETE, .flags = KMAP_RETURN, .key_len = 300,
		.old_len = 3000, .out_size = BUF_SIZE,
	},
};

FIXTURE_VARIANT_ADD(fault, delete_absent) {
	.scene = {
		.op = KMAP_OP_DELETE, .key_len = 8, .old_len = NONE,
		.want = -ENOENT,
	},
};

/* The entry's size class is not that of the other entry, which has a slab. */
FIXTURE_VARIANT_ADD(fault, add_first) {
	.scene = {
		.op = KMAP_OP_ADD, .key_len = 80, .old_len = NONE,
	},
};

FIXTURE_VARIANT_ADD(fault, add) {
	.scene = {
		.op = KMAP_OP_ADD, .key_len = 8, .old_len = 8,
	},
};

FIXTURE_VARIANT_ADD(fault, add_long_key) {
	.scene = {
		.op = KMAP_OP_ADD, .key_len = 300, .old_len = NONE,
	},
};

static const __s64 old_number = 41;

static const unsigned long commands[] = {
	[KMAP_OP_GET]		= KMAP_IOC_GET,
	[KMAP_OP_SET]		= KMAP_IOC_SET,
	[KMAP_OP_DELETE]	= KMAP_IOC_DELETE,
	[KMAP_OP_ADD]		= KMAP_IOC_ADD,
};

/* Makes a map with another key and, unless it must be absent, the key. */
static void set_scene(struct __test_metadata *_metadata, int *fd,
		      const struct scene *scene)
{
	const void *value = old_value;

	if (scene->op == KMAP_OP_ADD)
		value = &old_number;
	reload(_metadata, fd);
	ASSERT_EQ(0, kt_set(*fd, "other", 5, "thing", 5, 0, NULL));
	if (scene->old_len != NONE)
		ASSERT_EQ(0, kt_set(*fd, long_key, scene->key_len, value,
				    scene->old_len, value == &old_number ?
				    KMAP_NUMBER : 0, NULL));
	REMEMBER(*fd);
}

static void fill_record(struct kmap_op *op,
			const struct scene *scene)
{
	memset(op, 0, sizeof(*op));
	op->flags = scene->flags;
	op->key = kt_ptr(long_key);
	op->key_len = scene->key_len;
	if (scene->op == KMAP_OP_SET)
		op->value = kt_ptr(new_value);
	op->value_len = scene->value_len;
	if (scene->out_size)
		op->out = kt_ptr(out);
	op->out_size = scene->out_size;
	op->number = scene->op == KMAP_OP_ADD;
	op->version = 77;
}

/* Has the call made its change? */
static bool changed(int fd, const struct scene *scene)
{
	static __u8 value[BUF_SIZE];
	const void *expect = new_value;
	size_t len = scene->value_len, found;
	__s64 sum;

	if (scene->op == KMAP_OP_GET || scene->want)
		return false;
	if (kt_get(fd, "other", 5, value, sizeof(value), &found, NULL) ||
	    found != 5 || memcmp(value, "thing", 5))
		return false;
	if (scene->op == KMAP_OP_DELETE)
		return kt_get(fd, long_key, scene->key_len, NULL, 0, NULL,
			      NULL) == -ENOENT && kt_entries(fd) == 1;
	if (scene->op == KMAP_OP_ADD) {
		sum = scene->old_len == NONE ? 1 : old_number + 1;
		expect = &sum;
		len = sizeof(sum);
	}
	return !kt_get(fd, long_key, scene->key_len, value, sizeof(value),
		       &found, NULL) &&
	       found == len && !memcmp(value, expect, len) &&
	       kt_entries(fd) == 2;
}

/* Has the call returned the right value? */
static bool returned(const struct kmap_op *op,
		     const struct scene *scene)
{
	if (scene->op != KMAP_OP_GET && !(scene->flags & KMAP_RETURN))
		return true;
	if (scene->want == -ENOENT)
		return true;
	if ((int)op->out_len != scene->old_len)
		return false;
	return scene->want == -EMSGSIZE ||
	       !memcmp(out, old_value, scene->old_len);
}

/* Does the module have a fast path for this call? */
static bool usual(const struct scene *scene)
{
	if (scene->flags || scene->key_len > 64)
		return false;
	if (scene->op == KMAP_OP_GET)
		return scene->old_len <= 256;
	return scene->op != KMAP_OP_ADD && scene->value_len <= 256;
}

/* The least number of user copies of the call that can fail. */
static unsigned int copies(const struct scene *scene)
{
	/* The record and the key. */
	unsigned int n = 2;

	/* The record and its outputs; other failures lead to the usual path. */
	if (scene->op == KMAP_OP_GET && usual(scene))
		return 2;
	/* The outputs are checked before the change, or together with the record. */
	n += scene->op != KMAP_OP_GET && !usual(scene);
	/*
	 * The value to store, if it is not present: otherwise a failed copy is
	 * repeated.  And the value that is returned.
	 */
	n += scene->cold;
	n += (scene->op == KMAP_OP_GET || scene->flags & KMAP_RETURN) &&
	     scene->old_len != NONE && scene->want != -EMSGSIZE;
	/* The outputs, if there are any. */
	n += scene->want != -ENOENT;
	return n;
}

TEST_F_TIMEOUT(fault, each_point, KT_LONG)
{
	const struct scene *scene = &variant->scene;
	const bool changes = scene->op != KMAP_OP_GET && !scene->want;
	unsigned int outputs = scene->flags & KMAP_RETURN ? 2 : 1;
	struct tally tally = { 0 };
	unsigned int n;
	bool fired = true;

	for (n = 1; fired && n < POINTS_MAX; n++) {
		struct kmap_info info;
		struct kmap_op op;
		bool same;
		int ret;

		set_scene(_metadata, &self->fd, scene);
		fill_record(&op, scene);
		ASSERT_EQ(0, kt_info(self->fd, &self->info));
		if (scene->cold) {
			ASSERT_EQ(0, munlock(new_value, BUF_SIZE));
			ASSERT_EQ(0, madvise(new_value, BUF_SIZE,
					     MADV_DONTNEED));
		}

		arm(n);
		ret = kt_ioctl(self->fd, commands[scene->op], &op);
		fired = disarm();

		ASSERT_EQ(0, kt_info(self->fd, &info));
		same = kt_snapshot_same(self->fd, remembered());
		if (!fired || ret == scene->want) {
			EXPECT_EQ(scene->want, ret);
			EXPECT_TRUE(returned(&op, scene));
		} else {
			EXPECT_TRUE(injected(ret)) {
				TH_LOG("point %u: %s", n, strerror(-ret));
			}
		}
		/* A change is complete, and is not made with an error but EFAULT. */
		EXPECT_EQ(same, !changed(self->fd, scene));
		EXPECT_TRUE(same || (changes && (!ret || ret == -EFAULT)));
		EXPECT_FALSE(same && changes && !ret);
		if (same) {
			EXPECT_EQ(self->info.entries, info.entries);
			EXPECT_EQ(self->info.bytes, info.bytes);
		}
		if (fired)
			count(&tally, ret, scene->want, !same);
	}
	EXPECT_FALSE(fired);
	tell(_metadata, &tally);
	EXPECT_GE(tally.fault, copies(scene));
	/*
	 * Sometimes the kernel allocates for its own debugging, too; then the
	 * points move, and the same copy fails twice.
	 */
	EXPECT_LE(tally.late, changes ? outputs + tally.through : 0);
	if (changes && (scene->old_len == NONE || scene->value_len > 5000 ||
			scene->key_len > 256 || scene->cold))
		EXPECT_GE(tally.nomem, 1);
}

int main(int argc, char **argv)
{
	return fault_run(argc, argv);
}
