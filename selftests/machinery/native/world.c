// SPDX-License-Identifier: GPL-2.0-only
/*
 * Operations on one key, on a map and its model.  They go the way of user space's,
 * through an open file, in each of the forms that a record can have.  Of each it is
 * said beforehand what it should return, and afterwards everything that it returned
 * is looked at.
 */
#include <stdlib.h>
#include <string.h>

#include <linux/err.h>

#include "chain.h"
#include "file.h"
#include "inspect.h"
#include "ops.h"
#include "shim.h"
#include "test.h"
#include "world.h"

/* Longer values need a larger buffer than ops_one.c begins with. */
#define FIRST_ROOM	256u

/* Marks what an operation must not touch. */
#define POISON		0x5a5a5a5a5a5a5a5aull

/**
 * world_try_make - make an empty map, and its model
 * @world: to be made
 * @config: of the map
 *
 * Return: false when there was no memory.
 */
bool world_try_make(struct world *world, const struct shmap_config *config)
{
	memset(world, 0, sizeof(*world));
	world->bytes_before = shim_bytes_out();
	world->map = shmap_map_create(config);
	world->file.f_mode = FMODE_READ | FMODE_WRITE;
	if (IS_ERR(world->map)) {
		check_equal(PTR_ERR(world->map), -ENOMEM);
		check_equal(shim_bytes_out(), world->bytes_before);
		return false;
	}
	if (shmap_file_open(NULL, &world->file, world->map)) {
		shmap_map_put(world->map);
		check_equal(shim_bytes_out(), world->bytes_before);
		return false;
	}
	world->value = malloc(config->max_value + 1);
	check(world->value);
	return true;
}

/**
 * world_make - make an empty map, and its model
 * @world: to be made
 * @config: of the map
 */
void world_make(struct world *world, const struct shmap_config *config)
{
	check(world_try_make(world, config));
}

/**
 * world_unmake - destroy both; all memory has to come back
 * @world: the world
 */
void world_unmake(struct world *world)
{
	/* The file has a reference as well; either may go first. */
	shmap_map_put(world->map);
	check_equal(shmap_file_release(NULL, &world->file), 0);
	check_equal(shim_bytes_out(), world->bytes_before);
	model_free(&world->model);
	free(world->value);
}

static void compare_info(struct world *world)
{
	const struct shmap_config *config = &world->map->config;
	struct kmap_info info = { 0 };
	u64 buckets = 0, deferred = 0;
	unsigned int i;

	shmap_map_info(world->map, &info);
	check_equal(info.entries, world->model.entries);
	check_equal(info.bytes, world->model.bytes);
	check(info.entries <= config->max_entries);
	check(info.bytes <= config->max_bytes);
	check_equal(info.max_entries, config->max_entries);
	check_equal(info.max_bytes, config->max_bytes);
	check_equal(info.shards, config->shards);
	check(!strcmp(info.lock, config->lock->name));
	for (i = 0; i < config->shards; i++) {
		buckets += world->map->shard[i].table.desc->end;
		deferred += world->map->shard[i].defer.bytes;
	}
	check_equal(info.buckets, buckets / config->shards);
	check_equal(info.deferred, deferred);
	check(info.deferred <= info.deferred_max);
	check_equal(info.window, world->map->head->size);
}

/**
 * world_compare - is everything in the map as it should be?
 * @world: the world
 */
void world_compare(struct world *world)
{
	struct model_key *key;

	inspect_map(world->map);
	compare_info(world);
	/* With as many entries in the map, that is all of them. */
	for (key = model_next(&world->model, NULL); key;
	     key = model_next(&world->model, key))
		world_get(world, key->key, key->key_len,
			  world->map->config.max_value);
}

/*
 * Send a record in one of its forms: in a batch of one, with the size of the longer
 * record or one in between, or as it is mostly known.  What is behind the shorter
 * one is only there when something is set in it.
 */
