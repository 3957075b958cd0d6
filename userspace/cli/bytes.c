// SPDX-License-Identifier: MIT
/*
 * Byte strings of the kmap command, see bytes.h.
 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "bytes.h"
#include "cli.h"

static const char base64_digits[] =
	"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

void bytes_reserve(struct bytes *bytes, size_t more)
{
	size_t size = bytes->size ? bytes->size : 64;
	unsigned char *data;

	if (bytes->size - bytes->len >= more)
		return;
	while (size - bytes->len < more && size <= SIZE_MAX / 2)
		size *= 2;
	data = size - bytes->len < more ? NULL : realloc(bytes->data, size);
	if (!data) {
		fputs("kmap: out of memory\n", stderr);
		exit(CLI_ERROR);
	}
	bytes->data = data;
	bytes->size = size;
}

void bytes_add(struct bytes *bytes, const void *data, size_t len)
{
	bytes_reserve(bytes, len);
	if (len)
		memcpy(bytes->data + bytes->len, data, len);
	bytes->len += len;
}

void bytes_free(struct bytes *bytes)
{
	free(bytes->data);
	memset(bytes, 0, sizeof(*bytes));
}

void bytes_print_escaped(FILE *out, const void *data, size_t len)
{
	static const char hex[] = "0123456789abcdef";
	const unsigned char *p = data;

	for (size_t i = 0; i < len; i++) {
		switch (p[i]) {
		case '\\':
			fputs("\\\\", out);
			break;
		case '\t':
			fputs("\\t", out);
			break;
		case '\n':
			fputs("\\n", out);
			break;
		case '\r':
			fputs("\\r", out);
			break;
		default:
			if (p[i] >= 0x20 && p[i] <= 0x7e) {
				putc_unlocked(p[i], out);
				break;
			}
			putc_unlocked('\\', out);
			putc_unlocked('x', out);
			putc_unlocked(hex[p[i] >> 4], out);
			putc_unlocked(hex[p[i] & 15], out);
		}
	}
}

void bytes_print_hex(FILE *out, const void *data, size_t len)
{
	static const char hex[] = "0123456789abcdef";
	const unsigned char *p = data;

	for (size_t i = 0; i < len; i++) {
		putc_unlocked(hex[p[i] >> 4], out);
		putc_unlocked(hex[p[i] & 15], out);
	}
}

void bytes_print_base64(FILE *out, const void *data, size_t len)
{
	const unsigned char *p = data;

	for (; len; p += 3) {
		size_t part = len < 3 ? len : 3;
		unsigned int word = (unsigned int)p[0] << 16;

		if (part > 1)
			word |= (unsigned int)p[1] << 8;
		if (part > 2)
			word |= p[2];
		putc_unlocked(base64_digits[word >> 18], out);
		putc_unlocked(base64_digits[word >> 12 & 63], out);
		putc_unlocked(part > 1 ? base64_digits[word >> 6 & 63] : '=',
			      out);
		putc_unlocked(part > 2 ? base64_digits[word & 63] : '=', out);
		len -= part;
	}
}

int bytes_hex_digit(int c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	if (c >= 'a' && c <= 'f')
		return c - 'a' + 10;
	if (c >= 'A' && c <= 'F')
		return c - 'A' + 10;
	return -1;
}

int bytes_escape_letter(int c)
{
	switch (c) {
	case '\\':
		return '\\';
	case 't':
		return '\t';
	case 'n':
		return '\n';
	case 'r':
		return '\r';
	}
	return -1;
}

const char *bytes_add_escaped(struct bytes *bytes, const char *text)
{
	while (*text) {
		int byte = (unsigned char)*text++;

		if (byte == '\\' && *text == 'x') {
			int high = bytes_hex_digit(text[1]);
			int low = high < 0 ? -1 : bytes_hex_digit(text[2]);

			if (low < 0)
				return "\\x needs two hexadecimal digits";
			byte = high << 4 | low;
			text += 3;
		} else if (byte == '\\') {
			byte = bytes_escape_letter(*text);
			if (byte < 0)
				return "unknown escape; known are \\\\ \\t \\n \\r \\xHH";
			text++;
		}
		bytes_put(bytes, (unsigned char)byte);
	}
	return NULL;
}

const char *bytes_add_hex(struct bytes *bytes, const char *text)
{
	for (; *text; text += 2) {
		int high = bytes_hex_digit(text[0]);
		int low = bytes_hex_digit(text[1]);

		if (high < 0 || (low < 0 && text[1]))
			return "not a hexadecimal digit";
		if (!text[1])
			return "odd number of hexadecimal digits";
		bytes_put(bytes, (unsigned char)(high << 4 | low));
	}
	return NULL;
}

static int base64_value(char c)
{
	const char *at = c ? strchr(base64_digits, c) : NULL;

	return at ? (int)(at - base64_digits) : -1;
}

const char *bytes_add_base64(struct bytes *bytes, const char *text, size_t len)
{
	if (len % 4)
		return "base64 whose length is not a multiple of 4";
	for (; len; text += 4, len -= 4) {
		int pad = 0;
		unsigned int word = 0;

		/* Only the last four characters may end with = or ==. */
		if (len == 4 && text[3] == '=')
			pad = text[2] == '=' ? 2 : 1;
		for (int i = 0; i < 4; i++) {
			int value = i < 4 - pad ? base64_value(text[i]) : 0;

			if (value < 0)
				return "not a base64 character";
			word = word << 6 | (unsigned int)value;
		}
		/* Each string of bytes has only one text: unused bits are 0. */
		if (word & ((1u << 8 * pad) - 1))
			return "base64 with bits left over at its end";
		bytes_put(bytes, (unsigned char)(word >> 16));
		if (pad < 2)
			bytes_put(bytes, (unsigned char)(word >> 8));
		if (pad < 1)
			bytes_put(bytes, (unsigned char)word);
	}
	return NULL;
}

