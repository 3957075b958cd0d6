/* SPDX-License-Identifier: GPL-2.0-only */
/* The memory of all buckets of a map; see buckets.c. */
#ifndef SHMAP_BUCKETS_H
#define SHMAP_BUCKETS_H

#include <linux/bitops.h>
#include <linux/compiler.h>
#include <linux/kmap.h>
#include <linux/mm.h>
#include <linux/rbtree.h>
#include <linux/spinlock.h>
#include <linux/types.h>

#include "mem.h"

/*
 * Memory for buckets is allocated in blocks of 2^SHMAP_BLOCK_ORDER pages.  Not in single
 * pages: a task that allocates many of these waits now and then until the kernel has moved
 * some thousands of them to its list for the CPU (nr_pcp_alloc(), since Linux 6.7).
 */
#define SHMAP_BLOCK_ORDER	1
#define SHMAP_BLOCK_BUCKETS	((PAGE_SIZE << SHMAP_BLOCK_ORDER) / \
				 sizeof(struct kmap_bucket))

/* Parts of a directory: enough for 2^32 buckets in blocks of 128. */
#define SHMAP_DIR_PARTS		25

/* Instead of the number of a block, to shmap_buckets_feed(): one of overflow buckets. */
#define SHMAP_BLOCK_OVER	(~0u)

/**
 * struct shmap_dir - finds what belongs to a block by the number of the block
 * @base: address of the pointer for block 0, if part k had one; part 0 holds the pointers
 *	for the blocks 0 and 1, part k those for the blocks 2^k to 2^(k+1) - 1; 0 for a
 *	part that has not been allocated
 *
 * So a directory takes no more than twice what the blocks in use need.
 */
struct shmap_dir {
	unsigned long	base[SHMAP_DIR_PARTS];
};

/**
 * struct shmap_over - a block of overflow buckets
 * @block: its memory, or NULL
 * @number: its number among the blocks of overflow buckets
 * @free_n: number of its buckets that no shard has
 * @node: in shmap_buckets.with_free while @free_n is not 0, or in shmap_buckets.bare
 * @idle: no shard had a bucket of it when the keeper last looked
 * @free: a bit for each bucket, set when no shard has it
 */
struct shmap_over {
	struct kmap_bucket	*block;
	u32			number;
	u32			free_n;
	struct rb_node		node;
	bool			idle;
	unsigned long		free[];
};

/* Most blocks that the keeper takes away in one go. */
#define SHMAP_BLOCKS_GONE	64

/**
 * struct shmap_blocks - blocks that nobody finds any more
 * @block: their memory
 * @at: number of the first bucket of each
 * @n: how many
 */
struct shmap_blocks {
	struct kmap_bucket	*block[SHMAP_BLOCKS_GONE];
	u32			at[SHMAP_BLOCKS_GONE];
	unsigned int		n;
};

/**
 * struct shmap_buckets - the buckets of a map
 * @mem: account that blocks are counted in
 * @home: the blocks of home buckets
 * @over: the blocks of overflow buckets: pointers to struct shmap_over
 * @home_end: home buckets have the numbers below this one
 * @over_end: overflow buckets have the numbers from @home_end to below this one
 * @lock: protects the fields below, and blocks of overflow buckets
 * @with_free: those with buckets that no shard has, by number
 * @free_n: how many such buckets there are
 * @over_n: number of blocks of overflow buckets, with those that have no memory any more
 * @bare: blocks of overflow buckets that have no memory any more, by number
 * @seq: seq of home buckets in new blocks: odd, and not below any that there was
 * @going: home buckets from this number on are about to lose their memory, unless a
 *	shard takes one before; or ~0
 * @idle: home buckets from this number on had no shard when the keeper last looked
 * @blank: pages of zeros may have been mapped in place of blocks
 * @fed: since then, blocks may have come in their place
 * @gone: blocks that nobody finds any more, for the keeper to free
 * @given_back: bytes of blocks that the keeper has freed
 *
 * Readers without a lock read @home and @over.
 */
