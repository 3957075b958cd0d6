// SPDX-License-Identifier: GPL-2.0
/*
 * What a client may do depends on how the file was opened, and on the permissions of
 * the node.
 */
#include <errno.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <sys/wait.h>

#include "kselftest_harness.h"
#include "kmap_fixture.h"

#define NOBODY	65534

FIXTURE(perms) {
	int fd;		/* for reading and writing */
	int rd;		/* for reading */
	int wr;		/* for writing */
	int none;	/* for neither */
	__u64 version;	/* of "key" */
};

FIXTURE_SETUP(perms)
{
	self->fd = open_empty(_metadata);
	if (self->fd < 0)
		return;
	self->rd = kt_open(O_RDONLY);
	ASSERT_GE(self->rd, 0);
	self->wr = kt_open(O_WRONLY);
	ASSERT_GE(self->wr, 0);
	self->none = kt_open(O_ACCMODE);
	ASSERT_GE(self->none, 0);
	ASSERT_EQ(0, kt_set(self->fd, "key", 3, "value", 5, 0, &self->version));
	ASSERT_EQ(0, kt_add(self->fd, "number", 6, 42, 0, NULL, NULL));
	REMEMBER(self->fd);
}

FIXTURE_TEARDOWN(perms)
{
	close(self->fd);
	close(self->rd);
	close(self->wr);
	close(self->none);
}

static int walk(int fd, __u32 flags)
{
	__u8 buf[512];
	struct kmap_keys keys = {
		.buf = kt_ptr(buf),
		.size = sizeof(buf),
		.flags = flags,
	};

	return kt_ioctl(fd, KMAP_IOC_KEYS, &keys);
}

TEST_F(perms, read_only)
{
	__u8 out[16];
	size_t len;

	EXPECT_EQ(0, kt_get(self->rd, "key", 3, out, sizeof(out), &len, NULL));
	EXPECT_EQ(5, len);
	EXPECT_EQ(0, walk(self->rd, 0));
	EXPECT_EQ(0, walk(self->rd, KMAP_KEYS_VALUES));
	EXPECT_EQ(0, walk(self->rd, KMAP_KEYS_ATOMIC));
	EXPECT_EQ(2, kt_entries(self->rd));

	EXPECT_EQ(-EBADF, kt_set(self->rd, "key", 3, "v", 1, 0, NULL));
	EXPECT_EQ(-EBADF, kt_set(self->rd, "new", 3, "v", 1, KMAP_CREATE,
				 NULL));
	EXPECT_EQ(-EBADF, kt_swap(self->rd, "key", 3, "v", 1, 0, NULL, out,
				  sizeof(out), NULL));
	EXPECT_EQ(-EBADF, kt_del(self->rd, "key", 3, 0, NULL));
	EXPECT_EQ(-EBADF, kt_del(self->rd, "absent", 6, 0, NULL));
	EXPECT_EQ(-EBADF, kt_take(self->rd, "key", 3, 0, NULL, out,
				  sizeof(out), NULL));
	EXPECT_EQ(-EBADF, kt_add(self->rd, "number", 6, 1, 0, NULL, NULL));
	EXPECT_EQ(-EBADF, kt_add(self->rd, "new", 3, 1, 0, NULL, NULL));
	EXPECT_EQ(-EBADF, kt_clear(self->rd, NULL));
	UNCHANGED(self->fd);
}

TEST_F(perms, write_only)
{
	__u64 version;
	size_t len;
	__u8 out[16];

	memset(out, KT_POISON, sizeof(out));
	EXPECT_EQ(-EBADF, kt_get(self->wr, "key", 3, out, sizeof(out), &len,
				 NULL));
	EXPECT_EQ(0, len);
	EXPECT_EQ(-EBADF, kt_get(self->wr, "absent", 6, out, sizeof(out), NULL,
				 NULL));
	EXPECT_EQ(-EBADF, walk(self->wr, 0));
	EXPECT_EQ(-EBADF, walk(self->wr, KMAP_KEYS_VALUES));
	EXPECT_EQ(-EBADF, walk(self->wr, KMAP_KEYS_ATOMIC));
	EXPECT_EQ(-EBADF, kt_swap(self->wr, "key", 3, "v", 1, 0, NULL, out,
				  sizeof(out), NULL));
	EXPECT_EQ(-EBADF, kt_swap(self->wr, "key", 3, "v", 1, KMAP_CREATE,
				  NULL, out, sizeof(out), NULL));
	EXPECT_EQ(-EBADF, kt_take(self->wr, "key", 3, 0, NULL, out,
				  sizeof(out), NULL));
	EXPECT_EQ(KT_POISON, out[0]);
	UNCHANGED(self->fd);

	EXPECT_EQ(0, kt_set(self->wr, "new", 3, "v", 1, 0, &version));
	EXPECT_GT(version, 0);
	EXPECT_EQ(-EEXIST, kt_set(self->wr, "key", 3, "v", 1, KMAP_CREATE,
				  &version));
	EXPECT_EQ(self->version, version);
	EXPECT_EQ(0, kt_set(self->wr, "key", 3, "v", 1, KMAP_MATCH, &version));
	EXPECT_EQ(0, kt_del(self->wr, "key", 3, KMAP_MATCH, &version));
	EXPECT_EQ(-ENOENT, kt_del(self->wr, "key", 3, 0, NULL));
	EXPECT_EQ(2, kt_entries(self->fd));
	EXPECT_EQ(0, kt_clear(self->wr, NULL));
	EXPECT_EQ(0, kt_entries(self->fd));
}

