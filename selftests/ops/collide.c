// SPDX-License-Identifier: GPL-2.0
/*
 * Keys that are made to collide by a client that has read the hash key in the
 * window: all in one bucket, all with the same hash, all in one shard.
 *
 * A chain is limited as INFO tells, with the error that is documented for it; within
 * it everything works, all other keys still work, and walks return each key once.
 * Work is counted in slots of the chain, not in time.
 */
#include <errno.h>
#include <stdlib.h>

#include "kselftest_harness.h"
#include "kmap_fixture.h"
#include "kmap_test_window.h"

#define SMALL		"max_bytes=4M max_entries=20000 max_value=65536"

#define MORE		8		/* keys beyond the limit of the chain */
#define CHAIN_MAX	256
/* Equal bits of the hash: the keys share a bucket, however much the table grows. */
#define BITS		13
#define FULL		5		/* number of the bucket */
#define OTHERS		3000

#define CANDIDATES	300000u
#define PAIRS_MAX	64

static __u64 rotate(__u64 word, unsigned int bits)
{
	return word << bits | word >> (64 - bits);
}

static void sip_round(__u64 v[4])
{
	v[0] += v[1];
	v[1] = rotate(v[1], 13);
	v[1] ^= v[0];
	v[0] = rotate(v[0], 32);
	v[2] += v[3];
	v[3] = rotate(v[3], 16);
	v[3] ^= v[2];
	v[0] += v[3];
	v[3] = rotate(v[3], 21);
	v[3] ^= v[0];
	v[2] += v[1];
	v[1] = rotate(v[1], 17);
	v[1] ^= v[2];
	v[2] = rotate(v[2], 32);
}

/* The map's hash of an 8-byte key. */
static __u32 hash_of(const __u64 hash_key[2], __u64 key)
{
	const __u64 last = 8ull << 56;
	__u64 v[4] = {
		hash_key[0] ^ 0x736f6d6570736575ull,
		hash_key[1] ^ 0x646f72616e646f6dull,
		hash_key[0] ^ 0x6c7967656e657261ull,
		hash_key[1] ^ 0x7465646279746573ull,
	};

	v[3] ^= key;
	sip_round(v);
	v[0] ^= key;
	v[3] ^= last;
	sip_round(v);
	v[0] ^= last;
	v[2] ^= 0xff;
	sip_round(v);
	sip_round(v);
	sip_round(v);
	return v[0] ^ v[1] ^ v[2] ^ v[3];
}

FIXTURE(collide) {
	int fd;
	struct kmap_info info;
	struct kt_window window;
	__u64 key[CHAIN_MAX + MORE];
	__u64 other[OTHERS];
};

FIXTURE_SETUP(collide)
{
	self->fd = open_empty(_metadata);
}

FIXTURE_TEARDOWN(collide)
{
	if (self->fd >= 0)
		close(self->fd);
}

/* Does an entry have the hash that this test computes? */
static int same_hash(const struct kmap_entry *entry, void *arg)
{
	const struct kmap_window *head = arg;
	__u64 key;

	memcpy(&key, entry + 1, 8);
	return entry->hash == hash_of(head->hash_key, key) ? 0 : -EBADMSG;
}

/* Finds keys from @first on whose hash has @bits, or has not, in the mask. */
static void find_keys(const struct kmap_window *head, __u64 first,
		      unsigned int mask, unsigned int bits, bool has,
		      __u64 *keys, unsigned int count)
{
	unsigned int n = 0;

	for (; n < count; first++)
		if (((hash_of(head->hash_key, first) & mask) == bits) == has)
			keys[n++] = first;
}

static int put(int fd, __u64 key, unsigned int flags)
{
	__u8 value[24];

	kt_value_fill(value, sizeof(value), &key, 8, key);
	return kt_set(fd, &key, 8, value, sizeof(value), flags, NULL);
}

static int look(int fd, __u64 key)
{
	__u8 value[24];
	size_t len;
	__u64 seed;
	int ret = kt_get(fd, &key, 8, value, sizeof(value), &len, NULL);

	if (ret)
		return ret;
	return len == sizeof(value) && kt_value_check(value, len, &key, 8,
						      &seed) && seed == key ?
	       0 : -EBADMSG;
}

