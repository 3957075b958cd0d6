// SPDX-License-Identifier: MIT
/*
 * rate-limit: many processes share one limit of requests per time window.
 *
 *	rate-limit [-l limit] [-w seconds] NAME
 *	rate-limit --selftest
 *
 * The first form asks for one request under NAME: exit status 0 when it passes,
 * 1 when the limit of this window is used up.  In a shell script:
 *
 *	rate-limit -l 5 -w 60 "login:$user" || exit 1
 *
 * A name has one number in the shared map.  Its upper half is the time window,
 * its lower half how many requests came in it.  To ask is to add 1: the sum says
 * at once which place the request has, and no two requests get the same one.
 * When the number is from another window, somebody must begin a new count, and
 * exactly one does: the number is replaced only if it still is the version that
 * was read (KMAP_MATCH).  Nothing is left behind that would have to be swept up
 * but one number a name.
 *
 * Windows are counted from when the machine was booted.
 */
#include <errno.h>
#include <inttypes.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include <kmap.h>

struct limiter {
	struct kmap *map;
	unsigned int limit;		/* requests in a window */
	unsigned int seconds;		/* length of a window */
	const unsigned int *clock;	/* the selftest's windows, else NULL */
};

static _Noreturn void fail(const char *what, const char *why)
{
	fprintf(stderr, "rate-limit: %s: %s\n", what, why);
	_exit(2);
}

static uint32_t window_now(const struct limiter *limiter)
{
	struct timespec now;

	if (limiter->clock)
		return __atomic_load_n(limiter->clock, __ATOMIC_SEQ_CST);
	clock_gettime(CLOCK_MONOTONIC, &now);
	return (uint32_t)(now.tv_sec / limiter->seconds);
}

/*
 * Begin a new count with this request as the first, in place of @version or, if
 * there is no number yet, of nothing.  -EAGAIN: somebody else did something.
 */
static int begin_window(struct limiter *limiter, const char *key, uint32_t window,
			uint64_t version)
{
	int64_t number = (int64_t)window << 32 | 1;
	int rc;

	rc = kmap_set(limiter->map, key, strlen(key), &number, sizeof(number),
		      version ? KMAP_MATCH : KMAP_CREATE, &version);
	return rc == -EEXIST || rc == -ENOENT || rc == -ESTALE ? -EAGAIN : rc;
}

/**
 * ask - may one more request pass?
 * @limiter: the map and the limit
 * @name: what the limit is for
 * @window: set to the window that the request counts in
 * @place: set to which request of that window it is, from 1
 *
 * Return: 1 when the request may pass, 0 when not, or a negative errno value.
 */
static int ask(struct limiter *limiter, const char *name, uint32_t *window,
	       uint32_t *place)
{
	uint64_t version;
	int64_t number;
	char key[256];
	int rc;

	*window = 0;
	*place = 0;
	if (snprintf(key, sizeof(key), "rate:%s", name) >= (int)sizeof(key))
		return -ENAMETOOLONG;
	do {
		number = -1;
		version = 0;
		rc = kmap_get(limiter->map, key, strlen(key), &number,
			      sizeof(number), NULL, &version);
		if (rc && rc != -ENOENT)
			return rc;

		/*
		 * The clock is read after the number.  So a number that is from
		 * another window, and has not changed when it is replaced, is
		 * from an earlier one.
		 */
		*window = window_now(limiter);
		*place = (uint32_t)number;
		if (rc || (uint32_t)(number >> 32) != *window) {
			*place = 1;
			rc = begin_window(limiter, key, *window, version);
		} else if (*place < limiter->limit) {
			/* If the next window begins now, this counts there. */
			rc = kmap_add(limiter->map, key, strlen(key), 1,
				      KMAP_REPLACE, &number, NULL);
			*window = (uint32_t)(number >> 32);
			*place = (uint32_t)number;
		} else {
			/* No place is left: do not even count. */
			return 0;
		}
	} while (rc == -EAGAIN || rc == -ENOENT);
	return rc ? rc : *place <= limiter->limit;
}

/*
 * The selftest: processes that ask as fast as they can, while they move on a
 * clock of their own.  Each place of each window must be given to one request at
 * most, none beyond the limit, and all of them if anybody was refused.
 */
#define PROCESSES	8u
#define ASK_EACH	4000u
#define TICK_EVERY	250u	/* requests of one process */
#define WINDOWS		(PROCESSES * ASK_EACH / TICK_EVERY + 1)
#define LIMIT		100u

