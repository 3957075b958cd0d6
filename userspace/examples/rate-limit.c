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
 * its lower half counts the requests in that window.  A request adds 1 to the
 * number: the sum is its place, and no two requests get the same place.  When the
 * number is from another window, a new count must begin, and exactly one client
 * begins it: the number is replaced only if it still has the version that was
 * read (KMAP_MATCH).  A name without a number first gets one that is marked as not
 * begun: a client that was stopped for a while cannot tell whether its window has
 * passed meanwhile, and a window that is over must not begin again.
 *
 * Names come and go, and no client returns to remove what it needs no more.  So
 * before a count begins, the client puts its name into a queue, looks at the SWEEP
 * oldest names in the queue, and removes the numbers whose window is over.  This
 * removes more than it adds, so the map has only the names of the last windows,
 * and the work of a request is bounded.
 *
 * Windows are counted from the boot of the machine.  Those of each length (of 60
 * seconds, for instance) have numbers and a queue of their own:
 *
 *	rate.60:NAME	the number of a name
 *	rate.60.at:N	place N of the queue: a window and a name
 *	rate.60.head	the oldest place that may be taken
 *	rate.60.tail	the first place that is free
 */
#include <errno.h>
#include <inttypes.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include <kmap.h>

/* Places of the queue that are looked at when a name is put into it. */
#define SWEEP		4

#define NAME_MAX_LEN	200u
#define KEY_ROOM	(NAME_MAX_LEN + 40)

/* In the lower half of a number: no request has been counted in this window. */
#define NOT_BEGUN	0x80000000u
#define LIMIT_MAX	1000000000u

