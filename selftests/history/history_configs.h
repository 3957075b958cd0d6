/* SPDX-License-Identifier: GPL-2.0 */
/* Sets of configurations, for the checker; see history_configs.c. */
#ifndef KMAP_HISTORY_CONFIGS_H
#define KMAP_HISTORY_CONFIGS_H

#include "history.h"

/*
 * Most calls on one key that can be under way at once, of those that will be
 * answered, and of those that will not.
 */
#define HISTORY_WIDTH	32u

/**
 * struct history_config - a beginning of an order
 * @state: state of the key after it
 * @done: for each answered call under way, how many of its records are in the order
 * @used: the same for calls that are never answered
 */
struct history_config {
	struct history_state state;
	__u8 done[HISTORY_WIDTH];
	__u8 used[HISTORY_WIDTH];
};

/**
 * struct history_configs - a set of configurations
 * @config: the configurations, in the order in which they were added
 * @next: for each the index of the next one in its list, plus 1, or 0
 * @count: number of configurations
 * @room: how many fit into the memory
 * @list: heads of the lists, index plus 1, or 0
 * @lists: number of lists, a power of two, or 0
 * @lost: slots of calls that are never answered, so far
 * @batch: which of these calls have several records
 */
struct history_configs {
	struct history_config *config;
	unsigned int *next;
	unsigned int count;
	unsigned int room;
	unsigned int *list;
	unsigned int lists;
	unsigned int lost;
	bool batch[HISTORY_WIDTH];
};

/* All zero is an empty set.  Emptying keeps the memory, dropping does not. */
void history_configs_empty(struct history_configs *set);
void history_configs_drop(struct history_configs *set);

/*
 * Adds a configuration, unless the set has one that can continue in all the ways in
 * which this one can.  Returns 0 or -ENOMEM.
 */
int history_configs_add(struct history_configs *set,
			const struct history_config *config);

/*
 * Frees *@states, and replaces it by the states of all configurations, each once.
 * Returns their number, or -ENOMEM.
 */
int history_configs_states(const struct history_configs *set,
			   struct history_state **states);

#endif /* KMAP_HISTORY_CONFIGS_H */
