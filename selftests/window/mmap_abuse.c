// SPDX-License-Identifier: GPL-2.0
/*
 * Threads of several processes that map, move, cut, protect, advise, fork and
 * read the window all at once, in the same range of addresses, while the map
 * under it grows, shrinks and is cleared: nobody ever writes to the window, and
 * when they are gone the map is whole and the module can go.
 *
 * The window is only touched by way of system calls, so that memory that has just
 * been taken away is an error and not a signal.
 */
#define _GNU_SOURCE
#define _FILE_OFFSET_BITS 64
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/uio.h>
#include <sys/wait.h>
#include <unistd.h>

#include "hammer.h"
#include "kselftest_harness.h"

#define PAGE		4096u
#define RANGE		256u	/* pages of address space that they fight for */
#define RUN		64u	/* pages of one act, at most */
#define ACTS		2000u	/* of all together */

/**
 * struct abuse - what all share
 * @head: the head of the window, as it was
 * @window: pages of it
 * @acts: done by all
 * @mapped: of these, mappings made
 * @read: of these, pages read
 */
struct abuse {
	struct kmap_window head;
	size_t window;
	atomic_ulong acts;
	atomic_ulong mapped;
	atomic_ulong read;
};

/* The range of this process; its threads share it. */
static __u8 *range;
static pthread_once_t reserved = PTHREAD_ONCE_INIT;

