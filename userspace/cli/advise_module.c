// SPDX-License-Identifier: MIT
/*
 * The module for the subcommand advise: how it is loaded now, and loading and
 * unloading it.
 *
 * It is loaded from the file that --module names, or by modprobe(8).  Unloading
 * never waits: while anybody has the map open, or mapped, the kernel refuses.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "advise.h"

#define MODULE		"/sys/module/kmap"

/* The parameters, in the order in which they are printed. */
static const char *const names[] = {
	"lock", "shards", "max_entries", "max_bytes", "max_key", "max_value",
	"mode", "wipe",
};

/* Read a word from a file of one line. */
static bool read_word(const char *path, char *word, size_t size)
{
	FILE *file = fopen(path, "r");
	bool done = file && fgets(word, (int)size, file);

	if (file)
		fclose(file);
	if (done)
		word[strcspn(word, "\n")] = '\0';
	else
		*word = '\0';
	return done;
}

/* Add "name=value" to a text; false when there is no room. */
static bool add_parameter(char *text, const char *name, const char *value)
{
	size_t len = strlen(text);
	int more = snprintf(text + len, ADVISE_TEXT_MAX - len, "%s%s=%s",
			    len ? " " : "", name, value);

	return more >= 0 && (size_t)more < ADVISE_TEXT_MAX - len;
}

bool module_is_loaded(void)
{
	return !access(MODULE, F_OK);
}

enum cli_status module_look(const struct cli *cli, struct advise_module *module)
{
	char path[64], value[64];
	struct stat node;

	memset(module, 0, sizeof(*module));
	read_word(MODULE "/srcversion", module->build, sizeof(module->build));
	for (size_t i = 0; i < ARRAY_SIZE(names); i++) {
		bool limit = strcmp(names[i], "lock") &&
			     strcmp(names[i], "shards") &&
			     strcmp(names[i], "mode");

		snprintf(path, sizeof(path), MODULE "/parameters/%s", names[i]);
		if (!read_word(path, value, sizeof(value)) ||
		    !add_parameter(module->parameters, names[i], value) ||
		    (limit && !add_parameter(module->limits, names[i], value)))
			return cli_error(cli, "%s: cannot be read", path);
	}
	if (!stat(cli->device, &node)) {
		module->node = true;
		module->mode = node.st_mode & 07777;
		module->uid = node.st_uid;
		module->gid = node.st_gid;
	}
	return CLI_DONE;
}

/*
 * Run modprobe with some arguments, and store what it prints in text, unless that
 * is NULL.  Returns its exit status, or a negative errno value.
 */
static int run_modprobe(const char *const words[], char *text, size_t size)
{
	char *const *argv = (char *const *)words;
	int fds[2] = { -1, -1 }, status;
	size_t len = 0;
	ssize_t more;
	pid_t pid;

	if (text && pipe(fds))
		return -errno;
	fflush(NULL);
	pid = fork();
	if (!pid) {
		/* A signal that ends this program early must not end modprobe. */
		signal(SIGINT, SIG_IGN);
		signal(SIGTERM, SIG_IGN);
		signal(SIGHUP, SIG_IGN);
		if (text)
			dup2(fds[1], STDOUT_FILENO);
		close(fds[0]);
		close(fds[1]);
		execvp(argv[0], argv);
		/* After su, its folder may be missing in PATH. */
		execv("/sbin/modprobe", argv);
		_exit(127);
	}
	if (text) {
		close(fds[1]);
		while (pid > 0 && len < size - 1 &&
		       (more = read(fds[0], text + len, size - 1 - len)) > 0)
			len += (size_t)more;
		text[len] = '\0';
		close(fds[0]);
	}
	if (pid < 0)
		return -errno;
	while (waitpid(pid, &status, 0) < 0)
		if (errno != EINTR)
			return -errno;
	return WIFEXITED(status) ? WEXITSTATUS(status) : -EINTR;
}

/*
 * Find the file that modprobe would load: the last "insmod FILE PARAMETER..." in
 * the output of --show-depends.
 */
static enum cli_status find_file(const struct cli *cli, char *path, size_t size)
{
	static const char *const words[] = {
		"modprobe", "--show-depends", "kmap", NULL,
	};
	char text[4096], *line = text, *last = NULL;
	int status = run_modprobe(words, text, sizeof(text));

	for (; status == 0 && line; line = strchr(line, '\n')) {
		line += *line == '\n';
		if (!strncmp(line, "insmod ", 7))
			last = line + 7;
	}
	if (!last)
		return cli_error(cli, "kmap is not installed; name its file with --module");
	last[strcspn(last, "\n ")] = '\0';
	snprintf(path, size, "%s", last);
	return CLI_DONE;
}

