// SPDX-License-Identifier: GPL-2.0-only
/*
 * The limits (entries, bytes), which the shards share without sharing a cache line.
 * Entries and bytes are called units here.
 *
 * Each shard draws a little more than it needs and uses up that credit first.  When
 * too little is left for that, units are scarce: no shard keeps a credit any more, what
 * is given back goes to quota->left at once, and the credits that shards still have are
 * taken back one after the other, as far as units are needed.  When all credits have
 * been taken back, quota->left is all that is free.  So a take that fails then only
 * looks at quota->left, however many shards there are.
 *
 * The limits are exact: a take fails only when what is in use and what is asked
 * for exceed a limit.  What a removal gives back can be taken when the removal
 * returns, if not before.  The sum of quota->left, all credits and what is in use
 * is the limit whenever quota->transfer is not held.
 *
 * No call takes back more than STEPS credits.  Each credit is taken back at most once
 * until ample units are left again.  That takes at least one entry and 1 KiB per shard
 * to be given back, over which the cost is spread.
 *
 * Lock order: a shard's lock, then quota->transfer, under which no lock is taken.
 */
#include <linux/err.h>
#include <linux/minmax.h>
#include <linux/sizes.h>
#include <linux/slab.h>

#include "quota.h"

/* Most credits that are taken back in one call, under quota->transfer. */
#define STEPS		32u

/* Most that a shard draws ahead. */
#define ENTRIES_BATCH	64ull
#define BYTES_BATCH	65536ull

static u64 entries_of(u64 units)
{
	return units / SHMAP_QUOTA_ENTRY;
}

static u64 bytes_of(u64 units)
{
	return units % SHMAP_QUOTA_ENTRY;
}

/* Move a shard's credit to quota->left. */
static void collect_locked(struct shmap_quota *quota, unsigned int shard)
{
	u64 units;

	lockdep_assert_held(&quota->transfer);
	units = atomic64_xchg(&quota->credit[shard].left, 0);
	quota->left.entries += entries_of(units);
	quota->left.bytes += bytes_of(units);
}

/* Take units from quota->left, if it has enough. */
static bool grab_locked(struct shmap_quota *quota, u64 units)
{
	struct shmap_units *left = &quota->left;

	lockdep_assert_held(&quota->transfer);
	if (left->entries < entries_of(units) || left->bytes < bytes_of(units))
		return false;
	left->entries -= entries_of(units);
	left->bytes -= bytes_of(units);
	return true;
}

/* Take units from quota->left, and take credits back until it has enough. */
static int recall_locked(struct shmap_quota *quota, u64 units)
{
	unsigned int step;

	lockdep_assert_held(&quota->transfer);
	if (!quota->scarce) {
		quota->scarce = true;
		quota->cursor = 0;
		/*
		 * Before any credit is taken back: pairs with shmap_quota_give(), which
		 * sees this, or whose addition is seen when the credit is taken back.
		 */
		WRITE_ONCE(quota->keep, 0);
	}
	for (step = 0; !grab_locked(quota, units); step++) {
		if (quota->cursor == quota->shards)
			return -ENOSPC;
		if (step == STEPS)
			return -EAGAIN;
		collect_locked(quota, quota->cursor++);
	}
	return 0;
}

/* Let shards keep credits, if ample units are left. */
static void relax_locked(struct shmap_quota *quota)
{
	lockdep_assert_held(&quota->transfer);
	if (quota->left.entries <= quota->ample.entries ||
	    quota->left.bytes <= quota->ample.bytes)
		return;
	quota->scarce = false;
	WRITE_ONCE(quota->keep, 2 * quota->batch);
}

/**
 * shmap_quota_init - make a quota
 * @quota: to be made, zeroed
 * @entries: limit of entries
 * @bytes: limit of bytes
 * @shards: number of shards
 *
 * Context: may sleep.
 * Return: 0 or -ENOMEM.
 */
int shmap_quota_init(struct shmap_quota *quota, u64 entries, u64 bytes,
		     unsigned int shards)
{
	u64 part = 16ull * shards;

	quota->credit = kcalloc(shards, sizeof(*quota->credit),
				GFP_KERNEL_ACCOUNT);
	if (!quota->credit)
		return -ENOMEM;
	quota->left.entries = entries;
	quota->left.bytes = bytes;
	quota->ample.entries = max(entries / 16, (u64)shards);
	quota->ample.bytes = max(bytes / 16, (u64)shards * SZ_1K);
	quota->batch = min(ENTRIES_BATCH, entries / part) * SHMAP_QUOTA_ENTRY +
		       min(BYTES_BATCH, bytes / part);
	quota->shards = shards;
	raw_spin_lock_init(&quota->transfer);
	/* No shard has a credit yet. */
	quota->scarce = true;
	quota->cursor = shards;
	raw_spin_lock(&quota->transfer);
	relax_locked(quota);
	raw_spin_unlock(&quota->transfer);
	return 0;
}

/**
 * shmap_quota_exit - free what shmap_quota_init() allocated
 * @quota: the quota
 *
 * Context: may sleep.
 */
void shmap_quota_exit(struct shmap_quota *quota)
{
	kfree(quota->credit);
}

/**
 * shmap_quota_draw - take units into use when the shard's credit is too small
 * @quota: the quota
 * @shard: the shard that takes them; its lock is held
 * @units: entries and bytes in one word
 *
 * Context: any, also under the shard's lock.
 * Return: as shmap_quota_take().
 */
int shmap_quota_draw(struct shmap_quota *quota, unsigned int shard, u64 units)
{
	int ret = 0;

	raw_spin_lock(&quota->transfer);
	collect_locked(quota, shard);
	if (!quota->scarce && grab_locked(quota, units + quota->batch))
		atomic64_add(quota->batch, &quota->credit[shard].left);
	else
		ret = recall_locked(quota, units);
	raw_spin_unlock(&quota->transfer);
	return ret;
}

/**
 * shmap_quota_return - give back a credit that is larger than a shard may keep
 * @quota: the quota
 * @shard: the shard that has the credit; its lock is held
 *
 * Context: any, also under the shard's lock.
 */
void shmap_quota_return(struct shmap_quota *quota, unsigned int shard)
{
	raw_spin_lock(&quota->transfer);
	collect_locked(quota, shard);
	if (quota->scarce)
		relax_locked(quota);
	raw_spin_unlock(&quota->transfer);
}
