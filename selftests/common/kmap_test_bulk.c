// SPDX-License-Identifier: GPL-2.0
/*
 * Many keys at once, by batches: numbered keys with values that can be checked.
 * See kmap_test.h for what each function promises.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "kmap_test.h"

#define BULK_OPS	1024u

void kt_key(void *key, size_t len, __u64 id)
{
	__u8 *p = key;
	__u64 state = id;

	memcpy(p, &id, 8);
	for (p += 8, len -= 8; len; p++, len--)
		*p = kt_random(&state) >> 56;
}

__u64 kt_key_id(const void *key)
{
	__u64 id;

	memcpy(&id, key, 8);
	return id;
}

/* The records, keys and values of one batch, and functions to make and check them. */
struct bulk {
	struct kmap_op *ops;
	__u8 *keys;
	__u8 *values;
	size_t key_len;
	size_t value_len;
	void (*make)(struct bulk *bulk, __u32 i, __u64 id);
	int (*judge)(struct bulk *bulk, __u32 i);
};

static __u8 *bulk_key(struct bulk *bulk, __u32 i)
{
	return bulk->keys + i * bulk->key_len;
}

static __u8 *bulk_value(struct bulk *bulk, __u32 i)
{
	return bulk->values + i * bulk->value_len;
}

static int judge_error(struct bulk *bulk, __u32 i)
{
	return bulk->ops[i].error;
}

static void make_set(struct bulk *bulk, __u32 i, __u64 id)
{
	__u8 *key = bulk_key(bulk, i);
	__u8 *value = bulk_value(bulk, i);

	kt_value_fill(value, bulk->value_len, key, bulk->key_len, id);
	kt_op_set(&bulk->ops[i], key, bulk->key_len, value, bulk->value_len, 0);
}

static void make_get(struct bulk *bulk, __u32 i, __u64 id)
{
	(void)id;
	memset(bulk_value(bulk, i), KT_POISON, bulk->value_len);
	kt_op_get(&bulk->ops[i], bulk_key(bulk, i), bulk->key_len,
		  bulk_value(bulk, i), bulk->value_len);
}

static int judge_get(struct bulk *bulk, __u32 i)
{
	const struct kmap_op *op = &bulk->ops[i];

	if (op->error)
		return op->error;
	if (op->out_len != bulk->value_len || !op->version)
		return -EBADMSG;
	return kt_value_check(bulk_value(bulk, i), bulk->value_len,
			      bulk_key(bulk, i), bulk->key_len, NULL) ?
	       0 : -EBADMSG;
}

static void make_del(struct bulk *bulk, __u32 i, __u64 id)
{
	(void)id;
	kt_op_del(&bulk->ops[i], bulk_key(bulk, i), bulk->key_len, 0);
}

static int bulk_call(struct bulk *bulk, int fd, __u64 first, __u32 count,
		     __u64 *done)
{
	__u32 i, carried;
	int ret;

	for (i = 0; i < count; i++) {
		kt_key(bulk_key(bulk, i), bulk->key_len, first + i);
		bulk->make(bulk, i, first + i);
	}
	ret = kt_batch(fd, bulk->ops, count, &carried);
	if (ret)
		return ret;
	if (carried != count)
		return -EPROTO;
	for (i = 0; i < count; i++) {
		int error = bulk->judge(bulk, i);

		if (!error)
			++*done;
		else if (!ret)
			ret = error;
	}
	return ret;
}

static int bulk_run(struct bulk *bulk, int fd, __u64 first, __u64 count,
		    __u64 *done)
{
	__u64 good = 0;
	int ret = -ENOMEM;

	bulk->ops = calloc(BULK_OPS, sizeof(*bulk->ops));
	bulk->keys = malloc(BULK_OPS * bulk->key_len);
	bulk->values = malloc(BULK_OPS * bulk->value_len + 1);
	if (bulk->ops && bulk->keys && bulk->values) {
		ret = 0;
		while (count && !ret) {
			__u32 part = count < BULK_OPS ? count : BULK_OPS;

			ret = bulk_call(bulk, fd, first, part, &good);
			first += part;
			count -= part;
		}
	}
	free(bulk->values);
	free(bulk->keys);
	free(bulk->ops);
	if (done)
		*done = good;
	return ret;
}

int kt_fill(int fd, __u64 first, __u64 count, size_t key_len, size_t value_len,
	    __u64 *done)
{
	struct bulk bulk = {
		.key_len = key_len,
		.value_len = value_len,
		.make = make_set,
		.judge = judge_error,
	};

	return bulk_run(&bulk, fd, first, count, done);
}

int kt_verify(int fd, __u64 first, __u64 count, size_t key_len,
	      size_t value_len, __u64 *done)
{
	struct bulk bulk = {
		.key_len = key_len,
		.value_len = value_len,
		.make = make_get,
		.judge = judge_get,
	};

	return bulk_run(&bulk, fd, first, count, done);
}

int kt_remove(int fd, __u64 first, __u64 count, size_t key_len, __u64 *done)
{
	struct bulk bulk = {
		.key_len = key_len,
		.make = make_del,
		.judge = judge_error,
	};

	return bulk_run(&bulk, fd, first, count, done);
}
