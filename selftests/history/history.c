// SPDX-License-Identifier: GPL-2.0
/*
 * Is the map linearizable?  Workers get, set, delete and add under every
 * condition, in single calls and in batches, on few keys.  All answers and their
 * times are recorded, and for every key there must be an order in which the
 * operations, one after the other, give these answers (history_check.c).
 *
 * Environment, besides that of hammer.h:
 *	HISTORY_OPS	operations to record in all, default 30000, besides those
 *			of clients that are killed
 */
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "history_check.h"
#include "history_record.h"
#include "kselftest_harness.h"

#define ROW		128u	/* operations of a worker in a round */
#define ROUNDS		8u	/* rounds recorded before they are checked */
#define CLIENT_ROW	256u	/* operations of a client that will be killed */
#define DELAY_US	1500u	/* longest life after its first operation */

static unsigned long history_ops(void)
{
	return hammer_setting("HISTORY_OPS", 30000);
}

/* A timeout for the harness; the watchdog ends a run that hangs before that. */
static int history_timeout(void)
{
	return hammer_timeout() + history_ops() / 200;
}

static struct hammer *new_run(void)
{
	struct hammer *h = hammer_new();

	if (!h)
		return NULL;
	h->threads = hammer_setting("HAMMER_THREADS", 2);
	h->workers = h->processes * h->threads;
	h->seconds = 0;
	if (h->workers < HISTORY_WIDTH)
		return h;
	fprintf(stderr, "at most %u workers can be checked\n",
		HISTORY_WIDTH - 1);
	hammer_free(h);
	return NULL;
}

static struct history_lot *new_lot(unsigned int rows, unsigned int row,
				   unsigned int rounds)
{
	struct history_lot *lot = hammer_share(history_lot_size(rows, row, rounds));

	if (!lot)
		return NULL;
	lot->rows = rows;
	lot->row = row;
	lot->rounds = rounds;
	lot->batch = HISTORY_BATCH;
	return lot;
}

static void free_lot(struct history_lot *lot)
{
	if (lot)
		hammer_unshare(lot, history_lot_size(lot->rows, lot->row,
						     lot->rounds));
}

static bool record(struct hammer_worker *w)
{
	struct history_lot *lot = w->h->shared;
	unsigned int round;

	for (round = 0; round < lot->rounds; round++) {
		if (!history_meet(w, lot, round))
			return true;
		if (!history_record(w, lot, round))
			return false;
	}
	return true;
}

static bool judge(struct hammer_worker *w)
{
	return history_judge_all(w, w->h->shared);
}

FIXTURE(history) {
	struct hammer *h;
	struct history_lot *lot;
	int fd;
};

FIXTURE_VARIANT(history) {
	bool growing;
	unsigned int percent;
};

FIXTURE_VARIANT_ADD(history, at_rest) {
	.percent = 75
};

/* Buckets split all the time. */
FIXTURE_VARIANT_ADD(history, growing) {
	.growing = true,
	.percent = 25
};

FIXTURE_SETUP(history)
{
	self->h = new_run();
	ASSERT_NE(NULL, self->h);
	self->lot = new_lot(self->h->workers, ROW, ROUNDS);
	ASSERT_NE(NULL, self->lot);
	self->lot->growing = variant->growing;
	self->h->shared = self->lot;
	self->fd = kt_open(O_RDWR);
	ASSERT_LE(0, self->fd);
}

FIXTURE_TEARDOWN(history)
{
	close(self->fd);
	free_lot(self->lot);
	hammer_free(self->h);
}

/* The fewer buckets there are, the more often those of the keys are split. */
static bool shrink_table(int *fd)
{
	close(*fd);
	*fd = kt_reload("shards=1") ? -1 : kt_open(O_RDWR);
	return *fd >= 0;
}

TEST_F_TIMEOUT(history, has_an_order_for_every_key, history_timeout())
{
	__u64 want = history_ops() * variant->percent / 100;
	struct history_lot *lot = self->lot;
	__u64 ops = 0, first = 0;

	/* Some must overlap; on a busy machine these are fewer. */
	while (ops < want || (!lot->overlaps && ops < 100 * want)) {
		history_lot_begin(lot, first);
		if (variant->growing)
			ASSERT_TRUE(shrink_table(&self->fd));
		self->h->work = record;
		ASSERT_TRUE(hammer_run(self->h));
		self->h->work = judge;
		ASSERT_TRUE(hammer_run(self->h));
		ops += history_lot_count(lot);
		first += lot->rounds;
		ASSERT_EQ(0, kt_clear(self->fd, NULL));
	}
	TH_LOG("%llu operations on %llu keys, %llu of them overlap", ops,
	       first * HISTORY_KEYS, lot->overlaps);
	EXPECT_EQ(0, lot->lost);
	EXPECT_LT(0, lot->overlaps);
	EXPECT_EQ(0, kt_clear(self->fd, NULL));
}

