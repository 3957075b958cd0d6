// SPDX-License-Identifier: MIT
/*
 * kmap: use the shared map from the shell.  See kmap(1).
 */
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cli.h"

#ifndef KMAP_VERSION
#define KMAP_VERSION	"(unversioned build)"
#endif

static const struct cli_command *const commands[] = {
	&cli_command_get,
	&cli_command_set,
	&cli_command_del,
	&cli_command_add,
	&cli_command_keys,
	&cli_command_dump,
	&cli_command_load,
	&cli_command_info,
	&cli_command_clear,
	&cli_command_bench,
	&cli_command_advise,
};

static const struct cli_option global_options[] = {
	CLI_OPT_DEVICE,
	CLI_OPT_HELP,
	{ "version", 'V', NULL, OPT_FLAG, CLI_FIELD(version), 0,
	  "print the version of this program" },
	CLI_OPT_END
};

static const char exit_statuses[] =
	"\nExit status: 0 done, 1 key absent or condition not met, 2 usage or system error.\n";

static void print_help(void)
{
	puts("Usage: kmap [-d PATH] COMMAND [OPTION]... [OPERAND]...\n"
	     "Use the map that the kernel keeps for many processes.\n"
	     "\nCommands:");
	for (size_t i = 0; i < ARRAY_SIZE(commands); i++)
		printf("  %-8s%s\n", commands[i]->name, commands[i]->summary);
	cli_print_options(stdout, global_options);
	fputs("\n\"kmap COMMAND --help\" and kmap(1) tell more.\n", stdout);
	fputs(exit_statuses, stdout);
}

static void print_command_help(const struct cli_command *command)
{
	printf("Usage: kmap %s [OPTION]...%s%s\n%s.\n", command->name,
	       *command->operands ? " " : "", command->operands,
	       command->summary);
	if (*command->details)
		printf("\n%s", command->details);
	cli_print_options(stdout, command->options);
	fputs(exit_statuses, stdout);
}

static const struct cli_command *find_command(const char *name)
{
	for (size_t i = 0; i < ARRAY_SIZE(commands); i++)
		if (!strcmp(name, commands[i]->name))
			return commands[i];
	return NULL;
}

/* "kmap help [COMMAND]", for people who try that instead of --help. */
static enum cli_status help(struct cli *cli)
{
	const struct cli_command *command;

	if (cli->argc < 2) {
		print_help();
		return CLI_DONE;
	}
	command = find_command(cli->argv[1]);
	if (!command)
		return cli_usage(cli, "unknown command \"%s\"", cli->argv[1]);
	print_command_help(command);
	return CLI_DONE;
}

static enum cli_status run_command(struct cli *cli)
{
	const struct cli_command *command = cli->command;
	enum cli_status status = cli_parse(cli, command->options, cli->argc,
					   cli->argv);

	if (status)
		return status;
	if (cli->args.help) {
		print_command_help(command);
		return CLI_DONE;
	}
	if (cli->argc > command->max && cli->argv[command->max][0] == '-')
		return cli_usage(cli, "unexpected operand \"%s\"; options go before operands",
				 cli->argv[command->max]);
	if (cli->argc > command->max)
		return cli_usage(cli, "unexpected operand \"%s\"",
				 cli->argv[command->max]);
	if (cli->argc < command->min)
		return cli_usage(cli, "operand missing; usage: kmap %s [OPTION]... %s",
				 command->name, command->operands);
	return command->run(cli);
}

static enum cli_status run(struct cli *cli, int argc, char **argv)
{
	enum cli_status status = cli_parse(cli, global_options, argc, argv);

	if (status)
		return status;
	if (cli->args.help) {
		print_help();
		return CLI_DONE;
	}
	if (cli->args.version) {
		puts("kmap " KMAP_VERSION);
		return CLI_DONE;
	}
	if (!cli->argc)
		return cli_usage(cli, "no command given");
	if (!strcmp(cli->argv[0], "help"))
		return help(cli);
	cli->command = find_command(cli->argv[0]);
	if (!cli->command)
		return cli_usage(cli, "unknown command \"%s\"", cli->argv[0]);
	return run_command(cli);
}

/*
 * The shell can start a program with descriptor 0, 1 or 2 closed.  The device
 * must not get such a number: values would be read from it, or messages written
 * to it.  So open /dev/null there, in a mode in which these fail.
 */
static void fill_standard_descriptors(void)
{
	static const int modes[] = { O_WRONLY, O_RDONLY, O_RDONLY };

	for (int fd = 0; fd < 3; fd++)
		if (fcntl(fd, F_GETFD) == -1 &&
		    open("/dev/null", modes[fd]) != fd)
			exit(CLI_ERROR);
}

int main(int argc, char **argv)
{
	struct cli cli = { .device = KMAP_DEVICE };

	fill_standard_descriptors();
	return cli_finish(&cli, run(&cli, argc, argv));
}
