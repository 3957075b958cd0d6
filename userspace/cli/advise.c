// SPDX-License-Identifier: MIT
/*
 * The subcommand advise: with which parameters should the module be loaded for
 * the user's mix of operations?
 *
 * Each candidate, a lock mode and a number of shards, is loaded and measured for
 * a short while, one after the other, round after round.  The best round of each
 * counts: other work of the machine makes a round slower, never faster.  At the
 * end the module is loaded as it was before.
 *
 * The module is not unloaded while its map has entries or somebody has it open,
 * and a module that was loaded before is unloaded only with --reload.  Without
 * that, only the module that is loaded is measured.  Nobody else should use the
 * maps of candidates, so only root can open their node.
 */
#include <ctype.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "advise.h"

#define SHARDS_MAX	1024

/* How often to look for the node of a module just loaded, and the time between. */
#define NODE_TRIES	1500
#define NODE_WAIT	20000000	/* ns */

static enum cli_status take_rounds(const struct cli *cli, struct advise *advise)
{
	const char *text = cli->args.rounds ? cli->args.rounds : "8";
	uint64_t rounds;

	if (!cli_parse_u64(text, &rounds) || rounds < 1 || rounds > 1000)
		return cli_usage(cli, "--rounds takes a number from 1 to 1000, not \"%s\"",
				 text);
	advise->rounds = (unsigned int)rounds;
	return CLI_DONE;
}

static bool is_lock(const char *word)
{
	return !strcmp(word, "spinlock") || !strcmp(word, "rwsem") ||
	       !strcmp(word, "rcu");
}

/* Parse a number of shards; 0 stands for the default. */
static bool parse_shards(const char *word, uint64_t *shards)
{
	*shards = 0;
	if (!strcmp(word, "default"))
		return true;
	return cli_parse_u64(word, shards) && *shards >= 1 &&
	       *shards <= SHARDS_MAX && !(*shards & (*shards - 1));
}

static enum cli_status add_load(const struct cli *cli, struct advise *advise,
				const char *lock, const char *shards)
{
	struct advise_load *load = &advise->load[advise->count];

	if (advise->count++ == ADVISE_LOADS_MAX)
		return cli_usage(cli, "too much to try");
	snprintf(load->lock, sizeof(load->lock), "%s", lock);
	if (!parse_shards(shards, &load->shards))
		return cli_usage(cli, "--shards takes powers of two or default, not \"%s\"",
				 shards);
	return CLI_DONE;
}

/* Combine each lock mode of one list with each number of shards of the other. */
static enum cli_status take_loads(const struct cli *cli, struct advise *advise)
{
	const char *locks = cli->args.locks ? cli->args.locks :
					      "rcu,rwsem,spinlock";
	const char *shards = cli->args.shards ? cli->args.shards : "default,1";
	char lock_words[64], shard_words[256], *lock, *shard, *in, *out;

	if (strlen(locks) >= sizeof(lock_words) ||
	    strlen(shards) >= sizeof(shard_words))
		return cli_usage(cli, "too much to try");
	memcpy(lock_words, locks, strlen(locks) + 1);
	for (lock = strtok_r(lock_words, ",", &out); lock;
	     lock = strtok_r(NULL, ",", &out)) {
		if (!is_lock(lock))
			return cli_usage(cli, "--locks takes lock modes with commas, not \"%s\"",
					 locks);
		memcpy(shard_words, shards, strlen(shards) + 1);
		for (shard = strtok_r(shard_words, ",", &in); shard;
		     shard = strtok_r(NULL, ",", &in)) {
			if (add_load(cli, advise, lock, shard))
				return CLI_ERROR;
		}
	}
	if (!advise->count)
		return cli_usage(cli, "nothing to try");
	return CLI_DONE;
}

/* Is it a parameter for the module that shells and JSON take without quoting? */
static bool is_parameter(const char *word)
{
	const char *at = word;

	while (isalnum((unsigned char)*at) || *at == '_' || *at == '=')
		at++;
	return !*at && strchr(word, '=');
}

/* Take the operands: further parameters for all candidates. */
static enum cli_status take_extra(const struct cli *cli, struct advise *advise)
{
	size_t len = 0;

