// SPDX-License-Identifier: GPL-2.0
/*
 * Allocations and user copies that fail, in calls that are not about one key:
 * BATCH, KEYS, CLEAR, INFO, and loading the module; and many calls on a map that
 * grows meanwhile.  fault.c tells what is expected.
 */
#include "kselftest_harness.h"
#include "fault.h"

#define KEYS		300
#define KEY_LEN		12
#define OPS		6
#define BUF_SIZE	(512 * 1024)

static __u8 buf[BUF_SIZE], value[65536], found[65536];

FIXTURE(fault) {
	int fd;
	struct kmap_info info;
};

FIXTURE_SETUP(fault)
{
	self->fd = -1;
	memset(buf, KT_POISON, sizeof(buf));
	memset(value, KT_POISON, sizeof(value));
	memset(found, KT_POISON, sizeof(found));
	ASSERT_EQ(0, fault_begin());
}

FIXTURE_TEARDOWN(fault)
{
	close(self->fd);
	fault_end();
}

/* Does @key have the value of @len bytes that @seed makes? */
static bool holds(int fd, const void *key, size_t key_len, size_t len,
		  __u64 seed)
{
	size_t got;
	__u64 born;

	return !kt_get(fd, key, key_len, found, sizeof(found), &got, NULL) &&
	       got == len && kt_value_check(found, len, key, key_len, &born) &&
	       born == seed;
}

/**
 * struct part - one record of the batch
 * @key: the key, different for each record
 * @before: length of its value before, or -1
 * @after: length of its value after, or -1
 */
static const struct part {
	const char *key;
	int before;
	int after;
} parts[OPS] = {
	{ "creates", -1, 200 },
	{ "replaces", 100, 9000 },
	{ "deletes", 3000, -1 },
	{ "takes", 3000, -1 },
	{ "gets", 3000, 3000 },
	{ "swaps", 100, 50 },
};

static void batch_prepare(struct __test_metadata *_metadata, int *fd,
			  struct kmap_op *ops)
{
	unsigned int i;

	reload(_metadata, fd);
	for (i = 0; i < OPS; i++) {
		const char *key = parts[i].key;
		__u8 *fresh = buf + i * 16384;

		if (parts[i].before >= 0) {
			kt_value_fill(value, parts[i].before, key, strlen(key),
				      1);
			ASSERT_EQ(0, kt_set(*fd, key, strlen(key), value,
					    parts[i].before, 0, NULL));
		}
		if (i == 4)
			kt_op_get(&ops[i], key, strlen(key), fresh, 16384);
		else if (parts[i].after < 0)
			kt_op_del(&ops[i], key, strlen(key), 0);
		else
			kt_op_set(&ops[i], key, strlen(key), fresh,
				  parts[i].after, 0);
		if (parts[i].after >= 0 && i != 4)
			kt_value_fill(fresh, parts[i].after, key, strlen(key),
				      2);
		if (i == 3 || i == 5) {
			ops[i].flags |= KMAP_RETURN;
			ops[i].out = kt_ptr(buf + (OPS + i) * 16384);
			ops[i].out_size = 16384;
		}
	}
}

static bool part_is(int fd, const struct part *part, int len, __u64 seed)
{
	if (len < 0)
		return kt_get(fd, part->key, strlen(part->key), NULL, 0, NULL,
			      NULL) == -ENOENT;
	return holds(fd, part->key, strlen(part->key), len, seed);
}

/*
 * Each record was carried out completely or not at all.  A record with error 0 was,
 * and one with ENOMEM was not.  If the batch stops with EFAULT, that tells nothing
 * about the record at which it stopped, and no later record was begun.
 */
static void batch_check(struct __test_metadata *_metadata, int fd,
			const struct kmap_op *ops, int ret)
{
	int last = -1;
	int i;

	for (i = 0; i < OPS; i++) {
		bool old = part_is(fd, &parts[i], parts[i].before, 1);
		bool new = part_is(fd, &parts[i], parts[i].after,
				   i == 4 ? 1 : 2);

		EXPECT_TRUE(old || new);
		if (new && i != 4)
			last = i;
		if (ret)
			continue;
		EXPECT_TRUE(!ops[i].error || injected(ops[i].error));
		EXPECT_TRUE(ops[i].error || new);
		EXPECT_TRUE(ops[i].error != -ENOMEM || old);
	}
	for (i = 0; ret && i < last; i++)
		EXPECT_TRUE(part_is(fd, &parts[i], parts[i].after,
				    i == 4 ? 1 : 2) ||
			    injected(ops[i].error));
}

