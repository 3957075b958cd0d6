// SPDX-License-Identifier: GPL-2.0
/*
 * Walks over the keys while others change the map.
 *
 * Half of the workers, those with even numbers, walk with buffers from one
 * record to far more than the map, and the others insert, delete, overwrite,
 * make the table grow or clear it.  A key that is there for the whole walk
 * comes exactly once, no key comes twice, every value is whole, and an atomic
 * walk shows one moment.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "hammer.h"
#include "kselftest_harness.h"

#define STABLE		600	/* keys that are always there */
#define PASSING		600	/* keys that come and go */
#define MARKS		128	/* keys that a clear must take */
#define CLEARERS	2
#define GROWING		16384	/* keys that come and stay */
#define SHORT_MAX	1024	/* most values, so that walks are not all copying */

enum kind { IS_STABLE, IS_PASSING, IS_GROWING, IS_MARK, KINDS };

static const struct {
	const char *name;
	unsigned int keys;
} kinds[KINDS] = {
	{ "stable", STABLE },
	{ "passing", PASSING },
	{ "growing", GROWING },
	{ "mark", MARKS },
};

/* Turns of one worker: each counts left, then right, and hands a token on. */
struct pair {
	_Atomic __u64 begun;
	_Atomic __u64 done;
};

/**
 * struct keys - what the workers share
 * @walks: walks done
 * @snapshots: atomic walks done
 * @grown: growing keys of each worker: worker i makes numbers i, i + workers...
 * @pair: of each worker
 * @created: keys created, where they are counted
 * @removed: keys removed by a delete
 * @cleared: keys removed by a clear
 */
struct keys {
	_Atomic unsigned long walks;
	_Atomic unsigned long snapshots;
	_Atomic unsigned int grown[HAMMER_WORKERS];
	struct pair pair[HAMMER_WORKERS];
	_Atomic __u64 created;
	_Atomic __u64 removed;
	_Atomic __u64 cleared;
};

/* What one walk has returned, and versions from the walk before. */
struct seen {
	__u8 times[KINDS][GROWING];
	unsigned int grown[HAMMER_WORKERS];
	__u64 version[STABLE];
	__s64 left[HAMMER_WORKERS];
	__s64 right[HAMMER_WORKERS];
	unsigned int tokens[HAMMER_WORKERS];
	__u64 token[HAMMER_WORKERS];
	__u64 done[HAMMER_WORKERS];
};

static bool store(struct hammer_worker *w, enum kind kind, unsigned int number,
		  unsigned int flags, int *err)
{
	char key[HAMMER_KEY_MAX];
	size_t key_len = hammer_key(key, kinds[kind].name, number);
	size_t max = hammer_below(w, 32) ? SHORT_MAX : w->max_value;
	size_t len = hammer_length(kt_random(&w->random), max);

	kt_value_fill(w->in, len, key, key_len, kt_random(&w->random));
	*err = kt_set(w->fd, key, key_len, w->in, len, flags, NULL);
	HAMMER_CHECK(w, !*err || (flags && *err == -EEXIST), "key %s: set: %d",
		     key, *err);
	return true;
}

static bool take(struct hammer_worker *w, unsigned int number, int *err)
{
	char key[HAMMER_KEY_MAX];
	size_t key_len = hammer_key(key, kinds[IS_PASSING].name, number);

	*err = kt_del(w->fd, key, key_len, 0, NULL);
	HAMMER_CHECK(w, !*err || *err == -ENOENT, "key %s: delete: %d", key, *err);
	return true;
}

/* A key of one of the kinds: counts it and checks its value. */
static bool note(struct hammer_worker *w, struct seen *seen,
		 const struct kt_item *item)
{
	enum kind kind;
	__s64 number = -1;
	bool whole;

	for (kind = 0; kind < KINDS && number < 0; kind++)
		number = hammer_key_number(item->key, item->key_len,
					   kinds[kind].name);
	kind--;
	HAMMER_CHECK(w, number >= 0 && number < kinds[kind].keys,
		     "walk: a key that nobody stored: %.*s", (int)item->key_len,
		     (const char *)item->key);
	HAMMER_CHECK(w, !seen->times[kind][number]++, "walk: %.*s came twice",
		     (int)item->key_len, (const char *)item->key);
	whole = !item->value || kt_value_check(item->value, item->value_len,
					       item->key, item->key_len, NULL);
	HAMMER_CHECK(w, whole, "walk: %.*s: a value of %u bytes is torn or another's",
		     (int)item->key_len, (const char *)item->key,
		     item->value_len);
	if (kind == IS_STABLE) {
		HAMMER_CHECK(w, item->version && item->version >= seen->version[number],
			     "walk: %.*s: version %llu after version %llu",
			     (int)item->key_len, (const char *)item->key,
			     item->version, seen->version[number]);
		seen->version[number] = item->version;
	}
	return true;
}

