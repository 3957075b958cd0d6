// SPDX-License-Identifier: GPL-2.0
/*
 * Versioned updates: read, compute, write if the version is still the same.
 *
 * Such an update must never replace a value other than the one read.  Values
 * count how often they were updated, so a lost update shows as a count that is
 * too low; a version is deleted only once; and no version returns after a delete,
 * so a value that was removed and stored again is not mistaken for the one before.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "hammer.h"
#include "kselftest_harness.h"

#define KEYS		4
#define UPDATES_MAX	(1u << 20)	/* of one key */
#define VALUE_MAX	4096
#define VERSIONS	(1u << 20)	/* places for versions returned */
#define STALE		8

/**
 * struct target - one key
 * @done: updates done
 * @made: values created under the key
 * @gone: values deleted from it
 * @version: of each count
 */
struct target {
	_Atomic __u64 done;
	_Atomic __u64 made;
	_Atomic __u64 gone;
	_Atomic __u64 version[UPDATES_MAX + 1];
};

struct match {
	atomic_ulong tries;
	atomic_ulong stale;
	atomic_ulong changes;
	atomic_ulong used;
	struct target target[KEYS];
	_Atomic __u64 versions[KEYS][VERSIONS];
};

static size_t target_key(char key[HAMMER_KEY_MAX], unsigned int number)
{
	return hammer_key(key, "target", number);
}

static size_t some_length(struct hammer_worker *w)
{
	return 16 + hammer_below(w, VALUE_MAX - 16 + 1);
}

/* Notes a version that a change returned: no other change may have returned it. */
static bool unique(struct hammer_worker *w, unsigned int number, __u64 version)
{
	struct match *match = w->h->shared;
	unsigned int i = kt_hash(&version, sizeof(version), number) % VERSIONS;
	__u64 other;

	HAMMER_CHECK(w, version, "target %u: version 0", number);
	/* The table never fills up: the run ends when it is half full. */
	if (atomic_fetch_add(&match->used, 1) == VERSIONS / 2)
		atomic_store(&w->h->stop, true);
	for (;; i = (i + 1) % VERSIONS) {
		other = 0;
		if (atomic_compare_exchange_strong(&match->versions[number][i],
						   &other, version))
			return true;
		HAMMER_CHECK(w, other != version,
			     "target %u: version %llu was handed out twice",
			     number, version);
	}
}

/* Checks a value in the buffer, and gets how often its key was updated. */
static bool is_count(struct hammer_worker *w, unsigned int number, size_t len,
		     __u64 *count)
{
	char key[HAMMER_KEY_MAX];
	size_t key_len = target_key(key, number);

	HAMMER_CHECK(w, len >= 16 && len <= w->max_value &&
		     kt_value_check(w->out, len, key, key_len, count),
		     "target %u: a value of %zd bytes is torn or another's",
		     number, (ssize_t)len);
	return true;
}

static bool fetch(struct hammer_worker *w, unsigned int number, __u64 *count,
		  __u64 *version)
{
	char key[HAMMER_KEY_MAX];
	size_t len;
	int ret;

	ret = kt_get(w->fd, key, target_key(key, number), w->out, w->max_value,
		     &len, version);
	HAMMER_CHECK(w, !ret, "target %u: get: %s", number, strerror(-ret));
	return is_count(w, number, len, count);
}

/* Stores the next count by version, and repeats that until it succeeds. */
static bool update(struct hammer_worker *w, unsigned int number)
{
	struct match *match = w->h->shared;
	struct target *target = &match->target[number];
	char key[HAMMER_KEY_MAX];
	size_t key_len = target_key(key, number);
	__u64 count, version, known;
	size_t len, out_len;
	int ret;

	if (!fetch(w, number, &count, &version))
		return false;
	for (;;) {
		if (count >= UPDATES_MAX) {
			atomic_store(&w->h->stop, true);
			return true;
		}
		atomic_fetch_add(&match->tries, 1);
		len = some_length(w);
		kt_value_fill(w->in, len, key, key_len, count + 1);
		if (w->id & 1) {
			ret = kt_set(w->fd, key, key_len, w->in, len,
				     KMAP_MATCH, &version);
		} else {
			ret = kt_swap(w->fd, key, key_len, w->in, len,
				      KMAP_MATCH, &version, w->out,
				      w->max_value, &out_len);
			if (!is_count(w, number, out_len, &known))
				return false;
			HAMMER_CHECK(w, ret || known == count,
				     "target %u: count %llu was replaced on the version of count %llu",
				     number, known, count);
		}
		if (!ret)
			break;
		HAMMER_CHECK(w, ret == -ESTALE, "target %u: set: %s", number,
			     strerror(-ret));
		atomic_fetch_add(&match->stale, 1);
		hammer_step(w);
		/* Half of the workers learn what is there from the failure. */
		if (!(w->id & 1))
			count = known;
		else if (!fetch(w, number, &count, &version))
			return false;
	}
	atomic_fetch_add(&target->done, 1);
	atomic_fetch_add(&match->changes, 1);
	known = 0;
	HAMMER_CHECK(w, atomic_compare_exchange_strong(&target->version[count + 1],
						       &known, version),
		     "target %u: count %llu was stored twice, as version %llu and version %llu",
		     number, count + 1, known, version);
	return true;
}

