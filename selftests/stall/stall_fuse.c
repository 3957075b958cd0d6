// SPDX-License-Identifier: GPL-2.0
/*
 * Pages that stall because they are from a file of a FUSE filesystem whose
 * server, a thread of the test, does not answer.  The server implements the part of
 * the protocol that a single file needs.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <unistd.h>

#include <linux/fuse.h>

#include "stall.h"

#define FILE_NODE	2
#define FILE_SIZE	(STALL_PAGES * STALL_PAGE)
#define TICK_US		500

static int device = -1;
static char dir[64];
static pthread_t server;

static void answer(const struct fuse_in_header *in, int error,
		   const void *data, size_t len)
{
	struct fuse_out_header out = {
		.len = sizeof(out) + (error ? 0 : len),
		.error = error,
		.unique = in->unique,
	};
	struct iovec parts[] = {
		{ .iov_base = &out, .iov_len = sizeof(out) },
		{ .iov_base = (void *)(uintptr_t)data, .iov_len = len },
	};

	/* The task that asked may be gone. */
	if (writev(device, parts, error || !len ? 1 : 2) < 0)
		return;
}

static struct fuse_attr attr_of(__u64 node)
{
	return (struct fuse_attr){
		.ino = node,
		.size = node == FILE_NODE ? FILE_SIZE : 0,
		.mode = node == FILE_NODE ? S_IFREG | 0600 : S_IFDIR | 0700,
		.nlink = 1,
		.blksize = STALL_PAGE,
	};
}

static void answer_init(const struct fuse_in_header *in)
{
	struct fuse_init_out out = {
		.major = FUSE_KERNEL_VERSION,
		.minor = FUSE_KERNEL_MINOR_VERSION,
		.max_write = STALL_PAGE,
		.max_readahead = 0,
	};

	answer(in, 0, &out, sizeof(out));
}

static void answer_lookup(const struct fuse_in_header *in)
{
	struct fuse_entry_out out = {
		.nodeid = FILE_NODE,
		.attr = attr_of(FILE_NODE),
	};

	answer(in, 0, &out, sizeof(out));
}

static void answer_attr(const struct fuse_in_header *in)
{
	struct fuse_attr_out out = { .attr = attr_of(in->nodeid) };

	answer(in, 0, &out, sizeof(out));
}

/* Answers for the page that stalls when it is released, for others at once. */
static void answer_read(const struct fuse_in_header *in,
			const struct fuse_read_in *read, struct stall *stall)
{
	__u64 stalls = (__u64)stall->page * STALL_PAGE;
	size_t len = read->size;

	if (read->offset >= FILE_SIZE)
		len = 0;
	else if (len > FILE_SIZE - read->offset)
		len = FILE_SIZE - read->offset;
	if (read->offset <= stalls && read->offset + len > stalls) {
		atomic_store(&stall->state, STALL_HELD);
		while (!atomic_load(&stall->release))
			usleep(TICK_US);
	}
	answer(in, 0, stall->content + read->offset, len);
}

static void *serve(void *arg)
{
	static __u64 request[FUSE_MIN_READ_BUFFER / 4];
	const struct fuse_in_header *in = (const void *)request;
	struct fuse_open_out opened = { 0 };
	struct stall *stall = arg;

	for (;;) {
		ssize_t len = read(device, request, sizeof(request));

		if (len < 0 && (errno == EINTR || errno == EAGAIN ||
				errno == ENOENT))
			continue;
		if (len < (ssize_t)sizeof(*in))
			return NULL;
		switch (in->opcode) {
		case FUSE_INIT:
			answer_init(in);
			break;
		case FUSE_LOOKUP:
			answer_lookup(in);
			break;
		case FUSE_GETATTR:
			answer_attr(in);
			break;
		case FUSE_OPEN:
			answer(in, 0, &opened, sizeof(opened));
			break;
		case FUSE_READ:
			answer_read(in, (const void *)(in + 1), stall);
			break;
		case FUSE_RELEASE:
		case FUSE_FLUSH:
			answer(in, 0, NULL, 0);
			break;
		case FUSE_FORGET:
		case FUSE_BATCH_FORGET:
		case FUSE_INTERRUPT:
			break;
		default:
			answer(in, -EOPNOTSUPP, NULL, 0);
			break;
		}
	}
}

static int fuse_begin(struct stall *stall)
{
	const char *tmp = getenv("TMPDIR");
	char options[96];
	int ret;

	device = open("/dev/fuse", O_RDWR | O_CLOEXEC);
	if (device < 0)
		return -errno;
	/* A mount namespace of our own, whose mounts end with this process. */
	if (unshare(CLONE_NEWNS) ||
	    mount("none", "/", NULL, MS_REC | MS_PRIVATE, NULL))
		return -errno;
	snprintf(dir, sizeof(dir), "%s/fuse-%d",
		 tmp && strlen(tmp) < 40 ? tmp : "/tmp", getpid());
	if (mkdir(dir, 0700))
		return -errno;
	snprintf(options, sizeof(options),
		 "fd=%d,rootmode=40000,user_id=0,group_id=0", device);
	if (mount("kmap", dir, "fuse", MS_NOSUID | MS_NODEV, options))
		return -errno;
	ret = pthread_create(&server, NULL, serve, stall);
	return -ret;
}

static void fuse_end(struct stall *stall)
{
	(void)stall;
	/* Ends the connection, and so the server. */
	umount2(dir, MNT_FORCE | MNT_DETACH);
	close(device);
	pthread_join(server, NULL);
	rmdir(dir);
}

static void *fuse_map(struct stall *stall)
{
	char path[96];
	void *memory;
	int fd;

	(void)stall;
	snprintf(path, sizeof(path), "%s/pages", dir);
	fd = open(path, O_RDWR | O_CLOEXEC);
	if (fd < 0)
		return NULL;
	memory = mmap(NULL, FILE_SIZE, PROT_READ | PROT_WRITE, MAP_PRIVATE, fd,
		      0);
	close(fd);
	if (memory == MAP_FAILED)
		return NULL;
	/* One page at a time. */
	return madvise(memory, FILE_SIZE, MADV_RANDOM) ? NULL : memory;
}

static bool fuse_arm(struct stall *stall, void *pages)
{
	(void)pages;
	return !stall->writes && stall->before == STALL_NONE;
}

const struct stall_ops stall_fuse = {
	.begin	= fuse_begin,
	.map	= fuse_map,
	.arm	= fuse_arm,
	.end	= fuse_end,
};
