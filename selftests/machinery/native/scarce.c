// SPDX-License-Identifier: GPL-2.0-only
/*
 * Threads that do everything at once on a map where everything is scarce: entries,
 * bytes, what may be kept for snapshots, memory.  Values are whole, what comes back is
 * what was there, and when all are done nothing is lost and nothing is left over.
 */
#include <pthread.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <linux/err.h>

#include "clear.h"
#include "inspect.h"
#include "key.h"
#include "map.h"
#include "shim.h"
#include "snapshot.h"
#include "test.h"
#include "walk.h"

#define WRITERS		4
#define READERS		3
#define ACTORS		(WRITERS + READERS + 1)
#define KEYS		60
#define LONGEST		40000u
#define COUNT_LEN	(SHMAP_PIECE + 808)
#define MAX_BYTES	(1u << 20)
#define MAX_ENTRIES	48u

struct actor {
	struct shmap_map	*map;
	pthread_t		thread;
	unsigned int		number;
	u32			random;
	u8			out[LONGEST];
	u8			expected[LONGEST];
};

static bool stop;
static u32 rounds;
static unsigned long long counts[16];
static bool scarce_memory;

static u32 draw(struct actor *actor, u32 n)
{
	actor->random = actor->random * 1664525 + 1013904223;
	return (u64)(actor->random >> 8) * n >> 24;
}

static u32 draw_len(struct actor *actor)
{
	switch (draw(actor, 8)) {
	case 0:
		return draw(actor, LONGEST + 1);
	case 1:
		return 20000;
	case 2:
		return 0;
	default:
		return 9 + draw(actor, 300);
	}
}

/* All bytes of a value are the same, but for numbers. */
static void check_value(const struct shmap_request *rq, const u8 *value)
{
	u32 i;

	if (rq->out_len == KMAP_ABSENT)
		return;
	check(rq->out_len <= LONGEST);
	if (rq->out_flags & KMAP_IS_NUMBER) {
		check_equal(rq->out_len, 8);
		return;
	}
	for (i = 1; i < rq->out_len; i++)
		check_equal(value[i], value[0]);
}

static void request(struct actor *actor, struct shmap_request *rq, u8 *key)
{
	*key = draw(actor, KEYS);
	*rq = (struct shmap_request) {
		.key = key, .key_len = 1,
		.hash = shmap_key_hash(actor->map, key, 1),
		.out = actor->out, .out_room = LONGEST, .out_size = LONGEST,
		.expected = actor->expected,
	};
}

static bool usual(int ret)
{
	switch (ret) {
	case 0:
	case -ENOENT:
	case -EEXIST:
	case -ESTALE:
	case -EDOM:
	case -ENOSPC:
		return true;
	case -ENOMEM:
		return scarce_memory;
	default:
		return false;
	}
}

static void judge(struct actor *actor, struct shmap_request *rq, int ret,
		  unsigned int what)
{
	if (!usual(ret))
		test_fail(__FILE__, __LINE__, "operation %u: %d", what, ret);
	__atomic_add_fetch(&counts[ret ? 8 + what : what], 1, __ATOMIC_RELAXED);
	if (rq->flags & KMAP_RETURN && (!ret || ret == -EEXIST || ret == -ESTALE))
		check_value(rq, actor->out);
	shmap_key_discard(actor->map, rq);
}

static void expect_something(struct actor *actor, struct shmap_request *rq)
{
	/* What another GET found. */
	struct shmap_request get = *rq;

	get.flags = 0;
	get.out = actor->expected;
	rq->expected_len = 0;
	if (!shmap_key_get(actor->map, &get))
		rq->expected_len = get.out_len;
}

