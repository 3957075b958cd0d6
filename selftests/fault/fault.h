/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Making the kernel fail: the n-th allocation or user copy of a thread, by
 * failslab, fail_page_alloc and fail_usercopy.
 *
 * To be included after kselftest_harness.h, once in a program, whose main()
 * returns fault_run().
 */
#ifndef FAULT_H
#define FAULT_H

#include <errno.h>
#include <stdlib.h>
#include <sys/mman.h>

#include "kmap_fixture.h"

#define DEBUGFS		"/sys/kernel/debug/"
#define FAIL_NTH	"/proc/self/fail-nth"

/* More than any call has; to find loops without an end. */
#define POINTS_MAX	2000

static const char *const wanted[] = {
	DEBUGFS "failslab/reject-start", DEBUGFS "fail_page_alloc",
	DEBUGFS "fail_usercopy", FAIL_NTH,
};

/* Failures also where the caller could wait for memory; not a word in the log. */
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
 * Now and then a small object wants pages for a new slab of the kernel's, and
 * notes about it.  That is not a point of the call: it would move all that come
 * after it, and one would be left out.
 */
static const char *const unmoved[] = { "failslab", "fail_page_alloc" };
static const char refill[] = "___slab_alloc";

/* What is missing for this, or NULL. */
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

/* Where the kernel has the function that begins with @name, and its end. */
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

/* To be called by the thread that makes the calls. */
static int fault_begin(void)
{
	unsigned int i;
	int ret;

	/* Page faults allocate too, and are none of this test's business. */
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

/* The @n-th allocation or user copy of this thread from now on fails. */
static void arm(unsigned int n)
{
	char text[16];
	int len = snprintf(text, sizeof(text), "%u", n);

	if (pwrite(fail_fd, text, len, 0) != len)
		ksft_exit_fail_msg("%s cannot be written\n", FAIL_NTH);
}

/*
 * How many are left until it fails; 0 when it has failed.  To look is a user
 * copy as well: with one left, it is the look that fails.
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

/* Whether it has failed since. */
static bool disarm(void)
{
	return !disarm_left();
}

/*
 * The module anew, with the map open and empty.  With a single shard, what a call
 * allocates does not depend on where its key happens to be.
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
 * @points: that failed
 * @nomem: with ENOMEM
 * @fault: with EFAULT
 * @late: of these, with the change made
 * @through: the call came through
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

/* To be returned by main(): without the means for it, all is skipped. */
static int fault_run(int argc, char **argv)
{
	const char *none = missing();

	if (none)
		ksft_exit_skip("this kernel cannot be made to fail: no %s\n",
			       none);
	return test_harness_run(argc, argv);
}

#endif /* FAULT_H */
