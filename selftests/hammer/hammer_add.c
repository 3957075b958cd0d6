// SPDX-License-Identifier: GPL-2.0
/*
 * Numbers that all workers add to at once.
 *
 * No addition may be lost or counted twice, whatever else happens to the key:
 * sums are compared at the end, and numbers that a delete or a swap removes are
 * added up.  Of a counter that only increases by one, each number must have been
 * returned once, with a version of its own that grows with the number.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "hammer.h"
#include "kselftest_harness.h"

#define COUNTERS	4
#define BATCH		32
#define STEPS_MAX	(1u << 20)	/* of one counter that counts up by one */
#define ROOM		2000		/* additions before a number overflows */

/**
 * struct counter - what is known of one number
 * @begun: additions of one begun
 * @done: additions of one done
 * @added: sum of what was added
 * @taken: sum of what deletes and swaps removed
 * @version: version of each number, where the counter increases by one
 *
 * Sums wrap where long has 32 bits.  Sums of 64 bits would need "lock cmpxchg8b"
 * there, after which QEMU 7.2 (TCG) computes EFLAGS from what was added: a negative
 * number sets the trap flag, which ends the program.
 */
struct counter {
	_Atomic __u64 begun;
	_Atomic __u64 done;
	atomic_long added;
	atomic_long taken;
	_Atomic __u64 version[STEPS_MAX + 1];
};

struct add {
	atomic_ulong reads;
	atomic_ulong adds;
	atomic_ulong refused;
	struct counter counter[COUNTERS];
};

static size_t counter_key(char key[HAMMER_KEY_MAX], unsigned int counter)
{
	return hammer_key(key, "counter", counter);
}

static __s64 small_number(struct hammer_worker *w)
{
	return (__s64)hammer_below(w, 2001) - 1000;
}

/* Adds random numbers, alone or in batches, and reads now and then. */
static bool add_at_random(struct hammer_worker *w)
{
	struct add *add = w->h->shared;
	char key[COUNTERS][HAMMER_KEY_MAX];
	__s64 added[COUNTERS] = { 0 };
	struct kmap_op ops[BATCH];
	size_t len[COUNTERS];
	size_t out_len;
	__s64 sum;
	int ret, i, j;

	for (i = 0; i < COUNTERS; i++)
		len[i] = counter_key(key[i], i);

	while (hammer_next(w)) {
		i = hammer_below(w, COUNTERS);
		switch (hammer_below(w, 4)) {
		case 0:
			ret = kt_get(w->fd, key[i], len[i], &sum, 8, &out_len, NULL);
			HAMMER_CHECK(w, ret == -ENOENT || (!ret && out_len == 8),
				     "get: %d, %zu bytes", ret, out_len);
			break;
		case 1:
			for (j = 0; j < BATCH; j++) {
				__s64 delta = small_number(w);

				i = hammer_below(w, COUNTERS);
				kt_op_add(&ops[j], key[i], len[i], delta, 0);
				added[i] += delta;
			}
			ret = kt_batch(w->fd, ops, BATCH, NULL);
			HAMMER_CHECK(w, !ret, "batch: %s", strerror(-ret));
			for (j = 0; j < BATCH; j++)
				HAMMER_CHECK(w, !ops[j].error, "add in a batch: %s",
					     strerror(-ops[j].error));
			atomic_fetch_add(&add->adds, BATCH);
			break;
		default:
			sum = small_number(w);
			added[i] += sum;
			ret = kt_add(w->fd, key[i], len[i], sum, 0, NULL, NULL);
			HAMMER_CHECK(w, !ret, "add: %s", strerror(-ret));
			atomic_fetch_add(&add->adds, 1);
		}
	}
	for (i = 0; i < COUNTERS; i++)
		atomic_fetch_add(&add->counter[i].added, added[i]);
	return true;
}

/* What a worker saw last of a counter. */
struct sight {
	__s64 number;
	__u64 version;
};

/* Checks a number and a version that were found together. */
static bool together(struct hammer_worker *w, unsigned int counter,
		     struct sight *last, __s64 number, __u64 version)
{
	struct add *add = w->h->shared;
	struct counter *c = &add->counter[counter];
	__u64 known = 0;

	HAMMER_CHECK(w, number > 0 && number <= STEPS_MAX,
		     "counter %u is %lld", counter, number);
	HAMMER_CHECK(w, number >= last->number && version >= last->version &&
		     (number == last->number) == (version == last->version),
		     "counter %u: number %lld with version %llu after number %lld with version %llu",
		     counter, number, version, last->number, last->version);
	last->number = number;
	last->version = version;

