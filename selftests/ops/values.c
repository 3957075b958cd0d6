// SPDX-License-Identifier: GPL-2.0
/*
 * Keys and values of every length and with every byte: exactly what is stored is
 * returned, even where lengths are near the limits of size classes.
 */
#include <errno.h>
#include <stdlib.h>

#include "kselftest_harness.h"
#include "kmap_fixture.h"

/* Limits for values that are longer than the default limit. */
#define BIG_LIMITS	"max_value=1048576 max_bytes=268435456"

FIXTURE(values) {
	int fd;
	struct kmap_info info;
	__u8 *value;
	__u8 *out;
};

FIXTURE_SETUP(values)
{
	self->fd = open_empty(_metadata);
	if (self->fd < 0)
		return;
	ASSERT_EQ(0, kt_info(self->fd, &self->info));
	self->value = malloc(KMAP_VALUE_MAX);
	self->out = malloc(KMAP_VALUE_MAX + 1);
	ASSERT_TRUE(self->value && self->out);
}

FIXTURE_TEARDOWN(values)
{
	free(self->value);
	free(self->out);
	close(self->fd);
}

/* Gets "key" into a buffer that is one byte larger, and checks all of it. */
static void comes_out(struct __test_metadata *_metadata, int fd,
		      const void *key, size_t key_len, size_t len, __u8 *out)
{
	size_t got = 0;

	memset(out, KT_POISON, len + 1);
	ASSERT_EQ(0, kt_get(fd, key, key_len, out, len + 1, &got, NULL)) {
		TH_LOG("key of %zu, value of %zu", key_len, len);
	}
	ASSERT_EQ(len, got);
	ASSERT_TRUE(kt_value_check(out, len, key, key_len, NULL)) {
		TH_LOG("wrong value: key of %zu, value of %zu", key_len, len);
	}
	ASSERT_EQ(KT_POISON, out[len]) {
		TH_LOG("wrote past the value of %zu", len);
	}
}

TEST_F(values, every_byte_in_keys)
{
	unsigned int a, b;
	__u8 key[3];

	/* All keys of one byte, and these with a zero or themselves added. */
	for (a = 0; a < 256; a++) {
		key[0] = a;
		key[1] = 0;
		key[2] = a;
		for (b = 1; b <= 3; b++) {
			kt_value_fill(self->value, 40, key, b, a);
			ASSERT_EQ(0, kt_set(self->fd, key, b, self->value, 40,
					    KMAP_CREATE, NULL)) {
				TH_LOG("byte %u, length %u", a, b);
			}
		}
	}
	EXPECT_EQ(768, kt_entries(self->fd));
	for (a = 0; a < 256; a++) {
		key[0] = a;
		key[1] = 0;
		key[2] = a;
		for (b = 1; b <= 3; b++)
			comes_out(_metadata, self->fd, key, b, 40, self->out);
	}
	EXPECT_EQ(768, kt_walk_count(self->fd));
}

TEST_F(values, every_byte_in_values)
{
	unsigned int a, b;

	for (a = 0; a < 256; a++) {
		for (b = 0; b < 256; b++)
			self->value[b] = a + b;
		ASSERT_EQ(0, kt_set(self->fd, "key", 3, self->value, 256, 0,
				    NULL));
		ASSERT_EQ(0, kt_get(self->fd, "key", 3, self->out, 256, NULL,
				    NULL));
		EXPECT_EQ(0, memcmp(self->value, self->out, 256));
		memset(self->value, a, 256);
		ASSERT_EQ(0, kt_set(self->fd, "key", 3, self->value, 256, 0,
				    NULL));
		ASSERT_EQ(0, kt_get(self->fd, "key", 3, self->out, 256, NULL,
				    NULL));
		EXPECT_EQ(0, memcmp(self->value, self->out, 256));
	}
}

/* Keys that differ only in length, all present at once. */
TEST_F(values, key_lengths)
{
	size_t len, max = self->info.max_key;
	__u8 *key = malloc(max);

	ASSERT_EQ(KMAP_KEY_MAX, max);
	ASSERT_TRUE(key);
	memset(key, 'k', max);
	for (len = 1; len <= max; len++) {
		kt_value_fill(self->value, len % 67, key, len, len);
		ASSERT_EQ(0, kt_set(self->fd, key, len, self->value, len % 67,
				    KMAP_CREATE, NULL));
	}
	EXPECT_EQ(max, kt_entries(self->fd));
	for (len = 1; len <= max; len++)
		comes_out(_metadata, self->fd, key, len, len % 67, self->out);
	for (len = 1; len <= max; len++)
		ASSERT_EQ(0, kt_del(self->fd, key, len, 0, NULL));
	EXPECT_EQ(0, kt_entries(self->fd));
	free(key);
}

