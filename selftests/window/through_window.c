// SPDX-License-Identifier: GPL-2.0
/*
 * Test programs once more, reading through the window: linked in with
 * --wrap=ioctl,--wrap=close, this takes GET records out of their ioctls and has
 * libkmap's reader answer them.  What the program expects of the ioctl it then
 * expects of the window, in every detail.
 *
 * One GET in MIX goes to the kernel as before, so that the two meet: what either
 * has shown, the other must not take back.  So does what the reader leaves to the
 * kernel.  The records of a batch are carried out one by one, which is all that a
 * batch promises.
 *
 *	KMAP_TEST_WINDOW=1	tell at exit how many GETs went which way
 */
#define _FILE_OFFSET_BITS 64
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

#include "internal.h"

#define MIX	5u
#define FILES	1024

int __real_ioctl(int fd, unsigned long cmd, void *arg);
int __real_close(int fd);
int __wrap_ioctl(int fd, unsigned long cmd, ...);
int __wrap_close(int fd);

/* The windows of open files, each mapped when it is first wanted. */
static struct kmap *handles[FILES];

/* A file that has no window, or must not be asked. */
static struct kmap none;

static unsigned long by_window, by_kernel;

static void tell(void)
{
	fprintf(stderr, "# process %d: %lu gets by window, %lu by the kernel\n",
		getpid(), by_window, by_kernel);
}

static void __attribute__((constructor)) begin(void)
{
	if (getenv("KMAP_TEST_WINDOW"))
		atexit(tell);
}

static struct kmap *handle_of(int fd)
{
	struct kmap *handle, *first = NULL;
	struct kmap_info info = { 0 };

	if (fd < 0 || fd >= FILES)
		return &none;
	handle = __atomic_load_n(&handles[fd], __ATOMIC_ACQUIRE);
	if (handle)
		return handle;
	handle = calloc(1, sizeof(*handle));
	if (!handle)
		return &none;
	handle->fd = fd;
	handle->flags = KMAP_WINDOW;
	if (!__real_ioctl(fd, KMAP_IOC_INFO, &info))
		window_map(handle, &info);
	if (__atomic_compare_exchange_n(&handles[fd], &first, handle, false,
					__ATOMIC_ACQ_REL, __ATOMIC_ACQUIRE))
		return handle;
	window_unmap(handle);
	free(handle);
	return first;
}

int __wrap_close(int fd)
{
	struct kmap *handle = NULL;

	if (fd >= 0 && fd < FILES)
		handle = __atomic_exchange_n(&handles[fd], NULL,
					     __ATOMIC_ACQ_REL);
	if (handle)
		window_unmap(handle);
	free(handle);
	return __real_close(fd);
}

/* A record that is right as it is; what is wrong with others the kernel says. */
static bool plain(const struct kmap_op *op, uint32_t opcode)
{
	return opcode == KMAP_OP_GET && !op->flags && !op->value &&
	       !op->value_len && !op->ttl;
}

/* Fills in what the kernel would: 0 or a negative errno, or WINDOW_UNKNOWN. */
static int get(int fd, struct kmap_op *op)
{
	static __thread unsigned int turn;
	void *out = (void *)(uintptr_t)op->out;
	struct kmap *handle = handle_of(fd);
	int64_t number = 0;
	uint64_t version;
	size_t len;
	int ret;

	if (!handle->window.mem || ++turn % MIX == 0)
		return WINDOW_UNKNOWN;
	ret = window_get(&handle->window, (void *)(uintptr_t)op->key,
			 op->key_len, out, op->out_size, &len, &version);
	if (ret == WINDOW_UNKNOWN || ret == -ENOENT)
		return ret;
	op->version = version;
	op->out_len = len;
	op->error = ret;
	if (!ret && len == sizeof(number))
		memcpy(&number, out, sizeof(number));
	if (!ret)
		op->number = number;
	return ret;
}

static int get_counted(int fd, struct kmap_op *op, uint32_t opcode)
{
	int ret = plain(op, opcode) ? get(fd, op) : WINDOW_UNKNOWN;

	if (opcode == KMAP_OP_GET)
		__atomic_fetch_add(ret == WINDOW_UNKNOWN ? &by_kernel :
				   &by_window, 1, __ATOMIC_RELAXED);
	return ret;
}

static int run_single(int fd, unsigned long cmd, struct kmap_op *op)
{
	int ret = WINDOW_UNKNOWN;

	if (!op->opcode || op->opcode == KMAP_OP_GET)
		ret = get_counted(fd, op, KMAP_OP_GET);
	if (ret == WINDOW_UNKNOWN)
		return __real_ioctl(fd, cmd, op);
	errno = -ret;
	return ret ? -1 : 0;
}

static int run_batch(int fd, unsigned long cmd, struct kmap_batch *batch)
{
	struct kmap_op *ops = (void *)(uintptr_t)batch->ops;
	uint32_t i;
	int ret;

	if (batch->op_size != sizeof(*ops) || batch->flags ||
	    batch->count > KMAP_BATCH_MAX || !batch->count)
		return __real_ioctl(fd, cmd, batch);
	for (i = 0; i < batch->count; i++) {
		struct kmap_batch one = {
			.ops = (uintptr_t)&ops[i],
			.count = 1,
			.op_size = sizeof(*ops),
		};

		ret = get_counted(fd, &ops[i], ops[i].opcode);
		if (ret != WINDOW_UNKNOWN) {
			ops[i].error = ret;
		} else if (__real_ioctl(fd, cmd, &one)) {
			batch->done = i;
			return -1;
		}
	}
	batch->done = i;
	return 0;
}

int __wrap_ioctl(int fd, unsigned long cmd, ...)
{
	va_list args;
	void *arg;

	va_start(args, cmd);
	arg = va_arg(args, void *);
	va_end(args);
	switch (cmd) {
	case KMAP_IOC_GET:
		return run_single(fd, cmd, arg);
	case KMAP_IOC_BATCH:
		return run_batch(fd, cmd, arg);
	default:
		return __real_ioctl(fd, cmd, arg);
	}
}