static int drop(int fd, __u64 key)
{
	return kt_del(fd, &key, 8, 0, NULL);
}

/* A walk with a buffer of @size returns each of the keys once. */
static void walk_meets(struct __test_metadata *_metadata, int fd,
		       const __u64 *keys, unsigned int count, size_t size)
{
	__u8 *met = calloc(count, 1);
	struct kt_walk walk;
	struct kt_item item;
	unsigned int i;
	__u64 key;
	int ret;

	ASSERT_NE(NULL, met);
	ASSERT_EQ(0, kt_walk_begin(&walk, fd, 0, size));
	while ((ret = kt_walk_next(&walk, &item)) > 0) {
		if (item.key_len != 8)
			continue;
		memcpy(&key, item.key, 8);
		for (i = 0; i < count; i++)
			met[i] += keys[i] == key;
	}
	EXPECT_EQ(0, ret);
	kt_walk_end(&walk);
	for (i = 0; i < count; i++)
		EXPECT_EQ(1, met[i]) {
			TH_LOG("key %u of %u, buffer of %zu bytes", i, count,
			       size);
		}
	free(met);
}

/* No further key can be stored in any way, and the entries stay as they are. */
static void refuses(struct __test_metadata *_metadata, int fd,
		    const __u64 *more)
{
	struct kmap_op op[2];
	unsigned int i;
	__u8 out[8];

	REMEMBER(fd);
	for (i = 0; i < MORE; i++) {
		const __u64 *key = &more[i];

		EXPECT_EQ(-EXFULL, put(fd, *key, 0));
		EXPECT_EQ(-EXFULL, put(fd, *key, KMAP_CREATE));
		EXPECT_EQ(-EXFULL, kt_swap(fd, key, 8, "value", 5, 0, NULL,
					   out, 8, NULL));
		EXPECT_EQ(-EXFULL, kt_add(fd, key, 8, 1, 0, NULL, NULL));
		EXPECT_EQ(-EXFULL, kt_add(fd, key, 8, 1, KMAP_CREATE, NULL,
					  NULL));
		EXPECT_EQ(-ENOENT, put(fd, *key, KMAP_REPLACE));
		EXPECT_EQ(-ENOENT, look(fd, *key));
		EXPECT_EQ(-ENOENT, drop(fd, *key));
		kt_op_set(&op[0], key, 8, "value", 5, 0);
		kt_op_add(&op[1], key, 8, 1, 0);
		EXPECT_EQ(0, kt_batch(fd, op, 2, NULL));
		EXPECT_EQ(-EXFULL, op[0].error);
		EXPECT_EQ(-EXFULL, op[1].error);
	}
	UNCHANGED(fd);
}

