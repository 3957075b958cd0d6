/* SPDX-License-Identifier: MIT */
/*
 * The subcommand advise: what its parts share.
 *
 * advise.c takes the options and goes through the steps, advise_module.c loads
 * and unloads the module, and advise_report.c chooses and prints.  bench_run.c
 * measures, as for the subcommand bench.
 */
#ifndef KMAP_CLI_ADVISE_H
#define KMAP_CLI_ADVISE_H

#include "bench.h"

/* Most candidates: lock modes times numbers of shards. */
#define ADVISE_LOADS_MAX	48

/* Room for the parameters of a module. */
#define ADVISE_TEXT_MAX		1024

/* Gets use the window or system calls. */
enum advise_way { ADVISE_WINDOW, ADVISE_CALLS, ADVISE_WAYS };

/* What was measured of one way of one load. */
struct advise_rate {
	bool		measured;
	double		best;		/* operations per second; 0: none was completed */
	double		next;		/* of the second best round */
	uint64_t	p99;		/* ns, in the round where it was lowest */
};

/* One way to load the module. */
struct advise_load {
	char			lock[16];
	uint64_t		shards;		/* 0: the default */
	uint32_t		real_shards;
	struct advise_rate	rates[ADVISE_WAYS];
};

/* What is to be measured, and what was. */
struct advise {
	struct bench_plan	plan;
	unsigned int		rounds;
	bool			ways[ADVISE_WAYS];	/* to be tried */
	bool			loads;		/* candidates; else measures the loaded module */
	bool			was_loaded;
	char			extra[ADVISE_TEXT_MAX];	/* the user's parameters */
	size_t			count;
	struct advise_load	load[ADVISE_LOADS_MAX];
};

/* ---- advise_module.c ---- */

/* A module that is loaded: what is needed to load it in the same way again. */
struct advise_module {
	char	parameters[ADVISE_TEXT_MAX];
	char	limits[ADVISE_TEXT_MAX];	/* without lock, shards and mode */
	char	build[64];			/* its srcversion, or "" */
	bool	node;				/* mode, uid and gid are known */
	unsigned int	mode;
	unsigned int	uid;
	unsigned int	gid;
};

bool module_is_loaded(void);

/* Look at the module that is loaded. */
enum cli_status module_look(const struct cli *cli, struct advise_module *module);

/*
 * Is there a module that can be loaded, and, unless build is NULL or "", is it
 * this build?  Prints a message if not.
 */
enum cli_status module_check(const struct cli *cli, const char *build);

/* Load the module with these parameters, from the file of --module or by modprobe. */
enum cli_status module_load(const struct cli *cli, const char *parameters);

/* Unload the module; fails with a message when somebody uses it. */
enum cli_status module_unload(const struct cli *cli);

/* Load the module as it was, and restore the node's owner and permissions. */
enum cli_status module_restore(const struct cli *cli,
			       const struct advise_module *module);

/* ---- advise_report.c ---- */

/* Print what was measured and what follows from it. */
enum cli_status advise_report(const struct cli *cli,
			      const struct advise *advise);

#endif /* KMAP_CLI_ADVISE_H */