struct shared {
	unsigned int clock;
	unsigned int refused[WINDOWS];
	unsigned int given[WINDOWS][LIMIT + 1];
};

static _Noreturn void ask_often(struct shared *shared, const char *name)
{
	struct limiter limiter = { .limit = LIMIT, .clock = &shared->clock };
	uint32_t window, place;
	unsigned int i;
	int rc;

	rc = kmap_open(&limiter.map, NULL, KMAP_RDWR);
	for (i = 1; rc >= 0 && i <= ASK_EACH; i++) {
		rc = ask(&limiter, name, &window, &place);
		if (rc >= 0 && (window >= WINDOWS ||
				(rc && (place < 1 || place > LIMIT))))
			fail("check", "no such window or place");
		if (rc > 0)
			__atomic_fetch_add(&shared->given[window][place], 1,
					   __ATOMIC_RELAXED);
		else if (!rc)
			__atomic_fetch_add(&shared->refused[window], 1,
					   __ATOMIC_RELAXED);
		if (i % TICK_EVERY == 0)
			__atomic_fetch_add(&shared->clock, 1, __ATOMIC_SEQ_CST);
	}
	if (rc < 0)
		fail("check", kmap_strerror(rc));
	_exit(0);
}

static int selftest(void)
{
	unsigned int window, place, i, full = 0, passed = 0, refused = 0;
	unsigned int problems = 0;
	struct shared *shared;
	char name[40], key[48];
	struct kmap *map;
	int status, rc;

	snprintf(name, sizeof(name), "test.%d", (int)getpid());
	shared = mmap(NULL, sizeof(*shared), PROT_READ | PROT_WRITE,
		      MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	if (shared == MAP_FAILED)
		fail("mmap", strerror(errno));
	for (i = 0; i < PROCESSES; i++) {
		pid_t pid = fork();

		if (pid < 0)
			fail("fork", strerror(errno));
		if (!pid)
			ask_often(shared, name);
	}
	while (wait(&status) > 0)
		problems += status != 0;

	for (window = 0; window < WINDOWS; window++) {
		unsigned int here = 0;

		for (place = 1; place <= LIMIT; place++) {
			here += shared->given[window][place];
			problems += shared->given[window][place] > 1;
		}
		problems += here > LIMIT;
		problems += shared->refused[window] && here != LIMIT;
		full += here == LIMIT;
		passed += here;
		refused += shared->refused[window];
	}
	problems += passed + refused != PROCESSES * ASK_EACH;
	problems += !full || !refused;	/* then nothing was tried */

	snprintf(key, sizeof(key), "rate:%s", name);
	rc = kmap_open(&map, NULL, KMAP_RDWR);
	if (!rc)
		rc = kmap_delete(map, key, strlen(key), 0, NULL);
	if (rc)
		fail("clean up", kmap_strerror(rc));
	kmap_close(map);
	printf("rate-limit: %u processes, %u windows, %u full with %u requests each; ",
	       PROCESSES, WINDOWS, full, LIMIT);
	printf("%u passed, %u refused; %u problems: %s\n", passed, refused,
	       problems, problems ? "FAILED" : "passed");
	return problems ? 1 : 0;
}

static unsigned int number_option(const char *text)
{
	char *end;
	unsigned long n = strtoul(text, &end, 10);

	if (*end || n < 1 || n > INT32_MAX)
		fail(text, "not a number from 1 to 2147483647");
	return (unsigned int)n;
}

int main(int argc, char **argv)
{
	struct limiter limiter = { .limit = 10, .seconds = 60 };
	uint32_t window, place;
	int opt, rc;

	if (argc == 2 && !strcmp(argv[1], "--selftest"))
		return selftest();
	while ((opt = getopt(argc, argv, "l:w:")) != -1) {
		if (opt == 'l')
			limiter.limit = number_option(optarg);
		else if (opt == 'w')
			limiter.seconds = number_option(optarg);
		else
			argc = 0;
	}
	if (argc - optind != 1) {
		fputs("usage: rate-limit [-l limit] [-w seconds] name\n"
		      "       rate-limit --selftest\n", stderr);
		return 2;
	}

	rc = kmap_open(&limiter.map, NULL, KMAP_RDWR);
	if (rc)
		fail("open", kmap_strerror(rc));
	rc = ask(&limiter, argv[optind], &window, &place);
	kmap_close(limiter.map);
	if (rc < 0)
		fail(argv[optind], kmap_strerror(rc));
	if (rc)
		printf("pass %" PRIu32 " of %u\n", place, limiter.limit);
	else
		printf("stop\n");
	return rc ? 0 : 1;
}
