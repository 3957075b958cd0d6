// SPDX-License-Identifier: MIT
/*
 * The JSON format of a dump: one document, one line per record.
 *
 *	{"kmap_dump":1,"entries":[
 *	{"key":"a","value":"text"},
 *	{"key":"b","value":{"base64":"/wA="},"version":7},
 *	{"key":"c","number":42}
 *	],"count":3}
 *
 * When it is read, white space may be anywhere between tokens, "kmap_dump" must
 * be first, and all other members may be in any order; unknown members are refused.
 */
#include <inttypes.h>
#include <string.h>

#include "dump.h"
#include "value.h"

/* Longest text of a number or of the name of a member. */
#define NAME_MAX_LEN	(DUMP_WORD_MAX - 1)

static void print_begin(FILE *out)
{
	fprintf(out, "{\"kmap_dump\":%d,\"entries\":[", DUMP_VERSION);
}

static void print(FILE *out, const struct kmap_pair *pair, bool version,
		  bool first)
{
	fputs(first ? "\n{\"key\":" : ",\n{\"key\":", out);
	cli_print_json(out, pair->key, pair->key_len);
	if (cli_is_number(pair)) {
		fprintf(out, ",\"number\":%" PRId64, cli_number(pair->value));
	} else {
		fputs(",\"value\":", out);
		cli_print_json(out, pair->value, pair->value_len);
	}
	if (version)
		fprintf(out, ",\"version\":%" PRIu64, pair->version);
	putc_unlocked('}', out);
}

static void print_end(FILE *out, uint64_t count)
{
	fprintf(out, "\n],\"count\":%" PRIu64 "}\n", count);
}

/* Skip white space, and return the next byte without taking it. */
static int peek(struct dump_input *in)
{
	int c;

	while ((c = reader_peek(&in->reader)) == ' ' || c == '\n' ||
	       c == '\t' || c == '\r')
		reader_get(&in->reader);
	return c;
}

/* Take this byte, or fail because it is missing. */
static int expect(struct dump_input *in, int wanted, const char *where)
{
	int c = peek(in);

	if (c == READER_END)
		return dump_error(in, "the dump is cut off");
	if (c != wanted)
		return dump_error(in, "%c expected %s", wanted, where);
	reader_get(&in->reader);
	return 0;
}

/* Take four hexadecimal digits; returns their number, or -1 with an error. */
static int take_unit(struct dump_input *in)
{
	int unit = 0;

	for (int i = 0; i < 4; i++) {
		int digit = bytes_hex_digit(reader_peek(&in->reader));

		if (digit < 0)
			return dump_error(in, "\\u needs four hexadecimal digits");
		reader_get(&in->reader);
		unit = unit << 4 | digit;
	}
	return unit;
}

static void put_utf8(struct bytes *data, unsigned int code)
{
	if (code < 0x80) {
		bytes_put(data, (unsigned char)code);
		return;
	}
	if (code < 0x800) {
		bytes_put(data, (unsigned char)(0xc0 | code >> 6));
	} else {
		if (code < 0x10000) {
			bytes_put(data, (unsigned char)(0xe0 | code >> 12));
		} else {
			bytes_put(data, (unsigned char)(0xf0 | code >> 18));
			bytes_put(data, 0x80 | (code >> 12 & 0x3f));
		}
		bytes_put(data, 0x80 | (code >> 6 & 0x3f));
	}
	bytes_put(data, 0x80 | (code & 0x3f));
}

/* Take the rest of \u; some characters are written as two of them. */
static int take_unicode(struct dump_input *in, struct bytes *data)
{
	int unit = take_unit(in);
	int low;

	if (unit < 0)
		return -1;
	if (unit >= 0xd800 && unit <= 0xdbff) {
		if (reader_get(&in->reader) != '\\' ||
		    reader_get(&in->reader) != 'u')
			return dump_error(in, "half a surrogate pair");
		low = take_unit(in);
		if (low < 0)
			return -1;
		if (low < 0xdc00 || low > 0xdfff)
			return dump_error(in, "half a surrogate pair");
		unit = 0x10000 + ((unit & 0x3ff) << 10 | (low & 0x3ff));
	} else if (unit >= 0xdc00 && unit <= 0xdfff) {
		return dump_error(in, "half a surrogate pair");
	}
	put_utf8(data, (unsigned int)unit);
	return 0;
}

