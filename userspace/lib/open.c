// SPDX-License-Identifier: MIT
/*
 * libkmap: handles, and what concerns the map as a whole.
 */
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "internal.h"

#define OPEN_FLAGS	(KMAP_RDONLY | KMAP_WRONLY | KMAP_NO_WINDOW)

static int check_flags(unsigned int flags)
{
	if (flags & ~OPEN_FLAGS)
		return -EINVAL;
	if ((flags & KMAP_RDONLY) && (flags & KMAP_WRONLY))
		return -EINVAL;
	return 0;
}

static int handle_new(struct kmap **map, int fd, unsigned int flags)
{
	*map = malloc(sizeof(**map));
	if (!*map)
		return -ENOMEM;
	(*map)->fd = fd;
	(*map)->flags = flags;
	window_map(*map);
	return 0;
}

KMAP_EXPORT int kmap_open(struct kmap **map, const char *path,
			  unsigned int flags)
{
	int mode = O_RDWR;
	int fd, rc;

	*map = NULL;
	rc = check_flags(flags);
	if (rc)
		return rc;
	if (flags & KMAP_RDONLY)
		mode = O_RDONLY;
	else if (flags & KMAP_WRONLY)
		mode = O_WRONLY;

	if (!path)
		path = getenv("KMAP_DEVICE");
	if (!path || !*path)
		path = KMAP_DEVICE;

	fd = open(path, mode | O_CLOEXEC);
	if (fd < 0) {
		/* ENOENT is for keys; here it and ENXIO mean no module. */
		if (errno == ENOENT || errno == ENXIO)
			return -ENODEV;
		return -errno;
	}

	rc = handle_new(map, fd, flags);
	if (rc)
		close(fd);
	return rc;
}

KMAP_EXPORT int kmap_open_fd(struct kmap **map, int fd, unsigned int flags)
{
	int status, rc;

	*map = NULL;
	rc = check_flags(flags);
	if (rc)
		return rc;

	status = fcntl(fd, F_GETFL);
	if (status < 0)
		return -errno;
	flags &= KMAP_NO_WINDOW;
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

KMAP_EXPORT int kmap_clear(struct kmap *map, uint64_t *removed)
{
	struct kmap_clear record = { 0 };
	int rc = device_call(map, KMAP_IOC_CLEAR, &record);

	if (removed && (!rc || rc == -EINTR))
		*removed = record.removed;
	return rc;
}

KMAP_EXPORT int kmap_info(struct kmap *map, struct kmap_info *info)
{
	struct kmap_info record = { 0 };
	int rc = device_call(map, KMAP_IOC_INFO, &record);

	if (info && !rc)
		memcpy(info, &record, sizeof(record));
	return rc;
}
