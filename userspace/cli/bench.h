/* SPDX-License-Identifier: MIT */
/*
 * The subcommand bench: what its parts share.
 *
 * bench_options.c takes the options, bench.c goes through the steps,
 * bench_keys.c names, draws, makes and removes keys, bench_run.c runs the
 * processes and threads, bench_hist.c counts latencies, and bench_report.c
 * prints.
 */
#ifndef KMAP_CLI_BENCH_H
#define KMAP_CLI_BENCH_H

#include <math.h>
#include <stdatomic.h>

#include "bench_hist.h"
#include "cli.h"
#include "signals.h"

#define NSEC_PER_SEC	1000000000ull

/* Most processes times threads. */
#define BENCH_WORKERS_MAX	1024

/* Most keys, so that a key's number has up to five characters. */
#define BENCH_KEYS_MAX		(1u << 30)

/* ---- bench_keys.c ---- */

/* The distribution of numbers below n; see skew_init(). */
struct skew {
	uint64_t	n;
	double		theta;		/* 0: uniform */
	double		zeta;
	double		alpha;
	double		eta;
	double		second;		/* a scaled draw below it is number 1 */
};

/* One stream of random numbers. */
struct dice {
	uint64_t	state;
};

/* What an operation does that is not a get. */
enum bench_write {
	BENCH_WRITE_SET,
	BENCH_WRITE_ADD,	/* 1 to a number */
	BENCH_WRITE_MATCH,	/* get, and set at that version, until that succeeds */
};

/* What the options ask for. */
struct bench_plan {
	const char	*device;
	unsigned int	open_flags;
	unsigned int	processes;	/* each with that many threads */
	unsigned int	threads;
	unsigned int	read;		/* gets among 100 operations */
	enum bench_write write;
	const char	*write_name;
	uint64_t	keys;
	bool		own;		/* no two workers share a key */
	size_t		key_size;
	size_t		value_size;
	uint64_t	duration;	/* ns */
	bool		latency;
	struct skew	skew;		/* of the keys of one worker */
	unsigned int	digits;		/* of a key's number */
	char		tag[5];
};

/* Where the number is in a key. */
#define BENCH_HEAD	"bench."
#define BENCH_NUMBER	(sizeof(BENCH_HEAD) - 1 + 4)

/* How many characters numbers below keys need. */
unsigned int bench_digits(uint64_t keys);

/* Choose a tag that no other run has, so that keys are this run's own. */
enum cli_status bench_choose_tag(const struct cli *cli,
				 struct bench_plan *plan);

/* Write a whole key, or just another number into one. */
void bench_key_init(const struct bench_plan *plan, char *key);
void bench_key_number(const struct bench_plan *plan, char *key,
		      uint64_t number);

/*
 * Make all keys; fails when one exists already, which stays as it is.  Sets *made
 * to how many there are to remove, even on failure.
 */
enum cli_status bench_make_keys(const struct cli *cli,
				const struct bench_plan *plan, uint64_t *made);
enum cli_status bench_remove_keys(const struct cli *cli,
				  const struct bench_plan *plan, uint64_t made);

void skew_init(struct skew *skew, uint64_t n, double theta);

static inline void dice_init(struct dice *dice, uint64_t seed)
{
	dice->state = (seed + 1) * 0x9e3779b97f4a7c15ull;
}

/* splitmix64: Steele, Lea, Flood, "Fast splittable PRNGs", OOPSLA 2014. */
static inline uint64_t dice_next(struct dice *dice)
{
	uint64_t z = dice->state += 0x9e3779b97f4a7c15ull;

	z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9ull;
	z = (z ^ (z >> 27)) * 0x94d049bb133111ebull;
	return z ^ (z >> 31);
}

/* Draw a number below n, which is below 2^32; the bias is small for our n. */
static inline uint64_t dice_below(struct dice *dice, uint64_t n)
{
	return ((dice_next(dice) >> 32) * n) >> 32;
}

