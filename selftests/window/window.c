// SPDX-License-Identifier: GPL-2.0
/*
 * The window as a mapping: what mmap(2) gives and refuses, what can be done with
 * it later, and how long it stays.
 */
#define _FILE_OFFSET_BITS 64
#include <errno.h>
#include <setjmp.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/uio.h>
#include <sys/wait.h>

#include "kselftest_harness.h"
#include "kmap_fixture.h"
#include "kmap_test_window.h"

/* A window that a 32-bit program has addresses for. */
#define SMALL	"max_bytes=4M max_entries=20000 max_value=65536"

#define MAP(window)	ASSERT_EQ(0, kt_window_map(self->fd, window))

/* mmap(2) at an address of the kernel's choice; 0 or a negative errno. */
static int try(int fd, size_t len, int prot, int flags, off_t offset)
{
	void *mem = mmap(NULL, len, prot, flags, fd, offset);

	if (mem == MAP_FAILED)
		return -errno;
	munmap(mem, len);
	return 0;
}

/* mprotect(2); 0 or a negative errno. */
static int protect(const void *mem, size_t len, int prot)
{
	return mprotect((void *)mem, len, prot) ? -errno : 0;
}

static sigjmp_buf back;

static void on_signal(int signal)
{
	siglongjmp(back, signal);
}

/* The signal that an access raises, or 0. */
static int touch(const __u8 *mem, bool write)
{
	struct sigaction action = { .sa_handler = on_signal }, bus, segv;
	int signal;

	sigaction(SIGBUS, &action, &bus);
	sigaction(SIGSEGV, &action, &segv);
	signal = sigsetjmp(back, 1);
	if (!signal && write)
		__atomic_store_n((__u8 *)mem, 0, __ATOMIC_RELAXED);
	else if (!signal)
		__atomic_load_n(mem, __ATOMIC_RELAXED);
	sigaction(SIGBUS, &bus, NULL);
	sigaction(SIGSEGV, &segv, NULL);
	return signal;
}

/* Exit status of a child, or -1. */
static int join(pid_t pid)
{
	int status;

	if (pid < 0 || waitpid(pid, &status, 0) != pid || !WIFEXITED(status))
		return -1;
	return WEXITSTATUS(status);
}

TEST_F(map, head)
{
	const struct kmap_window *head;
	struct kt_window window;

	RELOAD(SMALL);
	MAP(&window);
	head = window.head;
	EXPECT_EQ(KMAP_WINDOW_MAGIC, head->magic);
	EXPECT_EQ(self->info.window, head->size);
	EXPECT_EQ(self->info.shards, head->shards);
	EXPECT_EQ(head->shards, 1u << head->shard_bits);
	EXPECT_EQ(self->info.max_chain, head->max_chain);
	EXPECT_EQ(0, head->stale);
	EXPECT_NE(0, head->hash_key[0] | head->hash_key[1]);
	EXPECT_EQ(0, head->size % window.page);
	EXPECT_GE(head->shard_offset, sizeof(*head));
	EXPECT_GE(head->bucket_offset, head->shard_offset + head->shards *
		  sizeof(struct kmap_shard));
	EXPECT_EQ(0, head->bucket_offset % sizeof(struct kmap_bucket));
	EXPECT_EQ(0, head->bucket_size % sizeof(struct kmap_bucket));
	EXPECT_EQ(head->entry_offset, head->bucket_offset + head->bucket_size);
	EXPECT_EQ(head->size, head->entry_offset + head->entry_size);
	kt_window_unmap(&window);
}