	for (int i = 0; i < cli->argc; i++) {
		const char *word = cli->argv[i];
		int more;

		if (!is_parameter(word))
			return cli_usage(cli, "operands are PARAMETER=VALUE, not \"%s\"",
					 word);
		if (!strncmp(word, "lock=", 5) || !strncmp(word, "shards=", 7))
			return cli_usage(cli, "instead of \"%s\" use --locks and --shards",
					 word);
		more = snprintf(advise->extra + len,
				sizeof(advise->extra) / 2 - len, " %s", word);
		len += (size_t)more;
		if (len >= sizeof(advise->extra) / 2)
			return cli_usage(cli, "too many parameters");
	}
	return CLI_DONE;
}

/* If the mix has lookups, there are two ways to do them. */
static void choose_ways(const struct cli *cli, struct advise *advise)
{
	bool gets = advise->plan.read ||
		    advise->plan.write == BENCH_WRITE_MATCH;

	advise->ways[ADVISE_WINDOW] = gets && !cli->args.no_window;
	advise->ways[ADVISE_CALLS] = true;
}

/* Measure one way for a moment. */
static enum cli_status sample(const struct cli *cli, const struct advise *advise,
			      enum advise_way way, bool latency,
			      struct advise_rate *rate)
{
	struct bench_result *sum = calloc(1, sizeof(*sum));
	struct bench_plan plan = advise->plan;
	enum cli_status status;
	double all;

	if (!sum)
		return cli_fail(cli, -ENOMEM);
	plan.latency = latency;
	if (way == ADVISE_CALLS)
		plan.open_flags |= KMAP_NO_WINDOW;
	status = bench_run(cli, &plan, sum);
	/* A signal cut the run short, or kept it from beginning. */
	if (!status && cli_end_signal)
		status = cli_error(cli, "stopped by signal %d", cli_end_signal);
	if (!status && latency) {
		uint64_t p99;

		hist_merge(&sum->hist[BENCH_GET], &sum->hist[BENCH_WRITE]);
		p99 = hist_quantile(&sum->hist[BENCH_GET], 990);
		if (!rate->p99 || p99 < rate->p99)
			rate->p99 = p99;
	} else if (!status) {
		rate->measured = true;
		all = sum->rate[BENCH_GET] + sum->rate[BENCH_WRITE];
		if (all > rate->best) {
			rate->next = rate->best;
			rate->best = all;
		} else if (all > rate->next) {
			rate->next = all;
		}
	}
	free(sum);
	return status;
}

/* Measure all ways; the map is open, and the keys are made. */
static enum cli_status sample_ways(const struct cli *cli, struct advise *advise,
				   struct advise_load *load)
{
	enum cli_status status = CLI_DONE;

	/* Without a window, both ways would be system calls. */
	if (!kmap_window(cli->map))
		advise->ways[ADVISE_WINDOW] = false;
	for (int way = 0; !status && way < ADVISE_WAYS; way++) {
		if (!advise->ways[way])
			continue;
		status = sample(cli, advise, (enum advise_way)way, false,
				&load->rates[way]);
		if (!status && advise->plan.latency)
			status = sample(cli, advise, (enum advise_way)way, true,
					&load->rates[way]);
	}
	return status;
}

/* Measure one round of the map that is loaded. */
static enum cli_status measure(struct cli *cli, struct advise *advise,
			       struct advise_load *load)
{
	enum cli_status status, removed;
	struct kmap_info info;
	uint64_t made = 0;
	int ret;

	ret = kmap_info(cli->map, &info);
	if (ret)
		return cli_fail(cli, ret);
	if (bench_check_limits(cli, &advise->plan, &info))
		return CLI_ERROR;
	if (strncmp(info.lock, load->lock, sizeof(info.lock)) ||
	    (load->shards && info.shards != load->shards))
		return cli_error(cli, "somebody has loaded another kmap meanwhile");
	load->real_shards = info.shards;
	status = bench_make_keys(cli, &advise->plan, &made);
	if (!status)
		status = sample_ways(cli, advise, load);
	removed = bench_remove_keys(cli, &advise->plan, made);
	return status ? status : removed;
}

