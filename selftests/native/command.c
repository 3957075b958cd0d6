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
	strcpy(strrchr(path, '/'), "/kmap");
	return path;
}

/* Exit status of "kmap load --check" with these bytes as standard input. */
static int load(const char *option, const char *input, size_t len)
{
	char line[500];
	FILE *pipe;
	int status;

	snprintf(line, sizeof(line), "'%s' load -q --check %s 2>/dev/null",
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
		NULL
	};

	dumps("", inputs, 2);
}

static void good_json(void)
{
	static const char *const inputs[] = {
		"{\"kmap_dump\":1,\"entries\":[],\"count\":0}",
		"{\"kmap_dump\":1,\"count\":0,\"entries\":[]}",
		"{\"kmap_dump\":1,\"entries\":[{\"key\":\"k\",\"value\":\"\"}],"
			"\"count\":1}",
		"{\"kmap_dump\":1,\"entries\":[{\"value\":{\"base64\":\"\"},"
			"\"key\":{\"base64\":\"/w==\"}}],\"count\":1}",
		"{\"kmap_dump\":1,\"entries\":[{\"key\":\"\\u202e\\ud83d\\ude00\","
			"\"value\":\"\"}],\"count\":1}",
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
		"{\"kmap_dump\":1,\"entries\":[{\"key\":{\"base64\":\"\"},"
			"\"value\":\"\"}]}",
		"{\"kmap_dump\":1,\"entries\":[{\"key\":{\"base64\":\"=\"}}]}",
		"{\"kmap_dump\":1,\"entries\":[{\"key\":{\"base64\":\"====\"}}]}",
		"{\"kmap_dump\":1,\"entries\":[{\"\":\"\"}]}",
		"{\"kmap_dump\":1,\"entries\":[{\"key\":\"\\ud800\"}]}",
		NULL
	};

	dumps("--json", inputs, 2);
}

static const struct test tests[] = {
	{ "good_text", good_text },
	{ "bad_text", bad_text },
	{ "good_json", good_json },
	{ "bad_json", bad_json },
};

int main(int argc, char **argv)
{
	return test_main(argc, argv, tests, ARRAY_SIZE(tests));
}
