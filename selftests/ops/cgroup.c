// SPDX-License-Identifier: GPL-2.0
/*
 * Memory is charged to the cgroup of the client that stores, until what it stored is gone:
 * a client that has used up its part gets ENOMEM, is not killed, and holds up nobody else.
 */
#include <errno.h>
#include <sched.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/wait.h>

#include "kselftest_harness.h"
#include "kmap_fixture.h"

#define LIMIT		((__s64)kt_less(16 << 20, 6 << 20)) /* of the cgroup */
#define KEY_LEN		16
#define VALUE_LEN	1000

/**
 * struct outcome - what the child reports, in memory that is allocated already
 * @error: error of its last call
 * @count: keys that it set
 */
struct outcome {
	int error;
	__u64 count;
};

FIXTURE(cgroup) {
	int fd;
	struct kmap_info info;
	bool mounted;
	char root[64];
	char group[96], other[96];
	struct outcome *outcome;
};

/* Writes @text to a file of the group or of the root; 0 or an errno value. */
static int write_to(const char *dir, const char *name, const char *text)
{
	char path[192];
	int fd, ret = 0;

	snprintf(path, sizeof(path), "%s/%s", dir, name);
	fd = open(path, O_WRONLY | O_CLOEXEC);
	if (fd < 0)
		return errno;
	if (write(fd, text, strlen(text)) < 0)
		ret = errno;
	close(fd);
	return ret;
}

/* Reads a number from a file of the group; with @word, the number after that. */
static __s64 read_from(const char *dir, const char *name, const char *word)
{
	char path[192], text[512] = "";
	const char *at = text;
	int fd;

	snprintf(path, sizeof(path), "%s/%s", dir, name);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return -1;
	if (read(fd, text, sizeof(text) - 1) < 0)
		at = NULL;
	close(fd);
	if (at && word)
		at = strstr(text, word);
	return at ? strtoll(at + (word ? strlen(word) : 0), NULL, 10) : -1;
}

FIXTURE_SETUP(cgroup)
{
	const char *dir = getenv("TMPDIR");

	self->fd = open_empty(_metadata);
	if (self->fd < 0)
		return;
	/* A mount namespace of our own, whose mounts end with this process. */
	ASSERT_EQ(0, unshare(CLONE_NEWNS));
	ASSERT_EQ(0, mount("none", "/", NULL, MS_REC | MS_PRIVATE, NULL));
	snprintf(self->root, sizeof(self->root), "%s/cgroup-%d",
		 dir && strlen(dir) < 40 ? dir : "/tmp", getpid());
	ASSERT_EQ(0, mkdir(self->root, 0700));
	if (mount("none", self->root, "cgroup2", 0, NULL)) {
		rmdir(self->root);
		SKIP(return, "no cgroup2: %s", strerror(errno));
	}
	self->mounted = true;
	if (write_to(self->root, "cgroup.subtree_control", "+memory"))
		SKIP(return, "cgroup2 does not control memory here");
	snprintf(self->group, sizeof(self->group), "%s/kmap-%d", self->root,
		 getpid());
	ASSERT_EQ(0, mkdir(self->group, 0755));
	snprintf(self->other, sizeof(self->other), "%s/other-%d", self->root,
		 getpid());
	ASSERT_EQ(0, mkdir(self->other, 0755));
	self->outcome = mmap(NULL, sizeof(*self->outcome),
			     PROT_READ | PROT_WRITE,
			     MAP_SHARED | MAP_ANONYMOUS | MAP_POPULATE, -1, 0);
	ASSERT_TRUE(self->outcome != MAP_FAILED);
}

FIXTURE_TEARDOWN(cgroup)
{
	kt_clear(self->fd, NULL);
	close(self->fd);
	if (self->mounted) {
		rmdir(self->group);
		rmdir(self->other);
		umount2(self->root, MNT_DETACH);
		rmdir(self->root);
	}
}

