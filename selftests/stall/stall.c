// SPDX-License-Identifier: GPL-2.0
/*
 * Calls that stop in the middle of a copy from or to user memory, in each copy
 * of each ioctl: all others go on, in the same shard, too, and a call that is
 * killed there leaves nothing behind.
 *
 * The map has one shard: a copy under its lock would hold up all others, and the
 * test with them.
 */
#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/wait.h>

#include "kselftest_harness.h"
#include "kmap_fixture.h"
#include "stall.h"

#define KEY		"stalled"
#define KEY_LEN		7
#define OLD_LEN		(STALL_PAGE + 1000)	/* needs two pages */
#define NEW_LEN		3000
#define OTHERS		40	/* keys of the others */
#define TICK_US		500

#define READ		false
#define WRITE		true

/**
 * struct scene - a call and where it stalls
 * @name: for messages
 * @cmd: the ioctl
 * @flags: of its record, or of the first of the batch
 * @page: as of struct stall
 * @writes: as of struct stall
 * @before: as of struct stall; if there is one, the change was made before @page
 */
static const struct scene {
	const char *name;
	unsigned long cmd;
	__u32 flags;
	enum stall_use page;
	bool writes;
	enum stall_use before;
} scenes[] = {
	{ "GET: record", KMAP_IOC_GET, 0,
	  STALL_RECORD, READ, STALL_NONE },
	{ "GET: key", KMAP_IOC_GET, 0,
	  STALL_KEY, READ, STALL_NONE },
	{ "GET: value", KMAP_IOC_GET, 0,
	  STALL_OUT, READ, STALL_NONE },
	{ "GET: end of the value", KMAP_IOC_GET, 0,
	  STALL_OUT_2, READ, STALL_NONE },
	{ "GET: outcome", KMAP_IOC_GET, 0,
	  STALL_RECORD, WRITE, STALL_NONE },

	{ "SET: record", KMAP_IOC_SET, 0,
	  STALL_RECORD, READ, STALL_NONE },
	{ "SET: check of the record", KMAP_IOC_SET, 0,
	  STALL_RECORD, WRITE, STALL_NONE },
	{ "SET: key", KMAP_IOC_SET, 0,
	  STALL_KEY, READ, STALL_NONE },
	{ "SET: value", KMAP_IOC_SET, 0,
	  STALL_VALUE, READ, STALL_NONE },
	{ "SET: outcome", KMAP_IOC_SET, 0,
	  STALL_RECORD, WRITE, STALL_VALUE },
	{ "SET: check of the buffer", KMAP_IOC_SET, KMAP_RETURN,
	  STALL_OUT, WRITE, STALL_NONE },
	{ "SET: previous value", KMAP_IOC_SET, KMAP_RETURN,
	  STALL_OUT, WRITE, STALL_VALUE },
	{ "SET: outcome after that", KMAP_IOC_SET, KMAP_RETURN,
	  STALL_RECORD, WRITE, STALL_VALUE },

	{ "DELETE: record", KMAP_IOC_DELETE, 0,
	  STALL_RECORD, READ, STALL_NONE },
	{ "DELETE: key", KMAP_IOC_DELETE, 0,
	  STALL_KEY, READ, STALL_NONE },
	{ "DELETE: outcome", KMAP_IOC_DELETE, 0,
	  STALL_RECORD, WRITE, STALL_KEY },
	{ "DELETE: check of the buffer", KMAP_IOC_DELETE, KMAP_RETURN,
	  STALL_OUT, READ, STALL_NONE },
	{ "DELETE: previous value", KMAP_IOC_DELETE, KMAP_RETURN,
	  STALL_OUT, WRITE, STALL_OUT_2 },

	{ "ADD: record", KMAP_IOC_ADD, 0,
	  STALL_RECORD, READ, STALL_NONE },
	{ "ADD: key", KMAP_IOC_ADD, 0,
	  STALL_KEY, READ, STALL_NONE },
	{ "ADD: outcome", KMAP_IOC_ADD, 0,
	  STALL_RECORD, WRITE, STALL_KEY },

	{ "BATCH: record", KMAP_IOC_BATCH, 0,
	  STALL_RECORD, READ, STALL_NONE },
	{ "BATCH: check of the record", KMAP_IOC_BATCH, 0,
	  STALL_RECORD, WRITE, STALL_NONE },
	{ "BATCH: array", KMAP_IOC_BATCH, 0,
	  STALL_ARRAY, READ, STALL_NONE },
	{ "BATCH: check of the array", KMAP_IOC_BATCH, 0,
	  STALL_ARRAY, WRITE, STALL_NONE },
	{ "BATCH: key", KMAP_IOC_BATCH, 0,
	  STALL_KEY, READ, STALL_NONE },
	{ "BATCH: value", KMAP_IOC_BATCH, 0,
	  STALL_VALUE, READ, STALL_NONE },
	{ "BATCH: previous value", KMAP_IOC_BATCH, KMAP_RETURN,
	  STALL_OUT, WRITE, STALL_VALUE },
	{ "BATCH: outcome of a record", KMAP_IOC_BATCH, 0,
	  STALL_ARRAY, WRITE, STALL_VALUE },
	{ "BATCH: outcome", KMAP_IOC_BATCH, 0,
	  STALL_RECORD, WRITE, STALL_VALUE },

	{ "KEYS: record", KMAP_IOC_KEYS, 0,
	  STALL_RECORD, READ, STALL_NONE },
	{ "KEYS: buffer", KMAP_IOC_KEYS, KMAP_KEYS_VALUES,
	  STALL_OUT, READ, STALL_NONE },
	{ "KEYS: outcome", KMAP_IOC_KEYS, 0,
	  STALL_RECORD, WRITE, STALL_NONE },

	{ "atomic KEYS: record", KMAP_IOC_KEYS, KMAP_KEYS_ATOMIC,
	  STALL_RECORD, READ, STALL_NONE },
	{ "atomic KEYS: buffer", KMAP_IOC_KEYS, KMAP_KEYS_ATOMIC,
	  STALL_OUT, READ, STALL_NONE },
	{ "atomic KEYS: end of the buffer", KMAP_IOC_KEYS, KMAP_KEYS_ATOMIC | KMAP_KEYS_VALUES,
	  STALL_OUT_2, READ, STALL_NONE },
	{ "atomic KEYS: outcome", KMAP_IOC_KEYS, KMAP_KEYS_ATOMIC,
	  STALL_RECORD, WRITE, STALL_NONE },

	{ "CLEAR: record", KMAP_IOC_CLEAR, 0,
	  STALL_RECORD, READ, STALL_NONE },
	{ "CLEAR: check of the record", KMAP_IOC_CLEAR, 0,
	  STALL_RECORD, WRITE, STALL_NONE },

	{ "INFO: record", KMAP_IOC_INFO, 0,
	  STALL_RECORD, READ, STALL_NONE },
	{ "INFO: outcome", KMAP_IOC_INFO, 0,
	  STALL_RECORD, WRITE, STALL_NONE },
};

