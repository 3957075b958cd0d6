// SPDX-License-Identifier: GPL-2.0-only
/*
 * What is bounded: a copy in pieces while the value changes, a wait that a fatal
 * signal ends, and the time until a removed value is gone.
 */
#include <pthread.h>
#include <sched.h>
#include <stdlib.h>
#include <string.h>

#include <linux/jiffies.h>

#include "clear.h"
#include "entry.h"
#include "inspect.h"
#include "read.h"
#include "shim.h"
#include "space.h"
#include "test.h"
#include "world.h"

#define LONG_LEN	(5 * SHMAP_PIECE + 7)

static void make(struct world *world, const char *lock, bool wipe)
{
	const struct shmap_config config = {
		.lock		= shmap_lock_find(lock),
		.shards		= 2,
		.max_entries	= 1000,
		.max_bytes	= 8 << 20,
		.max_key	= 64,
		.max_value	= LONG_LEN,
		.wipe		= wipe,
	};

	shim_rcu_by_hand(true);
	world_make(world, &config);
}

static void request(struct world *world, struct shmap_request *rq,
		    const char *key)
{
	*rq = (struct shmap_request) {
		.key		= key,
		.key_len	= strlen(key),
		.hash		= shmap_key_hash(world->map, key, strlen(key)),
		.out		= world->value,
		.out_room	= LONG_LEN,
		.out_size	= LONG_LEN,
	};
}

/* A value that is one byte again and again. */
static u64 put(struct shmap_map *map, struct shmap_request *rq, u8 byte)
{
	check_equal(shmap_key_prepare(map, rq, LONG_LEN, 0), 0);
	memset(shmap_entry_value(rq->fresh.entry), byte, LONG_LEN);
	check_equal(shmap_key_set(map, rq), 0);
	return rq->version;
}

static u8 expected[LONG_LEN];

/* What another thread does between two pieces, so often. */
static struct shmap_map *meddled;
static unsigned int meddle, meddled_n;
static bool removes;
/* It does so every other time only, from the first on. */
static bool rests;
static unsigned int moment;
static u64 version_of[256];

static void change(void)
{
	struct shmap_request rq = {
		.key = "key", .key_len = 3,
		.hash = shmap_key_hash(meddled, "key", 3),
	};

	if (!meddle || (rests && moment++ % 2))
		return;
	meddle--;
	shim_relax = NULL;
	if (removes && !meddle) {
		check_equal(shmap_key_delete(meddled, &rq), 0);
	} else {
		meddled_n++;
		version_of[meddled_n] = put(meddled, &rq, meddled_n);
	}
	shim_relax = change;
}

/* All of one value, and the version that this value had. */
static void check_whole(const struct shmap_request *rq, const u8 *value)
{
	u32 i;

	check_equal(rq->out_len, LONG_LEN);
	for (i = 0; i < LONG_LEN; i++)
		check_equal(value[i], value[0]);
	check_equal(rq->version, version_of[value[0]]);
}

static void start(struct world *world, struct shmap_request *rq,
		  unsigned int changes)
{
	request(world, rq, "key");
	meddled = world->map;
	meddled_n = 0;
	meddle = 0;
	moment = 0;
	version_of[0] = put(world->map, rq, 0);
	request(world, rq, "key");
	meddle = changes;
}

