/* SPDX-License-Identifier: GPL-2.0-only */
/* Sorted trees; here nobody balances them. */
#ifndef SHIM_RBTREE_H
#define SHIM_RBTREE_H

#include <linux/compiler.h>

struct rb_node {
	struct rb_node *parent;
	struct rb_node *rb_left;
	struct rb_node *rb_right;
};

struct rb_root {
	struct rb_node *rb_node;
};

#define RB_ROOT			((struct rb_root){ NULL })
#define RB_EMPTY_ROOT(root)	(!(root)->rb_node)
#define rb_entry(ptr, type, member)	container_of(ptr, type, member)

static inline void rb_link_node(struct rb_node *node, struct rb_node *parent,
				struct rb_node **link)
{
	node->parent = parent;
	node->rb_left = NULL;
	node->rb_right = NULL;
	*link = node;
}

static inline void rb_insert_color(struct rb_node *node, struct rb_root *root)
{
}

static inline struct rb_node *shim_rb_leftmost(struct rb_node *node)
{
	while (node && node->rb_left)
		node = node->rb_left;
	return node;
}

static inline struct rb_node *rb_first(const struct rb_root *root)
{
	return shim_rb_leftmost(root->rb_node);
}

static inline struct rb_node *rb_next(const struct rb_node *node)
{
	const struct rb_node *from;

	if (node->rb_right)
		return shim_rb_leftmost(node->rb_right);
	do {
		from = node;
		node = node->parent;
	} while (node && node->rb_right == from);
	return (struct rb_node *)node;
}

/* What leads to a node is to lead to another, or nowhere. */
static inline void shim_rb_replace(struct rb_root *root, struct rb_node *node,
				   struct rb_node *other)
{
	if (!node->parent)
		root->rb_node = other;
	else if (node->parent->rb_left == node)
		node->parent->rb_left = other;
	else
		node->parent->rb_right = other;
	if (other)
		other->parent = node->parent;
}

static inline void rb_erase(struct rb_node *node, struct rb_root *root)
{
	struct rb_node *next;

	if (!node->rb_left || !node->rb_right) {
		shim_rb_replace(root, node, node->rb_left ?: node->rb_right);
		return;
	}
	next = shim_rb_leftmost(node->rb_right);
	if (next->parent != node) {
		shim_rb_replace(root, next, next->rb_right);
		next->rb_right = node->rb_right;
		next->rb_right->parent = next;
	}
	shim_rb_replace(root, node, next);
	next->rb_left = node->rb_left;
	next->rb_left->parent = next;
}

static inline struct rb_node *
rb_find(const void *key, const struct rb_root *root,
	int (*compare)(const void *key, const struct rb_node *node))
{
	struct rb_node *node = root->rb_node;
	int order;

	while (node) {
		order = compare(key, node);
		if (!order)
			break;
		node = order < 0 ? node->rb_left : node->rb_right;
	}
	return node;
}

static inline struct rb_node *
rb_find_add(struct rb_node *node, struct rb_root *root,
	    int (*compare)(struct rb_node *node, const struct rb_node *other))
{
	struct rb_node **link = &root->rb_node, *parent = NULL;
	int order;

	while (*link) {
		parent = *link;
		order = compare(node, parent);
		if (!order)
			return parent;
		link = order < 0 ? &parent->rb_left : &parent->rb_right;
	}
	rb_link_node(node, parent, link);
	rb_insert_color(node, root);
	return NULL;
}

#endif /* SHIM_RBTREE_H */
