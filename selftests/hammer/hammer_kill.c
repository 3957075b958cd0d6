// SPDX-License-Identifier: GPL-2.0
/*
 * Clients that are killed in the middle of any operation.
 *
 * Every client is a process of several threads (hammer_client.c).  Each thread
 * has scripted keys and a counter that nobody else writes, and records in shared
 * memory which operation it has begun and which one it has done.  A verifier
 * kills clients with SIGKILL at random moments, compares each key of a killed
 * client with these records, and starts a new client that continues from there.
 * What was done is in the map, what was begun is in the map or not, and nobody
 * waits for a killed client.
 */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "hammer_client.h"
#include "hammer_model.h"
#include "kselftest_harness.h"

#define PROBES		8
#define DELAY_US	4000	/* longest life of a client at work */

/**
 * struct kills - what the verifier and the test share
 * @clients: the run of the clients
 * @owner: what their threads record
 * @kills: clients killed
 * @caught: kills that came between begun and done
 * @sum: bounds of the common counter, from the records of killed clients
 * @update: the same for the common value
 */
struct kills {
	struct hammer *clients;
	struct owner owner[HAMMER_WORKERS];
	unsigned long kills;
	unsigned long caught;
	struct range {
		__u64 least;
		__u64 most;
	} sum, update;
};

/* The number under a counter's key, 0 if there is none, or -1 and a failure. */
static __s64 number_of(struct hammer_worker *w, const char *name,
		       unsigned int number)
{
	char key[HAMMER_KEY_MAX];
	size_t key_len = hammer_key(key, name, number);
	__s64 count = 0;
	size_t len;
	int ret;

	ret = kt_get(w->fd, key, key_len, &count, sizeof(count), &len, NULL);
	if (ret == -ENOENT)
		return 0;
	if (ret || len != 8 || count <= 0) {
		hammer_fail(w, "key %s: %d, %zu bytes, number %lld", key, ret,
			    len, count);
		return -1;
	}
	return count;
}

/* Adds what a killed thread did to a common number to its range, and resets it. */
static bool settle(struct progress *progress, struct range *range)
{
	__u64 begun = atomic_exchange(&progress->begun, 0);
	__u64 done = atomic_exchange(&progress->done, 0);

	range->least += done;
	range->most += begun;
	return begun != done;
}

/*
 * A key of a killed thread must be as its last operation begun left it (*made), or as
 * its last operation done left it (*unmade).
 */
static bool verify_key(struct hammer_worker *w, unsigned int id,
		       struct progress *progress, bool *made, bool *unmade)
{
	__u64 begun = atomic_load(&progress->begun);
	__u64 done = atomic_load(&progress->done);
	struct hammer_answer a = { .value = w->out };
	char name[HAMMER_KEY_MAX];
	size_t name_len = hammer_key(name, "owned", id);
	bool is_begun, is_done;

	a.ret = kt_get(w->fd, name, name_len, w->out, w->max_value, &a.len,
		       &a.version);
	HAMMER_CHECK(w, !a.ret || a.ret == -ENOENT, "key %s: get: %s", name,
		     strerror(-a.ret));
	if (!a.ret && !hammer_whole(w, name, name_len, &a))
		return false;
	is_begun = hammer_script_fits(id, begun, begun, w->max_value, &a);
	is_done = hammer_script_fits(id, done, done, w->max_value, &a);
	HAMMER_CHECK(w, is_begun || is_done,
		     "key %s of the dead: error %d, %zu bytes, value %#llx; done was %llu, begun %llu",
		     name, a.ret, a.len, a.id, done, begun);
	*made = is_begun && !is_done;
	*unmade = is_done && !is_begun;

	/* If both fit, they are the same for the next client, too. */
	atomic_store(&progress->begun, is_begun ? begun : done);
	atomic_store(&progress->done, is_begun ? begun : done);
	return true;
}

