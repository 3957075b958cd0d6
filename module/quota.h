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
bool shmap_quota_draw(struct shmap_quota *quota, unsigned int shard, u64 units);
void shmap_quota_return(struct shmap_quota *quota, unsigned int shard);

/**
 * shmap_quota_take - take units into use
 * @quota: the quota
 * @shard: who takes them
 * @units: how many
 *
 * Context: any, also under the shard's lock.
 * Return: true, or false when the limit does not allow it.
 */
static inline bool shmap_quota_take(struct shmap_quota *quota,
				    unsigned int shard, u64 units)
{
	atomic64_t *from = &quota->credit[shard].left;
	s64 left = atomic64_read(from);

	do {
		if (unlikely(left < (s64)units))
			return shmap_quota_draw(quota, shard, units);
	} while (!atomic64_try_cmpxchg(from, &left, left - (s64)units));
	return true;
}

/**
 * shmap_quota_give - give units back
 * @quota: the quota
 * @shard: who gives them
 * @units: how many
 *
 * Context: any, also under the shard's lock.
 */
static inline void shmap_quota_give(struct shmap_quota *quota,
				    unsigned int shard, u64 units)
{
	s64 left = atomic64_add_return(units, &quota->credit[shard].left);

	if (unlikely(left > 2 * (s64)quota->batch))
		shmap_quota_return(quota, shard);
}

#endif /* SHMAP_QUOTA_H */