static bool update_all(struct hammer_worker *w)
{
	while (hammer_next(w)) {
		if (!update(w, hammer_below(w, KEYS)))
			return false;
	}
	return true;
}

/*
 * Creates a key that is absent, or deletes it by version.  Every value has the
 * same bytes, so only the version tells them apart.
 */
static bool make_or_break(struct hammer_worker *w, unsigned int number)
{
	struct match *match = w->h->shared;
	struct target *target = &match->target[number];
	char key[HAMMER_KEY_MAX];
	size_t key_len = target_key(key, number);
	__u64 version, found;
	size_t len;
	int ret;

	ret = kt_get(w->fd, key, key_len, w->out, w->max_value, &len, &version);
	if (ret == -ENOENT) {
		ret = kt_set(w->fd, key, key_len, "same", 4, KMAP_CREATE, &version);
		HAMMER_CHECK(w, !ret || ret == -EEXIST, "target %u: create: %s",
			     number, strerror(-ret));
		if (!ret) {
			atomic_fetch_add(&target->made, 1);
			return unique(w, number, version);
		}
	} else {
		HAMMER_CHECK(w, !ret, "target %u: get: %s", number, strerror(-ret));
	}

	atomic_fetch_add(&match->tries, 1);
	found = version;
	if (hammer_below(w, 2))
		ret = kt_del(w->fd, key, key_len, KMAP_MATCH, &found);
	else
		ret = kt_take(w->fd, key, key_len, KMAP_MATCH, &found, w->out,
			      w->max_value, &len);
	HAMMER_CHECK(w, !ret || ret == -ENOENT || ret == -ESTALE,
		     "target %u: delete: %s", number, strerror(-ret));
	if (ret) {
		atomic_fetch_add(&match->stale, 1);
		return true;
	}
	HAMMER_CHECK(w, found == version,
		     "target %u: deleted version %llu instead of %llu", number,
		     found, version);
	atomic_fetch_add(&match->changes, 1);
	/* Versions that were deleted more than once make this count too high. */
	found = atomic_fetch_add(&target->gone, 1) + 1;
	HAMMER_CHECK(w, found <= atomic_load(&target->made) + w->h->workers,
		     "target %u: %llu values deleted, too many", number, found);
	return true;
}

static bool make_and_break(struct hammer_worker *w)
{
	while (hammer_next(w)) {
		if (!make_or_break(w, hammer_below(w, KEYS)))
			return false;
	}
	return true;
}

static bool store_same(struct hammer_worker *w, unsigned int number,
		       __u64 *version)
{
	char key[HAMMER_KEY_MAX];
	size_t key_len = target_key(key, number);
	__u64 stored;
	int ret;

	ret = kt_set(w->fd, key, key_len, "same", 4, 0, &stored);
	HAMMER_CHECK(w, !ret, "target %u: set: %s", number, strerror(-ret));
	if (version)
		*version = stored;
	return unique(w, number, stored);
}

/*
 * Remembers versions that this worker knows to be gone, and tries to update and
 * delete by them, while all workers remove and store the same bytes again.
 */