static int take_escape(struct dump_input *in, struct bytes *data)
{
	static const char letters[] = "\"\\/bfnrt", bytes[] = "\"\\/\b\f\n\r\t";
	int c = reader_get(&in->reader);
	const char *at;

	if (c == 'u')
		return take_unicode(in, data);
	at = c > 0 ? strchr(letters, c) : NULL;
	if (!at)
		return dump_error(in, "unknown escape in a string");
	bytes_put(data, (unsigned char)bytes[at - letters]);
	return 0;
}

/* Take a string of up to limit bytes. */
static int take_string(struct dump_input *in, struct bytes *data, size_t limit,
		       const char *what)
{
	size_t begin_len = data->len;

	if (expect(in, '"', "to begin a string"))
		return -1;
	bytes_reserve(data, 1);
	for (;;) {
		int c = reader_peek(&in->reader);

		if (c == READER_END)
			return dump_error(in, "the dump is cut off");
		if (c < 0x20)
			return dump_error(in, "byte 0x%02x in a string must be escaped",
					  (unsigned int)c);
		reader_get(&in->reader);
		if (c == '"')
			break;
		if (c != '\\')
			bytes_put(data, (unsigned char)c);
		else if (take_escape(in, data))
			return -1;
		if (data->len - begin_len > limit)
			return dump_error(in, "a %s longer than any map takes (%zu bytes)",
					  what, limit);
	}
	if (!bytes_is_utf8(data->data + begin_len, data->len - begin_len))
		return dump_error(in, "a string that is not UTF-8");
	return 0;
}

/* Take a string that is a name, and the colon after it. */
static const char *take_name(struct dump_input *in)
{
	in->scratch.len = 0;
	if (take_string(in, &in->scratch, NAME_MAX_LEN, "name") ||
	    expect(in, ':', "behind a name"))
		return NULL;
	bytes_put(&in->scratch, '\0');
	return (const char *)in->scratch.data;
}

/* Take the characters of a number; returns whether it is an integer, as far as was read. */
static bool take_digits(struct dump_input *in, char word[DUMP_WORD_MAX])
{
	size_t len = 0;
	int c = peek(in);

	while (((c >= '0' && c <= '9') || c == '-') && len < DUMP_WORD_MAX - 1) {
		word[len++] = (char)reader_get(&in->reader);
		c = reader_peek(&in->reader);
	}
	word[len] = '\0';
	return c != '.' && c != 'e' && c != 'E';
}

static int take_number(struct dump_input *in, uint64_t *number)
{
	char word[DUMP_WORD_MAX];

	if (!take_digits(in, word) || !dump_parse_number(word, number))
		return dump_error(in, "a whole number of up to 64 bits expected");
	return 0;
}

/* Take a value that is a number. */
static int take_value(struct dump_input *in, struct bytes *data)
{
	char word[DUMP_WORD_MAX];
	int64_t number;

	if (!take_digits(in, word) || !dump_parse_value(word, &number))
		return dump_error(in, "a whole number of 64 bits expected, as in -42");
	bytes_add(data, &number, sizeof(number));
	return 0;
}

/* Take a key or value: a string, or an object with base64. */
static int take_bytes(struct dump_input *in, struct bytes *data, size_t limit,
		      const char *what)
{
	size_t begin_len = data->len;
	const char *name, *wrong;

	if (peek(in) != '{')
		return take_string(in, data, limit, what);
	reader_get(&in->reader);
	name = take_name(in);
	if (!name)
		return -1;
	if (strcmp(name, "base64"))
		return dump_error(in, "a string or {\"base64\": \"...\"} expected");
	in->scratch.len = 0;
	if (take_string(in, &in->scratch, (limit + 2) / 3 * 4, what) ||
	    expect(in, '}', "behind base64"))
		return -1;
	wrong = bytes_add_base64(data, (const char *)in->scratch.data,
				 in->scratch.len);
	if (wrong)
		return dump_error(in, "%s", wrong);
	if (data->len - begin_len > limit)
		return dump_error(in, "a %s longer than any map takes (%zu bytes)",
				  what, limit);
	return 0;
}

/* Which members of a record have been seen. */
enum { SEEN_KEY = 1, SEEN_VALUE = 2, SEEN_VERSION = 4, SEEN_NUMBER = 8 };

static int take_member(struct dump_input *in, struct bytes *data,
		       struct dump_record *record, int *seen)
{
	const char *name = take_name(in);
	uint64_t version;
	int now;

