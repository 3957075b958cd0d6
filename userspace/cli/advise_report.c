// SPDX-License-Identifier: MIT
/*
 * What the subcommand advise prints: a table of what was measured, and which
 * candidate to take.
 *
 * The rounds of one candidate differ, and two candidates that differ less than
 * that are alike.  Of those that are alike to the best one, that with the most
 * defaults is taken, because a default needs no reason.
 */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "advise.h"

/* Two that differ by less are alike, even if their rounds differ less ... */
#define NOISE_LEAST	0.05

/* ... and two that differ by more are not, even if their rounds differ more. */
#define NOISE_MOST	0.30

/* A line of the table. */
struct row {
	const struct advise_load	*load;
	enum advise_way			way;
	const struct advise_rate	*rate;
};

struct table {
	size_t		count;
	struct row	rows[ADVISE_LOADS_MAX * ADVISE_WAYS];
	size_t		taken;
	double		noise;		/* between the best and the one taken */
};

static int compare(const void *left, const void *right)
{
	double a = ((const struct row *)left)->rate->best;
	double b = ((const struct row *)right)->rate->best;

	return (a < b) - (a > b);
}

/* How much the rounds of two rows differ; a single round tells nothing. */
static double noise_of(const struct row *left, const struct row *right)
{
	const struct row *rows[] = { left, right };
	double noise = NOISE_LEAST;

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		const struct advise_rate *rate = rows[i]->rate;

		if (rate->next > 0 && 1 - rate->next / rate->best > noise)
			noise = 1 - rate->next / rate->best;
	}
	return noise < NOISE_MOST ? noise : NOISE_MOST;
}

/* Are this row and the best one alike? */
static bool is_alike(const struct table *table, const struct row *row)
{
	return row->rate->best >= table->rows[0].rate->best *
				  (1 - noise_of(&table->rows[0], row));
}

/* How many settings of a row are not the defaults? */
static int departures(const struct advise *advise, const struct row *row)
{
	return (strcmp(row->load->lock, "rcu") != 0) +
	       (row->load->shards != 0) +
	       (advise->ways[ADVISE_WINDOW] && row->way != ADVISE_WINDOW);
}

static void make_table(const struct advise *advise, struct table *table)
{
	for (size_t i = 0; i < advise->count; i++)
		for (int way = 0; way < ADVISE_WAYS; way++)
			if (advise->load[i].rates[way].measured)
				table->rows[table->count++] = (struct row){
					.load = &advise->load[i],
					.way = (enum advise_way)way,
					.rate = &advise->load[i].rates[way],
				};
	qsort(table->rows, table->count, sizeof(table->rows[0]), compare);
	for (size_t i = 1; i < table->count; i++)
		if (is_alike(table, &table->rows[i]) &&
		    departures(advise, &table->rows[i]) <
		    departures(advise, &table->rows[table->taken]))
			table->taken = i;
	if (table->count)
		table->noise = noise_of(&table->rows[0],
					&table->rows[table->taken]);
}

/* Print the parameters to load the module with, without those that are defaults. */
static void print_parameters(const struct advise *advise, const struct row *row)
{
	printf("lock=%s", row->load->lock);
	if (row->load->shards)
		printf(" shards=%" PRIu64, row->load->shards);
	fputs(advise->extra, stdout);
}

static void print_name(const struct advise *advise, const struct row *row)
{
	printf("lock=%s shards=%" PRIu32, row->load->lock,
	       row->load->real_shards);
	if (advise->ways[ADVISE_WINDOW])
		printf(", gets %s", row->way == ADVISE_WINDOW ?
		       "through the window" : "by system calls");
}

static void print_rows(const struct advise *advise, const struct table *table)
{
	double best = table->rows[0].rate->best;

	printf("%-10s%-16s%-8s%14s%10s", "lock", "shards", "gets", "ops/s",
	       "of best");
	printf("%s\n", advise->plan.latency ? "         p99" : "");
	for (size_t i = 0; i < table->count; i++) {
		const struct row *row = &table->rows[i];
		char shards[32];

		snprintf(shards, sizeof(shards), "%" PRIu32 "%s",
			 row->load->real_shards,
			 row->load->shards ? "" : " (default)");
		printf("%-10s%-16s%-8s%14.0f%10.2f", row->load->lock, shards,
		       !advise->plan.read && advise->plan.write !=
		       BENCH_WRITE_MATCH ? "-" :
		       row->way == ADVISE_WINDOW ? "window" : "calls",
		       row->rate->best, row->rate->best / best);
		if (advise->plan.latency)
			printf("%9.2f us", (double)row->rate->p99 / 1e3);
		putchar('\n');
	}
}