struct limiter {
	struct kmap *map;
	char space[24];			/* the prefix of its keys */
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

/* A place of the queue, without the part of the name that is not used. */
struct place {
	uint32_t window;
	char name[NAME_MAX_LEN];
};

static void key_of(const struct limiter *limiter, char *key, const char *kind,
		   const char *name)
{
	snprintf(key, KEY_ROOM, "%s%s%s", limiter->space, kind, name);
}

static void place_key(const struct limiter *limiter, char *key, int64_t place)
{
	snprintf(key, KEY_ROOM, "%s.at:%" PRId64, limiter->space, place);
}

/* Get a number and its version; both are 0 if there is none. */
static int get_number(struct limiter *limiter, const char *key, int64_t *number,
		      uint64_t *version)
{
	int ret;

	*number = 0;
	*version = 0;
	ret = kmap_get(limiter->map, key, strlen(key), number, sizeof(*number),
		       NULL, version);
	return ret == -ENOENT ? 0 : ret;
}

/*
 * Store a number: replace @version or, if that is 0, create it.  Returns -EAGAIN if
 * another client has changed, created or removed it meanwhile.
 */
static int set_number(struct limiter *limiter, const char *key, int64_t number,
		      uint64_t version)
{
	int ret = kmap_set(limiter->map, key, strlen(key), &number,
			   sizeof(number), KMAP_NUMBER |
			   (version ? KMAP_MATCH : KMAP_CREATE),
			   &version);

	return ret == -EEXIST || ret == -ENOENT || ret == -ESTALE ? -EAGAIN : ret;
}

/* Remove an entry, unless another client has changed or removed it since @version. */
static int remove_match(struct limiter *limiter, const char *key,
			uint64_t version)
{
	int ret = kmap_delete(limiter->map, key, strlen(key), KMAP_MATCH,
			      &version);

	return ret == -ENOENT || ret == -ESTALE ? 0 : ret;
}

/*
 * Put a name into the queue.  When a client is killed after it took a place and
 * before it moved the tail, the next one finds the place taken and moves it.
 */
static int enqueue(struct limiter *limiter, const char *name, uint32_t window)
{
	size_t len = offsetof(struct place, name) + strlen(name);
	char tail_key[KEY_ROOM], key[KEY_ROOM];
	struct place place = { .window = window };
	uint64_t version, mine;
	int64_t tail;
	int ret, moved;

	memcpy(place.name, name, strlen(name));
	key_of(limiter, tail_key, ".tail", "");
	for (;;) {
		ret = get_number(limiter, tail_key, &tail, &version);
		if (ret)
			return ret;
		place_key(limiter, key, tail);
		ret = kmap_set(limiter->map, key, strlen(key), &place, len,
			       KMAP_CREATE, &mine);
		if (ret && ret != -EEXIST)
			return ret;
		moved = set_number(limiter, tail_key, tail + 1, version);
		if (moved && moved != -EAGAIN)
			return moved;
		if (!ret && !moved)
			return 0;
		/* The tail may have passed this place, so it is not in the queue. */
		if (!ret)
			ret = remove_match(limiter, key, mine);
		if (ret && ret != -EEXIST)
			return ret;
	}
}

/*
 * Remove the number of a name if its window is over.  A client that was stopped may
 * still add to it; then the new version is removed.
 */
static int forget(struct limiter *limiter, const char *name)
{
	char key[KEY_ROOM];
	uint64_t version;
	int64_t number;
	int ret;

	key_of(limiter, key, ":", name);
	do {
		ret = get_number(limiter, key, &number, &version);
		/* As in ask(): the clock is read after the number. */
		if (ret || !version ||
		    (uint32_t)(number >> 32) == window_now(limiter))
			return ret;
		ret = kmap_delete(limiter->map, key, strlen(key), KMAP_MATCH,
				  &version);
	} while (ret == -ESTALE);
	return ret == -ENOENT ? 0 : ret;
}

/*
 * Remove the oldest name of the queue if its window is over: first its number,
 * then its place; then move the head.  In this order the next client can do the
 * rest if this one is killed.  Returns 1, or 0 if there is no such name.
 */
static int sweep(struct limiter *limiter)
{
	char head_key[KEY_ROOM], key[KEY_ROOM];
	uint64_t head_version, version;
	struct place place;
	int64_t head, tail;
	size_t len;
	int ret;

	key_of(limiter, key, ".tail", "");
	key_of(limiter, head_key, ".head", "");
	ret = get_number(limiter, head_key, &head, &head_version);
	if (ret)
		return ret;
	ret = get_number(limiter, key, &tail, &version);
	if (ret || head >= tail)
		return ret;
	place_key(limiter, key, head);
	ret = kmap_get(limiter->map, key, strlen(key), &place,
		       sizeof(place) - 1, &len, &version);
	if (!ret) {
		if (place.window == window_now(limiter))
			return 0;
		((char *)&place)[len] = '\0';
		ret = forget(limiter, place.name);
		if (!ret)
			ret = remove_match(limiter, key, version);
	}
	if (ret && ret != -ENOENT)
		return ret;
	ret = set_number(limiter, head_key, head + 1, head_version);
	return ret && ret != -EAGAIN ? ret : 1;
}

/*
 * Begin a new count in place of @version, with this request as the first.  If
 * @version is 0, there is no number: store one that is not begun, and return
 * -EAGAIN, because since the clock was read, others may have begun this very
 * window, filled it, and removed their number when it was over.  Returns -EAGAIN
 * also if another client has changed the number.
 */
static int begin_window(struct limiter *limiter, const char *name,
			uint32_t window, uint64_t version)
{
	char key[KEY_ROOM];
	int ret, i, more;

	/* The queue first: a number whose name is not in it would never be removed. */
	ret = enqueue(limiter, name, window);
	for (i = 0, more = 1; !ret && more && i < SWEEP; i++) {
		more = sweep(limiter);
		if (more < 0)
			ret = more;
	}
	if (ret)
		return ret;
	key_of(limiter, key, ":", name);
	ret = set_number(limiter, key,
			 (int64_t)window << 32 | (version ? 1 : NOT_BEGUN),
			 version);
	/* Once the window is over, the name may have left the queue already. */
	if (!ret && window_now(limiter) != window)
		ret = enqueue(limiter, name, window);
	return !ret && !version ? -EAGAIN : ret;
}

/**
 * ask - may one more request pass?
 * @limiter: the map and the limit
 * @name: what the limit is for
 * @window: set to the window in which the request counts
 * @place: set to the place of the request in that window, from 1
 *
 * Return: 1 when the request may pass, 0 when not, or a negative errno value.
 */
static int ask(struct limiter *limiter, const char *name, uint32_t *window,
	       uint32_t *place)
{
	uint64_t version;
	int64_t number;
	char key[KEY_ROOM];
	int ret;

	*window = 0;
	*place = 0;
	if (strlen(name) >= NAME_MAX_LEN)
		return -ENAMETOOLONG;
	key_of(limiter, key, ":", name);
	do {
		ret = get_number(limiter, key, &number, &version);
		if (ret)
			return ret;

		/*
		 * The clock is read after the number.  So a number that is from
		 * another window, and has not changed when it is replaced, is
		 * from an earlier one.
		 */
		*window = window_now(limiter);
		*place = (uint32_t)number;
		if (!version || (uint32_t)(number >> 32) != *window) {
			*place = 1;
			ret = begin_window(limiter, name, *window, version);
		} else if (*place & NOT_BEGUN) {
			/* Read before the clock, so this window is not over. */
			*place = 1;
			ret = set_number(limiter, key,
					 (int64_t)*window << 32 | 1, version);
		} else if (*place < limiter->limit) {
			/*
			 * If the next window begins now, this counts there; if
			 * that one is not begun, this has no effect.
			 */
			ret = kmap_add(limiter->map, key, strlen(key), 1,
				       KMAP_REPLACE, &number, NULL);
			*window = (uint32_t)(number >> 32);
			*place = (uint32_t)number;
			if (!ret && *place & NOT_BEGUN)
				ret = -EAGAIN;
		} else {
			/* No place is left: do not even count. */
			return 0;
		}
	} while (ret == -EAGAIN || ret == -ENOENT);
	return ret ? ret : *place <= limiter->limit;
}

/*
 * The selftest: processes ask as fast as they can, and advance a clock of their
 * own.  Each place of each window must be given to at most one request, no place
 * beyond the limit, and all places if a request was refused.  They also ask under
 * many other names, once under each, and nothing of these must stay in the map.
 */
#define PROCESSES	8u
#define ASK_EACH	4000u
#define TICK_EVERY	250u	/* requests of one process */
#define NAME_EVERY	16u	/* requests for one under a new name */
#define WINDOWS		(PROCESSES * ASK_EACH / TICK_EVERY + 1)
#define LIMIT		100u

struct shared {
	unsigned int clock;
	unsigned int refused[WINDOWS];
	unsigned int given[WINDOWS][LIMIT + 1];
};

static void new_name(struct limiter *limiter, unsigned int number)
{
	uint32_t window, place;
	char name[40];
	int ret;

	snprintf(name, sizeof(name), "%d.%u", (int)getpid(), number);
	ret = ask(limiter, name, &window, &place);
	if (ret != 1 || place != 1)
		fail("new name", ret < 0 ? kmap_strerror(ret) : "not the first");
}

static _Noreturn void ask_often(struct limiter *limiter, struct shared *shared)
{
	uint32_t window, place;
	unsigned int i;
	int ret;

	ret = kmap_open(&limiter->map, NULL, KMAP_RDWR);
	for (i = 1; ret >= 0 && i <= ASK_EACH; i++) {
		ret = ask(limiter, "name", &window, &place);
		if (ret >= 0 && (window >= WINDOWS ||
				 (ret && (place < 1 || place > LIMIT))))
			fail("check", "no such window or place");
		if (ret > 0)
			__atomic_fetch_add(&shared->given[window][place], 1,
					   __ATOMIC_RELAXED);
		else if (!ret)
			__atomic_fetch_add(&shared->refused[window], 1,
					   __ATOMIC_RELAXED);
		if (i % NAME_EVERY == 0)
			new_name(limiter, i);
		if (i % TICK_EVERY == 0)
			__atomic_fetch_add(&shared->clock, 1, __ATOMIC_SEQ_CST);
	}
	if (ret < 0)
		fail("check", kmap_strerror(ret));
	_exit(0);
}

/* Count the entries that the limiter has in the map; with @clear, remove them. */
static unsigned int count_entries(struct limiter *limiter, int clear)
{
	size_t len = strlen(limiter->space);
	struct kmap_iter *it;
	struct kmap_pair pair;
	unsigned int count = 0;
	int ret;

	ret = kmap_iter_open(limiter->map, 0, &it);
	if (ret)
		fail("count", kmap_strerror(ret));
	while ((ret = kmap_iter_next(it, &pair)) > 0) {
		if (pair.key_len <= len || memcmp(pair.key, limiter->space, len))
			continue;
		count++;
		if (clear)
			kmap_delete(limiter->map, pair.key, pair.key_len, 0,
				    NULL);
	}
	if (ret)
		fail("count", kmap_strerror(ret));
	kmap_iter_close(it);
	return count;
}

/*
 * Go through windows with a few new names each, until all names of earlier ones
 * must be gone.  A name of this window has a number and a place, the queue has two
 * ends, and names of the window before may still be there.  Returns the number of
 * entries if there are more than that, else 0.
 */
#define FEW		10u

static unsigned int fade(struct limiter *limiter, struct shared *shared)
{
	unsigned int names = count_entries(limiter, 0), number = 0, left, i;

	while (number < names / (SWEEP - 1) + 2 * FEW) {
		shared->clock++;
		for (i = 0; i < FEW; i++)
			new_name(limiter, number++);
	}
	left = count_entries(limiter, 0);
	printf("rate-limit: %u entries, then %u of %u names in a window; ",
	       names, left, FEW);
	return left > 2 * 2 * FEW + 2 ? left : 0;
}

static int selftest(void)
{
	unsigned int window, place, i, full = 0, passed = 0, refused = 0;
	struct limiter limiter = { .limit = LIMIT };
	unsigned int problems = 0;
	struct shared *shared;
	int status, ret;

	snprintf(limiter.space, sizeof(limiter.space), "test.%d", (int)getpid());
	shared = mmap(NULL, sizeof(*shared), PROT_READ | PROT_WRITE,
		      MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	if (shared == MAP_FAILED)
		fail("mmap", strerror(errno));
	limiter.clock = &shared->clock;
	for (i = 0; i < PROCESSES; i++) {
		pid_t pid = fork();

		if (pid < 0)
			fail("fork", strerror(errno));
		if (!pid)
			ask_often(&limiter, shared);
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

	ret = kmap_open(&limiter.map, NULL, KMAP_RDWR);
	if (ret)
		fail("open", kmap_strerror(ret));
	problems += fade(&limiter, shared);
	count_entries(&limiter, 1);
	problems += count_entries(&limiter, 0);
	kmap_close(limiter.map);
	printf("%u processes, %u windows, %u full with %u requests each; ",
	       PROCESSES, WINDOWS, full, LIMIT);
	printf("%u passed, %u refused; %u problems: %s\n", passed, refused,
	       problems, problems ? "FAILED" : "passed");
	return problems ? 1 : 0;
}

static unsigned int number_option(const char *text)
{
	char *end;
	unsigned long n = strtoul(text, &end, 10);

	if (*end || n < 1 || n > LIMIT_MAX)
		fail(text, "not a number from 1 to 1000000000");
	return (unsigned int)n;
}

int main(int argc, char **argv)
{
	struct limiter limiter = { .limit = 10, .seconds = 60 };
	uint32_t window, place;
	int opt, ret;

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

	snprintf(limiter.space, sizeof(limiter.space), "rate.%u",
		 limiter.seconds);
	ret = kmap_open(&limiter.map, NULL, KMAP_RDWR);
	if (ret)
		fail("open", kmap_strerror(ret));
	ret = ask(&limiter, argv[optind], &window, &place);
	kmap_close(limiter.map);
	if (ret < 0)
		fail(argv[optind], kmap_strerror(ret));
	if (ret)
		printf("pass %" PRIu32 " of %u\n", place, limiter.limit);
	else
		printf("stop\n");
	return ret ? 0 : 1;
}
