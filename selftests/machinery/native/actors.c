// SPDX-License-Identifier: GPL-2.0-only
/*
 * Threads that work on one map, and the keys that they use: a letter for the
 * kind, then a number.
 *
 * A value says which key it is of and how long it is, in each of its words: what
 * is torn, or of another key, shows.  The map wipes what is freed, so that
 * memory that is used again too early is a race, and shows as well.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <linux/err.h>

#include "actors.h"
#include "entry.h"
#include "inspect.h"
#include "shim.h"
#include "snapshot.h"
#include "test.h"
#include "walk.h"

/**
 * stage_make - make a map with the keys that stay
 * @stage: to be made, zeroed
 * @lock: name of the lock mode
 * @shards: number of shards
 */
void stage_make(struct stage *stage, const char *lock, unsigned int shards)
{
	const struct shmap_config config = {
		.lock		= shmap_lock_find(lock),
		.shards		= shards,
		.max_entries	= 2000,
		.max_bytes	= 16 << 20,
		.max_key	= ACTOR_KEY,
		.max_value	= 4096,
		.wipe		= true,
	};
	char key[ACTOR_KEY];
	u32 i;

	shim_rcu_by_hand(false);
	stage->map = shmap_map_create(&config);
	check(!IS_ERR(stage->map));
	stage->rounds = test_number("ROUNDS", 8000);
	for (i = 0; i < STAYING; i++)
		check_equal(actor_put(stage->map, key, actor_key(key, 's', i),
				      80, 0), 0);
	for (i = 0; i < COUNTERS; i++)
		actor_add(stage->map, key, actor_key(key, 'n', i), 0);
}

/**
 * stage_unmake - look at all of the map, and destroy it
 * @stage: the stage; all threads are gone
 */
void stage_unmake(struct stage *stage)
{
	inspect_map(stage->map);
	shmap_map_put(stage->map);
	check_equal(shim_bytes_out(), 0);
}

/**
 * actors_start - start threads
 * @stage: where
 * @actors: all of the test's
 * @from: the first to start
 * @n: how many
 * @function: what they do; its argument is the struct actor
 */
void actors_start(struct stage *stage, struct actor *actors, unsigned int from,
		  unsigned int n, void *(*function)(void *arg))
{
	unsigned int i;

	for (i = from; i < from + n; i++) {
		actors[i].stage = stage;
		actors[i].number = i;
		actors[i].random = 12345 + 777 * i + test_number("SEED", 1);
		check(!pthread_create(&actors[i].thread, NULL, function,
				      &actors[i]));
	}
}

/**
 * actors_join - wait for threads
 * @actors: all of the test's
 * @from: the first to wait for
 * @n: how many
 */
void actors_join(struct actor *actors, unsigned int from, unsigned int n)
{
	unsigned int i;

	for (i = from; i < from + n; i++)
		check(!pthread_join(actors[i].thread, NULL));
}

/**
 * actor_draw - a random number (xorshift)
 * @actor: whose
 * @n: less than this
 *
 * Return: the number.
 */
u32 actor_draw(struct actor *actor, u32 n)
{
	actor->random ^= actor->random << 13;
	actor->random ^= actor->random >> 17;
	actor->random ^= actor->random << 5;
	return actor->random % n;
}

/**
 * actor_value_len - a random length of a value, most of them short
 * @actor: whose
 *
 * Return: bytes, a multiple of 8.
 */
u32 actor_value_len(struct actor *actor)
{
	return 8 * actor_draw(actor, actor_draw(actor, 8) ? 20 : 500);
}

/**
 * actor_key - spell a key
 * @key: where to; ACTOR_KEY bytes
 * @kind: of the key
 * @i: its number
 *
 * Return: its length.
 */
u32 actor_key(char *key, char kind, u32 i)
{
	return sprintf(key, "%c%u", kind, i);
}

static void request(struct shmap_map *map, struct shmap_request *rq,
		    const char *key, u32 len)
{
	memset(rq, 0, sizeof(*rq));
	rq->key = key;
	rq->key_len = len;
	rq->hash = shmap_key_hash(map, key, len);
}

static u64 word_of(u32 hash, u32 len)
{
	return ((u64)hash << 32 | len) * 0x9e3779b97f4a7c15ull | 1;
}

/**
 * actor_check - is this a whole value of the key?
 * @hash: of the key
 * @value: the value
 * @len: its length
 */
