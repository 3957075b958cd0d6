/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Making the kernel fail: the n-th allocation or user copy of a thread, by
 * failslab, fail_page_alloc and fail_usercopy.
 *
 * Include it after kselftest_harness.h, once per program; main() must return
 * fault_run().
 */
#ifndef FAULT_H
#define FAULT_H

#include <errno.h>
#include <stdlib.h>
#include <sys/mman.h>

#include "kmap_fixture.h"

#define DEBUGFS		"/sys/kernel/debug/"
#define FAIL_NTH	"/proc/self/fail-nth"

/* More points than any call has, so that endless loops are noticed. */
#define POINTS_MAX	2000

static const char *const wanted[] = {
	DEBUGFS "failslab/reject-start", DEBUGFS "fail_page_alloc",
	DEBUGFS "fail_usercopy", FAIL_NTH,
};

/* Fail even where the caller could wait for memory; write nothing to the log. */
static const struct {
	const char *file;
	const char *value;
} settings[] = {
	{ "failslab/ignore-gfp-wait", "N" },
	{ "failslab/cache-filter", "N" },
	{ "failslab/verbose", "0" },
	{ "fail_page_alloc/ignore-gfp-wait", "N" },
	{ "fail_page_alloc/ignore-gfp-highmem", "N" },
	{ "fail_page_alloc/min-order", "0" },
	{ "fail_page_alloc/verbose", "0" },
	{ "fail_usercopy/verbose", "0" },
};

static int fail_fd = -1;

/*
 * Now and then the allocation of a small object needs pages for a new slab of the
 * kernel, and data about it.  These are not points of the call: they would move all
 * points after them, and one would be left out.
 */
static const char *const unmoved[] = { "failslab", "fail_page_alloc" };
static const char refill[] = "___slab_alloc";

/* What the kernel lacks for this, or NULL. */
static const char *missing(void)
{
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(wanted); i++)
		if (access(wanted[i], F_OK))
			return wanted[i];
	return NULL;
}

static int put_setting(const char *file, const char *value)
{
	char path[128];
	ssize_t n;
	int fd;

	snprintf(path, sizeof(path), DEBUGFS "%s", file);
	fd = open(path, O_WRONLY | O_CLOEXEC);
	if (fd < 0)
		return -errno;
	n = write(fd, value, strlen(value));
	close(fd);
	return n <= 0 ? -EIO : 0;
}

/* Finds the addresses of a kernel function whose name begins with @name. */
static int find_function(const char *name, unsigned long range[2])
{
	FILE *symbols = fopen("/proc/kallsyms", "re");
	unsigned long at;
	char line[512], symbol[256];

	if (!symbols)
		return -errno;
	range[0] = 0;
	range[1] = 0;
	while (!range[1] && fgets(line, sizeof(line), symbols)) {
		if (sscanf(line, "%lx %*c %255s", &at, symbol) != 2)
			continue;
		if (range[0] && at > range[0])
			range[1] = at;
		else if (!strncmp(symbol, name, strlen(name)))
			range[0] = at;
	}
	fclose(symbols);
	return range[0] < range[1] ? 0 : -ENOENT;
}

static int leave_out_refills(void)
{
	static const char *const ends[] = { "reject-start", "reject-end" };
	unsigned long range[2];
	unsigned int i, end;
	int ret = find_function(refill, range);

	for (i = 0; !ret && i < ARRAY_SIZE(unmoved); i++) {
		for (end = 0; !ret && end < 2; end++) {
			char file[64], value[32];

			snprintf(file, sizeof(file), "%s/%s", unmoved[i],
				 ends[end]);
			snprintf(value, sizeof(value), "%#lx", range[end]);
			ret = put_setting(file, value);
		}
	}
	return ret;
}

/* Must be called by the thread that makes the calls. */
static int fault_begin(void)
{
	unsigned int i;
	int ret;

	/* Page faults allocate, too, but this test is not about them. */
	if (mlockall(MCL_CURRENT | MCL_FUTURE))
		return -errno;
	for (i = 0; i < ARRAY_SIZE(settings); i++) {
		ret = put_setting(settings[i].file, settings[i].value);
		if (ret)
			return ret;
	}
	ret = leave_out_refills();
	if (ret)
		return ret;
	fail_fd = open(FAIL_NTH, O_RDWR | O_CLOEXEC);
	return fail_fd < 0 ? -errno : 0;
}

static void fault_end(void)
{
	close(fail_fd);
	munlockall();
}

/* Makes the @n-th allocation or user copy of this thread from now on fail. */
static void arm(unsigned int n)
{
	char text[16];
	int len = snprintf(text, sizeof(text), "%u", n);

	if (pwrite(fail_fd, text, len, 0) != len)
		ksft_exit_fail_msg("%s cannot be written\n", FAIL_NTH);
}

/*
 * Disarms; returns how many were left until the failure, 0 if it has failed.  The
 * read is a user copy itself: with one left, it is the read that fails.
 */
static unsigned int disarm_left(void)
{
	char text[16] = "";
	ssize_t n = pread(fail_fd, text, sizeof(text) - 1, 0);
	unsigned int left = n > 0 ? strtoul(text, NULL, 10) : 1;

	while (pwrite(fail_fd, "0", 1, 0) != 1)
		;
	return left;
}

/* Disarms; returns whether there was a failure. */
static bool disarm(void)
{
	return !disarm_left();
}

/*
 * Loads the module anew and opens the map.  With a single shard, what a call
 * allocates does not depend on its key.
 */
static void reload(struct __test_metadata *_metadata, int *fd)
{
	if (*fd >= 0)
		close(*fd);
	ASSERT_EQ(0, kt_reload("shards=1"));
	*fd = kt_open(O_RDWR | O_CLOEXEC);
	ASSERT_GE(*fd, 0);
}

static bool injected(int error)
{
	return error == -ENOMEM || error == -EFAULT;
}

/**
 * struct tally - how the calls of a loop ended
 * @points: points that failed
 * @nomem: calls that failed with ENOMEM
 * @fault: calls that failed with EFAULT
 * @late: of these, calls that had made their change
 * @through: calls that had their usual result
 */
struct tally {
	unsigned int points;
	unsigned int nomem;
	unsigned int fault;
	unsigned int late;
	unsigned int through;
};

static void count(struct tally *tally, int error, int want, bool changed)
{
	tally->points++;
	tally->nomem += error == -ENOMEM;
	tally->fault += error == -EFAULT;
	tally->late += error == -EFAULT && changed;
	tally->through += error == want;
}

static void tell(struct __test_metadata *_metadata, const struct tally *tally)
{
	TH_LOG("%u failures: %u ENOMEM, %u EFAULT (%u after the change), %u without effect",
	       tally->points, tally->nomem, tally->fault, tally->late,
	       tally->through);
}

/* main() must return this: it skips all if the kernel lacks something. */
static int fault_run(int argc, char **argv)
{
	const char *none = missing();

	if (none)
		ksft_exit_skip("this kernel cannot be made to fail: no %s\n",
			       none);
	return test_harness_run(argc, argv);
}

#endif /* FAULT_H */
