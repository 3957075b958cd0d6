// SPDX-License-Identifier: MIT
/*
 * The subcommands that walk over the map: keys, dump.
 */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "dump.h"
#include "prefix.h"
#include "value.h"

/* Called for each key of a walk; count is the number of keys before it. */
typedef enum cli_status (*walk_fn)(struct cli *cli,
				   const struct kmap_pair *pair,
				   uint64_t count);

/* A pair of a sorted walk; its bytes are in a struct bytes at this offset. */
struct kept {
	size_t			offset;
	struct kmap_pair	pair;
};

static int compare(const void *left, const void *right)
{
	const struct kmap_pair *a = &((const struct kept *)left)->pair;
	const struct kmap_pair *b = &((const struct kept *)right)->pair;
	size_t len = a->key_len < b->key_len ? a->key_len : b->key_len;
	int order = memcmp(a->key, b->key, len);

	if (order)
		return order;
	return (a->key_len > b->key_len) - (a->key_len < b->key_len);
}

static void keep(struct bytes *table, struct bytes *data,
		 const struct kmap_pair *pair)
{
	struct kept kept = { .offset = data->len, .pair = *pair };

	bytes_add(data, pair->key, pair->key_len);
	if (pair->value)
		bytes_add(data, pair->value, pair->value_len);
	bytes_add(table, &kept, sizeof(kept));
}

/* Sort what was kept, and call each() for it. */
static enum cli_status walk_kept(struct cli *cli, struct bytes *table,
				 const struct bytes *data, walk_fn each,
				 uint64_t *count)
{
	size_t total = table->len / sizeof(struct kept);
	struct kept *kept = (void *)table->data;

	for (size_t i = 0; i < total; i++) {
		struct kmap_pair *pair = &kept[i].pair;

		pair->key = data->data + kept[i].offset;
		if (pair->value)
			pair->value = data->data + kept[i].offset +
				      pair->key_len;
	}
	if (total)
		qsort(kept, total, sizeof(*kept), compare);
	for (size_t i = 0; i < total; i++) {
		if (each(cli, &kept[i].pair, (*count)++) ||
		    cli_output_failed(cli))
			return CLI_ERROR;
	}
	return CLI_DONE;
}

/*
 * Walk over the keys of the map that begin with prefix, which may be empty, and
 * sort them if that is asked for; *count is set to their number.
 */
static enum cli_status walk(struct cli *cli, unsigned int flags,
			    const struct bytes *prefix, walk_fn each,
			    uint64_t *count)
{
	struct bytes table = { 0 }, data = { 0 };
	enum cli_status status = CLI_DONE;
	struct kmap_iter *iter;
	struct kmap_pair pair;
	int more;

	*count = 0;
	more = kmap_iter_open(cli->map, flags, &iter);
	if (more)
		return cli_fail(cli, more);
	while (!status && (more = kmap_iter_next(iter, &pair)) > 0) {
		if (prefix->len && !prefix_matches(prefix, &pair))
			continue;
		if (cli->args.sort)
			keep(&table, &data, &pair);
		else if (each(cli, &pair, (*count)++) || cli_output_failed(cli))
			status = CLI_ERROR;
	}
	kmap_iter_close(iter);
	if (!status && more < 0)
		status = cli_fail(cli, more);
	if (!status && cli->args.sort)
		status = walk_kept(cli, &table, &data, each, count);
	bytes_free(&table);
	bytes_free(&data);
	return status;
}

/* Open the map, and call run() with the prefix that was given, or an empty one. */
static enum cli_status run_with_prefix(struct cli *cli,
				       enum cli_status (*run)(struct cli *cli,
							      const struct bytes *))
{
	enum cli_status status = CLI_DONE;
	struct bytes prefix = { 0 };

	if (cli->args.prefix)
		status = cli_take_prefix(cli, &prefix);
	if (!status)
		status = cli_open(cli, KMAP_RDONLY);
	if (!status)
		status = run(cli, &prefix);
	bytes_free(&prefix);
	return status;
}

/* ---- keys ---- */

static bool is_number(const struct cli *cli, const struct kmap_pair *pair)
{
	return cli->args.number && cli_is_number(pair);
}

static void print_bytes(const struct cli *cli, const void *data, size_t len)
{
	if (cli->args.out == FORM_HEX)
		bytes_print_hex(stdout, data, len);
	else
		bytes_print_escaped(stdout, data, len);
}

static enum cli_status print_null(struct cli *cli, const struct kmap_pair *pair,
				  uint64_t count)
{
	(void)count;
	if (memchr(pair->key, '\0', pair->key_len))
		return cli_error(cli, "a key has a zero byte in it; print it without --null");
	fwrite(pair->key, 1, pair->key_len, stdout);
	putc_unlocked('\0', stdout);
	return CLI_DONE;
}

static enum cli_status print_line(struct cli *cli, const struct kmap_pair *pair,
				  uint64_t count)
{
	(void)count;
	if (cli->args.meta)
		printf("%" PRIu64 "\t%zu\t", pair->version, pair->value_len);
	print_bytes(cli, pair->key, pair->key_len);
	if (pair->value) {
		putc_unlocked('\t', stdout);
		if (is_number(cli, pair))
			printf("%" PRId64, cli_number(pair->value));
		else
			print_bytes(cli, pair->value, pair->value_len);
	}
	putc_unlocked('\n', stdout);
	return CLI_DONE;
}

