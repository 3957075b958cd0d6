// SPDX-License-Identifier: GPL-2.0
/*
 * A client that uses every operation: small and big values, batches, additions,
 * versioned updates, walks and atomic walks.  It may be killed at any point.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "hammer_client.h"
#include "hammer_model.h"

static struct owner *owner(struct hammer_worker *w)
{
	return (struct owner *)w->h->shared + w->id;
}

/* Prepares a record for the next operation on one of the worker's own keys. */
static void next_change(struct hammer_worker *w, unsigned int key,
			struct kmap_op *op, char name[HAMMER_KEY_MAX], __u8 *value,
			size_t max)
{
	struct progress *progress = &owner(w)->key[key];
	__u64 number = atomic_load(&progress->done) + 1;
	unsigned int id = client_key(w->id, key);
	size_t name_len = hammer_key(name, "owned", id);
	unsigned int flags = 0;
	size_t len;

	if (hammer_script_removes(id, number)) {
		kt_op_del(op, name, name_len, 0);
	} else {
		if (number == 1 || hammer_script_removes(id, number - 1))
			flags = KMAP_CREATE;
		else if (hammer_below(w, 2))
			flags = KMAP_REPLACE;
		len = hammer_script_length(id, number, max);
		kt_value_fill(value, len, name, name_len, number);
		kt_op_set(op, name, name_len, value, len, flags);
	}
	atomic_store(&progress->begun, number);
}

/* The owner knows the state of its key, so the result is known in advance. */
static bool changed(struct hammer_worker *w, unsigned int key,
		    const struct kmap_op *op, int ret)
{
	struct progress *progress = &owner(w)->key[key];
	__u64 number = atomic_load(&progress->begun);
	unsigned int id = client_key(w->id, key);
	bool nothing = hammer_script_removes(id, number) &&
		       hammer_script_removes(id, number - 1);

	HAMMER_CHECK(w, ret == (nothing ? -ENOENT : 0),
		     "owned-%u: operation %llu, opcode %u, flags %#x: %d", id,
		     number, op->opcode, op->flags, ret);
	atomic_store(&progress->done, number);
	return true;
}

static bool change_one(struct hammer_worker *w)
{
	unsigned int key = hammer_below(w, CLIENT_KEYS);
	char name[HAMMER_KEY_MAX];
	struct kmap_op op;
	int ret;

	next_change(w, key, &op, name, w->in, w->max_value);
	ret = kt_ioctl(w->fd, op.opcode == KMAP_OP_SET ? KMAP_IOC_SET :
							 KMAP_IOC_DELETE, &op);
	return changed(w, key, &op, ret);
}

/* The lengths of scripted values are fixed, so a batch needs a buffer per value. */
static bool change_batch(struct hammer_worker *w)
{
	unsigned int count = 2 + hammer_below(w, CLIENT_KEYS - 1);
	char name[CLIENT_KEYS][HAMMER_KEY_MAX];
	struct kmap_op ops[CLIENT_KEYS];
	unsigned int key;
	__u32 done;
	int ret;

	atomic_store(&owner(w)->batch, count);
	for (key = 0; key < count; key++)
		next_change(w, key, &ops[key], name[key],
			    (__u8 *)w->own + key * w->max_value, w->max_value);
	ret = kt_batch(w->fd, ops, count, &done);
	HAMMER_CHECK(w, !ret && done == count, "batch: %d after %u", ret, done);
	for (key = 0; key < count; key++) {
		if (!changed(w, key, &ops[key], ops[key].error))
			return false;
	}
	atomic_store(&owner(w)->batch, 0);
	return true;
}

static bool add_one(struct hammer_worker *w, struct progress *progress,
		    const char *name, unsigned int number)
{
	__u64 next = atomic_load(&progress->done) + 1;
	char key[HAMMER_KEY_MAX];
	size_t key_len = hammer_key(key, name, number);
	int ret;

	atomic_store(&progress->begun, next);
	ret = kt_add(w->fd, key, key_len, 1, 0, NULL, NULL);
	HAMMER_CHECK(w, !ret, "key %s: add: %s", key, strerror(-ret));
	atomic_store(&progress->done, next);
	return true;
}

