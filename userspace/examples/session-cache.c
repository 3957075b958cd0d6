// SPDX-License-Identifier: MIT
/*
 * session-cache: a pre-forked server whose workers share sessions.
 *
 * Any worker may get any request, so sessions are in the shared map, and no
 * worker holds anything that another one needs.  A worker that dies is replaced;
 * what it has acknowledged is in the map.
 *
 *	session-cache [-w workers] SOCKET	serve, until SIGTERM or SIGINT
 *	session-cache -r SOCKET REQUEST...	send one request, print the answer
 *	session-cache --selftest		serve, load, kill workers, check
 *
 * One connection carries one request and its answer, one line each:
 *
 *	NEW user	OK id		create a session
 *	HIT id		OK hits user	count a request in the session
 *	GET id		OK hits user	read the session
 *	END id		OK hits user	end the session
 *			NO reason	the request failed
 *
 * How the map is used: NEW stores only if the id is new (KMAP_CREATE), so an id
 * is given out once.  HIT reads the session, changes it, and stores it only if
 * it still has the version that was read (KMAP_MATCH), else it starts over, so no
 * update is lost.  END removes the session and gets its value in one operation
 * (kmap_take()), so a session ends once.
 */
#include <errno.h>
#include <inttypes.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/random.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include <kmap.h>

#include "session-cache.h"

struct session {
	uint64_t hits;
	char user[40];
};

struct settings settings = {
	.prefix = "session:",
	.id_mask = UINT64_MAX,
	.worker_count = 4,
};

void fail(const char *what, const char *why)
{
	fprintf(stderr, "session-cache: %s: %s\n", what, why);
	_exit(2);
}

static size_t key_of(char *key, size_t size, const char *id)
{
	return (size_t)snprintf(key, size, "%s%s", settings.prefix, id);
}

/* The operations: each returns 0, or a negative errno value for kmap_strerror(). */

static int session_new(struct kmap *map, const char *user, char *id, size_t size)
{
	struct session session = { 0 };
	char key[LINE];
	uint64_t random;
	size_t len;
	int ret;

	snprintf(session.user, sizeof(session.user), "%s", user);
	do {
		if (getrandom(&random, sizeof(random), 0) != sizeof(random))
			return -errno;
		snprintf(id, size, "%016" PRIx64, random & settings.id_mask);
		len = key_of(key, sizeof(key), id);
		ret = kmap_set(map, key, len, &session, sizeof(session),
			       KMAP_CREATE, NULL);
	} while (ret == -EEXIST);
	return ret;
}

static int session_get(struct kmap *map, const char *id, struct session *session,
		       uint64_t *version)
{
	char key[LINE];
	size_t len = key_of(key, sizeof(key), id);

	return kmap_get(map, key, len, session, sizeof(*session), NULL, version);
}

static int session_hit(struct kmap *map, const char *id, struct session *session)
{
	char key[LINE];
	size_t len = key_of(key, sizeof(key), id);
	uint64_t version;
	int ret;

	do {
		ret = session_get(map, id, session, &version);
		if (ret)
			return ret;
		if (settings.crowded)
			sched_yield();
		session->hits++;
		ret = kmap_set(map, key, len, session, sizeof(*session),
			       KMAP_MATCH, &version);
	} while (ret == -ESTALE);
	return ret;
}

static int session_end(struct kmap *map, const char *id, struct session *session)
{
	char key[LINE];
	size_t len = key_of(key, sizeof(key), id);

	return kmap_take(map, key, len, 0, NULL, session, sizeof(*session), NULL);
}

static void answer(struct kmap *map, const char *request, char *line)
{
	char verb[8] = "", argument[40] = "", id[24];
	struct session session = { 0 };
	int ret;

	if (sscanf(request, "%7s %39s", verb, argument) != 2) {
		ret = -EINVAL;
	} else if (!strcmp(verb, "NEW")) {
		ret = session_new(map, argument, id, sizeof(id));
		if (!ret) {
			snprintf(line, LINE, "OK %s", id);
			return;
		}
	} else if (!strcmp(verb, "HIT")) {
		ret = session_hit(map, argument, &session);
	} else if (!strcmp(verb, "GET")) {
		ret = session_get(map, argument, &session, NULL);
	} else if (!strcmp(verb, "END")) {
		ret = session_end(map, argument, &session);
	} else {
		ret = -EINVAL;
	}
	if (ret)
		snprintf(line, LINE, "NO %s",
			 ret == -ENOENT ? "no such session" :
			 ret == -EINVAL ? "not a request" : kmap_strerror(ret));
	else
		snprintf(line, LINE, "OK %" PRIu64 " %s", session.hits,
			 session.user);
}

/* Read one line, without its newline; returns false for an empty line, too. */
static bool read_line(int fd, char *line)
{
	size_t used = 0;

	while (used < LINE - 1) {
		ssize_t n = read(fd, line + used, LINE - 1 - used);

		if (n <= 0)
			return false;
		used += (size_t)n;
		if (line[used - 1] == '\n') {
			line[used - 1] = '\0';
			return used > 1;
		}
	}
	return false;
}

/* Write one line; a peer that has gone away must not cause SIGPIPE. */
static bool write_line(int fd, const char *line)
{
	size_t len = strlen(line);

	return send(fd, line, len, MSG_NOSIGNAL) == (ssize_t)len &&
	       send(fd, "\n", 1, MSG_NOSIGNAL) == 1;
}

