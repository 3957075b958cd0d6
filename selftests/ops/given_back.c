// SPDX-License-Identifier: GPL-2.0
/*
 * Memory that is not used any more goes back to the kernel while the map lives, and
 * nobody has to do anything for it.
 */
#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

#include "kselftest_harness.h"
#include "kmap_fixture.h"

#define MEBI		1048576ull
#define KEY_LEN		16
#define STORED		(16 * MEBI)	/* bytes of values */

/* Waits until the map is hardly larger than it was when it was empty, as it must be. */
static void wait_small(struct __test_metadata *_metadata, int fd, __u64 empty)
{
	struct kmap_info info;

	for (;;) {
		ASSERT_EQ(0, kt_info(fd, &info));
		if (info.memory <= empty + MEBI && !info.deferred)
			break;
		usleep(10000);
	}
}

static void fill(struct __test_metadata *_metadata, int fd, size_t len)
{
	struct kmap_info info;

	ASSERT_EQ(0, kt_fill(fd, 0, STORED / len, KEY_LEN, len, NULL));
	ASSERT_EQ(0, kt_info(fd, &info));
	ASSERT_GE(info.memory, STORED);
}

static const size_t lens[] = { 1000, 5000, 40000, 2000, 1000 };

TEST_F_TIMEOUT(map, after_clear, KT_LONG)
{
	struct kmap_info info;
	unsigned int i;

	RELOAD("max_bytes=64m");
	for (i = 0; i < ARRAY_SIZE(lens); i++) {
		fill(_metadata, self->fd, lens[i]);
		ASSERT_EQ(0, kt_clear(self->fd, NULL));
		wait_small(_metadata, self->fd, self->info.memory);
		ASSERT_EQ(0, kt_info(self->fd, &info));
		EXPECT_GE(info.given_back, (i + 1) * (STORED - MEBI));
	}
}

TEST_F_TIMEOUT(map, after_removal, KT_LONG)
{
	unsigned int i;

	RELOAD("max_bytes=64m wipe=1");
	for (i = 0; i < ARRAY_SIZE(lens); i++) {
		fill(_metadata, self->fd, lens[i]);
		ASSERT_EQ(0, kt_remove(self->fd, 0, STORED / lens[i], KEY_LEN,
				       NULL));
		wait_small(_metadata, self->fd, self->info.memory);
	}
}

/* What was kept for a snapshot that has ended, too. */
TEST_F_TIMEOUT(map, after_snapshot, KT_LONG)
{
	static __u8 buf[65536];
	struct kmap_keys keys;

	RELOAD("max_bytes=64m");
	fill(_metadata, self->fd, 1000);
	memset(&keys, 0, sizeof(keys));
	keys.buf = kt_ptr(buf);
	keys.size = sizeof(buf);
	keys.flags = KMAP_KEYS_ATOMIC | KMAP_KEYS_VALUES;
	kt_ioctl(self->fd, KMAP_IOC_KEYS, &keys);
	ASSERT_EQ(0, kt_clear(self->fd, NULL));
	wait_small(_metadata, self->fd, self->info.memory);
}

/*
 * Few slabs have free places: the keeper leaves them alone, until the machine is short of
 * memory.
 */
TEST_F_TIMEOUT(map, under_pressure, KT_LONG)
{
	const __u64 n = STORED / 1000;
	struct kmap_info info;
	__u64 least, i;
	int fd;

	RELOAD("max_bytes=64m");
	fill(_metadata, self->fd, 1000);
	for (i = 0; i < n / 8; i += 4)
		ASSERT_EQ(0, kt_remove(self->fd, i, 1, KEY_LEN, NULL));
	ASSERT_EQ(0, kt_info(self->fd, &info));
	least = info.slabs - info.slabs / 64;
	fd = open("/proc/sys/vm/drop_caches", O_WRONLY | O_CLOEXEC);
	ASSERT_GE(fd, 0);
	do {
		/* This calls all shrinkers of the kernel. */
		ASSERT_EQ(1, pwrite(fd, "2", 1, 0));
		usleep(10000);
		ASSERT_EQ(0, kt_info(self->fd, &info));
	} while (info.slabs > least);
	ASSERT_EQ(0, close(fd));
	EXPECT_EQ(info.entries, n - (n / 8 + 3) / 4);
}

TEST_HARNESS_MAIN
