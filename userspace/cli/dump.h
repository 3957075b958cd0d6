/* SPDX-License-Identifier: MIT */
/*
 * The two formats of a dump: how each is written, and how it is read back.
 *
 * A format is a const table of functions.  walk.c (keys, dump) and load.c know
 * no more of it than this; the formats know nothing of the map.  kmap(1)
 * describes the formats.
 */
#ifndef KMAP_CLI_DUMP_H
#define KMAP_CLI_DUMP_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

#include "bytes.h"
#include "cli.h"
#include "kmap.h"
#include "reader.h"

/* Version of both formats. */
#define DUMP_VERSION	1

/* One record that was read: key and value lie in a struct bytes. */
struct dump_record {
	size_t		key;		/* offset of the key */
	size_t		key_len;
	size_t		value;		/* offset of the value */
	size_t		value_len;
	bool		number;		/* the value is one, as KMAP_NUMBER says */
	uint64_t	line;		/* where it began */
};

/* A dump that is being read; begins as zeros but for the reader. */
struct dump_input {
	struct reader	reader;
	uint64_t	count;		/* records so far */
	/* JSON: where in the document we are, what its "count" said. */
	bool		inside;		/* of "entries" */
	bool		entries_seen;
	bool		count_seen;
	uint64_t	declared;
	struct bytes	scratch;
	/* What is wrong, once a function below has returned an error. */
	char		error[160];
	uint64_t	error_line;
	uint64_t	error_offset;
};

struct dump_format {
	/* Writing: what stands before, for, and after the records. */
	void (*print_begin)(FILE *out);
	void (*print)(FILE *out, const struct kmap_pair *pair, bool version,
		      bool first);
	void (*print_end)(FILE *out, uint64_t count);

	/* Reading: begin returns 0 or -1. */
	int (*begin)(struct dump_input *in);
	/*
	 * Append the next record's key and value to data, a number as the map
	 * stores it.  Returns 1, or 0 after the last record of a dump that is
	 * complete, or -1.
	 */
	int (*next)(struct dump_input *in, struct bytes *data,
		    struct dump_record *record);
};

extern const struct dump_format dump_text;
extern const struct dump_format dump_json;

/*
 * A number as dumps have it: decimal, no sign, no zeros in front, up to 64
 * bits.  Returns whether all of word is one.
 */
bool dump_parse_number(const char *word, uint64_t *number);

/* The same for the number that a value is, which may have a minus. */
bool dump_parse_value(const char *word, int64_t *number);

/* Longest word that these take, with its zero byte. */
#define DUMP_WORD_MAX	32

/*
 * Note what is wrong at this place of the input; returns -1.  When reading
 * failed there, that is what is wrong.
 */
int dump_error(struct dump_input *in, const char *format, ...)
	CLI_FORMAT;

#endif /* KMAP_CLI_DUMP_H */
