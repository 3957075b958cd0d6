/* SPDX-License-Identifier: GPL-2.0-only */
/* The limits that shards draw on; see quota.c. */
#ifndef SHMAP_QUOTA_H
#define SHMAP_QUOTA_H

#include <linux/atomic.h>
#include <linux/bits.h>
#include <linux/cache.h>
#include <linux/spinlock.h>
#include <linux/types.h>

/*
 * Entries and bytes are in one word, so that either both are taken or neither is: the
 * bytes in the lower bits, the entries above them, and above each a bit that is set when
 * a subtraction went below zero.
 */
#define SHMAP_QUOTA_ENTRY	BIT_ULL(40)
#define SHMAP_QUOTA_BELOW	(BIT_ULL(63) | BIT_ULL(39))

/**
 * struct shmap_credit - what one shard has drawn and not used yet
 * @left: entries and bytes in one word
 */
struct shmap_credit {
	atomic64_t	left;
} ____cacheline_aligned;

/**
 * struct shmap_units - entries and bytes
 * @entries: how many
 * @bytes: how many
 */
struct shmap_units {
	u64	entries;
	u64	bytes;
};

/**
 * struct shmap_quota - the limits shared by all shards
 * @left: what no shard has drawn
 * @ample: credits are kept again when more than this is left, of entries and of bytes
 * @batch: what a shard draws beyond its need, in one word
 * @keep: a shard gives back a credit that is larger than this, in one word; 0 while no
 *	shard keeps a credit
 * @scarce: no shard keeps a credit
 * @cursor: while @scarce: shards from this one on may still have an old credit
 * @shards: length of @credit
 * @credit: one credit per shard
 * @transfer: protects @left, @keep, @scarce and @cursor, and moving units between
 *	@left and the credits
 */
struct shmap_quota {
	struct shmap_units	left;
	struct shmap_units	ample;
	u64			batch;
	u64			keep;
	bool			scarce;
	unsigned int		cursor;
	unsigned int		shards;
	struct shmap_credit	*credit;
	raw_spinlock_t		transfer;	/* see above */
};

int shmap_quota_init(struct shmap_quota *quota, u64 entries, u64 bytes,
		     unsigned int shards);
void shmap_quota_exit(struct shmap_quota *quota);
int shmap_quota_draw(struct shmap_quota *quota, unsigned int shard, u64 units);
void shmap_quota_return(struct shmap_quota *quota, unsigned int shard);

/**
 * shmap_quota_take - take entries and bytes into use
 * @quota: the quota
 * @shard: the shard that takes them; its lock is held
 * @entries: how many entries, 0 or 1
 * @bytes: how many bytes, less than 2^32
 *
 * Context: any, also under the shard's lock.
 * Return: 0; -ENOSPC when a limit does not allow it; -EAGAIN when more credits must be
 * taken back than one call may: the caller drops the shard's lock and tries again.
 */
static inline int shmap_quota_take(struct shmap_quota *quota,
				   unsigned int shard, u64 entries, u64 bytes)
{
	atomic64_t *from = &quota->credit[shard].left;
	u64 units = entries * SHMAP_QUOTA_ENTRY + bytes;
	s64 left = atomic64_read(from);

	do {
		if (unlikely((left - units) & SHMAP_QUOTA_BELOW))
			return shmap_quota_draw(quota, shard, units);
	} while (!atomic64_try_cmpxchg(from, &left, left - units));
	return 0;
}

/**
 * shmap_quota_give - give entries and bytes back
 * @quota: the quota
 * @shard: the shard that gives them back; its lock is held
 * @entries: how many entries, less than 2^16
 * @bytes: how many bytes, less than 2^32
 *
 * Context: any, also under the shard's lock.
 */
static inline void shmap_quota_give(struct shmap_quota *quota,
				    unsigned int shard, u64 entries, u64 bytes)
{
	u64 units = entries * SHMAP_QUOTA_ENTRY + bytes;
	u64 left = atomic64_add_return(units, &quota->credit[shard].left);

	/* After the addition: pairs with recall_locked(). */
	if (unlikely((READ_ONCE(quota->keep) - left) & SHMAP_QUOTA_BELOW))
		shmap_quota_return(quota, shard);
}

#endif /* SHMAP_QUOTA_H */
