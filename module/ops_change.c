// SPDX-License-Identifier: GPL-2.0-only
/*
 * The fast paths of SET and DELETE: no flags, a short key and a short value.
 *
 * Any other record is left to ops_one.c, before anything in the map has changed.
 */
#include <linux/err.h>

#include "key.h"
#include "ops_change.h"
#include "ops_one.h"
#include "user.h"

/* Longest key that the fast paths take, in bytes. */
#define CHANGE_KEY	64u

/* Is this a change without flags, ttl and output buffer, with a short key? */
static __always_inline bool usual(const struct shmap_map *map,
				  const struct shmap_user_inputs *in,
				  u32 opcode)
{
	u32 key_len = in->lens;

	return (!in->what || in->what == opcode) && !(in->room | in->out) &&
	       key_len - 1 < CHANGE_KEY && key_len <= map->config.max_key;
}

/* Copy the key of a usual change and hash it. */
static __always_inline int take(const struct shmap_map *map,
				struct shmap_request *rq, u64 *key,
				const struct shmap_user_inputs *in)
{
	u32 key_len = in->lens;

	if (shmap_user_read_key(key, u64_to_user_ptr(in->key), key_len))
		return -EFAULT;
	rq->key = key;
	rq->key_len = key_len;
	rq->hash = shmap_hash(&map->hash_init, key, key_len);
	return 0;
}

/* Carry out a SET; @key is a buffer of CHANGE_KEY bytes, which the caller wipes. */
static __always_inline long set_record(const struct shmap_file *file,
				       struct shmap_map *map,
				       const struct shmap_op *op,
				       struct kmap_op __user *user, u64 *key)
{
	struct shmap_user_inputs in __uninitialized;
	struct shmap_request rq __uninitialized;
	struct shmap_shard *shard;
	u32 value_len;
	int ret;

	if (shmap_user_read_change(&in, user))
		return -EFAULT;
	value_len = in.lens >> 32;
	if (unlikely(!usual(map, &in, KMAP_OP_SET) ||
		     value_len > SHMAP_USER_SHORT ||
		     value_len > map->config.max_value))
		return shmap_ops_one_full(op, file, user);

	ret = take(map, &rq, key, &in);
	if (unlikely(ret))
		return ret;
	shard = shmap_map_shard(map, rq.hash);
	ret = shmap_change_prepare(map, shard, &rq, value_len, 0);
	if (unlikely(ret))
		return ret;
	if (unlikely(shmap_user_read_now(shmap_entry_value(rq.fresh.entry),
					 u64_to_user_ptr(in.value),
					 value_len))) {
		shmap_key_discard(map, &rq);
		return shmap_ops_one_full(op, file, user);
	}
	ret = shmap_key_set_plain(map, shard, &rq);
	if (likely(!ret))
		return shmap_user_write_version(user, rq.version);
	shmap_key_discard(map, &rq);
	return ret;
}

/**
 * shmap_ops_set_fast - KMAP_IOC_SET with a record of the usual size
 * @op: the operation
 * @file: the file
 * @user: the record
 *
 * Context: may sleep.
 * Return: 0 or a negative errno, as the ABI says.
 */
long shmap_ops_set_fast(const struct shmap_op *op,
			const struct shmap_file *file,
			struct kmap_op __user *user)
{
	u64 key[CHANGE_KEY / 8] __uninitialized;
	struct shmap_map *map = file->map;
	long ret = set_record(file, map, op, user, key);

	shmap_map_wipe_copy(map, key, sizeof(key));
	return ret;
}

/**
 * shmap_ops_delete_fast - KMAP_IOC_DELETE with a record of the usual size
 * @op: the operation
 * @file: the file
 * @user: the record
 *
 * Context: may sleep.
 * Return: 0 or a negative errno, as the ABI says.
 */
long shmap_ops_delete_fast(const struct shmap_op *op,
			   const struct shmap_file *file,
			   struct kmap_op __user *user)
{
	struct shmap_map *map = file->map;
	struct shmap_user_inputs in __uninitialized;
	struct shmap_request rq __uninitialized;
	u64 key[CHANGE_KEY / 8] __uninitialized;
	int ret;

	if (shmap_user_read_change(&in, user))
		return -EFAULT;
	if (unlikely(!usual(map, &in, KMAP_OP_DELETE) || in.value ||
		     in.lens >> 32))
		return shmap_ops_one_full(op, file, user);

	ret = take(map, &rq, key, &in);
	if (likely(!ret))
		ret = shmap_key_delete_plain(map, shmap_map_shard(map, rq.hash),
					     &rq);
	shmap_map_wipe_copy(map, key, sizeof(key));
	return likely(!ret) ? shmap_user_write_version(user, rq.version) : ret;
}
