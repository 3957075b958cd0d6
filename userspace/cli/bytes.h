/* SPDX-License-Identifier: MIT */
/*
 * Byte strings of the kmap command: a buffer that grows, and the forms in which
 * bytes are written: escaped, hexadecimal, base64.
 *
 * Escaped form: the printable ASCII characters 0x20 to 0x7e stand for
 * themselves, except the backslash; \\ \t \n \r and \xHH (two hexadecimal
 * digits) stand for the rest.  A text in this form has no control characters,
 * and the bytes can be restored from it exactly.
 */
#ifndef KMAP_CLI_BYTES_H
#define KMAP_CLI_BYTES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>

/* A buffer; all zero at first, released by bytes_free(). */
struct bytes {
	unsigned char	*data;
	size_t		len;
	size_t		size;
};

/* Make room for more bytes behind the end; ends the program if it cannot. */
void bytes_reserve(struct bytes *bytes, size_t more);
void bytes_add(struct bytes *bytes, const void *data, size_t len);
void bytes_free(struct bytes *bytes);

static inline void bytes_put(struct bytes *bytes, unsigned char byte)
{
	if (bytes->len == bytes->size)
		bytes_reserve(bytes, 1);
	bytes->data[bytes->len++] = byte;
}

void bytes_print_escaped(FILE *out, const void *data, size_t len);
/* Print a message; what is not UTF-8, or could do harm to a terminal, is escaped. */
void bytes_print_message(FILE *out, const char *text);

void bytes_print_hex(FILE *out, const void *data, size_t len);
void bytes_print_base64(FILE *out, const void *data, size_t len);

/*
 * Append the bytes that text stands for.  Return NULL, or a message that tells
 * what is wrong with the text; some bytes may have been appended then.
 */
const char *bytes_add_escaped(struct bytes *bytes, const char *text);
const char *bytes_add_hex(struct bytes *bytes, const char *text);
const char *bytes_add_base64(struct bytes *bytes, const char *text, size_t len);

/* Value of a hexadecimal digit, or -1. */
int bytes_hex_digit(int c);

/*
 * The character at p if it is one that a terminal would obey: a control character,
 * one that turns the direction of text (U+061C, U+200E, U+202E and so on), or that
 * ends a line (U+2028, U+2029); else -1.  Sets *used to its length in bytes, or to 1.
 */
int bytes_control(const unsigned char *p, size_t len, size_t *used);

/*
 * The byte that a letter after a backslash stands for in the escaped form, or -1;
 * x is not such a letter.
 */
int bytes_escape_letter(int c);

/* Is this well-formed UTF-8: shortest form, no surrogates, to U+10FFFF? */
bool bytes_is_utf8(const void *data, size_t len);

#endif /* KMAP_CLI_BYTES_H */
