/* SPDX-License-Identifier: MIT */
/*
 * Reading a dump byte by byte, and counting lines and bytes for messages.
 */
#ifndef KMAP_CLI_READER_H
#define KMAP_CLI_READER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define READER_SIZE	65536
#define READER_END	(-1)

struct reader {
	int		fd;
	int		ret;		/* errno of a read that failed */
	uint64_t	line;		/* of the next byte, from 1 */
	uint64_t	base;		/* offset of data[0] in the input */
	size_t		pos;		/* next byte */
	size_t		len;
	unsigned char	data[READER_SIZE];
};

/* Begin to read from fd, which the caller closes. */
void reader_init(struct reader *reader, int fd);

/* Get more data; returns whether there is any. */
bool reader_fill(struct reader *reader);

/* The next byte without taking it; READER_END at the end or on an error. */
static inline int reader_peek(struct reader *reader)
{
	if (reader->pos == reader->len && !reader_fill(reader))
		return READER_END;
	return reader->data[reader->pos];
}

/* Take the next byte. */
static inline int reader_get(struct reader *reader)
{
	int c = reader_peek(reader);

	if (c == READER_END)
		return c;
	reader->pos++;
	if (c == '\n')
		reader->line++;
	return c;
}

/* Offset of the next byte in the input, from 0. */
static inline uint64_t reader_offset(const struct reader *reader)
{
	return reader->base + reader->pos;
}

#endif /* KMAP_CLI_READER_H */
