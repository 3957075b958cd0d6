// SPDX-License-Identifier: MIT
/*
 * What a benchmark prints: a table, or JSON.
 */
#include <inttypes.h>
#include <string.h>

#include "bench.h"

static const struct {
	const char	*name;
	const char	*json;
	unsigned int	permille;
} quantiles[] = {
	{ "p50", "p50", 500 },
	{ "p99", "p99", 990 },
	{ "p99.9", "p999", 999 },
};

static void print_time(uint64_t ns)
{
	static const char *const units[] = { "ns", "us", "ms", "s" };
	double value = (double)ns;
	size_t unit = 0;

	while (value >= 1000 && unit < ARRAY_SIZE(units) - 1) {
		value /= 1000;
		unit++;
	}
	printf("  %6.*f %-2s", !unit ? 0 : value < 10 ? 2 : value < 100 ? 1 : 0,
	       value, units[unit]);
}

static const char *op_name(const struct bench_plan *plan, size_t op)
{
	return op == BENCH_GET ? "get" : plan->write_name;
}

static const char *plural(unsigned int count)
{
	return count == 1 ? "" : "s";
}

static double seconds(const struct bench_result *result)
{
	return (double)(result->ended - result->begun) / (double)NSEC_PER_SEC;
}

/* Share of operations on the key that is drawn most often. */
static double hottest(const struct bench_result *sum)
{
	uint64_t all = sum->operations[BENCH_GET] + sum->operations[BENCH_WRITE];

	return all ? 100.0 * (double)sum->hottest / (double)all : 0;
}

static void print_row(const struct bench_plan *plan, const char *name,
		      uint64_t operations, double rate, const struct hist *hist)
{
	printf("%-6s %12" PRIu64 " %12.0f", name, operations, rate);
	if (plan->latency) {
		for (size_t i = 0; i < ARRAY_SIZE(quantiles); i++)
			print_time(hist_quantile(hist, quantiles[i].permille));
		print_time(hist->max);
	}
	putchar('\n');
}

static void print_table(const struct bench_plan *plan,
			const struct kmap_info *info, bool window,
			struct bench_result *sum)
{
	printf("map      %.*s, %" PRIu32 " shard%s, gets %s\n",
	       (int)sizeof(info->lock), info->lock, info->shards,
	       plural(info->shards),
	       window ? "through the window" : "by system calls");
	printf("workers  %u process%s of %u thread%s, %.2f s\n",
	       plan->processes, plan->processes == 1 ? "" : "es",
	       plan->threads, plural(plan->threads), seconds(sum));
	printf("keys     %" PRIu64 " of %zu bytes, values of %zu bytes; ",
	       plan->keys, plan->key_size, plan->value_size);
	if (plan->skew.theta)
		printf("zipf %g", plan->skew.theta);
	else
		printf("uniform");
	printf(", the hottest in %.2f %% of operations\n", hottest(sum));
	printf("mix      %u %% get, %u %% %s%s\n\n", plan->read,
	       100 - plan->read, plan->write_name,
	       plan->own ? ", keys of its own for each thread" : "");

	printf("%-6s %12s %12s", "", "operations", "ops/s");
	if (plan->latency) {
		for (size_t i = 0; i < ARRAY_SIZE(quantiles); i++)
			printf("  %9s", quantiles[i].name);
		printf("  %9s", "max");
	}
	putchar('\n');
	for (size_t op = 0; op < BENCH_OPS; op++)
		if (sum->operations[op])
			print_row(plan, op_name(plan, op), sum->operations[op],
				  sum->rate[op], &sum->hist[op]);
	hist_merge(&sum->hist[BENCH_GET], &sum->hist[BENCH_WRITE]);
	print_row(plan, "all",
		  sum->operations[BENCH_GET] + sum->operations[BENCH_WRITE],
		  sum->rate[BENCH_GET] + sum->rate[BENCH_WRITE],
		  &sum->hist[BENCH_GET]);
	if (sum->missing)
		printf("\n%" PRIu64 " operations found no key: somebody else removes keys\n",
		       sum->missing);
}

static void print_json_row(const struct bench_plan *plan, const char *name,
			   uint64_t operations, double rate,
			   const struct hist *hist)
{
	printf(",\n\"%s\":{\"operations\":%" PRIu64 ",\"per_second\":%.0f", name,
	       operations, rate);
	if (plan->latency && operations) {
		for (size_t i = 0; i < ARRAY_SIZE(quantiles); i++)
			printf(",\"%s\":%" PRIu64, quantiles[i].json,
			       hist_quantile(hist, quantiles[i].permille));
		printf(",\"max\":%" PRIu64, hist->max);
	}
	putchar('}');
}

static void print_json(const struct bench_plan *plan,
		       const struct kmap_info *info, bool window,
		       struct bench_result *sum)
{
	printf("{\"lock\":\"%.*s\",\"shards\":%" PRIu32 ",\"window\":%s,\n",
	       (int)sizeof(info->lock), info->lock, info->shards,
	       window ? "true" : "false");
	printf("\"processes\":%u,\"threads\":%u,\"seconds\":%.3f,\n",
	       plan->processes, plan->threads, seconds(sum));
	printf("\"keys\":%" PRIu64 ",\"key_size\":%zu,\"value_size\":%zu,\n",
	       plan->keys, plan->key_size, plan->value_size);
	printf("\"skew\":\"%s\",\"theta\":%.4f,\"hottest\":%.4f,\n",
	       plan->skew.theta ? "zipf" : "uniform", plan->skew.theta,
	       hottest(sum));
	printf("\"read\":%u,\"write\":\"%s\",\"own\":%s,\"missing\":%" PRIu64,
	       plan->read, plan->write_name, plan->own ? "true" : "false",
	       sum->missing);
	for (size_t op = 0; op < BENCH_OPS; op++)
		print_json_row(plan, op_name(plan, op), sum->operations[op],
			       sum->rate[op], &sum->hist[op]);
	hist_merge(&sum->hist[BENCH_GET], &sum->hist[BENCH_WRITE]);
	print_json_row(plan, "all",
		       sum->operations[BENCH_GET] + sum->operations[BENCH_WRITE],
		       sum->rate[BENCH_GET] + sum->rate[BENCH_WRITE],
		       &sum->hist[BENCH_GET]);
	puts("}");
}

void bench_report(const struct cli *cli, const struct bench_plan *plan,
		  const struct kmap_info *info, bool window,
		  struct bench_result *sum)
{
	if (cli->args.json)
		print_json(plan, info, window, sum);
	else
		print_table(plan, info, window, sum);
}
