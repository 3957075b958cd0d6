// SPDX-License-Identifier: MIT
/*
 * The subcommands for one key: get, set, del, add.
 */
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>

#include "prefix.h"
#include "value.h"

/* Initial size of the buffer for a value that is returned. */
#define RETURN_ROOM	4096

/* How an operation on a key ended, as far as it is printed. */
struct outcome {
	int		ret;		/* 0 or a condition */
	uint64_t	version;	/* 0: none to print */
	bool		has_value;	/* a value was asked for ... */
	bool		absent;		/* ... and there was none */
	bool		number;		/* the value is a number */
	const char	*name;		/* of the value in JSON */
	const void	*value;
	size_t		len;
};

static void print_json(const struct cli *cli, const struct bytes *key,
		       const struct outcome *outcome)
{
	fputs("{\"key\":", stdout);
	cli_print_json(stdout, key->data, key->len);
	if (outcome->ret)
		printf(",\"error\":\"%s\"", cli_condition_name(outcome->ret));
	if (outcome->version)
		printf(",\"version\":%" PRIu64, outcome->version);
	if (outcome->has_value) {
		printf(",\"%s\":", outcome->name);
		if (outcome->absent)
			fputs("null", stdout);
		else if (cli->args.out == FORM_NUMBER)
			printf("%" PRId64, cli_number(outcome->value));
		else
			cli_print_json(stdout, outcome->value, outcome->len);
	}
	puts("}");
}

static void print_plain(const struct cli *cli, const struct outcome *outcome)
{
	if (cli->args.meta && outcome->version) {
		printf("%" PRIu64, outcome->version);
		if (outcome->has_value && outcome->absent)
			fputs(" -", stdout);
		else if (outcome->has_value)
			printf(" %zu", outcome->len);
		putchar('\n');
	}
	if (outcome->has_value && !outcome->absent)
		cli_print_value(cli, outcome->value, outcome->len);
}

/* Print the outcome of an operation; returns the exit status. */
static enum cli_status report(struct cli *cli, const struct bytes *key,
			      const struct outcome *outcome)
{
	int ret = outcome->ret;

	if (ret && !cli_is_condition(ret))
		return cli_fail_key(cli, ret, key->data, key->len);
	/* A change may have removed the value, so it must be printed. */
	if (cli->args.out == FORM_NUMBER && outcome->has_value &&
	    !outcome->absent && !outcome->number) {
		cli->args.out = FORM_ESCAPE;
		ret = -EDOM;
	}
	if (cli->args.json)
		print_json(cli, key, outcome);
	else
		print_plain(cli, outcome);
	cli_output_failed(cli);
	if (ret)
		return cli_fail_key(cli, ret, key->data, key->len);
	return CLI_DONE;
}

static enum cli_status check_output_form(const struct cli *cli)
{
	if (cli->args.json && cli->args.out != FORM_AUTO &&
	    cli->args.out != FORM_NUMBER)
		return cli_usage(cli, "with --json, --output can only be number");
	return CLI_DONE;
}

/* ---- get ---- */

static enum cli_status run_get(struct cli *cli)
{
	struct outcome outcome = { .name = "value" };
	enum cli_status status = CLI_ERROR;
	struct bytes key = { 0 };
	void *value = NULL;
	int64_t number;

	if (check_output_form(cli) || cli_take_key(cli, &key) ||
	    cli_no_operands(cli) || cli_open(cli, KMAP_RDONLY))
		goto out;
	outcome.number = cli->args.out == FORM_NUMBER;
	if (outcome.number) {
		outcome.ret = kmap_get_number(cli->map, key.data, key.len,
					      &number, &outcome.version);
		outcome.value = &number;
		outcome.len = sizeof(number);
	} else {
		outcome.ret = kmap_get_alloc(cli->map, key.data, key.len,
					     &value, &outcome.len,
					     &outcome.version);
		outcome.value = value;
	}
	outcome.has_value = !outcome.ret;
	status = report(cli, &key, &outcome);
out:
	free(value);
	bytes_free(&key);
	return status;
}

