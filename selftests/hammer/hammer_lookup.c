// SPDX-License-Identifier: GPL-2.0
/*
 * Lookups that race with changes in the same place.
 *
 * A reader without a lock may find a bucket whose entries are being moved, or a
 * value whose memory is about to be used again.  To make that frequent, changes
 * and lookups are sent in batches that are prepared beforehand: half of the
 * workers send the same changes again and again, the others look keys up.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "hammer.h"
#include "kselftest_harness.h"

#define KEPT		160	/* keys that stay */
#define PASSING		160	/* keys that come and go beside them */
#define GROWTH		8192	/* keys that come and stay */
#define BATCH		64
#define BIG		2	/* keys with big values */
#define COPIES		8	/* values that a writer has prepared per key */
#define BIG_LENGTH	32768

struct lookup {
	atomic_ulong looks;
	atomic_ulong changes;
	atomic_ulong stored;	/* workers that stored all their keys */
	atomic_ulong grown;	/* all workers have */
};

static bool looker(struct hammer_worker *w)
{
	return w->id % 2 == 0;
}

static bool send(struct hammer_worker *w, struct kmap_op *ops, __u32 count)
{
	struct lookup *lookup = w->h->shared;
	__u32 done = 0;
	int ret = kt_batch(w->fd, ops, count, &done);

	HAMMER_CHECK(w, !ret && done == count, "batch: %d after %u of %u", ret,
		     done, count);
	atomic_fetch_add(looker(w) ? &lookup->looks : &lookup->changes, count);
	return true;
}

/* Looks for keys that stay, for length and version alone, which is fastest. */
static bool look_for_kept(struct hammer_worker *w, struct kmap_op *ops,
			  char (*keys)[HAMMER_KEY_MAX])
{
	unsigned int i;

	for (i = 0; i < BATCH; i++) {
		size_t len = hammer_key(keys[i], "kept", hammer_below(w, KEPT));

		kt_op_get(&ops[i], keys[i], len, NULL, 0);
	}
	if (!send(w, ops, BATCH))
		return false;
	for (i = 0; i < BATCH; i++)
		HAMMER_CHECK(w, ops[i].error == -EMSGSIZE && ops[i].out_len == 1,
			     "key %s was there all the time: get: %d, %u bytes",
			     keys[i], ops[i].error, ops[i].out_len);
	return true;
}

/* Creates and removes keys, each worker its own. */
static bool come_and_go(struct hammer_worker *w, struct kmap_op *ops,
			char (*keys)[HAMMER_KEY_MAX])
{
	unsigned int mine = PASSING / w->h->workers;
	unsigned int i;

	for (i = 0; i < BATCH; i++) {
		unsigned int number = w->id * mine + i / 2 % mine;
		size_t len = hammer_key(keys[i], "passing", number);

		if (i % 2)
			kt_op_del(&ops[i], keys[i], len, 0);
		else
			kt_op_set(&ops[i], keys[i], len, "p", 1, KMAP_CREATE);
	}
	if (!send(w, ops, BATCH))
		return false;
	for (i = 0; i < BATCH; i++)
		HAMMER_CHECK(w, !ops[i].error, "key %s: opcode %u: %d", keys[i],
			     ops[i].opcode, ops[i].error);
	return true;
}

/* Makes the table grow around the keys that stay. */
static bool grow(struct hammer_worker *w, struct kmap_op *ops,
		 char (*keys)[HAMMER_KEY_MAX], unsigned int most,
		 unsigned int *next)
{
	struct lookup *lookup = w->h->shared;
	unsigned int i;

	for (i = 0; i < BATCH; i++) {
		unsigned int number = (*next)++ * w->h->workers + w->id;
		size_t len = hammer_key(keys[i], "growth", number);

		kt_op_set(&ops[i], keys[i], len, "g", 1, 0);
	}
	if (!send(w, ops, BATCH))
		return false;
	for (i = 0; i < BATCH; i++)
		HAMMER_CHECK(w, !ops[i].error, "key %s: set: %d", keys[i],
			     ops[i].error);
	/* Every other worker is a looker. */
	if (*next >= most &&
	    atomic_fetch_add(&lookup->stored, 1) + 1 == w->h->workers / 2)
		atomic_store(&lookup->grown, 1);
	return true;
}

static bool prepare_kept(struct hammer_worker *w)
{
	char key[HAMMER_KEY_MAX];
	unsigned int i;
	int ret;

	for (i = w->id; i < KEPT; i += w->h->workers) {
		hammer_step(w);
		ret = kt_set(w->fd, key, hammer_key(key, "kept", i), "k", 1,
			     KMAP_CREATE, NULL);
		HAMMER_CHECK(w, !ret, "key %s: set: %d", key, ret);
	}
	return true;
}

static bool look_beside_changes(struct hammer_worker *w)
{
	char keys[BATCH][HAMMER_KEY_MAX];
	struct kmap_op ops[BATCH];
	bool good = true;

	while (good && hammer_next(w))
		good = looker(w) ? look_for_kept(w, ops, keys) :
				   come_and_go(w, ops, keys);
	return good;
}

static bool look_beside_growth(struct hammer_worker *w)
{
	unsigned int most = GROWTH / w->h->workers;
	char keys[BATCH][HAMMER_KEY_MAX];
	struct kmap_op ops[BATCH];
	unsigned int next = 0;
	bool good = true;

	while (good && hammer_next(w)) {
		if (looker(w))
			good = look_for_kept(w, ops, keys);
		else if (next < most)
			good = grow(w, ops, keys, most, &next);
		else
			good = come_and_go(w, ops, keys);
	}
	return good;
}