/* However often the value changes while it is copied, one of them comes back. */
static void pieces(const struct test *test)
{
	struct shmap_request rq;
	struct world world;
	unsigned int n;

	make(&world, test->lock, false);
	for (n = 0; n < 3 * SHMAP_TRIES; n++) {
		removes = false;
		shim_relax = change;
		start(&world, &rq, n);
		check_equal(shmap_key_get(world.map, &rq), 0);
		check_whole(&rq, world.value);
		/* Who started over so often, copied all at once. */
		check(meddled_n <= SHMAP_TRIES);
		check(n > SHMAP_TRIES || meddled_n == n);

		/* Refused, with what there is. */
		start(&world, &rq, n);
		check_equal(shmap_key_prepare(world.map, &rq, 1, 0), 0);
		rq.flags = KMAP_CREATE | KMAP_RETURN;
		check_equal(shmap_key_set(world.map, &rq), -EEXIST);
		check_whole(&rq, world.value);
		shmap_key_discard(world.map, &rq);
		start(&world, &rq, n);
		rq.flags = KMAP_MATCH | KMAP_RETURN;
		rq.version = 1;
		check_equal(shmap_key_delete(world.map, &rq), -ESTALE);
		check_whole(&rq, world.value);

		/* Compared with what it was before anybody meddled. */
		start(&world, &rq, n);
		memset(expected, 0, LONG_LEN);
		rq.flags = KMAP_EQUAL;
		rq.expected = expected;
		rq.expected_len = LONG_LEN;
		check_equal(shmap_key_delete(world.map, &rq),
			    meddled_n ? -ESTALE : 0);
		check_equal(rq.version, version_of[meddled_n]);
		check_equal(meddled_n, min(n, meddled_n));

		start(&world, &rq, n);
		rq.flags = KMAP_EQUAL;
		rq.expected = expected;
		rq.expected_len = LONG_LEN;
		check_equal(shmap_key_prepare(world.map, &rq, 1, 0), 0);
		check_equal(shmap_key_set(world.map, &rq),
			    meddled_n ? -ESTALE : 0);
		if (meddled_n)
			check_equal(rq.version, version_of[meddled_n]);
		shmap_key_discard(world.map, &rq);

		/* What a change takes away is as it was. */
		start(&world, &rq, n);
		rq.flags = KMAP_RETURN;
		check_equal(shmap_key_delete(world.map, &rq), 0);
		check_whole(&rq, world.value);

		/* Gone in the middle. */
		removes = true;
		start(&world, &rq, n);
		if (n && n < SHMAP_TRIES) {
			check_equal(shmap_key_get(world.map, &rq), -ENOENT);
			check_equal(meddled_n, n - 1);
		}
		shim_relax = NULL;
	}
	world_unmake(&world);
}

/*
 * A long value is compared, is another one, and comes back because of that.  However
 * often it changes, while it is compared or while it is copied, that has an end.
 */
static void compared(const struct test *test)
{
	struct shmap_request rq;
	struct world world;
	unsigned int n, way;

	make(&world, test->lock, false);
	memset(expected, 0xff, LONG_LEN);
	removes = false;
	for (n = 0; n < 3 * SHMAP_TRIES; n++) {
		for (way = 0; way < 4; way++) {
			rests = way & 1;
			shim_relax = change;
			start(&world, &rq, n);
			check_equal(shmap_key_prepare(world.map, &rq, 1, 0), 0);
			rq.flags = KMAP_EQUAL | KMAP_RETURN;
			rq.expected = expected;
			rq.expected_len = LONG_LEN;
			check_equal(way & 2 ? shmap_key_set(world.map, &rq) :
					      shmap_key_delete(world.map, &rq),
				    -ESTALE);
			shim_relax = NULL;
			check_whole(&rq, world.value);
			/* Who started over so often, took all at once. */
			check(meddled_n <= SHMAP_TRIES + 1);
			shmap_key_discard(world.map, &rq);
		}
	}
	world_unmake(&world);
}

/* The values of a map that wait for readers, as INFO has it. */
static u64 deferred(struct shmap_map *map, u64 *most)
{
	struct kmap_info info = { 0 };

	shmap_map_info(map, &info);
	if (most)
		*most = info.deferred_max;
	return info.deferred;
}

/* A dying task waits for nobody, and what it removed is not forgotten. */
static void killed(void)
{
	struct shmap_request rq;
	struct world world;
	u64 most, before;
	unsigned int i;
	u64 removed;

	make(&world, "rcu", false);
	deferred(world.map, &most);
	shim_rcu_hold(true);
	current->killed = true;
	/* Without a wait: it would never come to an end. */
	for (i = 0; deferred(world.map, NULL) <= most; i++) {
		request(&world, &rq, "key");
		put(world.map, &rq, i);
	}
	/* No memory to note it in, and no time to wait. */
	check_equal(shmap_space_squeeze(world.map, true), -EINTR);
	before = deferred(world.map, NULL);
	request(&world, &rq, "key");
	shim_fail_from(1);
	check_equal(shmap_key_delete(world.map, &rq), 0);
	shim_fail_from(0);
	check(deferred(world.map, NULL) >= before + LONG_LEN);
	request(&world, &rq, "another");
	put(world.map, &rq, 1);
	check_equal(shmap_clear_run(world.map, &removed), -EINTR);
	check(deferred(world.map, NULL) > before + LONG_LEN);

	shim_rcu_hold(false);
	current->killed = false;
	check_equal(shmap_space_squeeze(world.map, true), 0);
	check_equal(deferred(world.map, NULL), 0);
	/* At unload somebody who is being killed waits all the same. */
	request(&world, &rq, "key");
	put(world.map, &rq, 1);
	put(world.map, &rq, 2);
	current->killed = true;
	world_unmake(&world);
	current->killed = false;
}

