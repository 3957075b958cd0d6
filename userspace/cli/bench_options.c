// SPDX-License-Identifier: MIT
/*
 * The options that describe what a benchmark does.
 */
#include <stdlib.h>
#include <string.h>

#include "bench.h"

/* Longest run, so that neither nanoseconds nor counts overflow. */
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

/* With --own, each worker draws from its own share of the keys. */
static enum cli_status take_skew(const struct cli *cli, struct bench_plan *plan)
{
	uint64_t workers = plan->processes * plan->threads;
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
	if (plan->own && plan->keys < workers)
		return cli_usage(cli, "--own needs at least one key per thread");
	skew_init(&plan->skew, plan->own ? plan->keys / workers : plan->keys,
		  theta);
	return CLI_DONE;
}

static enum cli_status take_write(const struct cli *cli,
				  struct bench_plan *plan)
{
	static const char *const names[] = {
		[BENCH_WRITE_SET] = "set",
		[BENCH_WRITE_ADD] = "add",
		[BENCH_WRITE_MATCH] = "match",
	};
	const char *write = cli->args.write ? cli->args.write : "set";

	for (size_t i = 0; i < ARRAY_SIZE(names); i++) {
		if (strcmp(write, names[i]))
			continue;
		plan->write = (enum bench_write)i;
		plan->write_name = names[i];
		if (i != BENCH_WRITE_ADD)
			return CLI_DONE;
		/* ADD adds to a number, which has 8 bytes. */
		if (cli->args.value_size && plan->value_size != 8)
			return cli_usage(cli, "--write add takes values of 8 bytes");
		plan->value_size = 8;
		return CLI_DONE;
	}
	return cli_usage(cli, "--write takes set, add or match, not \"%s\"",
			 write);
}

enum cli_status bench_take_options(const struct cli *cli,
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
		return cli_usage(cli, "--key-size must be at least %zu for so many keys",
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
	plan->keys = keys;
	plan->own = args->own;
	plan->latency = !args->no_latency;
	if (take_write(cli, plan))
		return CLI_ERROR;
	return take_skew(cli, plan);
}
