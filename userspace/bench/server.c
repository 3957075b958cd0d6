// SPDX-License-Identifier: MIT
/*
 * Daemons on a unix socket, and connections to them.
 */
#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include "bench.h"

/* Seconds after which a daemon must listen. */
#define PATIENCE	60

static int dial(const struct server *server)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

	if (fd < 0)
		return -errno;
	snprintf(address.sun_path, sizeof(address.sun_path), "%s",
		 server->path);
	if (!connect(fd, (struct sockaddr *)&address, sizeof(address)))
		return fd;
	close(fd);
	return -ECONNREFUSED;
}

int server_start(struct server *server, const char *file,
		 const char *const argv[])
{
	unlink(server->path);
	server->pid = fork();
	if (server->pid < 0)
		return -errno;
	if (!server->pid) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		/* Its output must not get into the table that this program prints. */
		if (!freopen("/dev/null", "w", stdout))
			_exit(127);
		execvp(file, (char *const *)argv);
		_exit(127);
	}
	for (int tries = PATIENCE * 20; tries; tries--) {
		int fd = dial(server);

		if (fd >= 0) {
			close(fd);
			return 0;
		}
		if (waitpid(server->pid, NULL, WNOHANG)) {
			server->pid = 0;
			return -ENOENT;
		}
		usleep(50000);
	}
	return -ETIMEDOUT;
}

void server_stop(struct server *server)
{
	if (server->pid > 0) {
		kill(server->pid, SIGKILL);
		waitpid(server->pid, NULL, 0);
	}
	server->pid = 0;
	unlink(server->path);
}

int64_t resident(int pid)
{
	char path[64];
	long long pages = -1;
	FILE *file;

	if (pid)
		snprintf(path, sizeof(path), "/proc/%d/statm", pid);
	else
		snprintf(path, sizeof(path), "/proc/self/statm");
	file = fopen(path, "r");
	if (!file)
		return -1;
	if (fscanf(file, "%*d %lld", &pages) != 1)
		pages = -1;
	fclose(file);
	return pages < 0 ? -1 : pages * sysconf(_SC_PAGESIZE);
}

struct wire *wire_open(const struct server *server)
{
	struct wire *wire = calloc(1, sizeof(*wire));

	if (!wire)
		return NULL;
	wire->fd = dial(server);
	if (wire->fd >= 0)
		return wire;
	fprintf(stderr, "%s: %s\n", server->path, strerror(-wire->fd));
	free(wire);
	return NULL;
}

void wire_close(struct wire *wire)
{
	close(wire->fd);
	free(wire);
}

void wire_put(struct wire *wire, const void *data, size_t len)
{
	/* The buffer is too small for what a peer sends at once. */
	if (len > sizeof(wire->out) - wire->len)
		abort();
	memcpy(wire->out + wire->len, data, len);
	wire->len += len;
}

void wire_text(struct wire *wire, const char *text)
{
	wire_put(wire, text, strlen(text));
}

int wire_send(struct wire *wire)
{
	size_t sent = 0;

	while (sent < wire->len) {
		ssize_t ret = send(wire->fd, wire->out + sent, wire->len - sent,
				   MSG_NOSIGNAL);

		if (ret < 0 && errno != EINTR)
			return -errno;
		if (ret > 0)
			sent += (size_t)ret;
	}
	wire->len = 0;
	wire->have = 0;
	return 0;
}

static int receive(struct wire *wire)
{
	ssize_t ret;

	if (wire->have == sizeof(wire->in))
		return -ENOBUFS;
	do {
		ret = recv(wire->fd, wire->in + wire->have,
			   sizeof(wire->in) - wire->have, 0);
	} while (ret < 0 && errno == EINTR);
	if (ret <= 0)
		return ret ? -errno : -EPIPE;
	wire->have += (size_t)ret;
	return 0;
}

int wire_want(struct wire *wire, size_t bytes)
{
	int ret = 0;

	while (!ret && wire->have < bytes)
		ret = receive(wire);
	return ret;
}

int wire_until(struct wire *wire, const char *end)
{
	size_t len = strlen(end);
	int ret = 0;

	while (!ret && (wire->have < len ||
			memcmp(wire->in + wire->have - len, end, len)))
		ret = receive(wire);
	return ret;
}
