// SPDX-License-Identifier: MIT
/*
 * The subcommand bench: how fast is the map for a mix of the user's own?
 *
 * It works on keys of its own, among whatever else the map holds, and removes
 * them in the end, also when a signal ends it early.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "bench.h"

/* Longest run, so that nanoseconds and histograms have room. */
#define SECONDS_MAX	86400.0

static enum cli_status take_number(const struct cli *cli, const char *option,
				   const char *text, uint64_t least,
				   uint64_t most, uint64_t *number)
{
	if (!text)
		return CLI_DONE;
	if (cli_parse_u64(text, number) && *number >= least && *number <= most)
		return CLI_DONE;
	return cli_usage(cli, "--%s takes a number from %llu to %llu, not \"%s\"",
			 option, (unsigned long long)least,
			 (unsigned long long)most, text);
}

/* A decimal number without sign and exponent. */
static bool parse_decimal(const char *text, double *number)
{
	char *end;

	if (*text < '0' || *text > '9' ||
	    text[strspn(text, "0123456789.")])
		return false;
	*number = strtod(text, &end);
	return !*end;
}

static enum cli_status take_duration(const struct cli *cli,
				     struct bench_plan *plan)
{
	double duration = 5;

	if (cli->args.duration &&
	    (!parse_decimal(cli->args.duration, &duration) ||
	     duration < 0.001 || duration > SECONDS_MAX))
		return cli_usage(cli, "--duration takes seconds, from 0.001 to 86400, not \"%s\"",
				 cli->args.duration);
	plan->duration = (uint64_t)(duration * (double)NSEC_PER_SEC);
	return CLI_DONE;
}

static enum cli_status take_skew(const struct cli *cli, uint64_t keys,
				 struct bench_plan *plan)
{
	const char *skew = cli->args.skew ? cli->args.skew : "uniform";
	double theta = 0.99;

	if (!strcmp(skew, "uniform"))
		theta = 0;
	else if (strcmp(skew, "zipf") &&
		 (strncmp(skew, "zipf:", 5) || !parse_decimal(skew + 5, &theta) ||
		  theta < 0.01 || theta > 0.999))
		return cli_usage(cli,
				 "--skew takes uniform, zipf or zipf:T, T from 0.01 to 0.999, not \"%s\"",
				 skew);
	skew_init(&plan->skew, keys, theta);
	return CLI_DONE;
}

static enum cli_status take_options(const struct cli *cli,
				    struct bench_plan *plan)
{
	const struct cli_args *args = &cli->args;
	uint64_t processes = 1, threads = 1, read = 95, keys = 10000;
	uint64_t key_size = 16, value_size = 64;

	if (take_number(cli, "processes", args->processes, 1,
			BENCH_WORKERS_MAX, &processes) ||
	    take_number(cli, "threads", args->threads, 1, BENCH_WORKERS_MAX,
			&threads) ||
	    take_number(cli, "read", args->read, 0, 100, &read) ||
	    take_number(cli, "keys", args->keys, 1, BENCH_KEYS_MAX, &keys) ||
	    take_number(cli, "key-size", args->key_size, 1, UINT32_MAX,
			&key_size) ||
	    take_number(cli, "value-size", args->value_size, 0, UINT32_MAX - 1,
			&value_size) ||
	    take_duration(cli, plan))
		return CLI_ERROR;
	if (processes * threads > BENCH_WORKERS_MAX)
		return cli_usage(cli, "at most %d threads in all",
				 BENCH_WORKERS_MAX);
	plan->digits = bench_digits(keys);
	if (key_size < BENCH_NUMBER + plan->digits)
		return cli_usage(cli, "for so many keys --key-size is %zu at least",
				 BENCH_NUMBER + plan->digits);
	plan->device = args->device;
	plan->open_flags = KMAP_RDWR;
	if (args->no_window)
		plan->open_flags |= KMAP_NO_WINDOW;
	plan->processes = (unsigned int)processes;
	plan->threads = (unsigned int)threads;
	plan->read = (unsigned int)read;
	plan->key_size = (size_t)key_size;
	plan->value_size = (size_t)value_size;
	plan->latency = !args->no_latency;
	return take_skew(cli, keys, plan);
}

/*
 * Do gets take the window?  The module counts only those that come as system
 * calls; those of others can hide that, but not make it up.
 */
