// SPDX-License-Identifier: GPL-2.0
/*
 * libkmap's two ways to look a key up: when it takes which, and that nobody can
 * tell them apart by what they return.
 */
#include <errno.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/personality.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <sys/wait.h>

#include "kselftest_harness.h"
#include "kmap_fixture.h"

/* The library's header, not the ABI's. */
#include <kmap.h>

#define SMALL	"max_bytes=4M max_entries=20000 max_key=100 max_value=1000"

/**
 * struct result - what a lookup came to
 * @rc: what it returned
 * @len: length
 * @version: version
 * @value: the value
 */
struct result {
	int ret;
	size_t len;
	uint64_t version;
	__u8 value[1024];
};

static struct result get(struct kmap *map, const void *key, size_t key_len,
			 size_t size)
{
	struct result result = { .len = 4711, .version = 4711 };

	memset(result.value, KT_POISON, sizeof(result.value));
	result.ret = kmap_get(map, key, key_len, result.value, size,
			      &result.len, &result.version);
	return result;
}

#define OPEN(map, flags)	ASSERT_EQ(0, kmap_open(map, NULL, flags))

TEST_F(map, window_on)
{
	struct kmap *map;

	RELOAD(SMALL);
	OPEN(&map, KMAP_RDWR);
	EXPECT_EQ(self->info.window, kmap_window(map));
	kmap_close(map);
	OPEN(&map, KMAP_RDONLY);
	EXPECT_EQ(self->info.window, kmap_window(map));
	kmap_close(map);
	OPEN(&map, KMAP_WRONLY);
	EXPECT_EQ(0, kmap_window(map));
	EXPECT_EQ(-EBADF, kmap_window_error(map));
	kmap_close(map);
	OPEN(&map, KMAP_RDWR | KMAP_NO_WINDOW);
	EXPECT_EQ(0, kmap_window(map));
	kmap_close(map);

	ASSERT_EQ(0, kmap_open_fd(&map, kt_open(O_RDONLY), KMAP_RDWR));
	EXPECT_EQ(self->info.window, kmap_window(map));
	kmap_close(map);
	ASSERT_EQ(0, kmap_open_fd(&map, kt_open(O_RDWR), KMAP_NO_WINDOW));
	EXPECT_EQ(0, kmap_window(map));
	kmap_close(map);
}

/* What is no map is refused when it is opened, and never waited for. */
TEST_F(map, no_map)
{
	static const unsigned int flags[] = {
		KMAP_RDONLY, KMAP_RDONLY | KMAP_NO_WINDOW, KMAP_WRONLY, KMAP_RDWR,
	};
	char file[64], fifo[64];
	const char *paths[4];
	struct kmap *map;
	unsigned int i, j;
	int fd;

	snprintf(file, sizeof(file), "/tmp/kmap-file.%d", (int)getpid());
	snprintf(fifo, sizeof(fifo), "/tmp/kmap-fifo.%d", (int)getpid());
	ASSERT_EQ(0, close(open(file, O_CREAT | O_EXCL | O_RDWR, 0600)));
	ASSERT_EQ(0, mkfifo(fifo, 0600));
	paths[0] = "/dev/null";
	paths[1] = "/dev/zero";
	paths[2] = file;
	paths[3] = fifo;
	for (i = 0; i < ARRAY_SIZE(paths); i++) {
		for (j = 0; j < ARRAY_SIZE(flags); j++) {
			/* Nobody reads from the FIFO: open(2) says so. */
			if (paths[i] == fifo && flags[j] == KMAP_WRONLY)
				continue;
			map = (void *)1;
			EXPECT_EQ(-EMEDIUMTYPE,
				  kmap_open(&map, paths[i], flags[j])) {
				TH_LOG("%s, flags %u", paths[i], flags[j]);
			}
			EXPECT_EQ(NULL, map);
		}
	}
	EXPECT_EQ(-EMEDIUMTYPE, kmap_open(&map, "/dev", KMAP_RDONLY));
	EXPECT_EQ(-ENODEV, kmap_open(&map, "/dev/none", KMAP_RDONLY));

	fd = open(file, O_RDWR);
	EXPECT_EQ(-EMEDIUMTYPE, kmap_open_fd(&map, fd, 0));
	EXPECT_EQ(NULL, map);
	EXPECT_EQ(0, close(fd));
	EXPECT_EQ(-EBADF, kmap_open_fd(&map, fd, 0));
	EXPECT_EQ(0, unlink(file));
	EXPECT_EQ(0, unlink(fifo));
	EXPECT_STREQ("this is another device or file, not a kmap",
		     kmap_strerror(-EMEDIUMTYPE));
}