static int put(int fd, __u64 id)
{
	static __u8 key[KEY_LEN], value[VALUE_LEN];

	kt_key(key, KEY_LEN, id);
	kt_value_fill(value, VALUE_LEN, key, KEY_LEN, id);
	return kt_set(fd, key, KEY_LEN, value, VALUE_LEN, 0, NULL);
}

static int cut(int fd, __u64 id)
{
	__u8 key[KEY_LEN];

	kt_key(key, KEY_LEN, id);
	return kt_del(fd, key, KEY_LEN, 0, NULL);
}

/* In a child: sets keys @first and up until one fails, or @most are there. */
static void put_in_group(struct __test_metadata *_metadata, int fd,
			 const char *group, struct outcome *outcome,
			 __u64 first, __u64 most)
{
	int status;
	pid_t pid;

	memset(outcome, 0, sizeof(*outcome));
	pid = fork();
	ASSERT_GE(pid, 0);
	if (!pid) {
		/* The child gets all the memory that it needs itself before. */
		if (mlockall(MCL_CURRENT) || put(fd, ~0ull) ||
		    cut(fd, ~0ull) || write_to(group, "cgroup.procs", "0"))
			_exit(1);
		while (outcome->count < most) {
			outcome->error = put(fd, first + outcome->count);
			if (outcome->error)
				break;
			outcome->count++;
		}
		_exit(0);
	}
	ASSERT_EQ(pid, waitpid(pid, &status, 0));
	ASSERT_TRUE(WIFEXITED(status)) {
		TH_LOG("the child was killed, after %llu keys",
		       outcome->count);
	}
	ASSERT_EQ(0, WEXITSTATUS(status));
}

TEST_F_TIMEOUT(cgroup, charged, KT_LONG)
{
	struct outcome *outcome = self->outcome;
	struct kmap_info after;
	__s64 charged;

	RELOAD("%s", "");
	put_in_group(_metadata, self->fd, self->group, outcome, 0, 10000);
	ASSERT_EQ(0, outcome->error);
	ASSERT_EQ(0, kt_info(self->fd, &after));
	/* The child is gone, and with it its own memory. */
	charged = read_from(self->group, "memory.current", NULL);
	EXPECT_GE(charged, (__s64)(after.memory - self->info.memory) * 9 / 10);
	EXPECT_LE(charged, (__s64)(after.memory - self->info.memory) * 12 / 10 +
			   1048576);
}

TEST_F_TIMEOUT(cgroup, used_up, KT_LONG)
{
	struct outcome *outcome = self->outcome;
	const __u64 more = kt_less(20000, 2500);
	__u64 count, done;
	char text[32];

	RELOAD("%s", "");
	snprintf(text, sizeof(text), "%lld", LIMIT);
	ASSERT_EQ(0, write_to(self->group, "memory.max", text));
	put_in_group(_metadata, self->fd, self->group, outcome, 0, ~0ull);
	EXPECT_EQ(-ENOMEM, outcome->error);
	count = outcome->count;
	EXPECT_GT(count * VALUE_LEN, LIMIT / 2);
	EXPECT_LT(count * VALUE_LEN, LIMIT);
	EXPECT_EQ(0, read_from(self->group, "memory.events", "oom_kill "));

	/* What was stored is there, and clients that have memory go on. */
	EXPECT_EQ(count, kt_entries(self->fd));
	EXPECT_EQ(count, kt_walk_count(self->fd));
	EXPECT_EQ(0, kt_verify(self->fd, 0, count, KEY_LEN, VALUE_LEN, &done));
	EXPECT_EQ(count, done);
	EXPECT_EQ(0, kt_fill(self->fd, count, more, KEY_LEN, VALUE_LEN, NULL));
	EXPECT_EQ(0, kt_verify(self->fd, 0, count + more, KEY_LEN, VALUE_LEN,
			       NULL));
}

/* Waits until a group is charged for little, as it must be. */
static void wait_uncharged(const char *group)
{
	while (read_from(group, "memory.current", NULL) > 1048576)
		usleep(10000);
}