/* One walk, with a buffer of @size bytes for as long as that is enough. */
static bool walk_once(struct hammer_worker *w, __u32 flags, size_t size,
		      bool (*each)(struct hammer_worker *w, struct seen *seen,
				   const struct kt_item *item))
{
	struct seen *seen = w->own;
	struct kt_walk walk;
	struct kt_item item;
	bool good = true;
	int ret;

	memset(seen->times, 0, sizeof(seen->times));
	ret = kt_walk_begin(&walk, w->fd, flags, size);
	HAMMER_CHECK(w, !ret, "no memory");
	while (good && (ret = kt_walk_next(&walk, &item)) > 0)
		good = each(w, seen, &item);
	kt_walk_end(&walk);
	HAMMER_CHECK(w, ret >= 0, "walk: %s", strerror(-ret));
	hammer_step(w);
	return good;
}

static size_t some_size(struct hammer_worker *w)
{
	static const size_t sizes[4] = { 48, 700, 16384, 1 << 20 };

	return sizes[hammer_below(w, 4)];
}

/* A walk that must bring every key that was there before it began. */
static bool walk_and_compare(struct hammer_worker *w)
{
	struct keys *keys = w->h->shared;
	struct seen *seen = w->own;
	unsigned int i, j;

	for (i = 0; i < w->h->workers; i++)
		seen->grown[i] = atomic_load(&keys->grown[i]);
	if (!walk_once(w, hammer_below(w, 2) ? KMAP_KEYS_VALUES : 0,
		       some_size(w), note))
		return false;
	for (i = 0; i < STABLE; i++)
		HAMMER_CHECK(w, seen->times[IS_STABLE][i],
			     "walk: stable-%u did not come", i);
	for (i = 0; i < w->h->workers; i++) {
		for (j = 0; j < seen->grown[i]; j++)
			HAMMER_CHECK(w, seen->times[IS_GROWING][j * w->h->workers + i],
				     "walk: growing-%u did not come",
				     j * w->h->workers + i);
	}
	atomic_fetch_add(&keys->walks, 1);
	return true;
}

static bool change_and_grow(struct hammer_worker *w)
{
	struct keys *keys = w->h->shared;
	unsigned int next = atomic_load(&keys->grown[w->id]);
	unsigned int number = next * w->h->workers + w->id;
	unsigned int what = hammer_below(w, 8);
	int err;

	if (what == 0)
		return store(w, IS_STABLE, hammer_below(w, STABLE), 0, &err);
	if (what <= 3)
		return take(w, hammer_below(w, PASSING), &err);
	if (what > 4 || number >= GROWING)
		return store(w, IS_PASSING, hammer_below(w, PASSING), 0, &err);
	if (!store(w, IS_GROWING, number, KMAP_CREATE, &err))
		return false;
	HAMMER_CHECK(w, !err, "growing-%u was there", number);
	atomic_store(&keys->grown[w->id], next + 1);
	return true;
}

static bool begin(struct hammer_worker *w)
{
	w->own = calloc(1, sizeof(struct seen));
	HAMMER_CHECK(w, w->own, "no memory");
	return true;
}

static bool prepare_stable(struct hammer_worker *w)
{
	unsigned int i;
	int err;

	for (i = w->id; i < STABLE; i += w->h->workers) {
		hammer_step(w);
		if (!store(w, IS_STABLE, i, KMAP_CREATE, &err))
			return false;
	}
	return begin(w);
}

static bool walk_in_change(struct hammer_worker *w)
{
	bool good = true;

	while (good && hammer_next(w))
		good = w->id % 2 ? change_and_grow(w) : walk_and_compare(w);
	return good;
}

