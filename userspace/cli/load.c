// SPDX-License-Identifier: MIT
/*
 * The subcommand load: store the records of a dump in the map.
 *
 * Records are read into a batch, and batches are stored with kmap_batch().  A
 * regular file is read twice, first to check all of it, so that a bad one
 * changes nothing.  A pipe can be read only once, so the records before a bad
 * place are stored.  However a load ends, it prints how many records it stored.
 */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "dump.h"
#include "progress.h"
#include "signals.h"
#include "value.h"

/* A batch is stored when it has this many records, or bytes. */
#define BATCH_RECORDS	4096
#define BATCH_BYTES	(4u << 20)

/* Records between two looks at the clock while a file is checked. */
#define CHECK_RECORDS	4096

struct load {
	struct cli			*cli;
	const struct dump_format	*format;
	const char			*name;		/* of the input */
	int				fd;
	unsigned int			flags;		/* of each SET */
	const char			*doing;		/* "check" or "load" */
	struct dump_input		in;
	struct progress			progress;

	struct bytes			data;		/* of the batch */
	size_t				batched;
	struct dump_record		records[BATCH_RECORDS];
	struct kmap_op			ops[BATCH_RECORDS];

	uint64_t			loaded;
	uint64_t			unmet;		/* by --create, --replace */
};

static void begin_input(struct load *load, const char *doing)
{
	load->doing = doing;
	progress_phase(&load->progress);
	bytes_free(&load->in.scratch);
	memset(&load->in, 0, sizeof(load->in));
	reader_init(&load->in.reader, load->fd);
}

/* Print what is wrong with the input, and where. */
static enum cli_status fail_input(struct load *load)
{
	progress_end(&load->progress, load->doing, load->in.count,
		     reader_offset(&load->in.reader));
	if (cli_end_signal)
		cli_error(load->cli, "%s: stopped by signal %d", load->name,
			  cli_end_signal);
	else
		cli_error(load->cli, "%s: line %" PRIu64 ", byte %" PRIu64 ": %s",
			  load->name, load->in.error_line,
			  load->in.error_offset, load->in.error);
	return CLI_ERROR;
}

/* Print why a record was not stored. */
static enum cli_status fail_record(struct load *load, size_t index)
{
	const struct dump_record *record = &load->records[index];
	int ret = load->ops[index].error;

	progress_end(&load->progress, load->doing, load->in.count,
		     reader_offset(&load->in.reader));
	cli_error(load->cli, "%s: line %" PRIu64 ": not stored", load->name,
		  record->line);
	return cli_fail_key(load->cli, ret, load->data.data + record->key,
			    record->key_len);
}

/* Store the batch, and count the results. */
static enum cli_status flush(struct load *load)
{
	enum cli_status status = CLI_DONE;
	size_t done = 0;
	int ret;

	for (size_t i = 0; i < load->batched; i++) {
		const struct dump_record *record = &load->records[i];

		load->ops[i] = (struct kmap_op){
			.opcode = KMAP_OP_SET,
			.flags = load->flags |
				 (record->number ? KMAP_NUMBER : 0),
			.key = KMAP_PTR(load->data.data + record->key),
			.key_len = (uint32_t)record->key_len,
			.value = KMAP_PTR(load->data.data + record->value),
			.value_len = (uint32_t)record->value_len,
		};
	}
	ret = kmap_batch(load->cli->map, load->ops, load->batched, &done);
	for (size_t i = 0; i < done; i++) {
		if (!load->ops[i].error)
			load->loaded++;
		else if (cli_is_condition(load->ops[i].error))
			load->unmet++;
		else if (!status)
			status = fail_record(load, i);
	}
	if (ret && !status)
		status = cli_fail(load->cli, ret);
	load->batched = 0;
	load->data.len = 0;
	progress_update(&load->progress, load->doing, load->in.count,
			reader_offset(&load->in.reader));
	return status;
}

/* Read the whole input without storing anything. */
static enum cli_status check_all(struct load *load)
{
	struct dump_record record;
	int more;

	begin_input(load, "check");
	more = load->format->begin(&load->in) ? -1 : 1;
	while (more > 0 && !cli_end_signal) {
		load->data.len = 0;
		more = load->format->next(&load->in, &load->data, &record);
		if (more > 0 && load->in.count % CHECK_RECORDS == 0)
			progress_update(&load->progress, load->doing,
					load->in.count,
					reader_offset(&load->in.reader));
	}
	load->data.len = 0;
	return more ? fail_input(load) : CLI_DONE;
}

/* Read the input and store it. */
static enum cli_status load_all(struct load *load)
{
	enum cli_status status = CLI_DONE;
	int more;