/* Two groups store in turn: each is charged for what it has stored, until that is gone. */
TEST_F_TIMEOUT(cgroup, in_turn, KT_LONG)
{
	const __u64 n = kt_less(5000, 1000), part = n / 10;
	__s64 stored = n * VALUE_LEN;
	__u64 id;

	RELOAD("%s", "");
	for (id = 0; id < 2 * n; id += 2 * part) {
		put_in_group(_metadata, self->fd, self->group, self->outcome,
			     id, part);
		ASSERT_EQ(0, self->outcome->error);
		put_in_group(_metadata, self->fd, self->other, self->outcome,
			     id + part, part);
		ASSERT_EQ(0, self->outcome->error);
	}
	EXPECT_GE(read_from(self->group, "memory.current", NULL), stored);
	EXPECT_LE(read_from(self->group, "memory.current", NULL),
		  stored * 12 / 10 + 1048576);
	/* The entries of one of them are removed, by somebody else. */
	for (id = 0; id < 2 * n; id += 2 * part)
		ASSERT_EQ(0, kt_remove(self->fd, id, part, KEY_LEN, NULL));
	wait_uncharged(self->group);
	EXPECT_GE(read_from(self->other, "memory.current", NULL), stored);
	EXPECT_LE(read_from(self->other, "memory.current", NULL),
		  stored * 12 / 10 + 1048576);
	for (id = part; id < 2 * n; id += 2 * part)
		ASSERT_EQ(0, kt_verify(self->fd, id, part, KEY_LEN, VALUE_LEN, NULL));

	/* Nothing of the group is left when it is removed. */
	ASSERT_EQ(0, rmdir(self->group));
	while (read_from(self->root, "cgroup.stat", "nr_dying_descendants "))
		usleep(10000);
}

/* Memory that one group made necessary, and that is not used, is no gift to another. */
TEST_F_TIMEOUT(cgroup, after_another, KT_LONG)
{
	struct outcome *outcome = self->outcome;
	const __u64 n = 2 * LIMIT / VALUE_LEN;
	char text[32];

	RELOAD("%s", "");
	put_in_group(_metadata, self->fd, self->other, outcome, 0, n);
	ASSERT_EQ(0, outcome->error);
	ASSERT_EQ(0, kt_clear(self->fd, NULL));
	snprintf(text, sizeof(text), "%lld", LIMIT);
	ASSERT_EQ(0, write_to(self->group, "memory.max", text));
	put_in_group(_metadata, self->fd, self->group, outcome, 0, n);
	EXPECT_EQ(-ENOMEM, outcome->error);
	EXPECT_LT(outcome->count * VALUE_LEN, LIMIT);
	EXPECT_EQ(0, read_from(self->group, "memory.events", "oom_kill "));
	wait_uncharged(self->other);
}

#define SHOWN		kt_less(24000, 9000)	/* keys of a snapshot */

/*
 * A snapshot takes little memory, however large the map is, even when many threads
 * take one; here the buffer is charged to another cgroup.
 */
TEST_F_TIMEOUT(cgroup, snapshot, KT_LONG)
{
	const __u64 size = SHOWN * KMAP_ITEM_SIZE(KEY_LEN, VALUE_LEN);
	struct outcome *outcome = self->outcome;
	struct kmap_keys keys;
	unsigned int i;
	char text[32];
	int status = 0;
	pid_t pids[4];
	void *buf;

	RELOAD("max_bytes=64m");
	buf = mmap(NULL, size, PROT_READ | PROT_WRITE,
		   MAP_SHARED | MAP_ANONYMOUS | MAP_POPULATE, -1, 0);
	ASSERT_NE(MAP_FAILED, buf);
	ASSERT_EQ(0, kt_fill(self->fd, 0, SHOWN, KEY_LEN, VALUE_LEN, NULL));
	snprintf(text, sizeof(text), "%lld", LIMIT / 4);
	ASSERT_EQ(0, write_to(self->group, "memory.max", text));
	for (i = 0; i < ARRAY_SIZE(pids); i++) {
		pids[i] = fork();
		ASSERT_GE(pids[i], 0);
		if (pids[i])
			continue;
		if (mlockall(MCL_CURRENT) ||
		    write_to(self->group, "cgroup.procs", "0"))
			_exit(1);
		memset(&keys, 0, sizeof(keys));
		keys.buf = kt_ptr(buf);
		keys.size = size;
		keys.flags = KMAP_KEYS_ATOMIC | KMAP_KEYS_VALUES;
		outcome->error = kt_ioctl(self->fd, KMAP_IOC_KEYS, &keys);
		outcome->count = keys.count;
		_exit(outcome->error || keys.used != size);
	}
	for (i = 0; i < ARRAY_SIZE(pids); i++) {
		ASSERT_EQ(pids[i], waitpid(pids[i], &status, 0));
		EXPECT_EQ(0, status) {
			TH_LOG("%s", strerror(-outcome->error));
		}
	}
	EXPECT_EQ(SHOWN, outcome->count);
	EXPECT_EQ(0, read_from(self->group, "memory.events", "oom_kill"));
	munmap(buf, size);
}

