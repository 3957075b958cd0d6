// SPDX-License-Identifier: MIT
/*
 * Messages, exit statuses, and the beginning and end of a run, see cli.h.
 */
#ifndef _GNU_SOURCE
#define _GNU_SOURCE
#endif
#include <errno.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include "bytes.h"
#include "cli.h"

/* Longest part of a key that a message shows. */
#define KEY_SHOWN	64

static void print_head(const struct cli *cli)
{
	fputs("kmap: ", stderr);
	if (cli->command)
		fprintf(stderr, "%s: ", cli->command->name);
}

/* A message may contain text from anybody, such as a script's data: escape it. */
static void print_message(const char *format, va_list args)
{
	char *text;

	if (vasprintf(&text, format, args) < 0) {
		fputs("out of memory", stderr);
		return;
	}
	bytes_print_message(stderr, text);
	free(text);
}

enum cli_status cli_error(const struct cli *cli, const char *format, ...)
{
	va_list args;

	print_head(cli);
	va_start(args, format);
	print_message(format, args);
	va_end(args);
	fputc('\n', stderr);
	return CLI_ERROR;
}

enum cli_status cli_usage(const struct cli *cli, const char *format, ...)
{
	va_list args;

	print_head(cli);
	va_start(args, format);
	print_message(format, args);
	va_end(args);
	if (cli->command)
		fprintf(stderr, "\nTry \"kmap %s --help\".\n",
			cli->command->name);
	else
		fputs("\nTry \"kmap --help\".\n", stderr);
	return CLI_ERROR;
}

bool cli_is_condition(int ret)
{
	return ret == -ENOENT || ret == -EEXIST || ret == -ESTALE;
}

const char *cli_condition_name(int ret)
{
	return ret == -ENOENT ? "ENOENT" : ret == -EEXIST ? "EEXIST" : "ESTALE";
}

enum cli_status cli_fail_key(const struct cli *cli, int ret, const void *key,
			     size_t len)
{
	bool condition = cli_is_condition(ret);

	if (!condition || !cli->args.quiet) {
		print_head(cli);
		fputs("key \"", stderr);
		bytes_print_escaped(stderr, key,
				    len < KEY_SHOWN ? len : KEY_SHOWN);
		fprintf(stderr, "%s\": %s\n", len > KEY_SHOWN ? "..." : "",
			kmap_strerror(ret));
	}
	return condition ? CLI_UNMET : CLI_ERROR;
}

enum cli_status cli_fail(const struct cli *cli, int ret)
{
	return cli_error(cli, "%s: %s", cli->device, kmap_strerror(ret));
}

void cli_name_device(struct cli *cli)
{
	const char *named = secure_getenv("KMAP_DEVICE");

	cli->device = named && *named ? named : KMAP_DEVICE;
	if (cli->args.device && *cli->args.device)
		cli->device = cli->args.device;
}

static int open_map(struct cli *cli, unsigned int flags)
{
	return kmap_open(&cli->map, cli->args.device, cli_open_flags(flags));
}

/* If permission was denied, the message has the purpose for which it was asked. */
static enum cli_status opened(struct cli *cli, int ret, const char *purpose)
{
	cli_name_device(cli);
	if (ret)
		return cli_error(cli, "cannot open %s%s%s: %s", cli->device,
				 ret == -EACCES ? " for " : "",
				 ret == -EACCES ? purpose : "",
				 kmap_strerror(ret));
	return CLI_DONE;
}

enum cli_status cli_open(struct cli *cli, unsigned int flags)
{
	return opened(cli, open_map(cli, flags),
		      flags & KMAP_RDONLY ? "reading" :
		      flags & KMAP_WRONLY ? "writing" : "reading and writing");
}

enum cli_status cli_open_either(struct cli *cli)
{
	int ret = open_map(cli, KMAP_RDONLY);

	if (ret == -EACCES)
		ret = open_map(cli, KMAP_WRONLY);
	return opened(cli, ret, "reading or writing");
}

bool cli_output_failed(struct cli *cli)
{
	if (ferror(stdout) && !cli->out_errno)
		cli->out_errno = errno ? errno : EIO;
	return cli->out_errno;
}

int cli_finish(struct cli *cli, enum cli_status status)
{
	cli_output_failed(cli);
	errno = 0;
	if (fclose(stdout) && !cli->out_errno)
		cli->out_errno = errno ? errno : EIO;
	if (cli->out_errno)
		status = cli_error(cli, "cannot write output: %s",
				   strerror(cli->out_errno));
	kmap_close(cli->map);
	return status;
}
