// SPDX-License-Identifier: GPL-2.0
/*
 * The module: its parameters, which values they refuse, and loading it many times.
 */
#include <errno.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/stat.h>

#include "kselftest_harness.h"
#include "kmap_fixture.h"

#define PARAMETERS	"/sys/module/kmap/parameters/"

#define GIVEN \
	"shards=8 max_entries=1234 max_bytes=1048576 max_key=100 max_value=200 mode=0640 wipe=1"

static const char * const names[] = {
	"lock", "shards", "max_entries", "max_bytes", "max_key", "max_value",
	"mode", "wipe",
};

static unsigned long long number(struct __test_metadata *_metadata,
				 const char *name)
{
	char text[64], *end;
	unsigned long long value;

	ASSERT_EQ(0, kt_param(name, text, sizeof(text)));
	value = strtoull(text, &end, 10);
	EXPECT_EQ('\0', *end) {
		TH_LOG("%s: %s", name, text);
	}
	return value;
}

TEST_F(map, parameters_can_be_read)
{
	unsigned int i;
	char text[64];

	for (i = 0; i < ARRAY_SIZE(names); i++) {
		EXPECT_EQ(0, kt_param(names[i], text, sizeof(text))) {
			TH_LOG("%s", names[i]);
		}
		EXPECT_NE('\0', text[0]);
	}
}

TEST_F(map, parameters_cannot_be_written)
{
	struct stat st;
	unsigned int i;
	char path[128];

	for (i = 0; i < ARRAY_SIZE(names); i++) {
		snprintf(path, sizeof(path), PARAMETERS "%s", names[i]);
		ASSERT_EQ(0, stat(path, &st));
		EXPECT_EQ(0444, st.st_mode & 07777);
		EXPECT_EQ(-1, open(path, O_WRONLY));
		EXPECT_EQ(EACCES, errno);
	}
}

/* Parameters show the values in force, and INFO tells the same. */
TEST_F(map, parameters_in_force)
{
	char text[64];
	int round;

	for (round = 0; round < 2; round++) {
		if (round)
			RELOAD(GIVEN);
		EXPECT_EQ(0, kt_param("lock", text, sizeof(text)));
		EXPECT_STREQ(self->info.lock, text);
		EXPECT_EQ(self->info.shards, number(_metadata, "shards"));
		EXPECT_EQ(self->info.max_entries,
			  number(_metadata, "max_entries"));
		EXPECT_EQ(self->info.max_bytes, number(_metadata, "max_bytes"));
		EXPECT_EQ(self->info.max_key, number(_metadata, "max_key"));
		EXPECT_EQ(self->info.max_value, number(_metadata, "max_value"));
	}
	EXPECT_EQ(8, self->info.shards);
	EXPECT_EQ(1234, self->info.max_entries);
	EXPECT_EQ(1048576, self->info.max_bytes);
	EXPECT_EQ(100, self->info.max_key);
	EXPECT_EQ(200, self->info.max_value);
	EXPECT_EQ(0, kt_param("mode", text, sizeof(text)));
	EXPECT_STREQ("0640", text);
	EXPECT_EQ(0, kt_param("wipe", text, sizeof(text)));
	EXPECT_STREQ("Y", text);
}

TEST_F(map, defaults)
{
	char text[64];

	close(self->fd);
	ASSERT_EQ(0, kt_unload());
	ASSERT_EQ(0, kt_load(""));
	self->fd = kt_open(O_RDWR);
	ASSERT_GE(self->fd, 0);
	ASSERT_EQ(0, kt_info(self->fd, &self->info));
	EXPECT_STREQ("rcu", self->info.lock);
	EXPECT_EQ(1024, self->info.max_key);
	EXPECT_EQ(65536, self->info.max_value);
	EXPECT_EQ(0, self->info.shards & (self->info.shards - 1));
	EXPECT_GT(self->info.max_bytes, 0);
	EXPECT_GE(self->info.max_entries, 1024);
	EXPECT_EQ(0, kt_param("mode", text, sizeof(text)));
	EXPECT_STREQ("0600", text);
	EXPECT_EQ(0, kt_param("wipe", text, sizeof(text)));
	EXPECT_STREQ("N", text);
	EXPECT_LE(self->info.max_bytes, kt_meminfo("MemTotal"));
}

