// SPDX-License-Identifier: GPL-2.0-only
/*
 * Operations on one key, on a map and its model.  Of each it is said beforehand
 * what it should return, and afterwards everything that it returned is looked
 * at.  What the module's ops.c does around them is done here as well.
 */
#include <stdlib.h>
#include <string.h>

#include <linux/err.h>

#include "chain.h"
#include "entry.h"
#include "inspect.h"
#include "shim.h"
#include "test.h"
#include "world.h"

/* So small that values often need the larger buffer. */
#define FIRST_ROOM	24u

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
	if (IS_ERR(world->map)) {
		check_equal(PTR_ERR(world->map), -ENOMEM);
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
	shmap_map_put(world->map);
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
	check_equal(info.memory, world->map->mem.bytes.counter +
		    sizeof(*world->map));
	for (i = 0; i < config->shards; i++) {
		buckets += world->map->shard[i].table.desc->buckets;
		deferred += world->map->shard[i].defer.bytes;
	}
	check_equal(info.buckets, buckets);
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

/* What is the map to return, where that is about an old value? */
static void expect_value(const struct shmap_request *rq,
			 const struct model_key *key)
{
	check_equal(rq->out_len, key->value_len);
	check_equal(rq->out_flags, key->number ? KMAP_IS_NUMBER : 0);
	check(!memcmp(rq->out, key->value, key->value_len));
}

static int run(struct world *world, struct shmap_request *rq,
	       int (*function)(struct shmap_map *map, struct shmap_request *rq))
{
	void *room = NULL;
	int r;

	rq->out = world->value;
	rq->out_room = min(FIRST_ROOM, world->map->config.max_value);
	for (;;) {
		r = function(world->map, rq);
		if (r != -ENOBUFS)
			break;
		check(!room && rq->out_len > rq->out_room);
		check(rq->out_len <= rq->out_size);
		/* Exactly as large as it needs to be. */
		room = malloc(rq->out_len);
		check(room);
		rq->out = room;
		rq->out_room = rq->out_len;
		world->enlarged++;
	}
	if (room && r != -EMSGSIZE)
		memcpy(world->value, room, rq->out_len == KMAP_ABSENT ? 0 :
		       rq->out_len);
	rq->out = world->value;
	free(room);
	return r;
}

/* What a change returns because of its conditions alone. */
static int condition(const struct world *world, const struct model_key *key,
		     u32 flags, u64 version, u32 out_size)
{
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
static void check_old(const struct shmap_request *rq,
		      const struct model_key *key, u32 flags, int r)
{
	if (r == -EEXIST || r == -ESTALE)
		check_equal(rq->version, key->version);
	if (!(flags & KMAP_RETURN))
		return;
	if (r == -EMSGSIZE)
		check_equal(rq->out_len, key->value_len);
	else if ((!r || r == -EEXIST || r == -ESTALE) && key->present)
		expect_value(rq, key);
	else if (!r)
		check_equal(rq->out_len, KMAP_ABSENT);
}

/*
 * A change that the conditions allow returned an error: only when a limit says
 * so, and never without one.  @full: the key's chain was full before.
 */
static int check_limits(struct world *world, const struct model_key *key,
			const struct shmap_request *rq, u32 value_len,
			bool full, int r)
{
	const struct shmap_config *config = &world->map->config;
	const struct shmap_shard *shard = shmap_map_shard(world->map,
							  rq->hash);
	u32 size = model_bytes(key->key_len, value_len);
	u64 bytes = world->model.bytes + size;

	if (r == -ENOMEM && world->failing) {
		world->no_memory++;
		return r;
	}
	if (key->present)
		bytes -= key->bytes;
	if (!key->present && world->model.entries == config->max_entries) {
		check_equal(r, -ENOSPC);
		world->refused.entries++;
	} else if (bytes > config->max_bytes) {
		check_equal(r, -ENOSPC);
		world->refused.bytes++;
	} else if (!key->present && full) {
		check_equal(r, -EXFULL);
		world->refused.chain++;
	} else if (r == -EXFULL) {
		check(!key->present);
		check(!shmap_chain_spare(&shard->table.chains));
		check_equal(shard->table.chains.over_backed,
			    shard->table.chains.over_end);
		world->refused.overflow++;
	} else if (r == -ENOSPC) {
		check(inspect_no_room(world->map, &shard->arena, size));
		world->refused.area++;
	} else {
		check_equal(r, 0);
	}
	return r;
}

static bool chain_full(const struct world *world, u32 hash)
{
	return inspect_chain(world->map, hash) == SHMAP_CHAIN_SLOTS;
}

static void request(struct world *world, struct shmap_request *rq,
		    const void *key, u32 key_len, u32 flags, u32 out_size)
{
	memset(rq, 0, sizeof(*rq));
	rq->key = key;
	rq->key_len = key_len;
	rq->hash = shmap_key_hash(world->map, key, key_len);
	rq->flags = flags;
	rq->expected = world->expected;
	rq->expected_len = world->expected_len;
	rq->version = POISON;
	rq->out_size = out_size;
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
	struct shmap_request rq;
	s64 number = 0;
	int r;

	request(world, &rq, key, key_len, 0, out_size);
	r = run(world, &rq, shmap_key_get);
	if (!mk->present) {
		check_equal(r, -ENOENT);
		return r;
	}
	check_equal(r, mk->value_len > out_size ? -EMSGSIZE : 0);
	check_equal(rq.version, mk->version);
	check_equal(rq.out_len, mk->value_len);
	if (mk->number)
		memcpy(&number, mk->value, sizeof(number));
	check_equal(rq.number, number);
	if (!r)
		expect_value(&rq, mk);
	return r;
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
	int r, expect = condition(world, mk, flags, version, out_size);
	struct shmap_request rq;
	bool full;

	request(world, &rq, key, key_len, flags, out_size);
	rq.version = version;
	r = shmap_key_prepare(world->map, &rq, value_len,
			      flags & KMAP_NUMBER ? KMAP_IS_NUMBER : 0);
	if (r) {
		/* Whatever the conditions say, there is no entry to be had. */
		check(!rq.fresh.entry);
		if (r == -ENOMEM)
			check(world->failing);
		else
			check(inspect_no_room(world->map,
					      &shmap_map_shard(world->map,
							       rq.hash)->arena,
					      model_bytes(key_len, value_len)));
		world->no_memory += r == -ENOMEM;
		world->refused.area += r == -ENOSPC;
		world->refused.early += r == -ENOSPC &&
			world->model.entries < world->map->config.max_entries &&
			world->model.bytes + model_bytes(key_len, value_len) <=
			world->map->config.max_bytes;
		return r;
	}
	memcpy(shmap_entry_value(rq.fresh.entry), value, value_len);
	full = chain_full(world, rq.hash);
	r = run(world, &rq, shmap_key_set);
	if (expect)
		check_equal(r, expect);
	else
		check_limits(world, mk, &rq, value_len, full, r);
	check_old(&rq, mk, flags, r);
	check_equal(!rq.fresh.entry, !r);
	shmap_key_discard(world->map, &rq);
	if (!r)
		model_set(&world->model, mk, value, value_len,
			  flags & KMAP_NUMBER, rq.version);
	return r;
}

/**
 * world_delete - DELETE
 * @world: the world
 * @key: the key
 * @key_len: its length
 * @flags: KMAP_MATCH and KMAP_RETURN
 * @version: for KMAP_MATCH
 * @out_size: longest value to take with KMAP_RETURN
 *
 * Return: what DELETE returned.
 */
int world_delete(struct world *world, const void *key, u32 key_len, u32 flags,
		 u64 version, u32 out_size)
{
	struct model_key *mk = model_find(&world->model, key, key_len);
	int r, expect = mk->present ? condition(world, mk, flags, version, out_size) :
				      -ENOENT;
	struct shmap_request rq;

	request(world, &rq, key, key_len, flags, out_size);
	rq.version = version;
	r = run(world, &rq, shmap_key_delete);
	check_equal(r, expect);
	check_old(&rq, mk, flags, r);
	if (!r) {
		check_equal(rq.version, mk->version);
		model_remove(&world->model, mk);
	}
	return r;
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
	int r, expect = condition(world, mk, flags, 0, 0);
	struct shmap_request rq;
	s64 sum = 0;
	bool full;

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
	request(world, &rq, key, key_len, flags, 0);
	rq.number = delta;
	full = chain_full(world, rq.hash);
	r = run(world, &rq, shmap_key_add);
	shmap_key_discard(world->map, &rq);
	if (expect)
		check_equal(r, expect);
	else if (mk->present)
		check_equal(r, 0);
	else
		check_limits(world, mk, &rq, sizeof(sum), full, r);
	if (r == -EEXIST)
		check_equal(rq.version, mk->version);
	if (r)
		return r;
	sum += delta;
	check_equal(rq.number, sum);
	model_set(&world->model, mk, &sum, sizeof(sum), true, rq.version);
	return 0;
}
