/* SPDX-License-Identifier: GPL-2.0 */
/* Sets of configurations, for the checker; see history_configs.c. */
#ifndef KMAP_HISTORY_CONFIGS_H
#define KMAP_HISTORY_CONFIGS_H

#include "history.h"

/*
 * Calls on one key that can be under way at once: of those that are answered in
 * the end, and of those that are not.
 */
#define HISTORY_WIDTH	32u

/**
 * struct history_config - how far an order has come
 * @state: what the key is after it
 * @done: of each answered call under way, how many records are in it
 * @used: the same for those that are never answered
 */
struct history_config {
	struct history_state state;
	__u8 done[HISTORY_WIDTH];
	__u8 used[HISTORY_WIDTH];
};

/**
 * struct history_configs - a set of configurations
 * @config: the configurations, in the order in which they came
 * @next: for each the next one of its list, plus 1, or 0
 * @count: how many
 * @room: for how many there is memory
 * @list: heads of the lists, index plus 1, or 0
 * @lists: how many, a power of two, or 0
 * @lost: calls that are never answered, so far
 * @batch: those of them that have several records
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
 * Adds a configuration, unless the set has one that can go on in every way in
 * which this one can.  Returns 0 or -ENOMEM.
 */
int history_configs_add(struct history_configs *set,
			const struct history_config *config);

/*
 * The states of all configurations, each once, in place of those at *@states,
 * which are freed.  Returns how many, or -ENOMEM.
 */
int history_configs_states(const struct history_configs *set,
			   struct history_state **states);

#endif /* KMAP_HISTORY_CONFIGS_H */