static enum cli_status print_json(struct cli *cli, const struct kmap_pair *pair,
				  uint64_t count)
{
	fputs(count ? ",\n{\"key\":" : "\n{\"key\":", stdout);
	cli_print_json(stdout, pair->key, pair->key_len);
	if (pair->value) {
		fputs(",\"value\":", stdout);
		if (is_number(cli, pair))
			printf("%" PRId64, cli_number(pair->value));
		else
			cli_print_json(stdout, pair->value, pair->value_len);
	}
	printf(",\"length\":%zu,\"version\":%" PRIu64 "}", pair->value_len,
	       pair->version);
	return CLI_DONE;
}

static enum cli_status print_keys(struct cli *cli, const struct bytes *prefix)
{
	const struct cli_args *args = &cli->args;
	unsigned int flags = args->walk;
	walk_fn each = args->null ? print_null :
		       args->json ? print_json : print_line;
	enum cli_status status;
	uint64_t count;

	if (args->number)
		flags |= KMAP_KEYS_VALUES;
	if (args->json)
		putchar('[');
	status = walk(cli, flags, prefix, each, &count);
	if (args->json && !status)
		puts("\n]");
	return status;
}

static enum cli_status run_keys(struct cli *cli)
{
	const struct cli_args *args = &cli->args;

	if (args->null && (args->json || args->meta || args->out == FORM_HEX ||
			   args->number || args->walk & KMAP_KEYS_VALUES))
		return cli_usage(cli, "--null takes no --values, --number, --meta, --hex, --json");
	if (args->json && args->out == FORM_HEX)
		return cli_usage(cli, "--hex and --json exclude each other");
	return run_with_prefix(cli, print_keys);
}

#define CLI_OPT_ATOMIC							\
	{ "atomic", 'a', NULL, OPT_BITS, CLI_FIELD(walk),		\
	  KMAP_KEYS_ATOMIC, "all as of one moment" }
#define CLI_OPT_SORT							\
	{ "sort", 's', NULL, OPT_FLAG, CLI_FIELD(sort), 0,		\
	  "sort by key, in memory" }

static const struct cli_option keys_options[] = {
	CLI_OPT_PREFIX("only keys that begin with this"),
	CLI_OPT_ESCAPE("PREFIX"),
	{ "values", 'v', NULL, OPT_BITS, CLI_FIELD(walk), KMAP_KEYS_VALUES,
	  "values too, after a tab" },
	{ "number", 'n', NULL, OPT_FLAG, CLI_FIELD(number), 0,
	  "values too, numbers in decimal" },
	CLI_OPT_ATOMIC,
	CLI_OPT_SORT,
	{ "hex", 'x', NULL, OPT_FORM, CLI_FIELD(out), FORM_HEX,
	  "print keys and values in hexadecimal" },
	{ "null", '0', NULL, OPT_FLAG, CLI_FIELD(null), 0,
	  "print keys raw, with a zero byte after each" },
	CLI_OPT_META("version and length in front, with tabs"),
	CLI_OPT_JSON,
	CLI_OPT_DEVICE,
	CLI_OPT_QUIET,
	CLI_OPT_HELP,
	CLI_OPT_END
};

const struct cli_command cli_command_keys = {
	.name = "keys",
	.operands = "",
	.summary = "Print all keys, one per line",
	.details =
	"Keys are printed escaped, as \"get --escape\" and others take them.  The order\n"
	"has no meaning.\n",
	.options = keys_options,
	.run = run_keys,
};

/* ---- dump ---- */

static const struct dump_format *dump_format(const struct cli *cli)
{
	return cli->args.json ? &dump_json : &dump_text;
}

static enum cli_status print_record(struct cli *cli,
				    const struct kmap_pair *pair,
				    uint64_t count)
{
	dump_format(cli)->print(stdout, pair, cli->args.meta, !count);
	return CLI_DONE;
}

static enum cli_status print_dump(struct cli *cli, const struct bytes *prefix)
{
	enum cli_status status;
	uint64_t count;

	dump_format(cli)->print_begin(stdout);
	status = walk(cli, cli->args.walk | KMAP_KEYS_VALUES, prefix,
		      print_record, &count);
	/* A dump that failed gets no end, so that "load" refuses it. */
	if (!status)
		dump_format(cli)->print_end(stdout, count);
	return status;
}

static enum cli_status run_dump(struct cli *cli)
{
	return run_with_prefix(cli, print_dump);
}

static const struct cli_option dump_options[] = {
	CLI_OPT_PREFIX("only keys that begin with this"),
	CLI_OPT_HEX("PREFIX"),
	CLI_OPT_ESCAPE("PREFIX"),
	CLI_OPT_ATOMIC,
	CLI_OPT_SORT,
	CLI_OPT_META("versions too; \"load\" does not restore them"),
	{ "json", 'j', NULL, OPT_FLAG, CLI_FIELD(json), 0,
	  "dump as JSON; \"load --json\" reads it" },
	CLI_OPT_DEVICE,
	CLI_OPT_QUIET,
	CLI_OPT_HELP,
	CLI_OPT_END
};

const struct cli_command cli_command_dump = {
	.name = "dump",
	.operands = "",
	.summary = "Print all keys and values, for \"load\" and for diff",
	.details =
	"One line per key: key, tab, value, both escaped, or \\# and a number.  The order\n"
	"has no meaning without --sort.\n",
	.options = dump_options,
	.run = run_dump,
};