	begin_input(load, "load");
	more = load->format->begin(&load->in) ? -1 : 1;
	while (more > 0 && !status && !cli_end_signal) {
		more = load->format->next(&load->in, &load->data,
					  &load->records[load->batched]);
		if (more > 0)
			load->batched++;
		if (load->batched == BATCH_RECORDS ||
		    load->data.len >= BATCH_BYTES)
			status = flush(load);
	}
	if (!status && load->batched)
		status = flush(load);
	if (!status && more)
		status = fail_input(load);
	progress_end(&load->progress, load->doing, load->in.count,
		     reader_offset(&load->in.reader));
	return status;
}

/* Print how many records were loaded; on stderr when the load failed. */
static void report(const struct load *load, enum cli_status status)
{
	const struct cli_args *args = &load->cli->args;
	FILE *out = status == CLI_ERROR ? stderr : stdout;
	uint64_t count = args->check ? load->in.count : load->loaded;
	const char *unmet = args->flags & KMAP_REPLACE ? "absent" : "present";

	if (args->json) {
		printf("{\"%s\":%" PRIu64, args->check ? "checked" : "loaded",
		       count);
		if (!args->check)
			printf(",\"%s\":%" PRIu64, unmet, load->unmet);
		puts("}");
		return;
	}
	if (args->quiet && status != CLI_ERROR)
		return;
	fprintf(out, "%" PRIu64 " record%s %s", count, count == 1 ? "" : "s",
		args->check ? "checked" : "loaded");
	if (load->unmet)
		fprintf(out, ", %" PRIu64 " not: key %s", load->unmet, unmet);
	fputc('\n', out);
}

static enum cli_status load_input(struct load *load)
{
	off_t begin = lseek(load->fd, 0, SEEK_CUR);
	enum cli_status status = CLI_DONE;
	struct stat st;
	bool regular;

	regular = begin >= 0 && !fstat(load->fd, &st) && S_ISREG(st.st_mode);
	progress_begin(&load->progress, load->cli->args.quiet,
		       load->cli->args.progress,
		       regular ? (uint64_t)(st.st_size - begin) : 0);
	if (regular || load->cli->args.check)
		status = check_all(load);
	if (!status && !load->cli->args.check) {
		if (regular && lseek(load->fd, begin, SEEK_SET) < 0)
			return cli_error(load->cli, "cannot read %s again: %s",
					 load->name, strerror(errno));
		status = load_all(load);
	}
	if (!status && load->unmet)
		status = CLI_UNMET;
	report(load, status);
	return status;
}

static enum cli_status run_load(struct cli *cli)
{
	const char *name = cli->argc ? cli->argv[0] : "-";
	enum cli_status status = CLI_ERROR;
	struct load *load;
	uint64_t version;

	load = calloc(1, sizeof(*load));
	if (!load)
		return cli_error(cli, "out of memory");
	load->cli = cli;
	load->format = cli->args.json ? &dump_json : &dump_text;
	load->name = strcmp(name, "-") ? name : "standard input";
	load->fd = -1;
	if (cli_op_flags(cli, &load->flags, &version))
		goto out;
	load->fd = cli_open_input(cli, name);
	if (load->fd < 0)
		goto out;
	if (!cli->args.check && cli_open(cli, KMAP_WRONLY))
		goto out;
	cli_catch_ends();
	status = load_input(load);
out:
	if (load->fd > STDERR_FILENO)
		close(load->fd);
	bytes_free(&load->in.scratch);
	bytes_free(&load->data);
	free(load);
	return status;
}

static const struct cli_option load_options[] = {
	CLI_OPT_CREATE("leave keys that are present as they are"),
	CLI_OPT_REPLACE("leave out keys that are absent"),
	{ "check", 'n', NULL, OPT_FLAG, CLI_FIELD(check), 0,
	  "check the dump, load nothing" },
	{ "progress", 'p', NULL, OPT_FLAG, CLI_FIELD(progress), 0,
	  "show progress even if stderr is not a terminal" },
	{ "json", 'j', NULL, OPT_FLAG, CLI_FIELD(json), 0,
	  "the dump is JSON, and so is the report" },
	CLI_OPT_DEVICE,
	CLI_OPT_QUIET,
	CLI_OPT_HELP,
	CLI_OPT_END
};

const struct cli_command cli_command_load = {
	.name = "load",
	.operands = "[FILE]",
	.summary = "Store the keys and values of a dump",
	.details =
	"Reads FILE, or standard input.  A regular file is checked as a whole before\n"
	"anything is stored; from a pipe, the records before a bad place are stored.\n"
	"Keys that the dump does not name stay.\n",
	.options = load_options,
	.max = 1,
	.run = run_load,
};