static const struct cli_option get_options[] = {
	CLI_OPT_HEX("KEY"),
	CLI_OPT_ESCAPE("KEY"),
	CLI_OPT_KEY_FILE,
	CLI_OPT_OUTPUT("the value"),
	{ "number", 'n', NULL, OPT_FORM, CLI_FIELD(out), FORM_NUMBER,
	  "the same as --output number" },
	CLI_OPT_META("first a line with version and length"),
	CLI_OPT_JSON,
	CLI_OPT_DEVICE,
	CLI_OPT_QUIET,
	CLI_OPT_HELP,
	CLI_OPT_END
};

const struct cli_command cli_command_get = {
	.name = "get",
	.operands = "KEY",
	.summary = "Print the value of a key",
	.details =
	"The value is printed as it is, with nothing added; to a terminal it is\n"
	"printed escaped, with a newline.  A KEY of - is read from standard input,\n"
	"unless -- stands before it.\n",
	.options = get_options,
	.max = 1,
	.run = run_get,
};

/* ---- set ---- */

/*
 * Carry out a SET or DELETE with --return: repeat it with a larger buffer until
 * the value found fits.  It is a batch of one, because only the record tells
 * whether that value is a number.
 */
static void change_returning(struct cli *cli, const struct kmap_op *wanted,
			     struct bytes *found, struct outcome *outcome)
{
	size_t room = RETURN_ROOM;
	struct kmap_op op;
	int ret;

	do {
		bytes_reserve(found, room);
		op = *wanted;
		op.version = outcome->version;
		op.out = KMAP_PTR(found->data);
		op.out_size = (uint32_t)found->size;
		ret = kmap_batch(cli->map, &op, 1, NULL);
		if (!ret)
			ret = op.error;
		room = op.out_len;
	} while (ret == -EMSGSIZE);
	outcome->ret = ret;
	outcome->version = op.version;
	outcome->has_value = !ret || ret == -EEXIST || ret == -ESTALE;
	outcome->absent = outcome->has_value && op.out_len == KMAP_ABSENT;
	outcome->number = op.out_flags & KMAP_IS_NUMBER;
	outcome->value = found->data;
	if (outcome->has_value && !outcome->absent)
		outcome->len = op.out_len;
}

static void set_key(struct cli *cli, const struct bytes *key,
		    const struct bytes *value, const struct bytes *old,
		    unsigned int flags, struct bytes *found,
		    struct outcome *outcome)
{
	const struct kmap_op op = {
		.opcode = KMAP_OP_SET,
		.flags = flags,
		.key = KMAP_PTR(key->data),
		.key_len = (uint32_t)key->len,
		.value = KMAP_PTR(value->data),
		.value_len = (uint32_t)value->len,
	};

	if (flags & KMAP_RETURN)
		change_returning(cli, &op, found, outcome);
	else if (flags & KMAP_EQUAL)
		outcome->ret = kmap_set_equal(cli->map, key->data, key->len,
					      value->data, value->len,
					      old->data, old->len,
					      flags & ~KMAP_EQUAL,
					      &outcome->version);
	else
		outcome->ret = kmap_set(cli->map, key->data, key->len,
					value->data, value->len, flags,
					&outcome->version);
	if (outcome->ret == -ENOENT)
		outcome->version = 0;
}

/* The mode in which a SET or DELETE with these flags needs the map open. */
static unsigned int change_access(unsigned int flags)
{
	return flags & (KMAP_RETURN | KMAP_EQUAL) ? KMAP_RDWR : KMAP_WRONLY;
}

static enum cli_status run_set(struct cli *cli)
{
	struct bytes key = { 0 }, value = { 0 }, old = { 0 }, found = { 0 };
	struct outcome outcome = { .name = "found" };
	enum cli_status status = CLI_ERROR;
	unsigned int flags;

	if (check_output_form(cli) ||
	    cli_op_flags(cli, &flags, &outcome.version) ||
	    cli_take_key(cli, &key) || cli_take_value(cli, &value) ||
	    cli_no_operands(cli) ||
	    (flags & KMAP_EQUAL && cli_take_equal(cli, &old)) ||
	    cli_open(cli, change_access(flags)))
		goto out;
	if (cli->args.number)
		flags |= KMAP_NUMBER;
	set_key(cli, &key, &value, &old, flags, &found, &outcome);
	status = report(cli, &key, &outcome);
out:
	bytes_free(&key);
	bytes_free(&value);
	bytes_free(&old);
	bytes_free(&found);
	return status;
}

