// SPDX-License-Identifier: MIT
/*
 * Reading a dump, see reader.h.
 */
#include <errno.h>
#include <unistd.h>

#include "reader.h"

void reader_init(struct reader *reader, int fd)
{
	reader->fd = fd;
	reader->ret = 0;
	reader->line = 1;
	reader->base = 0;
	reader->pos = 0;
	reader->len = 0;
}

bool reader_fill(struct reader *reader)
{
	ssize_t got;

	if (reader->ret)
		return false;
	got = read(reader->fd, reader->data, sizeof(reader->data));
	if (got < 0) {
		/* EINTR too: only the handler of signals.c interrupts. */
		reader->ret = errno;
		return false;
	}
	if (!got)
		return false;
	reader->base += reader->len;
	reader->pos = 0;
	reader->len = (size_t)got;
	return true;
}
