// SPDX-License-Identifier: MIT
/*
 * session-cache --selftest: a server, many clients, and a killer.
 *
 * While clients send requests, workers are killed with SIGKILL again and again.
 * A request whose answer was lost may have been carried out or not; it is in
 * doubt.  Everything else must add up exactly:
 *
 *	created		no id is given out twice, although there are so few ids
 *			that workers draw the same ones all the time
 *	hits		a session has all hits that were acknowledged, and at
 *			most those in doubt besides
 *	ended		nobody ends a session that somebody has ended
 *	left over	nothing
 */
#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include <kmap.h>

#include "session-cache.h"

#define CLIENTS		8
#define IDS_MAX		(16 * SELFTEST_SESSIONS)
#define KILL_EVERY	40	/* answers between two kills */

/* What clients and killer share. */
static struct shared {
	pid_t workers[MAX_WORKERS];
	unsigned int answers, lost, surprises;
	unsigned int created[IDS_MAX], hits[IDS_MAX];
	unsigned int doubtful_hits[IDS_MAX];
	unsigned int ended[IDS_MAX], doubtful_ends[IDS_MAX];
	unsigned int doubtful_news;
} *shared;

static unsigned int new_each;	/* sessions that each client creates */
static unsigned int hit_each;	/* hits that each client makes */
static unsigned int ids;	/* number of ids; a power of two */

static char path[64];
static unsigned int problems, kills;

static void count(unsigned int *n)
{
	__atomic_fetch_add(n, 1, __ATOMIC_RELAXED);
}

static void problem(const char *what, unsigned int number)
{
	if (problems++ < 10)
		fprintf(stderr, "session-cache: %s: %u\n", what, number);
}

/* Send a request.  If there is no answer, count in @doubt and return false. */
static bool ask_counted(const char *verb, const char *argument, char *line,
			unsigned int *doubt)
{
	char request[LINE];

	snprintf(request, sizeof(request), "%s %s", verb, argument);
	if (ask(path, request, line)) {
		count(&shared->answers);
		return true;
	}
	count(&shared->lost);
	count(doubt);
	return false;
}

static void create_some(unsigned int client)
{
	char user[16], line[LINE];
	unsigned int left = new_each;

	snprintf(user, sizeof(user), "user%u", client);
	while (left > 0) {
		if (!ask_counted("NEW", user, line, &shared->doubtful_news))
			continue;
		if (strncmp(line, "OK ", 3))
			fail("NEW", line);
		count(&shared->created[strtoul(line + 3, NULL, 16) % ids]);
		left--;
	}
}

/* Every second hit goes to the same session, so that updates collide. */
static void hit_some(unsigned int client)
{
	unsigned int seed = client, i;
	char id[24], line[LINE];

	for (i = 0; i < hit_each; i++) {
		unsigned int target;

		target = i % 2 ? (unsigned int)rand_r(&seed) % ids : 0;
		while (!shared->created[target])
			target = (target + 1) % ids;
		snprintf(id, sizeof(id), "%016x", target);
		if (!ask_counted("HIT", id, line,
				 &shared->doubtful_hits[target]))
			continue;
		if (strncmp(line, "OK ", 3))
			count(&shared->surprises);
		else
			count(&shared->hits[target]);
	}
}

/* All clients try to end all possible sessions, each in an order of its own. */
static void end_all(unsigned int client)
{
	char id[24], line[LINE];
	unsigned int i;

	for (i = 0; i < ids; i++) {
		unsigned int target = (i * (2 * client + 1) + client * 37) % ids;

		snprintf(id, sizeof(id), "%016x", target);
		while (!ask_counted("END", id, line,
				    &shared->doubtful_ends[target]))
			;
		if (!strncmp(line, "OK ", 3))
			count(&shared->ended[target]);
		else if (strcmp(line, "NO no such session"))
			count(&shared->surprises);
	}
}

static void kill_worker(int number)
{
	pid_t pid = __atomic_load_n(&shared->workers[number], __ATOMIC_RELAXED);

	/* It may not have been started yet. */
	if (pid > 0 && !kill(pid, SIGKILL))
		kills++;
}

