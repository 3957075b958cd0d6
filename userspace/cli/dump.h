/* SPDX-License-Identifier: MIT */
/*
 * The two formats of a dump: how each is written, and how it is read back.
 *
 * A format is a const table of functions.  walk.c and load.c use nothing else of
 * it, and the formats do not use the map.  kmap(1) describes the formats.
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
	bool		number;		/* the value is one, see KMAP_NUMBER */
	uint64_t	line;		/* where it began */
};

/* A dump that is being read; at first all but the reader is zero. */
struct dump_input {
	struct reader	reader;
	uint64_t	count;		/* records so far */
	/* JSON: the place in the document, and its "count". */
	bool		inside;		/* of "entries" */
	bool		entries_seen;
	bool		count_seen;
	uint64_t	declared;
	struct bytes	scratch;
	/* What is wrong, and where, after a function below has failed. */
	char		error[160];
	uint64_t	error_line;
	uint64_t	error_offset;
};

struct dump_format {
	/* Writing: the beginning, one record, and the end. */
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
 * Parse a number of a dump: decimal, no sign, no zeros in front, up to 64 bits.
 * Returns whether all of word is one.
 */
bool dump_parse_number(const char *word, uint64_t *number);

/* The same for a value that is a number: it may have a minus. */
bool dump_parse_value(const char *word, int64_t *number);

/* Size of the longest word that these take, with its zero byte. */
#define DUMP_WORD_MAX	32

/*
 * Note what is wrong at this place of the input; returns -1.  If reading has
 * failed there, that is noted instead.
 */
int dump_error(struct dump_input *in, const char *format, ...)
	CLI_FORMAT;

#endif /* KMAP_CLI_DUMP_H */