/* Each of these is refused, with one line in the log that tells what is allowed. */
static const struct refusal {
	const char *params;
	const char *says[4];
} refusals[] = {
	{ "lock=mutex", { "lock", "spinlock", "rwsem", "rcu" } },
	{ "lock=RCU", { "lock", "spinlock", "rwsem", "rcu" } },
	{ "lock=rc", { "lock", "spinlock", "rwsem", "rcu" } },
	{ "lock=rcux", { "lock", "spinlock", "rwsem", "rcu" } },
	{ "lock=", { "lock", "spinlock", "rwsem", "rcu" } },
	{ "shards=3", { "shards", "power of two", "1", "1024" } },
	{ "shards=2048", { "shards", "power of two", "1", "1024" } },
	{ "shards=-1", { "shards", "power of two", "1", "1024" } },
	{ "shards=many", { "shards", "power of two", "1", "1024" } },
	{ "shards=4294967297", { "shards", "power of two", "1", "1024" } },
	{ "max_entries=-1", { "max_entries", "1", "2147483648" } },
	{ "max_entries=2147483649", { "max_entries", "1", "2147483648" } },
	{ "max_entries=some", { "max_entries", "1", "2147483648" } },
	{ "max_entries=10x", { "max_entries", "1", "2147483648" } },
	{ "max_entries=10KK", { "max_entries", "1", "2147483648" } },
	{ "max_entries=K", { "max_entries", "1", "2147483648" } },
	{ "max_entries=", { "max_entries", "1", "2147483648" } },
	{ "max_entries=+10", { "max_entries", "1", "2147483648" } },
	{ "max_entries=10.5", { "max_entries", "1", "2147483648" } },
	/* A number that overflows must not become another one. */
	{ "max_entries=18446744073709551626", { "max_entries", "2147483648" } },
	{ "max_entries=184467440737095516260", { "max_entries", "1" } },
	{ "max_entries=18014398509481985K", { "max_entries", "2147483648" } },
	{ "max_entries=010", { "max_entries", "1", "2147483648" } },
	{ "max_entries=00", { "max_entries", "1", "2147483648" } },
	{ "max_entries=0x10", { "max_entries", "1", "2147483648" } },
	{ "shards=010", { "shards", "power of two", "1", "1024" } },
	{ "shards=0x10", { "shards", "power of two", "1", "1024" } },
	{ "shards=18446744073709551617", { "shards", "power of two", "1" } },
	{ "max_bytes=16E", { "max_bytes", "65536", "25769803776" } },
	{ "max_bytes=1P", { "max_bytes", "65536", "25769803776" } },
	{ "max_bytes=17179869184G", { "max_bytes", "65536", "25769803776" } },
	{ "max_bytes=0100000000", { "max_bytes", "65536", "25769803776" } },
	{ "max_key=0100", { "max_key", "1", "1024" } },
	{ "max_key=18446744073709551626", { "max_key", "1", "1024" } },
	{ "max_value=0100", { "max_value", "0", "1048576" } },
	{ "max_value=16E", { "max_value", "0", "1048576" } },
	{ "max_bytes=1", { "max_bytes", "65536" } },
	{ "max_bytes=65535", { "max_bytes", "65536" } },
	{ "max_bytes=1T", { "max_bytes", "65536" } },
	{ "max_bytes=18446744073709551615", { "max_bytes", "65536" } },
	{ "max_key=0", { "max_key", "1", "1024" } },
	{ "max_key=1025", { "max_key", "1", "1024" } },
	{ "max_key=-5", { "max_key", "1", "1024" } },
	{ "max_value=1048577", { "max_value", "0", "1048576" } },
	{ "max_value=4294967296", { "max_value", "0", "1048576" } },
	{ "max_value=-1", { "max_value", "0", "1048576" } },
	{ "mode=1000", { "mode", "octal", "0777" } },
	{ "mode=0800", { "mode", "octal", "0777" } },
	{ "mode=rw", { "mode", "octal", "0777" } },
	{ "mode=-1", { "mode", "octal", "0777" } },
	{ "wipe=2", { "wipe", "Y", "N" } },
	{ "wipe=perhaps", { "wipe", "Y", "N" } },
};