int bytes_control(const unsigned char *p, size_t len, size_t *used)
{
	int code;

	*used = 1;
	if (p[0] < 0x20 || p[0] == 0x7f)
		return p[0];
	if (len >= 2 && p[0] == 0xc2 && p[1] >= 0x80 && p[1] < 0xa0) {
		*used = 2;
		return p[1];
	}
	if (len >= 2 && p[0] == 0xd8 && p[1] == 0x9c) {
		*used = 2;
		return 0x61c;
	}
	if (len < 3 || p[0] != 0xe2 || (p[1] & 0xfe) != 0x80 ||
	    (p[2] & 0xc0) != 0x80)
		return -1;
	code = 0x2000 | (p[1] & 0x3f) << 6 | (p[2] & 0x3f);
	if (code != 0x200e && code != 0x200f &&
	    !(code >= 0x2028 && code <= 0x202e) &&
	    !(code >= 0x2066 && code <= 0x2069))
		return -1;
	*used = 3;
	return code;
}

/* Length of the well-formed UTF-8 character at p, or 0. */
static size_t utf8_length(const unsigned char *p, size_t len)
{
	unsigned char low = 0x80, high = 0xbf;	/* of the second byte */
	size_t need;

	if (p[0] < 0x80)
		return 1;
	if (p[0] < 0xc2 || p[0] > 0xf4)
		return 0;
	need = p[0] < 0xe0 ? 2 : p[0] < 0xf0 ? 3 : 4;
	if (len < need)
		return 0;
	if (p[0] == 0xe0)
		low = 0xa0;
	else if (p[0] == 0xed)
		high = 0x9f;
	else if (p[0] == 0xf0)
		low = 0x90;
	else if (p[0] == 0xf4)
		high = 0x8f;
	if (p[1] < low || p[1] > high)
		return 0;
	for (size_t i = 2; i < need; i++)
		if ((p[i] & 0xc0) != 0x80)
			return 0;
	return need;
}

bool bytes_is_utf8(const void *data, size_t len)
{
	const unsigned char *p = data;

	while (len) {
		size_t used = utf8_length(p, len);

		if (!used)
			return false;
		p += used;
		len -= used;
	}
	return true;
}

void bytes_print_message(FILE *out, const char *text)
{
	const unsigned char *p = (const unsigned char *)text;
	size_t len = strlen(text), used;

	for (; len; p += used, len -= used) {
		size_t whole = utf8_length(p, len);

		if (bytes_control(p, len, &used) >= 0 || !whole) {
			bytes_print_escaped(out, p, used);
		} else {
			used = whole;
			fwrite(p, 1, used, out);
		}
	}
}
