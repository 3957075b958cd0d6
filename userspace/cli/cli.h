/* SPDX-License-Identifier: MIT */
/*
 * The kmap command: what its parts share.
 *
 * main.c finds the subcommand in its table, options.c fills struct cli_args as
 * the subcommand's table of options says, and the subcommand's run function
 * does the rest with the helpers below.  All output goes to stdout through
 * stdio; main.c flushes it at the end and turns an output error into an exit
 * status, so that no subcommand needs to check each fwrite().
 */
#ifndef KMAP_CLI_H
#define KMAP_CLI_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include "kmap.h"

/* The second argument is a format, and the others are its arguments. */
#define CLI_FORMAT	__attribute__((__format__(__printf__, 2, 3)))

#define ARRAY_SIZE(array)	(sizeof(array) / sizeof((array)[0]))

/* Exit status. */
enum cli_status {
	CLI_DONE	= 0,
	CLI_UNMET	= 1,	/* key absent, or condition not met */
	CLI_ERROR	= 2,	/* usage or system error */
};

/* How bytes are written in arguments and on output. */
enum cli_form {
	FORM_AUTO,		/* raw, but escaped to a terminal */
	FORM_RAW,
	FORM_ESCAPE,
	FORM_HEX,
	FORM_NUMBER,		/* what the map stores as a number, in decimal */
};

/* What the options ask for; one structure for all subcommands. */
struct cli_args {
	const char	*device;
	const char	*key_file;
	const char	*value_file;
	const char	*match;
	const char	*equal;
	const char	*prefix;
	const char	*threads;	/* from here: of bench and advise */
	const char	*processes;
	const char	*read;
	const char	*write;
	const char	*skew;
	const char	*keys;
	const char	*key_size;
	const char	*value_size;
	const char	*duration;
	const char	*locks;		/* from here: of advise */
	const char	*shards;
	const char	*rounds;
	const char	*module;
	unsigned int	flags;		/* KMAP_CREATE, KMAP_RETURN and so on */
	unsigned int	walk;		/* KMAP_KEYS_VALUES, KMAP_KEYS_ATOMIC */
	int		in;		/* enum cli_form of KEY and VALUE */
	int		out;		/* enum cli_form of what is printed */
	bool		number;		/* VALUE and OLD are numbers */
	bool		json;
	bool		meta;
	bool		quiet;
	bool		help;
	bool		version;
	bool		null;
	bool		sort;
	bool		check;
	bool		progress;
	bool		no_sum;
	bool		yes;
	bool		no_window;
	bool		no_latency;
	bool		own;
	bool		reload;
};

enum cli_option_kind {
	OPT_FLAG,	/* a bool becomes true */
	OPT_BITS,	/* an unsigned int gets the bits of value */
	OPT_FORM,	/* an int becomes value */
	OPT_FORM_NAME,	/* an int becomes the enum cli_form that is named */
	OPT_TEXT,	/* a pointer becomes the argument */
};

/* One option; a table of them ends with a zero row. */
struct cli_option {
	const char		*name;		/* without the dashes */
	char			letter;
	const char		*arg;		/* name of the argument, or NULL */
	enum cli_option_kind	kind;
	size_t			offset;		/* in struct cli_args */
	unsigned int		value;
	const char		*help;
};

#define CLI_FIELD(field)	offsetof(struct cli_args, field)

/* Rows that several tables have. */
#define CLI_OPT_HEX(what)						\
	{ "hex", 'x', NULL, OPT_FORM, CLI_FIELD(in), FORM_HEX,		\
	  what " in hexadecimal" }
#define CLI_OPT_ESCAPE(what)						\
	{ "escape", 'e', NULL, OPT_FORM, CLI_FIELD(in), FORM_ESCAPE,	\
	  what " with escapes: \\n \\t \\r \\\\ \\xHH" }
#define CLI_OPT_KEY_FILE						\
	{ "key-file", 'k', "FILE", OPT_TEXT, CLI_FIELD(key_file), 0,	\
	  "take the key from FILE, not from an argument" }
#define CLI_OPT_PREFIX(help)						\
	{ "prefix", 'p', "PREFIX", OPT_TEXT, CLI_FIELD(prefix), 0, help }
#define CLI_OPT_OUTPUT(what)						\
	{ "output", 'o', "FORM", OPT_FORM_NAME, CLI_FIELD(out), 0,	\
	  "print " what " as raw, escape, hex or number" }
#define CLI_OPT_CREATE(help)						\
	{ "create", 'c', NULL, OPT_BITS, CLI_FIELD(flags), KMAP_CREATE, help }
#define CLI_OPT_REPLACE(help)						\
	{ "replace", 'r', NULL, OPT_BITS, CLI_FIELD(flags), KMAP_REPLACE, help }
#define CLI_OPT_MATCH							\
	{ "match", 'm', "VERSION", OPT_TEXT, CLI_FIELD(match), 0,	\
	  "only if the key is present at this version" }
#define CLI_OPT_EQUAL							\
	{ "equal", 'E', "OLD", OPT_TEXT, CLI_FIELD(equal), 0,		\
	  "only if the key is present with this value" }
#define CLI_OPT_RETURN(help)						\
	{ "return", 'R', NULL, OPT_BITS, CLI_FIELD(flags), KMAP_RETURN, help }