/* Let all clients do one thing, and kill workers meanwhile. */
static void run_clients(void (*what)(unsigned int client))
{
	unsigned int answers, next_kill, i, seed = 1;
	int status, left = CLIENTS;
	pid_t pids[CLIENTS];

	for (i = 0; i < CLIENTS; i++) {
		pids[i] = fork();
		if (pids[i] < 0)
			fail("fork", "no more processes");
		if (!pids[i]) {
			what(i);
			_exit(0);
		}
	}
	next_kill = shared->answers + KILL_EVERY;
	while (left > 0) {
		for (i = 0; i < CLIENTS; i++) {
			if (!pids[i] || !waitpid(pids[i], &status, WNOHANG))
				continue;
			if (status)
				problem("a client died", i);
			pids[i] = 0;
			left--;
		}
		answers = __atomic_load_n(&shared->answers, __ATOMIC_RELAXED);
		if (left && answers >= next_kill) {
			next_kill = answers + KILL_EVERY;
			kill_worker(rand_r(&seed) % settings.worker_count);
		}
		usleep(100);
	}
}

static void check_created(void)
{
	unsigned int total = 0, i;

	for (i = 0; i < ids; i++) {
		if (shared->created[i] > 1)
			problem("created more than once", i);
		total += shared->created[i];
	}
	if (total != CLIENTS * new_each)
		problem("not all were created", total);
}

static void check_hits(void)
{
	char id[24], request[LINE], line[LINE];
	unsigned int hits, i;

	for (i = 0; i < ids; i++) {
		if (!shared->created[i])
			continue;
		snprintf(id, sizeof(id), "%016x", i);
		snprintf(request, sizeof(request), "GET %s", id);
		if (!ask(path, request, line) ||
		    sscanf(line, "OK %u user", &hits) != 1)
			problem("lost", i);
		else if (hits < shared->hits[i])
			problem("acknowledged hits are lost", i);
		else if (hits > shared->hits[i] + shared->doubtful_hits[i])
			problem("more hits than were asked for", i);
	}
}

static void check_ended(struct kmap *map)
{
	size_t len = strlen(settings.prefix);
	struct kmap_pair pair;
	struct kmap_iter *it;
	unsigned int i;
	int ret;

	for (i = 0; i < ids; i++) {
		if (shared->ended[i] > 1)
			problem("ended more than once", i);
		if (shared->created[i] && !shared->ended[i] &&
		    !shared->doubtful_ends[i])
			problem("ended by nobody", i);
	}
	ret = kmap_iter_open(map, 0, &it);
	while (!ret && (ret = kmap_iter_next(it, &pair)) > 0) {
		if (pair.key_len > len && !memcmp(pair.key, settings.prefix, len))
			problem("left over", 0);
		ret = 0;
	}
	if (ret)
		fail("walk", kmap_strerror(ret));
	kmap_iter_close(it);
}

int selftest(unsigned int sessions)
{
	unsigned int hits = 0, i;
	char prefix[40];
	struct kmap *map;
	pid_t server;
	int listener, ret, status;

	new_each = sessions;
	hit_each = sessions * 25 / 4;
	ids = sessions * 16;
	snprintf(prefix, sizeof(prefix), "session-test.%d:", (int)getpid());
	snprintf(path, sizeof(path), "/tmp/session-test.%d", (int)getpid());
	settings.prefix = prefix;
	settings.id_mask = ids - 1;
	settings.crowded = true;
	shared = mmap(NULL, sizeof(*shared), PROT_READ | PROT_WRITE,
		      MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	if (shared == MAP_FAILED)
		fail("mmap", "no memory");
	ret = kmap_open(&map, NULL, KMAP_RDONLY);
	if (ret)
		fail("open", kmap_strerror(ret));

	listener = listen_on(path);
	server = fork();
	if (server < 0)
		fail("fork", "no more processes");
	if (!server)
		_exit(serve(listener, shared->workers));

	run_clients(create_some);
	check_created();
	run_clients(hit_some);
	check_hits();
	run_clients(end_all);
	check_ended(map);

	kill(server, SIGTERM);
	waitpid(server, &status, 0);
	unlink(path);
	kmap_close(map);

	for (i = 0; i < ids; i++)
		hits += shared->hits[i];
	if (status)
		problem("the server's status", (unsigned int)status);
	if (shared->surprises)
		problem("answers that should not be", shared->surprises);
	if (!kills || !hits)
		problem("nothing was tried", kills);
	printf("session-cache: %u answers, %u acknowledged hits; ",
	       shared->answers, hits);
	printf("%u workers killed, %u answers lost; %u problems: %s\n", kills,
	       shared->lost, problems, problems ? "FAILED" : "passed");
	return problems ? 1 : 0;
}
