// SPDX-License-Identifier: GPL-2.0
/*
 * All workers try to create the same keys, and then to remove them.
 *
 * Of the workers that race for a key exactly one may win, whether it creates a
 * value or a number, and those that lose must get the winner's value and version.
 * Rounds begin at a barrier, and all workers go through the keys of a round in the
 * same order, so that they collide.
 */
#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <string.h>
#include <unistd.h>

#include "hammer.h"
#include "kselftest_harness.h"

#define ROUND		64	/* keys in a round */
#define ROUNDS		256	/* at most */
#define VALUE_MAX	512

/**
 * struct prize - one key
 * @tried: workers that tried to create it
 * @won: workers that created it
 * @removed: workers that removed it
 * @what: the value that was created: the seed or the number, noted by the first
 *	worker that sees it
 * @version: its version, noted in the same way
 */
struct prize {
	_Atomic unsigned int tried;
	_Atomic unsigned int won;
	_Atomic unsigned int removed;
	_Atomic __u64 what;
	_Atomic __u64 version;
};

/* How workers create a key. */
enum how { BY_VALUE, BY_NUMBER, BY_EITHER };

struct create {
	enum how how;
	bool duel;
	atomic_ulong rounds;
	struct prize prize[ROUNDS * ROUND];
};

static size_t prize_key(char key[HAMMER_KEY_MAX], unsigned int number)
{
	return hammer_key(key, "prize", number);
}

/* All workers must agree on what was created. */
static bool agree(struct hammer_worker *w, unsigned int number, __u64 what,
		  __u64 version)
{
	struct create *create = w->h->shared;
	struct prize *prize = &create->prize[number];
	__u64 other = 0;

	HAMMER_CHECK(w, what && version, "prize %u: value %#llx, version %llu",
		     number, what, version);
	HAMMER_CHECK(w, atomic_compare_exchange_strong(&prize->what, &other, what) ||
		     other == what,
		     "prize %u is %#llx and %#llx", number, other, what);
	other = 0;
	HAMMER_CHECK(w, atomic_compare_exchange_strong(&prize->version, &other,
						       version) ||
			other == version,
		     "prize %u has version %llu and version %llu", number, other,
		     version);
	return true;
}

/* What a value in the buffer is: a seed, or a number of 8 bytes. */
static bool what_is(struct hammer_worker *w, unsigned int number, size_t len,
		    __u64 *what)
{
	char key[HAMMER_KEY_MAX];
	size_t key_len = prize_key(key, number);

	if (len == 8)
		memcpy(what, w->out, 8);
	else
		HAMMER_CHECK(w, len >= 16 && len <= VALUE_MAX &&
			     kt_value_check(w->out, len, key, key_len, what),
			     "prize %u: a value of %zd bytes is torn or another's",
			     number, (ssize_t)len);
	return true;
}

/* A value or number that no other worker creates under any key. */
static __u64 mine(struct hammer_worker *w, unsigned int number)
{
	return (w->id + 1ull) << 32 | number;
}

/* Called just before a try; in a duel it returns when the other tries, too. */
static void try_now(struct hammer_worker *w, unsigned int number)
{
	struct create *create = w->h->shared;
	struct prize *prize = &create->prize[number];
	unsigned int spins = 0;

	atomic_fetch_add(&prize->tried, 1);
	while (create->duel && atomic_load(&prize->tried) < w->h->workers) {
		if (atomic_load(&w->h->stop))
			return;
		if (++spins > 10000)
			sched_yield();
	}
}

static bool create_value(struct hammer_worker *w, unsigned int number)
{
	struct create *create = w->h->shared;
	size_t len = 16 + hammer_below(w, VALUE_MAX - 16 + 1);
	char key[HAMMER_KEY_MAX];
	size_t key_len = prize_key(key, number);
	__u64 what = mine(w, number);
	__u64 version = 0;
	size_t out_len;
	int ret;

	kt_value_fill(w->in, len, key, key_len, what);
	try_now(w, number);
	ret = kt_swap(w->fd, key, key_len, w->in, len, KMAP_CREATE, &version,
		      w->out, w->max_value, &out_len);
	HAMMER_CHECK(w, !ret || ret == -EEXIST, "create: %s", strerror(-ret));
	if (!ret) {
		atomic_fetch_add(&create->prize[number].won, 1);
		HAMMER_CHECK(w, out_len == KT_NONE, "the winner found %zu bytes",
			     out_len);
	} else if (!what_is(w, number, out_len, &what)) {
		return false;
	}
	return agree(w, number, what, version);
}

static bool create_number(struct hammer_worker *w, unsigned int number)
{
	struct create *create = w->h->shared;
	char key[HAMMER_KEY_MAX];
	size_t key_len = prize_key(key, number);
	__u64 what = mine(w, number);
	__u64 version;
	__s64 sum;
	int ret;

	try_now(w, number);
	ret = kt_add(w->fd, key, key_len, what, KMAP_CREATE, &sum, &version);
	HAMMER_CHECK(w, !ret || ret == -EEXIST, "create: %s", strerror(-ret));
	if (!ret) {
		atomic_fetch_add(&create->prize[number].won, 1);
		HAMMER_CHECK(w, sum == (__s64)what, "the winner got %lld instead of %lld",
			     sum, (__s64)what);
		return agree(w, number, what, version);
	}
	return true;
}