TEST_F_TIMEOUT(collide, one_bucket, KT_LONG)
{
	const __u64 *key = self->key;
	struct kt_window *window = &self->window;
	unsigned int chain, i;
	__s64 sum = 0;

	RELOAD(SMALL " shards=1");
	ASSERT_EQ(0, kt_window_map(self->fd, window));
	chain = self->info.max_chain;
	ASSERT_LE(KMAP_BUCKET_SLOTS, chain);
	ASSERT_LE(chain, CHAIN_MAX);
	find_keys(window->head, 1000000, (1u << BITS) - 1, FULL, true,
		  self->key, chain + MORE);
	/* While the table is small, other keys of that bucket would be refused, too. */
	find_keys(window->head, 1, self->info.buckets - 1, FULL, false,
		  self->other, OTHERS);

	for (i = 0; i < chain; i++)
		ASSERT_EQ(0, put(self->fd, key[i], KMAP_CREATE)) {
			TH_LOG("key %u of %u", i, chain);
		}
	refuses(_metadata, self->fd, key + chain);
	/* The keys really collide, and the chain has no others. */
	EXPECT_EQ(chain, kt_window_scan(window, same_hash,
					(void *)window->head));
	ASSERT_EQ(0, kt_info(self->fd, &self->info));
	EXPECT_EQ(chain / KMAP_BUCKET_SLOTS - 1, self->info.overflow);

	/* All other keys work, and the table grows. */
	for (i = 0; i < OTHERS; i++)
		ASSERT_EQ(0, put(self->fd, self->other[i], KMAP_CREATE));
	for (i = 0; i < OTHERS; i++)
		ASSERT_EQ(0, look(self->fd, self->other[i]));
	refuses(_metadata, self->fd, key + chain);
	ASSERT_EQ(0, kt_info(self->fd, &self->info));
	EXPECT_GT(self->info.buckets, 256);
	EXPECT_LT(self->info.buckets, 1u << BITS);
	EXPECT_EQ(chain + OTHERS, kt_window_scan(window, NULL, NULL));

	/* The keys of the chain can be found, changed and removed. */
	for (i = 0; i < chain; i++) {
		ASSERT_EQ(0, look(self->fd, key[i]));
		ASSERT_EQ(0, put(self->fd, key[i], KMAP_REPLACE));
		ASSERT_EQ(-EEXIST, put(self->fd, key[i], KMAP_CREATE));
		ASSERT_EQ(-EDOM, kt_add(self->fd, &key[i], 8, 1, 0, NULL,
					NULL));
	}
	for (i = 32; i < 4096; i *= 3)
		walk_meets(_metadata, self->fd, key, chain, i);

	/* For each key that is removed another one fits, wherever in the chain it was. */
	for (i = 0; i < chain; i++) {
		const __u64 *out = &key[i * 7 % chain];

		ASSERT_EQ(0, drop(self->fd, *out));
		ASSERT_EQ(-ENOENT, look(self->fd, *out));
		ASSERT_EQ(0, kt_add(self->fd, &key[chain], 8, 7, 0, &sum,
				    NULL));
		EXPECT_EQ(7, sum);
		ASSERT_EQ(-EXFULL, put(self->fd, *out, 0));
		ASSERT_EQ(0, drop(self->fd, key[chain]));
		ASSERT_EQ(0, put(self->fd, *out, 0));
	}
	for (i = 0; i < OTHERS; i++)
		ASSERT_EQ(0, drop(self->fd, self->other[i]));
	for (i = 0; i < chain; i++) {
		ASSERT_EQ(0, look(self->fd, key[i]));
		ASSERT_EQ(0, drop(self->fd, key[i]));
	}
	ASSERT_EQ(0, kt_info(self->fd, &self->info));
	EXPECT_EQ(0, self->info.entries);
	EXPECT_EQ(0, self->info.overflow);
	kt_window_unmap(window);
}

/* Finds pairs of keys with the same hash, which have the same place in a walk. */
static unsigned int find_pairs(const struct kmap_window *head, __u64 (*pair)[2])
{
	const unsigned int places = 1u << 20;
	__u32 *table = calloc(places, sizeof(*table));
	unsigned int pairs = 0, at;
	__u32 key, hash;

	for (key = 1; table && key < CANDIDATES && pairs < PAIRS_MAX; key++) {
		hash = hash_of(head->hash_key, key);
		for (at = hash % places; table[at]; at = (at + 1) % places) {
			if (hash_of(head->hash_key, table[at]) != hash)
				continue;
			pair[pairs][0] = table[at];
			pair[pairs++][1] = key;
			break;
		}
		if (!table[at])
			table[at] = key;
	}
	free(table);
	return pairs;
}