/* Conditional on the value that is there; the same by both ways to look. */
TEST_F(map, equal)
{
	uint64_t first, version = 0;
	struct kmap *map, *reader;

	OPEN(&map, KMAP_RDWR);
	EXPECT_EQ(-ENOENT, kmap_set_equal(map, "key", 3, "new", 3, "old", 3, 0,
					  NULL));
	EXPECT_EQ(-ENOENT, kmap_delete_equal(map, "key", 3, "old", 3, NULL));
	ASSERT_EQ(0, kmap_set(map, "key", 3, "old", 3, 0, &first));
	EXPECT_EQ(-ESTALE, kmap_set_equal(map, "key", 3, "new", 3, "odd", 3, 0,
					  &version));
	EXPECT_EQ(first, version);
	EXPECT_EQ(0, kmap_set_equal(map, "key", 3, "new", 3, "old", 3, 0,
				    &version));
	EXPECT_GT(version, first);
	EXPECT_EQ(-EINVAL, kmap_set_equal(map, "key", 3, "x", 1, "new", 3,
					  KMAP_CREATE, NULL));
	EXPECT_EQ(-EINVAL, kmap_set(map, "key", 3, "x", 1, KMAP_EQUAL, NULL));
	EXPECT_EQ(-EINVAL, kmap_delete(map, "key", 3, KMAP_EQUAL, NULL));
	OPEN(&reader, KMAP_WRONLY);
	EXPECT_EQ(-EBADF, kmap_delete_equal(reader, "key", 3, "new", 3, NULL));
	kmap_close(reader);
	EXPECT_EQ(-ESTALE, kmap_delete_equal(map, "key", 3, NULL, 0, &first));
	EXPECT_EQ(version, first);
	EXPECT_EQ(0, kmap_delete_equal(map, "key", 3, "new", 3, &first));
	EXPECT_EQ(version, first);
	kmap_close(map);
}

TEST_F(map, numbers)
{
	static const unsigned int ways[] = { 0, KMAP_NO_WINDOW };
	uint64_t version, now;
	struct kmap *map;
	int64_t number;
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(ways); i++) {
		OPEN(&map, KMAP_RDWR | ways[i]);
		ASSERT_EQ(0, kmap_clear(map, NULL));
		EXPECT_EQ(-ENOENT, kmap_get_number(map, "n", 1, &number, NULL));
		EXPECT_EQ(-EINVAL, kmap_get_number(map, "", 0, &number, NULL));
		ASSERT_EQ(0, kmap_set(map, "n", 1, "12345678", 8, 0, NULL));
		EXPECT_EQ(-EDOM, kmap_get_number(map, "n", 1, &number, NULL));
		EXPECT_EQ(-EDOM, kmap_add(map, "n", 1, 1, 0, NULL, NULL));
		ASSERT_EQ(0, kmap_set(map, "n", 1, "123456789", 9, 0, NULL));
		EXPECT_EQ(-EDOM, kmap_get_number(map, "n", 1, &number, NULL));
		EXPECT_EQ(-EDOM, kmap_set(map, "n", 1, "7", 1, KMAP_NUMBER,
					  NULL));
		number = -5;
		ASSERT_EQ(0, kmap_set(map, "n", 1, &number, 8, KMAP_NUMBER,
				      NULL));
		ASSERT_EQ(0, kmap_add(map, "n", 1, 12, 0, NULL, &version));
		EXPECT_EQ(0, kmap_get_number(map, "n", 1, &number, &now));
		EXPECT_EQ(7, number);
		EXPECT_EQ(version, now);
		EXPECT_EQ(0, kmap_get_number(map, "n", 1, NULL, NULL));
		kmap_close(map);
	}
}

/* The map is let go of when the handle is closed. */
TEST_F(map, closed)
{
	struct kmap *map;

	RELOAD(SMALL);
	OPEN(&map, KMAP_RDONLY);
	EXPECT_EQ(-ENOENT, get(map, "key", 3, 0).ret);
	close(self->fd);
	self->fd = -1;
	EXPECT_EQ(-EAGAIN, kt_unload());
	kmap_close(map);
	EXPECT_EQ(0, kt_unload());
}

/* What keeps a program from mapping the window. */
static int less_addresses(void)
{
	struct rlimit limit = { .rlim_cur = 64 << 20, .rlim_max = 64 << 20 };

	return setrlimit(RLIMIT_AS, &limit);
}