static size_t big_key(char key[HAMMER_KEY_MAX], unsigned int number)
{
	return hammer_key(key, "big", number);
}

/* All have one size, so that memory is soon used again. */
static size_t big_length(struct hammer_worker *w)
{
	return w->max_value > BIG_LENGTH ? BIG_LENGTH : w->max_value & ~7ul;
}

/*
 * A big value is one word, repeated, that names its key.  To check that is faster
 * than to replace the value, so a reader can see one that is torn.
 */
static bool look_at_big(struct hammer_worker *w)
{
	struct lookup *lookup = w->h->shared;
	unsigned int number = hammer_below(w, BIG);
	char key[HAMMER_KEY_MAX];
	size_t key_len = big_key(key, number);
	__u64 word;
	size_t len;
	int ret;

	ret = kt_get(w->fd, key, key_len, w->out, w->max_value, &len, NULL);
	HAMMER_CHECK(w, !ret && len == big_length(w), "key %s: get: %d, %zu bytes",
		     key, ret, len);
	memcpy(&word, w->out, sizeof(word));
	HAMMER_CHECK(w, word % BIG == number, "key %s: the value is another's", key);
	HAMMER_CHECK(w, !memcmp(w->out, w->out + 8, len - 8),
		     "key %s: the value is torn", key);
	atomic_fetch_add(&lookup->looks, 1);
	return true;
}

/* Replaces the value of one key several times, by the values prepared. */
static bool replace_big(struct hammer_worker *w, unsigned int number)
{
	const __u8 *values = (__u8 *)w->own + number * COPIES * w->max_value;
	char key[HAMMER_KEY_MAX];
	size_t key_len = big_key(key, number);
	struct kmap_op ops[COPIES];
	unsigned int i;

	for (i = 0; i < COPIES; i++)
		kt_op_set(&ops[i], key, key_len, values + i * w->max_value,
			  big_length(w), 0);
	if (!send(w, ops, COPIES))
		return false;
	for (i = 0; i < COPIES; i++)
		HAMMER_CHECK(w, !ops[i].error, "key %s: set: %d", key,
			     ops[i].error);
	return true;
}

static bool prepare_big(struct hammer_worker *w)
{
	unsigned int i;
	size_t at;

	if (looker(w))
		return true;
	w->own = malloc(BIG * COPIES * w->max_value);
	HAMMER_CHECK(w, w->own, "no memory");
	for (i = 0; i < BIG * COPIES; i++) {
		__u64 word = kt_random(&w->random) / BIG * BIG + i / COPIES;

		for (at = 0; at < big_length(w); at += sizeof(word))
			memcpy((__u8 *)w->own + i * w->max_value + at, &word,
			       sizeof(word));
	}
	for (i = 0; i < BIG; i++) {
		if (!replace_big(w, i))
			return false;
	}
	return true;
}

static bool look_at_replaced(struct hammer_worker *w)
{
	bool good = true;

	while (good && hammer_next(w))
		good = looker(w) ? look_at_big(w) :
				   replace_big(w, hammer_below(w, BIG));
	return good;
}

FIXTURE(lookup) {
	struct hammer *h;
	struct lookup *lookup;
	int fd;
};

FIXTURE_SETUP(lookup)
{
	/* The fewer buckets there are, the more keys share one. */
	ASSERT_EQ(0, hammer_reload());
	self->h = hammer_new();
	ASSERT_NE(NULL, self->h);
	self->lookup = hammer_share(sizeof(*self->lookup));
	ASSERT_NE(NULL, self->lookup);
	self->h->shared = self->lookup;
	self->h->seconds /= 2;
	self->h->goals[0] = &self->lookup->looks;
	self->h->goals[1] = &self->lookup->changes;
	self->fd = kt_open(O_RDWR);
	ASSERT_LE(0, self->fd);
}

FIXTURE_TEARDOWN(lookup)
{
	close(self->fd);
	hammer_unshare(self->lookup, sizeof(*self->lookup));
	hammer_free(self->h);
}

#define RUN() do {							\
	ASSERT_TRUE(hammer_run(self->h));				\
	TH_LOG("%lu lookups, %lu changes", self->lookup->looks,		\
	       self->lookup->changes);					\
	EXPECT_LT(0, self->lookup->looks);				\
	EXPECT_LT(0, self->lookup->changes);				\
} while (0)

TEST_F_TIMEOUT(lookup, keys_stay_while_neighbours_change, hammer_timeout())
{
	self->h->prepare = prepare_kept;
	self->h->work = look_beside_changes;
	RUN();
}

TEST_F_TIMEOUT(lookup, keys_stay_while_the_table_grows, hammer_timeout())
{
	struct kmap_info before, after;

	ASSERT_EQ(0, kt_info(self->fd, &before));
	self->h->goals[1] = &self->lookup->grown;
	self->h->prepare = prepare_kept;
	self->h->work = look_beside_growth;
	RUN();
	ASSERT_EQ(0, kt_info(self->fd, &after));
	EXPECT_LT(before.buckets, after.buckets);
}

TEST_F_TIMEOUT(lookup, values_stay_whole_while_replaced, hammer_timeout())
{
	self->h->prepare = prepare_big;
	self->h->work = look_at_replaced;
	RUN();
}

TEST_HARNESS_MAIN