TEST_F_TIMEOUT(collide, same_hash, KT_LONG)
{
	const size_t item = KMAP_ITEM_SIZE(8, 0);
	static __u64 pair[PAIRS_MAX][2];
	struct kmap_keys keys;
	unsigned int pairs, i;
	__u8 buf[256];

	RELOAD(SMALL);
	ASSERT_EQ(0, kt_window_map(self->fd, &self->window));
	pairs = find_pairs(self->window.head, pair);
	ASSERT_GT(pairs, 0);
	TH_LOG("%u pairs of keys with the same hash", pairs);
	for (i = 0; i < pairs; i++) {
		ASSERT_EQ(0, put(self->fd, pair[i][0], KMAP_CREATE));
		ASSERT_EQ(-ENOENT, look(self->fd, pair[i][1]));
		ASSERT_EQ(-ENOENT, drop(self->fd, pair[i][1]));
		ASSERT_EQ(0, put(self->fd, pair[i][1], KMAP_CREATE));
		ASSERT_EQ(0, look(self->fd, pair[i][0]));
		ASSERT_EQ(0, look(self->fd, pair[i][1]));
	}
	EXPECT_EQ(2 * pairs, kt_window_scan(&self->window, same_hash,
					    (void *)self->window.head));
	for (i = 0; i < 256; i += 8)
		walk_meets(_metadata, self->fd, &pair[0][0], 2 * pairs, i);

	/* Both keys of a pair are returned by the same call. */
	memset(&keys, 0, sizeof(keys));
	while (keys.cursor != KMAP_KEYS_END) {
		keys.buf = kt_ptr(buf);
		keys.size = item;
		keys.count = 0;
		ASSERT_EQ(-EMSGSIZE, kt_ioctl(self->fd, KMAP_IOC_KEYS, &keys));
		EXPECT_EQ(2 * item, keys.used);
		keys.size = 2 * item;
		ASSERT_EQ(0, kt_ioctl(self->fd, KMAP_IOC_KEYS, &keys));
		if (keys.cursor != KMAP_KEYS_END)
			ASSERT_EQ(2, keys.count);
		pairs -= keys.count / 2;
		if (!pairs)
			break;
	}
	EXPECT_EQ(0, pairs);

	/* A change of one key of a pair does not touch the other. */
	for (i = 0; i < PAIRS_MAX && pair[i][0]; i++) {
		ASSERT_EQ(0, drop(self->fd, pair[i][i & 1]));
		ASSERT_EQ(-ENOENT, look(self->fd, pair[i][i & 1]));
		ASSERT_EQ(0, look(self->fd, pair[i][!(i & 1)]));
	}
	kt_window_unmap(&self->window);
}

#define CROWDED		3	/* the shard that gets all keys */
#define SHARDS		16
#define CROWD		4000

/* One shard gets all keys; it takes them, and the others still work. */
TEST_F_TIMEOUT(collide, one_shard, KT_LONG)
{
	static __u64 key[CROWD];
	unsigned int in, i;
	int ret = 0;

	RELOAD(SMALL " shards=%d", SHARDS);
	ASSERT_EQ(0, kt_window_map(self->fd, &self->window));
	find_keys(self->window.head, 1, SHARDS - 1, CROWDED, true, key, CROWD);
	find_keys(self->window.head, 1, SHARDS - 1, CROWDED, false,
		  self->other, OTHERS);
	for (in = 0; in < CROWD && !ret; in++)
		ret = put(self->fd, key[in], KMAP_CREATE);
	in -= !!ret;
	TH_LOG("%u keys in one of %d shards, then %s", in, SHARDS,
	       ret ? strerror(-ret) : "no more");
	/* More than its part of the limit: overflow buckets are for any shard. */
	EXPECT_EQ(0, ret);
	EXPECT_EQ(CROWD, in);
	EXPECT_EQ(in, kt_window_scan(&self->window, same_hash,
				     (void *)self->window.head));
	for (i = 0; i < in; i++)
		ASSERT_EQ(0, look(self->fd, key[i]));
	walk_meets(_metadata, self->fd, key, in, 1000);

	for (i = 0; i < OTHERS; i++)
		ASSERT_EQ(0, put(self->fd, self->other[i], KMAP_CREATE));
	for (i = 0; i < OTHERS; i++)
		ASSERT_EQ(0, look(self->fd, self->other[i]));
	for (i = 0; i < in; i++)
		ASSERT_EQ(0, drop(self->fd, key[i]));
	for (i = 0; i < in; i++)
		ASSERT_EQ(0, put(self->fd, key[i], KMAP_CREATE));
	kt_window_unmap(&self->window);
}

TEST_HARNESS_MAIN
