/* SPDX-License-Identifier: GPL-2.0-only */
/* A test program: a table of tests, each run in a process of its own. */
#ifndef TEST_H
#define TEST_H

#include <linux/compiler.h>

/**
 * struct test - one test
 * @name: of the test
 * @run: returns when all is fine, else does not return
 * @play: the same, for a function that several tests share
 * @setting: for @play
 * @lock: for @play: name of the lock mode
 * @shards: for @play: number of shards
 */
struct test {
	const char	*name;
	void		(*run)(void);
	void		(*play)(const struct test *test);
	const void	*setting;
	const char	*lock;
	unsigned int	shards;
};

int test_main(int argc, char **argv, const struct test *tests, unsigned int n);
__noreturn __printf(3, 4)
void test_fail(const char *file, int line, const char *format, ...);
u64 test_number(const char *name, u64 otherwise);

/* Fail the test unless the condition holds. */
#define check(condition) \
	((condition) ? (void)0 : \
	 test_fail(__FILE__, __LINE__, "%s", #condition))

/* The same, and say what two numbers are. */
#define check_equal(a, b) \
do { \
	long long _a = (a), _b = (b); \
\
	if (_a != _b) \
		test_fail(__FILE__, __LINE__, "%s is %lld, %s is %lld", \
			  #a, _a, #b, _b); \
} while (0)

#endif /* TEST_H */
