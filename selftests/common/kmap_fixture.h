/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The fixture that most tests of kmap start from: the map, open and empty.
 *
 * Include it after kselftest_harness.h, once per program.
 */
#ifndef KMAP_FIXTURE_H
#define KMAP_FIXTURE_H

#include <fcntl.h>
#include <stdlib.h>
#include <unistd.h>

#include "kmap_test.h"

/*
 * Seconds until a test counts as hanging: KT_PATIENCE (default 10) times @seconds, the
 * longest time on an emulated machine whose host does nothing else.
 */
static inline unsigned int kt_seconds(unsigned int seconds)
{
	const char *patience = getenv("KT_PATIENCE");
	unsigned int times = patience ? strtoul(patience, NULL, 10) : 0;

	return seconds * (times ? times : 10);
}

/* For a long test. */
#define KT_LONG		kt_seconds(240)

/* For all other tests, with the harness' default as the number of seconds. */
enum { kt_short = TEST_TIMEOUT_DEFAULT };
#undef TEST_TIMEOUT_DEFAULT
#define TEST_TIMEOUT_DEFAULT kt_seconds(kt_short)

/*
 * Opens the map and empties it.  Loads the module if it is not loaded; the
 * environment tells how.  Returns a negative value when the test is skipped.
 */
static inline int open_empty(struct __test_metadata *_metadata)
{
	int fd;

	if (!kt_loaded() && kt_reload("%s", ""))
		SKIP(return -ENODEV, "kmap is not loaded and cannot be loaded");
	fd = kt_open(O_RDWR | O_CLOEXEC);
	ASSERT_GE(fd, 0) {
		TH_LOG("cannot open " KT_DEVICE ": %s", strerror(-fd));
	}
	ASSERT_EQ(0, kt_clear(fd, NULL));
	return fd;
}

FIXTURE(map) {
	int fd;
	struct kmap_info info;
};

FIXTURE_SETUP(map)
{
	self->fd = open_empty(_metadata);
	if (self->fd < 0)
		return;
	ASSERT_EQ(0, kt_info(self->fd, &self->info));
	ASSERT_EQ(0, self->info.entries);
	ASSERT_EQ(0, self->info.bytes);
}

FIXTURE_TEARDOWN(map)
{
	if (self->fd >= 0)
		close(self->fd);
}

/* The snapshot that REMEMBER() takes and UNCHANGED() compares with. */
static inline struct kt_snapshot *remembered(void)
{
	static struct kt_snapshot snapshot;

	return &snapshot;
}

#define REMEMBER(fd) do {						\
	kt_snapshot_drop(remembered());					\
	ASSERT_EQ(0, kt_snapshot_take(fd, remembered()));		\
} while (0)

#define UNCHANGED(fd)	EXPECT_TRUE(kt_snapshot_same(fd, remembered()))

/* Closes the device, loads the module anew with these parameters, opens it. */
#define RELOAD(...) do {						\
	close(self->fd);						\
	ASSERT_EQ(0, kt_reload(__VA_ARGS__));				\
	self->fd = kt_open(O_RDWR | O_CLOEXEC);				\
	ASSERT_GE(self->fd, 0);						\
	ASSERT_EQ(0, kt_info(self->fd, &self->info));			\
} while (0)

#endif /* KMAP_FIXTURE_H */
