// SPDX-License-Identifier: GPL-2.0
/*
 * Reads and writes from all workers at once, in several mixes, on few hot keys
 * and on many.
 *
 * Half of the changes go to scripted keys.  Each is owned by one worker, which
 * records in shared memory which operation it has begun and which one it has done.
 * So a reader knows which states it may find: those from the operation that was
 * done before the read to the one that was begun when the read returned.
 * Anything else is torn, another key's, stale or lost.
 *
 * The other half goes to common keys, which all workers write, and where each
 * value has its own id.  For both kinds, the versions that a worker sees must only
 * grow, and all workers must see the same value for one version of a key.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "hammer_model.h"
#include "kselftest_harness.h"

#define OWNED_MAX	1024
#define COMMON_MAX	128
#define BATCH		4

/**
 * struct owned - an owned key
 * @begun: number of the last operation begun
 * @done: number of the last operation done
 * @version: version after @done; only the owner uses it
 */
struct owned {
	_Atomic __u64 begun;
	_Atomic __u64 done;
	__u64 version;
};

/**
 * struct mix - what the workers share
 * @reads: percent of operations that are reads
 * @owned: number of owned keys; keys are numbered, and these come first
 * @common: number of common keys
 * @found: reads that found a value
 * @absent: reads that found none
 * @changes: changes tried
 * @key: owned keys
 * @sightings: of all keys
 */
struct mix {
	unsigned int reads;
	unsigned int owned;
	unsigned int common;
	atomic_ulong found;
	atomic_ulong absent;
	atomic_ulong changes;
	struct owned key[OWNED_MAX];
	struct hammer_sightings sightings;
};

static size_t key_name(const struct mix *mix, unsigned int key,
		       char name[HAMMER_KEY_MAX])
{
	if (key < mix->owned)
		return hammer_key(name, "owned", key);
	return hammer_key(name, "common", key - mix->owned);
}

static struct hammer_view *view(struct hammer_worker *w, unsigned int key)
{
	return (struct hammer_view *)w->own + key;
}

static bool seen(struct hammer_worker *w, unsigned int key, __u64 version,
		 __u64 id)
{
	struct mix *mix = w->h->shared;

	return hammer_seen(w, &mix->sightings, view(w, key), key, version, id);
}

static bool stored(struct hammer_worker *w, unsigned int key, __u64 version,
		   __u64 id)
{
	struct mix *mix = w->h->shared;

	return hammer_stored(w, &mix->sightings, view(w, key), key, version, id);
}

static __u64 done(struct mix *mix, unsigned int key)
{
	return key < mix->owned ? atomic_load(&mix->key[key].done) : 0;
}

/* Checks the answer to a read that began when operation @from was done. */
static bool check(struct hammer_worker *w, unsigned int key, __u64 from,
		  struct hammer_answer *a)
{
	struct mix *mix = w->h->shared;
	char name[HAMMER_KEY_MAX];
	size_t name_len = key_name(mix, key, name);
	__u64 to = key < mix->owned ? atomic_load(&mix->key[key].begun) : 0;

	atomic_fetch_add(a->ret == -ENOENT ? &mix->absent : &mix->found, 1);
	HAMMER_CHECK(w, !a->ret || a->ret == -ENOENT || a->ret == -EMSGSIZE,
		     "key %s: get: %s", name, strerror(-a->ret));
	if (!a->ret && !hammer_whole(w, name, name_len, a))
		return false;
	if (a->ret != -ENOENT && !seen(w, key, a->version, a->id))
		return false;
	HAMMER_CHECK(w, key >= mix->owned ||
		     hammer_script_fits(key, from, to, w->max_value, a),
		     "key %s: error %d, %zu bytes, value %#llx, version %llu do not fit operations %llu to %llu",
		     name, a->ret, a->len, a->id, a->version, from, to);
	return true;
}

static bool read_one(struct hammer_worker *w, unsigned int key, size_t size)
{
	struct mix *mix = w->h->shared;
	struct hammer_answer a = { .value = w->out };
	char name[HAMMER_KEY_MAX];
	size_t name_len = key_name(mix, key, name);
	__u64 from = done(mix, key);

	a.ret = kt_get(w->fd, name, name_len, w->out, size, &a.len, &a.version);
	return check(w, key, from, &a);
}

