/* SPDX-License-Identifier: MIT */
/*
 * libkmap: what its source files share.
 *
 * A handle does not change between kmap_open() and kmap_close(), which is why
 * any number of threads may use it without a lock.
 */
#ifndef KMAP_INTERNAL_H
#define KMAP_INTERNAL_H

#include <errno.h>
#include <stdint.h>
#include <sys/ioctl.h>

#include "kmap.h"
#include "window.h"

/* The library is built with hidden visibility; this marks functions that it exports. */
#define KMAP_EXPORT	__attribute__((visibility("default")))

/**
 * struct kmap - a handle
 * @fd: the device
 * @flags: KMAP_RDWR, KMAP_RDONLY or KMAP_WRONLY, as @fd was opened, and
 *	KMAP_NO_WINDOW or KMAP_WINDOW, if the caller passed it
 * @window_error: why there is no window, or 0
 * @window: the window, if @fd has one and may be read
 */
struct kmap {
	int		fd;
	unsigned int	flags;
	int		window_error;
	struct window	window;
};

/**
 * device_call - call an ioctl of the device
 * @map: the handle
 * @request: KMAP_IOC_*
 * @record: its record
 *
 * The kernel interrupts a call for fatal signals only, so no call is repeated.
 *
 * Return: 0 or a negative errno value.
 */
static inline int device_call(const struct kmap *map, unsigned long request,
			      void *record)
{
	return ioctl(map->fd, request, record) < 0 ? -errno : 0;
}

/**
 * op_set_key - put the key into a record
 * @op: the record
 * @key: the key
 * @key_len: its length
 *
 * Return: 0, or -ENAMETOOLONG for a length that does not fit in the record.
 */
static inline int op_set_key(struct kmap_op *op, const void *key,
			     size_t key_len)
{
	op->key = KMAP_PTR(key);
	op->key_len = (uint32_t)key_len;
	return op->key_len == key_len ? 0 : -ENAMETOOLONG;
}

/**
 * op_set_out - put the buffer for a value that is returned into a record
 * @op: the record
 * @out: the buffer
 * @size: its size; may be larger than the record can hold
 */
static inline void op_set_out(struct kmap_op *op, void *out, size_t size)
{
	op->out = KMAP_PTR(out);
	op->out_size = size < UINT32_MAX ? (uint32_t)size : UINT32_MAX;
}

#endif /* KMAP_INTERNAL_H */