TEST_F(map, refused)
{
	size_t page = sysconf(_SC_PAGESIZE), size;
	int rdonly, wronly;

	RELOAD(SMALL);
	size = self->info.window;
	rdonly = kt_open(O_RDONLY);
	wronly = kt_open(O_WRONLY);
	ASSERT_GE(rdonly, 0);
	ASSERT_GE(wronly, 0);

	EXPECT_EQ(0, try(self->fd, size, PROT_READ, MAP_SHARED, 0));
	EXPECT_EQ(0, try(rdonly, size, PROT_READ, MAP_SHARED, 0));
	EXPECT_EQ(-EACCES, try(wronly, size, PROT_READ, MAP_SHARED, 0));

	EXPECT_EQ(-EACCES, try(self->fd, size, PROT_READ | PROT_WRITE,
			       MAP_SHARED, 0));
	EXPECT_EQ(-EACCES, try(self->fd, page, PROT_WRITE, MAP_SHARED, 0));
	EXPECT_EQ(-EACCES, try(rdonly, size, PROT_READ | PROT_WRITE,
			       MAP_SHARED, 0));
	EXPECT_EQ(-EACCES, try(wronly, size, PROT_WRITE, MAP_SHARED, 0));
	EXPECT_NE(0, try(self->fd, size, PROT_READ | PROT_EXEC, MAP_SHARED, 0));
	EXPECT_NE(0, try(rdonly, size, PROT_READ | PROT_EXEC, MAP_SHARED, 0));

	EXPECT_EQ(-EINVAL, try(self->fd, size, PROT_READ, MAP_PRIVATE, 0));
	EXPECT_EQ(-EINVAL, try(rdonly, size, PROT_READ, MAP_PRIVATE, 0));
	EXPECT_NE(0, try(self->fd, size, PROT_READ | PROT_WRITE, MAP_PRIVATE,
			 0));

	/* Outside of it, by a page or by as much as there can be. */
	EXPECT_EQ(-EINVAL, try(self->fd, size + page, PROT_READ, MAP_SHARED, 0));
	EXPECT_EQ(-EINVAL, try(self->fd, size, PROT_READ, MAP_SHARED, page));
	EXPECT_EQ(-EINVAL, try(self->fd, page, PROT_READ, MAP_SHARED, size));
	EXPECT_NE(0, try(self->fd, page, PROT_READ, MAP_SHARED,
			 INT64_MAX - page + 1));
	EXPECT_NE(0, try(self->fd, 2 * page, PROT_READ, MAP_SHARED,
			 INT64_MAX - page + 1));
	EXPECT_EQ(-EINVAL, try(self->fd, 0, PROT_READ, MAP_SHARED, 0));
	EXPECT_EQ(-EINVAL, try(self->fd, page, PROT_READ, MAP_SHARED, 1));
	close(rdonly);
	close(wronly);
}

/* A 32-bit program may not have addresses for all of it. */
TEST_F(map, in_parts)
{
	struct kt_window window;
	size_t half;
	__u8 *mem;

	RELOAD(SMALL);
	ASSERT_EQ(0, kt_set(self->fd, "key", 3, "value", 5, 0, NULL));
	MAP(&window);
	half = window.head->entry_offset;
	mem = mmap(NULL, window.page, PROT_READ, MAP_SHARED, self->fd,
		   window.head->bucket_offset);
	ASSERT_TRUE(mem != MAP_FAILED);
	EXPECT_EQ(0, memcmp(mem, window.mem + window.head->bucket_offset,
			    window.page));
	munmap(mem, window.page);
	mem = mmap(NULL, window.size - half, PROT_READ, MAP_SHARED, self->fd,
		   half);
	ASSERT_TRUE(mem != MAP_FAILED);
	EXPECT_EQ(0, touch(mem + window.size - half - 1, false));
	munmap(mem, window.size - half);
	kt_window_unmap(&window);
}

/* No address space for it: an error, and all else goes on. */
TEST_F(map, no_room)
{
	struct rlimit limit = { .rlim_cur = 64 << 20, .rlim_max = 64 << 20 };
	pid_t pid;

	RELOAD("max_bytes=256M");
	pid = fork();
	if (!pid) {
		setrlimit(RLIMIT_AS, &limit);
		if (try(self->fd, self->info.window, PROT_READ, MAP_SHARED,
			0) != -ENOMEM)
			_exit(1);
		_exit(kt_set(self->fd, "key", 3, "value", 5, 0, NULL) != 0);
	}
	EXPECT_EQ(0, join(pid));
}