#define CLI_OPT_META(help)						\
	{ "meta", 'M', NULL, OPT_FLAG, CLI_FIELD(meta), 0, help }
#define CLI_OPT_JSON							\
	{ "json", 'j', NULL, OPT_FLAG, CLI_FIELD(json), 0, "print JSON" }
#define CLI_OPT_DEVICE							\
	{ "device", 'd', "PATH", OPT_TEXT, CLI_FIELD(device), 0,	\
	  "use this device (else $KMAP_DEVICE, else " KMAP_DEVICE ")" }
#define CLI_OPT_QUIET							\
	{ "quiet", 'q', NULL, OPT_FLAG, CLI_FIELD(quiet), 0,		\
	  "no message about what the exit status tells" }
#define CLI_OPT_HELP							\
	{ "help", 'h', NULL, OPT_FLAG, CLI_FIELD(help), 0,		\
	  "print this help" }
#define CLI_OPT_END							\
	{ NULL, 0, NULL, OPT_FLAG, 0, 0, NULL }

struct cli;

/* One subcommand. */
struct cli_command {
	const char		*name;
	const char		*operands;	/* as the usage line has them */
	const char		*summary;	/* one line, no full stop */
	const char		*details;	/* lines, each with its newline */
	const struct cli_option	*options;
	int			min;		/* operands, at least */
	int			max;		/* operands, at most */
	/* Runs it: prints all messages, and returns the exit status. */
	enum cli_status		(*run)(struct cli *cli);
};

extern const struct cli_command cli_command_get;
extern const struct cli_command cli_command_set;
extern const struct cli_command cli_command_del;
extern const struct cli_command cli_command_add;
extern const struct cli_command cli_command_keys;
extern const struct cli_command cli_command_dump;
extern const struct cli_command cli_command_load;
extern const struct cli_command cli_command_info;
extern const struct cli_command cli_command_clear;
extern const struct cli_command cli_command_bench;
extern const struct cli_command cli_command_advise;

/* One run of the command. */
struct cli {
	const struct cli_command	*command;
	struct cli_args			args;
	int				argc;	/* operands */
	char				**argv;
	bool				literal;	/* -- was before them */
	const char			*device;	/* for messages */
	struct kmap			*map;	/* open after cli_open() */
	bool				stdin_taken;
	int				out_errno;	/* of a failed write */
};

/* ---- options.c ---- */

/*
 * Take the options at the head of argv (argv[0] is a name) into cli->args and
 * leave cli->argc and cli->argv at the operands; cli->literal tells whether a --
 * was before those.  Returns CLI_DONE, or prints what is wrong and returns CLI_ERROR.
 */
enum cli_status cli_parse(struct cli *cli, const struct cli_option *options,
			  int argc, char **argv);
void cli_print_options(FILE *out, const struct cli_option *options);

/* Parse a decimal number: no spaces, and no sign in front of an unsigned one. */
bool cli_parse_u64(const char *text, uint64_t *number);
bool cli_parse_s64(const char *text, int64_t *number);

/*
 * The flags for libkmap that --create, --replace, --match, --equal and --return
 * ask for; *version is set with --match.
 */
enum cli_status cli_op_flags(struct cli *cli, unsigned int *flags,
			     uint64_t *version);

/* ---- report.c ---- */

/*
 * Print "kmap: command: text"; returns CLI_ERROR.  The format has no newline, and
 * what could do harm to a terminal is printed escaped.
 */
enum cli_status cli_error(const struct cli *cli, const char *format, ...)
	CLI_FORMAT;

/* The same for wrong usage; names --help. */
enum cli_status cli_usage(const struct cli *cli, const char *format, ...)
	CLI_FORMAT;

/*
 * Print what a libkmap call on a key returned (ret < 0), unless it is a
 * condition and --quiet; returns CLI_UNMET for a condition, else CLI_ERROR.
 */
enum cli_status cli_fail_key(const struct cli *cli, int ret, const void *key,
			     size_t len);

/* Print what a libkmap call on the map returned (ret < 0); CLI_ERROR. */
enum cli_status cli_fail(const struct cli *cli, int ret);

/* Is ret (< 0) a condition that was not met, and not a failure? */
bool cli_is_condition(int ret);

/* The symbol of a condition, as it is printed in JSON: "ENOENT". */
const char *cli_condition_name(int ret);

/* Set cli->device to the device that will be opened. */
void cli_name_device(struct cli *cli);

/* Allow a window of any size: this program needs its addresses for nothing else. */
static inline unsigned int cli_open_flags(unsigned int flags)
{
	return flags & KMAP_NO_WINDOW ? flags : flags | KMAP_WINDOW;
}

/* Open the map with libkmap's KMAP_RDONLY and so on. */
enum cli_status cli_open(struct cli *cli, unsigned int flags);

/* The same for reading or, where that is not allowed, for writing. */
enum cli_status cli_open_either(struct cli *cli);

/*
 * Has output failed?  Long loops ask so that they can stop early.  The message
 * is printed by cli_finish(), which flushes and closes stdout, closes the map
 * and makes the exit status.
 */
bool cli_output_failed(struct cli *cli);
int cli_finish(struct cli *cli, enum cli_status status);

#endif /* KMAP_CLI_H */