void actor_check(u32 hash, const void *value, u32 len)
{
	u32 i;
	u64 word;

	check(len % 8 == 0);
	for (i = 0; i < len; i += 8) {
		memcpy(&word, value + i, 8);
		check(word == word_of(hash, len));
	}
}

/**
 * actor_put - SET
 * @map: the map
 * @key: the key
 * @key_len: its length
 * @len: length of the value
 * @flags: KMAP_CREATE and so on
 *
 * Return: what SET returned.
 */
int actor_put(struct shmap_map *map, const char *key, u32 key_len, u32 len,
	      u32 flags)
{
	struct shmap_request rq;
	u64 word, *at;
	u32 i;
	int ret;

	request(map, &rq, key, key_len);
	rq.flags = flags;
	ret = shmap_key_prepare(map, &rq, len, 0);
	if (ret)
		return ret;
	word = word_of(rq.hash, len);
	at = shmap_entry_value(rq.fresh.entry);
	for (i = 0; i < len / 8; i++)
		at[i] = word;
	ret = shmap_key_set(map, &rq);
	shmap_key_discard(map, &rq);
	return ret;
}

/**
 * actor_get - GET
 * @map: the map
 * @key: the key
 * @key_len: its length
 *
 * Return: what GET returned; the value is all right.
 */
int actor_get(struct shmap_map *map, const char *key, u32 key_len)
{
	struct shmap_request rq;
	u8 buf[4096];
	int ret;

	request(map, &rq, key, key_len);
	rq.out = buf;
	rq.out_room = sizeof(buf);
	rq.out_size = sizeof(buf);
	ret = shmap_key_get(map, &rq);
	if (ret)
		return ret;
	check(rq.version);
	actor_check(rq.hash, buf, rq.out_len);
	return 0;
}

/**
 * actor_take - DELETE that returns the value
 * @map: the map
 * @key: the key
 * @key_len: its length
 *
 * Return: what DELETE returned; the value is all right.
 */
int actor_take(struct shmap_map *map, const char *key, u32 key_len)
{
	struct shmap_request rq;
	u8 buf[4096];
	int ret;

	request(map, &rq, key, key_len);
	rq.flags = KMAP_RETURN;
	rq.out = buf;
	rq.out_room = sizeof(buf);
	rq.out_size = sizeof(buf);
	ret = shmap_key_delete(map, &rq);
	if (!ret)
		actor_check(rq.hash, buf, rq.out_len);
	return ret;
}

/**
 * actor_add - ADD
 * @map: the map
 * @key: the key
 * @key_len: its length
 * @delta: what to add
 *
 * Return: the sum.
 */
s64 actor_add(struct shmap_map *map, const char *key, u32 key_len, s64 delta)
{
	struct shmap_request rq;

	request(map, &rq, key, key_len);
	rq.number = delta;
	check_equal(shmap_key_add(map, &rq), 0);
	shmap_key_discard(map, &rq);
	return rq.number;
}

/**
 * actor_number - GET a number
 * @map: the map
 * @key: the key, present
 * @key_len: its length
 * @version: set to its version
 *
 * Return: the number.
 */
s64 actor_number(struct shmap_map *map, const char *key, u32 key_len,
		 u64 *version)
{
	struct shmap_request rq;
	s64 copy;

	request(map, &rq, key, key_len);
	rq.out = &copy;
	rq.out_room = sizeof(copy);
	rq.out_size = sizeof(copy);
	check_equal(shmap_key_get(map, &rq), 0);
	check_equal(rq.out_len, sizeof(copy));
	check_equal(copy, rq.number);
	*version = rq.version;
	return copy;
}

/**
 * actor_snapshot - take a snapshot, with values
 * @map: the map
 * @records: filled in
 *
 * Return: 0, or -ENOBUFS when it was ended because others changed too much; then
 * there are no records.
 */
int actor_snapshot(struct shmap_map *map, struct actor_records *records)
{
	struct shmap_snapshot *snap = shmap_snapshot_begin(map, true);
	ssize_t n;

	check(!IS_ERR(snap));
	memset(records, 0, sizeof(*records));
	do {
		records->buf = realloc(records->buf,
				       records->used + SHMAP_PIECE);
		check(records->buf);
		n = shmap_snapshot_read(snap, records->buf + records->used,
					SHMAP_PIECE);
		if (n > 0)
			records->used += n;
		sched_yield();
	} while (n > 0);
	records->count = snap->count;
	shmap_snapshot_end(snap);
	if (!n)
		return 0;
	check_equal(n, -ENOBUFS);
	free(records->buf);
	return -ENOBUFS;
}
