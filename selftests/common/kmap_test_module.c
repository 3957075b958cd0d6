// SPDX-License-Identifier: GPL-2.0
/*
 * Loading and unloading of the module, and what the kernel says about itself.
 * See kmap_test.h for what each function promises.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "kmap_test.h"

#define SYSFS_DIR	"/sys/module/kmap"
#define PARAMS_MAX	1024

static const char *env(const char *name)
{
	const char *value = getenv(name);

	return value && *value ? value : NULL;
}

/* modprobe knows where an installed module is; its parameters are words. */
static int load_installed(const char *params)
{
	char line[PARAMS_MAX + 64];
	int status;

	snprintf(line, sizeof(line), "modprobe kmap %s", params);
	status = system(line);
	if (status < 0)
		return -errno;
	return WIFEXITED(status) && !WEXITSTATUS(status) ? 0 : -EINVAL;
}

int kt_load(const char *params)
{
	const char *path = env("KMAP_KO");
	int fd, ret;

	if (!path)
		return load_installed(params);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return -errno;
	ret = syscall(SYS_finit_module, fd, params, 0) ? -errno : 0;
	close(fd);
	return ret;
}

int kt_unload(void)
{
	return syscall(SYS_delete_module, "kmap", O_NONBLOCK) ? -errno : 0;
}

bool kt_loaded(void)
{
	return !access(SYSFS_DIR, F_OK);
}

int kt_reload(const char *fmt, ...)
{
	const char *lock = env("KMAP_LOCK");
	const char *shards = env("KMAP_SHARDS");
	char params[PARAMS_MAX];
	va_list ap;
	int len, ret;

	if (kt_loaded()) {
		ret = kt_unload();
		if (ret)
			return ret;
	}
	len = snprintf(params, sizeof(params), "%s%s %s%s ",
		       lock ? "lock=" : "", lock ? lock : "",
		       shards ? "shards=" : "", shards ? shards : "");
	va_start(ap, fmt);
	len += vsnprintf(params + len, sizeof(params) - len, fmt, ap);
	va_end(ap);
	if (len >= (int)sizeof(params))
		return -E2BIG;
	return kt_load(params);
}

/* Reads a whole small file without its newline; its length or a negative errno. */
static ssize_t read_small(const char *path, char *buf, size_t size)
{
	ssize_t len = 0;
	ssize_t got;
	int fd;

	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return -errno;
	do {
		got = read(fd, buf + len, size - 1 - len);
		if (got > 0)
			len += got;
	} while (got > 0);
	if (got < 0)
		len = -errno;
	close(fd);
	if (len < 0)
		return len;
	if (len && buf[len - 1] == '\n')
		len--;
	buf[len] = '\0';
	return len;
}

int kt_param(const char *name, char *buf, size_t size)
{
	char path[128];
	ssize_t len;

	snprintf(path, sizeof(path), SYSFS_DIR "/parameters/%s", name);
	len = read_small(path, buf, size);
	return len < 0 ? len : 0;
}

__s64 kt_meminfo(const char *name)
{
	char buf[8192];
	char *line, *save;
	size_t name_len = strlen(name);
	ssize_t len = read_small("/proc/meminfo", buf, sizeof(buf));

	if (len < 0)
		return len;
	for (line = strtok_r(buf, "\n", &save); line;
	     line = strtok_r(NULL, "\n", &save)) {
		if (!strncmp(line, name, name_len) && line[name_len] == ':')
			return strtoll(line + name_len + 1, NULL, 10) * 1024;
	}
	return -ENOENT;
}

int kt_log_open(void)
{
	int log = open("/dev/kmsg", O_RDONLY | O_NONBLOCK | O_CLOEXEC);

	if (log < 0)
		return -errno;
	if (lseek(log, 0, SEEK_END) < 0) {
		close(log);
		return -errno;
	}
	return log;
}

int kt_log_lines(int log, const char *text, char *line, size_t size)
{
	char record[8192];
	char *message;
	ssize_t len;
	int count = 0;

	for (;;) {
		len = read(log, record, sizeof(record) - 1);
		if (len < 0 && errno == EPIPE)
			continue;	/* older lines were overwritten */
		if (len <= 0)
			break;
		record[len] = '\0';
		message = strchr(record, ';');
		if (!message)
			continue;
		message[strcspn(message, "\n")] = '\0';
		if (!strstr(++message, text))
			continue;
		count++;
		if (line)
			snprintf(line, size, "%s", message);
	}
	return len < 0 && errno != EAGAIN ? -errno : count;
}
