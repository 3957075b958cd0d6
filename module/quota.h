/* SPDX-License-Identifier: GPL-2.0-only */
/* A limit that shards draw on; see quota.c. */
#ifndef SHMAP_QUOTA_H
#define SHMAP_QUOTA_H

#include <linux/atomic.h>
#include <linux/cache.h>
#include <linux/spinlock.h>
#include <linux/types.h>

/**
 * struct shmap_credit - what one shard has drawn and not used
 * @left: units
 */
struct shmap_credit {
	atomic64_t	left;
} ____cacheline_aligned;

/**
 * struct shmap_quota - a limit shared by all shards
 * @left: units that no shard has drawn
 * @batch: units that a shard draws beyond its need
 * @shards: length of @credit
 * @credit: one a shard
 * @transfer: protects @left, and moving units between it and the credits
 */
struct shmap_quota {
	u64			left;
	u64			batch;
	unsigned int		shards;
	struct shmap_credit	*credit;
	spinlock_t		transfer;	/* see above */
};

int shmap_quota_init(struct shmap_quota *quota, u64 limit, u64 batch,
		     unsigned int shards);
void shmap_quota_exit(struct shmap_quota *quota);
bool shmap_quota_take(struct shmap_quota *quota, unsigned int shard, u64 units);
void shmap_quota_give(struct shmap_quota *quota, unsigned int shard, u64 units);

#endif /* SHMAP_QUOTA_H */
