// SPDX-License-Identifier: GPL-2.0-only
/*
 * The kmap command under sanitizers, in what it does without a device: read dumps
 * that are right or wrong in many ways.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include <linux/kernel.h>

#include "shim.h"
#include "test.h"

/* The command, which is beside this program. */
static const char *command(void)
{
	static char path[400];
	ssize_t len = readlink("/proc/self/exe", path, sizeof(path) - 10);

	check(len > 0);
	path[len] = '\0';
	memcpy(strrchr(path, '/'), "/kmap", sizeof("/kmap"));
	return path;
}

/* Exit status of "kmap load --check" with these bytes as standard input. */
static int load(const char *option, const char *input, size_t len)
{
	char line[500];
	FILE *pipe;
	int status;

	snprintf(line, sizeof(line), "'%s' load -q --check %s >/dev/null 2>&1",
		 command(), option);
	pipe = popen(line, "w");
	check(pipe);
	fwrite(input, 1, len, pipe);
	status = pclose(pipe);
	check(WIFEXITED(status));
	return WEXITSTATUS(status);
}

static void dumps(const char *option, const char *const *inputs, int want)
{
	for (; *inputs; inputs++) {
		int status = load(option, *inputs, strlen(*inputs));

		if (status != want)
			test_fail(__FILE__, __LINE__, "status %d of: %s",
				  status, *inputs);
	}
}

static void good_text(void)
{
	static const char *const inputs[] = {
		"kmap-dump 1\nend 0\n",
		"kmap-dump 1\nk\t\nend 1\n",
		"kmap-dump 1\n\\x00\t\\xff\\n\\t\\\\\t7\nend 1\n",
		"kmap-dump 1\nk\t\\#0\nl\t\\#-1\t7\nend 2\n",
		"kmap-dump 1\nk\t\\#9223372036854775807\nl\t"
			"\\#-9223372036854775808\nend 2\n",
		"kmap-dump 1\nk\t\\\\#x\nl\t#\nend 2\n",
		NULL
	};

	dumps("", inputs, 0);
}

static void bad_text(void)
{
	static const char *const inputs[] = {
		"", "\n", "kmap-dump 1", "kmap-dump 1\n", "kmap-dump 1\n\n",
		"kmap-dump 1\n\t\n", "kmap-dump 1\n\tv\n", "kmap-dump 1\nend\n",
		"kmap-dump 1\nend 1\n", "kmap-dump 1\nk\t\n\n",
		"kmap-dump 1\nk\t\nend 1\n\n", "kmap-dump 1\nk\n",
		"kmap-dump 1\nk\\", "kmap-dump 1\n\\x\n", "kmap-dump 1\nk\tv\t\n",
		"kmap-dump 1\nend 99999999999999999999999999999999999999\n",
		"kmap-dump 1\nk\t\\#\nend 1\n", "kmap-dump 1\nk\t\\#",
		"kmap-dump 1\nk\t\\#-\nend 1\n", "kmap-dump 1\nk\t\\#-",
		"kmap-dump 1\nk\t\\#4", "kmap-dump 1\nk\t\\#4\\n\nend 1\n",
		"kmap-dump 1\nk\t\\#-0\nend 1\n", "kmap-dump 1\nk\t\\#00\nend 1\n",
		"kmap-dump 1\nk\t\\#04\nend 1\n", "kmap-dump 1\nk\t\\#-04\nend 1\n",
		"kmap-dump 1\nk\t\\#+4\nend 1\n", "kmap-dump 1\nk\t\\# 4\nend 1\n",
		"kmap-dump 1\nk\t\\#4 \t7\nend 1\n", "kmap-dump 1\nk\t\\#4.0\nend 1\n",
		"kmap-dump 1\nk\t\\#--4\nend 1\n", "kmap-dump 1\nk\t\\#4-\nend 1\n",
		"kmap-dump 1\nk\t\\#0x4\nend 1\n", "kmap-dump 1\nk\tx\\#4\nend 1\n",
		"kmap-dump 1\nk\t\\#4\\#4\nend 1\n", "kmap-dump 1\n\\#4\tv\nend 1\n",
		"kmap-dump 1\nk\t\\#9223372036854775808\nend 1\n",
		"kmap-dump 1\nk\t\\#-9223372036854775809\nend 1\n",
		"kmap-dump 1\nk\t\\#99999999999999999999999999999999999999\nend 1\n",
		NULL
	};

	dumps("", inputs, 2);
}

/* A dump in JSON with this entry, and one with this number in an entry. */
#define JSON(entry)	"{\"kmap_dump\":1,\"entries\":[" entry "],\"count\":1}"
#define NUMBER(number)	JSON("{\"key\":\"k\",\"number\":" number "}")