static int less_locked(void)
{
	struct rlimit limit = { .rlim_cur = 1 << 20, .rlim_max = 1 << 20 };

	return setrlimit(RLIMIT_MEMLOCK, &limit) || setuid(65534) ||
	       mlockall(MCL_FUTURE);
}

static int exec_implied(void)
{
	return personality(READ_IMPLIES_EXEC) < 0;
}

static int nothing(void)
{
	return 0;
}

#define FAILED	255

/*
 * What kmap_window_error() says in a program that did this, negated.  In any case
 * that program finds "key", and is told of its error with a text.
 */
static int lost(int (*how)(void), int fd, unsigned int flags)
{
	struct kmap *map;
	int status, ret;
	pid_t pid;

	pid = fork();
	if (!pid) {
		if (how() || kmap_open_fd(&map, fd, flags))
			_exit(FAILED);
		ret = kmap_window_error(map);
		if (ret > 0 || !ret == !kmap_window(map))
			_exit(FAILED);
		if (ret && !strcmp(kmap_strerror(ret), strerror(-ret)))
			_exit(FAILED);
		if (get(map, "key", 3, 5).ret)
			_exit(FAILED);
		_exit(-ret);
	}
	if (waitpid(pid, &status, 0) != pid || !WIFEXITED(status))
		return FAILED;
	return WEXITSTATUS(status);
}

/* Where the window cannot be had: the same, by system calls, and it can be seen. */
TEST_F(map, window_lost)
{
	struct statvfs dev;

	RELOAD("max_bytes=256M");
	ASSERT_EQ(0, kt_set(self->fd, "key", 3, "value", 5, 0, NULL));
	EXPECT_EQ(ENOMEM, lost(less_addresses, self->fd, KMAP_WINDOW));
	EXPECT_EQ(EAGAIN, lost(less_locked, self->fd, KMAP_WINDOW));
	/* Where nothing can be executed, that personality asks for nothing. */
	ASSERT_EQ(0, statvfs("/dev", &dev));
	EXPECT_EQ(dev.f_flag & ST_NOEXEC ? 0 : EACCES,
		  lost(exec_implied, self->fd, KMAP_WINDOW));
	EXPECT_EQ(ECANCELED, lost(nothing, self->fd, KMAP_NO_WINDOW));
	EXPECT_EQ(0, lost(nothing, self->fd, KMAP_WINDOW));
}

/* A 32-bit program gives the window no more of its addresses than it is told to. */
TEST_F(map, window_size)
{
	const bool small = sizeof(void *) < 8;
	struct kmap *map;

	RELOAD("max_bytes=8M max_entries=20000");
	ASSERT_EQ(0, kt_set(self->fd, "key", 3, "value", 5, 0, NULL));
	ASSERT_GE(KMAP_WINDOW_MAX_32, self->info.window);
	EXPECT_EQ(0, lost(nothing, self->fd, 0));
	EXPECT_EQ(0, lost(nothing, self->fd, KMAP_WINDOW));

	RELOAD("max_bytes=200M");
	ASSERT_EQ(0, kt_set(self->fd, "key", 3, "value", 5, 0, NULL));
	ASSERT_LT(KMAP_WINDOW_MAX_32, self->info.window);
	EXPECT_EQ(small ? EOVERFLOW : 0, lost(nothing, self->fd, 0));
	EXPECT_EQ(0, lost(nothing, self->fd, KMAP_WINDOW));
	EXPECT_EQ(-EINVAL, kmap_open(&map, NULL, KMAP_WINDOW | KMAP_NO_WINDOW));
	EXPECT_EQ(-EINVAL, kmap_open_fd(&map, self->fd,
					KMAP_WINDOW | KMAP_NO_WINDOW));
	EXPECT_EQ(-EINVAL, kmap_open(&map, NULL, 16));
}

/* A lookup in the window is none that the kernel counts. */
TEST_F(map, counted)
{
	struct kmap_info before, after;
	struct kmap *map;
	int i, no_window;

	RELOAD(SMALL);
	ASSERT_EQ(0, kt_fill(self->fd, 0, 100, 16, 64, NULL));
	for (no_window = 0; no_window < 2; no_window++) {
		__u8 key[16];

		OPEN(&map, no_window ? KMAP_NO_WINDOW : KMAP_RDWR);
		ASSERT_EQ(0, kt_info(self->fd, &before));
		for (i = 0; i < 150; i++) {
			kt_key(key, sizeof(key), i);
			EXPECT_EQ(i < 100 ? 0 : -ENOENT,
				  get(map, key, sizeof(key), 64).ret);
			EXPECT_EQ(i < 100 ? -EMSGSIZE : -ENOENT,
				  get(map, key, sizeof(key), 63).ret);
		}
		ASSERT_EQ(0, kt_info(self->fd, &after));
		EXPECT_EQ(no_window * 300, after.gets - before.gets);
		kmap_close(map);
	}
}