static bool use_old_versions(struct hammer_worker *w)
{
	struct match *match = w->h->shared;
	unsigned int number = w->id % KEYS;
	char key[HAMMER_KEY_MAX];
	size_t key_len = target_key(key, number);
	__u64 old[STALE] = { 0 };
	unsigned int made = 0;
	__u64 version;
	int ret;

	while (hammer_next(w)) {
		if (!store_same(w, number, &version))
			return false;
		ret = kt_del(w->fd, key, key_len, 0, NULL);
		HAMMER_CHECK(w, !ret || ret == -ENOENT, "target %u: delete: %s",
			     number, strerror(-ret));
		/* This worker or another has deleted what this worker stored. */
		old[made++ % STALE] = version;
		if (hammer_below(w, 4) && !store_same(w, number, NULL))
			return false;

		version = old[hammer_below(w, made < STALE ? made : STALE)];
		atomic_fetch_add(&match->tries, 1);
		if (hammer_below(w, 2))
			ret = kt_set(w->fd, key, key_len, "same", 4, KMAP_MATCH,
				     &version);
		else
			ret = kt_del(w->fd, key, key_len, KMAP_MATCH, &version);
		HAMMER_CHECK(w, ret == -ENOENT || ret == -ESTALE,
			     "target %u: a version that was deleted matched: %d",
			     number, ret);
		if (ret == -ESTALE)
			atomic_fetch_add(&match->stale, 1);
	}
	return true;
}

FIXTURE(match) {
	struct hammer *h;
	struct match *match;
	int fd;
};

FIXTURE_SETUP(match)
{
	self->h = hammer_new();
	ASSERT_NE(NULL, self->h);
	self->match = hammer_share(sizeof(*self->match));
	ASSERT_NE(NULL, self->match);
	self->h->shared = self->match;
	self->h->seconds /= 2;
	self->fd = kt_open(O_RDWR);
	ASSERT_LE(0, self->fd);
}

FIXTURE_TEARDOWN(match)
{
	close(self->fd);
	hammer_unshare(self->match, sizeof(*self->match));
	hammer_free(self->h);
}

TEST_F_TIMEOUT(match, updates_are_not_lost, hammer_timeout())
{
	struct target *target;
	char key[HAMMER_KEY_MAX];
	__u8 value[VALUE_MAX];
	__u64 count, wrong, i;
	size_t key_len, len;
	int number;

	for (number = 0; number < KEYS; number++) {
		key_len = target_key(key, number);
		kt_value_fill(value, 16, key, key_len, 0);
		ASSERT_EQ(0, kt_set(self->fd, key, key_len, value, 16, 0, NULL));
	}
	self->h->goals[0] = &self->match->changes;
	self->h->work = update_all;
	ASSERT_TRUE(hammer_run(self->h));
	EXPECT_LT(0, self->match->changes);
	TH_LOG("%lu tries, %lu of them stale", self->match->tries,
	       self->match->stale);

	for (number = 0; number < KEYS; number++) {
		target = &self->match->target[number];
		key_len = target_key(key, number);
		ASSERT_EQ(0, kt_get(self->fd, key, key_len, value, sizeof(value),
				    &len, NULL));
		ASSERT_TRUE(kt_value_check(value, len, key, key_len, &count));
		ASSERT_EQ(target->done, count);
		/* There is one version per count, and both grow together. */
		for (wrong = 0, i = 1; i <= count; i++)
			wrong += target->version[i] <= target->version[i - 1];
		EXPECT_EQ(0, wrong);
	}
}

TEST_F_TIMEOUT(match, a_version_is_deleted_once, hammer_timeout())
{
	char key[HAMMER_KEY_MAX];
	struct target *target;
	size_t key_len;
	int number;

	self->h->goals[0] = &self->match->changes;
	self->h->work = make_and_break;
	ASSERT_TRUE(hammer_run(self->h));
	EXPECT_LT(0, self->match->changes);
	TH_LOG("%lu tries, %lu of them too late", self->match->tries,
	       self->match->stale);
	for (number = 0; number < KEYS; number++) {
		__u64 left;
		int ret;

		target = &self->match->target[number];
		key_len = target_key(key, number);
		ret = kt_get(self->fd, key, key_len, NULL, 0, NULL, NULL);
		ASSERT_TRUE(ret == -EMSGSIZE || ret == -ENOENT);
		left = ret == -EMSGSIZE;
		EXPECT_EQ(target->made, target->gone + left);
	}
}

TEST_F_TIMEOUT(match, old_versions_stay_old, hammer_timeout())
{
	self->h->goals[0] = &self->match->stale;
	self->h->work = use_old_versions;
	ASSERT_TRUE(hammer_run(self->h));
	TH_LOG("%lu tries, %lu of them found another version",
	       self->match->tries, self->match->stale);
	EXPECT_LT(0, self->match->stale);
}

TEST_HARNESS_MAIN