/* One turn: count the left counter, then the right one, hand the token on. */
static bool turn(struct hammer_worker *w)
{
	struct keys *keys = w->h->shared;
	struct pair *pair = &keys->pair[w->id];
	__u64 number = atomic_load(&pair->done) + 1;
	char key[HAMMER_KEY_MAX];
	char name[16];
	int err;

	atomic_store(&pair->begun, number);
	err = kt_add(w->fd, key, hammer_key(key, "left", w->id), 1, 0, NULL, NULL);
	if (!err)
		err = kt_add(w->fd, key, hammer_key(key, "right", w->id), 1, 0,
			     NULL, NULL);
	HAMMER_CHECK(w, !err, "add: %s", strerror(-err));

	/* Token @number is in the map before the last one leaves it. */
	snprintf(name, sizeof(name), "token%u", w->id);
	err = kt_set(w->fd, key, hammer_key(key, name, number), NULL, 0,
		     KMAP_CREATE, NULL);
	HAMMER_CHECK(w, !err, "set: %s", strerror(-err));
	if (number > 1)
		err = kt_del(w->fd, key, hammer_key(key, name, number - 1), 0,
			     NULL);
	HAMMER_CHECK(w, !err, "delete: %s", strerror(-err));
	atomic_store(&pair->done, number);
	return true;
}

/* Is this the counter of that name, of some worker?  Notes its number. */
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

/* A key of a snapshot: a counter, a token, or one that is just there. */
static bool note_pair(struct hammer_worker *w, struct seen *seen,
		      const struct kt_item *item)
{
	char name[16];
	__s64 number;
	unsigned int i;

	if (!memcmp(item->key, "token", 5)) {
		i = atoi((const char *)item->key + 5);
		snprintf(name, sizeof(name), "token%u", i);
		number = hammer_key_number(item->key, item->key_len, name);
		HAMMER_CHECK(w, i < w->h->workers && number > 0,
			     "snapshot: a token that nobody stored: %.*s",
			     (int)item->key_len, (const char *)item->key);
		HAMMER_CHECK(w, !seen->tokens[i] ||
			     llabs((__s64)seen->token[i] - number) == 1,
			     "snapshot: token %lld next to token %llu of worker %u",
			     number, seen->token[i], i);
		seen->token[i] = number;
		seen->tokens[i]++;
		return true;
	}
	if (count_of(w, item, "left", seen->left) ||
	    count_of(w, item, "right", seen->right))
		return true;
	return note(w, seen, item);
}

static bool snapshot(struct hammer_worker *w)
{
	__u32 flags = KMAP_KEYS_ATOMIC;
	struct keys *keys = w->h->shared;
	struct seen *seen = w->own;
	unsigned int i;

	if (hammer_below(w, 4))
		flags |= KMAP_KEYS_VALUES;
	memset(seen->tokens, 0, sizeof(seen->tokens));
	for (i = 1; i < w->h->workers; i += 2)
		seen->done[i] = atomic_load(&keys->pair[i].done);
	if (!walk_once(w, flags, some_size(w), note_pair))
		return false;

	for (i = 0; i < STABLE; i++)
		HAMMER_CHECK(w, seen->times[IS_STABLE][i],
			     "snapshot: stable-%u did not come", i);
	for (i = 1; i < w->h->workers; i += 2) {
		__u64 begun = atomic_load(&keys->pair[i].begun);
		__s64 ahead = seen->left[i] - seen->right[i];

		HAMMER_CHECK(w, seen->tokens[i] == 1 || seen->tokens[i] == 2,
			     "snapshot: %u tokens of worker %u", seen->tokens[i], i);
		HAMMER_CHECK(w, seen->token[i] >= seen->done[i] &&
			     seen->token[i] <= begun,
			     "snapshot: token %llu of worker %u, at turns %llu to %llu",
			     seen->token[i], i, seen->done[i], begun);
		if (!(flags & KMAP_KEYS_VALUES))
			continue;
		HAMMER_CHECK(w, ahead == 0 || ahead == 1,
			     "snapshot: left is %lld and right is %lld of worker %u",
			     seen->left[i], seen->right[i], i);
		HAMMER_CHECK(w, (__u64)seen->right[i] >= seen->done[i] &&
			     (__u64)seen->left[i] <= begun,
			     "snapshot: left is %lld at turns %llu to %llu",
			     seen->left[i], seen->done[i], begun);
	}
	atomic_fetch_add(&keys->snapshots, 1);
	return true;
}

static bool prepare_turns(struct hammer_worker *w)
{
	return prepare_stable(w) && (w->id % 2 == 0 || turn(w));
}

static bool snapshots_in_change(struct hammer_worker *w)
{
	bool good = true;
	int err;

	while (good && hammer_next(w)) {
		if (w->id % 2 == 0) {
			good = snapshot(w);
			/* Writers wait for it: leave them some time. */
			usleep(1000);
		} else if (hammer_below(w, 4)) {
			good = turn(w);
		} else {
			good = store(w, IS_STABLE, hammer_below(w, STABLE), 0, &err);
		}
	}
	return good;
}