TEST_F_TIMEOUT(fault, batch, KT_LONG)
{
	struct tally tally = { 0 };
	struct kmap_op ops[OPS];
	bool fired = true;
	unsigned int n;
	__u32 done;
	int ret;

	for (n = 1; fired && n < POINTS_MAX; n++) {
		batch_prepare(_metadata, &self->fd, ops);
		arm(n);
		ret = kt_batch(self->fd, ops, OPS, &done);
		fired = disarm();
		EXPECT_TRUE(!ret || (fired && injected(ret))) {
			TH_LOG("point %u: %s", n, strerror(-ret));
		}
		if (!ret)
			EXPECT_EQ(OPS, done);
		batch_check(_metadata, self->fd, ops, ret);
		if (fired)
			count(&tally, ret, 0, false);
	}
	EXPECT_FALSE(fired);
	tell(_metadata, &tally);
	EXPECT_GE(tally.fault, 2 + OPS);
}

/* Fails each point of a walk in one call. */
static void each_of_keys(struct __test_metadata *_metadata, int *fd,
			 __u32 flags, size_t size, int want)
{
	struct tally tally = { 0 };
	struct kmap_keys keys;
	bool fired = true;
	unsigned int n;
	int ret;

	reload(_metadata, fd);
	ASSERT_EQ(0, kt_fill(*fd, 0, KEYS, KEY_LEN, 1000, NULL));
	REMEMBER(*fd);
	for (n = 1; fired && n < POINTS_MAX; n++) {
		memset(&keys, 0, sizeof(keys));
		keys.buf = kt_ptr(buf);
		keys.size = size;
		keys.flags = flags;
		keys.used = 1;
		arm(n);
		ret = kt_ioctl(*fd, KMAP_IOC_KEYS, &keys);
		fired = disarm();
		EXPECT_TRUE(ret == want || (fired && injected(ret))) {
			TH_LOG("point %u: %s", n, strerror(-ret));
		}
		if (!ret) {
			EXPECT_EQ(KEYS, keys.count);
			EXPECT_EQ(KMAP_KEYS_END, keys.cursor);
		} else {
			/* The walk can continue from where it was. */
			EXPECT_EQ(0, keys.cursor);
		}
		UNCHANGED(*fd);
		if (fired)
			count(&tally, ret, want, false);
	}
	EXPECT_FALSE(fired);
	tell(_metadata, &tally);
	EXPECT_GE(tally.fault, 2);
	EXPECT_GE(tally.nomem, 1);
}

TEST_F_TIMEOUT(fault, keys, KT_LONG)
{
	each_of_keys(_metadata, &self->fd, KMAP_KEYS_VALUES, BUF_SIZE, 0);
}

TEST_F_TIMEOUT(fault, keys_too_long, KT_LONG)
{
	each_of_keys(_metadata, &self->fd, KMAP_KEYS_VALUES, 100, -EMSGSIZE);
}

TEST_F_TIMEOUT(fault, keys_atomic, KT_LONG)
{
	each_of_keys(_metadata, &self->fd, KMAP_KEYS_VALUES | KMAP_KEYS_ATOMIC,
		     BUF_SIZE, 0);
}

TEST_F_TIMEOUT(fault, clear, KT_LONG)
{
	struct tally tally = { 0 };
	bool fired = true;
	unsigned int n;
	__u64 removed;
	__s64 left;
	int ret;

	for (n = 1; fired && n < POINTS_MAX; n++) {
		reload(_metadata, &self->fd);
		ASSERT_EQ(0, kt_fill(self->fd, 0, KEYS, KEY_LEN, 1000, NULL));
		arm(n);
		ret = kt_clear(self->fd, &removed);
		fired = disarm();
		EXPECT_TRUE(!ret || (fired && injected(ret))) {
			TH_LOG("point %u: %s", n, strerror(-ret));
		}
		left = kt_entries(self->fd);
		EXPECT_TRUE(!left || (ret && left == KEYS));
		EXPECT_EQ(left, kt_walk_count(self->fd));
		if (!ret)
			EXPECT_EQ(KEYS, removed);
		if (left)
			EXPECT_EQ(0, kt_verify(self->fd, 0, KEYS, KEY_LEN, 1000,
					       NULL));
		if (fired)
			count(&tally, ret, 0, !left);
	}
	EXPECT_FALSE(fired);
	tell(_metadata, &tally);
	EXPECT_GE(tally.fault, 2);
	EXPECT_GE(tally.nomem, 1);
	EXPECT_LE(tally.late, 1 + tally.through);
}

TEST_F(fault, info)
{
	struct tally tally = { 0 };
	struct kmap_info info;
	bool fired = true;
	unsigned int n;
	int ret;

	reload(_metadata, &self->fd);
	for (n = 1; fired && n < POINTS_MAX; n++) {
		arm(n);
		ret = kt_info(self->fd, &info);
		fired = disarm();
		EXPECT_TRUE(!ret || (fired && ret == -EFAULT));
		if (!ret)
			EXPECT_EQ(KMAP_ABI, info.abi);
		if (fired)
			count(&tally, ret, 0, false);
	}
	EXPECT_FALSE(fired);
	EXPECT_GE(tally.fault, 2);
	tell(_metadata, &tally);
}