	if (!atomic_compare_exchange_strong(&c->version[number], &known, version))
		HAMMER_CHECK(w, known == version,
			     "counter %u: number %lld has version %llu and version %llu",
			     counter, number, known, version);
	return true;
}

/* Adds one, several times in a call. */
static bool count(struct hammer_worker *w, unsigned int counter,
		  struct sight *last)
{
	struct add *add = w->h->shared;
	struct counter *c = &add->counter[counter];
	unsigned int n = 1 + hammer_below(w, BATCH);
	char key[HAMMER_KEY_MAX];
	size_t len = counter_key(key, counter);
	struct kmap_op ops[BATCH];
	unsigned int i;
	int ret;

	if (atomic_fetch_add(&c->begun, n) > STEPS_MAX - n) {
		atomic_fetch_sub(&c->begun, n);
		usleep(100);
		return true;
	}
	for (i = 0; i < n; i++)
		kt_op_add(&ops[i], key, len, 1, 0);
	if (n == 1)
		ret = kt_ioctl(w->fd, KMAP_IOC_ADD, ops);
	else
		ret = kt_batch(w->fd, ops, n, NULL);
	HAMMER_CHECK(w, !ret, "add: %s", strerror(-ret));
	atomic_fetch_add(&c->done, n);
	for (i = 0; i < n; i++) {
		__s64 before = last->number;

		HAMMER_CHECK(w, !ops[i].error, "add: %s", strerror(-ops[i].error));
		if (!together(w, counter, last, ops[i].number, ops[i].version))
			return false;
		HAMMER_CHECK(w, last->number > before,
			     "counter %u: added 1 after %lld and got %lld",
			     counter, before, last->number);
	}
	return true;
}

/* Tries to create a key that is present, and so gets its number and version. */
static int load_or_store(struct hammer_worker *w, const char *key, size_t len,
			 __s64 *number, __u64 *version)
{
	size_t out_len;
	int ret;

	ret = kt_swap(w->fd, key, len, "none", 4, KMAP_CREATE, version, number,
		      sizeof(*number), &out_len);
	if (ret == -EEXIST && out_len == 8)
		return 0;
	return ret ? ret : -EPROTO;
}

/* Looks at a counter, several times in a call. */
static bool look(struct hammer_worker *w, unsigned int counter,
		 struct sight *last)
{
	struct add *add = w->h->shared;
	struct counter *c = &add->counter[counter];
	__u64 done = atomic_load(&c->done);
	unsigned int n = 1 + hammer_below(w, BATCH);
	char key[HAMMER_KEY_MAX];
	size_t len = counter_key(key, counter);
	struct kmap_op ops[BATCH];
	__s64 number[BATCH];
	unsigned int i;
	__u64 begun;
	int ret;

	for (i = 0; i < n; i++)
		kt_op_get(&ops[i], key, len, &number[i], sizeof(number[i]));
	if (n > 2) {
		ret = kt_batch(w->fd, ops, n, NULL);
	} else if (n == 2) {
		n = 1;
		ret = load_or_store(w, key, len, &ops->number, &ops->version);
		number[0] = ops->number;
	} else {
		ret = kt_ioctl(w->fd, KMAP_IOC_GET, ops);
	}
	begun = atomic_load(&c->begun);
	HAMMER_CHECK(w, !ret, "counter %u: %s", counter, strerror(-ret));
	atomic_fetch_add(&add->reads, n);

	for (i = 0; i < n; i++) {
		HAMMER_CHECK(w, !ops[i].error && ops[i].number == number[i],
			     "counter %u: %d, value %lld, number %lld", counter,
			     ops[i].error, number[i], ops[i].number);
		HAMMER_CHECK(w, (__u64)number[i] >= done && (__u64)number[i] <= begun,
			     "counter %u is %lld when %llu additions were done and %llu begun",
			     counter, number[i], done, begun);
		if (!together(w, counter, last, number[i], ops[i].version))
			return false;
	}
	return true;
}

