// SPDX-License-Identifier: GPL-2.0
/*
 * Long calls and signals.  A signal that ends the process ends the call, even one
 * that dumps core, which is only pending until the kernel delivers it.  With a
 * signal that is handled, ignored or blocked, the call continues to its end.
 *
 * The call is held at one of its copies; then the signal is sent, and the call
 * continues.
 */
#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/wait.h>

#include "kselftest_harness.h"
#include "kmap_fixture.h"
#include "stall.h"

#define RECORDS		3
#define ENTRIES		4000
#define VALUE_LEN	100
#define TICK_US		500

/* How the child treats the signal. */
enum way {
	DEFAULT,
	HANDLED,
	IGNORED,
	BLOCKED
};

/**
 * struct scene - a call
 * @name: for messages
 * @cmd: the ioctl
 * @page: the page where it is held
 * @left: least number of keys in the map if the signal ended the call
 * @whole: number of keys if it did not
 */
static const struct scene {
	const char *name;
	unsigned long cmd;
	enum stall_use page;
	__s64 left;
	__s64 whole;
} scenes[] = {
	{ "BATCH of deletions", KMAP_IOC_BATCH, STALL_KEY,
	  ENTRIES - 1, ENTRIES - RECORDS },
	{ "CLEAR", KMAP_IOC_CLEAR, STALL_RECORD, ENTRIES / 2, 0 },
};

static const int fatal[] = {
	SIGABRT, SIGQUIT, SIGSEGV, SIGSYS, SIGXCPU, SIGTERM, SIGINT, SIGKILL
};

FIXTURE(signals) {
	int fd;
	struct stall *stall;
};

FIXTURE_SETUP(signals)
{
	self->fd = open_empty(_metadata);
	if (self->fd < 0)
		return;
	self->stall = mmap(NULL, sizeof(*self->stall), PROT_READ | PROT_WRITE,
			   MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	ASSERT_NE(MAP_FAILED, self->stall);
}

FIXTURE_TEARDOWN(signals)
{
	if (self->fd >= 0)
		close(self->fd);
}

static void handler(int number)
{
	(void)number;
}

static void expect_signal(int number, enum way way)
{
	static const struct rlimit no_core;
	struct sigaction action = {
		.sa_handler = way == HANDLED ? handler :
			      way == IGNORED ? SIG_IGN : SIG_DFL,
	};
	sigset_t set;

	setrlimit(RLIMIT_CORE, &no_core);
	if (number != SIGKILL)
		sigaction(number, &action, NULL);
	sigemptyset(&set);
	sigaddset(&set, number);
	sigprocmask(way == BLOCKED ? SIG_BLOCK : SIG_UNBLOCK, &set, NULL);
}

static void *content(struct stall *stall, enum stall_use page)
{
	return stall->content + page * STALL_PAGE;
}

/* The first record's key is on a page of its own, where the call is held. */
static void prepare(struct stall *stall, const struct scene *scene, __u8 *pages)
{
	struct kmap_batch *batch = content(stall, STALL_RECORD);
	struct kmap_op *op = content(stall, STALL_ARRAY);
	__u64 *keys = content(stall, STALL_VALUE);
	__u64 first = 0;
	__u64 i;

	memset(stall->content, 0, sizeof(stall->content));
	if (scene->cmd != KMAP_IOC_BATCH)
		return;
	kt_key(content(stall, STALL_KEY), 8, first);
	for (i = 0; i < RECORDS; i++) {
		kt_key(keys + i, 8, i);
		kt_op_del(op + i, pages + (i ? STALL_VALUE * STALL_PAGE + i * 8 :
					       STALL_KEY * STALL_PAGE), 8, 0);
	}
	batch->ops = kt_ptr(pages + STALL_ARRAY * STALL_PAGE);
	batch->count = RECORDS;
	batch->op_size = sizeof(*op);
}

/* In the child; does not return. */
static void make_call(struct stall *stall, const struct scene *scene, int fd,
		      int number, enum way way)
{
	__u8 *pages = stall_uffd.map(stall);

	expect_signal(number, way);
	stall->ret = -ENODEV;
	if (pages) {
		prepare(stall, scene, pages);
		if (stall_uffd.arm(stall, pages))
			stall->ret = kt_ioctl(fd, scene->cmd, pages +
					      STALL_RECORD * STALL_PAGE);
	}
	atomic_store(&stall->state, STALL_OVER);
	_exit(0);
}

static void play(struct __test_metadata *_metadata, int fd,
		 struct stall *stall, const struct scene *scene, int number,
		 enum way way)
{
	int status;
	pid_t pid;

	ASSERT_EQ(0, kt_clear(fd, NULL));
	ASSERT_EQ(0, kt_fill(fd, 0, ENTRIES, 8, VALUE_LEN, NULL));
	stall->page = scene->page;
	stall->writes = false;
	stall->before = STALL_NONE;
	atomic_store(&stall->state, STALL_RUNS);
	atomic_store(&stall->release, 0);
	pid = fork();
	ASSERT_GE(pid, 0);
	if (!pid)
		make_call(stall, scene, fd, number, way);
	while (atomic_load(&stall->state) == STALL_RUNS)
		usleep(TICK_US);
	ASSERT_EQ(STALL_HELD, atomic_load(&stall->state)) {
		TH_LOG("%s: was not held, and returned %d", scene->name,
		       stall->ret);
	}
	ASSERT_EQ(0, kill(pid, number));
	atomic_store(&stall->release, 1);
	ASSERT_EQ(pid, waitpid(pid, &status, 0));
	if (way == DEFAULT) {
		EXPECT_TRUE(WIFSIGNALED(status) && WTERMSIG(status) == number);
		EXPECT_LE(scene->left, kt_entries(fd)) {
			TH_LOG("%s: went on after signal %d", scene->name,
			       number);
		}
	} else {
		EXPECT_TRUE(WIFEXITED(status));
		EXPECT_EQ(0, stall->ret) {
			TH_LOG("%s: signal %d, %d: %s", scene->name, number,
			       way, strerror(-stall->ret));
		}
		EXPECT_EQ(scene->whole, kt_entries(fd)) {
			TH_LOG("%s: signal %d, %d", scene->name, number, way);
		}
	}
}

/* Some of these dump core, which the kernel decides when it delivers them. */
TEST_F_TIMEOUT(signals, that_end_the_process, KT_LONG)
{
	unsigned int i, j;

	if (stall_uffd.begin(self->stall))
		SKIP(return, "no userfaultfd");
	for (i = 0; i < ARRAY_SIZE(scenes); i++)
		for (j = 0; j < ARRAY_SIZE(fatal); j++)
			play(_metadata, self->fd, self->stall, &scenes[i],
			     fatal[j], DEFAULT);
}

TEST_F_TIMEOUT(signals, that_do_not, KT_LONG)
{
	static const enum way ways[] = { HANDLED, IGNORED, BLOCKED };
	static const int numbers[] = { SIGABRT, SIGTERM, SIGUSR1 };
	unsigned int i, j, k;

	if (stall_uffd.begin(self->stall))
		SKIP(return, "no userfaultfd");
	for (i = 0; i < ARRAY_SIZE(scenes); i++)
		for (j = 0; j < ARRAY_SIZE(ways); j++)
			for (k = 0; k < ARRAY_SIZE(numbers); k++)
				play(_metadata, self->fd, self->stall,
				     &scenes[i], numbers[k], ways[j]);
	/* A signal that does nothing by default. */
	play(_metadata, self->fd, self->stall, &scenes[0], SIGCHLD, IGNORED);
}

TEST_HARNESS_MAIN