static bool read_batch(struct hammer_worker *w)
{
	struct mix *mix = w->h->shared;
	size_t size = w->max_value / BATCH;
	char name[BATCH][HAMMER_KEY_MAX];
	struct kmap_op ops[BATCH];
	unsigned int key[BATCH];
	__u64 from[BATCH];
	__u32 count;
	int ret, i;

	for (i = 0; i < BATCH; i++) {
		key[i] = hammer_below(w, mix->owned + mix->common);
		from[i] = done(mix, key[i]);
		kt_op_get(&ops[i], name[i], key_name(mix, key[i], name[i]),
			  w->out + i * size, size);
	}
	ret = kt_batch(w->fd, ops, BATCH, &count);
	HAMMER_CHECK(w, !ret && count == BATCH, "batch: %d after %u", ret, count);

	for (i = 0; i < BATCH; i++) {
		struct hammer_answer a = {
			.ret = ops[i].error,
			.len = ops[i].out_len,
			.version = ops[i].version,
			.value = w->out + i * size,
		};

		if (!check(w, key[i], from[i], &a))
			return false;
	}
	return true;
}

/* Checks the value that a change returned in the worker's buffer, if any. */
static bool returned(struct hammer_worker *w, unsigned int key, size_t len,
		     __u64 *id)
{
	struct hammer_answer a = { .len = len, .value = w->out };
	char name[HAMMER_KEY_MAX];
	size_t name_len = key_name(w->h->shared, key, name);

	*id = 0;
	if (len == KT_NONE)
		return true;
	if (!hammer_whole(w, name, name_len, &a))
		return false;
	*id = a.id;
	return true;
}

/* What a change by the owner returned must be what operation @number stored. */
static bool returned_owned(struct hammer_worker *w, unsigned int key,
			   size_t len, __u64 number)
{
	struct hammer_answer a = { .ret = len == KT_NONE ? -ENOENT : 0, .len = len };

	if (!returned(w, key, len, &a.id))
		return false;
	HAMMER_CHECK(w, hammer_script_fits(key, number, number, w->max_value, &a),
		     "owned key %u: %zd bytes of value %#llx returned after operation %llu",
		     key, (ssize_t)len, a.id, number);
	return true;
}

/* A conditional change that must fail, as the owner knows. */
static bool refused(struct hammer_worker *w, unsigned int key,
		    unsigned int flags, int expected)
{
	struct mix *mix = w->h->shared;
	struct owned *o = &mix->key[key];
	char name[HAMMER_KEY_MAX];
	size_t name_len = key_name(mix, key, name);
	__u64 version = o->version + 1;
	int ret;

	ret = kt_set(w->fd, name, name_len, "wrong", 5, flags, &version);
	HAMMER_CHECK(w, ret == expected, "key %s: set with flags %#x: %d instead of %d",
		     name, flags, ret, expected);
	HAMMER_CHECK(w, ret == -ENOENT || version == o->version,
		     "key %s: set with flags %#x found version %llu instead of %llu",
		     name, flags, version, o->version);
	return true;
}

static bool remove_owned(struct hammer_worker *w, unsigned int key, __u64 number)
{
	struct mix *mix = w->h->shared;
	struct owned *o = &mix->key[key];
	bool absent = hammer_script_removes(key, number - 1);
	unsigned int flags = hammer_below(w, 2) ? KMAP_MATCH : 0;
	char name[HAMMER_KEY_MAX];
	size_t name_len = key_name(mix, key, name);
	__u64 version = o->version;
	size_t len = KT_NONE;
	int ret;

	if (hammer_below(w, 2)) {
		ret = kt_take(w->fd, name, name_len, flags, &version, w->out,
			      w->max_value, &len);
		if (!returned_owned(w, key, len, number - 1))
			return false;
	} else {
		ret = kt_del(w->fd, name, name_len, flags, &version);
	}
	HAMMER_CHECK(w, ret == (absent ? -ENOENT : 0),
		     "key %s: delete after operation %llu: %d", name,
		     number - 1, ret);
	if (absent)
		return true;
	HAMMER_CHECK(w, version == o->version,
		     "key %s: deleted version %llu instead of %llu", name,
		     version, o->version);
	return hammer_removed(w, view(w, key), key, version);
}

