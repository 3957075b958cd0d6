// SPDX-License-Identifier: MIT
/*
 * Reading and printing keys and values, see value.h.
 */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <string.h>
#include <unistd.h>

#include "value.h"

int cli_open_input(struct cli *cli, const char *name)
{
	int fd;

	if (strcmp(name, "-")) {
		fd = open(name, O_RDONLY | O_CLOEXEC);
		if (fd < 0)
			cli_error(cli, "cannot open %s: %s", name,
				  strerror(errno));
		return fd;
	}
	if (cli->stdin_taken) {
		cli_usage(cli, "only one of key and value can be standard input");
		return -1;
	}
	cli->stdin_taken = true;
	return STDIN_FILENO;
}

/* Append all of a file that may have up to limit bytes. */
static enum cli_status read_file(struct cli *cli, const char *name,
				 const char *what, size_t limit,
				 struct bytes *bytes)
{
	int fd = cli_open_input(cli, name);
	size_t begin = bytes->len;
	ssize_t got = 1;
	int ret;

	if (fd < 0)
		return CLI_ERROR;
	while (got && bytes->len - begin <= limit) {
		bytes_reserve(bytes, 4096);
		got = read(fd, bytes->data + bytes->len,
			   bytes->size - bytes->len);
		if (got < 0 && errno == EINTR)
			continue;
		if (got < 0)
			break;
		bytes->len += (size_t)got;
	}
	ret = got < 0 ? errno : 0;
	if (fd != STDIN_FILENO)
		close(fd);
	if (ret)
		return cli_error(cli, "cannot read the %s from %s: %s", what,
				 name, strerror(ret));
	if (bytes->len - begin > limit)
		return cli_error(cli, "the %s in %s is longer than any map takes (%zu bytes)",
				 what, name, limit);
	return CLI_DONE;
}

static enum cli_status add_text(const struct cli *cli, enum cli_form form,
				const char *what, const char *text,
				struct bytes *bytes)
{
	const char *wrong = NULL;
	int64_t number;

	switch (form) {
	case FORM_NUMBER:
		if (!cli_parse_s64(text, &number))
			return cli_usage(cli, "the %s \"%s\" is not a decimal number of 64 bits",
					 what, text);
		bytes_add(bytes, &number, sizeof(number));
		break;
	case FORM_HEX:
		wrong = bytes_add_hex(bytes, text);
		break;
	case FORM_ESCAPE:
		wrong = bytes_add_escaped(bytes, text);
		break;
	default:
		bytes_add(bytes, text, strlen(text));
	}
	if (wrong)
		return cli_usage(cli, "the %s \"%s\": %s", what, text, wrong);
	return CLI_DONE;
}

static enum cli_status take(struct cli *cli, const char *file,
			    enum cli_form form, const char *what, size_t limit,
			    struct bytes *bytes)
{
	const char *text;

	if (file)
		return read_file(cli, file, what, limit, bytes);
	if (!cli->argc)
		return cli_usage(cli, "the %s is missing", what);
	text = *cli->argv++;
	cli->argc--;
	if (!cli->literal && !strcmp(text, "-"))
		return read_file(cli, text, what, limit, bytes);
	return add_text(cli, form, what, text, bytes);
}

enum cli_status cli_take_key(struct cli *cli, struct bytes *key)
{
	size_t begin = key->len;
	enum cli_status status = take(cli, cli->args.key_file,
				      (enum cli_form)cli->args.in, "key",
				      KMAP_KEY_MAX, key);

	if (!status && key->len == begin)
		return cli_usage(cli, "the key is empty");
	return status;
}

static enum cli_form value_form(const struct cli *cli)
{
	return cli->args.number ? FORM_NUMBER : (enum cli_form)cli->args.in;
}

enum cli_status cli_take_value(struct cli *cli, struct bytes *value)
{
	return take(cli, cli->args.value_file, value_form(cli), "value",
		    KMAP_VALUE_MAX, value);
}

enum cli_status cli_take_equal(const struct cli *cli, struct bytes *old)
{
	return add_text(cli, value_form(cli), "old value", cli->args.equal,
			old);
}

enum cli_status cli_take_prefix(const struct cli *cli, struct bytes *prefix)
{
	size_t begin = prefix->len;
	enum cli_status status = add_text(cli, (enum cli_form)cli->args.in,
					  "prefix", cli->args.prefix, prefix);

	/* It is more likely an unset variable of a shell than meant for all keys. */
	if (!status && prefix->len == begin)
		return cli_usage(cli, "the prefix is empty");
	return status;
}

enum cli_status cli_no_operands(const struct cli *cli)
{
	if (cli->argc)
		return cli_usage(cli, "unexpected operand \"%s\"%s",
				 cli->argv[0], cli->argv[0][0] == '-' ?
				 "; options go before operands" : "");
	return CLI_DONE;
}

int64_t cli_number(const void *data)
{
	int64_t number;

	memcpy(&number, data, sizeof(number));
	return number;
}

bool cli_is_number(const struct kmap_pair *pair)
{
	return pair->flags & KMAP_IS_NUMBER &&
	       pair->value_len == sizeof(int64_t);
}

void cli_print_value(const struct cli *cli, const void *data, size_t len)
{
	enum cli_form form = (enum cli_form)cli->args.out;

	if (form == FORM_AUTO)
		form = isatty(STDOUT_FILENO) ? FORM_ESCAPE : FORM_RAW;
	switch (form) {
	case FORM_ESCAPE:
		bytes_print_escaped(stdout, data, len);
		break;
	case FORM_HEX:
		bytes_print_hex(stdout, data, len);
		break;
	case FORM_NUMBER:
		printf("%" PRId64, cli_number(data));
		break;
	default:
		fwrite(data, 1, len, stdout);
		return;
	}
	putchar('\n');
}

static void print_json_string(FILE *out, const unsigned char *p, size_t len)
{
	const unsigned char *end = p + len;
	size_t used;
	int code;

	putc_unlocked('"', out);
	for (; p < end; p += used) {
		code = bytes_control(p, (size_t)(end - p), &used);
		if (code == '\n')
			fputs("\\n", out);
		else if (code == '\t')
			fputs("\\t", out);
		else if (code >= 0)
			fprintf(out, "\\u%04x", (unsigned int)code);
		else if (*p == '"' || *p == '\\')
			fprintf(out, "\\%c", *p);
		else
			putc_unlocked(*p, out);
	}
	putc_unlocked('"', out);
}

void cli_print_json(FILE *out, const void *data, size_t len)
{
	if (bytes_is_utf8(data, len)) {
		print_json_string(out, data, len);
		return;
	}
	fputs("{\"base64\":\"", out);
	bytes_print_base64(out, data, len);
	fputs("\"}", out);
}
