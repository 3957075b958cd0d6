// SPDX-License-Identifier: MIT
/*
 * The benchmark: what it measures, in which order, and what it prints.
 *
 * All tables exist at the same time.  For each operation, short time slices of the
 * peers follow each other, round after round, and slices of more threads follow those
 * of fewer.  The best slice of each counts: other work of the machine makes a slice
 * slower, never faster.
 */
#include <errno.h>
#include <getopt.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "bench.h"

static const struct peer *const peers[] = {
	&peer_null,
	&peer_kmap_window,
	&peer_kmap,
	&peer_bpf,
	&peer_bpf_malloc,
	&peer_bpf_rhash,
	&peer_lmdb,
	&peer_memcached,
	&peer_redis,
	&peer_lfht,
	&peer_shm_mutex,
	&peer_shm_rwlock,
	&peer_shm_unlocked,
	&peer_rehash,
};

static struct {
	uint64_t	entries;
	unsigned int	threads;
	unsigned int	rounds;
	uint64_t	window;		/* ns */
	const char	*peers;		/* words, or NULL for all */
	const char	*loads;
	FILE		*data;		/* one line per figure, or NULL */
	bool		insns;
	bool		growth;
	bool		beside;
	bool		thin;
	struct drift_plan drift;	/* bytes is 0 for other modes */
} options = {
	.entries = 100000,
	.threads = 2,
	.rounds = 12,
	.window = 100000000,
	.drift.generations = 50,
};

/* Numbers of threads that can be measured: 1, 2, 4 ... THREADS_MAX. */
#define THREAD_STEPS	7

_Static_assert(THREADS_MAX == 1u << (THREAD_STEPS - 1), "one step per power of two");

static struct table tables[ARRAY_SIZE(peers)];
static size_t table_count;

/* Is this one of the words? */
static bool has_word(const char *words, const char *word)
{
	size_t len = strlen(word);

	if (!words)
		return true;
	for (const char *at = words; (at = strstr(at, word)); at += len)
		if ((at == words || at[-1] == ' ') &&
		    (!at[len] || at[len] == ' '))
			return true;
	return false;
}

static bool load_wanted(const char *name)
{
	return has_word(options.loads, name);
}

static bool peer_wanted(const char *name)
{
	return has_word(options.peers, name);
}

static int64_t memory_of(const struct peer *peer)
{
	return peer->memory ? peer->memory() : resident(0);
}

/*
 * Make one table and fill it; prints why if that fails.  Returns true if it was
 * made, or if this machine does not have such a peer.
 */
static bool make_table(const struct peer *peer)
{
	struct table *table = &tables[table_count];
	int64_t before = peer->memory ? 0 : resident(0);
	uint64_t begun = now_ns();
	void *seat = NULL;
	int ret = peer->open(options.entries);

	if (!ret) {
		seat = peer->join();
		ret = !seat;
	}
	if (!ret && (peer->set || peer->fill))
		ret = fill(peer, seat, options.entries);
	if (ret) {
		fprintf(stderr, "%s is left out: %s\n", peer->name,
			ret < 0 ? strerror(-ret) : "see above");
		if (seat)
			peer->leave(seat);
		if (ret == -EOPNOTSUPP)
			return true;
		peer->close();
		return false;
	}
	table->peer = peer;
	if (peer->set || peer->fill)
		table->bytes_per_entry = (double)(memory_of(peer) - before) /
					 (double)options.entries -
					 (KEY_SIZE + VALUE_SIZE);
	peer->leave(seat);
	fprintf(stderr, "%s filled in %.1f s\n", peer->name,
		(double)(now_ns() - begun) / 1e9);
	table_count++;
	return true;
}

/* The rate that others are compared with: kmap's, through the window if there is one. */
static double own_rate(const double *best)
{
	double own = 0;

	for (size_t i = table_count; i--; )
		if (best[i] && (tables[i].peer == &peer_kmap ||
				tables[i].peer == &peer_kmap_window))
			own = best[i];
	return own;
}

/* Print the best slices of one number of threads. */
static void print_best(const struct load *load, unsigned int threads,
		       const double *best)
{
	double own = own_rate(best);

	for (size_t i = 0; i < table_count; i++) {
		if (!best[i])
			continue;
		printf("%-14s%-8s%8u%14.0f", tables[i].peer->name, load->name,
		       threads, best[i]);
		if (own)
			printf("%10.2f", own / best[i]);
		putchar('\n');
		if (options.data)
			fprintf(options.data, "%s\t%s\t%u\t%" PRIu64 "\t%.0f\n",
				tables[i].peer->name, load->name, threads,
				options.entries, best[i]);
	}
	fflush(stdout);
}

/* Slices of all numbers of threads alternate, since they are compared too. */
static void measure(const struct load *load)
{
	double best[THREAD_STEPS][ARRAY_SIZE(peers)] = { 0 };
	unsigned int round, step;

	for (round = 0; round < options.rounds; round++)
		for (step = 0; 1u << step <= options.threads; step++)
			for (size_t i = 0; i < table_count; i++) {
				double rate;

				if (!load->can(tables[i].peer))
					continue;
				rate = run_window(i, load, 1u << step,
						  options.window);
				if (rate > best[step][i])
					best[step][i] = rate;
			}
	for (step = 0; 1u << step <= options.threads; step++)
		print_best(load, 1u << step, best[step]);
}

static void print_memory(void)
{
	printf("\nBytes per entry beyond key and value, with %" PRIu64
	       " entries:\n", options.entries);
	for (size_t i = 0; i < table_count; i++) {
		const struct peer *peer = tables[i].peer;

		if (!peer->set && !peer->fill)
			continue;
		printf("%-14s%10.1f\n", peer->name, tables[i].bytes_per_entry);
		if (options.data)
			fprintf(options.data, "%s\tmemory\t0\t%" PRIu64 "\t%.1f\n",
				peer->name, options.entries,
				tables[i].bytes_per_entry);
	}
}

