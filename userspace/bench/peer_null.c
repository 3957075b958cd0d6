// SPDX-License-Identifier: MIT
/*
 * The floor of a system call: an ioctl that does nothing, ENOTTY on /dev/null.
 */
#include <errno.h>
#include <fcntl.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "bench.h"

static int fd = -1;

static int null_open(uint64_t entries)
{
	(void)entries;
	fd = open("/dev/null", O_RDWR | O_CLOEXEC);
	return fd < 0 ? -errno : 0;
}

static void null_close(void)
{
	close(fd);
}

static void *null_join(void)
{
	return &fd;
}

static void null_leave(void *seat)
{
	(void)seat;
}

static int null_get(void *seat, const char *key, char *value)
{
	(void)seat;
	(void)key;
	/* A request that no file knows. */
	return ioctl(fd, 0xBA00, value) == -1 && errno == ENOTTY ? 0 : -EIO;
}

const struct peer peer_null = {
	.name = "null-ioctl",
	.what = "ENOTTY on /dev/null",
	.open = null_open,
	.close = null_close,
	.join = null_join,
	.leave = null_leave,
	.get = null_get,
};