/* Keys that differ only in their last byte. */
TEST_F(values, last_byte_of_keys)
{
	static const size_t lens[] = { 2, 7, 8, 9, 16, 255, 256, 1024 };
	__u8 key[KMAP_KEY_MAX] = { 0 };
	unsigned int i, last;

	for (i = 0; i < ARRAY_SIZE(lens); i++) {
		for (last = 0; last < 256; last += 5) {
			key[lens[i] - 1] = last;
			kt_value_fill(self->value, 24, key, lens[i], last);
			ASSERT_EQ(0, kt_set(self->fd, key, lens[i],
					    self->value, 24, KMAP_CREATE,
					    NULL));
		}
		for (last = 0; last < 256; last++) {
			key[lens[i] - 1] = last;
			if (!(last % 5)) {
				comes_out(_metadata, self->fd, key, lens[i],
					  24, self->out);
				continue;
			}
			EXPECT_EQ(-ENOENT, kt_get(self->fd, key, lens[i], NULL,
						  0, NULL, NULL));
		}
		key[lens[i] - 1] = 0;
	}
}

/* One key whose value is set to @len and read back. */
static void round_trip(struct __test_metadata *_metadata,
		       int fd, size_t len, __u8 *value, __u8 *out)
{
	kt_value_fill(value, len, "value", 5, len);
	ASSERT_EQ(0, kt_set(fd, "value", 5, value, len, 0, NULL)) {
		TH_LOG("value of %zu", len);
	}
	comes_out(_metadata, fd, "value", 5, len, out);
}

TEST_F_TIMEOUT(values, short_values, KT_LONG)
{
	size_t len;

	for (len = 0; len <= 700; len++)
		round_trip(_metadata, self->fd, len, self->value, self->out);
	while (len--)
		round_trip(_metadata, self->fd, len, self->value, self->out);
	EXPECT_EQ(1, kt_entries(self->fd));
}

/* Values around lengths where a size class may end: powers of two, and eighths. */
TEST_F_TIMEOUT(values, around_size_classes, KT_LONG)
{
	size_t power, eighth, len;
	int around;

	for (power = 1024; power <= self->info.max_value; power *= 2) {
		for (eighth = 8; eighth < 16; eighth++) {
			/* The entry's header and key count, too: 16 + 8. */
			for (around = -33; around <= 9; around += 3) {
				len = power / 8 * eighth + around;
				if (len > self->info.max_value)
					continue;
				round_trip(_metadata, self->fd, len,
					   self->value, self->out);
			}
		}
	}
	round_trip(_metadata, self->fd, self->info.max_value, self->value,
		   self->out);
}

/* Several values of each length at once, so that writes into neighbours would show. */
TEST_F_TIMEOUT(values, neighbours, KT_LONG)
{
	__u64 i, state = 7;
	__u8 key[16];

	for (i = 0; i < 600; i++) {
		kt_key(key, sizeof(key), i);
		kt_value_fill(self->value, i * 11, key, sizeof(key), i);
		ASSERT_EQ(0, kt_set(self->fd, key, sizeof(key), self->value,
				    i * 11, 0, NULL));
	}
	/* Half of them get values of other lengths. */
	for (i = 0; i < 600; i += 2) {
		size_t len = kt_random(&state) % 6600;

		kt_key(key, sizeof(key), i);
		kt_value_fill(self->value, len, key, sizeof(key), i);
		ASSERT_EQ(0, kt_set(self->fd, key, sizeof(key), self->value,
				    len, KMAP_REPLACE, NULL));
		comes_out(_metadata, self->fd, key, sizeof(key), len,
			  self->out);
	}
	for (i = 1; i < 600; i += 2) {
		kt_key(key, sizeof(key), i);
		comes_out(_metadata, self->fd, key, sizeof(key), i * 11,
			  self->out);
	}
}

TEST_F_TIMEOUT(values, up_to_a_mebibyte, KT_LONG)
{
	size_t power, len;
	int around;

	RELOAD(BIG_LIMITS);
	ASSERT_EQ(KMAP_VALUE_MAX, self->info.max_value);
	for (power = 65536; power < KMAP_VALUE_MAX; power *= 2) {
		for (around = -40; around <= 40; around += 8) {
			len = power + around;
			round_trip(_metadata, self->fd, len, self->value,
				   self->out);
			round_trip(_metadata, self->fd, len + power / 2,
				   self->value, self->out);
		}
	}
	for (around = -40; around <= 0; around++)
		round_trip(_metadata, self->fd, KMAP_VALUE_MAX + around,
			   self->value, self->out);
	EXPECT_EQ(-EFBIG, kt_set(self->fd, "value", 5, self->value,
				 KMAP_VALUE_MAX + 1, 0, NULL));
}

/* The longest key with the longest value, many times. */
TEST_F_TIMEOUT(values, largest_entries, KT_LONG)
{
	__u8 key[KMAP_KEY_MAX];
	__u64 i;

	RELOAD(BIG_LIMITS);
	for (i = 0; i < 40; i++) {
		kt_key(key, sizeof(key), i % 20);
		kt_value_fill(self->value, KMAP_VALUE_MAX, key, sizeof(key), i);
		ASSERT_EQ(0, kt_set(self->fd, key, sizeof(key), self->value,
				    KMAP_VALUE_MAX, 0, NULL));
	}
	for (i = 0; i < 20; i++) {
		kt_key(key, sizeof(key), i);
		comes_out(_metadata, self->fd, key, sizeof(key),
			  KMAP_VALUE_MAX, self->out);
	}
	EXPECT_EQ(20, kt_entries(self->fd));
}

TEST_HARNESS_MAIN