/*
 * A client that may only write learns nothing about a value.  An addition or a
 * comparison would tell it something, by its outputs or by its error.
 */
TEST_F(perms, write_only_learns_nothing)
{
	struct kmap_op_ext ext;
	struct kmap_op op;
	__s64 sum = 0;

	/* The largest sum that does not overflow tells the number. */
	EXPECT_EQ(-EBADF, kt_add(self->wr, "number", 6, 3, 0, &sum, NULL));
	EXPECT_EQ(-EBADF, kt_add(self->wr, "number", 6, INT64_MAX, 0, &sum,
				 NULL));
	/* The result would also tell whether the key is a number, or is present. */
	EXPECT_EQ(-EBADF, kt_add(self->wr, "key", 3, 0, 0, &sum, NULL));
	EXPECT_EQ(-EBADF, kt_add(self->wr, "new", 3, 0, 0, &sum, NULL));
	kt_op_add(&op, "number", 6, 3, 0);
	EXPECT_EQ(0, kt_batch(self->wr, &op, 1, NULL));
	EXPECT_EQ(-EBADF, op.error);
	EXPECT_EQ(3, op.number);

	memset(&ext, 0, sizeof(ext));
	kt_op_set(&ext.op, "number", 6, "12345678", 8, KMAP_EQUAL);
	EXPECT_EQ(-EBADF, kt_ioctl(self->wr, KMAP_IOC_SET_EXT, &ext));
	EXPECT_EQ(-EBADF, kt_ioctl(self->wr, KMAP_IOC_SET, &ext.op));
	kt_op_del(&ext.op, "number", 6, KMAP_EQUAL);
	EXPECT_EQ(-EBADF, kt_ioctl(self->wr, KMAP_IOC_DELETE_EXT, &ext));
	EXPECT_EQ(-EBADF, kt_ioctl(self->wr, KMAP_IOC_DELETE, &ext.op));
	UNCHANGED(self->fd);

	/* The operations that are allowed tell nothing, either. */
	kt_op_set(&op, "number", 6, "12345678", 8, KMAP_CREATE);
	EXPECT_EQ(-EEXIST, kt_ioctl(self->wr, KMAP_IOC_SET, &op));
	EXPECT_EQ(0, op.number);
	EXPECT_EQ(0, op.out_len);
	EXPECT_EQ(0, op.out_flags);
	kt_op_del(&op, "number", 6, 0);
	EXPECT_EQ(0, kt_ioctl(self->wr, KMAP_IOC_DELETE, &op));
	EXPECT_EQ(0, op.number);
	EXPECT_EQ(0, op.out_len);
	EXPECT_EQ(0, op.out_flags);
}

TEST_F(perms, neither)
{
	__u8 out[16];

	EXPECT_EQ(-EBADF, kt_get(self->none, "key", 3, out, sizeof(out), NULL,
				 NULL));
	EXPECT_EQ(-EBADF, kt_set(self->none, "key", 3, "v", 1, 0, NULL));
	EXPECT_EQ(-EBADF, kt_del(self->none, "key", 3, 0, NULL));
	EXPECT_EQ(-EBADF, kt_add(self->none, "number", 6, 1, 0, NULL, NULL));
	EXPECT_EQ(-EBADF, kt_clear(self->none, NULL));
	EXPECT_EQ(-EBADF, walk(self->none, 0));
	UNCHANGED(self->fd);
}