	if (!name)
		return -1;
	now = !strcmp(name, "key") ? SEEN_KEY :
	      !strcmp(name, "value") ? SEEN_VALUE :
	      !strcmp(name, "number") ? SEEN_NUMBER :
	      !strcmp(name, "version") ? SEEN_VERSION : 0;
	if (!now)
		return dump_error(in, "unknown member; known are key, value, number, version");
	if (*seen & now)
		return dump_error(in, "a member of an entry is there twice");
	*seen |= now;
	if (*seen & SEEN_VALUE && *seen & SEEN_NUMBER)
		return dump_error(in, "an entry has a value or a number, not both");
	switch (now) {
	case SEEN_KEY:
		record->key = data->len;
		if (take_bytes(in, data, KMAP_KEY_MAX, "key"))
			return -1;
		record->key_len = data->len - record->key;
		if (!record->key_len)
			return dump_error(in, "an empty key");
		return 0;
	case SEEN_VALUE:
		record->value = data->len;
		if (take_bytes(in, data, KMAP_VALUE_MAX, "value"))
			return -1;
		record->value_len = data->len - record->value;
		return 0;
	case SEEN_NUMBER:
		record->number = true;
		record->value = data->len;
		record->value_len = sizeof(int64_t);
		return take_value(in, data);
	}
	return take_number(in, &version);
}

/* Take an entry; the white space in front of it has been taken. */
static int take_entry(struct dump_input *in, struct bytes *data,
		      struct dump_record *record)
{
	int seen = 0;

	record->line = in->reader.line;
	record->number = false;
	if (expect(in, '{', "to begin an entry"))
		return -1;
	for (;;) {
		if (take_member(in, data, record, &seen))
			return -1;
		if (peek(in) != ',')
			break;
		reader_get(&in->reader);
	}
	if (expect(in, '}', "behind an entry"))
		return -1;
	if (!(seen & SEEN_KEY) || !(seen & (SEEN_VALUE | SEEN_NUMBER)))
		return dump_error(in, "an entry needs a key, and a value or a number");
	in->count++;
	return 1;
}

static int read_begin(struct dump_input *in)
{
	const char *name;
	uint64_t version;

	if (reader_peek(&in->reader) == 'k')
		return dump_error(in, "this is no JSON; a dump in text loads without --json");
	if (expect(in, '{', "to begin a dump in JSON"))
		return -1;
	name = take_name(in);
	if (!name)
		return -1;
	if (strcmp(name, "kmap_dump"))
		return dump_error(in, "a dump in JSON begins with the member \"kmap_dump\"");
	if (take_number(in, &version))
		return -1;
	if (version != DUMP_VERSION)
		return dump_error(in, "version %" PRIu64 " of the format; this kmap knows %d",
				  version, DUMP_VERSION);
	return 0;
}

/* The document has ended: is it complete? */
static int check_end(struct dump_input *in)
{
	if (!in->entries_seen || !in->count_seen)
		return dump_error(in, "the dump has no \"%s\"",
				  in->entries_seen ? "count" : "entries");
	if (in->declared != in->count)
		return dump_error(in, "\"count\" says %" PRIu64 " entries, but there are %" PRIu64,
				  in->declared, in->count);
	if (peek(in) != READER_END)
		return dump_error(in, "something follows the dump");
	if (in->reader.ret)
		return dump_error(in, "cannot read");
	return 0;
}

/* Take a member of the document, up to the first entry if it is "entries". */
static int take_part(struct dump_input *in)
{
	const char *name;

	if (expect(in, ',', "or } behind a member"))
		return -1;
	name = take_name(in);
	if (!name)
		return -1;
	if (!strcmp(name, "count") && !in->count_seen) {
		in->count_seen = true;
		return take_number(in, &in->declared);
	}
	if (strcmp(name, "entries") || in->entries_seen)
		return dump_error(in, "unknown or repeated member; known: entries, count");
	in->entries_seen = true;
	in->inside = true;
	return expect(in, '[', "to begin the entries");
}

static int read_next(struct dump_input *in, struct bytes *data,
		     struct dump_record *record)
{
	bool first = !in->inside;

	for (;;) {
		while (!in->inside) {
			if (peek(in) == '}') {
				reader_get(&in->reader);
				return check_end(in);
			}
			if (take_part(in))
				return -1;
		}
		if (peek(in) != ']')
			break;
		reader_get(&in->reader);
		in->inside = false;
	}
	if (!first && expect(in, ',', "or ] behind an entry"))
		return -1;
	peek(in);
	return take_entry(in, data, record);
}

const struct dump_format dump_json = {
	.print_begin = print_begin,
	.print = print,
	.print_end = print_end,
	.begin = read_begin,
	.next = read_next,
};
