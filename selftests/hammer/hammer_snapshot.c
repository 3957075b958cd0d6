// SPDX-License-Identifier: GPL-2.0
/*
 * Atomic walks while others change the map.
 *
 * Most workers carry out turns, by which an atomic walk can be checked: a turn
 * increments one number, then another, then stores a new token and removes the old
 * one.  In a snapshot of one moment the first number is ahead by at most one, and
 * there is one token, or two that follow each other; no turn that was done before
 * the walk began is missing, and no key that is always there.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>

#include "hammer.h"
#include "kselftest_harness.h"

#define STABLE		400	/* keys that are always there */
#define VALUE_MAX	1024

/**
 * struct turns - the turns of one worker
 * @begun: number of the last turn begun
 * @done: number of the last turn done
 */
struct turns {
	_Atomic __u64 begun;
	_Atomic __u64 done;
};

struct snapshots {
	atomic_ulong taken;
	atomic_ulong turned;
	struct turns turns[HAMMER_WORKERS];
};

/**
 * struct seen - what one snapshot shows
 * @stable: how often each of the keys that are always there was returned
 * @left: first number of each worker
 * @right: second number of each worker
 * @tokens: number of tokens of each worker
 * @token: the last of them
 */
struct seen {
	__u8 stable[STABLE];
	__s64 left[HAMMER_WORKERS];
	__s64 right[HAMMER_WORKERS];
	unsigned int tokens[HAMMER_WORKERS];
	__u64 token[HAMMER_WORKERS];
};

static bool taker(unsigned int worker)
{
	return worker % 4 == 0;
}

static bool store_stable(struct hammer_worker *w, unsigned int number)
{
	size_t len = hammer_length(kt_random(&w->random), VALUE_MAX);
	char key[HAMMER_KEY_MAX];
	size_t key_len = hammer_key(key, "stable", number);
	int ret;

	kt_value_fill(w->in, len, key, key_len, kt_random(&w->random));
	ret = kt_set(w->fd, key, key_len, w->in, len, 0, NULL);
	HAMMER_CHECK(w, !ret, "key %s: set: %d", key, ret);
	return true;
}

/* Carries out a turn: adds to left, adds to right, replaces the token. */
static bool turn(struct hammer_worker *w)
{
	struct snapshots *snapshots = w->h->shared;
	struct turns *turns = &snapshots->turns[w->id];
	__u64 number = atomic_load(&turns->done) + 1;
	char key[HAMMER_KEY_MAX];
	char name[16];
	int ret;

	atomic_store(&turns->begun, number);
	ret = kt_add(w->fd, key, hammer_key(key, "left", w->id), 1, 0, NULL, NULL);
	if (!ret)
		ret = kt_add(w->fd, key, hammer_key(key, "right", w->id), 1, 0,
			     NULL, NULL);
	HAMMER_CHECK(w, !ret, "add: %s", strerror(-ret));

	snprintf(name, sizeof(name), "token%u", w->id);
	ret = kt_set(w->fd, key, hammer_key(key, name, number), NULL, 0,
		     KMAP_CREATE, NULL);
	HAMMER_CHECK(w, !ret, "set: %s", strerror(-ret));
	if (number > 1)
		ret = kt_del(w->fd, key, hammer_key(key, name, number - 1), 0,
			     NULL);
	HAMMER_CHECK(w, !ret, "delete: %s", strerror(-ret));
	atomic_store(&turns->done, number);
	atomic_fetch_add(&snapshots->turned, 1);
	return true;
}

/* Is this some worker's counter with this name?  Notes its number. */
static bool count_of(struct hammer_worker *w, const struct kt_item *item,
		     const char *name, __s64 *counts)
{
	__s64 i = hammer_key_number(item->key, item->key_len, name);

	if (i < 0 || i >= w->h->workers || item->value_len != 8)
		return false;
	if (item->value)
		memcpy(&counts[i], item->value, 8);
	return true;
}

/* Is this a token of some worker?  Sets *@i to the worker's number. */
static __s64 token_of(struct hammer_worker *w, const struct kt_item *item,
		      unsigned int *i)
{
	char name[16];

	for (*i = 0; *i < w->h->workers; ++*i) {
		size_t len = snprintf(name, sizeof(name), "token%u", *i);

		if (item->key_len > len && !memcmp(item->key, name, len) &&
		    ((const char *)item->key)[len] == '-')
			return hammer_key_number(item->key, item->key_len, name);
	}
	return -1;
}

static bool note(struct hammer_worker *w, struct seen *seen,
		 const struct kt_item *item)
{
	const char *key = item->key;
	int len = item->key_len;
	unsigned int i;
	__s64 number;

	if (count_of(w, item, "left", seen->left) ||
	    count_of(w, item, "right", seen->right))
		return true;
	number = token_of(w, item, &i);
	if (number >= 0) {
		HAMMER_CHECK(w, !seen->tokens[i] ||
			     llabs((__s64)seen->token[i] - number) == 1,
			     "token %lld next to token %llu of worker %u",
			     number, seen->token[i], i);
		seen->token[i] = number;
		seen->tokens[i]++;
		return true;
	}
	number = hammer_key_number(key, len, "stable");
	HAMMER_CHECK(w, number >= 0 && number < STABLE,
		     "a key that nobody stored: %.*s", len, key);
	HAMMER_CHECK(w, !seen->stable[number]++, "%.*s came twice", len, key);
	HAMMER_CHECK(w, !item->value ||
		     kt_value_check(item->value, item->value_len, key, len, NULL),
		     "%.*s: a value of %u bytes is torn or another's", len, key,
		     item->value_len);
	return true;
}