/* Memory of a map that is charged to clients that take snapshots, at most. */
#define GIFT		1048576

/*
 * Nor is a client that takes snapshots charged for what others store meanwhile, except
 * for a little, which stays charged to it when it ends.
 */
TEST_F_TIMEOUT(cgroup, beside, KT_LONG)
{
	const __u64 first = kt_less(4000, 1000), more = kt_less(24000, 6000);
	const __u64 size = (first + more) * KMAP_ITEM_SIZE(KEY_LEN, VALUE_LEN);
	struct outcome *outcome = self->outcome;
	struct kmap_keys keys;
	__u64 id, count;
	int status = 0;
	__s64 charged;
	pid_t pid;
	void *buf;

	RELOAD("max_bytes=64m");
	buf = mmap(NULL, size, PROT_READ | PROT_WRITE,
		   MAP_SHARED | MAP_ANONYMOUS | MAP_POPULATE, -1, 0);
	ASSERT_NE(MAP_FAILED, buf);
	ASSERT_EQ(0, kt_fill(self->fd, 0, first, KEY_LEN, VALUE_LEN, NULL));
	pid = fork();
	ASSERT_GE(pid, 0);
	if (!pid) {
		if (mlockall(MCL_CURRENT) ||
		    write_to(self->group, "cgroup.procs", "0"))
			_exit(1);
		do {
			memset(&keys, 0, sizeof(keys));
			keys.buf = kt_ptr(buf);
			keys.size = size;
			keys.flags = KMAP_KEYS_ATOMIC | KMAP_KEYS_VALUES;
			if (kt_ioctl(self->fd, KMAP_IOC_KEYS, &keys))
				_exit(1);
			__atomic_add_fetch(&outcome->count, 1, __ATOMIC_SEQ_CST);
		} while (!__atomic_load_n(&outcome->error, __ATOMIC_SEQ_CST));
		_exit(0);
	}
	/* At least ten snapshots, however fast the sets are. */
	for (id = first; id < first + more && !waitpid(pid, &status, WNOHANG);
	     id += more / 10) {
		count = __atomic_load_n(&outcome->count, __ATOMIC_SEQ_CST);
		EXPECT_EQ(0, kt_fill(self->fd, id, more / 10, KEY_LEN, VALUE_LEN,
				     NULL));
		while (__atomic_load_n(&outcome->count, __ATOMIC_SEQ_CST) ==
		       count && !waitpid(pid, &status, WNOHANG))
			sched_yield();
	}
	__atomic_store_n(&outcome->error, 1, __ATOMIC_SEQ_CST);
	EXPECT_EQ(pid, waitpid(pid, &status, 0));
	EXPECT_EQ(0, status);
	charged = read_from(self->group, "memory.current", NULL);
	TH_LOG("%lld KiB of the map are charged to who took %llu snapshots",
	       charged >> 10, outcome->count);
	EXPECT_LE(charged, GIFT + 1048576);
	munmap(buf, size);
}

#define BIG_LEN		1048576
#define LONG_KEY	1024
#define ROUNDS		10

/* Memory that is allocated before the limit is reached. */
static __u8 big[BIG_LEN + 65536], long_key[LONG_KEY];