/*
 * Loading: the first points are all the kernel's own, where it reads and links the
 * module; the map's are among the last.  Either the module is loaded and works, or
 * nothing of it is left.
 */
TEST_F_TIMEOUT(fault, load, KT_LONG)
{
	const unsigned int many = 1000000, points = 120;
	const char *lock = getenv("KMAP_LOCK");
	struct tally tally = { 0 };
	unsigned int n, all;
	char params[64];
	bool fired;
	int ret;

	if (!getenv("KMAP_KO"))
		SKIP(return, "no KMAP_KO to load");
	snprintf(params, sizeof(params), "shards=2 max_bytes=1m %s%s",
		 lock ? "lock=" : "", lock ? lock : "");
	if (kt_loaded())
		ASSERT_EQ(0, kt_unload());
	arm(many);
	ASSERT_EQ(0, kt_load(params));
	all = many - disarm_left();
	TH_LOG("%u points", all);
	ASSERT_GE(all, points);

	for (n = all - points; n < all + 2; n++) {
		if (kt_loaded())
			ASSERT_EQ(0, kt_unload());
		arm(n);
		ret = kt_load(params);
		fired = disarm();
		EXPECT_TRUE(!ret || fired) {
			TH_LOG("point %u: %s", n, strerror(-ret));
		}
		ASSERT_EQ(!ret, kt_loaded());
		EXPECT_EQ(ret ? -1 : 0, access(KT_DEVICE, F_OK));
		if (fired)
			count(&tally, ret, 0, false);
	}
	tell(_metadata, &tally);
	EXPECT_GE(tally.nomem, 8);
	reload(_metadata, &self->fd);
}

/* A key of the growing map: the length and seed of its value; @len < 0: absent. */
struct owned {
	int len;
	__u64 seed;
};

static bool is(int fd, const char *key, const struct owned *what)
{
	if (what->len < 0)
		return kt_get(fd, key, KEY_LEN, NULL, 0, NULL, NULL) == -ENOENT;
	return holds(fd, key, KEY_LEN, what->len, what->seed);
}

/*
 * An empty map grows while points of its calls fail: pages for the table, slabs,
 * deferred batches.  Each call has its full effect or none.
 */
TEST_F_TIMEOUT(fault, growth, KT_LONG)
{
	static struct owned owned[2500];
	const unsigned int keys = ARRAY_SIZE(owned);
	struct tally tally = { 0 };
	__u64 state = 3;
	unsigned int i;

	reload(_metadata, &self->fd);
	for (i = 0; i < keys; i++)
		owned[i].len = -1;
	for (i = 0; i < 2 * keys; i++) {
		/* At first each key in turn. */
		unsigned int id = i < keys ? i : kt_random(&state) % keys;
		struct owned after = { .len = -1, .seed = i };
		char key[KEY_LEN];
		bool fired, new;
		int ret;

		if (owned[id].len < 0 || kt_random(&state) % 4)
			after.len = 16 + kt_random(&state) % 600;
		kt_key(key, KEY_LEN, id);
		if (after.len >= 0)
			kt_value_fill(value, after.len, key, KEY_LEN, i);

		arm(3 + kt_random(&state) % 5);
		if (after.len < 0)
			ret = kt_del(self->fd, key, KEY_LEN, 0, NULL);
		else
			ret = kt_set(self->fd, key, KEY_LEN, value, after.len, 0,
				     NULL);
		fired = disarm();

		new = is(self->fd, key, &after);
		ASSERT_TRUE(!ret || (fired && injected(ret)));
		ASSERT_TRUE(new || (ret && is(self->fd, key, &owned[id])));
		ASSERT_FALSE(new && ret == -ENOMEM);
		if (new)
			owned[id] = after;
		if (fired)
			count(&tally, ret, 0, new);
	}
	tell(_metadata, &tally);
	EXPECT_GE(tally.nomem, 10);
	EXPECT_GE(tally.fault, 1000);
	for (i = 0; i < keys; i++) {
		char key[KEY_LEN];

		kt_key(key, KEY_LEN, i);
		ASSERT_TRUE(is(self->fd, key, &owned[i]));
	}
	ASSERT_EQ(0, kt_clear(self->fd, NULL));
	ASSERT_EQ(0, kt_info(self->fd, &self->info));
	EXPECT_EQ(0, self->info.entries);
	EXPECT_EQ(0, self->info.bytes);
}

int main(int argc, char **argv)
{
	return fault_run(argc, argv);
}
