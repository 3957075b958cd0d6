// SPDX-License-Identifier: GPL-2.0
/*
 * Walks over the keys while others change the map.
 *
 * Half of the workers, those with even numbers, walk with buffers of one record
 * up to far more than the map, and the others insert, delete, overwrite, make the
 * table grow or clear it.  A walk returns a key that is there all the time exactly
 * once, no key twice, and every value whole.
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
#define MARKS		128	/* keys that a clear must remove */
#define CLEARERS	2
#define GROWING		16384	/* keys that come and stay */
#define SHORT_MAX	1024	/* of most values, so that walks do not only copy */

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

/**
 * struct keys - what the workers share
 * @created: keys created, in the case that counts them
 * @removed: keys removed by a delete
 * @cleared: keys removed by a clear
 * @buckets: buckets before the walks
 * @walks: walks done
 * @clears: clears done
 * @growths: not 0 when the table has grown, or all growing keys are stored
 * @grown: growing keys per worker: worker i makes numbers i, i + workers...
 */
struct keys {
	_Atomic __u64 created;
	_Atomic __u64 removed;
	_Atomic __u64 cleared;
	_Atomic __u64 buckets;
	atomic_ulong walks;
	atomic_ulong clears;
	atomic_ulong growths;
	atomic_uint grown[HAMMER_WORKERS];
};

/* What one walk has returned, and versions from the walk before. */
struct seen {
	__u8 times[KINDS][GROWING];
	unsigned int grown[HAMMER_WORKERS];
	__u64 version[STABLE];
};

static bool store(struct hammer_worker *w, enum kind kind, unsigned int number,
		  unsigned int flags, int *ret)
{
	char key[HAMMER_KEY_MAX];
	size_t key_len = hammer_key(key, kinds[kind].name, number);
	size_t max = hammer_below(w, 32) ? SHORT_MAX : w->max_value;
	size_t len = hammer_length(kt_random(&w->random), max);

	kt_value_fill(w->in, len, key, key_len, kt_random(&w->random));
	*ret = kt_set(w->fd, key, key_len, w->in, len, flags, NULL);
	HAMMER_CHECK(w, !*ret || (flags && *ret == -EEXIST), "key %s: set: %d",
		     key, *ret);
	return true;
}

static bool take(struct hammer_worker *w, unsigned int number, int *ret)
{
	char key[HAMMER_KEY_MAX];
	size_t key_len = hammer_key(key, kinds[IS_PASSING].name, number);

	*ret = kt_del(w->fd, key, key_len, 0, NULL);
	HAMMER_CHECK(w, !*ret || *ret == -ENOENT, "key %s: delete: %d", key, *ret);
	return true;
}

/* Counts a key that a walk has returned, and checks its value. */
static bool note(struct hammer_worker *w, struct seen *seen,
		 const struct kt_item *item)
{
	const char *key = item->key;
	int len = item->key_len;
	enum kind kind;
	__s64 number = -1;
	bool whole;

	for (kind = 0; kind < KINDS && number < 0; kind++)
		number = hammer_key_number(key, len, kinds[kind].name);
	kind--;
	HAMMER_CHECK(w, number >= 0 && number < kinds[kind].keys,
		     "walk: a key that nobody stored: %.*s", len, key);
	HAMMER_CHECK(w, !seen->times[kind][number]++, "walk: %.*s came twice",
		     len, key);
	whole = !item->value ||
		kt_value_check(item->value, item->value_len, key, len, NULL);
	HAMMER_CHECK(w, whole, "walk: %.*s: a value of %u bytes is torn or another's",
		     len, key, item->value_len);
	if (kind == IS_STABLE) {
		HAMMER_CHECK(w, item->version && item->version >= seen->version[number],
			     "walk: %.*s: version %llu after version %llu",
			     len, key, item->version, seen->version[number]);
		seen->version[number] = item->version;
	}
	return true;
}