static int send(struct world *world, unsigned int nr, struct kmap_op_ext *ext)
{
	struct kmap_op before = ext->op, *op = &ext->op;
	bool whole = ext->expected || ext->expected_len;
	u32 form = world->sent++ % 8, size = sizeof(*op);
	struct kmap_batch batch = { .ops = (uintptr_t)op, .count = 1 };
	struct file *file = &world->file;
	int ret;

	if (whole || form > 6)
		size = sizeof(*ext);
	else if (form == 6)
		size += world->sent / 8 % 6 * 8;
	if (form < 2) {
		op->opcode = nr;
		batch.op_size = size;
		ret = shmap_ops_ioctl(file, KMAP_IOC_BATCH, (uintptr_t)&batch);
		check_equal(ret, 0);
		check_equal(batch.done, 1);
		ret = op->error;
		before.error = ret;
		before.opcode = nr;
	} else {
		ret = shmap_ops_ioctl(file, _IOC(_IOC_READ | _IOC_WRITE,
						 KMAP_IOC_MAGIC, nr, size),
				      (uintptr_t)op);
	}
	if (!ret || ret == -EMSGSIZE || ret == -EEXIST || ret == -ESTALE)
		check_equal(op->error, ret);
	else
		check(!memcmp(op, &before, sizeof(*op)));
	check(!memcmp(op, &before, offsetof(struct kmap_op, version)));
	world->enlarged += !ret && op->out_len != KMAP_ABSENT &&
			   op->out_len > FIRST_ROOM && op->out_len <= op->out_size;
	return ret;
}

/* What is the map to return, where that is about an old value? */
static void expect_value(const struct world *world, const struct kmap_op *op,
			 const struct model_key *key)
{
	check_equal(op->out_len, key->value_len);
	check_equal(op->out_flags, key->number ? KMAP_IS_NUMBER : 0);
	check(!memcmp(world->value, key->value, key->value_len));
}

/*
 * No memory for it, or no entry to be had, whatever the conditions say.  @size: what the
 * entry counts, from model_bytes(), or 0 when none is needed.
 */
static bool excused(struct world *world, u32 hash, u32 size, int ret)
{
	const struct shmap_config *config = &world->map->config;

	if (ret == -ENOMEM && world->failing) {
		world->no_memory++;
		return true;
	}
	if (ret != -ENOSPC || !size ||
	    !inspect_no_room(world->map,
			     shmap_map_shard(world->map, hash)->arena,
			     size - KMAP_ENTRY_SHARE))
		return false;
	world->refused.area++;
	world->refused.early += world->model.entries < config->max_entries &&
				world->model.bytes + size <= config->max_bytes;
	return true;
}

/* What a change returns because of its conditions alone. */
static int condition(const struct world *world, const struct model_key *key,
		     u32 flags, u64 version, u32 out_size)
{
	if (flags & KMAP_EQUAL &&
	    world->expected_len > world->map->config.max_value)
		return -EFBIG;
	if (!key->present)
		return flags & (KMAP_REPLACE | KMAP_MATCH | KMAP_EQUAL) ?
		       -ENOENT : 0;
	if (flags & KMAP_RETURN && key->value_len > out_size)
		return -EMSGSIZE;
	if (flags & KMAP_CREATE)
		return -EEXIST;
	if (flags & KMAP_MATCH && version != key->version)
		return -ESTALE;
	if (flags & KMAP_EQUAL &&
	    (key->value_len != world->expected_len ||
	     memcmp(key->value, world->expected, key->value_len)))
		return -ESTALE;
	return 0;
}

/* What it returned about the value that was there. */
static void check_old(const struct world *world, const struct kmap_op *op,
		      const struct model_key *key, u32 flags, int ret)
{
	if (ret == -EEXIST || ret == -ESTALE)
		check_equal(op->version, key->version);
	if (!(flags & KMAP_RETURN)) {
		check_equal(op->out_len, (u32)POISON);
		return;
	}
	if (ret == -EMSGSIZE)
		check_equal(op->out_len, key->value_len);
	else if ((!ret || ret == -EEXIST || ret == -ESTALE) && key->present)
		expect_value(world, op, key);
	else if (!ret)
		check_equal(op->out_len, KMAP_ABSENT);
}

