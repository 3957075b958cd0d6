// SPDX-License-Identifier: MIT
/*
 * The text format of a dump: a head line, one line per record, an end line.
 *
 *	kmap-dump 1
 *	KEY<tab>VALUE
 *	KEY<tab>VALUE<tab>VERSION
 *	KEY<tab>\#NUMBER
 *	end 3
 *
 * Key and value are escaped (bytes.h), so neither has a tab or a newline in
 * it, and only the head and the end are lines without a tab.  \# is not an
 * escape, so a number cannot be mistaken for a text, nor a text for a number.
 */
#include <inttypes.h>
#include <string.h>

#include "dump.h"
#include "value.h"

static void print_begin(FILE *out)
{
	fprintf(out, "kmap-dump %d\n", DUMP_VERSION);
}

static void print(FILE *out, const struct kmap_pair *pair, bool version,
		  bool first)
{
	(void)first;
	bytes_print_escaped(out, pair->key, pair->key_len);
	putc_unlocked('\t', out);
	if (cli_is_number(pair))
		fprintf(out, "\\#%" PRId64, cli_number(pair->value));
	else
		bytes_print_escaped(out, pair->value, pair->value_len);
	if (version)
		fprintf(out, "\t%" PRIu64, pair->version);
	putc_unlocked('\n', out);
}

static void print_end(FILE *out, uint64_t count)
{
	fprintf(out, "end %" PRIu64 "\n", count);
}

/*
 * Take the rest of a short line into word, without its newline.  Returns false
 * if the line is too long, or not of printable ASCII characters.
 */
static bool take_line(struct reader *reader, char *word)
{
	size_t len = 0;
	int c;

	while ((c = reader_peek(reader)) != '\n') {
		if (c < 0x20 || c > 0x7e || len == DUMP_WORD_MAX - 1)
			return false;
		word[len++] = (char)reader_get(reader);
	}
	reader_get(reader);
	word[len] = '\0';
	return true;
}

static int read_begin(struct dump_input *in)
{
	static const char head[] = "kmap-dump ";
	char line[DUMP_WORD_MAX];
	uint64_t version;

	if (reader_peek(&in->reader) == '{')
		return dump_error(in, "this looks like a dump in JSON; say --json");
	if (!take_line(&in->reader, line) ||
	    strncmp(line, head, sizeof(head) - 1) ||
	    !dump_parse_number(line + sizeof(head) - 1, &version)) {
		in->reader.line = 1;
		return dump_error(in, "not a dump of kmap: its first line must be \"%s%d\"",
				  head, DUMP_VERSION);
	}
	if (version != DUMP_VERSION)
		return dump_error(in, "version %" PRIu64 " of the format; this kmap knows %d",
				  version, DUMP_VERSION);
	return 0;
}

/* Take an escape after its backslash; returns the byte, or -1 with an error. */
static int take_escape(struct dump_input *in)
{
	int c = reader_peek(&in->reader);
	int byte = bytes_escape_letter(c);
	int digit;

	if (byte >= 0) {
		reader_get(&in->reader);
		return byte;
	}
	if (c != 'x')
		return dump_error(in, "unknown escape; known are \\\\ \\t \\n \\r \\xHH");
	reader_get(&in->reader);
	byte = 0;
	for (int i = 0; i < 2; i++) {
		digit = bytes_hex_digit(reader_peek(&in->reader));
		if (digit < 0)
			return dump_error(in, "\\x needs two hexadecimal digits");
		reader_get(&in->reader);
		byte = byte << 4 | digit;
	}
	return byte;
}

/* Take a number after its \#, up to the tab or newline, which is not taken. */
static int take_number(struct dump_input *in, struct bytes *data)
{
	char word[DUMP_WORD_MAX];
	int64_t number;
	size_t len = 0;
	int c;

	while ((c = reader_peek(&in->reader)) != '\t' && c != '\n') {
		if (c == READER_END)
			return dump_error(in, "the dump ends in the middle of a line");
		if ((c != '-' && (c < '0' || c > '9')) || len == sizeof(word) - 1)
			break;
		word[len++] = (char)reader_get(&in->reader);
	}
	word[len] = '\0';
	if ((c != '\t' && c != '\n') || !dump_parse_value(word, &number))
		return dump_error(in, "\\# needs a whole number of 64 bits, as in \\#-42");
	bytes_add(data, &number, sizeof(number));
	return 0;
}