/**
 * struct kills - what clients that are killed and the verifier share
 * @clients: the run of the clients
 * @lot: one round
 * @ops: operations so far
 * @kills: clients killed so far
 */
struct kills {
	struct hammer *clients;
	struct history_lot *lot;
	__u64 ops;
	unsigned long kills;
};

static bool client(struct hammer_worker *w)
{
	struct kills *kills = w->h->shared;

	return history_record(w, kills->lot, 0);
}

static bool at_work(struct hammer *clients, unsigned int process)
{
	unsigned int i = process * clients->threads, end = i + clients->threads;

	for (; i < end; i++) {
		if (atomic_load(&clients->worker[i].steps) ||
		    atomic_load(&clients->worker[i].ended))
			return true;
	}
	return atomic_load(&clients->failed);
}

static bool bury(struct hammer_worker *w, unsigned int process, pid_t pid)
{
	struct kills *kills = w->h->shared;
	int status;

	hammer_step(w);
	HAMMER_CHECK(w, waitpid(pid, &status, 0) == pid, "client %u is lost",
		     process);
	HAMMER_CHECK(w, !atomic_load(&kills->clients->failed), "client: %s",
		     kills->clients->message);
	if (WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL)
		kills->kills++;
	else
		HAMMER_CHECK(w, WIFEXITED(status) && !WEXITSTATUS(status),
			     "client %u ended with status %#x", process, status);
	return true;
}

/* One round: clients that are killed, one soon after the other. */
static bool kill_all(struct hammer_worker *w)
{
	struct kills *kills = w->h->shared;
	struct hammer *clients = kills->clients;
	pid_t pids[HAMMER_WORKERS];
	unsigned int i;

	for (i = 0; i < clients->processes; i++) {
		pids[i] = hammer_spawn(clients, i);
		HAMMER_CHECK(w, pids[i] > 0, "cannot fork: %s",
			     strerror(-pids[i]));
	}
	for (i = 0; i < clients->processes; i++) {
		while (!at_work(clients, i))
			usleep(200);
		usleep(hammer_below(w, DELAY_US));
		kill(pids[i], SIGKILL);
	}
	for (i = 0; i < clients->processes; i++) {
		if (!bury(w, i, pids[i]))
			return false;
	}
	return true;
}

static bool verifier(struct hammer_worker *w)
{
	struct kills *kills = w->h->shared;
	unsigned long want = history_ops() / 500 + 1;
	unsigned int key;
	__u64 round;

	/* The verifier must get the CPU before the clients that it kills. */
	if (nice(-10) == -1)
		hammer_step(w);
	/* Some must be killed within an operation; on a busy machine these are fewer. */
	for (round = 0; kills->kills < want ||
	     (!kills->lot->lost && kills->kills < 100 * want); round++) {
		history_lot_begin(kills->lot, round);
		if (!kill_all(w) || !history_record_last(w, kills->lot, 0))
			return false;
		for (key = 0; key < HISTORY_KEYS; key++) {
			if (!history_judge(w, kills->lot, 0, key))
				return false;
		}
		kills->ops += history_lot_count(kills->lot);
	}
	return true;
}

FIXTURE(killed) {
	struct hammer *h;
	struct kills *kills;
	int fd;
};

FIXTURE_SETUP(killed)
{
	self->h = new_run();
	ASSERT_NE(NULL, self->h);
	self->kills = hammer_share(sizeof(*self->kills));
	ASSERT_NE(NULL, self->kills);
	self->kills->clients = new_run();
	ASSERT_NE(NULL, self->kills->clients);
	self->kills->clients->work = client;
	self->kills->clients->shared = self->kills;
	self->kills->lot = new_lot(self->kills->clients->workers + 1,
				   CLIENT_ROW, 1);
	ASSERT_NE(NULL, self->kills->lot);
	/* Many records that may or may not have been carried out have too many orders. */
	self->kills->lot->batch = 4;

	/* The run that is watched is the verifier alone. */
	self->h->processes = 1;
	self->h->threads = 1;
	self->h->work = verifier;
	self->h->shared = self->kills;
	self->fd = kt_open(O_RDWR);
	ASSERT_LE(0, self->fd);
}

FIXTURE_TEARDOWN(killed)
{
	close(self->fd);
	free_lot(self->kills->lot);
	hammer_free(self->kills->clients);
	hammer_unshare(self->kills, sizeof(*self->kills));
	hammer_free(self->h);
}

TEST_F_TIMEOUT(killed, leave_all_or_nothing, history_timeout())
{
	struct kills *kills = self->kills;

	ASSERT_TRUE(hammer_run(self->h));
	TH_LOG("%llu operations, %llu of them overlap", kills->ops,
	       kills->lot->overlaps);
	TH_LOG("%lu clients killed, %llu operations without an answer",
	       kills->kills, kills->lot->lost);
	EXPECT_LT(0, kills->kills);
	EXPECT_LT(0, kills->lot->lost);
	EXPECT_EQ(0, kt_clear(self->fd, NULL));
}

TEST_HARNESS_MAIN