/* Checks all that a killed thread owned; *caught: it was within an operation. */
static bool verify_owner(struct hammer_worker *w, unsigned int worker,
			 bool *caught)
{
	struct kills *kills = w->h->shared;
	struct owner *o = &kills->owner[worker];
	unsigned int batch = atomic_exchange(&o->batch, 0);
	bool stopped = false;
	bool made = false;
	bool unmade = false;
	unsigned int key;
	__s64 count;

	for (key = 0; key < CLIENT_KEYS; key++) {
		*caught |= o->key[key].begun != o->key[key].done;
		if (!verify_key(w, client_key(worker, key), &o->key[key], &made, &unmade))
			return false;
		/* A batch is carried out from its first record on. */
		HAMMER_CHECK(w, key >= batch || !made || !stopped,
			     "record %u of a batch was carried out, one before was not",
			     key);
		stopped |= unmade;
	}

	count = number_of(w, "counter", worker);
	if (count < 0)
		return false;
	HAMMER_CHECK(w, count >= (__s64)o->counter.done &&
		     count <= (__s64)o->counter.begun,
		     "counter-%u of the dead is %lld; done was %llu, begun %llu",
		     worker, count, o->counter.done, o->counter.begun);
	*caught |= o->counter.begun != o->counter.done;
	atomic_store(&o->counter.begun, count);
	atomic_store(&o->counter.done, count);

	*caught |= settle(&o->sum, &kills->sum);
	*caught |= settle(&o->update, &kills->update);
	return true;
}

/* No lock is held: keys anywhere in the map can be written. */
static bool probe(struct hammer_worker *w)
{
	char key[HAMMER_KEY_MAX];
	unsigned int i;
	int ret;

	for (i = 0; i < PROBES; i++) {
		size_t key_len = hammer_key(key, "probe", hammer_below(w, 1 << 20));

		ret = kt_set(w->fd, key, key_len, key, key_len, KMAP_CREATE, NULL);
		if (!ret)
			ret = kt_del(w->fd, key, key_len, 0, NULL);
		HAMMER_CHECK(w, !ret, "key %s: %s", key, strerror(-ret));
	}
	return true;
}

static unsigned long steps(struct hammer *clients, unsigned int slot)
{
	unsigned int first = slot * clients->threads;
	unsigned long steps = 0;
	unsigned int i;

	for (i = first; i < first + clients->threads; i++)
		steps += atomic_load(&clients->worker[i].steps);
	return steps;
}

/* Waits for the end of a client, and checks what it left behind. */
static bool bury(struct hammer_worker *w, unsigned int slot, pid_t pid, int signal)
{
	struct kills *kills = w->h->shared;
	struct hammer *clients = kills->clients;
	bool caught = false;
	unsigned int i;
	int status;

	HAMMER_CHECK(w, waitpid(pid, &status, 0) == pid, "client %u is lost", slot);
	HAMMER_CHECK(w, !atomic_load(&clients->failed), "client: %s",
		     clients->message);
	HAMMER_CHECK(w, signal ? WIFSIGNALED(status) && WTERMSIG(status) == signal :
				 WIFEXITED(status) && !WEXITSTATUS(status),
		     "client %u ended by itself, with status %#x", slot, status);
	for (i = 0; i < clients->threads; i++) {
		if (!verify_owner(w, slot * clients->threads + i, &caught))
			return false;
	}
	kills->caught += caught;
	return probe(w);
}

static bool verifier(struct hammer_worker *w)
{
	unsigned long count = hammer_setting("HAMMER_KILLS", 200);
	struct kills *kills = w->h->shared;
	struct hammer *clients = kills->clients;
	pid_t pids[HAMMER_WORKERS];
	unsigned int slot;
	bool at_work;

	for (slot = 0; slot < clients->processes; slot++)
		pids[slot] = hammer_spawn(clients, slot);

	/* Some must be within an operation; on a busy machine these are fewer. */
	while (kills->kills < count ||
	       (!kills->caught && kills->kills < 100 * count)) {
		hammer_step(w);
		slot = hammer_below(w, clients->processes);
		HAMMER_CHECK(w, pids[slot] > 0, "cannot fork");
		/* Some are killed while they start, most at work. */
		at_work = hammer_below(w, 16);
		while (at_work && !steps(clients, slot) &&
		       !atomic_load(&clients->failed))
			usleep(200);
		usleep(hammer_below(w, DELAY_US));
		kill(pids[slot], SIGKILL);
		if (!bury(w, slot, pids[slot], SIGKILL))
			return false;
		kills->kills++;
		pids[slot] = hammer_spawn(clients, slot);
	}

	atomic_store(&clients->stop, true);
	for (slot = 0; slot < clients->processes; slot++) {
		hammer_step(w);
		if (!bury(w, slot, pids[slot], 0))
			return false;
	}
	return true;
}

