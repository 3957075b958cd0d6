// SPDX-License-Identifier: GPL-2.0
/*
 * Which places of the module a call went through, from KCOV, and the calls that
 * were the first to reach a place.
 *
 * Without KCOV in the kernel, and KCOV_INSTRUMENT=y for the module, there is no
 * coverage, and all calls are drawn at random.
 */
#include <fcntl.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <unistd.h>

#include "fuzz.h"

#define KCOV_FILE	"/sys/kernel/debug/kcov"

/* The commands of a 64-bit kernel, for 32-bit programs, too. */
#define KCOV_INIT	_IOC(_IOC_READ, 'c', 1, 8)
#define KCOV_ENABLE	_IO('c', 100)
#define KCOV_PCS	0

#define TRACE_WORDS	65536u

/* Must be called by the thread that is to be traced. */
void fuzz_cover_open(struct fuzz_client *c)
{
	int fd = open(KCOV_FILE, O_RDWR | O_CLOEXEC);
	void *trace;

	c->trace = NULL;
	if (fd < 0)
		return;
	if (ioctl(fd, KCOV_INIT, (unsigned long)TRACE_WORDS))
		goto out;
	trace = mmap(NULL, TRACE_WORDS * 8, PROT_READ | PROT_WRITE, MAP_SHARED,
		     fd, 0);
	if (trace == MAP_FAILED)
		goto out;
	if (ioctl(fd, KCOV_ENABLE, KCOV_PCS)) {
		munmap(trace, TRACE_WORDS * 8);
		goto out;
	}
	c->trace = trace;
	atomic_fetch_add(&c->fuzz->traced, 1);
	/* It stays on until the thread ends. */
	return;
out:
	close(fd);
}

void fuzz_cover_begin(struct fuzz_client *c)
{
	if (c->trace)
		__atomic_store_n(c->trace, 0, __ATOMIC_RELAXED);
}

/* Enters a place; true when it is new. */
static bool enter(struct fuzz *fuzz, __u64 pc)
{
	unsigned int at = (pc * 0x9e3779b97f4a7c15ull) >> 48;
	unsigned int tries;

	for (tries = 0; tries < 64; tries++, at = (at + 1) % FUZZ_PLACES) {
		__u64 found = __atomic_load_n(&fuzz->place[at],
					      __ATOMIC_RELAXED);

		if (found == pc)
			return false;
		if (found)
			continue;
		if (__atomic_compare_exchange_n(&fuzz->place[at], &found, pc,
						false, __ATOMIC_RELAXED,
						__ATOMIC_RELAXED)) {
			atomic_fetch_add(&fuzz->places, 1);
			return true;
		}
		if (found == pc)
			return false;
	}
	return false;
}

void fuzz_cover_end(struct fuzz_client *c, const struct fuzz_call *call)
{
	__u64 count, i, last = 0;
	bool new = false;

	if (!c->trace)
		return;
	count = __atomic_load_n(c->trace, __ATOMIC_RELAXED);
	if (count > TRACE_WORDS - 1)
		count = TRACE_WORDS - 1;
	for (i = 1; i <= count; i++) {
		/* The rounds of a tight loop are one place. */
		if (c->trace[i] == last)
			continue;
		last = c->trace[i];
		new |= enter(c->fuzz, last);
	}
	if (new)
		c->fuzz->corpus[atomic_fetch_add(&c->fuzz->kept, 1) %
				FUZZ_CORPUS] = *call;
}
