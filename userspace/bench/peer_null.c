// SPDX-License-Identifier: MIT
/*
 * The least cost of a system call: an ioctl that does nothing, ENOTTY on /dev/null.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include <linux/kmap.h>

#include "bench.h"

static int null_open(uint64_t entries)
{
	(void)entries;
	return 0;
}

static void null_close(void)
{
}

/* Each thread opens the file itself, so that threads share no reference count. */
static void *null_join(void)
{
	int *fd = malloc(sizeof(*fd));

	if (!fd)
		return NULL;
	*fd = open("/dev/null", O_RDWR | O_CLOEXEC);
	if (*fd >= 0)
		return fd;
	perror("/dev/null");
	free(fd);
	return NULL;
}

static void null_leave(void *seat)
{
	int *fd = seat;

	close(*fd);
	free(fd);
}

static int null_get(void *seat, const char *key, char *value)
{
	const int *fd = seat;

	(void)key;
	/* A request that no file knows. */
	return ioctl(*fd, _IO(KMAP_IOC_MAGIC, 0), value) == -1 && errno == ENOTTY ? 0 : -EIO;
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