TEST_F(map, bad_values)
{
	char line[512];
	unsigned int i, j;
	int log = kt_log_open();

	ASSERT_GE(log, 0);
	close(self->fd);
	self->fd = -1;
	ASSERT_EQ(0, kt_unload());
	for (i = 0; i < ARRAY_SIZE(refusals); i++) {
		const struct refusal *refusal = &refusals[i];

		line[0] = '\0';
		kt_log_lines(log, "", NULL, 0);
		EXPECT_EQ(-EINVAL, kt_load(refusal->params)) {
			TH_LOG("%s", refusal->params);
			kt_unload();
		}
		EXPECT_EQ(1, kt_log_lines(log, "kmap:", line, sizeof(line))) {
			TH_LOG("%s: %s", refusal->params, line);
		}
		for (j = 0; j < ARRAY_SIZE(refusal->says); j++) {
			if (!refusal->says[j])
				break;
			EXPECT_TRUE(strstr(line, refusal->says[j])) {
				TH_LOG("%s: no %s in: %s", refusal->params,
				       refusal->says[j], line);
			}
		}
		EXPECT_FALSE(kt_loaded());
		EXPECT_EQ(-ENOENT, kt_open(O_RDWR));
	}
	close(log);
	ASSERT_EQ(0, kt_reload("%s", ""));
	self->fd = kt_open(O_RDWR);
	ASSERT_GE(self->fd, 0);
}

/* Values at the ends of the ranges, and in other spellings. */
TEST_F(map, good_values)
{
	static const struct {
		const char *params;
		__u64 shards, entries, bytes, key, value;
	} good[] = {
		{ .params = "shards=1", .shards = 1 },
		{ .params = "shards=1024", .shards = 1024 },
		{ .params = "shards=16", .shards = 16 },
		{ .params = "max_entries=1", .entries = 1 },
		{ .params = "max_entries=2K", .entries = 2048 },
		{ .params = "max_bytes=64K", .bytes = 65536 },
		{ .params = "max_entries=2k", .entries = 2048 },
		{ .params = "max_bytes=1G", .bytes = 1 << 30 },
		{ .params = "max_bytes=2m", .bytes = 1 << 21 },
		{ .params = "max_bytes=1g", .bytes = 1 << 30 },
		{ .params = "max_key=1", .key = 1 },
		{ .params = "max_key=1024", .key = 1024 },
		{ .params = "max_value=1M max_bytes=16M", .bytes = 1 << 24,
		  .value = 1 << 20 },
		{ .params = "max_value=1", .value = 1 },
		{ .params = "wipe=N" }, { .params = "wipe=y" },
		{ .params = "wipe=0" }, { .params = "wipe=1" },
	};
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(good); i++) {
		RELOAD("%s", good[i].params);
		if (good[i].shards)
			EXPECT_EQ(good[i].shards, self->info.shards);
		if (good[i].entries)
			EXPECT_EQ(good[i].entries, self->info.max_entries);
		if (good[i].bytes)
			EXPECT_EQ(good[i].bytes, self->info.max_bytes);
		if (good[i].key)
			EXPECT_EQ(good[i].key, self->info.max_key);
		if (good[i].value)
			EXPECT_EQ(good[i].value, self->info.max_value);
		EXPECT_EQ(0, kt_set(self->fd, "k", 1, "v", 1, 0, NULL));
		EXPECT_EQ(0, kt_del(self->fd, "k", 1, 0, NULL));
	}
}

