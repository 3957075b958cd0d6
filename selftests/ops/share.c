// SPDX-License-Identifier: GPL-2.0
/*
 * All processes share one map: through several opens, in children, through files
 * passed over a socket, and through files that stay open over exec.  The module
 * stays loaded while any of these files is open.
 */
#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/wait.h>

#include "kselftest_harness.h"
#include "kmap_fixture.h"

static int put(int fd, const char *key)
{
	return kt_set(fd, key, strlen(key), key, strlen(key), 0, NULL);
}

static int has(int fd, const char *key)
{
	char out[64];
	size_t len;
	int ret = kt_get(fd, key, strlen(key), out, sizeof(out), &len, NULL);

	if (ret)
		return ret;
	return len == strlen(key) && !memcmp(out, key, len) ? 0 : -EBADMSG;
}

/* Waits for a child; returns its exit status, or -1. */
static int join(pid_t pid)
{
	int status;

	if (pid < 0 || waitpid(pid, &status, 0) != pid || !WIFEXITED(status))
		return -1;
	return WEXITSTATUS(status);
}

TEST_F(map, several_opens)
{
	int fds[50];
	unsigned int i;
	char key[16];

	for (i = 0; i < ARRAY_SIZE(fds); i++) {
		fds[i] = kt_open(O_RDWR);
		ASSERT_GE(fds[i], 0);
		snprintf(key, sizeof(key), "key %u", i);
		ASSERT_EQ(0, put(fds[i], key));
	}
	for (i = 0; i < ARRAY_SIZE(fds); i++) {
		snprintf(key, sizeof(key), "key %u", i);
		EXPECT_EQ(0, has(fds[ARRAY_SIZE(fds) - 1 - i], key));
		close(fds[i]);
		fds[i] = self->fd;
	}
	EXPECT_EQ(50, kt_entries(self->fd));
}

/* The map keeps its entries while nobody has it open. */
TEST_F(map, nobody_has_it_open)
{
	ASSERT_EQ(0, put(self->fd, "kept"));
	close(self->fd);
	self->fd = kt_open(O_RDWR);
	ASSERT_GE(self->fd, 0);
	EXPECT_EQ(0, has(self->fd, "kept"));
	EXPECT_EQ(1, kt_entries(self->fd));
}

TEST_F(map, fork)
{
	pid_t pid;

	ASSERT_EQ(0, put(self->fd, "parent"));
	pid = fork();
	if (!pid) {
		int own = kt_open(O_RDWR);

		_exit(has(self->fd, "parent") || has(own, "parent") ||
		      put(self->fd, "child") || put(own, "child's own"));
	}
	ASSERT_EQ(0, join(pid));
	EXPECT_EQ(0, has(self->fd, "child"));
	EXPECT_EQ(0, has(self->fd, "child's own"));
	EXPECT_EQ(3, kt_entries(self->fd));
}

/* What a killed client did stays, and nothing else is left of it. */
TEST_F(map, killed_child)
{
	__s64 sum = 0;
	pid_t pid = fork();

	if (!pid)
		for (;;)
			kt_add(self->fd, "count", 5, 1, 0, NULL, NULL);
	while (sum < 100)
		kt_get(self->fd, "count", 5, &sum, 8, NULL, NULL);
	ASSERT_EQ(0, kill(pid, SIGKILL));
	ASSERT_EQ(pid, waitpid(pid, NULL, 0));
	EXPECT_EQ(0, kt_get(self->fd, "count", 5, &sum, 8, NULL, NULL));
	EXPECT_GE(sum, 100);
	EXPECT_EQ(0, kt_add(self->fd, "count", 5, -sum, 0, &sum, NULL));
	EXPECT_EQ(0, sum);
	EXPECT_EQ(1, kt_entries(self->fd));
}

union control {
	char buf[CMSG_SPACE(sizeof(int))];
	struct cmsghdr align;
};

static int send_fd(int sock, int fd)
{
	char byte = 0;
	struct iovec iov = { .iov_base = &byte, .iov_len = 1 };
	union control control = { { 0 } };
	struct msghdr msg = {
		.msg_iov = &iov,
		.msg_iovlen = 1,
		.msg_control = control.buf,
		.msg_controllen = sizeof(control.buf),
	};
	struct cmsghdr *cmsg = CMSG_FIRSTHDR(&msg);

	cmsg->cmsg_level = SOL_SOCKET;
	cmsg->cmsg_type = SCM_RIGHTS;
	cmsg->cmsg_len = CMSG_LEN(sizeof(int));
	memcpy(CMSG_DATA(cmsg), &fd, sizeof(fd));
	return sendmsg(sock, &msg, 0) == 1 ? 0 : -errno;
}

static int receive_fd(int sock)
{
	char byte;
	struct iovec iov = { .iov_base = &byte, .iov_len = 1 };
	union control control;
	struct msghdr msg = {
		.msg_iov = &iov,
		.msg_iovlen = 1,
		.msg_control = control.buf,
		.msg_controllen = sizeof(control.buf),
	};
	struct cmsghdr *cmsg;
	int fd;

	if (recvmsg(sock, &msg, 0) != 1)
		return -errno;
	cmsg = CMSG_FIRSTHDR(&msg);
	if (!cmsg || cmsg->cmsg_type != SCM_RIGHTS)
		return -EPROTO;
	memcpy(&fd, CMSG_DATA(cmsg), sizeof(fd));
	return fd;
}