/* Find the srcversion of a module's file; "" if the file does not show one. */
static int build_of(const char *path, char *build, size_t size)
{
	static const char field[] = "srcversion=";
	int fd = open(path, O_RDONLY | O_CLOEXEC), ret = 0;
	const char *at, *file;
	struct stat st;

	*build = '\0';
	if (fd < 0 || fstat(fd, &st))
		ret = errno;
	else if (!S_ISREG(st.st_mode) || !st.st_size)
		ret = ENOEXEC;
	if (!ret) {
		file = mmap(NULL, (size_t)st.st_size, PROT_READ, MAP_PRIVATE,
			    fd, 0);
		if (file == MAP_FAILED) {
			ret = errno;
		} else {
			at = memmem(file, (size_t)st.st_size, field,
				    sizeof(field) - 1);
			if (at)
				snprintf(build, size, "%.*s",
					 (int)(file + st.st_size - at -
					       (ssize_t)sizeof(field) + 1),
					 at + sizeof(field) - 1);
			munmap((void *)file, (size_t)st.st_size);
		}
	}
	if (fd >= 0)
		close(fd);
	return -ret;
}

enum cli_status module_check(const struct cli *cli, const char *build)
{
	char path[4096], found[64];
	int ret;

	if (cli->args.module)
		snprintf(path, sizeof(path), "%s", cli->args.module);
	else if (find_file(cli, path, sizeof(path)))
		return CLI_ERROR;
	ret = build_of(path, found, sizeof(found));
	if (ret)
		return cli_error(cli, "%s: %s", path, strerror(-ret));
	/* A compressed file does not show its srcversion. */
	if (build && *build && *found && strcmp(build, found))
		return cli_error(cli, "%s: another kmap is loaded; name its file with --module",
				 path);
	return CLI_DONE;
}

static enum cli_status cannot_load(const struct cli *cli, const char *parameters,
				   const char *why)
{
	cli_error(cli, "cannot load kmap with \"%s\": %s", parameters, why);
	return cli_error(cli, "the kernel's log may say more");
}

static enum cli_status load_file(const struct cli *cli, const char *parameters)
{
	int fd = open(cli->args.module, O_RDONLY | O_CLOEXEC);
	int ret = 0;

	if (fd < 0)
		return cli_error(cli, "%s: %s", cli->args.module,
				 strerror(errno));
	if (syscall(SYS_finit_module, fd, parameters, 0))
		ret = errno;
	close(fd);
	if (ret)
		return cannot_load(cli, parameters, strerror(ret));
	return CLI_DONE;
}

static enum cli_status load_by_name(const struct cli *cli,
				    const char *parameters)
{
	const char *words[32] = { "modprobe", "kmap" };
	char text[ADVISE_TEXT_MAX];
	size_t count = 2;
	int status;

	snprintf(text, sizeof(text), "%s", parameters);
	for (char *word = strtok(text, " ");
	     word && count < ARRAY_SIZE(words) - 1; word = strtok(NULL, " "))
		words[count++] = word;
	status = run_modprobe(words, NULL, 0);
	if (status)
		return cannot_load(cli, parameters, status < 0 ?
				   strerror(-status) : "modprobe failed");
	return CLI_DONE;
}

enum cli_status module_load(const struct cli *cli, const char *parameters)
{
	if (cli->args.module)
		return load_file(cli, parameters);
	return load_by_name(cli, parameters);
}

enum cli_status module_unload(const struct cli *cli)
{
	if (!syscall(SYS_delete_module, "kmap", O_NONBLOCK))
		return CLI_DONE;
	if (errno == EAGAIN)
		return cli_error(cli, "somebody has the map open, so kmap cannot be unloaded");
	return cli_error(cli, "cannot unload kmap: %s", strerror(errno));
}

enum cli_status module_restore(const struct cli *cli,
			       const struct advise_module *module)
{
	enum cli_status status = module_load(cli, module->parameters);

	if (status)
		return cli_error(cli, "kmap is not loaded any more; it had: %s",
				 module->parameters);
	if (module->node &&
	    (chown(cli->device, module->uid, module->gid) ||
	     chmod(cli->device, module->mode)))
		return cli_error(cli, "%s: it had the owner %u:%u and mode %04o: %s",
				 cli->device, module->uid, module->gid,
				 module->mode, strerror(errno));
	return CLI_DONE;
}