static void do_set(struct actor *actor)
{
	static const u32 conditions[] = { 0, 0, KMAP_CREATE, KMAP_REPLACE,
					  KMAP_EQUAL, KMAP_EQUAL };
	struct shmap_request rq;
	bool number = !draw(actor, 6);
	u32 len = number ? 8 : draw_len(actor);
	u8 key;
	int ret;

	request(actor, &rq, &key);
	rq.flags = conditions[draw(actor, ARRAY_SIZE(conditions))];
	if (rq.flags & KMAP_EQUAL)
		expect_something(actor, &rq);
	if (draw(actor, 2))
		rq.flags |= KMAP_RETURN;
	ret = shmap_key_prepare(actor->map, &rq, len, number ? KMAP_IS_NUMBER : 0);
	if (ret) {
		rq.flags = 0;
		judge(actor, &rq, ret, 0);
		return;
	}
	memset(shmap_entry_value(rq.fresh.entry), number ? 0 : draw(actor, 256),
	       len);
	if (!rq.flags) {
		ret = shmap_key_set_plain(actor->map,
					  shmap_map_shard(actor->map, rq.hash),
					  &rq);
		judge(actor, &rq, ret, 1);
	} else {
		judge(actor, &rq, shmap_key_set(actor->map, &rq), 2);
	}
}

static void do_delete(struct actor *actor)
{
	struct shmap_request rq;
	u8 key;
	int ret;

	request(actor, &rq, &key);
	if (!draw(actor, 3)) {
		ret = shmap_key_delete_plain(actor->map,
					     shmap_map_shard(actor->map, rq.hash),
					     &rq);
		judge(actor, &rq, ret, 3);
		return;
	}
	if (draw(actor, 2)) {
		rq.flags = KMAP_EQUAL;
		expect_something(actor, &rq);
	}
	if (draw(actor, 2))
		rq.flags |= KMAP_RETURN;
	judge(actor, &rq, shmap_key_delete(actor->map, &rq), 4);
}

static void do_add(struct actor *actor)
{
	struct shmap_request rq;
	u8 key;

	request(actor, &rq, &key);
	rq.number = 1;
	judge(actor, &rq, shmap_key_add(actor->map, &rq), 5);
}

static void *write_keys(void *arg)
{
	struct actor *actor = arg;
	u64 removed;
	u32 i;
	int ret;

	shim_set_cpu(actor->number % 4);
	for (i = 0; i < rounds; i++) {
		switch (draw(actor, 32)) {
		case 0:
			if (draw(actor, 8))
				break;
			ret = shmap_clear_run(actor->map, &removed);
			check(!ret || (ret == -ENOMEM && scarce_memory));
			break;
		case 1 ... 8:
			do_delete(actor);
			break;
		case 9 ... 16:
			do_add(actor);
			break;
		default:
			do_set(actor);
		}
	}
	return NULL;
}

static u32 check_records(const u8 *buf, size_t used)
{
	bool seen[KEYS] = { false };
	size_t at;
	u32 i, n = 0;

	for (at = 0; at < used; n++) {
		const struct kmap_item *item = (void *)buf + at;
		const u8 *key = (void *)(item + 1), *value = key + 1;

		check(item->version);
		at += KMAP_ITEM_SIZE(item->key_len, item->value_len);
		if (item->key_len != 1)
			continue;
		check(*key < KEYS && !seen[*key]);
		seen[*key] = true;
		if (item->flags & KMAP_IS_NUMBER)
			continue;
		for (i = 1; i < item->value_len; i++)
			check_equal(value[i], value[0]);
	}
	check_equal(at, used);
	check(n <= MAX_ENTRIES);
	return n;
}

static void *read_snapshots(void *arg)
{
	struct actor *actor = arg;
	size_t size = 4 * MAX_BYTES, used, part;
	u8 *buf = malloc(size);
	struct shmap_snapshot *snap;
	ssize_t n = 0;

	shim_set_cpu(actor->number % 4);
	current->uid = actor->number;
	while (!READ_ONCE(stop)) {
		snap = shmap_snapshot_begin(actor->map, true);
		if (IS_ERR(snap)) {
			check(PTR_ERR(snap) == -ENOMEM && scarce_memory);
			continue;
		}
		for (used = 0;; used += n) {
			part = 1 + draw(actor, SHMAP_PIECE);
			n = shmap_snapshot_read(snap, buf + used, part);
			if (n <= 0)
				break;
			if (actor->number & 1)
				sched_yield();
		}
		check(!n || n == -ENOBUFS);
		if (!n) {
			check_equal(check_records(buf, used), snap->count);
			__atomic_add_fetch(&counts[6], 1, __ATOMIC_RELAXED);
		} else {
			__atomic_add_fetch(&counts[7], 1, __ATOMIC_RELAXED);
		}
		shmap_snapshot_end(snap);
	}
	free(buf);
	return NULL;
}