static bool take(struct hammer_worker *w, __u32 flags, struct seen *seen)
{
	static const size_t sizes[3] = { 48, 16384, 1 << 20 };
	struct kt_walk walk;
	struct kt_item item;
	bool good = true;
	int ret;

	memset(seen, 0, sizeof(*seen));
	ret = kt_walk_begin(&walk, w->fd, flags, sizes[hammer_below(w, 3)]);
	HAMMER_CHECK(w, !ret, "no memory");
	while (good && (ret = kt_walk_next(&walk, &item)) > 0)
		good = note(w, seen, &item);
	kt_walk_end(&walk);
	HAMMER_CHECK(w, ret >= 0, "walk: %s", strerror(-ret));
	return good;
}

static bool take_snapshot(struct hammer_worker *w)
{
	struct snapshots *snapshots = w->h->shared;
	struct turns *turns = snapshots->turns;
	__u64 done[HAMMER_WORKERS];
	__u64 begun[HAMMER_WORKERS];
	struct seen *seen = w->own;
	__u32 flags = KMAP_KEYS_ATOMIC;
	unsigned int i;

	if (hammer_below(w, 4))
		flags |= KMAP_KEYS_VALUES;
	for (i = 0; i < w->h->workers; i++)
		done[i] = atomic_load(&turns[i].done);
	if (!take(w, flags, seen))
		return false;
	for (i = 0; i < w->h->workers; i++)
		begun[i] = atomic_load(&turns[i].begun);

	for (i = 0; i < STABLE; i++)
		HAMMER_CHECK(w, seen->stable[i], "stable-%u did not come", i);
	for (i = 0; i < w->h->workers; i++) {
		__s64 ahead = seen->left[i] - seen->right[i];

		if (taker(i))
			continue;
		HAMMER_CHECK(w, seen->tokens[i] == 1 || seen->tokens[i] == 2,
			     "%u tokens of worker %u", seen->tokens[i], i);
		HAMMER_CHECK(w, seen->token[i] >= done[i] &&
			     seen->token[i] <= begun[i],
			     "token %llu of worker %u, at turns %llu to %llu",
			     seen->token[i], i, done[i], begun[i]);
		HAMMER_CHECK(w, !(flags & KMAP_KEYS_VALUES) ||
			     ((ahead == 0 || ahead == 1) &&
			      (__u64)seen->right[i] >= done[i] &&
			      (__u64)seen->left[i] <= begun[i]),
			     "left is %lld and right is %lld of worker %u, at turns %llu to %llu",
			     seen->left[i], seen->right[i], i, done[i], begun[i]);
	}
	atomic_fetch_add(&snapshots->taken, 1);
	return true;
}

static bool prepare(struct hammer_worker *w)
{
	unsigned int i;

	w->own = malloc(sizeof(struct seen));
	HAMMER_CHECK(w, w->own, "no memory");
	for (i = w->id; i < STABLE; i += w->h->workers) {
		hammer_step(w);
		if (!store_stable(w, i))
			return false;
	}
	return taker(w->id) || turn(w);
}

static bool work(struct hammer_worker *w)
{
	bool good = true;

	while (good && hammer_next(w)) {
		if (taker(w->id))
			good = take_snapshot(w);
		else if (hammer_below(w, 4))
			good = turn(w);
		else
			good = store_stable(w, hammer_below(w, STABLE));
	}
	return good;
}

FIXTURE(snapshot) {
	struct hammer *h;
	struct snapshots *snapshots;
};

FIXTURE_SETUP(snapshot)
{
	self->h = hammer_new();
	ASSERT_NE(NULL, self->h);
	self->snapshots = hammer_share(sizeof(*self->snapshots));
	ASSERT_NE(NULL, self->snapshots);
	self->h->shared = self->snapshots;
}

FIXTURE_TEARDOWN(snapshot)
{
	hammer_unshare(self->snapshots, sizeof(*self->snapshots));
	hammer_free(self->h);
}

TEST_F_TIMEOUT(snapshot, shows_one_moment, hammer_timeout())
{
	struct snapshots *snapshots = self->snapshots;

	self->h->seconds /= 2;
	self->h->goals[0] = &snapshots->taken;
	self->h->goals[1] = &snapshots->turned;
	self->h->prepare = prepare;
	self->h->work = work;
	ASSERT_TRUE(hammer_run(self->h));
	TH_LOG("%lu snapshots, %lu turns", snapshots->taken, snapshots->turned);
	EXPECT_LT(0, snapshots->taken);
	EXPECT_LT(0, snapshots->turned);
}

TEST_HARNESS_MAIN