/* Each lookup once in each way. */
static void same(struct __test_metadata *_metadata, struct kmap **maps,
		 const void *key, size_t key_len, size_t size)
{
	struct result with = get(maps[0], key, key_len, size);
	struct result without = get(maps[1], key, key_len, size);

	EXPECT_EQ(without.ret, with.ret) {
		TH_LOG("key of %zu bytes, room for %zu", key_len, size);
	}
	EXPECT_EQ(without.len, with.len);
	EXPECT_EQ(without.version, with.version);
	EXPECT_EQ(0, memcmp(without.value, with.value, sizeof(with.value)));
}

TEST_F_TIMEOUT(map, same_results, KT_LONG)
{
	static const size_t key_lens[] = {
		0, 1, 2, 3, 7, 8, 9, 15, 16, 17, 99, 100, 101, 1024, 2047, 2048,
		65535, 1 << 20,
	};
	static const size_t value_lens[] = { 0, 1, 7, 8, 9, 63, 64, 999, 1000 };
	static __u8 key[1 << 20], value[1000];
	struct kmap *maps[2];
	unsigned int i, j;
	size_t size;

	RELOAD(SMALL);
	OPEN(&maps[0], KMAP_RDWR);
	OPEN(&maps[1], KMAP_RDWR | KMAP_NO_WINDOW);
	for (i = 0; i < sizeof(value); i++)
		value[i] = i * 7;
	for (i = 0; i < ARRAY_SIZE(key_lens); i++) {
		for (j = 0; j < ARRAY_SIZE(value_lens); j++) {
			size_t len = value_lens[j];

			key[0] = j + 1;
			kmap_set(maps[j & 1], key, key_lens[i], value, len, 0,
				 NULL);
			for (size = len ? len - 1 : 0; size <= len + 1; size++)
				same(_metadata, maps, key, key_lens[i],
				     size);
			same(_metadata, maps, key, key_lens[i], 0);
			kmap_delete(maps[0], key, key_lens[i], 0, NULL);
			same(_metadata, maps, key, key_lens[i], len);
		}
	}
	/* What only the kernel can say. */
	EXPECT_EQ(-EFAULT, kmap_get(maps[0], NULL, 3, value, 9, NULL, NULL));
	ASSERT_EQ(0, kmap_set(maps[0], "k", 1, "value", 5, 0, NULL));
	EXPECT_EQ(-EFAULT, kmap_get(maps[0], "k", 1, NULL, 9, NULL, NULL));
	EXPECT_EQ(-EMSGSIZE, kmap_get(maps[0], "k", 1, NULL, 0, NULL, NULL));
	EXPECT_EQ(0, kmap_get(maps[0], "k", 1, value, 9, NULL, NULL));
	kmap_close(maps[0]);
	kmap_close(maps[1]);
}

/* What one handle does, the other one sees at once, and its versions too. */
TEST_F(map, read_your_writes)
{
	struct kmap *maps[2];
	uint64_t version;
	int64_t sum, number;
	int i;

	RELOAD(SMALL);
	OPEN(&maps[0], KMAP_RDWR);
	OPEN(&maps[1], KMAP_RDWR | KMAP_NO_WINDOW);
	for (i = 0; i < 3000; i++) {
		struct result result;

		if (i % 100 == 99) {
			ASSERT_EQ(0, kmap_delete(maps[i & 1], "n", 1, 0, NULL));
			ASSERT_EQ(-ENOENT, get(maps[0], "n", 1, 8).ret);
			ASSERT_EQ(-ENOENT, get(maps[1], "n", 1, 8).ret);
		}
		ASSERT_EQ(0, kmap_add(maps[i & 1], "n", 1, i, 0, &sum,
				      &version));
		result = get(maps[0], "n", 1, 8);
		memcpy(&number, result.value, sizeof(number));
		ASSERT_EQ(0, result.ret);
		ASSERT_EQ(version, result.version);
		ASSERT_EQ(sum, number);
	}
	kmap_close(maps[0]);
	kmap_close(maps[1]);
}

TEST_HARNESS_MAIN
