// SPDX-License-Identifier: GPL-2.0
/*
 * Memory that was given back is not seen any more through a window that was mapped before,
 * whoever has it now.
 */
#include <errno.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include "kselftest_harness.h"
#include "kmap_fixture.h"
#include "kmap_test_window.h"

#define SMALL	"max_bytes=8M max_entries=20000 max_value=65536"
#define KEY_LEN	16
#define FOREIGN	0xc7
#define ROUNDS	3

/* First byte of the entry area that is not zero, or the size of the window. */
static size_t not_zero(const struct kt_window *window)
{
	size_t at = window->head->entry_offset;

	while (at < window->size && !window->mem[at])
		at++;
	return at;
}

/* Has another process fill the memory that is free, but for a rest. */
static int occupy(pid_t *pid)
{
	size_t size = kt_meminfo("MemFree") / 2;
	int ready[2], fine = 0;
	char byte;
	void *mem;

	if (pipe(ready))
		return -errno;
	*pid = fork();
	if (!*pid) {
		mem = mmap(NULL, size, PROT_READ | PROT_WRITE,
			   MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
		if (mem == MAP_FAILED)
			_exit(1);
		memset(mem, FOREIGN, size);
		if (write(ready[1], "", 1) == 1)
			pause();
		_exit(0);
	}
	close(ready[1]);
	if (*pid > 0)
		fine = read(ready[0], &byte, 1) == 1;
	close(ready[0]);
	return fine ? 0 : -EIO;
}

/* Waits until all memory of entries has been given back, as it must be. */
static void wait_gone(struct __test_metadata *_metadata, int fd,
		      const struct kt_window *window, __u64 empty)
{
	struct kmap_info info;

	do {
		usleep(10000);
		ASSERT_EQ(0, kt_info(fd, &info));
	} while (info.memory > empty + 262144 || info.deferred);
	/* What is left is an empty slab, for a while. */
	while (not_zero(window) != window->size)
		usleep(10000);
}

TEST_F_TIMEOUT(map, given_back, KT_LONG)
{
	static const size_t lens[ROUNDS] = { 1000, 20000, 300 };
	struct kt_window window;
	unsigned int i;
	__u64 count;
	pid_t pid;

	RELOAD(SMALL " shards=1");
	ASSERT_EQ(0, kt_window_map(self->fd, &window));
	for (i = 0; i < ROUNDS; i++) {
		count = 3000000 / (lens[i] + 60);
		ASSERT_EQ(0, kt_fill(self->fd, 0, count, KEY_LEN, lens[i], NULL));
		/* All of it is mapped. */
		EXPECT_EQ(count, kt_window_scan(&window, NULL, NULL));
		EXPECT_NE(window.size, not_zero(&window));
		ASSERT_EQ(0, kt_clear(self->fd, NULL));
		wait_gone(_metadata, self->fd, &window, self->info.memory);
		ASSERT_EQ(0, occupy(&pid));
		EXPECT_EQ(window.size, not_zero(&window)) {
			TH_LOG("%#x at %#zx", window.mem[not_zero(&window)],
			       not_zero(&window));
		}
		kill(pid, SIGKILL);
		waitpid(pid, NULL, 0);
		EXPECT_EQ(0, kt_window_scan(&window, NULL, NULL));
	}
	kt_window_unmap(&window);
}

/* Also where a child has a copy of the mapping, and where it was moved. */
TEST_F_TIMEOUT(map, given_back_elsewhere, KT_LONG)
{
	struct kt_window window;
	int status, scanned[2], go[2];
	char byte;
	pid_t pid;
	__u8 *to;

	RELOAD(SMALL " shards=1");
	ASSERT_EQ(0, kt_window_map(self->fd, &window));
	ASSERT_EQ(0, kt_fill(self->fd, 0, 3000, KEY_LEN, 1000, NULL));
	EXPECT_EQ(3000, kt_window_scan(&window, NULL, NULL));
	ASSERT_EQ(0, pipe(go));
	ASSERT_EQ(0, pipe(scanned));
	pid = fork();
	ASSERT_GE(pid, 0);
	if (!pid) {
		close(go[1]);
		if (kt_window_scan(&window, NULL, NULL) != 3000 ||
		    write(scanned[1], "", 1) != 1 ||
		    read(go[0], &byte, 1) != 1)
			_exit(2);
		_exit(not_zero(&window) != window.size);
	}
	close(scanned[1]);
	ASSERT_EQ(1, read(scanned[0], &byte, 1));
	to = mmap(NULL, window.size, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS |
		  MAP_NORESERVE, -1, 0);
	ASSERT_TRUE(to != MAP_FAILED);
	to = mremap((void *)window.mem, window.size, window.size,
		    MREMAP_MAYMOVE | MREMAP_FIXED, to);
	ASSERT_TRUE(to != MAP_FAILED);
	window.mem = to;
	window.head = (const void *)to;
	EXPECT_EQ(3000, kt_window_scan(&window, NULL, NULL));
	ASSERT_EQ(0, kt_clear(self->fd, NULL));
	wait_gone(_metadata, self->fd, &window, self->info.memory);
	ASSERT_EQ(1, write(go[1], "", 1));
	ASSERT_EQ(pid, waitpid(pid, &status, 0));
	EXPECT_EQ(0, status);
	kt_window_unmap(&window);
}

TEST_HARNESS_MAIN