/* A file that is passed on keeps the rights with which it was opened. */
TEST_F(map, passed_over_a_socket)
{
	int socks[2], rd = kt_open(O_RDONLY);
	pid_t pid;

	ASSERT_GE(rd, 0);
	ASSERT_EQ(0, put(self->fd, "before"));
	ASSERT_EQ(0, socketpair(AF_UNIX, SOCK_STREAM, 0, socks));
	pid = fork();
	if (!pid) {
		int got[2];

		/* Close what was inherited, so that only what arrives is open. */
		close(self->fd);
		close(rd);
		got[0] = receive_fd(socks[1]);
		got[1] = receive_fd(socks[1]);
		_exit(got[0] < 0 || got[1] < 0 ||
		      has(got[0], "before") || has(got[1], "before") ||
		      put(got[0], "passed") != -EBADF ||
		      put(got[1], "passed"));
	}
	EXPECT_EQ(0, send_fd(socks[0], rd));
	EXPECT_EQ(0, send_fd(socks[0], self->fd));
	EXPECT_EQ(0, join(pid));
	EXPECT_EQ(0, has(self->fd, "passed"));
	EXPECT_EQ(2, kt_entries(self->fd));
	close(socks[0]);
	close(socks[1]);
	close(rd);
}

/* Runs a shell that looks for descriptor @fd; returns 0 if it is open. */
static int seen_after_exec(int fd)
{
	char number[16];
	pid_t pid;

	snprintf(number, sizeof(number), "%d", fd);
	pid = fork();
	if (!pid) {
		execl("/bin/sh", "sh", "-c", "test -e /proc/self/fd/$0",
		      number, NULL);
		_exit(127);
	}
	return join(pid);
}

TEST_F(map, exec)
{
	int keep = kt_open(O_RDWR), lose = kt_open(O_RDWR | O_CLOEXEC);

	ASSERT_GE(keep, 0);
	ASSERT_GE(lose, 0);
	EXPECT_EQ(0, seen_after_exec(keep));
	EXPECT_EQ(1, seen_after_exec(lose));
	close(keep);
	close(lose);
}

TEST_F(map, unload_while_open)
{
	int rd = kt_open(O_RDONLY);

	ASSERT_GE(rd, 0);
	ASSERT_EQ(0, put(self->fd, "kept"));
	EXPECT_EQ(-EWOULDBLOCK, kt_unload());
	close(self->fd);
	/* One file is left, open for reading only. */
	EXPECT_EQ(-EWOULDBLOCK, kt_unload());
	EXPECT_EQ(0, has(rd, "kept"));
	close(rd);
	EXPECT_EQ(0, kt_unload());
	EXPECT_FALSE(kt_loaded());
	EXPECT_EQ(-ENOENT, kt_open(O_RDWR));
	/* After the module is loaded again, the map is a new one. */
	ASSERT_EQ(0, kt_reload("%s", ""));
	self->fd = kt_open(O_RDWR);
	ASSERT_GE(self->fd, 0);
	EXPECT_EQ(0, kt_entries(self->fd));
}

TEST_F(map, unload_while_a_child_has_it)
{
	int pipes[2];
	char byte;
	pid_t pid;

	ASSERT_EQ(0, pipe(pipes));
	pid = fork();
	if (!pid) {
		close(pipes[1]);
		/* Wait until the other end of the pipe is closed. */
		_exit(read(pipes[0], &byte, 1) ||
		      put(self->fd, "from the child"));
	}
	close(pipes[0]);
	close(self->fd);
	EXPECT_EQ(-EWOULDBLOCK, kt_unload());
	close(pipes[1]);
	EXPECT_EQ(0, join(pid));
	EXPECT_EQ(0, kt_unload());
	EXPECT_FALSE(kt_loaded());
	ASSERT_EQ(0, kt_reload("%s", ""));
	self->fd = kt_open(O_RDWR);
	ASSERT_GE(self->fd, 0);
}

/* The only open file is in a message that nobody has read. */
TEST_F(map, unload_while_on_its_way)
{
	int socks[2];

	ASSERT_EQ(0, put(self->fd, "kept"));
	ASSERT_EQ(0, socketpair(AF_UNIX, SOCK_STREAM, 0, socks));
	ASSERT_EQ(0, send_fd(socks[0], self->fd));
	close(self->fd);
	EXPECT_EQ(-EWOULDBLOCK, kt_unload());
	self->fd = receive_fd(socks[1]);
	ASSERT_GE(self->fd, 0);
	EXPECT_EQ(0, has(self->fd, "kept"));
	ASSERT_EQ(0, send_fd(socks[0], self->fd));
	close(self->fd);
	EXPECT_EQ(-EWOULDBLOCK, kt_unload());
	/* The message is discarded, and with it the last file. */
	close(socks[0]);
	close(socks[1]);
	EXPECT_EQ(0, kt_unload());
	EXPECT_FALSE(kt_loaded());
	ASSERT_EQ(0, kt_reload("%s", ""));
	self->fd = kt_open(O_RDWR);
	ASSERT_GE(self->fd, 0);
	EXPECT_EQ(0, kt_entries(self->fd));
}

TEST_HARNESS_MAIN