/* The server. */

static _Noreturn void worker_main(int listener)
{
	char request[LINE], line[LINE];
	struct kmap *map;
	int ret;

	ret = kmap_open(&map, NULL, KMAP_RDWR);
	if (ret)
		fail("open", kmap_strerror(ret));
	for (;;) {
		int fd = accept(listener, NULL, NULL);

		if (fd < 0)
			continue;
		if (read_line(fd, request)) {
			answer(map, request, line);
			write_line(fd, line);
		}
		close(fd);
	}
}

static pid_t start_worker(int listener, const sigset_t *signals)
{
	pid_t pid = fork();

	if (pid < 0)
		fail("fork", strerror(errno));
	if (pid)
		return pid;
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	sigprocmask(SIG_UNBLOCK, signals, NULL);
	worker_main(listener);
}

/* Store a pid; another process may be reading it. */
static void set_pid(pid_t *where, pid_t pid)
{
	__atomic_store_n(where, pid, __ATOMIC_RELAXED);
}

/*
 * Keep the workers running until a signal asks to stop.  Returns 0 then, or 2
 * when a worker has exited by itself, because the next one would, too.
 */
int serve(int listener, pid_t *workers)
{
	int result = 0, i;
	sigset_t signals;

	sigemptyset(&signals);
	sigaddset(&signals, SIGCHLD);
	sigaddset(&signals, SIGTERM);
	sigaddset(&signals, SIGINT);
	sigprocmask(SIG_BLOCK, &signals, NULL);
	for (i = 0; i < settings.worker_count; i++)
		set_pid(&workers[i], start_worker(listener, &signals));
	while (!result) {
		int number = sigwaitinfo(&signals, NULL), status;
		pid_t pid;

		if (number == SIGTERM || number == SIGINT)
			break;
		while ((pid = waitpid(-1, &status, WNOHANG)) > 0) {
			if (WIFEXITED(status))
				result = 2;
			for (i = 0; !result && i < settings.worker_count; i++)
				if (workers[i] == pid)
					set_pid(&workers[i],
						start_worker(listener, &signals));
		}
	}
	for (i = 0; i < settings.worker_count; i++)
		kill(workers[i], SIGTERM);
	while (wait(NULL) > 0)
		;
	return result;
}

static int unix_socket(const char *path, struct sockaddr_un *address)
{
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

	if (fd < 0)
		fail("socket", strerror(errno));
	memset(address, 0, sizeof(*address));
	address->sun_family = AF_UNIX;
	if (strlen(path) >= sizeof(address->sun_path))
		fail(path, strerror(ENAMETOOLONG));
	memcpy(address->sun_path, path, strlen(path));
	return fd;
}

int listen_on(const char *path)
{
	struct sockaddr_un address;
	int fd = unix_socket(path, &address);

	if (bind(fd, (struct sockaddr *)&address, sizeof(address)) ||
	    listen(fd, 128))
		fail(path, strerror(errno));
	return fd;
}

bool ask(const char *path, const char *request, char *line)
{
	struct sockaddr_un address;
	int fd = unix_socket(path, &address);
	bool answered;

	if (connect(fd, (struct sockaddr *)&address, sizeof(address)))
		fail(path, strerror(errno));
	answered = write_line(fd, request) && read_line(fd, line);
	close(fd);
	return answered;
}

static int request_main(int argc, char **argv)
{
	char request[LINE] = "", line[LINE];
	int i;

	for (i = 1; i < argc; i++) {
		strncat(request, argv[i], LINE - 1 - strlen(request));
		strncat(request, i + 1 < argc ? " " : "",
			LINE - 1 - strlen(request));
	}
	if (!ask(argv[0], request, line))
		fail(argv[0], "no answer");
	puts(line);
	return strncmp(line, "OK ", 3) ? 1 : 0;
}

int main(int argc, char **argv)
{
	pid_t workers[MAX_WORKERS];
	long sessions;
	int result;

	if (argc == 2 && !strcmp(argv[1], "--selftest"))
		return selftest(SELFTEST_SESSIONS);
	if (argc == 3 && !strcmp(argv[1], "--selftest")) {
		sessions = strtol(argv[2], NULL, 10);
		if (sessions >= 1 && sessions <= SELFTEST_SESSIONS &&
		    !(sessions & (sessions - 1)))
			return selftest((unsigned int)sessions);
	}
	if (argc > 3 && !strcmp(argv[1], "-r"))
		return request_main(argc - 2, argv + 2);
	if (argc == 4 && !strcmp(argv[1], "-w")) {
		settings.worker_count = (int)strtol(argv[2], NULL, 10);
		argc -= 2;
		argv += 2;
	}
	if (argc != 2 || argv[1][0] == '-' || settings.worker_count < 1 ||
	    settings.worker_count > MAX_WORKERS) {
		fputs("usage: session-cache [-w workers] socket\n"
		      "       session-cache -r socket NEW user | HIT id | GET id | END id\n"
		      "       session-cache --selftest [1, 2, 4 ... 64]\n", stderr);
		return 2;
	}
	result = serve(listen_on(argv[1]), workers);
	unlink(argv[1]);
	return result;
}
