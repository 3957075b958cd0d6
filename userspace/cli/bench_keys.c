// SPDX-License-Identifier: MIT
/*
 * Keys of the benchmark: names them, draws their numbers, makes and removes
 * them.
 *
 * A key is "bench.", a tag of four characters that differs from run to run, its
 * number, and full stops up to its size.  Keys are made with KMAP_CREATE, so
 * that entries that are in the map already stay as they are.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

#include "bench.h"

/* Most keys that one call makes or removes, and most bytes of their values. */
#define BATCH_KEYS	256
#define BATCH_BYTES	(4u << 20)

/* The digits of numbers, six bits per character. */
static const char digit[] =
	"0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ-_";

unsigned int bench_digits(uint64_t keys)
{
	unsigned int digits = 1;

	while ((keys - 1) >> (6 * digits))
		digits++;
	return digits;
}

enum cli_status bench_choose_tag(const struct cli *cli, struct bench_plan *plan)
{
	unsigned char random[4];

	if (getrandom(random, sizeof(random), 0) != sizeof(random))
		return cli_error(cli, "no random numbers: %s", strerror(errno));
	for (size_t i = 0; i < sizeof(random); i++)
		plan->tag[i] = digit[random[i] & 63];
	return CLI_DONE;
}

void bench_key_number(const struct bench_plan *plan, char *key, uint64_t number)
{
	for (unsigned int i = plan->digits; i--; number >>= 6)
		key[BENCH_NUMBER + i] = digit[number & 63];
}

void bench_key_init(const struct bench_plan *plan, char *key)
{
	memset(key, '.', plan->key_size);
	memcpy(key, BENCH_HEAD, sizeof(BENCH_HEAD) - 1);
	memcpy(key + sizeof(BENCH_HEAD) - 1, plan->tag, 4);
	bench_key_number(plan, key, 0);
}

/*
 * The numbers follow Zipf's law: the probability of number i, counted from 1, is
 * proportional to 1 / i^theta.  They are drawn by the method of Gray,
 * Sundaresan, Englert, Baclawski, Weinberger, "Quickly generating
 * billion-record synthetic databases", SIGMOD 1994, which YCSB uses too.
 * YCSB then scatters the numbers; here the map's own hash does that.
 */
void skew_init(struct skew *skew, uint64_t n, double theta)
{
	skew->n = n;
	skew->theta = theta;
	if (!theta)
		return;
	skew->zeta = 0;
	/* The small terms first, so that rounding does not lose them. */
	for (uint64_t i = n; i; i--)
		skew->zeta += 1.0 / pow((double)i, theta);
	skew->second = 1.0 + pow(0.5, theta);
	skew->alpha = 1.0 / (1.0 - theta);
	skew->eta = (1.0 - pow(2.0 / (double)n, 1.0 - theta)) /
		    (1.0 - skew->second / skew->zeta);
}

/* Several operations on keys that follow each other. */
struct key_batch {
	struct kmap_op	ops[BATCH_KEYS];
	char		*keys;
	unsigned char	*value;
};

static enum cli_status batch_init(const struct cli *cli,
				  const struct bench_plan *plan,
				  struct key_batch *batch)
{
	batch->keys = malloc(BATCH_KEYS * plan->key_size);
	batch->value = malloc(plan->value_size + 1);
	if (!batch->keys || !batch->value)
		return cli_fail(cli, -ENOMEM);
	memset(batch->value, 'v', plan->value_size);
	return CLI_DONE;
}

static void batch_free(struct key_batch *batch)
{
	free(batch->keys);
	free(batch->value);
}

/* Carry out count operations like this one, on the keys from number first on. */
static int batch_run(const struct cli *cli, const struct bench_plan *plan,
		     struct key_batch *batch, const struct kmap_op *like,
		     uint64_t first, size_t count, size_t *done)
{
	for (size_t i = 0; i < count; i++) {
		char *key = batch->keys + i * plan->key_size;

		bench_key_init(plan, key);
		bench_key_number(plan, key, first + i);
		batch->ops[i] = *like;
		batch->ops[i].key = KMAP_PTR(key);
		batch->ops[i].key_len = (uint32_t)plan->key_size;
	}
	return kmap_batch(cli->map, batch->ops, count, done);
}

/* Some keys of this batch were not made: remove those that were. */
static void undo_batch(const struct cli *cli, const struct bench_plan *plan,
		       const struct key_batch *batch, size_t done)
{
	for (size_t i = 0; i < done; i++)
		if (!batch->ops[i].error)
			kmap_delete(cli->map, batch->keys + i * plan->key_size,
				    plan->key_size, 0, NULL);
}

static enum cli_status make_batch(const struct cli *cli,
				  const struct bench_plan *plan,
				  struct key_batch *batch, uint64_t first,
				  size_t count)
{
	const struct kmap_op set = {
		.opcode = KMAP_OP_SET,
		.flags = plan->write == BENCH_WRITE_ADD ?
			 KMAP_CREATE | KMAP_NUMBER : KMAP_CREATE,
		.value = KMAP_PTR(batch->value),
		.value_len = (uint32_t)plan->value_size,
	};
	size_t done = 0, failed;
	int ret = batch_run(cli, plan, batch, &set, first, count, &done);

	for (failed = 0; failed < done; failed++)
		if (batch->ops[failed].error)
			break;
	if (failed == count)
		return CLI_DONE;
	undo_batch(cli, plan, batch, done);
	if (failed == done)
		return cli_fail(cli, ret);
	cli_fail_key(cli, batch->ops[failed].error,
		     batch->keys + failed * plan->key_size, plan->key_size);
	return CLI_ERROR;
}

enum cli_status bench_make_keys(const struct cli *cli,
				const struct bench_plan *plan, uint64_t *made)
{
	struct key_batch batch;
	enum cli_status status = batch_init(cli, plan, &batch);
	size_t most = BATCH_BYTES / (plan->value_size + 1);

	if (most > BATCH_KEYS)
		most = BATCH_KEYS;
	if (!most)
		most = 1;
	*made = 0;
	while (!status && *made < plan->keys) {
		size_t count = most;

		if (count > plan->keys - *made)
			count = (size_t)(plan->keys - *made);
		if (cli_end_signal)
			status = cli_error(cli, "stopped by signal %d",
					   cli_end_signal);
		else
			status = make_batch(cli, plan, &batch, *made, count);
		if (!status)
			*made += count;
	}
	batch_free(&batch);
	return status;
}

enum cli_status bench_remove_keys(const struct cli *cli,
				  const struct bench_plan *plan, uint64_t made)
{
	const struct kmap_op delete = { .opcode = KMAP_OP_DELETE };
	struct key_batch batch;
	enum cli_status status = batch_init(cli, plan, &batch);

	for (uint64_t first = 0; !status && first < made; ) {
		size_t count = BATCH_KEYS, done = 0;
		int ret;

		if (count > made - first)
			count = (size_t)(made - first);
		ret = batch_run(cli, plan, &batch, &delete, first, count,
				&done);
		/* A key that somebody else has removed is no failure. */
		if (ret)
			status = cli_error(cli, "keys that begin with %s%s stay in the map: %s",
					   BENCH_HEAD, plan->tag,
					   kmap_strerror(ret));
		first += count;
	}
	batch_free(&batch);
	return status;
}