TEST_F(map, every_lock)
{
	static const char * const locks[] = { "spinlock", "rwsem", "rcu" };
	unsigned int i, shards;

	for (i = 0; i < ARRAY_SIZE(locks); i++) {
		for (shards = 1; shards <= 64; shards *= 8) {
			/* The last one given counts. */
			RELOAD("lock=%s shards=%u", locks[i], shards);
			EXPECT_STREQ(locks[i], self->info.lock);
			EXPECT_EQ(shards, self->info.shards);
			ASSERT_EQ(0, kt_fill(self->fd, 0, 1000, 16, 100, NULL));
			EXPECT_EQ(0, kt_verify(self->fd, 0, 1000, 16, 100,
					       NULL));
		}
	}
}

/* Each load makes a new map, with nothing of the last one. */
TEST_F_TIMEOUT(map, load_and_unload, KT_LONG)
{
	int i;

	for (i = 0; i < (int)kt_less(20, 5); i++) {
		RELOAD("%s", "");
		ASSERT_EQ(0, kt_entries(self->fd));
		ASSERT_EQ(0, self->info.sets);
		ASSERT_EQ(-ENOENT, kt_get(self->fd, "key", 3, NULL, 0, NULL,
					  NULL));
		ASSERT_EQ(0, kt_set(self->fd, "key", 3, "value", 5, 0, NULL));
	}
}

/* A map that is loaded later does not use versions of the earlier one again. */
TEST_F(map, versions_do_not_come_back)
{
	__u64 version, last = 0;
	unsigned int i, k;

	for (i = 0; i < 5; i++) {
		RELOAD("shards=1");
		EXPECT_EQ(-ENOENT, kt_set(self->fd, "key", 3, "v", 1,
					  KMAP_MATCH, &last));
		for (k = 0; k < 1000; k++) {
			ASSERT_EQ(0, kt_set(self->fd, "key", 3, "v", 1, 0,
					    &version));
			ASSERT_GT(version, last);
			last = version;
		}
		EXPECT_LE(version, KMAP_VERSION_MASK);
	}
}

TEST_F(map, loaded_once)
{
	EXPECT_EQ(-EEXIST, kt_load(""));
	EXPECT_TRUE(kt_loaded());
	EXPECT_EQ(0, kt_set(self->fd, "key", 3, "value", 5, 0, NULL));
}

/* Finds what modinfo shows in the module's file. */
static const char *modinfo(struct __test_metadata *_metadata, size_t *size)
{
	const char *path = getenv("KMAP_KO");
	struct stat st;
	void *file;
	int fd;

	if (!path || !*path)
		SKIP(return NULL, "KMAP_KO does not name the module's file");
	fd = open(path, O_RDONLY);
	ASSERT_GE(fd, 0);
	ASSERT_EQ(0, fstat(fd, &st));
	file = mmap(NULL, st.st_size, PROT_READ, MAP_PRIVATE, fd, 0);
	close(fd);
	ASSERT_TRUE(file != MAP_FAILED);
	*size = st.st_size;
	return file;
}

TEST_F(map, descriptions)
{
	size_t size, len;
	const char *file = modinfo(_metadata, &size), *text;
	unsigned int i;
	char start[64];

	if (!file)
		return;
	for (i = 0; i < ARRAY_SIZE(names); i++) {
		len = snprintf(start, sizeof(start), "parm=%s:", names[i]);
		text = memmem(file, size, start, len);
		EXPECT_TRUE(text) {
			TH_LOG("%s has no description", names[i]);
		}
		if (text)
			EXPECT_GT(strlen(text), len + 10);
	}
	EXPECT_TRUE(memmem(file, size, "license=GPL", 12));
	EXPECT_TRUE(memmem(file, size, "\0description=", 13));
}

TEST_HARNESS_MAIN