/* Draw the number of a key; see skew_init(). */
static inline uint64_t skew_draw(const struct skew *skew, struct dice *dice)
{
	double u, scaled;
	uint64_t number;

	if (!skew->theta)
		return dice_below(dice, skew->n);
	u = (double)(dice_next(dice) >> 11) * (1 / 9007199254740992.0);
	scaled = u * skew->zeta;
	if (scaled < 1.0)
		return 0;
	if (scaled < skew->second)
		return 1;
	number = (uint64_t)((double)skew->n *
			    pow(skew->eta * u - skew->eta + 1.0, skew->alpha));
	return number < skew->n ? number : skew->n - 1;
}

/* ---- bench_options.c ---- */

/* Rows of the options that describe the mix. */
#define BENCH_OPT_THREADS						\
	{ "threads", 't', "N", OPT_TEXT, CLI_FIELD(threads), 0,		\
	  "threads per process (1)" }
#define BENCH_OPT_PROCESSES						\
	{ "processes", 'p', "N", OPT_TEXT, CLI_FIELD(processes), 0,	\
	  "processes (1)" }
#define BENCH_OPT_READ							\
	{ "read", 'r', "PERCENT", OPT_TEXT, CLI_FIELD(read), 0,		\
	  "percentage of gets; the other operations write (95)" }
#define BENCH_OPT_WRITE							\
	{ "write", 'w', "HOW", OPT_TEXT, CLI_FIELD(write), 0,		\
	  "set, add (to a number) or match (get, set at that version)" }
#define BENCH_OPT_SKEW							\
	{ "skew", 's', "NAME", OPT_TEXT, CLI_FIELD(skew), 0,		\
	  "choose keys: uniform, zipf or zipf:T (uniform; T 0.99)" }
#define BENCH_OPT_KEYS							\
	{ "keys", 'n', "N", OPT_TEXT, CLI_FIELD(keys), 0,		\
	  "number of keys (10000)" }
#define BENCH_OPT_KEY_SIZE						\
	{ "key-size", 'k', "BYTES", OPT_TEXT, CLI_FIELD(key_size), 0,	\
	  "length of keys (16)" }
#define BENCH_OPT_VALUE_SIZE						\
	{ "value-size", 'v', "BYTES", OPT_TEXT, CLI_FIELD(value_size), 0, \
	  "length of values (64; 8 with --write add)" }
#define BENCH_OPT_OWN							\
	{ "own", 'o', NULL, OPT_FLAG, CLI_FIELD(own), 0,		\
	  "each thread has keys of its own" }

/* Take these options and the others of a plan; prints what is wrong. */
enum cli_status bench_take_options(const struct cli *cli,
				   struct bench_plan *plan);

/* ---- bench.c ---- */

/* Fail with a message when keys or values are too long for the map. */
enum cli_status bench_check_limits(const struct cli *cli,
				   const struct bench_plan *plan,
				   const struct kmap_info *info);

/* ---- bench_run.c ---- */

enum bench_op { BENCH_GET, BENCH_WRITE, BENCH_OPS };

/* The results of one worker, or of all. */
struct bench_result {
	int		ret;
	uint64_t	operations[BENCH_OPS];
	double		rate[BENCH_OPS];	/* per second */
	uint64_t	begun;			/* ns */
	uint64_t	ended;
	uint64_t	missing;		/* operations that found no key */
	uint64_t	hottest;		/* operations on key 0 */
	struct hist	hist[BENCH_OPS];
};

uint64_t bench_now(void);

/* Run all workers, and sum up their results. */
enum cli_status bench_run(const struct cli *cli, const struct bench_plan *plan,
			  struct bench_result *sum);

/* ---- bench_report.c ---- */

void bench_report(const struct cli *cli, const struct bench_plan *plan,
		  const struct kmap_info *info, bool window,
		  struct bench_result *sum);

#endif /* KMAP_CLI_BENCH_H */