static void *starve(void *arg)
{
	struct actor *actor = arg;

	while (!READ_ONCE(stop)) {
		shim_fail_from(1);
		sched_yield();
		shim_fail_from(0);
		sched_yield();
		shim_work_pass(draw(actor, 200));
	}
	shim_fail_from(0);
	return NULL;
}

/* Count in a long value, by comparing and replacing it. */
static void *count_up(void *arg)
{
	struct actor *actor = arg;
	struct shmap_request rq;
	u32 i;
	int ret;

	shim_set_cpu(actor->number % 4);
	for (i = 0; i < rounds; i++) {
		do {
			rq = (struct shmap_request) {
				.key = "count", .key_len = 5,
				.hash = shmap_key_hash(actor->map, "count", 5),
				.out = actor->expected,
				.out_room = COUNT_LEN, .out_size = COUNT_LEN,
			};
			check_equal(shmap_key_get(actor->map, &rq), 0);
			check_equal(shmap_key_prepare(actor->map, &rq, COUNT_LEN,
						      0), 0);
			memcpy(shmap_entry_value(rq.fresh.entry),
			       actor->expected, COUNT_LEN);
			/* What differs is in the last piece. */
			++*(u64 *)(shmap_entry_value(rq.fresh.entry) +
				   COUNT_LEN - 8);
			rq.flags = KMAP_EQUAL | (i & 1 ? KMAP_RETURN : 0);
			rq.expected = actor->expected;
			rq.expected_len = COUNT_LEN;
			rq.out = actor->out;
			ret = shmap_key_set(actor->map, &rq);
			check(!ret || ret == -ESTALE);
			if (!ret && i & 1)
				check(!memcmp(actor->out, actor->expected,
					      COUNT_LEN));
			shmap_key_discard(actor->map, &rq);
		} while (ret);
	}
	return NULL;
}

static void start(struct actor *actors, unsigned int from, unsigned int n,
		  void *(*function)(void *arg))
{
	for (; n--; from++)
		check(!pthread_create(&actors[from].thread, NULL, function,
				      &actors[from]));
}

/* Can everything that the limits allow be stored? */
static void fill(struct shmap_map *map)
{
	struct shmap_request rq;
	u16 key;

	for (key = 0; key <= MAX_ENTRIES; key++) {
		rq = (struct shmap_request) {
			.key = &key, .key_len = 2,
			.hash = shmap_key_hash(map, &key, 2), .number = 1,
		};
		check_equal(shmap_key_add(map, &rq),
			    key < MAX_ENTRIES ? 0 : -ENOSPC);
		shmap_key_discard(map, &rq);
	}
}

static struct shmap_map *make(const struct test *test)
{
	const struct shmap_config config = {
		.lock		= shmap_lock_find(test->lock),
		.shards		= test->shards,
		.max_entries	= MAX_ENTRIES,
		.max_bytes	= MAX_BYTES,
		.max_key	= 64,
		.max_value	= LONGEST,
		.wipe		= test->setting,
	};
	struct shmap_map *map;

	rounds = test_number("ROUNDS", 2000);
	shim_rcu_by_hand(false);
	map = shmap_map_create(&config);
	check(!IS_ERR(map));
	return map;
}

static struct actor *hire(struct shmap_map *map)
{
	struct actor *actors = calloc(ACTORS, sizeof(*actors));
	unsigned int i;

	check(actors);
	for (i = 0; i < ACTORS; i++) {
		actors[i].map = map;
		actors[i].number = i;
		actors[i].random = i * 7919 + test_number("SEED", 1);
	}
	return actors;
}