/*
 * A change that the conditions allow returned an error: only when a limit says
 * so, and never without one.  @full: the key's chain was full before.
 */
static void check_limits(struct world *world, const struct model_key *key,
			 u32 hash, u32 value_len, bool full, int ret)
{
	const struct shmap_config *config = &world->map->config;
	u32 size = model_bytes(key->key_len, value_len);
	u64 bytes = world->model.bytes + size;

	if (key->present)
		bytes -= key->bytes;
	if (!key->present && world->model.entries == config->max_entries) {
		check_equal(ret, -ENOSPC);
		world->refused.entries++;
	} else if (bytes > config->max_bytes) {
		check_equal(ret, -ENOSPC);
		world->refused.bytes++;
	} else if (!key->present && full) {
		check_equal(ret, -EXFULL);
		world->refused.chain++;
	} else {
		check_equal(ret, 0);
	}
}

static bool chain_full(const struct world *world, u32 hash)
{
	return inspect_chain(world->map, hash) == SHMAP_CHAIN_SLOTS;
}

static void request(struct world *world, struct kmap_op_ext *ext,
		    const void *key, u32 key_len, u32 flags, u32 out_size)
{
	memset(ext, 0, sizeof(*ext));
	ext->op.flags = flags;
	ext->op.key = (uintptr_t)key;
	ext->op.key_len = key_len;
	ext->op.version = POISON;
	ext->op.number = POISON;
	ext->op.out_len = (u32)POISON;
	ext->op.out_flags = (u16)POISON;
	ext->op.error = (s16)POISON;
	if (flags & KMAP_RETURN) {
		ext->op.out = (uintptr_t)world->value;
		ext->op.out_size = out_size;
	}
	if (flags & KMAP_EQUAL) {
		ext->expected = (uintptr_t)world->expected;
		ext->expected_len = world->expected_len;
	}
}

/**
 * world_get - GET
 * @world: the world
 * @key: the key
 * @key_len: its length
 * @out_size: longest value to take
 *
 * Return: what GET returned.
 */
int world_get(struct world *world, const void *key, u32 key_len, u32 out_size)
{
	struct model_key *mk = model_find(&world->model, key, key_len);
	struct kmap_op_ext ext;
	struct kmap_op *op = &ext.op;
	s64 number = 0;
	int ret;

	request(world, &ext, key, key_len, 0, 0);
	op->out = (uintptr_t)world->value;
	op->out_size = out_size;
	ret = send(world, KMAP_OP_GET, &ext);
	if (excused(world, 0, 0, ret))
		return ret;
	if (!mk->present) {
		check_equal(ret, -ENOENT);
		return ret;
	}
	check_equal(ret, mk->value_len > out_size ? -EMSGSIZE : 0);
	check_equal(op->version, mk->version);
	check_equal(op->out_len, mk->value_len);
	check_equal(op->out_flags, mk->number ? KMAP_IS_NUMBER : 0);
	if (mk->number)
		memcpy(&number, mk->value, sizeof(number));
	check_equal(op->number, ret ? (s64)POISON : number);
	if (!ret)
		expect_value(world, op, mk);
	return ret;
}

/**
 * world_set - SET
 * @world: the world
 * @key: the key
 * @key_len: its length
 * @value: the value
 * @value_len: its length
 * @flags: KMAP_CREATE and so on; KMAP_EQUAL compares with world->expected, and
 *	KMAP_NUMBER is for a value of 8 bytes only
 * @version: for KMAP_MATCH
 * @out_size: longest value to take with KMAP_RETURN
 *
 * Return: what SET returned.
 */