/* Increments the count in the common value, by version. */
static bool update(struct hammer_worker *w)
{
	struct progress *progress = &owner(w)->update;
	__u64 next = atomic_load(&progress->done) + 1;
	char key[HAMMER_KEY_MAX];
	size_t key_len = hammer_key(key, "update", 0);
	__u64 version, count;
	size_t len;
	int ret;

	do {
		hammer_step(w);
		ret = kt_get(w->fd, key, key_len, w->out, w->max_value, &len,
			     &version);
		HAMMER_CHECK(w, !ret && len >= 16 &&
			     kt_value_check(w->out, len, key, key_len, &count),
			     "key %s: get: %d", key, ret);
		len = 16 + hammer_below(w, 1000);
		kt_value_fill(w->in, len, key, key_len, count + 1);
		atomic_store(&progress->begun, next);
		ret = kt_set(w->fd, key, key_len, w->in, len, KMAP_MATCH,
			     &version);
		if (ret)
			atomic_store(&progress->begun, next - 1);
	} while (ret == -ESTALE);
	HAMMER_CHECK(w, !ret, "key %s: set: %s", key, strerror(-ret));
	atomic_store(&progress->done, next);
	return true;
}

/* Looks at any key, even one whose owner was killed just now. */
static bool look(struct hammer_worker *w)
{
	struct owner *owners = w->h->shared;
	unsigned int id = hammer_below(w, w->h->workers * CLIENT_KEYS);
	struct progress *progress = &owners[id / CLIENT_KEYS].key[id % CLIENT_KEYS];
	struct hammer_answer a = { .value = w->out };
	__u64 from = atomic_load(&progress->done);
	char name[HAMMER_KEY_MAX];
	size_t name_len = hammer_key(name, "owned", id);
	__u64 to;

	a.ret = kt_get(w->fd, name, name_len, w->out, w->max_value, &a.len,
		       &a.version);
	to = atomic_load(&progress->begun);
	HAMMER_CHECK(w, !a.ret || a.ret == -ENOENT, "key %s: get: %s", name,
		     strerror(-a.ret));
	if (!a.ret && !hammer_whole(w, name, name_len, &a))
		return false;
	HAMMER_CHECK(w, hammer_script_fits(id, from, to, w->max_value, &a),
		     "key %s: error %d, %zu bytes, value %#llx do not fit operations %llu to %llu",
		     name, a.ret, a.len, a.id, from, to);
	return true;
}

static bool walk(struct hammer_worker *w, __u32 flags)
{
	struct kt_walk walk;
	struct kt_item item;
	bool whole = true;
	int ret;

	ret = kt_walk_begin(&walk, w->fd, flags, 1 << hammer_below(w, 18));
	HAMMER_CHECK(w, !ret, "no memory");
	while (whole && (ret = kt_walk_next(&walk, &item)) > 0) {
		if (hammer_key_number(item.key, item.key_len, "owned") >= 0)
			whole = kt_value_check(item.value, item.value_len,
					       item.key, item.key_len, NULL);
	}
	kt_walk_end(&walk);
	HAMMER_CHECK(w, ret >= 0, "walk: %s", strerror(-ret));
	HAMMER_CHECK(w, whole, "walk: a value is torn or another's");
	return true;
}

bool client_work(struct hammer_worker *w)
{
	bool good = true;

	/* The verifier, which kills clients, must get the CPU before them. */
	if (nice(CLIENT_NICE) == -1)
		errno = 0;
	w->own = malloc(CLIENT_KEYS * w->max_value);
	HAMMER_CHECK(w, w->own, "no memory");
	while (good && hammer_next(w)) {
		unsigned int what = hammer_below(w, 64);

		if (what == 0)
			good = walk(w, KMAP_KEYS_VALUES);
		else if (what == 1)
			good = walk(w, KMAP_KEYS_VALUES | KMAP_KEYS_ATOMIC);
		else if (what < 8)
			good = add_one(w, &owner(w)->counter, "counter", w->id);
		else if (what < 14)
			good = add_one(w, &owner(w)->sum, "sum", 0);
		else if (what < 20)
			good = update(w);
		else if (what < 28)
			good = look(w);
		else if (what < 36)
			good = change_batch(w);
		else
			good = change_one(w);
	}
	return good;
}
