/* SPDX-License-Identifier: GPL-2.0-only */
/* What a map is to be like, as somebody asks for it; see config.c. */
#ifndef SHMAP_CONFIG_H
#define SHMAP_CONFIG_H

#include <linux/sizes.h>

#include "map_types.h"

/* What could not be understood; outside of every range. */
#define SHMAP_CONFIG_BAD	U64_MAX

/* Permissions that a file can have. */
#define SHMAP_CONFIG_MODE_MAX	0777u

/* Longest message of shmap_config_check(), and the zero behind it. */
#define SHMAP_CONFIG_MESSAGE	96

/**
 * struct shmap_wish - what somebody asks for, not checked
 * @lock: name of the lock mode
 * @shards: number of shards, or 0 for the default
 * @max_entries: most entries, or 0 for the default
 * @max_bytes: most bytes of entries, or 0 for the default
 * @max_key: longest key
 * @max_value: longest value
 * @mode: permissions of the file
 * @wipe: 1 to wipe what was removed, or 0
 *
 * A number that could not be understood is SHMAP_CONFIG_BAD.
 */
struct shmap_wish {
	char	*lock;
	u64	shards;
	u64	max_entries;
	u64	max_bytes;
	u64	max_key;
	u64	max_value;
	u64	mode;
	u64	wipe;
};

/* What is asked for when nothing is. */
#define SHMAP_WISH_DEFAULT {		\
	.lock		= "rcu",	\
	.max_key	= KMAP_KEY_MAX,	\
	.max_value	= SZ_64K,	\
	.mode		= 0600,		\
}

u64 shmap_config_number(const char *text);
u64 shmap_config_mode(const char *text);
u64 shmap_config_flag(const char *text);
int shmap_config_check(struct shmap_wish *wish, struct shmap_config *config,
		       char message[SHMAP_CONFIG_MESSAGE]);

#endif /* SHMAP_CONFIG_H */