/* One walk, with a buffer that may be small; the buffer grows if it must. */
static bool walk_once(struct hammer_worker *w)
{
	static const size_t sizes[4] = { 48, 700, 16384, 1 << 20 };
	struct seen *seen = w->own;
	struct kt_walk walk;
	struct kt_item item;
	bool good = true;
	int ret;

	memset(seen->times, 0, sizeof(seen->times));
	ret = kt_walk_begin(&walk, w->fd,
			    hammer_below(w, 2) ? KMAP_KEYS_VALUES : 0,
			    sizes[hammer_below(w, 4)]);
	HAMMER_CHECK(w, !ret, "no memory");
	while (good && (ret = kt_walk_next(&walk, &item)) > 0)
		good = note(w, seen, &item);
	kt_walk_end(&walk);
	HAMMER_CHECK(w, ret >= 0, "walk: %s", strerror(-ret));
	hammer_step(w);
	return good;
}

/* A walk that must return every key that was there before it began. */
static bool walk_and_compare(struct hammer_worker *w)
{
	struct keys *keys = w->h->shared;
	struct seen *seen = w->own;
	unsigned int i, j;

	for (i = 0; i < w->h->workers; i++)
		seen->grown[i] = atomic_load(&keys->grown[i]);
	if (!walk_once(w))
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

/* Stores one more of the worker's growing keys. */
static bool grow(struct hammer_worker *w, unsigned int number)
{
	struct keys *keys = w->h->shared;
	struct kmap_info info;
	int ret;

	if (!store(w, IS_GROWING, number, KMAP_CREATE, &ret))
		return false;
	HAMMER_CHECK(w, !ret, "growing-%u was there", number);
	atomic_fetch_add(&keys->grown[w->id], 1);
	if (!atomic_load(&keys->growths)) {
		ret = kt_info(w->fd, &info);
		HAMMER_CHECK(w, !ret, "info: %d", ret);
		atomic_fetch_add(&keys->growths, info.buckets > keys->buckets);
	}
	return true;
}

static bool change_and_grow(struct hammer_worker *w)
{
	struct keys *keys = w->h->shared;
	unsigned int number = atomic_load(&keys->grown[w->id]) * w->h->workers + w->id;
	unsigned int what = hammer_below(w, 8);
	int ret;

	if (what == 0)
		return store(w, IS_STABLE, hammer_below(w, STABLE), 0, &ret);
	if (what <= 3)
		return take(w, hammer_below(w, PASSING), &ret);
	if (number >= GROWING)
		atomic_store(&keys->growths, 1);
	if (what > 4 || number >= GROWING)
		return store(w, IS_PASSING, hammer_below(w, PASSING), 0, &ret);
	return grow(w, number);
}

static bool begin(struct hammer_worker *w)
{
	w->own = calloc(1, sizeof(struct seen));
	HAMMER_CHECK(w, w->own, "no memory");
	return true;
}

/* Stores keys until the table grows, so that it grows further during the walks. */
static bool prepare_walks(struct hammer_worker *w)
{
	struct keys *keys = w->h->shared;
	unsigned int i;
	int ret;

	for (i = w->id; i < STABLE; i += w->h->workers) {
		hammer_step(w);
		if (!store(w, IS_STABLE, i, KMAP_CREATE, &ret))
			return false;
	}
	for (i = w->id; i < GROWING / 2 && !atomic_load(&keys->growths);
	     i += w->h->workers) {
		hammer_step(w);
		if (!grow(w, i))
			return false;
	}
	return begin(w);
}

static bool walk_in_change(struct hammer_worker *w)
{
	struct keys *keys = w->h->shared;
	struct kmap_info info;
	bool good = true;

	/* From here on growth counts, because it is beside walks. */
	if (w->id == 0) {
		HAMMER_CHECK(w, !kt_info(w->fd, &info), "no info");
		atomic_store(&keys->buckets, info.buckets);
		atomic_store(&keys->growths, 0);
	}

	while (good && hammer_next(w))
		good = w->id % 2 ? change_and_grow(w) : walk_and_compare(w);
	return good;
}

/* Another worker's clear may remove the marks, too, but they must be gone. */
static bool clear_all(struct hammer_worker *w)
{
	struct keys *keys = w->h->shared;
	char key[HAMMER_KEY_MAX];
	__u64 removed = 0;
	unsigned int i;
	int ret;

	for (i = w->id; i < MARKS; i += CLEARERS) {
		if (!store(w, IS_MARK, i, KMAP_CREATE, &ret))
			return false;
		HAMMER_CHECK(w, !ret, "mark-%u is there after a clear", i);
		atomic_fetch_add(&keys->created, 1);
	}
	ret = kt_clear(w->fd, &removed);
	HAMMER_CHECK(w, !ret, "clear: %s", strerror(-ret));
	atomic_fetch_add(&keys->cleared, removed);
	atomic_fetch_add(&keys->clears, 1);
	for (i = w->id; i < MARKS; i += CLEARERS) {
		ret = kt_get(w->fd, key, hammer_key(key, "mark", i), w->out,
			     w->max_value, NULL, NULL);
		HAMMER_CHECK(w, ret == -ENOENT, "mark-%u after a clear: %d", i, ret);
	}
	return true;
}

static bool clear_in_change(struct hammer_worker *w)
{
	struct keys *keys = w->h->shared;
	bool good = true;
	int ret;

	while (good && hammer_next(w)) {
		unsigned int number = hammer_below(w, PASSING);

		if (w->id < CLEARERS) {
			good = clear_all(w);
			usleep(2000);
		} else if (w->id % 2 == 0) {
			good = walk_once(w);
			atomic_fetch_add(&keys->walks, 1);
		} else if (hammer_below(w, 4)) {
			good = store(w, IS_PASSING, number, KMAP_CREATE, &ret);
			atomic_fetch_add(&keys->created, good && !ret);
		} else {
			good = take(w, number, &ret);
			atomic_fetch_add(&keys->removed, good && !ret);
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
	/* The table is to grow, so each case needs a new one. */
	ASSERT_EQ(0, hammer_reload());
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
	struct keys *keys = self->keys;
	struct kmap_info info;

	ASSERT_EQ(0, kt_info(self->fd, &info));
	keys->buckets = info.buckets;
	self->h->goals[0] = &keys->walks;
	self->h->goals[1] = &keys->growths;
	self->h->prepare = prepare_walks;
	self->h->work = walk_in_change;
	ASSERT_TRUE(hammer_run(self->h));
	ASSERT_EQ(0, kt_info(self->fd, &info));
	TH_LOG("%lu walks, %llu entries, %llu buckets before and %llu after",
	       keys->walks, info.entries, keys->buckets, info.buckets);
	EXPECT_LT(0, keys->walks);
	EXPECT_LT(keys->buckets, info.buckets);
}

TEST_F_TIMEOUT(keys, clear_takes_every_key_once, hammer_timeout())
{
	struct keys *keys = self->keys;
	__s64 left;

	self->h->seconds /= 2;
	self->h->goals[0] = &keys->walks;
	self->h->goals[1] = &keys->clears;
	self->h->prepare = begin;
	self->h->work = clear_in_change;
	ASSERT_TRUE(hammer_run(self->h));
	left = kt_walk_count(self->fd);
	TH_LOG("%lu walks, %llu created, %llu deleted, %llu cleared, %lld left",
	       keys->walks, keys->created, keys->removed, keys->cleared, left);
	EXPECT_LT(0, keys->walks);
	EXPECT_LT(0, keys->clears);
	ASSERT_LE(0, left);
	EXPECT_EQ(keys->created, keys->removed + keys->cleared + left);
	EXPECT_EQ(left, kt_entries(self->fd));
}

TEST_HARNESS_MAIN
