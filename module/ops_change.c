// SPDX-License-Identifier: GPL-2.0-only
/*
 * SET and DELETE as most are: no flags, short key, short value.
 *
 * What is not quite usual about a record is left to ops.c, before anything of it
 * was acted on.
 */
#include <linux/err.h>

#include "change.h"
#include "ops.h"
#include "user.h"

/* Longest key. */
#define CHANGE_KEY	64u

/* Is this a change without conditions that brings nothing back? */
static __always_inline bool usual(const struct shmap_map *map, fmode_t mode,
				  const struct kmap_op *op, u32 opcode)
{
	return (!op->opcode || op->opcode == opcode) &&
	       !(op->flags | op->out_size | op->ttl) && !op->out &&
	       op->key_len - 1 < CHANGE_KEY &&
	       op->key_len <= map->config.max_key && mode & FMODE_WRITE;
}

/**
 * shmap_ops_set_user - KMAP_IOC_SET with a record as it is known
 * @map: the map
 * @mode: what the file is open for
 * @user: the record
 *
 * Context: may sleep.
 * Return: 0 or a negative errno, as the ABI says.
 */
int shmap_ops_set_user(struct shmap_map *map, fmode_t mode,
		       struct kmap_op __user *user)
{
	struct shmap_request rq __uninitialized;
	u64 key[CHANGE_KEY / 8] __uninitialized;
	struct kmap_op op __uninitialized;
	struct shmap_shard *shard;
	int r;

	if (shmap_user_read_change(&op, user))
		return -EFAULT;
	if (unlikely(!usual(map, mode, &op, KMAP_OP_SET) ||
		     op.value_len > SHMAP_USER_SHORT ||
		     op.value_len > map->config.max_value))
		return shmap_ops_set_any(map, mode, user);

	if (shmap_user_read_key(key, u64_to_user_ptr(op.key), op.key_len))
		return -EFAULT;
	rq.key = key;
	rq.key_len = op.key_len;
	rq.hash = shmap_hash(&map->hash_init, key, op.key_len);
	shard = shmap_map_shard(map, rq.hash);
	r = shmap_change_prepare(map, shard, &rq, op.value_len);
	if (unlikely(r))
		return r;
	r = shmap_user_read(shmap_entry_value(rq.fresh.entry),
			    u64_to_user_ptr(op.value), op.value_len);
	if (likely(!r))
		r = shmap_change_set(map, shard, &rq, NULL);
	if (likely(!r))
		return shmap_user_write_version(user, rq.version);
	shmap_key_discard(map, &rq);
	return r;
}

/**
 * shmap_ops_delete_user - KMAP_IOC_DELETE with a record as it is known
 * @map: the map
 * @mode: what the file is open for
 * @user: the record
 *
 * Context: may sleep.
 * Return: 0 or a negative errno, as the ABI says.
 */
int shmap_ops_delete_user(struct shmap_map *map, fmode_t mode,
			  struct kmap_op __user *user)
{
	struct shmap_request rq __uninitialized;
	u64 key[CHANGE_KEY / 8] __uninitialized;
	struct kmap_op op __uninitialized;
	int r;

	if (shmap_user_read_change(&op, user))
		return -EFAULT;
	if (unlikely(!usual(map, mode, &op, KMAP_OP_DELETE) || op.value ||
		     op.value_len))
		return shmap_ops_delete_any(map, mode, user);

	if (shmap_user_read_key(key, u64_to_user_ptr(op.key), op.key_len))
		return -EFAULT;
	rq.key = key;
	rq.key_len = op.key_len;
	rq.hash = shmap_hash(&map->hash_init, key, op.key_len);
	r = shmap_change_delete(map, shmap_map_shard(map, rq.hash), &rq,
				NULL);
	return likely(!r) ? shmap_user_write_version(user, rq.version) : r;
}
