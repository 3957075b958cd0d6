// SPDX-License-Identifier: MIT
/*
 * Options: one table per subcommand, for parsing and for the help.
 *
 * Options stand before the operands, as POSIX asks, so that an operand may begin
 * with a dash, as in "kmap set key -5" and "kmap add key -5".  After a -- an
 * operand that is a single dash is taken as it is, too.
 */
#include <errno.h>
#include <getopt.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "cli.h"

/* Most options per subcommand. */
#define OPTIONS_MAX	32

/* Where the help texts of options begin. */
#define HELP_COLUMN	28

static const struct {
	const char	*name;
	enum cli_form	form;
} forms[] = {
	{ "raw", FORM_RAW },
	{ "escape", FORM_ESCAPE },
	{ "hex", FORM_HEX },
	{ "number", FORM_NUMBER },
};

static enum cli_status apply(struct cli *cli, const struct cli_option *option,
			     const char *arg)
{
	void *field = (char *)&cli->args + option->offset;

	switch (option->kind) {
	case OPT_FLAG:
		*(bool *)field = true;
		break;
	case OPT_BITS:
		*(unsigned int *)field |= option->value;
		break;
	case OPT_FORM:
		*(int *)field = (int)option->value;
		break;
	case OPT_TEXT:
		*(const char **)field = arg;
		break;
	case OPT_FORM_NAME:
		for (size_t i = 0; i < ARRAY_SIZE(forms); i++) {
			if (strcmp(arg, forms[i].name))
				continue;
			*(int *)field = forms[i].form;
			return CLI_DONE;
		}
		return cli_usage(cli, "--%s takes raw, escape, hex or number, not \"%s\"",
				 option->name, arg);
	}
	return CLI_DONE;
}

/* Print what getopt_long() refused. */
static enum cli_status complain(const struct cli *cli, int what,
				const char *word)
{
	char letter[3] = { '-', (char)optopt, '\0' };

	/* optopt is 0, or an option's letter, when the long form was used. */
	if (!strncmp(word, "--", 2))
		letter[0] = '\0';
	if (what == ':')
		return cli_usage(cli, "option %s needs an argument",
				 letter[0] ? letter : word);
	if (!letter[0] && optopt)
		return cli_usage(cli, "option %s takes no argument", word);
	return cli_usage(cli, "%s option %s", letter[0] ? "unknown" :
			 "unknown or ambiguous", letter[0] ? letter : word);
}

enum cli_status cli_parse(struct cli *cli, const struct cli_option *options,
			  int argc, char **argv)
{
	struct option longs[OPTIONS_MAX + 1] = { 0 };
	char shorts[2 * OPTIONS_MAX + 3] = "+:";
	size_t end = 2;
	int c;

	for (size_t i = 0; i < OPTIONS_MAX && options[i].name; i++) {
		longs[i].name = options[i].name;
		longs[i].has_arg = options[i].arg ? required_argument :
						    no_argument;
		longs[i].val = options[i].letter;
		shorts[end++] = options[i].letter;
		if (options[i].arg)
			shorts[end++] = ':';
	}
	optind = 0;	/* makes glibc reset its own state, too */
	opterr = 0;
	for (;;) {
		int index = optind ? optind : 1;
		const char *word = argv[index];
		const struct cli_option *option = options;
		enum cli_status status;

		c = getopt_long(argc, argv, shorts, longs, NULL);
		if (c == -1) {
			/* At the end getopt skips no word but a --. */
			cli->literal = optind != index;
			break;
		}
		if (c == '?' || c == ':')
			return complain(cli, c, word);
		while (option->letter != c)
			option++;
		status = apply(cli, option, optarg);
		if (status)
			return status;
	}
	cli->argc = argc - optind;
	cli->argv = argv + optind;
	return CLI_DONE;
}

void cli_print_options(FILE *out, const struct cli_option *options)
{
	fputs("\nOptions:\n", out);
	for (; options->name; options++) {
		int column = fprintf(out, "  -%c, --%s", options->letter,
				     options->name);

		if (options->arg)
			column += fprintf(out, " %s", options->arg);
		if (column < 0)
			return;
		fprintf(out, "%*s%s\n",
			column < HELP_COLUMN - 1 ? HELP_COLUMN - column : 2, "",
			options->help);
	}
}

bool cli_parse_u64(const char *text, uint64_t *number)
{
	char *end;

	if (*text < '0' || *text > '9')
		return false;
	errno = 0;
	*number = strtoumax(text, &end, 10);
	return !errno && !*end;
}

bool cli_parse_s64(const char *text, int64_t *number)
{
	const char *digits = text + (*text == '-' || *text == '+');
	char *end;

	if (*digits < '0' || *digits > '9')
		return false;
	errno = 0;
	*number = strtoimax(text, &end, 10);
	return !errno && !*end;
}

enum cli_status cli_op_flags(struct cli *cli, unsigned int *flags,
			     uint64_t *version)
{
	*flags = cli->args.flags;
	if (cli->args.match) {
		*flags |= KMAP_MATCH;
		if (!cli_parse_u64(cli->args.match, version) || !*version)
			return cli_usage(cli, "--match takes a version above 0, not \"%s\"",
					 cli->args.match);
	}
	if (cli->args.equal)
		*flags |= KMAP_EQUAL;
	if (((*flags & KMAP_CREATE) != 0) + ((*flags & KMAP_REPLACE) != 0) +
	    ((*flags & KMAP_MATCH) != 0) + ((*flags & KMAP_EQUAL) != 0) > 1)
		return cli_usage(cli, "--create, --replace, --match, --equal exclude each other");
	if (*flags & KMAP_EQUAL && *flags & KMAP_RETURN)
		return cli_usage(cli, "--equal and --return exclude each other");
	return CLI_DONE;
}