static int window_used(struct kmap *map, const struct bench_plan *plan,
		       bool *used)
{
	enum { GETS = 32, TRIES = 4 };
	struct kmap_info before, after;
	char *key = malloc(plan->key_size);
	int err = key ? 0 : -ENOMEM;

	*used = false;
	if (key)
		bench_key_init(plan, key);
	for (int try = 0; !err && !*used && try < TRIES; try++) {
		err = kmap_info(map, &before);
		for (int i = 0; !err && i < GETS; i++) {
			err = kmap_get(map, key, plan->key_size, NULL, 0, NULL,
				       NULL);
			if (err == -EMSGSIZE || err == -ENOENT)
				err = 0;
		}
		if (!err)
			err = kmap_info(map, &after);
		*used = !err && after.gets - before.gets < GETS;
	}
	free(key);
	return err;
}

static enum cli_status measure(const struct cli *cli,
			       const struct bench_plan *plan,
			       const struct kmap_info *info)
{
	struct bench_result *sum = calloc(1, sizeof(*sum));
	enum cli_status status;
	bool window = false;
	int err = 0;

	if (!sum)
		return cli_fail(cli, -ENOMEM);
	if (!cli->args.no_window)
		err = window_used(cli->map, plan, &window);
	status = err ? cli_fail(cli, err) : bench_run(cli, plan, sum);
	if (!status && !sum->ended && cli_end_signal)
		status = cli_error(cli, "stopped by signal %d",
				   cli_end_signal);
	if (!status)
		bench_report(cli, plan, info, window, sum);
	free(sum);
	return status;
}

static enum cli_status run_bench(struct cli *cli)
{
	struct bench_plan plan = { 0 };
	enum cli_status status, removed;
	struct kmap_info info;
	uint64_t made;
	int err;

	if (take_options(cli, &plan) || bench_choose_tag(cli, &plan) ||
	    cli_open(cli, plan.open_flags))
		return CLI_ERROR;
	err = kmap_info(cli->map, &info);
	if (err)
		return cli_fail(cli, err);
	if (plan.key_size > info.max_key)
		return cli_error(cli, "this map takes keys of up to %u bytes",
				 info.max_key);
	if (plan.value_size > info.max_value)
		return cli_error(cli, "this map takes values of up to %u bytes",
				 info.max_value);
	cli_catch_ends();
	status = bench_make_keys(cli, &plan, &made);
	if (!status)
		status = measure(cli, &plan, &info);
	removed = bench_remove_keys(cli, &plan, made);
	return status ? status : removed;
}

static const struct cli_option bench_options[] = {
	{ "threads", 't', "N", OPT_TEXT, CLI_FIELD(threads), 0,
	  "threads of each process (1)" },
	{ "processes", 'p', "N", OPT_TEXT, CLI_FIELD(processes), 0,
	  "processes (1)" },
	{ "read", 'r', "PERCENT", OPT_TEXT, CLI_FIELD(read), 0,
	  "so many operations are gets, the others sets (95)" },
	{ "skew", 's', "NAME", OPT_TEXT, CLI_FIELD(skew), 0,
	  "choose keys: uniform, zipf or zipf:T (uniform; T 0.99)" },
	{ "keys", 'n', "N", OPT_TEXT, CLI_FIELD(keys), 0,
	  "number of keys (10000)" },
	{ "key-size", 'k', "BYTES", OPT_TEXT, CLI_FIELD(key_size), 0,
	  "length of keys (16)" },
	{ "value-size", 'v', "BYTES", OPT_TEXT, CLI_FIELD(value_size), 0,
	  "length of values (64)" },
	{ "duration", 'D', "SECONDS", OPT_TEXT, CLI_FIELD(duration), 0,
	  "how long, for instance 0.5 (5)" },
	{ "no-window", 'W', NULL, OPT_FLAG, CLI_FIELD(no_window), 0,
	  "get with system calls only" },
	{ "no-latency", 'L', NULL, OPT_FLAG, CLI_FIELD(no_latency), 0,
	  "no latencies, so no clock in the loop" },
	CLI_OPT_JSON,
	CLI_OPT_DEVICE,
	CLI_OPT_HELP,
	CLI_OPT_END
};

const struct cli_command cli_command_bench = {
	.name = "bench",
	.operands = "",
	.summary = "Measure how fast the map is for a mix of operations",
	.details =
	"Works on keys of its own, which begin with \"bench.\", and removes them in the\n"
	"end; no other key is read or changed.\n",
	.options = bench_options,
	.run = run_bench,
};