FIXTURE(kill) {
	struct hammer *h;
	struct kills *kills;
	int fd;
};

FIXTURE_SETUP(kill)
{
	self->h = hammer_new();
	ASSERT_NE(NULL, self->h);
	self->kills = hammer_share(sizeof(*self->kills));
	ASSERT_NE(NULL, self->kills);
	self->kills->clients = hammer_new();
	ASSERT_NE(NULL, self->kills->clients);
	/* Two at a time: one is killed while the other is at work. */
	self->kills->clients->processes = 2;
	self->kills->clients->workers = 2 * self->kills->clients->threads;
	self->kills->clients->work = client_work;
	self->kills->clients->shared = self->kills->owner;

	/* The run that is watched is the verifier alone. */
	self->h->processes = 1;
	self->h->threads = 1;
	self->h->seconds = 0;
	self->h->work = verifier;
	self->h->shared = self->kills;
	self->fd = kt_open(O_RDWR);
	ASSERT_LE(0, self->fd);
}

FIXTURE_TEARDOWN(kill)
{
	hammer_free(self->kills->clients);
	hammer_unshare(self->kills, sizeof(*self->kills));
	hammer_free(self->h);
}

/* Keys that the owners left behind. */
static __s64 left_behind(struct kills *kills)
{
	struct owner *o;
	unsigned int id;
	__s64 keys = 0;

	for (id = 0; id < kills->clients->workers * CLIENT_KEYS; id++) {
		__u64 done = kills->owner[id / CLIENT_KEYS].key[id % CLIENT_KEYS].done;

		keys += done && !hammer_script_removes(id, done);
	}
	for (o = kills->owner; o < kills->owner + kills->clients->workers; o++)
		keys += o->counter.done > 0;
	return keys;
}

TEST_F_TIMEOUT(kill, the_dead_leave_the_map_intact, hammer_timeout())
{
	struct kills *kills = self->kills;
	char key[HAMMER_KEY_MAX];
	size_t key_len = hammer_key(key, "update", 0);
	struct kmap_info info;
	__u64 count, removed;
	__u8 value[1024];
	__s64 sum, keys;
	size_t len;

	kt_value_fill(value, 16, key, key_len, 0);
	ASSERT_EQ(0, kt_set(self->fd, key, key_len, value, 16, 0, NULL));
	ASSERT_TRUE(hammer_run(self->h));
	TH_LOG("%lu clients killed, %lu of them in the middle of an operation",
	       kills->kills, kills->caught);
	EXPECT_LT(0, kills->caught);

	/* Of the numbers that all clients change, nothing that was done is lost. */
	ASSERT_EQ(0, kt_get(self->fd, key, key_len, value, sizeof(value), &len, NULL));
	ASSERT_TRUE(kt_value_check(value, len, key, key_len, &count));
	EXPECT_LT(0, count);
	EXPECT_LE(kills->update.least, count);
	EXPECT_GE(kills->update.most, count);
	ASSERT_EQ(0, kt_get(self->fd, key, hammer_key(key, "sum", 0), &sum,
			    sizeof(sum), &len, NULL));
	EXPECT_EQ(8, len);
	EXPECT_LE(kills->sum.least, sum);
	EXPECT_GE(kills->sum.most, sum);

	/* There is nothing else in the map: sum, update, and the owners' keys. */
	keys = 2 + left_behind(kills);
	EXPECT_EQ(keys, kt_walk_count(self->fd));
	EXPECT_EQ(keys, kt_entries(self->fd));
	EXPECT_EQ(0, kt_clear(self->fd, &removed));
	EXPECT_EQ(keys, removed);
	ASSERT_EQ(0, kt_info(self->fd, &info));
	EXPECT_EQ(0, info.entries);
	EXPECT_EQ(0, info.bytes);

	/* No killed client has left the device open. */
	close(self->fd);
	EXPECT_EQ(0, kt_unload());
	EXPECT_EQ(0, kt_reload("%s", ""));
}

TEST_HARNESS_MAIN
