/* SPDX-License-Identifier: MIT */
/*
 * session-cache: what the server and its selftest share.
 */
#ifndef SESSION_CACHE_H
#define SESSION_CACHE_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#define LINE		128	/* longest request or answer, with its end */
#define MAX_WORKERS	64
#define SELFTEST_SESSIONS	64	/* at most, of each client */

/* Set before the server starts; the selftest makes conflicts more likely. */
extern struct settings {
	const char *prefix;	/* the prefix of the keys of sessions */
	uint64_t id_mask;	/* bits that an id may have */
	bool crowded;		/* let others run between read and update */
	int worker_count;
} settings;

/* Print what is wrong, and exit with status 2. */
_Noreturn void fail(const char *what, const char *why);

/* Make the socket that workers accept connections from. */
int listen_on(const char *path);

/* Serve until SIGTERM or SIGINT; @workers has the pids of the workers at any time. */
int serve(int listener, pid_t *workers);

/* Send a request.  Returns false if its worker died, so that the answer is lost. */
bool ask(const char *path, const char *request, char *line);

/*
 * Let each client create @sessions sessions, a power of two up to
 * SELFTEST_SESSIONS.  Returns 0 when all is well.
 */
int selftest(unsigned int sessions);

#endif /* SESSION_CACHE_H */
