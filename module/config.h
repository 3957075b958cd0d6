/* SPDX-License-Identifier: GPL-2.0-only */
/* The configuration that is asked for when a map is made; see config.c. */
#ifndef SHMAP_CONFIG_H
#define SHMAP_CONFIG_H

#include <linux/sizes.h>

#include "map_types.h"

/* Stands for a value that could not be parsed; outside of every valid range. */
#define SHMAP_CONFIG_BAD	U64_MAX

/* All permissions that a file can have. */
#define SHMAP_CONFIG_MODE_MAX	0777u

/* Size of the message of shmap_config_check(), with its terminating zero. */
#define SHMAP_CONFIG_MESSAGE	96

/**
 * struct shmap_wish - the configuration that is asked for, not checked
 * @lock: name of the lock mode
 * @shards: number of shards, or 0 for the default
 * @max_entries: maximum number of entries, or 0 for the default
 * @max_bytes: maximum bytes of entries, or 0 for the default
 * @max_key: maximum length of a key
 * @max_value: maximum length of a value
 * @mode: permissions of the file
 * @wipe: 1 to wipe removed entries, or 0
 *
 * A number that could not be parsed is SHMAP_CONFIG_BAD.
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

/* What is asked for by default. */
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