/* Whatever is tried, nobody but the kernel writes there. */
static void stays_read_only(struct __test_metadata *_metadata, int fd)
{
	struct iovec from, to;
	struct kt_window window;
	__u64 magic = 0;
	int mem;

	ASSERT_EQ(0, kt_window_map(fd, &window));
	EXPECT_EQ(SIGSEGV, touch(window.mem, true));
	EXPECT_EQ(-EACCES, protect(window.mem, window.size,
				   PROT_READ | PROT_WRITE));
	EXPECT_EQ(-EACCES, protect(window.mem, window.page, PROT_WRITE));
	EXPECT_EQ(-EACCES, protect(window.mem, window.size,
				   PROT_READ | PROT_EXEC));
	EXPECT_EQ(0, protect(window.mem, window.size, PROT_NONE));
	EXPECT_EQ(SIGSEGV, touch(window.mem, false));
	EXPECT_EQ(-EACCES, protect(window.mem, window.size,
				   PROT_READ | PROT_WRITE));
	EXPECT_EQ(0, protect(window.mem, window.size, PROT_READ));
	EXPECT_EQ(0, touch(window.mem, false));
	EXPECT_EQ(SIGSEGV, touch(window.mem, true));

	/* As a debugger would, and as a system call's output. */
	mem = open("/proc/self/mem", O_RDWR);
	if (mem >= 0) {
		EXPECT_EQ(-1, pwrite(mem, &magic, sizeof(magic),
				     (uintptr_t)window.mem));
		close(mem);
	}
	from = (struct iovec){ &magic, sizeof(magic) };
	to = (struct iovec){ (void *)window.mem, sizeof(magic) };
	EXPECT_EQ(-1, process_vm_writev(getpid(), &from, 1, &to, 1, 0));
	EXPECT_EQ(-EFAULT, kt_get(fd, "key", 3, (void *)window.mem, 64, NULL,
				  NULL));
	EXPECT_EQ(KMAP_WINDOW_MAGIC, window.head->magic);
	kt_window_unmap(&window);
}

TEST_F(map, read_only)
{
	int rdonly;

	RELOAD(SMALL);
	ASSERT_EQ(0, kt_set(self->fd, "key", 3, "value", 5, 0, NULL));
	stays_read_only(_metadata, self->fd);
	rdonly = kt_open(O_RDONLY);
	ASSERT_GE(rdonly, 0);
	stays_read_only(_metadata, rdonly);
	close(rdonly);
}

/* The mapping keeps the map, and with it the module; nothing else needs to. */
TEST_F(map, survives_close)
{
	struct kt_window window;
	pid_t pid;

	RELOAD(SMALL);
	ASSERT_EQ(0, kt_fill(self->fd, 0, 1000, 16, 100, NULL));
	MAP(&window);
	close(self->fd);
	self->fd = -1;
	EXPECT_EQ(-EAGAIN, kt_unload());
	EXPECT_EQ(1000, kt_window_scan(&window, NULL, NULL));

	/* Part of it is enough, and so is a copy in a child. */
	munmap((void *)window.mem, window.size - window.page);
	EXPECT_EQ(-EAGAIN, kt_unload());
	pid = fork();
	if (!pid) {
		pause();
		_exit(0);
	}
	munmap((void *)(window.mem + window.size - window.page), window.page);
	EXPECT_EQ(-EAGAIN, kt_unload());
	kill(pid, SIGKILL);
	waitpid(pid, NULL, 0);
	EXPECT_EQ(0, kt_unload());
}

/* What has no memory yet is zeros, and what has is read. */
TEST_F(map, not_backed)
{
	struct kt_window window;
	size_t entries, at;

	RELOAD(SMALL);
	MAP(&window);
	entries = window.head->entry_offset;
	EXPECT_EQ(0, touch(window.mem, false));
	EXPECT_EQ(0, touch(window.mem + window.head->shard_offset, false));
	EXPECT_EQ(0, touch(window.mem + window.head->bucket_offset, false));
	EXPECT_EQ(0, touch(window.mem + entries - 1, false));
	EXPECT_EQ(1, kt_window_page(&window, 0, NULL));
	for (at = entries - window.page; at < window.size; at += window.page)
		if (window.mem[at] || window.mem[at + window.page - 1])
			break;
	EXPECT_EQ(window.size, at);

	/* A place that was tried before it had memory is there afterwards. */
	EXPECT_EQ(0, kt_window_scan(&window, NULL, NULL));
	ASSERT_EQ(0, kt_fill(self->fd, 0, 10000, 16, 100, NULL));
	EXPECT_EQ(10000, kt_window_scan(&window, NULL, NULL));
	kt_window_unmap(&window);
}

