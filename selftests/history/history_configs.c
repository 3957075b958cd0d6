// SPDX-License-Identifier: GPL-2.0
/*
 * Sets of configurations: a growing array, and lists of those that could replace
 * each other.
 *
 * A configuration replaces another with the same value and the same answered
 * records when it can continue in all the ways in which the other can: it has used
 * no unanswered call that the other has not, and knows no more about the version.
 * Without that, every operation of a killed client would double the number of
 * configurations, whether its effect was seen or not.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "history_configs.h"

#define LISTS_MIN	64u

void history_configs_empty(struct history_configs *set)
{
	if (set->count && set->lists > LISTS_MIN) {
		/* It takes time to empty a large table, even one with few in it. */
		set->lists = LISTS_MIN;
		memset(set->list, 0, set->lists * sizeof(*set->list));
	} else if (set->count) {
		memset(set->list, 0, set->lists * sizeof(*set->list));
	}
	set->count = 0;
}

void history_configs_drop(struct history_configs *set)
{
	free(set->config);
	free(set->next);
	free(set->list);
	memset(set, 0, sizeof(*set));
}

static unsigned int *list_of(struct history_configs *set,
			     const struct history_config *c)
{
	__u64 hash = 0, word;
	unsigned int i;

	for (i = 0; i < HISTORY_WIDTH; i += sizeof(word)) {
		memcpy(&word, c->done + i, sizeof(word));
		hash = (hash ^ word) * 0xd6e8feb86659fd93ull;
		hash ^= hash >> 32;
	}
	hash = (hash ^ c->state.value.id) * 0x9e3779b97f4a7c15ull;
	hash ^= hash >> 32;
	hash = (hash ^ c->state.value.len ^ c->state.present) *
	       0xd6e8feb86659fd93ull;
	return &set->list[hash >> 32 & (set->lists - 1)];
}

static int grow(struct history_configs *set)
{
	unsigned int room = set->room ? 2 * set->room : LISTS_MIN;
	void *config, *next;

	config = realloc(set->config, room * sizeof(*set->config));
	if (!config)
		return -ENOMEM;
	set->config = config;
	next = realloc(set->next, room * sizeof(*set->next));
	if (!next)
		return -ENOMEM;
	set->next = next;
	set->room = room;
	return 0;
}

static int grow_lists(struct history_configs *set)
{
	unsigned int lists = set->lists ? 2 * set->lists : LISTS_MIN;
	unsigned int *list = calloc(lists, sizeof(*list));
	unsigned int i;

	if (!list)
		return -ENOMEM;
	free(set->list);
	set->list = list;
	set->lists = lists;
	for (i = 0; i < set->count; i++) {
		unsigned int *head = list_of(set, &set->config[i]);

		set->next[i] = *head;
		*head = i + 1;
	}
	return 0;
}

/* Has @a used no call that @b has not?  Batches must be used equally far. */
static bool uses_less(const struct history_configs *set,
		      const struct history_config *a,
		      const struct history_config *b)
{
	unsigned int i;

	for (i = 0; i < set->lost; i++) {
		if (a->used[i] > b->used[i] ||
		    (a->used[i] < b->used[i] && set->batch[i]))
			return false;
	}
	return true;
}

static bool stands_for(const struct history_configs *set,
		       const struct history_config *a,
		       const struct history_config *b)
{
	if (a->state.present != b->state.present ||
	    a->state.value.id != b->state.value.id ||
	    a->state.value.len != b->state.value.len ||
	    memcmp(a->done, b->done, sizeof(a->done)) || !uses_less(set, a, b))
		return false;
	if (!a->state.present || a->state.vague)
		return a->state.high <= b->state.high;
	return !b->state.vague && a->state.high == b->state.high;
}

int history_configs_add(struct history_configs *set,
			const struct history_config *config)
{
	unsigned int *head, i;

	if (set->count == set->room && grow(set))
		return -ENOMEM;
	if (set->count >= set->lists && grow_lists(set))
		return -ENOMEM;
	head = list_of(set, config);
	for (i = *head; i; i = set->next[i - 1]) {
		if (stands_for(set, &set->config[i - 1], config))
			return 0;
	}
	set->config[set->count] = *config;
	set->next[set->count] = *head;
	*head = ++set->count;
	return 0;
}

static bool same_state(const struct history_state *a,
		       const struct history_state *b)
{
	return a->present == b->present && a->vague == b->vague &&
	       a->value.len == b->value.len && a->value.id == b->value.id &&
	       a->high == b->high;
}

int history_configs_states(const struct history_configs *set,
			   struct history_state **states)
{
	struct history_state *copy = malloc((set->count + 1) * sizeof(*copy));
	unsigned int i, k, n = 0;

	if (!copy)
		return -ENOMEM;
	for (i = 0; i < set->count; i++) {
		for (k = 0; k < n; k++) {
			if (same_state(&copy[k], &set->config[i].state))
				break;
		}
		copy[k] = set->config[i].state;
		n += k == n;
	}
	free(*states);
	*states = copy;
	return n;
}
