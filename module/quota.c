// SPDX-License-Identifier: GPL-2.0-only
/*
 * A limit (entries, bytes) that the shards share without sharing a cache line.
 *
 * Each shard draws a little more than it needs and lives on that credit.  When
 * nothing is left to draw, the credits of all shards are taken back, so that
 * the limit is exact: a take fails only when the units in use and the units
 * asked for exceed the limit.  The sum of quota->left, all credits and what is in
 * use is the limit whenever quota->transfer is not held.
 *
 * Lock order: a shard's lock, then quota->transfer.  Nothing is taken under it.
 */
#include <linux/minmax.h>
#include <linux/slab.h>

#include "quota.h"

/* Take from what no shard has drawn, with a batch for later if there is one. */
static bool draw_locked(struct shmap_quota *quota, struct shmap_credit *credit,
			u64 units)
{
	lockdep_assert_held(&quota->transfer);
	if (quota->left < units + quota->batch)
		return false;
	quota->left -= units + quota->batch;
	atomic64_add(quota->batch, &credit->left);
	return true;
}

/* Take the credits of all shards back first. */
static bool recall_locked(struct shmap_quota *quota, u64 units)
{
	unsigned int i;

	lockdep_assert_held(&quota->transfer);
	for (i = 0; i < quota->shards; i++)
		quota->left += atomic64_xchg(&quota->credit[i].left, 0);
	if (quota->left < units)
		return false;
	quota->left -= units;
	return true;
}

/**
 * shmap_quota_init - make a quota
 * @quota: to be made
 * @limit: units in all
 * @batch: units a shard may draw in advance; cut down where the limit is small
 * @shards: number of shards
 *
 * Context: may sleep.
 * Return: 0 or -ENOMEM.
 */
int shmap_quota_init(struct shmap_quota *quota, u64 limit, u64 batch,
		     unsigned int shards)
{
	quota->credit = kcalloc(shards, sizeof(*quota->credit),
				GFP_KERNEL_ACCOUNT);
	if (!quota->credit)
		return -ENOMEM;
	quota->left = limit;
	quota->batch = min(batch, limit / (16 * shards));
	quota->shards = shards;
	spin_lock_init(&quota->transfer);
	return 0;
}

/**
 * shmap_quota_exit - free what shmap_quota_init() made
 * @quota: the quota
 *
 * Context: may sleep.
 */
void shmap_quota_exit(struct shmap_quota *quota)
{
	kfree(quota->credit);
}

/**
 * shmap_quota_draw - take units into use, where the shard's credit is too small
 * @quota: the quota
 * @shard: who takes them
 * @units: how many
 *
 * Context: any, also under the shard's lock.
 * Return: true, or false when the limit does not allow it.
 */
bool shmap_quota_draw(struct shmap_quota *quota, unsigned int shard, u64 units)
{
	bool taken;

	spin_lock(&quota->transfer);
	taken = draw_locked(quota, &quota->credit[shard], units) ||
		recall_locked(quota, units);
	spin_unlock(&quota->transfer);
	return taken;
}

/**
 * shmap_quota_return - give a credit back that has become too large
 * @quota: the quota
 * @shard: whose
 *
 * Context: any, also under the shard's lock.
 */
void shmap_quota_return(struct shmap_quota *quota, unsigned int shard)
{
	spin_lock(&quota->transfer);
	quota->left += atomic64_xchg(&quota->credit[shard].left, 0);
	spin_unlock(&quota->transfer);
}
