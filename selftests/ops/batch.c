// SPDX-License-Identifier: GPL-2.0
/*
 * BATCH: records are carried out in order, each independent of the others' results;
 * where a batch stops, and what it returns then.
 */
#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/wait.h>

#include "kselftest_harness.h"
#include "kmap_fixture.h"

#define POISON32	0xa5a5a5a5u
#define POISON64	0xa5a5a5a5a5a5a5a5ull

static int send_batch(int fd, void *ops, __u32 count, __u32 op_size,
		      __u32 *done)
{
	struct kmap_batch batch = {
		.ops = kt_ptr(ops),
		.count = count,
		.op_size = op_size,
		.done = POISON32,
	};
	int ret = kt_ioctl(fd, KMAP_IOC_BATCH, &batch);

	*done = batch.done;
	return ret;
}

TEST_F(map, nothing_to_do)
{
	__u32 done;

	EXPECT_EQ(0, send_batch(self->fd, NULL, 0, sizeof(struct kmap_op),
				&done));
	EXPECT_EQ(0, done);
}

/* Later records see what earlier ones did. */
TEST_F(map, in_order)
{
	struct kmap_op ops[9];
	__u8 out[4][8] = { { 0 } };
	__u32 done;
	int i;

	kt_op_get(&ops[0], "key", 3, out[0], 8);
	kt_op_set(&ops[1], "key", 3, "one", 3, 0);
	kt_op_get(&ops[2], "key", 3, out[1], 8);
	kt_op_set(&ops[3], "key", 3, "two", 3, KMAP_RETURN);
	ops[3].out = kt_ptr(out[2]);
	ops[3].out_size = 8;
	kt_op_set(&ops[4], "key", 3, "no", 2, KMAP_CREATE);
	kt_op_get(&ops[5], "key", 3, out[3], 8);
	kt_op_del(&ops[6], "key", 3, 0);
	kt_op_del(&ops[7], "key", 3, 0);
	kt_op_add(&ops[8], "key", 3, 42, KMAP_CREATE);
	for (i = 0; i < 9; i++)
		ops[i].error = (__s16)0xa5a5;
	EXPECT_EQ(0, send_batch(self->fd, ops, 9, sizeof(ops[0]), &done));
	EXPECT_EQ(9, done);
	EXPECT_EQ(-ENOENT, ops[0].error);
	EXPECT_EQ(0, ops[1].error);
	EXPECT_EQ(0, ops[2].error);
	EXPECT_EQ(0, memcmp(out[1], "one", 3));
	EXPECT_EQ(ops[1].version, ops[2].version);
	EXPECT_EQ(0, ops[3].error);
	EXPECT_EQ(3, ops[3].out_len);
	EXPECT_EQ(0, memcmp(out[2], "one", 3));
	EXPECT_EQ(-EEXIST, ops[4].error);
	EXPECT_EQ(ops[3].version, ops[4].version);
	EXPECT_EQ(0, ops[5].error);
	EXPECT_EQ(0, memcmp(out[3], "two", 3));
	EXPECT_EQ(0, ops[6].error);
	EXPECT_EQ(ops[3].version, ops[6].version);
	EXPECT_EQ(-ENOENT, ops[7].error);
	EXPECT_EQ(0, ops[8].error);
	EXPECT_EQ(42, ops[8].number);
}

