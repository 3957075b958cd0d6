/* SPDX-License-Identifier: GPL-2.0-only */
/* Linked lists: with two ends, and with one. */
#ifndef SHIM_LIST_H
#define SHIM_LIST_H

#include <linux/compiler.h>

struct list_head {
	struct list_head *next;
	struct list_head *prev;
};

static inline void INIT_LIST_HEAD(struct list_head *list)
{
	list->next = list;
	list->prev = list;
}

static inline bool list_empty(const struct list_head *list)
{
	return list->next == list;
}

static inline void list_add_tail(struct list_head *node, struct list_head *list)
{
	node->next = list;
	node->prev = list->prev;
	node->prev->next = node;
	list->prev = node;
}

static inline void list_add(struct list_head *node, struct list_head *list)
{
	list_add_tail(node, list->next);
}

static inline void list_del(struct list_head *node)
{
	node->next->prev = node->prev;
	node->prev->next = node->next;
	node->next = NULL;
	node->prev = NULL;
}

static inline void list_del_init(struct list_head *node)
{
	list_del(node);
	node->next = node;
	node->prev = node;
}

static inline void list_move_tail(struct list_head *node,
				  struct list_head *list)
{
	list_del(node);
	list_add_tail(node, list);
}

#define LIST_HEAD(name)	struct list_head name = { &(name), &(name) }

#define list_entry(ptr, type, member) container_of(ptr, type, member)
#define list_first_entry_or_null(list, type, member) \
	(list_empty(list) ? NULL : list_entry((list)->next, type, member))
#define list_first_entry(list, type, member) \
	list_entry((list)->next, type, member)
#define list_last_entry(list, type, member) \
	list_entry((list)->prev, type, member)
#define list_for_each_entry(pos, list, member) \
	for (pos = list_entry((list)->next, __typeof__(*pos), member); \
	     &pos->member != (list); \
	     pos = list_entry(pos->member.next, __typeof__(*pos), member))
#define list_for_each_entry_safe(pos, n, list, member) \
	for (pos = list_entry((list)->next, __typeof__(*pos), member); \
	     &pos->member != (list) && \
	     ({ n = list_entry(pos->member.next, __typeof__(*pos), member); \
		1; }); \
	     pos = n)

struct hlist_node {
	struct hlist_node *next;
	struct hlist_node **at;		/* what points here */
};

struct hlist_head {
	struct hlist_node *first;
};

#define HLIST_HEAD(name)	struct hlist_head name = { NULL }

static inline bool hlist_empty(const struct hlist_head *list)
{
	return !list->first;
}

static inline void hlist_add_head(struct hlist_node *node,
				  struct hlist_head *list)
{
	node->next = list->first;
	node->at = &list->first;
	if (node->next)
		node->next->at = &node->next;
	list->first = node;
}

static inline void hlist_move_list(struct hlist_head *from, struct hlist_head *to)
{
	to->first = from->first;
	if (to->first)
		to->first->at = &to->first;
	from->first = NULL;
}

/* Poisons the node, so that a second hlist_del() crashes. */
static inline void hlist_del(struct hlist_node *node)
{
	*node->at = node->next;
	if (node->next)
		node->next->at = node->at;
	node->next = (void *)0xd1;
	node->at = (void *)0xd2;
}

static inline void hlist_del_init(struct hlist_node *node)
{
	if (!node->at)
		return;
	hlist_del(node);
	node->next = NULL;
	node->at = NULL;
}

static inline bool hlist_is_singular_node(struct hlist_node *node,
					  struct hlist_head *list)
{
	return list->first == node && !node->next;
}

#define hlist_entry(ptr, type, member) container_of(ptr, type, member)
#define hlist_entry_safe(ptr, type, member) \
	({ __typeof__(ptr) _p = (ptr); \
	   _p ? hlist_entry(_p, type, member) : NULL; })
#define hlist_for_each_entry(pos, list, member) \
	for (pos = hlist_entry_safe((list)->first, __typeof__(*pos), member); \
	     pos; \
	     pos = hlist_entry_safe(pos->member.next, __typeof__(*pos), \
				       member))

#endif /* SHIM_LIST_H */