/* Makes every call that allocates memory; returns the first error not allowed. */
static int starve(int fd)
{
	struct kmap_keys keys;
	int ret[8] = { 0 };
	unsigned int i, k;

	for (i = 0; i < ROUNDS; i++) {
		memset(&keys, 0, sizeof(keys));
		keys.buf = kt_ptr(big);
		keys.size = sizeof(big);
		keys.flags = KMAP_KEYS_VALUES;
		ret[0] = kt_get(fd, "big", 3, big, BIG_LEN, NULL, NULL);
		ret[1] = kt_swap(fd, "big", 3, big, BIG_LEN, 0, NULL, big,
				 BIG_LEN, NULL);
		ret[2] = kt_get(fd, long_key, LONG_KEY, big, 8, NULL, NULL);
		ret[3] = kt_set(fd, long_key, LONG_KEY, big, 60000, 0, NULL);
		ret[4] = kt_add(fd, long_key, LONG_KEY - i, 1, 0, NULL, NULL);
		ret[5] = kt_ioctl(fd, KMAP_IOC_KEYS, &keys);
		keys.cursor = 0;
		keys.flags = KMAP_KEYS_ATOMIC | KMAP_KEYS_VALUES;
		ret[6] = kt_ioctl(fd, KMAP_IOC_KEYS, &keys);
		ret[7] = kt_del(fd, long_key, LONG_KEY, 0, NULL);
		for (k = 0; k < ARRAY_SIZE(ret); k++)
			if (ret[k] && ret[k] != -ENOMEM && ret[k] != -ENOENT &&
			    ret[k] != -EDOM && ret[k] != -EMSGSIZE)
				return ret[k];
	}
	return 0;
}

/*
 * A client without memory left gets ENOMEM from every call that needs some, and is
 * not killed; others do not notice.
 */
TEST_F_TIMEOUT(cgroup, starved, KT_LONG)
{
	struct outcome *outcome = self->outcome;
	__u64 rounds = 0;
	char text[32];
	int status = 0;
	pid_t pid;

	RELOAD("max_value=%d max_bytes=256m", BIG_LEN);
	memset(big, 1, sizeof(big));
	memset(long_key, 'k', sizeof(long_key));
	ASSERT_EQ(0, kt_set(self->fd, "big", 3, big, BIG_LEN, 0, NULL));
	snprintf(text, sizeof(text), "%lld", LIMIT / 2);
	ASSERT_EQ(0, write_to(self->group, "memory.max", text));
	pid = fork();
	ASSERT_GE(pid, 0);
	if (!pid) {
		memset(big, 2, sizeof(big));
		if (mlockall(MCL_CURRENT) || put(self->fd, ~0ull) ||
		    starve(self->fd) ||
		    write_to(self->group, "cgroup.procs", "0"))
			_exit(1);
		/* Use up all memory for the map. */
		do {
			outcome->error = put(self->fd, outcome->count++);
		} while (!outcome->error);
		if (outcome->error == -ENOMEM)
			outcome->error = starve(self->fd);
		_exit(0);
	}
	do {
		EXPECT_EQ(0, kt_fill(self->fd, 1ull << 40, 100, KEY_LEN,
				     VALUE_LEN, NULL));
		EXPECT_EQ(0, kt_verify(self->fd, 1ull << 40, 100, KEY_LEN,
				       VALUE_LEN, NULL));
		rounds++;
	} while (!waitpid(pid, &status, WNOHANG));
	ASSERT_TRUE(WIFEXITED(status)) {
		TH_LOG("the child was killed, after %llu keys",
		       outcome->count);
	}
	EXPECT_EQ(0, WEXITSTATUS(status));
	EXPECT_EQ(0, outcome->error);
	EXPECT_EQ(0, read_from(self->group, "memory.events", "oom_kill "));
	EXPECT_GT(rounds, 0);
	EXPECT_EQ(0, kt_verify(self->fd, 0, outcome->count - 1, KEY_LEN,
			       VALUE_LEN, NULL));
}

TEST_HARNESS_MAIN
