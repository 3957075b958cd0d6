// SPDX-License-Identifier: MIT
/*
 * libkmap: handles, and operations on the whole map.
 */
#ifndef _GNU_SOURCE
#define _GNU_SOURCE
#endif
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "internal.h"

#define OPEN_FLAGS	(KMAP_RDONLY | KMAP_WRONLY | WINDOW_FLAGS)
#define WINDOW_FLAGS	(KMAP_NO_WINDOW | KMAP_WINDOW)

static int check_flags(unsigned int flags)
{
	if (flags & ~OPEN_FLAGS)
		return -EINVAL;
	if ((flags & KMAP_RDONLY) && (flags & KMAP_WRONLY))
		return -EINVAL;
	if ((flags & WINDOW_FLAGS) == WINDOW_FLAGS)
		return -EINVAL;
	return 0;
}

/*
 * Ask the kernel whether @fd is a kmap.  Another file or device does not know the ioctl
 * and fails with any error; or it accepts every ioctl and leaves the record as it is.
 */
static int ask_map(int fd, struct kmap_info *info)
{
	*info = (struct kmap_info) { 0 };
	if (ioctl(fd, KMAP_IOC_INFO, info) < 0)
		return errno == ENOMEM || errno == EINTR ? -errno : -EMEDIUMTYPE;
	return info->abi && info->shards ? 0 : -EMEDIUMTYPE;
}

static int handle_new(struct kmap **map, int fd, unsigned int flags)
{
	struct kmap_info info;
	struct kmap *handle;
	int ret = ask_map(fd, &info);

	if (ret)
		return ret;
	handle = malloc(sizeof(*handle));
	if (!handle)
		return -ENOMEM;
	handle->fd = fd;
	handle->flags = flags;
	handle->window_error = window_map(handle, &info);
	*map = handle;
	return 0;
}

KMAP_EXPORT int kmap_open(struct kmap **map, const char *path,
			  unsigned int flags)
{
	int mode = O_RDWR;
	int fd, ret;

	*map = NULL;
	ret = check_flags(flags);
	if (ret)
		return ret;
	if (flags & KMAP_RDONLY)
		mode = O_RDONLY;
	else if (flags & KMAP_WRONLY)
		mode = O_WRONLY;

	if (!path)
		path = secure_getenv("KMAP_DEVICE");
	if (!path || !*path)
		path = KMAP_DEVICE;

	/* A file that is no kmap must not block the program or become its terminal. */
	fd = open(path, mode | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
	if (fd < 0) {
		/* ENOENT is for absent keys; here ENOENT and ENXIO mean: no module. */
		if (errno == ENOENT || errno == ENXIO)
			return -ENODEV;
		return -errno;
	}

	ret = handle_new(map, fd, flags);
	if (ret)
		close(fd);
	else
		fcntl(fd, F_SETFL, 0);
	return ret;
}

KMAP_EXPORT int kmap_open_fd(struct kmap **map, int fd, unsigned int flags)
{
	int status, ret;

	*map = NULL;
	ret = check_flags(flags);
	if (ret)
		return ret;

	status = fcntl(fd, F_GETFL);
	if (status < 0)
		return -errno;
	flags &= WINDOW_FLAGS;
	if ((status & O_ACCMODE) == O_RDONLY)
		flags |= KMAP_RDONLY;
	else if ((status & O_ACCMODE) == O_WRONLY)
		flags |= KMAP_WRONLY;

	return handle_new(map, fd, flags);
}

KMAP_EXPORT void kmap_close(struct kmap *map)
{
	if (!map)
		return;
	window_unmap(map);
	close(map->fd);
	free(map);
}

KMAP_EXPORT int kmap_fd(const struct kmap *map)
{
	return map->fd;
}

KMAP_EXPORT size_t kmap_window(const struct kmap *map)
{
	return map->window.mem ? map->window.size : 0;
}

KMAP_EXPORT int kmap_window_error(const struct kmap *map)
{
	return map->window_error;
}

KMAP_EXPORT int kmap_clear(struct kmap *map, uint64_t *removed)
{
	struct kmap_clear record = { 0 };
	int ret = device_call(map, KMAP_IOC_CLEAR, &record);

	if (removed && (!ret || ret == -EINTR))
		*removed = record.removed;
	return ret;
}

KMAP_EXPORT int kmap_info(struct kmap *map, struct kmap_info *info)
{
	struct kmap_info record = { 0 };
	int ret = device_call(map, KMAP_IOC_INFO, &record);

	if (info && !ret)
		memcpy(info, &record, sizeof(record));
	return ret;
}
