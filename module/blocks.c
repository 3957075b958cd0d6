// SPDX-License-Identifier: GPL-2.0-only
/*
 * Blocks of buckets that no shard uses: finding them, and seeing to it that nobody else
 * finds them any more.  The keeper then takes their mappings away and frees them.
 *
 * Home buckets.  The end of each shard says which it has.  First the keeper notes from
 * which number on they are to go, and locks each shard once: whoever splits a bucket from
 * then on sees the note, and withdraws it if it needs one of them (shmap_buckets_claim()).
 * So nobody waits, and nobody has a bucket that goes.  After a grace period no reader has
 * an old end either, and if the note still stands the directory forgets the blocks.
 *
 * Overflow buckets.  A block of which all are free is taken out of the set that shards
 * take from.  After a grace period no reader has an old link to it.
 *
 * A reader of the window may come to such a block until its mappings are taken away, and to
 * other memory or a hole in its place afterwards.  The seq of the home buckets is odd and
 * stays so, a new block begins with a seq that is not below any there was, and the marks of
 * overflow buckets are removed.  So the reader does not believe what it finds there.
 *
 * What the fault handler found, it holds a reference to until it has mapped it; after
 * another grace period it finds the block no more.
 */
#include <linux/rcupdate.h>
#include <linux/sched.h>

#include "blocks.h"
#include "shard.h"

/* The end of all shards' home buckets. */
static u32 home_used(const struct shmap_map *map)
{
	u32 end = 0;
	unsigned int i;

	for (i = 0; i < map->config.shards; i++)
		end = max(end, READ_ONCE(map->shard[i].table.desc->end));
	return round_up(end, SHMAP_BLOCK_BUCKETS);
}

/* Find home blocks from bucket @from on: their places in the directory, and how many. */
static unsigned int home_find(const struct shmap_buckets *buckets, u32 from,
			      u32 *number, unsigned int most)
{
	u32 i, end = buckets->home_end / SHMAP_BLOCK_BUCKETS;
	unsigned int n = 0;
	void **slot;

	for (i = from / SHMAP_BLOCK_BUCKETS; i < end && n < most; i++) {
		slot = shmap_dir_slot(&buckets->home, i);
		if (!slot)
			break;
		if (READ_ONCE(*slot))
			number[n++] = i;
	}
	return n;
}

/* Note that home buckets are to go.  Returns false when a shard has one of them. */
static bool home_note(struct shmap_map *map, u32 from)
{
	struct shmap_buckets *buckets = &map->buckets;
	unsigned int i;
	u32 end;

	raw_spin_lock(&buckets->lock);
	WRITE_ONCE(buckets->going, from);
	raw_spin_unlock(&buckets->lock);
	for (i = 0; i < map->config.shards; i++) {
		struct shmap_shard *shard = &map->shard[i];

		shmap_lock_write_enter(map->config.lock, &shard->lock);
		end = shard->table.desc->end;
		shmap_lock_write_leave(map->config.lock, &shard->lock);
		if (end > from) {
			shmap_buckets_stay(buckets);
			return false;
		}
		cond_resched();
	}
	return true;
}

/* The highest seq in a block. */
static u64 highest_seq(const struct kmap_bucket *block)
{
	unsigned int i;
	u64 seq = 0;

	for (i = 0; i < SHMAP_BLOCK_BUCKETS; i++)
		seq = max(seq, READ_ONCE(block[i].seq));
	return seq;
}

/* If they still are to go, let nobody find these home blocks any more. */
static void home_take(struct shmap_buckets *buckets, u32 from,
		      const u32 *number, unsigned int n)
{
	struct shmap_blocks *gone = &buckets->gone;
	unsigned int i;
	u64 seq = 0;

	for (i = 0; i < n; i++)
		seq = max(seq, highest_seq(shmap_dir_get(&buckets->home,
							 number[i])));
	raw_spin_lock(&buckets->lock);
	if (buckets->going == from) {
		/* It is odd, as these buckets are in no table. */
		buckets->seq = max(buckets->seq, seq);
		for (i = 0; i < n; i++) {
			gone->block[gone->n] = shmap_dir_get(&buckets->home,
							     number[i]);
			gone->at[gone->n++] = number[i] * SHMAP_BLOCK_BUCKETS;
			WRITE_ONCE(*shmap_dir_slot(&buckets->home, number[i]),
				   NULL);
		}
		/* Pairs with the acquire in shmap_buckets_claim(). */
		smp_store_release(&buckets->going, ~0u);
	}
	raw_spin_unlock(&buckets->lock);
}

/* Find blocks of overflow buckets that have been free for a while; adds to *@more. */
static unsigned int over_find(struct shmap_buckets *buckets,
			      struct shmap_over **found, unsigned int most,
			      bool *more)
{
	u32 number = READ_ONCE(buckets->over_n);
	struct shmap_over *over;
	unsigned int n = 0, i;

	while (number-- && n < most) {
		over = shmap_dir_get(&buckets->over, number);
		if (READ_ONCE(over->free_n) != SHMAP_BLOCK_BUCKETS)
			continue;
		*more = true;
		if (!shmap_buckets_leave(buckets, over))
			continue;
		for (i = 0; i < SHMAP_BLOCK_BUCKETS; i++)
			WRITE_ONCE(over->block[i].mark, 0);
		found[n++] = over;
		cond_resched();
	}
	return n;
}

/**
 * shmap_blocks_find - find blocks that no shard uses, and let nobody find them any more
 * @map: the map; buckets.gone is empty, and is filled in with some of them
 *
 * Blocks that were used when this was last called stay.
 *
 * Context: may sleep; the keeper.
 * Return: true when there may be more.
 */
bool shmap_blocks_find(struct shmap_map *map)
{
	struct shmap_buckets *buckets = &map->buckets;
	struct shmap_over *over[SHMAP_BLOCKS_GONE / 2];
	u32 number[SHMAP_BLOCKS_GONE / 2];
	u32 used = home_used(map), from = max(used, buckets->idle);
	unsigned int homes, overs, i;
	bool more;

	more = buckets->idle > used &&
	       home_find(buckets, used, number, 1);
	buckets->idle = used;
	homes = home_find(buckets, from, number, ARRAY_SIZE(number));
	if (homes && !home_note(map, from))
		homes = 0;
	overs = over_find(buckets, over, ARRAY_SIZE(over), &more);
	if (!homes && !overs)
		return more;
	synchronize_rcu();
	if (homes)
		home_take(buckets, from, number, homes);
	for (i = 0; i < overs; i++)
		shmap_buckets_bare(buckets, over[i]);
	synchronize_rcu();
	return true;
}