/*
 * Take escaped bytes up to the tab or newline after them, which is not taken.
 * Bytes above 0x7f may stand for themselves.  If number is not NULL, there may be
 * a number instead of bytes; *number is set to true then.
 */
static int take_bytes(struct dump_input *in, struct bytes *data,
		      const char *what, size_t limit, bool *number)
{
	size_t begin_len = data->len;

	for (;;) {
		int c = reader_peek(&in->reader);

		if (c == '\t' || c == '\n')
			return 0;
		if (c == READER_END)
			return dump_error(in, "the dump ends in the middle of a line");
		if (c == '\r')
			return dump_error(in, "a carriage return; were line ends converted?");
		if (c < 0x20 || c == 0x7f)
			return dump_error(in, "byte 0x%02x must be escaped",
					  (unsigned int)c);
		if (data->len - begin_len == limit)
			return dump_error(in, "a %s longer than any map takes (%zu bytes)",
					  what, limit);
		reader_get(&in->reader);
		if (c == '\\') {
			if (number && data->len == begin_len &&
			    reader_peek(&in->reader) == '#') {
				reader_get(&in->reader);
				*number = true;
				return take_number(in, data);
			}
			c = take_escape(in);
			if (c < 0)
				return -1;
		}
		bytes_put(data, (unsigned char)c);
	}
}

/* A line without a tab, whose text is in data, must be the end line. */
static int check_end(struct dump_input *in, const struct bytes *data,
		     size_t begin_len)
{
	static const char head[] = "end ";
	size_t len = data->len - begin_len;
	char word[DUMP_WORD_MAX];
	uint64_t count;

	if (len >= sizeof(word))
		return dump_error(in, "no tab between key and value");
	if (len)
		memcpy(word, data->data + begin_len, len);
	word[len] = '\0';
	if (strlen(word) != len || strncmp(word, head, sizeof(head) - 1) ||
	    !dump_parse_number(word + sizeof(head) - 1, &count))
		return dump_error(in, "no tab between key and value");
	if (count != in->count)
		return dump_error(in, "the end says %" PRIu64 " records, but there are %" PRIu64,
				  count, in->count);
	reader_get(&in->reader);
	if (reader_peek(&in->reader) != READER_END)
		return dump_error(in, "something follows the end line");
	if (in->reader.ret)
		return dump_error(in, "cannot read");
	return 0;
}

static int read_next(struct dump_input *in, struct bytes *data,
		     struct dump_record *record)
{
	struct reader *reader = &in->reader;
	char word[DUMP_WORD_MAX];
	uint64_t version;

	if (reader_peek(reader) == READER_END)
		return dump_error(in, "the dump is cut off: its end line is missing");
	record->line = reader->line;
	record->key = data->len;
	if (take_bytes(in, data, "key", KMAP_KEY_MAX, NULL))
		return -1;
	record->key_len = data->len - record->key;
	if (reader_peek(reader) == '\n') {
		int end = check_end(in, data, record->key);

		data->len = record->key;
		return end;
	}
	if (!record->key_len)
		return dump_error(in, "an empty key");
	reader_get(reader);
	record->value = data->len;
	record->number = false;
	if (take_bytes(in, data, "value", KMAP_VALUE_MAX, &record->number))
		return -1;
	record->value_len = data->len - record->value;
	if (reader_get(reader) == '\t' &&
	    (!take_line(reader, word) || !dump_parse_number(word, &version))) {
		reader->line = record->line;
		return dump_error(in, "only a tab and a version, a number, may follow the value");
	}
	in->count++;
	return 1;
}

const struct dump_format dump_text = {
	.print_begin = print_begin,
	.print = print,
	.print_end = print_end,
	.begin = read_begin,
	.next = read_next,
};
