// SPDX-License-Identifier: MIT
/*
 * The subcommand bench: how fast is the map for the user's mix of operations?
 *
 * It works on keys of its own, beside all others in the map, and removes them at
 * the end, even if a signal ends it early.
 */
#include <errno.h>
#include <stdlib.h>

#include "bench.h"

/*
 * Do gets use the window?  The module counts only gets by system call, so fewer
 * were counted than were done.  Gets of other processes can hide that, so there
 * are several tries.
 */
static int window_used(struct kmap *map, const struct bench_plan *plan,
		       bool *used)
{
	enum { GETS = 32, TRIES = 4 };
	struct kmap_info before, after;
	char *key = malloc(plan->key_size);
	int ret = key ? 0 : -ENOMEM;

	*used = false;
	if (key)
		bench_key_init(plan, key);
	for (int try = 0; !ret && !*used && try < TRIES; try++) {
		ret = kmap_info(map, &before);
		for (int i = 0; !ret && i < GETS; i++) {
			ret = kmap_get(map, key, plan->key_size, NULL, 0, NULL,
				       NULL);
			if (ret == -EMSGSIZE || ret == -ENOENT)
				ret = 0;
		}
		if (!ret)
			ret = kmap_info(map, &after);
		*used = !ret && after.gets - before.gets < GETS;
	}
	free(key);
	return ret;
}

static enum cli_status measure(const struct cli *cli,
			       const struct bench_plan *plan,
			       const struct kmap_info *info)
{
	struct bench_result *sum = calloc(1, sizeof(*sum));
	enum cli_status status;
	bool window = false;
	int ret = 0;

	if (!sum)
		return cli_fail(cli, -ENOMEM);
	if (!cli->args.no_window)
		ret = window_used(cli->map, plan, &window);
	status = ret ? cli_fail(cli, ret) : bench_run(cli, plan, sum);
	if (!status && !sum->ended && cli_end_signal)
		status = cli_error(cli, "stopped by signal %d",
				   cli_end_signal);
	if (!status)
		bench_report(cli, plan, info, window, sum);
	free(sum);
	return status;
}

enum cli_status bench_check_limits(const struct cli *cli,
				   const struct bench_plan *plan,
				   const struct kmap_info *info)
{
	if (plan->key_size > info->max_key)
		return cli_error(cli, "this map takes keys of up to %u bytes",
				 info->max_key);
	if (plan->value_size > info->max_value)
		return cli_error(cli, "this map takes values of up to %u bytes",
				 info->max_value);
	return CLI_DONE;
}

static enum cli_status run_bench(struct cli *cli)
{
	struct bench_plan plan = { 0 };
	enum cli_status status, removed;
	struct kmap_info info;
	uint64_t made;
	int ret;

	if (bench_take_options(cli, &plan) || bench_choose_tag(cli, &plan) ||
	    cli_open(cli, plan.open_flags))
		return CLI_ERROR;
	ret = kmap_info(cli->map, &info);
	if (ret)
		return cli_fail(cli, ret);
	if (bench_check_limits(cli, &plan, &info))
		return CLI_ERROR;
	cli_catch_ends();
	status = bench_make_keys(cli, &plan, &made);
	if (!status)
		status = measure(cli, &plan, &info);
	removed = bench_remove_keys(cli, &plan, made);
	return status ? status : removed;
}

static const struct cli_option bench_options[] = {
	BENCH_OPT_THREADS,
	BENCH_OPT_PROCESSES,
	BENCH_OPT_READ,
	BENCH_OPT_WRITE,
	BENCH_OPT_SKEW,
	BENCH_OPT_KEYS,
	BENCH_OPT_KEY_SIZE,
	BENCH_OPT_VALUE_SIZE,
	BENCH_OPT_OWN,
	{ "duration", 'D', "SECONDS", OPT_TEXT, CLI_FIELD(duration), 0,
	  "how long to measure, for instance 0.5 (5)" },
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
	"Works on keys of its own, which begin with \"bench.\", and removes them at the\n"
	"end; no other key is read or changed.\n",
	.options = bench_options,
	.run = run_bench,
};