/* One that fails does not stop the rest, and only its error is set. */
TEST_F(map, each_for_itself)
{
	static const int errors[] = {
		-EINVAL, -EINVAL, -EINVAL, -EINVAL, -ENAMETOOLONG, -EFBIG,
		-EFAULT, -EFAULT, -ENOENT, -EDOM, -ERANGE, -EINVAL, -EINVAL,
	};
	struct kmap_op ops[2 * ARRAY_SIZE(errors)], before[ARRAY_SIZE(errors)];
	__s64 top = 0x7fffffffffffffffll;
	unsigned int i;
	__u32 done;

	ASSERT_EQ(0, kt_set(self->fd, "text", 4, "text", 4, 0, NULL));
	ASSERT_EQ(0, kt_set(self->fd, "top", 3, &top, 8, KMAP_NUMBER,
			    NULL));
	memset(ops, 0, sizeof(ops));
	for (i = 0; i < ARRAY_SIZE(errors); i++)
		kt_op_set(&ops[2 * i], "bad", 3, "v", 1, 0);
	ops[0].opcode = 0;
	ops[2].opcode = 5;
	ops[4].flags = 1u << 31;
	ops[6].key_len = 0;
	ops[8].key_len = self->info.max_key + 1;
	ops[10].value_len = self->info.max_value + 1;
	ops[12].key = 8;
	ops[14].value = 8;
	kt_op_del(&ops[16], "absent", 6, 0);
	kt_op_add(&ops[18], "text", 4, 1, 0);
	kt_op_add(&ops[20], "top", 3, 1, 0);
	ops[22].ttl = 1;
	ops[24].out_size = 1;
	for (i = 0; i < ARRAY_SIZE(errors); i++) {
		ops[2 * i].version = POISON64;
		ops[2 * i].out_len = POISON32;
		before[i] = ops[2 * i];
		before[i].error = errors[i];
		kt_op_add(&ops[2 * i + 1], "count", 5, 1, 0);
	}
	EXPECT_EQ(0, send_batch(self->fd, ops, ARRAY_SIZE(ops), sizeof(ops[0]),
				&done));
	EXPECT_EQ(ARRAY_SIZE(ops), done);
	for (i = 0; i < ARRAY_SIZE(errors); i++) {
		EXPECT_EQ(0, memcmp(&before[i], &ops[2 * i], sizeof(ops[0]))) {
			TH_LOG("record %u: error %d instead of %d", 2 * i,
			       ops[2 * i].error, errors[i]);
		}
		EXPECT_EQ(0, ops[2 * i + 1].error);
		EXPECT_EQ(i + 1, ops[2 * i + 1].number);
	}
	EXPECT_EQ(-ENOENT, kt_get(self->fd, "bad", 3, NULL, 0, NULL, NULL));
	EXPECT_EQ(3, kt_entries(self->fd));
}

/* With an error, records of a batch return the same outputs as the single ioctls. */
TEST_F(map, errors_that_tell)
{
	struct kmap_op ops[4];
	__u64 version;
	__u8 out[8];
	__u32 done;

	ASSERT_EQ(0, kt_set(self->fd, "key", 3, "value", 5, 0, &version));
	REMEMBER(self->fd);
	kt_op_get(&ops[0], "key", 3, out, 4);
	kt_op_set(&ops[1], "key", 3, "v", 1, KMAP_CREATE);
	kt_op_set(&ops[2], "key", 3, "v", 1, KMAP_MATCH | KMAP_RETURN);
	ops[2].version = version + 1;
	ops[2].out = kt_ptr(out);
	ops[2].out_size = sizeof(out);
	kt_op_del(&ops[3], "key", 3, KMAP_RETURN);
	EXPECT_EQ(0, send_batch(self->fd, ops, 4, sizeof(ops[0]), &done));
	EXPECT_EQ(4, done);
	EXPECT_EQ(-EMSGSIZE, ops[0].error);
	EXPECT_EQ(5, ops[0].out_len);
	EXPECT_EQ(version, ops[0].version);
	EXPECT_EQ(-EEXIST, ops[1].error);
	EXPECT_EQ(version, ops[1].version);
	EXPECT_EQ(-ESTALE, ops[2].error);
	EXPECT_EQ(version, ops[2].version);
	EXPECT_EQ(5, ops[2].out_len);
	EXPECT_EQ(0, memcmp(out, "value", 5));
	EXPECT_EQ(-EMSGSIZE, ops[3].error);
	EXPECT_EQ(5, ops[3].out_len);
	UNCHANGED(self->fd);
}

TEST_F(map, size_of_records)
{
	struct {
		struct kmap_op_ext op;
		__u64 more[2];
	} ops[3];
	static const __u32 sizes[] = {
		0, 8, sizeof(struct kmap_op) - 8, sizeof(struct kmap_op) - 1
	};
	unsigned int i;
	__u32 done;

	memset(ops, 0, sizeof(ops));
	for (i = 0; i < 3; i++)
		kt_op_add(&ops[i].op.op, "key", 3, 1 << i, 0);
	for (i = 0; i < ARRAY_SIZE(sizes); i++) {
		EXPECT_EQ(-EINVAL, send_batch(self->fd, ops, 3, sizes[i],
					      &done));
		EXPECT_EQ(POISON32, done);
		EXPECT_EQ(0, kt_entries(self->fd));
	}
	EXPECT_EQ(0, send_batch(self->fd, ops, 3, sizeof(ops[0]), &done));
	EXPECT_EQ(3, done);
	for (i = 0; i < 3; i++) {
		EXPECT_EQ(0, ops[i].op.op.error);
		EXPECT_EQ((2 << i) - 1, ops[i].op.op.number);
		ops[i].op.op.number = 1 << i;
	}
	/* So is a field that the operation does not take, */
	ops[1].op.lease = 1;
	EXPECT_EQ(0, send_batch(self->fd, ops, 3, sizeof(ops[0]), &done));
	EXPECT_EQ(3, done);
	EXPECT_EQ(-EINVAL, ops[1].op.op.error);
	ops[1].op.lease = 0;
	ops[0].op.op.number = 0;
	ops[2].op.op.number = 0;
	EXPECT_EQ(0, kt_del(self->fd, "key", 3, 0, NULL));
	EXPECT_EQ(0, kt_add(self->fd, "key", 3, 7, 0, NULL, NULL));
	ops[0].op.op.number = 1;
	ops[2].op.op.number = 4;
	/* and a tail that is not zero. */
	ops[1].more[1] = 1ull << 63;
	EXPECT_EQ(0, send_batch(self->fd, ops, 3, sizeof(ops[0]), &done));
	EXPECT_EQ(3, done);
	EXPECT_EQ(0, ops[0].op.op.error);
	EXPECT_EQ(8, ops[0].op.op.number);
	EXPECT_EQ(-E2BIG, ops[1].op.op.error);
	EXPECT_EQ(2, ops[1].op.op.number);
	EXPECT_EQ(0, ops[2].op.op.error);
	EXPECT_EQ(12, ops[2].op.op.number);
}