static struct task_struct *waiter;

static void *overwrite(void *arg)
{
	struct world *world = arg;
	struct shmap_request rq;
	unsigned int i;

	__atomic_store_n(&waiter, current, __ATOMIC_RELEASE);
	for (i = 0; !current->killed; i++) {
		request(world, &rq, "key");
		put(world->map, &rq, i);
	}
	return NULL;
}

/* A task that waits for a reader which does not end, until it is killed. */
static void killed_waiting(void)
{
	struct kmap_info info;
	struct world world;
	pthread_t thread;

	make(&world, "rcu", false);
	shim_rcu_hold(true);
	check(!pthread_create(&thread, NULL, overwrite, &world));
	do {
		memset(&info, 0, sizeof(info));
		sched_yield();
		shmap_map_info(world.map, &info);
	} while (!info.waits);
	WRITE_ONCE(__atomic_load_n(&waiter, __ATOMIC_ACQUIRE)->killed, true);
	pthread_join(thread, NULL);
	shim_rcu_hold(false);
	check_equal(shmap_space_squeeze(world.map, true), 0);
	check_equal(deferred(world.map, NULL), 0);
	inspect_map(world.map);
	world_unmake(&world);
}

#define MARK	0xee

/* Is there anything of a value in memory that can be mapped? */
static bool readable(const struct shmap_map *map)
{
	static const u8 mark[32] = { [0 ... 31] = MARK };
	unsigned int i;

	for (i = 0; i < map->pool.area.end; i++)
		if (inspect_unit_mem(&map->pool, i) &&
		    memmem(inspect_unit_mem(&map->pool, i), SHMAP_UNIT_SIZE,
			   mark, sizeof(mark)))
			return true;
	return false;
}

enum { DELETE, REPLACE, CLEAR, WAYS };

static void take_away(struct world *world, int way)
{
	struct shmap_request rq;
	u64 removed;

	request(world, &rq, "secret");
	put(world->map, &rq, MARK);
	check(readable(world->map));
	request(world, &rq, "secret");
	if (way == DELETE)
		check_equal(shmap_key_delete(world->map, &rq), 0);
	else if (way == REPLACE)
		put(world->map, &rq, 1);
	else
		check_equal(shmap_clear_run(world->map, &removed), 0);
}

/* In a second and a grace period it is gone, and nobody has to do anything. */
static void wiped(const struct test *test)
{
	bool rcu = !strcmp(test->lock, "rcu");
	struct world world;
	unsigned int way, i;

	make(&world, test->lock, true);
	for (way = 0; way < WAYS; way++) {
		take_away(&world, way);
		check_equal(readable(world.map), rcu);
		check(!rcu || shim_work_pass(HZ / 2));
		/* As long as a reader may have it, it stays. */
		for (i = 0; rcu && i < 10; i++)
			check(shim_work_pass(HZ / 2) && readable(world.map));
		shim_rcu_pass();
		shim_work_pass(HZ / 2);
		check(!readable(world.map));
		check_equal(deferred(world.map, NULL), 0);
		/* And then there is peace, when empty slabs have been given back. */
		shim_work_pass(2 * HZ);
		check_equal(shim_work_pass(10 * HZ), 0);
	}
	/* Work that is still to come does not come after the map. */
	take_away(&world, DELETE);
	world_unmake(&world);
	check_equal(shim_work_pass(10 * HZ), 0);
}

int main(int argc, char **argv)
{
	static const struct test tests[] = {
		{ "pieces_spinlock", .play = pieces, .lock = "spinlock" },
		{ "pieces_rwsem", .play = pieces, .lock = "rwsem" },
		{ "pieces_rcu", .play = pieces, .lock = "rcu" },
		{ "compared_spinlock", .play = compared, .lock = "spinlock" },
		{ "compared_rwsem", .play = compared, .lock = "rwsem" },
		{ "compared_rcu", .play = compared, .lock = "rcu" },
		{ "killed", killed },
		{ "killed_waiting", killed_waiting },
		{ "wiped_spinlock", .play = wiped, .lock = "spinlock" },
		{ "wiped_rwsem", .play = wiped, .lock = "rwsem" },
		{ "wiped_rcu", .play = wiped, .lock = "rcu" },
	};

	return test_main(argc, argv, tests, ARRAY_SIZE(tests));
}
