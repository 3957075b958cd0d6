// SPDX-License-Identifier: MIT
/*
 * What the formats of a dump share, see dump.h.
 */
#include <inttypes.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include "dump.h"

int dump_error(struct dump_input *in, const char *format, ...)
{
	va_list args;

	in->error_line = in->reader.line;
	in->error_offset = reader_offset(&in->reader);
	if (in->reader.ret) {
		snprintf(in->error, sizeof(in->error), "cannot read: %s",
			 strerror(in->reader.ret));
		return -1;
	}
	va_start(args, format);
	vsnprintf(in->error, sizeof(in->error), format, args);
	va_end(args);
	return -1;
}

bool dump_parse_number(const char *word, uint64_t *number)
{
	return (word[0] != '0' || !word[1]) && cli_parse_u64(word, number);
}

bool dump_parse_value(const char *word, int64_t *number)
{
	bool minus = *word == '-';

	/* No plus, one way to write zero, and no zeros in front of others. */
	return word[0] != '+' && (word[minus] != '0' || (!minus && !word[1])) &&
	       cli_parse_s64(word, number);
}