static bool get_prize(struct hammer_worker *w, unsigned int number)
{
	char key[HAMMER_KEY_MAX];
	size_t key_len = prize_key(key, number);
	__u64 version, what;
	size_t len;
	int ret;

	ret = kt_get(w->fd, key, key_len, w->out, w->max_value, &len, &version);
	HAMMER_CHECK(w, !ret, "prize %u was created, and get: %s", number,
		     strerror(-ret));
	return what_is(w, number, len, &what) && agree(w, number, what, version);
}

static bool try_create(struct hammer_worker *w, unsigned int number)
{
	struct create *create = w->h->shared;
	bool by_number = create->how == BY_NUMBER;

	if (create->how == BY_EITHER)
		by_number = hammer_below(w, 2);
	if (!(by_number ? create_number(w, number) : create_value(w, number)))
		return false;
	/* Losers find what the winner created; nobody removes it yet. */
	return get_prize(w, number);
}

static bool create_all(struct hammer_worker *w)
{
	struct create *create = w->h->shared;
	unsigned int round, i;

	for (round = 0; round < ROUNDS; round++) {
		if (!hammer_barrier(w))
			return true;
		for (i = 0; i < ROUND; i++) {
			hammer_step(w);
			if (!try_create(w, round * ROUND + i))
				return false;
		}
		if (w->id == 0)
			atomic_store(&create->rounds, round + 1);
	}
	return true;
}

static bool remove_all(struct hammer_worker *w)
{
	struct create *create = w->h->shared;
	unsigned int number;

	for (number = 0; number < ROUNDS * ROUND; number++) {
		struct prize *prize = &create->prize[number];
		char key[HAMMER_KEY_MAX];
		size_t key_len = prize_key(key, number);
		__u64 version, what;
		size_t len;
		int ret;

		if (!atomic_load(&prize->won))
			break;
		if (number % ROUND == 0 && !hammer_barrier(w))
			return true;
		hammer_step(w);
		ret = kt_take(w->fd, key, key_len, 0, &version, w->out,
			      w->max_value, &len);
		if (ret == -ENOENT)
			continue;
		HAMMER_CHECK(w, !ret, "remove: %s", strerror(-ret));
		atomic_fetch_add(&prize->removed, 1);
		if (!what_is(w, number, len, &what) ||
		    !agree(w, number, what, version))
			return false;
	}
	return true;
}

FIXTURE(create) {
	struct hammer *h;
	struct create *create;
	int fd;
};

FIXTURE_VARIANT(create) {
	enum how how;
};

FIXTURE_VARIANT_ADD(create, by_value) {
	.how = BY_VALUE
};

FIXTURE_VARIANT_ADD(create, by_number) {
	.how = BY_NUMBER
};

FIXTURE_VARIANT_ADD(create, by_either) {
	.how = BY_EITHER
};

FIXTURE_SETUP(create)
{
	self->h = hammer_new();
	ASSERT_NE(NULL, self->h);
	self->create = hammer_share(sizeof(*self->create));
	ASSERT_NE(NULL, self->create);
	self->create->how = variant->how;
	self->h->shared = self->create;
	self->h->seconds /= 8;
	self->fd = kt_open(O_RDWR);
	ASSERT_LE(0, self->fd);
}

FIXTURE_TEARDOWN(create)
{
	close(self->fd);
	hammer_unshare(self->create, sizeof(*self->create));
	hammer_free(self->h);
}

/* Runs the creation of all keys, then their removal, and checks the results. */
static void create_and_remove(struct __test_metadata *_metadata,
			      FIXTURE_DATA(create) * self)
{
	struct create *create = self->create;
	unsigned int i, keys = 0, wrong = 0;

	self->h->goals[0] = &create->rounds;
	self->h->work = create_all;
	ASSERT_TRUE(hammer_run(self->h));
	for (i = 0; i < ROUNDS * ROUND; i++) {
		if (!create->prize[i].won)
			continue;
		keys++;
		wrong += create->prize[i].won != 1;
	}
	TH_LOG("%u keys in %lu rounds", keys, create->rounds);
	EXPECT_EQ(0, wrong);
	EXPECT_LT(0, create->rounds);
	EXPECT_EQ(keys, kt_walk_count(self->fd));
	EXPECT_EQ(keys, kt_entries(self->fd));

	/* Of the workers that remove a key, exactly one may succeed. */
	self->h->seconds = 0;
	self->h->work = remove_all;
	ASSERT_TRUE(hammer_run(self->h));
	for (wrong = 0, i = 0; i < ROUNDS * ROUND; i++)
		wrong += create->prize[i].won != create->prize[i].removed;
	EXPECT_EQ(0, wrong);
	EXPECT_EQ(0, kt_walk_count(self->fd));
	EXPECT_EQ(0, kt_entries(self->fd));
}

TEST_F_TIMEOUT(create, one_of_many_wins, hammer_timeout())
{
	create_and_remove(_metadata, self);
}

/* Two workers, on a CPU each, wait for each other before every key. */
TEST_F_TIMEOUT(create, one_of_two_wins, hammer_timeout())
{
	self->h->processes = 2;
	self->h->threads = 1;
	self->create->duel = true;
	create_and_remove(_metadata, self);
}

TEST_HARNESS_MAIN