static void print_mix(const struct advise *advise)
{
	const struct bench_plan *plan = &advise->plan;

	printf("mix      %u %% get, %u %% %s%s\n", plan->read,
	       100 - plan->read, plan->write_name,
	       plan->own ? ", keys of its own for each thread" : "");
	printf("workers  %u process%s of %u thread%s\n", plan->processes,
	       plan->processes == 1 ? "" : "es", plan->threads,
	       plan->threads == 1 ? "" : "s");
	printf("keys     %" PRIu64 " of %zu bytes, values of %zu bytes; ",
	       plan->keys, plan->key_size, plan->value_size);
	if (plan->skew.theta)
		printf("zipf %g\n", plan->skew.theta);
	else
		printf("uniform\n");
	printf("rounds   %u of %g s for each; the best counts\n\n",
	       advise->rounds, (double)plan->duration / (double)NSEC_PER_SEC);
}

/* Print which rows are as good as the best one. */
static void print_alike(const struct advise *advise, const struct table *table)
{
	const struct row *taken = &table->rows[table->taken];
	const struct row *best = &table->rows[0];
	size_t alike = 0;

	for (size_t i = 1; i < table->count; i++)
		alike += is_alike(table, &table->rows[i]);
	if (table->taken) {
		printf("Take: ");
		print_name(advise, taken);
		printf(".\nIt is %.1f %% behind, rounds differ by %.1f %%; it has more defaults.\n",
		       100 * (1 - taken->rate->best / best->rate->best),
		       100 * table->noise);
	} else if (alike) {
		printf("%zu other%s behind it by no more than rounds differ.\n",
		       alike, alike == 1 ? " is" : "s are");
	}
}

static void print_advice(const struct cli *cli, const struct advise *advise,
			 const struct table *table)
{
	const struct row *taken = &table->rows[table->taken];

	printf("\nBest: ");
	print_name(advise, &table->rows[0]);
	printf(".\n");
	print_alike(advise, table);
	if (advise->loads) {
		if (cli->args.module)
			printf("Load with: insmod %s ", cli->args.module);
		else
			printf("Load with: modprobe kmap ");
		print_parameters(advise, taken);
		putchar('\n');
	} else {
		puts("Only what is loaded was measured.  To try other parameters, as root,");
		puts("while the map is empty and nobody has it open: kmap advise --reload");
	}
	if (!advise->ways[ADVISE_WINDOW])
		return;
	if (taken->way == ADVISE_WINDOW)
		printf("Look up through the window, as libkmap does by itself.\n");
	else
		printf("Look up with system calls: open the map with KMAP_NO_WINDOW.\n");
}

static const char *json_bool(bool value)
{
	return value ? "true" : "false";
}

static void print_json_row(const struct advise *advise, const struct table *table,
			   const struct row *row)
{
	printf("{\"lock\":\"%s\",\"shards\":%" PRIu32 ",\"default_shards\":%s",
	       row->load->lock, row->load->real_shards,
	       json_bool(!row->load->shards));
	printf(",\"window\":%s,\"per_second\":%.0f,\"ratio\":%.4f",
	       json_bool(row->way == ADVISE_WINDOW), row->rate->best,
	       row->rate->best / table->rows[0].rate->best);
	printf(",\"noise\":%.4f,\"alike\":%s", noise_of(row, row),
	       json_bool(is_alike(table, row)));
	if (advise->plan.latency)
		printf(",\"p99\":%" PRIu64, row->rate->p99);
	putchar('}');
}

static void print_json(const struct advise *advise, const struct table *table)
{
	const struct bench_plan *plan = &advise->plan;
	const struct row *taken = &table->rows[table->taken];

	printf("{\"tried\":\"%s\",\"rounds\":%u,\"seconds\":%.3f,\n",
	       advise->loads ? "parameters" : "loaded", advise->rounds,
	       (double)plan->duration / (double)NSEC_PER_SEC);
	printf("\"processes\":%u,\"threads\":%u,\"keys\":%" PRIu64 ",",
	       plan->processes, plan->threads, plan->keys);
	printf("\"key_size\":%zu,\"value_size\":%zu,\n", plan->key_size,
	       plan->value_size);
	printf("\"read\":%u,\"write\":\"%s\",\"own\":%s,\"theta\":%.4f",
	       plan->read, plan->write_name, json_bool(plan->own),
	       plan->skew.theta);
	printf(",\n\"results\":[");
	for (size_t i = 0; i < table->count; i++) {
		printf(i ? ",\n" : "\n");
		print_json_row(advise, table, &table->rows[i]);
	}
	printf("],\n\"advice\":");
	print_json_row(advise, table, taken);
	if (advise->loads) {
		printf(",\n\"parameters\":\"");
		print_parameters(advise, taken);
		putchar('"');
	}
	puts("}");
}

enum cli_status advise_report(const struct cli *cli,
			      const struct advise *advise)
{
	struct table *table = calloc(1, sizeof(*table));
	enum cli_status status = CLI_DONE;

	if (!table)
		return cli_error(cli, "no memory");
	make_table(advise, table);
	if (!table->count || table->rows[0].rate->best <= 0) {
		status = cli_error(cli, "no operation was completed in time");
	} else if (cli->args.json) {
		print_json(advise, table);
	} else {
		print_mix(advise);
		print_rows(advise, table);
		print_advice(cli, advise, table);
	}
	free(table);
	return status;
}