/* Another's clear may take the marks as well, but someone must. */
static bool clear_all(struct hammer_worker *w)
{
	struct keys *keys = w->h->shared;
	char key[HAMMER_KEY_MAX];
	__u64 removed = 0;
	unsigned int i;
	int err;

	for (i = w->id; i < MARKS; i += CLEARERS) {
		if (!store(w, IS_MARK, i, KMAP_CREATE, &err))
			return false;
		HAMMER_CHECK(w, !err, "mark-%u is there after a clear", i);
		atomic_fetch_add(&keys->created, 1);
	}
	err = kt_clear(w->fd, &removed);
	HAMMER_CHECK(w, !err, "clear: %s", strerror(-err));
	atomic_fetch_add(&keys->cleared, removed);
	for (i = w->id; i < MARKS; i += CLEARERS) {
		err = kt_get(w->fd, key, hammer_key(key, "mark", i), w->out,
			     w->max_value, NULL, NULL);
		HAMMER_CHECK(w, err == -ENOENT, "mark-%u after a clear: %d", i, err);
	}
	return true;
}

static bool clear_in_change(struct hammer_worker *w)
{
	struct keys *keys = w->h->shared;
	bool good = true;
	int err;

	while (good && hammer_next(w)) {
		unsigned int number = hammer_below(w, PASSING);

		if (w->id < CLEARERS) {
			good = clear_all(w);
			usleep(2000);
		} else if (w->id % 2 == 0) {
			good = walk_once(w, hammer_below(w, 2) ? KMAP_KEYS_VALUES : 0,
					 some_size(w), note);
			atomic_fetch_add(&keys->walks, 1);
		} else if (hammer_below(w, 4)) {
			good = store(w, IS_PASSING, number, KMAP_CREATE, &err);
			atomic_fetch_add(&keys->created, good && !err);
		} else {
			good = take(w, number, &err);
			atomic_fetch_add(&keys->removed, good && !err);
		}
	}
	return good;
}

FIXTURE(keys) {
	struct hammer *h;
	struct keys *keys;
	int fd;
};

FIXTURE_SETUP(keys)
{
	/* A table only grows, and here it shall: each case has a fresh one. */
	ASSERT_EQ(0, kt_reload("%s", ""));
	self->h = hammer_new();
	ASSERT_NE(NULL, self->h);
	self->keys = hammer_share(sizeof(*self->keys));
	ASSERT_NE(NULL, self->keys);
	self->h->shared = self->keys;
	self->fd = kt_open(O_RDWR);
	ASSERT_LE(0, self->fd);
}

FIXTURE_TEARDOWN(keys)
{
	close(self->fd);
	hammer_unshare(self->keys, sizeof(*self->keys));
	hammer_free(self->h);
}

TEST_F_TIMEOUT(keys, walks_keep_their_promise, hammer_timeout())
{
	struct kmap_info before, after;

	ASSERT_EQ(0, kt_info(self->fd, &before));
	self->h->prepare = prepare_stable;
	self->h->work = walk_in_change;
	ASSERT_TRUE(hammer_run(self->h));
	ASSERT_EQ(0, kt_info(self->fd, &after));
	TH_LOG("%lu walks, %llu entries, %llu buckets before and %llu after",
	       self->keys->walks, after.entries, before.buckets, after.buckets);
	EXPECT_LT(0, self->keys->walks);
	EXPECT_LT(before.buckets, after.buckets);
}

TEST_F_TIMEOUT(keys, snapshots_show_one_moment, hammer_timeout())
{
	self->h->seconds /= 2;
	self->h->prepare = prepare_turns;
	self->h->work = snapshots_in_change;
	ASSERT_TRUE(hammer_run(self->h));
	TH_LOG("%lu snapshots", self->keys->snapshots);
	EXPECT_LT(0, self->keys->snapshots);
}

TEST_F_TIMEOUT(keys, clear_takes_every_key_once, hammer_timeout())
{
	struct keys *keys = self->keys;
	__s64 left;

	self->h->seconds /= 2;
	self->h->prepare = begin;
	self->h->work = clear_in_change;
	ASSERT_TRUE(hammer_run(self->h));
	left = kt_walk_count(self->fd);
	TH_LOG("%lu walks, %llu created, %llu deleted, %llu cleared, %lld left",
	       keys->walks, keys->created, keys->removed, keys->cleared, left);
	EXPECT_LT(0, keys->walks);
	EXPECT_LT(0, keys->cleared);
	ASSERT_LE(0, left);
	EXPECT_EQ(keys->created, keys->removed + keys->cleared + left);
	EXPECT_EQ(left, kt_entries(self->fd));
}

TEST_HARNESS_MAIN