static const struct cli_option set_options[] = {
	CLI_OPT_CREATE("only if the key is absent"),
	CLI_OPT_REPLACE("only if the key is present"),
	CLI_OPT_MATCH,
	CLI_OPT_EQUAL,
	CLI_OPT_RETURN("print the value that was there"),
	CLI_OPT_HEX("KEY, VALUE and OLD"),
	CLI_OPT_ESCAPE("KEY, VALUE and OLD"),
	{ "number", 'n', NULL, OPT_FLAG, CLI_FIELD(number), 0,
	  "VALUE and OLD are decimal; add can add to this VALUE" },
	CLI_OPT_KEY_FILE,
	{ "value-file", 'f', "FILE", OPT_TEXT, CLI_FIELD(value_file), 0,
	  "take the value from FILE, not from an argument" },
	CLI_OPT_OUTPUT("what was there"),
	CLI_OPT_META("print a line with the version"),
	CLI_OPT_JSON,
	CLI_OPT_DEVICE,
	CLI_OPT_QUIET,
	CLI_OPT_HELP,
	CLI_OPT_END
};

const struct cli_command cli_command_set = {
	.name = "set",
	.operands = "KEY VALUE",
	.summary = "Store a value under a key",
	.details =
	"A KEY or VALUE of - is read from standard input, all of it, unless -- stands\n"
	"before KEY: \"kmap set -- KEY VALUE\" stores any VALUE as it is.\n"
	"With --return and a condition that is not met, the value found is printed\n"
	"too; with --meta, the line has the version found, and the length of the\n"
	"value returned or - if there was none.\n",
	.options = set_options,
	.max = 2,
	.run = run_set,
};

/* ---- del ---- */

static enum cli_status del_key(struct cli *cli, const struct bytes *key,
			       const struct bytes *old, unsigned int flags,
			       uint64_t match)
{
	struct outcome outcome = { .name = "found", .version = match };
	const struct kmap_op op = {
		.opcode = KMAP_OP_DELETE,
		.flags = flags,
		.key = KMAP_PTR(key->data),
		.key_len = (uint32_t)key->len,
	};
	struct bytes found = { 0 };
	enum cli_status status;

	if (flags & KMAP_RETURN)
		change_returning(cli, &op, &found, &outcome);
	else if (flags & KMAP_EQUAL)
		outcome.ret = kmap_delete_equal(cli->map, key->data, key->len,
						old->data, old->len,
						&outcome.version);
	else
		outcome.ret = kmap_delete(cli->map, key->data, key->len, flags,
					  &outcome.version);
	if (outcome.ret == -ENOENT)
		outcome.version = 0;
	status = report(cli, key, &outcome);
	bytes_free(&found);
	return status;
}

static enum cli_status del_prefix(struct cli *cli)
{
	const struct cli_args *args = &cli->args;
	enum cli_status status = CLI_ERROR;
	struct bytes prefix = { 0 };
	uint64_t removed;

	if (args->flags || args->match || args->equal || args->number ||
	    args->meta || args->key_file || args->out != FORM_AUTO)
		return cli_usage(cli, "--prefix goes with -d, -e, -j, -q and -x only");
	if (cli_no_operands(cli) || cli_take_prefix(cli, &prefix) ||
	    cli_open(cli, KMAP_RDWR) ||
	    prefix_delete(cli, &prefix, &removed))
		goto out;
	status = removed ? CLI_DONE : CLI_UNMET;
	if (removed || args->json)
		prefix_print_removed(cli, removed);
	if (!removed)
		prefix_print_none(cli, &prefix);
out:
	bytes_free(&prefix);
	return status;
}

static enum cli_status run_del(struct cli *cli)
{
	enum cli_status status, worst = CLI_DONE;
	struct bytes key = { 0 }, old = { 0 };
	unsigned int flags;
	uint64_t match = 0;

	if (cli->args.prefix)
		return del_prefix(cli);
	if (check_output_form(cli) || cli_op_flags(cli, &flags, &match))
		return CLI_ERROR;
	if (cli->args.key_file && cli_no_operands(cli))
		return CLI_ERROR;
	if (flags && cli->argc > 1)
		return cli_usage(cli, "--match, --equal and --return take one key only");
	if (cli->args.number && !cli->args.equal)
		return cli_usage(cli, "--number is about the OLD of --equal");
	do {
		key.len = 0;
		status = cli_take_key(cli, &key);
		if (!status && flags & KMAP_EQUAL)
			status = cli_take_equal(cli, &old);
		if (!status && !cli->map)
			status = cli_open(cli, change_access(flags));
		if (!status)
			status = del_key(cli, &key, &old, flags, match);
		if (status > worst)
			worst = status;
	} while (status != CLI_ERROR && cli->argc);
	bytes_free(&key);
	bytes_free(&old);
	return worst;
}