static void close_map(struct cli *cli)
{
	kmap_close(cli->map);
	cli->map = NULL;
}

/* Open a map that was loaded just now: its node may not be there yet. */
static enum cli_status open_loaded(struct cli *cli, unsigned int flags)
{
	struct timespec wait = { .tv_nsec = NODE_WAIT };

	for (int try = 0; try < NODE_TRIES; try++) {
		if (!access(cli->device, R_OK | W_OK))
			break;
		nanosleep(&wait, NULL);
	}
	return cli_open(cli, flags);
}

/* Close the map, and unload the module unless the map has entries. */
static enum cli_status unload_empty(struct cli *cli)
{
	struct kmap_info info;
	int ret = kmap_info(cli->map, &info);

	close_map(cli);
	if (ret)
		return cli_fail(cli, ret);
	if (info.entries)
		return cli_error(cli, "the map has %llu entries, so it stays loaded",
				 (unsigned long long)info.entries);
	return module_unload(cli);
}

/* Measure one round of one candidate; *gone tells whether its module is unloaded. */
static enum cli_status try_load(struct cli *cli, struct advise *advise,
				const char *limits, struct advise_load *load,
				bool *gone)
{
	char parameters[3 * ADVISE_TEXT_MAX], shards[32] = "";
	enum cli_status status, unloaded;

	if (load->shards)
		snprintf(shards, sizeof(shards), " shards=%llu",
			 (unsigned long long)load->shards);
	/* Of a parameter that is given twice, the last one counts. */
	snprintf(parameters, sizeof(parameters), "%s%s lock=%s%s mode=0",
		 limits, advise->extra, load->lock, shards);
	status = module_load(cli, parameters + (*parameters == ' '));
	if (status)
		return status;
	*gone = false;
	status = open_loaded(cli, advise->plan.open_flags);
	if (!status)
		status = measure(cli, advise, load);
	unloaded = cli->map ? unload_empty(cli) : module_unload(cli);
	*gone = !unloaded;
	return status ? status : unloaded;
}

static void show_progress(unsigned int round, unsigned int rounds)
{
	if (!isatty(STDERR_FILENO))
		return;
	if (round < rounds)
		fprintf(stderr, "round %u of %u\r", round + 1, rounds);
	else
		fprintf(stderr, "%*s\r", 30, "");
}

static enum cli_status run_rounds(struct cli *cli, struct advise *advise,
				  const char *limits, bool *gone)
{
	enum cli_status status = CLI_DONE;

	for (unsigned int round = 0; !status && round < advise->rounds; round++) {
		show_progress(round, advise->rounds);
		for (size_t i = 0; !status && i < advise->count; i++)
			status = limits ? try_load(cli, advise, limits,
						   &advise->load[i], gone) :
				 measure(cli, advise, &advise->load[i]);
	}
	show_progress(advise->rounds, advise->rounds);
	return status;
}

/* Unload the module, measure all candidates, and load the module as it was. */
static enum cli_status try_loads(struct cli *cli, struct advise *advise)
{
	struct advise_module before = { 0 };
	enum cli_status status, restored = CLI_DONE;
	bool gone = true;

	if (advise->was_loaded) {
		if (cli_open(cli, KMAP_RDWR | KMAP_NO_WINDOW) ||
		    module_look(cli, &before) ||
		    module_check(cli, before.build) || unload_empty(cli))
			return CLI_ERROR;
	} else if (module_check(cli, NULL)) {
		return CLI_ERROR;
	}
	status = run_rounds(cli, advise, before.limits, &gone);
	if (!gone)
		cli_error(cli, "the kmap loaded now is for measuring, and only for root");
	else if (advise->was_loaded)
		restored = module_restore(cli, &before);
	return status ? status : restored;
}

/* Measure the map that is loaded. */
static enum cli_status try_loaded(struct cli *cli, struct advise *advise)
{
	struct advise_load *load = &advise->load[0];
	struct kmap_info info;
	int ret;