static void reserve(void)
{
	range = mmap(NULL, (RANGE + RUN + 2 * HAMMER_WORKERS) * PAGE, PROT_NONE,
		     MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
}

static __u8 *some_place(struct hammer_worker *w)
{
	return range + hammer_below(w, RANGE) * PAGE;
}

static size_t some_pages(struct hammer_worker *w)
{
	return (1 + hammer_below(w, RUN)) * PAGE;
}

/* Only what is shared and for reading is given. */
static bool map(struct hammer_worker *w)
{
	static const int prots[] = {
		PROT_READ, PROT_READ, PROT_READ, PROT_NONE, PROT_WRITE,
		PROT_READ | PROT_WRITE, PROT_READ | PROT_EXEC,
	};
	static const int types[] = {
		MAP_SHARED, MAP_SHARED, MAP_SHARED, MAP_PRIVATE,
		MAP_SHARED_VALIDATE,
	};
	struct abuse *abuse = w->h->shared;
	int prot = prots[hammer_below(w, 7)], type = types[hammer_below(w, 5)];
	size_t len = some_pages(w);
	/* The beginning more often than the rest, and beyond the end at times. */
	__u64 page = hammer_below(w, 2) ? hammer_below(w, 64) :
			hammer_below(w, abuse->window + RUN);
	int populate = hammer_below(w, 4) ? 0 : MAP_POPULATE;
	bool fine = !(prot & (PROT_WRITE | PROT_EXEC)) && type != MAP_PRIVATE &&
		    page + len / PAGE <= abuse->window;
	void *mem;

	mem = mmap(some_place(w), len, prot, type | MAP_FIXED | populate, w->fd,
		   (off_t)page * PAGE);
	HAMMER_CHECK(w, (mem != MAP_FAILED) == fine,
		     "mmap of %zu bytes at page %llu, prot %#x, type %d: %s",
		     len, page, prot, type,
		     fine ? strerror(errno) : "was allowed");
	if (fine)
		atomic_fetch_add(&abuse->mapped, 1);
	return true;
}

/* Wherever it reads: what comes is a page of the window, or nothing does. */
static bool read_some(struct hammer_worker *w)
{
	struct abuse *abuse = w->h->shared;
	struct iovec to = { w->out, PAGE }, from = { some_place(w), PAGE };

	int pipes[2];

	process_vm_readv(getpid(), &to, 1, &from, 1, 0);
	/* An ordinary copy from there, which faults pages in. */
	if (pipe(pipes))
		return true;
	if (write(pipes[1], from.iov_base, PAGE) == PAGE)
		atomic_fetch_add(&abuse->read, 1);
	close(pipes[0]);
	close(pipes[1]);
	return true;
}

/* Whether a system call writes there, the range is not the place for it. */
static bool write_some(struct hammer_worker *w)
{
	static const __u8 junk[64] = { 0xee, 0xee };
	struct iovec from = { (void *)(uintptr_t)junk, sizeof(junk) };
	__u8 *at = some_place(w) + hammer_below(w, PAGE - 64);
	struct iovec to = { at, sizeof(junk) };
	struct kmap_info *info = (struct kmap_info *)at;
	ssize_t got;
	int ret;

	got = process_vm_writev(getpid(), &from, 1, &to, 1, 0);
	HAMMER_CHECK(w, got < 0, "the window was written to from outside");
	ret = kt_ioctl(w->fd, KMAP_IOC_INFO, info);
	HAMMER_CHECK(w, ret == -EFAULT || ret == -EINVAL,
		     "INFO wrote to the window: %d", ret);
	ret = kt_get(w->fd, "key", 3, at, 64, NULL, NULL);
	HAMMER_CHECK(w, ret == -EFAULT || ret == -ENOENT,
		     "GET wrote to the window: %d", ret);
	/* As a key or a value it is as good as any other memory. */
	ret = kt_set(w->fd, at, 32, at, 64, 0, NULL);
	HAMMER_CHECK(w, !ret || ret == -EFAULT || ret == -ENOSPC,
		     "SET from the window: %d", ret);
	return true;
}

/* To write or to execute is refused, on a page that nobody else plays with. */
static bool protect(struct hammer_worker *w)
{
	static const int refused[] = {
		PROT_WRITE, PROT_READ | PROT_WRITE, PROT_EXEC,
		PROT_READ | PROT_EXEC,
	};
	int prot = refused[hammer_below(w, 4)];
	void *own = range + (RANGE + RUN + 2 * w->id) * PAGE;

	if (hammer_below(w, 2)) {
		mprotect(some_place(w), some_pages(w),
			 hammer_below(w, 3) ? PROT_READ : PROT_NONE);
		return true;
	}
	HAMMER_CHECK(w, mmap(own, PAGE, PROT_READ, MAP_SHARED | MAP_FIXED,
			     w->fd, 0) == own, "mmap: %s", strerror(errno));
	HAMMER_CHECK(w, mprotect(own, PAGE, prot) && errno == EACCES,
		     "mprotect let the window have prot %#x", prot);
	return true;
}

static bool advise(struct hammer_worker *w)
{
	static const int advices[] = {
		MADV_DONTNEED, MADV_WILLNEED, MADV_FREE, MADV_REMOVE,
		MADV_HUGEPAGE, MADV_NOHUGEPAGE, MADV_MERGEABLE, MADV_COLD,
		MADV_PAGEOUT, MADV_POPULATE_READ, MADV_POPULATE_WRITE,
		MADV_DONTDUMP, MADV_DODUMP, MADV_RANDOM, MADV_SEQUENTIAL,
		MADV_DONTFORK, MADV_DOFORK,
	};
	unsigned char there[RUN];
	void *at = some_place(w);
	size_t len = some_pages(w);

	madvise(at, len, advices[hammer_below(w, ARRAY_SIZE(advices))]);
	mincore(at, len, there);
	if (!hammer_below(w, 8) && !mlock(at, len))
		munlock(at, len);
	msync(at, len, MS_SYNC);
	return true;
}

static bool move(struct hammer_worker *w)
{
	size_t len = some_pages(w), more = some_pages(w);
	__u8 *from = some_place(w), *to = some_place(w);

	/* It may shrink and move, and does not grow. */
	if (hammer_below(w, 2))
		mremap(from, len, more, MREMAP_MAYMOVE | MREMAP_FIXED, to);
	else
		mremap(from, len, len / 2 / PAGE * PAGE, 0);
	return true;
}

static bool fork_one(struct hammer_worker *w)
{
	__u8 byte = 0;
	struct iovec to = { &byte, 1 }, from = { some_place(w), 1 };
	pid_t pid = fork();
	int status;

	if (!pid) {
		process_vm_readv(getpid(), &to, 1, &from, 1, 0);
		munmap(range, RANGE * PAGE / 2);
		_exit(0);
	}
	HAMMER_CHECK(w, pid > 0 && waitpid(pid, &status, 0) == pid && !status,
		     "a child of a mapped process failed");
	return true;
}

static bool abuse_window(struct hammer_worker *w)
{
	struct abuse *abuse = w->h->shared;
	bool good = true;

	pthread_once(&reserved, reserve);
	HAMMER_CHECK(w, range != MAP_FAILED, "no addresses");
	while (good && hammer_next(w) &&
	       atomic_fetch_add(&abuse->acts, 1) < ACTS) {
		unsigned int what = hammer_below(w, 64);

		if (what < 20)
			good = map(w);
		else if (what < 36)
			good = read_some(w);
		else if (what < 40)
			good = write_some(w);
		else if (what < 46)
			good = protect(w);
		else if (what < 54)
			good = advise(w);
		else if (what < 58)
			good = move(w);
		else if (what < 62)
			munmap(some_place(w), some_pages(w));
		else if (what < 63)
			good = fork_one(w);
		else
			mmap(some_place(w), PAGE, PROT_NONE, MAP_PRIVATE |
			     MAP_ANONYMOUS | MAP_FIXED, -1, 0);
	}
	return good;
}

/* What the window is of: it grows, has entries come and go, and is cleared. */
static bool change_map(struct hammer_worker *w)
{
	struct abuse *abuse = w->h->shared;

	while (hammer_next(w) && atomic_load(&abuse->acts) < ACTS) {
		/* For those who try to have it written to the window. */
		static const __u8 value[64] = { 0xee };
		__u64 first = hammer_below(w, 3000);
		int ret = kt_fill(w->fd, first, 100, 16,
				  hammer_below(w, 3000), NULL);

		HAMMER_CHECK(w, !ret || ret == -ENOSPC, "fill: %d", ret);
		kt_set(w->fd, "key", 3, value, sizeof(value), 0, NULL);
		if (!hammer_below(w, 3))
			kt_remove(w->fd, first, 100, 16, NULL);
		if (!hammer_below(w, 40))
			HAMMER_CHECK(w, !kt_clear(w->fd, NULL), "clear");
	}
	return true;
}

/* One process keeps the map in motion, all others have a go at the window. */
static bool work(struct hammer_worker *w)
{
	return w->process ? abuse_window(w) : change_map(w);
}

FIXTURE(abuse) {
	struct hammer *h;
	struct abuse *abuse;
	int fd;
};

FIXTURE_SETUP(abuse)
{
	struct kmap_info info;
	void *head;

	ASSERT_EQ(0, kt_reload("max_bytes=4M max_entries=20000"));
	self->h = hammer_new();
	ASSERT_NE(NULL, self->h);
	self->abuse = hammer_share(sizeof(*self->abuse));
	ASSERT_NE(NULL, self->abuse);
	self->h->shared = self->abuse;
	self->h->work = work;
	self->h->seconds = 0;
	self->fd = kt_open(O_RDWR | O_CLOEXEC);
	ASSERT_GE(self->fd, 0);
	ASSERT_EQ(0, kt_info(self->fd, &info));
	self->abuse->window = info.window / PAGE;
	head = mmap(NULL, PAGE, PROT_READ, MAP_SHARED, self->fd, 0);
	ASSERT_NE(MAP_FAILED, head);
	memcpy(&self->abuse->head, head, sizeof(self->abuse->head));
	munmap(head, PAGE);
}

FIXTURE_TEARDOWN(abuse)
{
	if (self->fd >= 0)
		close(self->fd);
	hammer_unshare(self->abuse, sizeof(*self->abuse));
	hammer_free(self->h);
}

/* The map is whole, its head what it was, and a mapping alone keeps it all. */
static void whole(struct __test_metadata *_metadata, struct abuse *abuse,
		  int *fd)
{
	struct kmap_window *head, now;

	EXPECT_EQ(kt_entries(*fd), kt_walk_count(*fd));
	ASSERT_EQ(0, kt_clear(*fd, NULL));
	EXPECT_EQ(0, kt_fill(*fd, 0, 3000, 16, 100, NULL));
	EXPECT_EQ(0, kt_verify(*fd, 0, 3000, 16, 100, NULL));
	head = mmap(NULL, PAGE, PROT_READ, MAP_SHARED, *fd, 0);
	ASSERT_NE(MAP_FAILED, head);
	/* Nothing but stale ever changes. */
	now = *head;
	now.stale = abuse->head.stale;
	EXPECT_EQ(0, memcmp(&abuse->head, &now, sizeof(now)));
	close(*fd);
	*fd = -1;
	EXPECT_EQ(-EWOULDBLOCK, kt_unload());
	munmap(head, PAGE);
	EXPECT_EQ(0, kt_unload());
}

TEST_F_TIMEOUT(abuse, all_at_once, hammer_timeout())
{
	ASSERT_TRUE(hammer_run(self->h));
	TH_LOG("%lu acts, %lu mappings, %lu pages read", self->abuse->acts,
	       self->abuse->mapped, self->abuse->read);
	EXPECT_GE(self->abuse->acts, ACTS);
	EXPECT_GT(self->abuse->mapped, 0);
	EXPECT_GT(self->abuse->read, 0);
	whole(_metadata, self->abuse, &self->fd);
}

TEST_HARNESS_MAIN