TEST_F(map, moved_and_cut)
{
	struct kt_window window;
	size_t entries;
	__u8 *mem, *to;

	RELOAD(SMALL);
	ASSERT_EQ(0, kt_fill(self->fd, 0, 1000, 16, 100, NULL));
	MAP(&window);
	entries = window.head->entry_offset;

	/* To grow it is refused. */
	mem = mremap((void *)window.mem, window.size,
		     window.size + window.page, MREMAP_MAYMOVE);
	EXPECT_TRUE(mem == MAP_FAILED);
	EXPECT_EQ(1000, kt_window_scan(&window, NULL, NULL));

	to = mmap(NULL, window.size, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS |
		  MAP_NORESERVE, -1, 0);
	ASSERT_TRUE(to != MAP_FAILED);
	mem = mremap((void *)window.mem, window.size, window.size,
		     MREMAP_MAYMOVE | MREMAP_FIXED, to);
	ASSERT_TRUE(mem == to);
	window.mem = mem;
	window.head = (const void *)mem;
	EXPECT_EQ(1000, kt_window_scan(&window, NULL, NULL));
	EXPECT_EQ(0, touch(mem + window.size - 1, false));

	/* A hole, then less at the end: what stays is what it was. */
	ASSERT_EQ(0, munmap(mem + window.page, window.page));
	EXPECT_EQ(SIGSEGV, touch(mem + window.page, false));
	EXPECT_EQ(KMAP_WINDOW_MAGIC, window.head->magic);
	EXPECT_EQ(0, touch(mem + window.head->bucket_offset + window.page, false));
	to = mremap(mem + entries, window.size - entries, window.page, 0);
	EXPECT_TRUE(to == mem + entries);
	EXPECT_EQ(SIGSEGV, touch(mem + entries + window.page, false));
	EXPECT_EQ(-EACCES, protect(mem + entries, window.page, PROT_WRITE));
	kt_window_unmap(&window);
}

TEST_F(map, after_fork)
{
	struct kt_window window;
	pid_t pid;

	RELOAD(SMALL);
	ASSERT_EQ(0, kt_fill(self->fd, 0, 1000, 16, 100, NULL));
	MAP(&window);
	EXPECT_EQ(1000, kt_window_scan(&window, NULL, NULL));
	pid = fork();
	if (!pid) {
		close(self->fd);
		if (kt_window_scan(&window, NULL, NULL) != 1000)
			_exit(1);
		_exit(touch(window.mem, true) != SIGSEGV);
	}
	EXPECT_EQ(0, join(pid));

	/* Both see what either does later. */
	pid = fork();
	if (!pid)
		_exit(kt_fill(self->fd, 1000, 9000, 16, 100, NULL) != 0);
	EXPECT_EQ(0, join(pid));
	EXPECT_EQ(10000, kt_window_scan(&window, NULL, NULL));
	kt_window_unmap(&window);
}

/* Advice that does not suit it does no harm. */
TEST_F(map, advice)
{
	static const int advice[] = {
		MADV_NORMAL, MADV_RANDOM, MADV_WILLNEED, MADV_DONTNEED,
		MADV_REMOVE, MADV_MERGEABLE, MADV_HUGEPAGE, MADV_DODUMP,
		MADV_FREE, 20 /* COLD */, 21 /* PAGEOUT */,
		22 /* POPULATE_READ */, 23 /* POPULATE_WRITE */,
	};
	struct kt_window window;
	unsigned int i;
	void *mem;

	RELOAD(SMALL);
	ASSERT_EQ(0, kt_fill(self->fd, 0, 1000, 16, 100, NULL));
	MAP(&window);
	for (i = 0; i < ARRAY_SIZE(advice); i++) {
		madvise((void *)window.mem, window.size, advice[i]);
		EXPECT_EQ(1000, kt_window_scan(&window, NULL, NULL)) {
			TH_LOG("after advice %d", advice[i]);
		}
	}
	mlock(window.mem, window.size);
	EXPECT_EQ(1000, kt_window_scan(&window, NULL, NULL));
	kt_window_unmap(&window);

	mem = mmap(NULL, window.size, PROT_READ, MAP_SHARED | MAP_POPULATE |
		   MAP_LOCKED, self->fd, 0);
	ASSERT_TRUE(mem != MAP_FAILED);
	EXPECT_EQ(KMAP_WINDOW_MAGIC, *(__u64 *)mem);
	munmap(mem, window.size);
}

TEST_HARNESS_MAIN