/* Looks at all counters in a walk or a snapshot. */
static bool look_around(struct hammer_worker *w, struct sight *last)
{
	__u32 flags = KMAP_KEYS_VALUES;
	struct kt_walk walk;
	struct kt_item item;
	int seen = 0;
	int ret;

	if (hammer_below(w, 2))
		flags |= KMAP_KEYS_ATOMIC;
	ret = kt_walk_begin(&walk, w->fd, flags, 4096);
	HAMMER_CHECK(w, !ret, "no memory");
	while ((ret = kt_walk_next(&walk, &item)) > 0) {
		__s64 i = hammer_key_number(item.key, item.key_len, "counter");
		__s64 number;

		if (i < 0 || i >= COUNTERS || item.value_len != 8) {
			ret = -EPROTO;
			break;
		}
		memcpy(&number, item.value, sizeof(number));
		if (!together(w, i, &last[i], number, item.version)) {
			kt_walk_end(&walk);
			return false;
		}
		seen |= 1 << i;
	}
	kt_walk_end(&walk);
	HAMMER_CHECK(w, !ret, "walk: %s", strerror(-ret));
	HAMMER_CHECK(w, seen == (1 << COUNTERS) - 1, "walk: counters %#x are missing",
		     ~seen & ((1 << COUNTERS) - 1));
	return true;
}

static bool prepare_count(struct hammer_worker *w)
{
	struct sight last[COUNTERS] = { 0 };
	unsigned int i;

	for (i = w->id; i < COUNTERS; i += w->h->workers) {
		if (!count(w, i, &last[i]))
			return false;
	}
	return true;
}

/* Half of the workers count, the others look, mostly at the same counter. */
static bool count_and_look(struct hammer_worker *w)
{
	struct sight last[COUNTERS] = { 0 };
	bool good = true;

	while (good && hammer_next(w)) {
		unsigned int i = hammer_below(w, 4) ? 0 : hammer_below(w, COUNTERS);

		if (w->id & 1)
			good = count(w, i, &last[i]);
		else if (hammer_below(w, 64))
			good = look(w, i, &last[i]);
		else
			good = look_around(w, last);
	}
	return good;
}

static bool count_to_the_brim(struct hammer_worker *w)
{
	struct add *add = w->h->shared;
	char key[HAMMER_KEY_MAX];
	size_t len = counter_key(key, 0);
	__s64 number, last = 0;
	int ret;

	while (hammer_next(w)) {
		ret = kt_add(w->fd, key, len, 1, 0, &number, NULL);
		if (ret == -ERANGE) {
			atomic_fetch_add(&add->refused, 1);
			return true;
		}
		HAMMER_CHECK(w, !ret, "add: %s", strerror(-ret));
		HAMMER_CHECK(w, number > last, "added 1 after %lld and got %lld",
			     last, number);
		last = number;
		atomic_fetch_add(&add->adds, 1);
	}
	return true;
}

/* Adds to a key that has a number, is absent, or has a value that is no number. */
static bool add_anyhow(struct hammer_worker *w, unsigned int counter)
{
	static const unsigned int conditions[4] = { 0, 0, KMAP_CREATE, KMAP_REPLACE };
	unsigned int flags = conditions[hammer_below(w, 4)];
	struct add *add = w->h->shared;
	__s64 delta = small_number(w);
	char key[HAMMER_KEY_MAX];
	size_t len = counter_key(key, counter);
	__s64 sum;
	int ret;

	ret = kt_add(w->fd, key, len, delta, flags, &sum, NULL);
	HAMMER_CHECK(w, !ret || ret == -EDOM ||
		     (ret == -EEXIST && flags == KMAP_CREATE) ||
			(ret == -ENOENT && flags == KMAP_REPLACE),
		     "add with flags %#x: %s", flags, strerror(-ret));
	HAMMER_CHECK(w, ret || flags != KMAP_CREATE || sum == delta,
		     "created %lld by adding %lld", sum, delta);
	if (ret)
		return true;
	atomic_fetch_add(&add->counter[counter].added, delta);
	atomic_fetch_add(&add->adds, 1);
	return true;
}

/* Removes a key, or replaces its value by a number or by another value. */
static bool take_anyhow(struct hammer_worker *w, unsigned int counter)
{
	struct add *add = w->h->shared;
	struct counter *c = &add->counter[counter];
	__s64 value[2] = { small_number(w), 0 };
	unsigned int what = hammer_below(w, 4);
	char key[HAMMER_KEY_MAX];
	size_t len = counter_key(key, counter);
	size_t out_len;
	__s64 out[2];
	int ret;

	if (what < 2)
		ret = kt_take(w->fd, key, len, 0, NULL, out, sizeof(out), &out_len);
	else
		ret = kt_swap(w->fd, key, len, value, what == 2 ? 8 : 16,
			      what == 2 ? KMAP_NUMBER : 0, NULL,
			      out, sizeof(out), &out_len);
	if (what < 2 && ret == -ENOENT)
		return true;
	HAMMER_CHECK(w, !ret, "%s: %s", what < 2 ? "delete" : "set",
		     strerror(-ret));
	HAMMER_CHECK(w, out_len == 8 || out_len == 16 ||
		     (what >= 2 && out_len == KT_NONE),
		     "%zu bytes came back", out_len);
	if (out_len == 8)
		atomic_fetch_add(&c->taken, out[0]);
	if (what == 2)
		atomic_fetch_add(&c->added, value[0]);
	return true;
}