FIXTURE(stall) {
	int fd;
	struct kmap_info info;
	struct stall *stall;
	const struct stall_ops *ops;
};

FIXTURE_VARIANT(stall) {
	const struct stall_ops *ops;
	bool kill;
};

FIXTURE_VARIANT_ADD(stall, uffd_let_go) {
	.ops = &stall_uffd,
};

FIXTURE_VARIANT_ADD(stall, uffd_killed) {
	.ops = &stall_uffd, .kill = true,
};

FIXTURE_VARIANT_ADD(stall, fuse_let_go) {
	.ops = &stall_fuse,
};

FIXTURE_VARIANT_ADD(stall, fuse_killed) {
	.ops = &stall_fuse, .kill = true,
};

FIXTURE_SETUP(stall)
{
	self->fd = open_empty(_metadata);
	if (self->fd < 0)
		return;
	self->ops = variant->ops;
	self->stall = mmap(NULL, sizeof(*self->stall), PROT_READ | PROT_WRITE,
			   MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	ASSERT_NE(MAP_FAILED, self->stall);
}

FIXTURE_TEARDOWN(stall)
{
	if (self->fd >= 0)
		close(self->fd);
}

static void *content(struct stall *stall, enum stall_use page)
{
	return stall->content + page * STALL_PAGE;
}

/* Writes what the call needs, for pages that will be at @pages. */
static void prepare(struct stall *stall, const struct scene *scene,
		    __u8 *pages)
{
	const bool returns = scene->cmd == KMAP_IOC_GET ||
			     scene->flags & KMAP_RETURN;
	void *key = pages + STALL_KEY * STALL_PAGE;
	void *value = pages + STALL_VALUE * STALL_PAGE;
	void *out = pages + STALL_OUT * STALL_PAGE;
	struct kmap_op *op = content(stall, STALL_RECORD);
	struct kmap_batch *batch = content(stall, STALL_RECORD);
	struct kmap_keys *keys = content(stall, STALL_RECORD);

	memset(stall->content, 0, sizeof(stall->content));
	memcpy(content(stall, STALL_KEY), KEY, KEY_LEN);
	kt_value_fill(content(stall, STALL_VALUE), NEW_LEN, KEY, KEY_LEN, 2);
	switch (scene->cmd) {
	case KMAP_IOC_BATCH:
		batch->ops = kt_ptr(pages + STALL_ARRAY * STALL_PAGE);
		batch->count = 1;
		batch->op_size = sizeof(*op);
		kt_op_set(content(stall, STALL_ARRAY), key, KEY_LEN, value,
			  NEW_LEN, scene->flags);
		op = content(stall, STALL_ARRAY);
		break;
	case KMAP_IOC_SET:
		kt_op_set(op, key, KEY_LEN, value, NEW_LEN, scene->flags);
		break;
	case KMAP_IOC_GET:
		kt_op_get(op, key, KEY_LEN, NULL, 0);
		break;
	case KMAP_IOC_DELETE:
		kt_op_del(op, key, KEY_LEN, scene->flags);
		break;
	case KMAP_IOC_ADD:
		kt_op_add(op, key, KEY_LEN, 1, 0);
		break;
	case KMAP_IOC_KEYS:
		keys->buf = kt_ptr(out);
		keys->size = 2 * STALL_PAGE;
		keys->flags = scene->flags;
		return;
	default:
		return;
	}
	if (returns) {
		op->out = kt_ptr(out);
		op->out_size = 2 * STALL_PAGE;
	}
}

/* In the child; does not return. */
static void make_call(struct stall *stall, const struct stall_ops *ops,
		      const struct scene *scene, int fd)
{
	__u8 *pages = ops->map(stall);

	stall->ret = -ENODEV;
	if (pages) {
		prepare(stall, scene, pages);
		if (ops->arm(stall, pages))
			stall->ret = kt_ioctl(fd, scene->cmd, pages +
					      STALL_RECORD * STALL_PAGE);
	}
	atomic_store(&stall->state, STALL_OVER);
	_exit(0);
}

static void start_with(struct __test_metadata *_metadata, int fd,
		       const struct scene *scene)
{
	static __u8 value[OLD_LEN];
	__s64 number = 5;

	ASSERT_EQ(0, kt_clear(fd, NULL));
	kt_value_fill(value, OLD_LEN, KEY, KEY_LEN, 1);
	if (scene->cmd == KMAP_IOC_ADD) {
		ASSERT_EQ(0, kt_set(fd, KEY, KEY_LEN, &number, 8, KMAP_NUMBER,
				    NULL));
	} else {
		ASSERT_EQ(0, kt_set(fd, KEY, KEY_LEN, value, OLD_LEN, 0,
				    NULL));
	}
}

/* Was the change of the call made? */
static bool changed(int fd, const struct scene *scene)
{
	static __u8 value[2 * STALL_PAGE];
	__s64 number;
	size_t len;
	int ret;

	ret = kt_get(fd, KEY, KEY_LEN, value, sizeof(value), &len, NULL);
	switch (scene->cmd) {
	case KMAP_IOC_DELETE:
		return ret == -ENOENT;
	case KMAP_IOC_ADD:
		memcpy(&number, value, 8);
		return !ret && len == 8 && number == 6;
	case KMAP_IOC_SET:
	case KMAP_IOC_BATCH:
		return !ret && len == NEW_LEN &&
		       kt_value_check(value, len, KEY, KEY_LEN, NULL);
	default:
		return false;
	}
}

/* All operations of others work, even on the key of the stalled call. */
static void others_go_on(struct __test_metadata *_metadata, int fd,
			 const struct scene *scene)
{
	struct kt_snapshot snapshot;
	struct kmap_info info;
	size_t len;
	char out[8];
	int own;

	own = kt_open(O_RDWR | O_CLOEXEC);
	ASSERT_GE(own, 0);
	EXPECT_EQ(0, kt_fill(own, 0, OTHERS, 16, 100, NULL));
	EXPECT_EQ(0, kt_verify(own, 0, OTHERS, 16, 100, NULL));
	EXPECT_EQ(0, kt_set(own, "other", 5, "value", 5, KMAP_CREATE, NULL));
	EXPECT_EQ(0, kt_get(own, "other", 5, out, 8, &len, NULL));
	EXPECT_EQ(0, kt_add(own, "count", 5, 1, 0, NULL, NULL));
	EXPECT_EQ(0, kt_del(own, "other", 5, 0, NULL));
	EXPECT_LT(OTHERS, kt_walk_count(own));
	ASSERT_EQ(0, kt_snapshot_take(own, &snapshot));
	EXPECT_LT(OTHERS, snapshot.count);
	kt_snapshot_drop(&snapshot);
	EXPECT_EQ(0, kt_remove(own, 0, OTHERS, 16, NULL));
	EXPECT_EQ(0, kt_info(own, &info));
	EXPECT_EQ(0, kt_clear(own, NULL));
	EXPECT_EQ(0, kt_entries(own));
	close(own);
	/* The stalled call needs this to succeed. */
	start_with(_metadata, fd, scene);
}

static bool able(const struct stall_ops *ops, const struct scene *scene)
{
	/* Only userfaultfd can distinguish reads from writes. */
	return ops == &stall_uffd || !(scene->writes || scene->before);
}

static void play(struct __test_metadata *_metadata, int fd,
		 struct stall *stall, const struct stall_ops *ops,
		 const struct scene *scene, bool kill_it)
{
	int status;
	pid_t pid;

	start_with(_metadata, fd, scene);
	stall->page = scene->page;
	stall->writes = scene->writes;
	stall->before = scene->before;
	atomic_store(&stall->state, STALL_RUNS);
	atomic_store(&stall->release, 0);
	pid = fork();
	ASSERT_GE(pid, 0);
	if (!pid)
		make_call(stall, ops, scene, fd);
	while (atomic_load(&stall->state) == STALL_RUNS &&
	       waitpid(pid, &status, WNOHANG) == 0)
		usleep(TICK_US);
	ASSERT_EQ(STALL_HELD, atomic_load(&stall->state)) {
		TH_LOG("%s: was not held, and returned %d", scene->name,
		       stall->ret);
		atomic_store(&stall->release, 1);
	}

	EXPECT_EQ(scene->before != STALL_NONE, changed(fd, scene)) {
		TH_LOG("%s: the change was made too early, or late",
		       scene->name);
	}
	others_go_on(_metadata, fd, scene);
	if (!kill_it)
		atomic_store(&stall->release, 1);
	else
		kill(pid, SIGKILL);
	/* A task that waits for FUSE dies only when its wait is over. */
	if (kill_it && ops == &stall_fuse) {
		others_go_on(_metadata, fd, scene);
		atomic_store(&stall->release, 1);
	}
	ASSERT_EQ(pid, waitpid(pid, &status, 0));
	if (kill_it) {
		EXPECT_TRUE(WIFSIGNALED(status)) {
			TH_LOG("%s: survived", scene->name);
		}
	} else {
		EXPECT_TRUE(WIFEXITED(status));
		EXPECT_EQ(0, stall->ret) {
			TH_LOG("%s: %s", scene->name, strerror(-stall->ret));
		}
	}
	others_go_on(_metadata, fd, scene);
}

TEST_F_TIMEOUT(stall, in_each_copy, KT_LONG)
{
	unsigned int i, played = 0;
	char refs[16];
	int ret;

	ret = self->ops->begin(self->stall);
	if (ret)
		SKIP(return, "this kernel cannot stall like that: %s",
		     strerror(-ret));
	RELOAD("shards=1 max_entries=1000");
	for (i = 0; i < ARRAY_SIZE(scenes); i++) {
		if (!able(self->ops, &scenes[i]))
			continue;
		play(_metadata, self->fd, self->stall, self->ops, &scenes[i],
		     variant->kill);
		played++;
		/* One file is the test's; a client that is gone holds none. */
		ASSERT_EQ(0, kt_param("../refcnt", refs, sizeof(refs)));
		ASSERT_STREQ("1", refs) {
			TH_LOG("%s", scenes[i].name);
		}
	}
	TH_LOG("%u copies", played);
	EXPECT_GE(played, 15);
	close(self->fd);
	self->fd = -1;
	EXPECT_EQ(0, kt_unload());
	atomic_store(&self->stall->release, 1);
	self->ops->end(self->stall);
}

TEST_HARNESS_MAIN
