/* SPDX-License-Identifier: MIT */
/*
 * The subcommand advise: what its parts share.
 *
 * advise.c takes the options and goes through the steps, advise_module.c loads
 * and unloads the module, and advise_report.c chooses and prints.  What is
 * measured, bench_run.c does, as for the subcommand bench.
 */
#ifndef KMAP_CLI_ADVISE_H
#define KMAP_CLI_ADVISE_H

#include "bench.h"

/* Locks times numbers of shards. */
#define ADVISE_LOADS_MAX	48

/* Room for the parameters of a module. */
#define ADVISE_TEXT_MAX		1024

/* Gets come through the window or as system calls. */
enum advise_way { ADVISE_WINDOW, ADVISE_CALLS, ADVISE_WAYS };

/* What one way of one load has shown. */
struct advise_rate {
	bool		measured;
	double		best;		/* operations per second; 0: none came to an end */
	double		next;		/* of another round */
	uint64_t	p99;		/* ns, where it was lowest */
};

/* One way to load the module. */
struct advise_load {
	char			lock[16];
	uint64_t		shards;		/* 0: as many as by default */
	uint32_t		real_shards;
	struct advise_rate	rates[ADVISE_WAYS];
};

/* What there is to do. */
struct advise {
	struct bench_plan	plan;
	unsigned int		rounds;
	bool			ways[ADVISE_WAYS];	/* to be tried */
	bool			loads;		/* the module, or takes it as it is */
	bool			was_loaded;
	char			extra[ADVISE_TEXT_MAX];	/* parameters of the user's */
	size_t			count;
	struct advise_load	load[ADVISE_LOADS_MAX];
};

/* ---- advise_module.c ---- */

/* A module that is loaded: how to load it like that again. */
struct advise_module {
	char	parameters[ADVISE_TEXT_MAX];
	char	limits[ADVISE_TEXT_MAX];	/* without lock, shards and mode */
	char	build[64];			/* its srcversion, or "" */
	bool	node;				/* these are known */
	unsigned int	mode;
	unsigned int	uid;
	unsigned int	gid;
};

bool module_is_loaded(void);

/* Look at the module that is loaded. */
enum cli_status module_look(const struct cli *cli, struct advise_module *module);

/*
 * Is there a module that can be loaded, and, unless build is NULL or "", is it
 * this one?  Says so when not.
 */
enum cli_status module_check(const struct cli *cli, const char *build);

/* Load it with these parameters, with --module from a file, else by modprobe. */
enum cli_status module_load(const struct cli *cli, const char *parameters);

/* Unload it; fails, saying so, when somebody uses it. */
enum cli_status module_unload(const struct cli *cli);

/* Load it as it was, with the node's owner and permissions. */
enum cli_status module_restore(const struct cli *cli,
			       const struct advise_module *module);

/* ---- advise_report.c ---- */

/* Print what was measured and what follows from it. */
enum cli_status advise_report(const struct cli *cli,
			      const struct advise *advise);

#endif /* KMAP_CLI_ADVISE_H */