static const struct cli_option del_options[] = {
	CLI_OPT_MATCH,
	CLI_OPT_EQUAL,
	CLI_OPT_RETURN("print the value removed"),
	CLI_OPT_PREFIX("remove all keys that begin with this, and count them"),
	CLI_OPT_HEX("KEY, OLD or PREFIX"),
	CLI_OPT_ESCAPE("KEY, OLD or PREFIX"),
	{ "number", 'n', NULL, OPT_FLAG, CLI_FIELD(number), 0,
	  "OLD is a decimal number" },
	CLI_OPT_KEY_FILE,
	CLI_OPT_OUTPUT("the value"),
	CLI_OPT_META("print a line with the version"),
	CLI_OPT_JSON,
	CLI_OPT_DEVICE,
	CLI_OPT_QUIET,
	CLI_OPT_HELP,
	CLI_OPT_END
};

const struct cli_command cli_command_del = {
	.name = "del",
	.operands = "KEY...",
	.summary = "Remove keys",
	.details =
	"With several keys, the exit status is 1 if any was absent, and with --prefix,\n"
	"which takes no KEY, if none begins so; --match, --equal and --return take one\n"
	"key.  A KEY of - is read from standard input, unless -- stands before it.  With\n"
	"--meta, the line has the version removed, or the version found if --match or\n"
	"--equal fails, and with --return the length of the value.\n",
	.options = del_options,
	.max = INT32_MAX,
	.run = run_del,
};

/* ---- add ---- */

static enum cli_status take_delta(struct cli *cli, int64_t *delta)
{
	if (!cli->argc)
		return CLI_DONE;
	if (!cli_parse_s64(cli->argv[0], delta))
		return cli_usage(cli, "\"%s\" is not a decimal number of 64 bits",
				 cli->argv[0]);
	cli->argv++;
	cli->argc--;
	return cli_no_operands(cli);
}

static enum cli_status run_add(struct cli *cli)
{
	struct outcome outcome = {
		.name = "sum", .len = sizeof(int64_t), .number = true,
	};
	enum cli_status status = CLI_ERROR;
	struct bytes key = { 0 };
	int64_t delta = 1, sum = 0;
	unsigned int flags;

	if (cli_op_flags(cli, &flags, &outcome.version) ||
	    cli_take_key(cli, &key) || take_delta(cli, &delta) ||
	    cli_open(cli, KMAP_RDWR))
		goto out;
	outcome.ret = kmap_add(cli->map, key.data, key.len, delta, flags, &sum,
			       &outcome.version);
	outcome.has_value = !outcome.ret && !cli->args.no_sum;
	outcome.value = &sum;
	cli->args.out = FORM_NUMBER;
	if (outcome.ret == -ENOENT)
		outcome.version = 0;
	status = report(cli, &key, &outcome);
out:
	bytes_free(&key);
	return status;
}

static const struct cli_option add_options[] = {
	CLI_OPT_CREATE("only if the key is absent"),
	CLI_OPT_REPLACE("only if the key is present"),
	{ "no-sum", 's', NULL, OPT_FLAG, CLI_FIELD(no_sum), 0,
	  "print no sum" },
	CLI_OPT_HEX("KEY"),
	CLI_OPT_ESCAPE("KEY"),
	CLI_OPT_KEY_FILE,
	CLI_OPT_META("first a line with version and length"),
	CLI_OPT_JSON,
	CLI_OPT_DEVICE,
	CLI_OPT_QUIET,
	CLI_OPT_HELP,
	CLI_OPT_END
};

const struct cli_command cli_command_add = {
	.name = "add",
	.operands = "KEY [NUMBER]",
	.summary = "Add to a number and print the sum",
	.details =
	"NUMBER is 1 unless given, and may be negative.  The value of the key must be a\n"
	"number, made by add or by set --number; an absent key counts as 0 and is\n"
	"created.\n",
	.options = add_options,
	.max = 2,
	.run = run_add,
};