int world_set(struct world *world, const void *key, u32 key_len,
	      const void *value, u32 value_len, u32 flags, u64 version,
	      u32 out_size)
{
	struct model_key *mk = model_find(&world->model, key, key_len);
	int ret, expect = condition(world, mk, flags, version, out_size);
	u32 hash = shmap_key_hash(world->map, key, key_len);
	bool full = chain_full(world, hash);
	struct kmap_op_ext ext;
	struct kmap_op *op = &ext.op;

	request(world, &ext, key, key_len, flags, out_size);
	op->value = (uintptr_t)value;
	op->value_len = value_len;
	op->version = version;
	ret = send(world, KMAP_OP_SET, &ext);
	if (excused(world, hash, model_bytes(key_len, value_len), ret))
		return ret;
	if (expect)
		check_equal(ret, expect);
	else
		check_limits(world, mk, hash, value_len, full, ret);
	check_old(world, op, mk, flags, ret);
	if (!ret)
		model_set(&world->model, mk, value, value_len,
			  flags & KMAP_NUMBER, op->version);
	return ret;
}

/**
 * world_delete - DELETE
 * @world: the world
 * @key: the key
 * @key_len: its length
 * @flags: KMAP_MATCH, KMAP_EQUAL and KMAP_RETURN
 * @version: for KMAP_MATCH
 * @out_size: longest value to take with KMAP_RETURN
 *
 * Return: what DELETE returned.
 */
int world_delete(struct world *world, const void *key, u32 key_len, u32 flags,
		 u64 version, u32 out_size)
{
	struct model_key *mk = model_find(&world->model, key, key_len);
	int ret, expect = condition(world, mk, flags, version, out_size);
	struct kmap_op_ext ext;

	request(world, &ext, key, key_len, flags, out_size);
	ext.op.version = version;
	ret = send(world, KMAP_OP_DELETE, &ext);
	if (excused(world, 0, 0, ret))
		return ret;
	check_equal(ret, expect || mk->present ? expect : -ENOENT);
	check_old(world, &ext.op, mk, flags, ret);
	if (!ret) {
		check_equal(ext.op.version, mk->version);
		model_remove(&world->model, mk);
	}
	return ret;
}

/**
 * world_add - ADD
 * @world: the world
 * @key: the key
 * @key_len: its length
 * @delta: what to add
 * @flags: KMAP_CREATE and KMAP_REPLACE
 *
 * Return: what ADD returned.
 */
int world_add(struct world *world, const void *key, u32 key_len, s64 delta,
	      u32 flags)
{
	struct model_key *mk = model_find(&world->model, key, key_len);
	int ret, expect = condition(world, mk, flags, 0, 0);
	u32 hash = shmap_key_hash(world->map, key, key_len);
	bool full = chain_full(world, hash);
	struct kmap_op_ext ext;
	s64 sum = 0;

	if (!expect && mk->present) {
		if (!mk->number) {
			expect = -EDOM;
		} else {
			memcpy(&sum, mk->value, sizeof(sum));
			if (delta >= 0 ? sum > INT64_MAX - delta :
					 sum < INT64_MIN - delta)
				expect = -ERANGE;
		}
	} else if (!expect && world->map->config.max_value < sizeof(sum)) {
		expect = -EFBIG;
	}
	request(world, &ext, key, key_len, flags, 0);
	ext.op.number = delta;
	ret = send(world, KMAP_OP_ADD, &ext);
	if (excused(world, hash, model_bytes(key_len, sizeof(sum)), ret))
		return ret;
	if (expect)
		check_equal(ret, expect);
	else if (mk->present)
		check_equal(ret, 0);
	else
		check_limits(world, mk, hash, sizeof(sum), full, ret);
	if (ret == -EEXIST)
		check_equal(ext.op.version, mk->version);
	if (ret)
		return ret;
	sum += delta;
	check_equal(ext.op.number, sum);
	model_set(&world->model, mk, &sum, sizeof(sum), true, ext.op.version);
	return 0;
}