static bool set_owned(struct hammer_worker *w, unsigned int key, __u64 number)
{
	static const unsigned int conditions[2][4] = {
		{ 0, 0, KMAP_REPLACE, KMAP_MATCH },
		{ 0, 0, KMAP_CREATE, KMAP_CREATE }
	};
	struct mix *mix = w->h->shared;
	struct owned *o = &mix->key[key];
	bool absent = number == 1 || hammer_script_removes(key, number - 1);
	unsigned int flags = conditions[absent][hammer_below(w, 4)];
	size_t len = hammer_script_length(key, number, w->max_value);
	char name[HAMMER_KEY_MAX];
	size_t name_len = key_name(mix, key, name);
	__u64 version = o->version;
	size_t out_len;
	int ret;

	if (hammer_below(w, 4) == 0 &&
	    (!refused(w, key, absent ? KMAP_REPLACE : KMAP_CREATE,
		      absent ? -ENOENT : -EEXIST) ||
	     !refused(w, key, KMAP_MATCH, absent ? -ENOENT : -ESTALE)))
		return false;

	kt_value_fill(w->in, len, name, name_len, number);
	if (hammer_below(w, 4) == 0) {
		ret = kt_swap(w->fd, name, name_len, w->in, len, flags, &version,
			      w->out, w->max_value, &out_len);
		if (!ret && !returned_owned(w, key, out_len, number - 1))
			return false;
	} else {
		ret = kt_set(w->fd, name, name_len, w->in, len, flags, &version);
	}
	HAMMER_CHECK(w, !ret, "key %s: set with flags %#x: %s", name, flags,
		     strerror(-ret));
	o->version = version;
	return stored(w, key, version, hammer_id(len, number));
}

static bool change_owned(struct hammer_worker *w, unsigned int key)
{
	struct mix *mix = w->h->shared;
	struct owned *o = &mix->key[key];
	__u64 number = atomic_load(&o->done) + 1;

	atomic_store(&o->begun, number);
	if (hammer_script_removes(key, number) ? !remove_owned(w, key, number) :
						 !set_owned(w, key, number))
		return false;
	atomic_store(&o->done, number);
	return read_one(w, key, w->max_value);
}

static bool remove_common(struct hammer_worker *w, unsigned int key)
{
	unsigned int flags = hammer_below(w, 2) ? KMAP_MATCH : 0;
	char name[HAMMER_KEY_MAX];
	size_t name_len = key_name(w->h->shared, key, name);
	__u64 version = view(w, key)->newest;
	size_t len;
	__u64 id;
	int ret;

	ret = kt_take(w->fd, name, name_len, flags, &version, w->out,
		      w->max_value, &len);
	HAMMER_CHECK(w, !ret || ret == -ENOENT || (flags && ret == -ESTALE),
		     "key %s: delete with flags %#x: %s", name, flags,
		     strerror(-ret));
	if (ret == -ENOENT)
		return true;
	HAMMER_CHECK(w, len != KT_NONE, "key %s: delete returned nothing", name);
	if (!returned(w, key, len, &id) || !seen(w, key, version, id))
		return false;
	return ret || hammer_removed(w, view(w, key), key, version);
}

static bool set_common(struct hammer_worker *w, unsigned int key,
		       unsigned int flags)
{
	size_t len = hammer_length(kt_random(&w->random), w->max_value);
	__u64 seed = (w->id + 1ull) << 40 | atomic_load(&w->steps);
	char name[HAMMER_KEY_MAX];
	size_t name_len = key_name(w->h->shared, key, name);
	__u64 version = view(w, key)->newest;
	size_t out_len = KT_NONE;
	__u64 id;
	int ret;

	kt_value_fill(w->in, len, name, name_len, seed);
	if (hammer_below(w, 2))
		ret = kt_swap(w->fd, name, name_len, w->in, len, flags, &version,
			      w->out, w->max_value, &out_len);
	else
		ret = kt_set(w->fd, name, name_len, w->in, len, flags, &version);

	HAMMER_CHECK(w, !ret || (flags == KMAP_CREATE && ret == -EEXIST) ||
		     (flags == KMAP_REPLACE && ret == -ENOENT) ||
			(flags == KMAP_MATCH && (ret == -ENOENT || ret == -ESTALE)),
		     "key %s: set with flags %#x: %s", name, flags,
		     strerror(-ret));
	if (!returned(w, key, out_len, &id))
		return false;
	if (!ret)
		return stored(w, key, version, hammer_id(len, seed));
	return ret == -ENOENT || seen(w, key, version, id);
}

static bool prepare(struct hammer_worker *w)
{
	struct mix *mix = w->h->shared;
	unsigned int key;

	w->own = calloc(OWNED_MAX + COMMON_MAX, sizeof(struct hammer_view));
	HAMMER_CHECK(w, w->own, "no memory");
	for (key = w->id; key < mix->owned + mix->common; key += w->h->workers) {
		hammer_step(w);
		if (!(key < mix->owned ? change_owned(w, key) :
					 set_common(w, key, 0)))
			return false;
	}
	return true;
}