static bool add_and_take(struct hammer_worker *w)
{
	bool good = true;

	while (good && hammer_next(w)) {
		unsigned int i = hammer_below(w, COUNTERS);

		good = w->id % 4 ? add_anyhow(w, i) : take_anyhow(w, i);
	}
	return good;
}

FIXTURE(add) {
	struct hammer *h;
	struct add *add;
	int fd;
};

FIXTURE_SETUP(add)
{
	self->h = hammer_new();
	ASSERT_NE(NULL, self->h);
	self->add = hammer_share(sizeof(*self->add));
	ASSERT_NE(NULL, self->add);
	self->h->shared = self->add;
	self->fd = kt_open(O_RDWR);
	ASSERT_LE(0, self->fd);
}

FIXTURE_TEARDOWN(add)
{
	close(self->fd);
	hammer_unshare(self->add, sizeof(*self->add));
	hammer_free(self->h);
}

/* The number under a counter's key; 0 if the key is absent or has no number. */
static __s64 number_of(int fd, unsigned int counter)
{
	char key[HAMMER_KEY_MAX];
	size_t len = counter_key(key, counter);
	size_t out_len;
	__s64 out[2];

	if (kt_get(fd, key, len, out, sizeof(out), &out_len, NULL) || out_len != 8)
		return 0;
	return out[0];
}

/* Runs, and checks that all that was added is in the map or was taken from it. */
static void add_and_compare(struct __test_metadata *_metadata,
			    FIXTURE_DATA(add) * self)
{
	struct counter *c;
	int i;

	self->h->seconds /= 2;
	self->h->goals[0] = &self->add->adds;
	ASSERT_TRUE(hammer_run(self->h));
	TH_LOG("%lu additions", self->add->adds);
	EXPECT_LT(0, self->add->adds);
	for (i = 0; i < COUNTERS; i++) {
		c = &self->add->counter[i];
		EXPECT_EQ(c->added, (long)(c->taken + number_of(self->fd, i)));
	}
}

TEST_F_TIMEOUT(add, sums_are_exact, hammer_timeout())
{
	self->h->work = add_at_random;
	add_and_compare(_metadata, self);
}

TEST_F_TIMEOUT(add, number_and_version_go_together, hammer_timeout())
{
	struct counter *c;
	__u64 i, wrong;

	self->h->goals[0] = &self->add->reads;
	self->h->prepare = prepare_count;
	self->h->work = count_and_look;
	ASSERT_TRUE(hammer_run(self->h));
	EXPECT_LT(0, self->add->reads);

	for (c = self->add->counter; c < self->add->counter + COUNTERS; c++) {
		TH_LOG("counted to %llu", c->done);
		ASSERT_EQ(c->begun, c->done);
		ASSERT_EQ(c->done, number_of(self->fd, c - self->add->counter));
		/* Every number was returned, and versions grow with the numbers. */
		for (wrong = 0, i = 1; i <= c->done; i++)
			wrong += c->version[i] <= c->version[i - 1];
		EXPECT_EQ(0, wrong);
	}
}

TEST_F_TIMEOUT(add, overflow_is_refused_exactly, hammer_timeout())
{
	__s64 start = INT64_MAX - ROOM;
	char key[HAMMER_KEY_MAX];
	size_t len = counter_key(key, 0);

	ASSERT_EQ(0, kt_set(self->fd, key, len, &start, sizeof(start),
			    KMAP_NUMBER, NULL));
	self->h->seconds = 0;
	self->h->work = count_to_the_brim;
	ASSERT_TRUE(hammer_run(self->h));
	EXPECT_EQ(ROOM, self->add->adds);
	EXPECT_EQ(self->h->workers, self->add->refused);
	EXPECT_EQ(INT64_MAX, number_of(self->fd, 0));
}

TEST_F_TIMEOUT(add, what_is_taken_and_left_is_what_was_added, hammer_timeout())
{
	self->h->work = add_and_take;
	add_and_compare(_metadata, self);
}

TEST_HARNESS_MAIN
