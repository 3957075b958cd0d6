/* SPDX-License-Identifier: GPL-2.0-only */
/* Shrinkers, whose functions a test calls; see ../shrinker.c. */
#ifndef SHIM_SHRINKER_H
#define SHIM_SHRINKER_H

#include <linux/types.h>

#define DEFAULT_SEEKS	2
#define SHRINK_STOP	(~0ul)

struct shrink_control {
	unsigned long		nr_to_scan;
};

struct shrinker {
	unsigned long		(*count_objects)(struct shrinker *shrinker,
						 struct shrink_control *sc);
	unsigned long		(*scan_objects)(struct shrinker *shrinker,
						struct shrink_control *sc);
	int			seeks;
	void			*private_data;
};

struct shrinker *shrinker_alloc(unsigned int flags, const char *name);
void shrinker_register(struct shrinker *shrinker);
void shrinker_free(struct shrinker *shrinker);

#endif /* SHIM_SHRINKER_H */