static bool change(struct hammer_worker *w)
{
	static const unsigned int conditions[5] = {
		0, 0, KMAP_CREATE, KMAP_REPLACE, KMAP_MATCH
	};
	struct mix *mix = w->h->shared;
	unsigned int workers = w->h->workers;
	unsigned int mine = (mix->owned + workers - 1 - w->id) / workers;
	unsigned int key = mix->owned + hammer_below(w, mix->common);

	atomic_fetch_add(&mix->changes, 1);
	if (mine && hammer_below(w, 2))
		return change_owned(w, w->id + hammer_below(w, mine) * workers);
	if (hammer_below(w, 4) == 0)
		return remove_common(w, key);
	return set_common(w, key, conditions[hammer_below(w, 5)]);
}

static bool work(struct hammer_worker *w)
{
	struct mix *mix = w->h->shared;
	bool good = true;

	while (good && hammer_next(w)) {
		unsigned int key = hammer_below(w, mix->owned + mix->common);

		if (hammer_below(w, 100) >= mix->reads)
			good = change(w);
		else if (hammer_below(w, 8) == 0)
			good = read_batch(w);
		else
			good = read_one(w, key, hammer_below(w, 8) ? w->max_value : 0);
	}
	return good;
}

/* After a run, every key is as its last operation left it. */
static bool verify(struct hammer_worker *w)
{
	struct mix *mix = w->h->shared;
	unsigned int key;

	w->own = calloc(OWNED_MAX + COMMON_MAX, sizeof(struct hammer_view));
	HAMMER_CHECK(w, w->own, "no memory");
	for (key = w->id; key < mix->owned + mix->common; key += w->h->workers) {
		hammer_step(w);
		if (!read_one(w, key, w->max_value))
			return false;
	}
	return true;
}

FIXTURE(mix) {
	struct hammer *h;
	struct mix *mix;
	int fd;
};

FIXTURE_VARIANT(mix) {
	unsigned int reads;
	unsigned int owned;
	unsigned int common;
};

#define FEW	.owned = 16, .common = 8
#define MANY	.owned = OWNED_MAX, .common = COMMON_MAX

FIXTURE_VARIANT_ADD(mix, reads_100_hot) { .reads = 100, FEW };
FIXTURE_VARIANT_ADD(mix, reads_100_many) { .reads = 100, MANY };
FIXTURE_VARIANT_ADD(mix, reads_95_hot) { .reads = 95, FEW };
FIXTURE_VARIANT_ADD(mix, reads_95_many) { .reads = 95, MANY };
FIXTURE_VARIANT_ADD(mix, reads_50_hot) { .reads = 50, FEW };
FIXTURE_VARIANT_ADD(mix, reads_50_many) { .reads = 50, MANY };
FIXTURE_VARIANT_ADD(mix, reads_0_hot) { .reads = 0, FEW };
FIXTURE_VARIANT_ADD(mix, reads_0_many) { .reads = 0, MANY };

FIXTURE_SETUP(mix)
{
	self->h = hammer_new();
	ASSERT_NE(NULL, self->h);
	self->mix = hammer_share(sizeof(*self->mix));
	ASSERT_NE(NULL, self->mix);
	self->mix->reads = variant->reads;
	self->mix->owned = variant->owned;
	self->mix->common = variant->common;
	self->h->shared = self->mix;
	self->fd = kt_open(O_RDWR);
	ASSERT_LE(0, self->fd);
}

FIXTURE_TEARDOWN(mix)
{
	close(self->fd);
	hammer_unshare(self->mix, sizeof(*self->mix));
	hammer_free(self->h);
}

TEST_F_TIMEOUT(mix, answers_fit_what_was_done, hammer_timeout())
{
	struct hammer *h = self->h;
	struct mix *mix = self->mix;

	/* Each mix runs on both sets of keys. */
	h->seconds /= 2;
	h->goals[0] = &mix->found;
	h->goals[1] = variant->reads < 100 ? &mix->changes : NULL;
	h->prepare = prepare;
	h->work = work;
	ASSERT_TRUE(hammer_run(h));
	TH_LOG("%lu reads found a value, %lu none, %lu changes", mix->found,
	       mix->absent, mix->changes);
	EXPECT_LT(0, mix->found);
	if (variant->reads == 100) {
		EXPECT_EQ(0, mix->changes);
		EXPECT_EQ(0, mix->absent);
	} else {
		EXPECT_LT(0, mix->changes);
	}

	mix->found = 0;
	/* No worker may come too late to look at its keys. */
	h->seconds = 0;
	h->prepare = NULL;
	h->work = verify;
	ASSERT_TRUE(hammer_run(h));
	EXPECT_EQ((__s64)mix->found, kt_walk_count(self->fd));
	EXPECT_EQ((__s64)mix->found, kt_entries(self->fd));
}

TEST_HARNESS_MAIN
