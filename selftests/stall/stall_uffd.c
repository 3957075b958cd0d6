// SPDX-License-Identifier: GPL-2.0
/*
 * Pages that stall by userfaultfd: a missing page stalls all accesses, a
 * write-protected one stalls writes.  Another thread of the child gets the faults.
 */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <linux/userfaultfd.h>

#include "stall.h"

#define TICK_US	500

/* In the child. */
static int uffd;
static __u8 *memory;

static int open_uffd(void)
{
	struct uffdio_api api = {
		.api = UFFD_API,
		.features = UFFD_FEATURE_PAGEFAULT_FLAG_WP,
	};
	int fd = syscall(SYS_userfaultfd, O_CLOEXEC | O_NONBLOCK);

	if (fd < 0)
		return -errno;
	if (ioctl(fd, UFFDIO_API, &api)) {
		close(fd);
		return -EOPNOTSUPP;
	}
	return fd;
}

static int uffd_begin(struct stall *stall)
{
	int fd = open_uffd();

	(void)stall;
	if (fd < 0)
		return fd;
	close(fd);
	return 0;
}

static void uffd_end(struct stall *stall)
{
	(void)stall;
}

static void *uffd_map(struct stall *stall)
{
	(void)stall;
	uffd = open_uffd();
	memory = mmap(NULL, STALL_PAGES * STALL_PAGE, PROT_READ | PROT_WRITE,
		      MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	return uffd < 0 || memory == MAP_FAILED ? NULL : memory;
}

static struct uffdio_range range_of(enum stall_use page)
{
	return (struct uffdio_range){
		.start = kt_ptr(memory + page * STALL_PAGE),
		.len = STALL_PAGE,
	};
}

static bool protect(enum stall_use page, bool on)
{
	struct uffdio_writeprotect wp = {
		.range = range_of(page),
		.mode = on ? UFFDIO_WRITEPROTECT_MODE_WP : 0,
	};

	return !ioctl(uffd, UFFDIO_WRITEPROTECT, &wp);
}

static bool provide(struct stall *stall, enum stall_use page)
{
	struct uffdio_copy copy = {
		.dst = range_of(page).start,
		.src = kt_ptr(stall->content + page * STALL_PAGE),
		.len = STALL_PAGE,
	};

	return !ioctl(uffd, UFFDIO_COPY, &copy);
}

static bool register_page(enum stall_use page, bool writes)
{
	struct uffdio_register reg = {
		.range = range_of(page),
		.mode = writes ? UFFDIO_REGISTER_MODE_WP :
				 UFFDIO_REGISTER_MODE_MISSING,
	};

	if (!writes && madvise(memory + page * STALL_PAGE, STALL_PAGE,
			       MADV_DONTNEED))
		return false;
	return !ioctl(uffd, UFFDIO_REGISTER, &reg);
}

/* Waits until an access stalls; returns the page. */
static enum stall_use next_fault(void)
{
	struct pollfd poller = { .fd = uffd, .events = POLLIN };
	struct uffd_msg msg;

	do {
		if (poll(&poller, 1, -1) < 0)
			return STALL_NONE;
	} while (read(uffd, &msg, sizeof(msg)) != sizeof(msg));
	if (msg.event != UFFD_EVENT_PAGEFAULT)
		return STALL_NONE;
	return (msg.arg.pagefault.address - kt_ptr(memory)) / STALL_PAGE;
}

static void *handler(void *arg)
{
	struct stall *stall = arg;

	if (stall->before != STALL_NONE) {
		if (next_fault() != stall->before)
			return NULL;
		/* Writes before this point were possible. */
		if (stall->writes && !protect(stall->page, true))
			return NULL;
		provide(stall, stall->before);
	}
	if (next_fault() != stall->page)
		return NULL;
	atomic_store(&stall->state, STALL_HELD);
	while (!atomic_load(&stall->release))
		usleep(TICK_US);
	if (stall->writes)
		protect(stall->page, false);
	else
		provide(stall, stall->page);
	return NULL;
}

static bool uffd_arm(struct stall *stall, void *pages)
{
	pthread_t thread;

	memcpy(pages, stall->content, sizeof(stall->content));
	if (stall->before != STALL_NONE &&
	    !register_page(stall->before, false))
		return false;
	if (!register_page(stall->page, stall->writes))
		return false;
	if (stall->writes && stall->before == STALL_NONE &&
	    !protect(stall->page, true))
		return false;
	return !pthread_create(&thread, NULL, handler, stall);
}

const struct stall_ops stall_uffd = {
	.begin	= uffd_begin,
	.map	= uffd_map,
	.arm	= uffd_arm,
	.end	= uffd_end,
};