TEST_F_TIMEOUT(map, most_records, KT_LONG)
{
	struct kmap_op *ops = calloc(KMAP_BATCH_MAX + 1, sizeof(*ops));
	unsigned int i;
	__u32 done;

	ASSERT_TRUE(ops);
	for (i = 0; i <= KMAP_BATCH_MAX; i++)
		kt_op_add(&ops[i], "key", 3, 1, 0);
	EXPECT_EQ(-EINVAL, send_batch(self->fd, ops, KMAP_BATCH_MAX + 1,
				      sizeof(*ops), &done));
	EXPECT_EQ(POISON32, done);
	EXPECT_EQ(-EINVAL, send_batch(self->fd, ops, 0xffffffff, sizeof(*ops),
				      &done));
	EXPECT_EQ(0, kt_entries(self->fd));
	EXPECT_EQ(0, send_batch(self->fd, ops, KMAP_BATCH_MAX, sizeof(*ops),
				&done));
	EXPECT_EQ(KMAP_BATCH_MAX, done);
	for (i = 0; i < KMAP_BATCH_MAX; i++)
		ASSERT_EQ(i + 1, ops[i].number);
	EXPECT_EQ(1, ops[KMAP_BATCH_MAX].number);
	free(ops);
}

/* Of an array that ends too early, the records before its end are carried out. */
TEST_F(map, array_ends_early)
{
	size_t page = getpagesize(), whole = page / sizeof(struct kmap_op);
	__u8 *area = mmap(NULL, 2 * page, PROT_READ | PROT_WRITE,
			  MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	struct kmap_op *ops;
	__u32 done;
	size_t i;

	ASSERT_TRUE(area != MAP_FAILED);
	ASSERT_EQ(0, munmap(area + page, page));
	/* Whole records up to the end, then one that begins before it. */
	ops = (struct kmap_op *)(area + page) - whole;
	for (i = 0; i < whole; i++)
		kt_op_add(&ops[i], "key", 3, 1, 0);
	EXPECT_EQ(-EFAULT, send_batch(self->fd, ops, whole + 5, sizeof(*ops),
				      &done));
	EXPECT_EQ(whole, done);
	for (i = 0; i < whole; i++)
		EXPECT_EQ(i + 1, ops[i].number);
	ops = (struct kmap_op *)(area + page - 40) - 3;
	for (i = 0; i < 3; i++)
		kt_op_add(&ops[i], "other", 5, 1, 0);
	EXPECT_EQ(-EFAULT, send_batch(self->fd, ops, 4, sizeof(*ops), &done));
	EXPECT_EQ(3, done);
	EXPECT_EQ(3, ops[2].number);
	munmap(area, page);
}

/* A record whose outputs cannot be written is not carried out. */
TEST_F(map, array_turns_read_only)
{
	size_t page = getpagesize(), count = page / sizeof(struct kmap_op);
	struct kmap_op *ops = mmap(NULL, 2 * page, PROT_READ | PROT_WRITE,
				   MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	__s64 sum;
	__u32 done;
	size_t i;

	ASSERT_TRUE(ops != MAP_FAILED);
	for (i = 0; i < count + 3; i++)
		kt_op_add(&ops[i], "key", 3, 1, 0);
	ASSERT_EQ(0, mprotect((__u8 *)ops + page, page, PROT_READ));
	EXPECT_EQ(-EFAULT, send_batch(self->fd, ops, count + 3, sizeof(*ops),
				      &done));
	EXPECT_EQ(count, done);
	EXPECT_EQ(0, kt_get(self->fd, "key", 3, &sum, 8, NULL, NULL));
	EXPECT_EQ(count, sum);
	munmap(ops, 2 * page);
}

#define MANY	10000

TEST_F_TIMEOUT(map, many_keys, KT_LONG)
{
	__u64 done;

	EXPECT_EQ(0, kt_fill(self->fd, 0, MANY, 16, 40, &done));
	EXPECT_EQ(MANY, done);
	EXPECT_EQ(MANY, kt_entries(self->fd));
	EXPECT_EQ(0, kt_verify(self->fd, 0, MANY, 16, 40, &done));
	EXPECT_EQ(MANY, done);
	EXPECT_EQ(0, kt_remove(self->fd, 0, MANY, 16, &done));
	EXPECT_EQ(MANY, done);
	EXPECT_EQ(0, kt_entries(self->fd));
}

#define ADDERS		4
#define ADD_BATCHES	40
#define ADD_RECORDS	100

static void *adder(void *arg)
{
	struct kmap_op ops[ADD_RECORDS];
	int fd = *(int *)arg;
	__u32 done;
	long errors = 0;
	int i, j;

	for (i = 0; i < ADD_BATCHES; i++) {
		for (j = 0; j < ADD_RECORDS; j++)
			kt_op_add(&ops[j], j & 1 ? "odd" : "even",
				  j & 1 ? 3 : 4, 1, 0);
		if (kt_batch(fd, ops, ADD_RECORDS, &done) ||
		    done != ADD_RECORDS)
			errors++;
		for (j = 0; j < ADD_RECORDS; j++)
			errors += !!ops[j].error;
	}
	return (void *)errors;
}

TEST_F_TIMEOUT(map, many_adders, KT_LONG)
{
	pthread_t threads[ADDERS];
	void *errors;
	__s64 sum;
	int i;

	for (i = 0; i < ADDERS; i++)
		ASSERT_EQ(0, pthread_create(&threads[i], NULL, adder,
					    &self->fd));
	for (i = 0; i < ADDERS; i++) {
		ASSERT_EQ(0, pthread_join(threads[i], &errors));
		EXPECT_EQ(0, (long)errors);
	}
	EXPECT_EQ(0, kt_get(self->fd, "odd", 3, &sum, 8, NULL, NULL));
	EXPECT_EQ(ADDERS * ADD_BATCHES * ADD_RECORDS / 2, sum);
	EXPECT_EQ(0, kt_get(self->fd, "even", 4, &sum, 8, NULL, NULL));
	EXPECT_EQ(ADDERS * ADD_BATCHES * ADD_RECORDS / 2, sum);
}

/* Sends one batch of @count keys, and is killed meanwhile. */
static void send_and_die(int fd, __u32 count)
{
	struct kmap_op *ops = calloc(count, sizeof(*ops));
	__u64 *keys = calloc(count, sizeof(*keys));
	__u32 i;

	for (i = 0; ops && keys && i < count; i++) {
		keys[i] = i;
		kt_op_set(&ops[i], &keys[i], 8, &keys[i], 8, 0);
	}
	kt_batch(fd, ops, count, NULL);
	_exit(0);
}

/*
 * SIGKILL in the middle of a batch: the map has a beginning of the batch, with
 * complete entries and no gap.
 */
TEST_F_TIMEOUT(map, killed_in_the_middle, KT_LONG)
{
	unsigned int round, cut = 0;
	__s64 count;
	pid_t pid;

	/* Now and then the whole batch is done before the signal comes. */
	for (round = 0; round < 20 || (!cut && round < 2000); round++) {
		ASSERT_EQ(0, kt_clear(self->fd, NULL));
		pid = fork();
		ASSERT_GE(pid, 0);
		if (!pid)
			send_and_die(self->fd, KMAP_BATCH_MAX);
		while (!kt_entries(self->fd) && !waitpid(pid, NULL, WNOHANG))
			;
		usleep(round % 20 * 500);
		kill(pid, SIGKILL);
		waitpid(pid, NULL, 0);
		count = kt_entries(self->fd);
		ASSERT_GE(count, 1);
		cut += count < KMAP_BATCH_MAX;
		for (__u64 i = 0; i < KMAP_BATCH_MAX; i += 97) {
			__u64 value = ~0ull;
			int ret = kt_get(self->fd, &i, 8, &value, 8, NULL,
					 NULL);

			ASSERT_EQ(i < (__u64)count ? 0 : -ENOENT, ret);
			ASSERT_EQ(i < (__u64)count ? i : ~0ull, value);
		}
		EXPECT_EQ(count, kt_walk_count(self->fd));
	}
	EXPECT_GT(cut, 0) {
		TH_LOG("no batch was ever cut short");
	}
}

TEST_HARNESS_MAIN