static void good_json(void)
{
	static const char *const inputs[] = {
		"{\"kmap_dump\":1,\"entries\":[],\"count\":0}",
		"{\"kmap_dump\":1,\"count\":0,\"entries\":[]}",
		JSON("{\"key\":\"k\",\"value\":\"\"}"),
		JSON("{\"value\":{\"base64\":\"\"},\"key\":{\"base64\":\"/w==\"}}"),
		JSON("{\"key\":\"\\u202e\\ud83d\\ude00\",\"value\":\"\"}"),
		JSON("{\"key\":\"k\",\"number\":0}"),
		JSON("{\"key\":\"k\",\"number\" : -1 }"),
		JSON("{\"version\":7,\"number\":9223372036854775807,\"key\":\"k\"}"),
		JSON("{\"number\":-9223372036854775808,\"key\":\"k\"}"),
		NULL
	};

	dumps("--json", inputs, 0);
}

static void bad_json(void)
{
	static const char *const inputs[] = {
		"", "{", "{}", "{\"", "{\"\":", "{\"kmap_dump\":}",
		"{\"kmap_dump\":1}", "{\"kmap_dump\":1,\"entries\":[{}]}",
		"{\"kmap_dump\":1,\"entries\":[{\"key\":\"\",\"value\":\"\"}]}",
		JSON("{\"key\":{\"base64\":\"\"},\"value\":\"\"}"),
		"{\"kmap_dump\":1,\"entries\":[{\"key\":{\"base64\":\"=\"}}]}",
		"{\"kmap_dump\":1,\"entries\":[{\"key\":{\"base64\":\"====\"}}]}",
		"{\"kmap_dump\":1,\"entries\":[{\"\":\"\"}]}",
		"{\"kmap_dump\":1,\"entries\":[{\"key\":\"\\ud800\"}]}",
		"{\"kmap_dump\":1,\"entries\":[{\"key\":\"k\",\"number\":",
		"{\"kmap_dump\":1,\"entries\":[{\"key\":\"k\",\"number\":4",
		NUMBER(""), NUMBER("-"), NUMBER("-0"), NUMBER("00"), NUMBER("04"),
		NUMBER("-04"), NUMBER("+4"), NUMBER("4-"), NUMBER("--4"),
		NUMBER("4 4"), NUMBER("4.0"), NUMBER("4e0"), NUMBER("4E0"),
		NUMBER("0x4"), NUMBER("null"), NUMBER("true"), NUMBER("\"4\""),
		NUMBER("[4]"), NUMBER("{\"base64\":\"\"}"),
		NUMBER("9223372036854775808"), NUMBER("-9223372036854775809"),
		NUMBER("99999999999999999999999999999999999999"),
		NUMBER("4,\"number\":4"), NUMBER("4,\"value\":\"\""),
		JSON("{\"key\":\"k\",\"value\":\"\",\"number\":4}"),
		JSON("{\"number\":4}"), JSON("{\"key\":\"k\",\"version\":4}"),
		NULL
	};

	dumps("--json", inputs, 2);
}

/*
 * Each beginning of a dump is cut off, and with one byte changed it is right or
 * wrong, but never more than that.
 */
static void damaged(const char *option, const char *dump)
{
	static const char bytes[] = { '\\', '#', '\t', '\n', '-', '0', '"', ',', '\xff', 0 };
	size_t len = strlen(dump);
	char *copy = malloc(len);
	int status;

	check(copy);
	for (size_t i = 0; i < len; i++) {
		status = load(option, dump, i);
		if (status != 2)
			test_fail(__FILE__, __LINE__, "status %d of the first %zu of: %s",
				  status, i, dump);
		memcpy(copy, dump, len);
		copy[i] = bytes[i % sizeof(bytes)];
		status = load(option, copy, len);
		if (status != 0 && status != 2)
			test_fail(__FILE__, __LINE__, "status %d with byte %zu changed in: %s",
				  status, i, dump);
	}
	free(copy);
}

static void damaged_text(void)
{
	damaged("", "kmap-dump 1\nk\t\\#-42\t7\nl\ta\\x00\\n\nend 2\n");
}

static void damaged_json(void)
{
	damaged("--json", JSON("{\"key\":\"k\",\"number\":-42,\"version\":7}"));
}

static const struct test tests[] = {
	{ "good_text", good_text },
	{ "bad_text", bad_text },
	{ "good_json", good_json },
	{ "bad_json", bad_json },
	{ "damaged_text", damaged_text },
	{ "damaged_json", damaged_json },
};

int main(int argc, char **argv)
{
	return test_main(argc, argv, tests, ARRAY_SIZE(tests));
}