static int measure_rates(void)
{
	uint64_t failed;

	if (run_start(tables, table_count, options.threads, options.entries)) {
		fprintf(stderr, "cannot start the threads\n");
		return 1;
	}
	printf("%" PRIu64 " entries, key %d, value %d; best of %u slices of %g s\n",
	       options.entries, KEY_SIZE, VALUE_SIZE, options.rounds,
	       (double)options.window / 1e9);
	printf("%-14s%-8s%8s%14s%10s\n", "peer", "op", "threads", "ops/s",
	       "kmap is");
	for (size_t i = 0; i < load_count; i++)
		if (load_wanted(loads[i].name))
			measure(&loads[i]);
	print_memory();
	failed = run_failed();
	run_stop();
	return failed != 0;
}

static void usage(FILE *out)
{
	fputs("Usage: peers [OPTION]...\n"
	      "Measure kmap beside other ways to share a table.\n\n"
	      "  -n N       entries (100000)\n"
	      "  -t N       threads, a power of two; fewer are measured too (2)\n"
	      "  -r N       slices of each operation (12)\n"
	      "  -w MS      length of a slice (100)\n"
	      "  -p WORDS   only these peers\n"
	      "  -l WORDS   only these operations\n"
	      "  -d FILE    write figures there too: peer, operation, threads,\n"
	      "             entries, operations per second, with tabs; with -g/-b the\n"
	      "             second is which figure\n"
	      "  -i         count instructions instead, under QEMU -icount\n"
	      "  -g         print instead how long sets take while a table grows\n"
	      "  -b         print instead how long sets of kmap take beside\n"
	      "             snapshots, in slices of 20000 sets\n"
	      "  -k         print instead what memory is left when a tenth of the entries\n"
	      "             is kept\n"
	      "  -f BYTES   print instead what becomes of tables with a budget of so\n"
	      "             many bytes when the sizes of values drift, in 50 generations\n"
	      "  -s SECONDS with -f: for so long instead\n"
	      "\nPeers:\n", out);
	for (size_t i = 0; i < ARRAY_SIZE(peers); i++)
		fprintf(out, "  %-14s%s\n", peers[i]->name, peers[i]->what);
	fputs("\nOperations:\n", out);
	for (size_t i = 0; i < load_count; i++)
		fprintf(out, "  %-14s%s\n", loads[i].name, loads[i].what);
}

static bool number(const char *text, uint64_t least, uint64_t most,
		   uint64_t *value)
{
	char *end;

	*value = strtoull(text, &end, 10);
	return *text >= '0' && *text <= '9' && !*end && *value >= least &&
	       *value <= most;
}

static bool take_options(int argc, char **argv)
{
	uint64_t value = 0;
	bool good = true;
	int c;

	while (good && (c = getopt(argc, argv, "n:t:r:w:p:l:d:f:s:igbkh")) != -1) {
		switch (c) {
		case 'n':
			good = number(optarg, MANY, 1u << 30, &value);
			options.entries = value;
			break;
		case 't':
			good = number(optarg, 1, THREADS_MAX, &value);
			options.threads = (unsigned int)value;
			break;
		case 'r':
			good = number(optarg, 1, 10000, &value);
			options.rounds = (unsigned int)value;
			break;
		case 'w':
			good = number(optarg, 1, 1000000, &value);
			options.window = value * 1000000;
			break;
		case 'p':
			options.peers = optarg;
			break;
		case 'l':
			options.loads = optarg;
			break;
		case 'd':
			options.data = fopen(optarg, "w");
			good = options.data;
			break;
		case 'i':
			options.insns = true;
			break;
		case 'g':
			options.growth = true;
			break;
		case 'b':
			options.beside = true;
			break;
		case 'k':
			options.thin = true;
			break;
		case 'f':
			good = number(optarg, 1u << 20, UINT64_C(1) << 40, &value);
			options.drift.bytes = value;
			break;
		case 's':
			good = number(optarg, 1, UINT32_MAX, &value);
			options.drift.seconds = value;
			break;
		case 'h':
			usage(stdout);
			exit(0);
		default:
			good = false;
		}
	}
	return good && optind == argc;
}

int main(int argc, char **argv)
{
	int status = 0;

	if (!take_options(argc, argv)) {
		usage(stderr);
		return 2;
	}
	for (size_t i = 0; !options.growth && !options.beside &&
	     !options.drift.bytes && !options.thin && i < ARRAY_SIZE(peers); i++)
		if (peer_wanted(peers[i]->name) && !make_table(peers[i]))
			status = 1;
	options.drift.data = options.data;
	if (options.drift.bytes)
		status = measure_drift(peers, ARRAY_SIZE(peers), &options.drift,
				       peer_wanted);
	else if (options.thin)
		status = measure_thin(peers, ARRAY_SIZE(peers), options.entries,
				      peer_wanted, options.data);
	else if (options.beside)
		status = measure_beside(&peer_kmap, options.entries,
					options.rounds, options.data);
	else if (options.growth)
		status = measure_growth(peers, ARRAY_SIZE(peers),
					options.entries, peer_wanted,
					options.data);
	else if (options.insns)
		status |= count_insns(tables, table_count, options.entries,
				      load_wanted) != 0;
	else
		status |= measure_rates();
	while (table_count)
		tables[--table_count].peer->close();
	if (options.data && fclose(options.data))
		status = 1;
	return status;
}
