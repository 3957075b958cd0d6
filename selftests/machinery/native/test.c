// SPDX-License-Identifier: GPL-2.0-only
/*
 * Test programs: TAP on standard output, what is wrong on standard error.
 *
 *	PROGRAM [TEST]...	run these tests (default: all)
 *
 * Each test is a process of its own, so one that dies fails alone, and what it
 * leaves behind is nobody else's.
 */
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "keeper.h"
#include "test.h"

/* A test that hangs is killed after this; HANGS= says otherwise.  Seconds. */
#define HANGS	3600

/* As when the module is loaded. */
static __attribute__((constructor)) void start(void)
{
	shmap_keeper_start();
}

/**
 * test_fail - fail the test at once
 * @file: where
 * @line: where
 * @format: what is wrong, as printf() has it
 */
void test_fail(const char *file, int line, const char *format, ...)
{
	va_list args;

	fflush(stdout);
	fprintf(stderr, "%s:%d: ", file, line);
	va_start(args, format);
	vfprintf(stderr, format, args);
	va_end(args);
	fputc('\n', stderr);
	abort();
}

/**
 * test_number - a number from the environment
 * @name: of the variable
 * @otherwise: when it is not set
 *
 * Return: the number.
 */
u64 test_number(const char *name, u64 otherwise)
{
	const char *text = getenv(name);

	return text && *text ? strtoull(text, NULL, 0) : otherwise;
}

static bool asked_for(int argc, char **argv, const char *name)
{
	int i;

	for (i = 1; i < argc; i++)
		if (!strcmp(argv[i], name))
			return true;
	return argc < 2;
}

static bool passes(const struct test *test)
{
	pid_t pid;
	int status;

	fflush(stdout);
	pid = fork();
	if (!pid) {
		alarm(test_number("HANGS", HANGS));
		if (test->play)
			test->play(test);
		else
			test->run();
		exit(0);
	}
	if (pid < 0 || waitpid(pid, &status, 0) != pid)
		return false;
	if (WIFSIGNALED(status))
		printf("# %s: signal %d\n", test->name, WTERMSIG(status));
	return WIFEXITED(status) && !WEXITSTATUS(status);
}

/**
 * test_main - what main() does
 * @argc: its argument
 * @argv: its argument
 * @tests: the tests
 * @n: how many
 *
 * Return: the exit status.
 */
int test_main(int argc, char **argv, const struct test *tests, unsigned int n)
{
	unsigned int i, ran = 0, failed = 0;

	printf("TAP version 13\n");
	for (i = 0; i < n; i++) {
		bool fine;

		if (!asked_for(argc, argv, tests[i].name))
			continue;
		fine = passes(&tests[i]);
		printf("%sok %u %s\n", fine ? "" : "not ", ++ran,
		       tests[i].name);
		failed += !fine;
	}
	printf("1..%u\n", ran);
	return !ran || failed;
}