	if (cli_open(cli, advise->plan.open_flags))
		return CLI_ERROR;
	ret = kmap_info(cli->map, &info);
	if (ret)
		return cli_fail(cli, ret);
	advise->count = 1;
	*load = (struct advise_load){ .shards = info.shards };
	snprintf(load->lock, sizeof(load->lock), "%.*s",
		 (int)sizeof(info.lock), info.lock);
	return run_rounds(cli, advise, NULL, NULL);
}

static enum cli_status prepare(struct cli *cli, struct advise *advise)
{
	if (!cli->args.duration)
		cli->args.duration = "0.1";
	if (bench_take_options(cli, &advise->plan) || take_rounds(cli, advise) ||
	    take_loads(cli, advise) || take_extra(cli, advise) ||
	    bench_choose_tag(cli, &advise->plan))
		return CLI_ERROR;
	choose_ways(cli, advise);
	cli_name_device(cli);
	advise->was_loaded = module_is_loaded();
	advise->loads = !advise->was_loaded || cli->args.reload;
	if (advise->loads && geteuid())
		return cli_error(cli, "%s only root can load it",
				 advise->was_loaded ?
				 "to load the module in other ways:" :
				 "kmap is not loaded, and");
	if (!advise->loads && cli->argc)
		return cli_usage(cli, "kmap is loaded, so \"%s\" needs --reload",
				 cli->argv[0]);
	return CLI_DONE;
}

static enum cli_status run_advise(struct cli *cli)
{
	struct advise *advise = calloc(1, sizeof(*advise));
	enum cli_status status;

	if (!advise)
		return cli_error(cli, "no memory");
	status = prepare(cli, advise);
	if (!status) {
		cli_catch_ends();
		status = advise->loads ? try_loads(cli, advise) :
					 try_loaded(cli, advise);
	}
	if (!status)
		status = advise_report(cli, advise);
	free(advise);
	return status;
}

static const struct cli_option advise_options[] = {
	BENCH_OPT_THREADS,
	BENCH_OPT_PROCESSES,
	BENCH_OPT_READ,
	BENCH_OPT_WRITE,
	BENCH_OPT_SKEW,
	BENCH_OPT_KEYS,
	BENCH_OPT_KEY_SIZE,
	BENCH_OPT_VALUE_SIZE,
	BENCH_OPT_OWN,
	{ "locks", 'l', "LIST", OPT_TEXT, CLI_FIELD(locks), 0,
	  "lock modes to try (rcu,rwsem,spinlock)" },
	{ "shards", 'S', "LIST", OPT_TEXT, CLI_FIELD(shards), 0,
	  "numbers of shards to try with each (default,1)" },
	{ "rounds", 'R', "N", OPT_TEXT, CLI_FIELD(rounds), 0,
	  "measure each in N rounds; the best counts (8)" },
	{ "duration", 'D', "SECONDS", OPT_TEXT, CLI_FIELD(duration), 0,
	  "how long to measure each time (0.1)" },
	{ "module", 'm', "FILE", OPT_TEXT, CLI_FIELD(module), 0,
	  "load the module from FILE, not by modprobe" },
	{ "reload", 'x', NULL, OPT_FLAG, CLI_FIELD(reload), 0,
	  "unload the loaded module, if its map is empty" },
	{ "no-window", 'W', NULL, OPT_FLAG, CLI_FIELD(no_window), 0,
	  "get with system calls only" },
	{ "no-latency", 'L', NULL, OPT_FLAG, CLI_FIELD(no_latency), 0,
	  "no latencies; takes half the time" },
	CLI_OPT_JSON,
	CLI_OPT_DEVICE,
	CLI_OPT_HELP,
	CLI_OPT_END
};

const struct cli_command cli_command_advise = {
	.name = "advise",
	.operands = "[PARAMETER=VALUE...]",
	.summary = "Measure which lock mode and how many shards suit a mix of operations",
	.details =
	"Loads the module with each lock mode and number of shards and measures it; this\n"
	"needs root.  A module that is loaded is unloaded only with --reload, if its map\n"
	"is empty and nobody has it open, and is loaded again as it was; without --reload\n"
	"only the loaded module is measured.  PARAMETERs are for all candidates.\n",
	.options = advise_options,
	.max = 16,
	.run = run_advise,
};
