// SPDX-License-Identifier: MIT
/*
 * The subcommands for the map as a whole: info, clear.
 */
#include <errno.h>
#include <inttypes.h>
#include <string.h>

#include "prefix.h"
#include "value.h"

enum field_kind { FIELD_U32, FIELD_U64, FIELD_TEXT, FIELD_WORDS };

/**
 * struct facts - what the subcommand info prints
 * @info: what the kernel tells
 * @mapped: bytes of the window that this program reads through
 * @window_error: why there is no window, in words
 */
struct facts {
	struct kmap_info	info;
	uint64_t		mapped;
	const char		*window_error;
};

/* A field of the output. */
static const struct field {
	const char	*name;
	enum field_kind	kind;
	size_t		offset;
	const char	*text;
} fields[] = {
#define FIELD(name, kind, text) \
	{ #name, FIELD_##kind, offsetof(struct facts, info.name), text }
	FIELD(abi, U32, "version of the kernel interface"),
	FIELD(lock, TEXT, "lock mode"),
	FIELD(shards, U32, "shards, each with a lock of its own"),
	FIELD(entries, U64, "entries"),
	FIELD(max_entries, U64, "entries at most"),
	FIELD(bytes, U64, "bytes of entries"),
	FIELD(max_bytes, U64, "bytes of entries at most"),
	FIELD(max_key, U32, "bytes of a key at most"),
	FIELD(max_value, U32, "bytes of a value at most"),
	FIELD(memory, U64, "bytes of kernel memory held"),
	FIELD(deferred, U64, "bytes removed that wait for readers"),
	FIELD(deferred_max, U64, "bytes that may wait at most"),
	FIELD(buckets, U64, "buckets"),
	FIELD(overflow, U64, "overflow buckets"),
	FIELD(max_chain, U32, "keys that can share a bucket"),
	FIELD(gets, U64, "gets by system call; those from the window are not counted"),
	FIELD(hits, U64, "of these, gets that found their key"),
	FIELD(sets, U64, "sets that stored"),
	FIELD(deletes, U64, "deletes that removed"),
	FIELD(adds, U64, "adds that stored"),
	FIELD(walks, U64, "calls of walks over keys"),
	FIELD(retries, U64, "lookups repeated because of a writer"),
	FIELD(waits, U64, "operations that waited for readers"),
	FIELD(slabs, U64, "bytes of memory for entries of one size or another"),
	FIELD(reusable, U64, "bytes of memory for entries that hold none"),
	FIELD(tables, U64, "bytes of buckets and what finds them"),
	FIELD(kept, U64, "bytes removed that snapshots need"),
	FIELD(compacted, U64, "bytes of entries moved so far to empty slabs"),
	FIELD(given_back, U64, "bytes of memory given back so far"),
	FIELD(window, U64, "bytes of the window for mmap, 0: there is none"),
#undef FIELD
	{ "mapped", FIELD_U64, offsetof(struct facts, mapped),
	  "bytes of it that get reads from, 0: gets are system calls" },
	{ "window_error", FIELD_WORDS, offsetof(struct facts, window_error),
	  "why gets are system calls" },
};

/* Width of a value in the table that is printed. */
#define TEXT_COLUMN	16

/* Print a field; returns the number of characters. */
static int print_field(const struct field *field,
		       const struct facts *facts, const char *quote)
{
	const char *at = (const char *)facts + field->offset;
	const char *words;
	uint64_t u64;
	uint32_t u32;

	switch (field->kind) {
	case FIELD_U32:
		memcpy(&u32, at, sizeof(u32));
		return printf("%" PRIu32, u32);
	case FIELD_U64:
		memcpy(&u64, at, sizeof(u64));
		return printf("%" PRIu64, u64);
	case FIELD_WORDS:
		memcpy(&words, at, sizeof(words));
		return printf("%s%s%s", quote, words, quote);
	case FIELD_TEXT:
		break;
	}
	return printf("%s%.*s%s", quote, (int)sizeof(facts->info.lock), at, quote);
}

static const struct field *find_field(const char *name)
{
	for (size_t i = 0; i < ARRAY_SIZE(fields); i++)
		if (!strcmp(name, fields[i].name))
			return &fields[i];
	return NULL;
}

static void print_json(const struct cli *cli, const struct facts *facts)
{
	const char *comma = "";

	putchar('{');
	for (size_t i = 0; i < ARRAY_SIZE(fields); i++) {
		bool wanted = !cli->argc;

		for (int j = 0; j < cli->argc; j++)
			wanted |= !strcmp(fields[i].name, cli->argv[j]);
		if (!wanted)
			continue;
		printf("%s\"%s\":", comma, fields[i].name);
		print_field(&fields[i], facts, "\"");
		comma = ",";
	}
	puts("}");
}

static void print_table(const struct facts *facts)
{
	for (size_t i = 0; i < ARRAY_SIZE(fields); i++) {
		int width;

		printf("%-14s", fields[i].name);
		width = print_field(&fields[i], facts, "");
		printf("%*s%s\n", width < TEXT_COLUMN ? TEXT_COLUMN - width : 1,
		       "", fields[i].text);
	}
}

/* Why there is no window; in other words where those of the error tell too little. */
static const char *window_error(int ret)
{
	switch (ret) {
	case 0:
		return "none";
	case -ENOMEM:
		return "no addresses are left for it, or allowed";
	case -EACCES:
		return "this program wants to execute all that it maps";
	default:
		return kmap_strerror(ret);
	}
}

static enum cli_status run_info(struct cli *cli)
{
	struct facts facts = { 0 };
	int ret;

	for (int i = 0; i < cli->argc; i++)
		if (!find_field(cli->argv[i]))
			return cli_usage(cli, "unknown field \"%s\"; \"kmap info\" lists them",
					 cli->argv[i]);
	if (cli_open_either(cli))
		return CLI_ERROR;
	ret = kmap_info(cli->map, &facts.info);
	if (ret)
		return cli_fail(cli, ret);
	facts.mapped = kmap_window(cli->map);
	facts.window_error = window_error(kmap_window_error(cli->map));
	if (cli->args.json) {
		print_json(cli, &facts);
	} else if (!cli->argc) {
		print_table(&facts);
	} else {
		for (int i = 0; i < cli->argc; i++) {
			print_field(find_field(cli->argv[i]), &facts, "");
			putchar('\n');
		}
	}
	return CLI_DONE;
}

static const struct cli_option info_options[] = {
	CLI_OPT_JSON,
	CLI_OPT_DEVICE,
	CLI_OPT_QUIET,
	CLI_OPT_HELP,
	CLI_OPT_END
};

const struct cli_command cli_command_info = {
	.name = "info",
	.operands = "[FIELD...]",
	.summary = "Print limits, size and statistics of the map",
	.details =
	"With FIELDs, print only their values, one per line in the order given.\n",
	.options = info_options,
	.max = INT32_MAX,
	.run = run_info,
};

static enum cli_status clear_prefix(struct cli *cli)
{
	enum cli_status status = CLI_ERROR;
	struct bytes prefix = { 0 };
	uint64_t removed;

	if (cli_take_prefix(cli, &prefix) || cli_open(cli, KMAP_RDWR) ||
	    prefix_delete(cli, &prefix, &removed))
		goto out;
	status = CLI_DONE;
	prefix_print_removed(cli, removed);
out:
	bytes_free(&prefix);
	return status;
}

static enum cli_status run_clear(struct cli *cli)
{
	uint64_t removed = 0;
	int ret;

	if (!cli->args.yes)
		return cli_usage(cli, "this removes the keys of all processes; say --yes if so");
	if (cli->args.prefix)
		return clear_prefix(cli);
	if (cli_open(cli, KMAP_WRONLY))
		return CLI_ERROR;
	ret = kmap_clear(cli->map, &removed);
	if (ret)
		return cli_error(cli, "%s; %" PRIu64 " key%s removed",
				 kmap_strerror(ret), removed,
				 removed == 1 ? " was" : "s were");
	prefix_print_removed(cli, removed);
	return CLI_DONE;
}

static const struct cli_option clear_options[] = {
	{ "yes", 'y', NULL, OPT_FLAG, CLI_FIELD(yes), 0,
	  "yes, remove them" },
	CLI_OPT_PREFIX("only keys that begin with this"),
	CLI_OPT_HEX("PREFIX"),
	CLI_OPT_ESCAPE("PREFIX"),
	CLI_OPT_JSON,
	CLI_OPT_DEVICE,
	CLI_OPT_QUIET,
	CLI_OPT_HELP,
	CLI_OPT_END
};

const struct cli_command cli_command_clear = {
	.name = "clear",
	.operands = "",
	.summary = "Remove all keys",
	.details =
	"Does nothing without --yes.\n",
	.options = clear_options,
	.run = run_clear,
};