/* Any file may send a batch; each record is refused by itself. */
TEST_F(perms, batches)
{
	struct kmap_op ops[6];
	__u8 out[16];
	__u32 done;
	int i, fds[3] = { self->rd, self->wr, self->none };
	static const int errors[3][6] = {
		{ 0, -EBADF, -EBADF, -EBADF, -EBADF, 0 },
		{ -EBADF, 0, -EBADF, -EBADF, 0, -EBADF },
		{ -EBADF, -EBADF, -EBADF, -EBADF, -EBADF, -EBADF },
	};
	int mode;

	for (mode = 0; mode < 3; mode++) {
		kt_op_get(&ops[0], "key", 3, out, sizeof(out));
		kt_op_set(&ops[1], "new", 3, "v", 1, KMAP_CREATE);
		kt_op_add(&ops[2], "number", 6, 1, 0);
		kt_op_set(&ops[3], "key", 3, "v", 1, KMAP_RETURN);
		ops[3].out = kt_ptr(out);
		ops[3].out_size = sizeof(out);
		kt_op_del(&ops[4], "new", 3, 0);
		kt_op_get(&ops[5], "key", 3, out, sizeof(out));
		EXPECT_EQ(0, kt_batch(fds[mode], ops, 6, &done));
		EXPECT_EQ(6, done);
		for (i = 0; i < 6; i++) {
			EXPECT_EQ(errors[mode][i], ops[i].error) {
				TH_LOG("mode %d, record %d", mode, i);
			}
		}
	}
	EXPECT_EQ(0, kt_get(self->fd, "key", 3, out, sizeof(out), NULL, NULL));
	EXPECT_EQ(0, memcmp(out, "value", 5));
}

/* A duplicate of a descriptor has no other rights. */
TEST_F(perms, duplicates)
{
	int fd = dup(self->rd);

	ASSERT_GE(fd, 0);
	EXPECT_EQ(-EBADF, kt_set(fd, "key", 3, "v", 1, 0, NULL));
	EXPECT_EQ(0, walk(fd, 0));
	close(fd);
	UNCHANGED(self->fd);
}

static mode_t node_mode(void)
{
	struct stat st;

	if (stat(KT_DEVICE, &st) || !S_ISCHR(st.st_mode))
		return ~0u;
	return st.st_mode & 07777;
}

/* Opens the device as an unprivileged user; 0 or an errno value. */
static int open_as_nobody(struct __test_metadata *_metadata, int flags)
{
	int status, fd;
	pid_t pid = fork();

	ASSERT_GE(pid, 0);
	if (!pid) {
		if (setgid(NOBODY) || setuid(NOBODY))
			_exit(255);
		fd = kt_open(flags);
		_exit(fd < 0 ? -fd : 0);
	}
	ASSERT_EQ(pid, waitpid(pid, &status, 0));
	ASSERT_TRUE(WIFEXITED(status));
	return WEXITSTATUS(status);
}

TEST_F(map, mode_of_the_node)
{
	static const struct {
		const char *params;
		mode_t mode;
		int rd, wr, rdwr;
	} modes[] = {
		{ "", 0600, EACCES, EACCES, EACCES },
		{ "mode=0600", 0600, EACCES, EACCES, EACCES },
		{ "mode=0", 0, EACCES, EACCES, EACCES },
		{ "mode=0644", 0644, 0, EACCES, EACCES },
		{ "mode=0602", 0602, EACCES, 0, EACCES },
		{ "mode=0666", 0666, 0, 0, 0 },
		/* It is octal even without a leading zero. */
		{ "mode=664", 0664, 0, EACCES, EACCES },
		{ "mode=777", 0777, 0, 0, 0 },
	};
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(modes); i++) {
		RELOAD("%s", modes[i].params);
		EXPECT_EQ(modes[i].mode, node_mode()) {
			TH_LOG("with %s", modes[i].params);
		}
		EXPECT_EQ(modes[i].rd, open_as_nobody(_metadata, O_RDONLY));
		EXPECT_EQ(modes[i].wr, open_as_nobody(_metadata, O_WRONLY));
		EXPECT_EQ(modes[i].rdwr, open_as_nobody(_metadata, O_RDWR));
	}
}

/* A process that has the file open needs no privilege for the operations. */
TEST_F(map, without_privilege)
{
	int status;
	pid_t pid;

	pid = fork();
	ASSERT_GE(pid, 0);
	if (!pid) {
		__u64 removed = 0;
		__s64 sum = 0;
		__u8 out[8];
		int bad;

		if (setgid(NOBODY) || setuid(NOBODY))
			_exit(255);
		bad = kt_set(self->fd, "key", 3, "value", 5, 0, NULL) ||
		      kt_get(self->fd, "key", 3, out, 8, NULL, NULL) ||
		      kt_add(self->fd, "n", 1, 7, 0, &sum, NULL) || sum != 7 ||
		      kt_del(self->fd, "key", 3, 0, NULL) ||
		      kt_walk_count(self->fd) != 1 ||
		      kt_clear(self->fd, &removed) || removed != 1 ||
		      kt_entries(self->fd);
		_exit(bad);
	}
	ASSERT_EQ(pid, waitpid(pid, &status, 0));
	ASSERT_TRUE(WIFEXITED(status));
	EXPECT_EQ(0, WEXITSTATUS(status));
}

TEST_HARNESS_MAIN
