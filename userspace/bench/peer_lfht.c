// SPDX-License-Identifier: MIT
/*
 * cds_lfht of liburcu: a lock-free hash table of one process, whose readers use
 * RCU in userspace (its default flavour, with membarrier).  From the start it has
 * at least one bucket per entry.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define RCU_MEMBARRIER
#define URCU_INLINE_SMALL_FUNCTIONS
#include <urcu.h>
#include <urcu/rculfhash.h>

#include "bench.h"
#include "hash.h"

/* Keys of one step of a walk. */
#define WALK_KEYS	256

struct item {
	struct cds_lfht_node	node;
	struct rcu_head		rcu;
	char			key[KEY_SIZE];
	char			value[VALUE_SIZE];
};

static struct cds_lfht *table;

static int lfht_open(uint64_t entries)
{
	unsigned long buckets = 1;

	while (buckets < entries)
		buckets *= 2;
	table = cds_lfht_new(buckets, buckets, 0, CDS_LFHT_AUTO_RESIZE |
			     CDS_LFHT_ACCOUNTING, NULL);
	return table ? 0 : -ENOMEM;
}

static void free_item(struct rcu_head *head)
{
	free(caa_container_of(head, struct item, rcu));
}

static void lfht_close(void)
{
	struct cds_lfht_iter iter;
	struct item *item;

	if (!table)
		return;
	rcu_register_thread();
	rcu_read_lock();
	cds_lfht_for_each_entry(table, &iter, item, node)
		if (!cds_lfht_del(table, &item->node))
			call_rcu(&item->rcu, free_item);
	rcu_read_unlock();
	rcu_barrier();
	cds_lfht_destroy(table, NULL);
	rcu_unregister_thread();
}

static void *lfht_join(void)
{
	rcu_register_thread();
	return &table;
}

static void lfht_leave(void *seat)
{
	(void)seat;
	rcu_unregister_thread();
}

static int match(struct cds_lfht_node *node, const void *key)
{
	return !memcmp(caa_container_of(node, struct item, node)->key, key,
		       KEY_SIZE);
}

/* The caller must hold rcu_read_lock(). */
static struct item *find(const char *key)
{
	struct cds_lfht_iter iter;
	struct cds_lfht_node *node;

	cds_lfht_lookup(table, hash_key(key), match, key, &iter);
	node = cds_lfht_iter_get_node(&iter);
	return node ? caa_container_of(node, struct item, node) : NULL;
}

static int lfht_get(void *seat, const char *key, char *value)
{
	struct item *item;

	(void)seat;
	rcu_read_lock();
	item = find(key);
	if (item)
		memcpy(value, item->value, VALUE_SIZE);
	rcu_read_unlock();
	return item ? 0 : -ENOENT;
}

static int lfht_set(void *seat, const char *key, const char *value)
{
	struct item *item = malloc(sizeof(*item));
	struct cds_lfht_node *old;

	(void)seat;
	if (!item)
		return -ENOMEM;
	memcpy(item->key, key, KEY_SIZE);
	memcpy(item->value, value, VALUE_SIZE);
	cds_lfht_node_init(&item->node);
	rcu_read_lock();
	old = cds_lfht_add_replace(table, hash_key(key), match, key,
				   &item->node);
	rcu_read_unlock();
	if (old)
		call_rcu(&caa_container_of(old, struct item, node)->rcu,
			 free_item);
	return 0;
}

static int lfht_delete(void *seat, const char *key)
{
	struct item *item;
	int ret = -ENOENT;

	(void)seat;
	rcu_read_lock();
	item = find(key);
	if (item)
		ret = cds_lfht_del(table, &item->node);
	rcu_read_unlock();
	if (!ret)
		call_rcu(&item->rcu, free_item);
	return ret;
}

const struct peer peer_lfht = {
	.name = "lfht",
	.what = "liburcu cds_lfht, one process",
	.open = lfht_open,
	.close = lfht_close,
	.join = lfht_join,
	.leave = lfht_leave,
	.get = lfht_get,
	.set = lfht_set,
	.delete = lfht_delete,
};