struct shmap_buckets {
	struct shmap_mem	*mem;
	struct shmap_dir	home;
	struct shmap_dir	over;
	u32			home_end;
	u32			over_end;
	raw_spinlock_t		lock;
	struct rb_root		with_free;
	u32			free_n;
	u32			over_n;
	struct rb_root		bare;
	u64			seq;
	u32			going;
	u32			idle;
	bool			blank;
	bool			fed;
	struct shmap_blocks	gone;
	u64			given_back;
};

int shmap_buckets_init(struct shmap_buckets *buckets, struct shmap_mem *mem,
		       u32 home_end, u32 over_end, u32 least);
void shmap_buckets_exit(struct shmap_buckets *buckets);
int shmap_buckets_feed(struct shmap_buckets *buckets, u32 number);
u32 shmap_buckets_take(struct shmap_buckets *buckets);
void shmap_buckets_put(struct shmap_buckets *buckets, u32 i);
void shmap_buckets_stay(struct shmap_buckets *buckets);
bool shmap_buckets_leave(struct shmap_buckets *buckets, struct shmap_over *over);
void shmap_buckets_bare(struct shmap_buckets *buckets, struct shmap_over *over);
struct page *shmap_buckets_page(const struct shmap_buckets *buckets, u64 at);

/**
 * shmap_dir_slot - where a directory has the pointer for a block
 * @dir: the directory
 * @number: number of the block
 *
 * Context: any.
 * Return: the place, or NULL while that part of the directory does not exist.
 */
static __always_inline void **shmap_dir_slot(const struct shmap_dir *dir,
					     u32 number)
{
	unsigned long base = READ_ONCE(dir->base[__fls(number | 1)]);

	return base ? (void **)(base + number * sizeof(void *)) : NULL;
}

/*
 * The pointer for block @number, whose part exists.  The checks that are left out would be
 * on fast paths.
 */
static __always_inline void *shmap_dir_get(const struct shmap_dir *dir, u32 number)
{
	unsigned long base = READ_ONCE(dir->base[__fls(number | 1)]);

	return READ_ONCE(*(void **)(base + number * sizeof(void *)));
}

/**
 * shmap_buckets_home - find a home bucket by its number
 * @buckets: the buckets
 * @i: number of a home bucket that has memory
 *
 * Context: reader or writer.
 * Return: the bucket.
 */
static __always_inline struct kmap_bucket *
shmap_buckets_home(const struct shmap_buckets *buckets, u32 i)
{
	struct kmap_bucket *block = shmap_dir_get(&buckets->home,
						  i / SHMAP_BLOCK_BUCKETS);

	return block + i % SHMAP_BLOCK_BUCKETS;
}

/**
 * shmap_buckets_over - find an overflow bucket by its number
 * @buckets: the buckets
 * @i: number of an overflow bucket that has memory
 *
 * Context: reader or writer.
 * Return: the bucket.
 */
static inline struct kmap_bucket *
shmap_buckets_over(const struct shmap_buckets *buckets, u32 i)
{
	const struct shmap_over *over;

	i -= buckets->home_end;
	over = shmap_dir_get(&buckets->over, i / SHMAP_BLOCK_BUCKETS);
	return over->block + i % SHMAP_BLOCK_BUCKETS;
}

/**
 * shmap_buckets_has_home - has a home bucket got memory?
 * @buckets: the buckets
 * @i: its number, below home_end
 *
 * Context: any.
 * Return: whether shmap_buckets_home() may be called.
 */
static inline bool shmap_buckets_has_home(const struct shmap_buckets *buckets,
					  u32 i)
{
	void **slot = shmap_dir_slot(&buckets->home, i / SHMAP_BLOCK_BUCKETS);

	/* Readers that a writer leads there: see C. */
	return slot && READ_ONCE(*slot);
}

/**
 * shmap_buckets_claim - a shard is about to use a home bucket that it does not have yet
 * @buckets: the buckets
 * @i: number of the bucket
 *
 * The caller looks afterwards whether the bucket has memory.
 *
 * Context: writer.
 */
static inline void shmap_buckets_claim(struct shmap_buckets *buckets, u32 i)
{
	/* Pairs with the release in home_take(): whether the block has gone is seen next. */
	if (unlikely(i >= smp_load_acquire(&buckets->going)))
		shmap_buckets_stay(buckets);
}

#endif /* SHMAP_BUCKETS_H */