static void all(const struct test *test)
{
	struct shmap_map *map = make(test);
	struct actor *actors = hire(map);
	struct kmap_info info = { 0 };
	unsigned int i;
	u64 removed;

	scarce_memory = test->setting;
	start(actors, 0, WRITERS, write_keys);
	start(actors, WRITERS, READERS, read_snapshots);
	if (scarce_memory)
		start(actors, WRITERS + READERS, 1, starve);
	for (i = 0; i < WRITERS; i++)
		pthread_join(actors[i].thread, NULL);
	WRITE_ONCE(stop, true);
	for (; i < WRITERS + READERS + scarce_memory; i++)
		pthread_join(actors[i].thread, NULL);
	printf("# done: %llu set, %llu if, %llu del, %llu if, %llu add\n",
	       counts[1], counts[2], counts[3], counts[4], counts[5]);
	printf("# refused: %llu set, %llu if, %llu del, %llu if, %llu add\n",
	       counts[8] + counts[9], counts[10], counts[11], counts[12],
	       counts[13]);
	printf("# snapshots %llu, fallen %llu\n", counts[6], counts[7]);
	check_equal(map->cuts.kept, 0);
	check_equal(map->cuts.n, 0);
	inspect_map(map);
	check(!shmap_clear_run(map, &removed));
	shmap_map_info(map, &info);
	check_equal(info.entries, 0);
	check_equal(info.bytes, 0);
	fill(map);
	inspect_map(map);
	shmap_map_put(map);
	check_equal(shim_bytes_out(), 0);
	free(actors);
}

static void swaps(const struct test *test)
{
	struct shmap_map *map = make(test);
	struct actor *actors = hire(map);
	struct shmap_request rq = {
		.key = "count", .key_len = 5,
		.hash = shmap_key_hash(map, "count", 5),
		.out = actors->out, .out_room = LONGEST, .out_size = LONGEST,
	};
	unsigned int i;

	check_equal(shmap_key_prepare(map, &rq, COUNT_LEN, 0), 0);
	memset(shmap_entry_value(rq.fresh.entry), 0, COUNT_LEN);
	check_equal(shmap_key_set(map, &rq), 0);
	start(actors, 0, WRITERS, count_up);
	start(actors, WRITERS, 1, read_snapshots);
	for (i = 0; i < WRITERS; i++)
		pthread_join(actors[i].thread, NULL);
	WRITE_ONCE(stop, true);
	pthread_join(actors[i].thread, NULL);
	rq.flags = 0;
	check_equal(shmap_key_get(map, &rq), 0);
	check_equal(*(u64 *)(actors->out + COUNT_LEN - 8),
		    (u64)rounds * WRITERS);
	inspect_map(map);
	shmap_map_put(map);
	check_equal(shim_bytes_out(), 0);
	free(actors);
}

int main(int argc, char **argv)
{
	static const struct test tests[] = {
		{ "spinlock_1", .play = all, .lock = "spinlock", .shards = 1 },
		{ "spinlock_8", .play = all, .lock = "spinlock", .shards = 8 },
		{ "rwsem_1", .play = all, .lock = "rwsem", .shards = 1 },
		{ "rwsem_8", .play = all, .lock = "rwsem", .shards = 8 },
		{ "rcu_1", .play = all, .lock = "rcu", .shards = 1 },
		{ "rcu_8", .play = all, .lock = "rcu", .shards = 8 },
		{ "spinlock_swaps", .play = swaps, .lock = "spinlock",
		  .shards = 1 },
		{ "rwsem_swaps", .play = swaps, .lock = "rwsem", .shards = 1 },
		{ "rcu_swaps", .play = swaps, .lock = "rcu", .shards = 1 },
		{ "spinlock_starved", .play = all, .lock = "spinlock",
		  .shards = 4, .setting = "" },
		{ "rwsem_starved", .play = all, .lock = "rwsem", .shards = 4,
		  .setting = "" },
		{ "rcu_starved", .play = all, .lock = "rcu", .shards = 4,
		  .setting = "" },
	};

	return test_main(argc, argv, tests, ARRAY_SIZE(tests));
}
