// SPDX-License-Identifier: GPL-2.0-only
/*
 * The memory of all buckets of a map, in one array.
 *
 * First come the home buckets.  Those of all shards are interleaved: bucket i of shard s
 * has the number i * shards + s, so low bits of a hash are the number of its home bucket, and
 * the shards of a small map share a page.  Overflow buckets follow; any shard can take
 * any of them.
 *
 * Memory is allocated in blocks, when a shard first needs one.  A directory finds a
 * block by its number.  It grows by parts, of which each is as large as all before it, so it
 * costs little while the map is small, and no part ever moves.
 *
 * Which overflow buckets are free is written in one bitmap per block.  The lowest number is
 * taken first, so that those in use stay together.  Shards take and put them one by one,
 * but keep some to themselves (chain.c).
 *
 * A block, and a part of a directory, is published by a store with release, for readers that
 * take no lock.  The one who allocates it holds no lock: a task that comes second frees its
 * own.
 */
#include <linux/bitmap.h>
#include <linux/err.h>
#include <linux/sched.h>
#include <linux/slab.h>

#include "buckets.h"

/* Bytes per block, a power of two. */
#define BLOCK_BYTES	(PAGE_SIZE << SHMAP_BLOCK_ORDER)

/* Bytes of struct shmap_over. */
#define OVER_BYTES	(sizeof(struct shmap_over) + \
			 BITS_TO_LONGS(SHMAP_BLOCK_BUCKETS) * sizeof(long))

/* The seq of home buckets that are not in a table yet: odd. */
#define FIRST_SEQ	1

/* Number of pointers in a part of a directory, and the block that its first one is for. */
static u32 part_n(unsigned int part)
{
	return part ? 1u << part : 2;
}

static u32 part_first(unsigned int part)
{
	return part ? 1u << part : 0;
}

/* Find the place of a block in a directory, and allocate that part if need be. */
static void **dir_make(struct shmap_buckets *buckets, struct shmap_dir *dir,
		       u32 number)
{
	unsigned int part = __fls(number | 1);
	void **slot = shmap_dir_slot(dir, number);
	unsigned long base;
	void *pointers;

	if (slot)
		return slot;
	pointers = shmap_mem_alloc_table(buckets->mem, part_n(part),
					 sizeof(void *));
	if (!pointers)
		return NULL;
	base = (unsigned long)pointers - part_first(part) * sizeof(void *);
	/* Pairs with the read in shmap_dir_slot(), on which the address depends. */
	if (cmpxchg_release(&dir->base[part], 0, base))
		shmap_mem_free_table(buckets->mem, pointers, part_n(part),
				     sizeof(void *));
	return shmap_dir_slot(dir, number);
}

static void dir_free(struct shmap_buckets *buckets, struct shmap_dir *dir)
{
	unsigned int part;

	for (part = 0; part < SHMAP_DIR_PARTS; part++) {
		void **first = shmap_dir_slot(dir, part_first(part));

		shmap_mem_free_table(buckets->mem, first, part_n(part),
				     sizeof(void *));
	}
}

/* Make a block of home buckets, which no table has, or with @seq 0 of overflow buckets. */
static struct kmap_bucket *make_block(struct shmap_buckets *buckets, u64 seq)
{
	struct kmap_bucket *block;
	unsigned int i;

	block = shmap_mem_alloc_pages(buckets->mem, SHMAP_BLOCK_ORDER);
	for (i = 0; block && i < SHMAP_BLOCK_BUCKETS; i++) {
		block[i].seq = seq;
		block[i].mark = seq ? 0 : KMAP_BUCKET_OVERFLOW;
	}
	return block;
}

/* Publish a block of home buckets, if there is none and the seq is still right. */
static bool show_home(struct shmap_buckets *buckets, void **slot,
		      struct kmap_bucket *block, u64 seq)
{
	bool shown;

	raw_spin_lock(&buckets->lock);
	shown = !*slot && buckets->seq == seq;
	if (shown) {
		/* Pairs with shmap_buckets_page() and shmap_dir_get(). */
		smp_store_release(slot, block);
		WRITE_ONCE(buckets->fed, true);
	}
	raw_spin_unlock(&buckets->lock);
	return shown;
}

static int feed_home(struct shmap_buckets *buckets, u32 number)
{
	void **slot = dir_make(buckets, &buckets->home, number);
	struct kmap_bucket *block;
	u64 seq;

	if (!slot)
		return -ENOMEM;
	while (!READ_ONCE(*slot)) {
		raw_spin_lock(&buckets->lock);
		seq = buckets->seq;
		raw_spin_unlock(&buckets->lock);
		block = make_block(buckets, seq);
		if (!block)
			return -ENOMEM;
		if (!show_home(buckets, slot, block, seq))
			shmap_mem_free_pages(buckets->mem, block,
					     SHMAP_BLOCK_ORDER);
	}
	return 0;
}

static void link_over_locked(struct shmap_buckets *buckets,
			     struct rb_root *root, struct shmap_over *over)
{
	struct rb_node **link = &root->rb_node, *parent = NULL;

	lockdep_assert_held(&buckets->lock);
	while (*link) {
		parent = *link;
		link = rb_entry(parent, struct shmap_over, node)->number >
		       over->number ? &parent->rb_left : &parent->rb_right;
	}
	rb_link_node(&over->node, parent, link);
	rb_insert_color(&over->node, root);
}

static void free_over(struct shmap_buckets *buckets, struct shmap_over *over)
{
	shmap_mem_free_pages(buckets->mem, over->block, SHMAP_BLOCK_ORDER);
	shmap_mem_free(buckets->mem, over, OVER_BYTES);
}

/*
 * Take a block of overflow buckets that has no memory any more, or make one, with a number
 * that another task may get as well.
 */
static struct shmap_over *get_over(struct shmap_buckets *buckets, bool *made)
{
	struct shmap_over *over = NULL;
	struct rb_node *node;

	raw_spin_lock(&buckets->lock);
	node = rb_first(&buckets->bare);
	if (node) {
		over = rb_entry(node, struct shmap_over, node);
		rb_erase(node, &buckets->bare);
	}
	raw_spin_unlock(&buckets->lock);
	*made = !over;
	if (over)
		return over;
	over = shmap_mem_alloc(buckets->mem, OVER_BYTES);
	if (over)
		over->number = READ_ONCE(buckets->over_n);
	return over;
}

/* Undo get_over(). */
static void put_over(struct shmap_buckets *buckets, struct shmap_over *over,
		     bool made)
{
	if (made) {
		free_over(buckets, over);
		return;
	}
	raw_spin_lock(&buckets->lock);
	link_over_locked(buckets, &buckets->bare, over);
	raw_spin_unlock(&buckets->lock);
}

/* Publish a block of overflow buckets, unless another one has got its number. */
static bool show_over(struct shmap_buckets *buckets, void **slot,
		      struct shmap_over *over, struct kmap_bucket *block,
		      bool made)
{
	bool shown;

	raw_spin_lock(&buckets->lock);
	shown = !made || buckets->over_n == over->number;
	if (shown) {
		over->free_n = SHMAP_BLOCK_BUCKETS;
		over->idle = false;
		bitmap_fill(over->free, SHMAP_BLOCK_BUCKETS);
		/* Pairs with shmap_buckets_page() and shmap_buckets_over(). */
		smp_store_release(&over->block, block);
		/* As the former. */
		smp_store_release(slot, over);
		link_over_locked(buckets, &buckets->with_free, over);
		WRITE_ONCE(buckets->free_n,
			   buckets->free_n + SHMAP_BLOCK_BUCKETS);
		if (made)
			WRITE_ONCE(buckets->over_n, over->number + 1);
		WRITE_ONCE(buckets->fed, true);
	}
	raw_spin_unlock(&buckets->lock);
	return shown;
}

static int feed_over(struct shmap_buckets *buckets)
{
	struct kmap_bucket *block;
	struct shmap_over *over;
	void **slot;
	int ret = 0;
	bool made;

	over = get_over(buckets, &made);
	if (!over)
		return -ENOMEM;
	if (over->number >= (buckets->over_end - buckets->home_end) /
			    SHMAP_BLOCK_BUCKETS) {
		put_over(buckets, over, made);
		return -EXFULL;
	}
	slot = dir_make(buckets, &buckets->over, over->number);
	block = slot ? make_block(buckets, 0) : NULL;
	if (!block)
		ret = -ENOMEM;
	if (ret || !show_over(buckets, slot, over, block, made)) {
		shmap_mem_free_pages(buckets->mem, block, SHMAP_BLOCK_ORDER);
		put_over(buckets, over, made);
	}
	return ret;
}

/**
 * shmap_buckets_feed - allocate a block of buckets, unless it exists by now
 * @buckets: the buckets
 * @number: number of a block of home buckets, or SHMAP_BLOCK_OVER
 *
 * Context: may sleep.
 * Return: 0, -ENOMEM, or -EXFULL when there can be no more overflow buckets.
 */
int shmap_buckets_feed(struct shmap_buckets *buckets, u32 number)
{
	return number == SHMAP_BLOCK_OVER ? feed_over(buckets) :
					    feed_home(buckets, number);
}

/**
 * shmap_buckets_init - allocate the first blocks
 * @buckets: the buckets, zeroed
 * @mem: account that blocks are counted in
 * @home_end: most home buckets, of all shards together; a multiple of a block's
 * @over_end: that and the most overflow buckets; likewise
 * @least: home buckets that are there from the beginning
 *
 * Context: may sleep.
 * Return: 0 or -ENOMEM; shmap_buckets_exit() may be called in both cases.
 */
int shmap_buckets_init(struct shmap_buckets *buckets, struct shmap_mem *mem,
		       u32 home_end, u32 over_end, u32 least)
{
	u32 number;
	int ret = 0;

	buckets->mem = mem;
	buckets->home_end = home_end;
	buckets->over_end = over_end;
	buckets->with_free = RB_ROOT;
	buckets->bare = RB_ROOT;
	buckets->seq = FIRST_SEQ;
	buckets->going = ~0u;
	raw_spin_lock_init(&buckets->lock);
	for (number = 0; !ret && number * SHMAP_BLOCK_BUCKETS < least; number++)
		ret = feed_home(buckets, number);
	return ret;
}

/**
 * shmap_buckets_exit - free all blocks
 * @buckets: the buckets, or zeroed memory; all entries have been freed
 *
 * Context: may sleep.
 */
void shmap_buckets_exit(struct shmap_buckets *buckets)
{
	u32 number, n = buckets->home_end / SHMAP_BLOCK_BUCKETS;
	struct shmap_blocks *gone = &buckets->gone;
	void **slot;

	while (gone->n--)
		shmap_mem_free_pages(buckets->mem, gone->block[gone->n],
				     SHMAP_BLOCK_ORDER);
	for (number = 0; number < n; number++) {
		slot = shmap_dir_slot(&buckets->home, number);
		if (!slot)
			break;
		shmap_mem_free_pages(buckets->mem, *slot, SHMAP_BLOCK_ORDER);
		cond_resched();
	}
	for (number = 0; number < buckets->over_n; number++) {
		free_over(buckets, shmap_dir_get(&buckets->over, number));
		cond_resched();
	}
	dir_free(buckets, &buckets->home);
	dir_free(buckets, &buckets->over);
}

/**
 * shmap_buckets_take - take the free overflow bucket with the lowest number
 * @buckets: the buckets
 *
 * Context: writer, or any; takes buckets->lock.
 * Return: the number of the bucket, which is empty; or 0 when none is free.
 */
u32 shmap_buckets_take(struct shmap_buckets *buckets)
{
	struct shmap_over *over;
	u32 i = 0;

	raw_spin_lock(&buckets->lock);
	if (buckets->free_n) {
		over = rb_entry(rb_first(&buckets->with_free), struct shmap_over,
				node);
		i = find_first_bit(over->free, SHMAP_BLOCK_BUCKETS);
		__clear_bit(i, over->free);
		over->idle = false;
		i += buckets->home_end + over->number * SHMAP_BLOCK_BUCKETS;
		if (!--over->free_n)
			rb_erase(&over->node, &buckets->with_free);
		WRITE_ONCE(buckets->free_n, buckets->free_n - 1);
	}
	raw_spin_unlock(&buckets->lock);
	return i;
}

/**
 * shmap_buckets_put - give an overflow bucket back
 * @buckets: the buckets
 * @i: number of the bucket, which is empty and in no chain
 *
 * Context: writer, or any; takes buckets->lock.
 */
void shmap_buckets_put(struct shmap_buckets *buckets, u32 i)
{
	u32 at = i - buckets->home_end;
	struct shmap_over *over = shmap_dir_get(&buckets->over,
						at / SHMAP_BLOCK_BUCKETS);

	raw_spin_lock(&buckets->lock);
	__set_bit(at % SHMAP_BLOCK_BUCKETS, over->free);
	if (!over->free_n++)
		link_over_locked(buckets, &buckets->with_free, over);
	WRITE_ONCE(buckets->free_n, buckets->free_n + 1);
	raw_spin_unlock(&buckets->lock);
}

/**
 * shmap_buckets_stay - let home buckets stay that were about to go
 * @buckets: the buckets
 *
 * Context: writer, or any; takes buckets->lock.
 */
void shmap_buckets_stay(struct shmap_buckets *buckets)
{
	raw_spin_lock(&buckets->lock);
	buckets->going = ~0u;
	raw_spin_unlock(&buckets->lock);
}

/**
 * shmap_buckets_leave - let nobody take buckets of a block any more, if it is all free
 * @buckets: the buckets
 * @over: a block of overflow buckets
 *
 * Context: any; takes buckets->lock; the keeper.
 * Return: false when it is in use, or was when the keeper last looked.
 */
bool shmap_buckets_leave(struct shmap_buckets *buckets, struct shmap_over *over)
{
	bool leaves;

	raw_spin_lock(&buckets->lock);
	leaves = over->idle;
	over->idle = over->free_n == SHMAP_BLOCK_BUCKETS;
	if (leaves) {
		rb_erase(&over->node, &buckets->with_free);
		over->free_n = 0;
		over->idle = false;
		WRITE_ONCE(buckets->free_n,
			   buckets->free_n - SHMAP_BLOCK_BUCKETS);
	}
	raw_spin_unlock(&buckets->lock);
	return leaves;
}

/**
 * shmap_buckets_bare - let nobody find a block any more; it may get other memory
 * @buckets: the buckets
 * @over: the block, from shmap_buckets_leave(); a grace period has passed since
 *
 * Context: any; takes buckets->lock; the keeper.
 */
void shmap_buckets_bare(struct shmap_buckets *buckets, struct shmap_over *over)
{
	struct shmap_blocks *gone = &buckets->gone;

	raw_spin_lock(&buckets->lock);
	gone->block[gone->n] = over->block;
	gone->at[gone->n++] = buckets->home_end +
			      over->number * SHMAP_BLOCK_BUCKETS;
	WRITE_ONCE(over->block, NULL);
	link_over_locked(buckets, &buckets->bare, over);
	raw_spin_unlock(&buckets->lock);
}

/**
 * shmap_buckets_page - a page of buckets, to be mapped
 * @buckets: the buckets
 * @at: offset from bucket 0, less than that of the bucket over_end
 *
 * Context: any.
 * Return: the page, or NULL while its block has not been allocated.
 */
struct page *shmap_buckets_page(const struct shmap_buckets *buckets, u64 at)
{
	u64 home_bytes = (u64)buckets->home_end * sizeof(struct kmap_bucket);
	const struct shmap_over *over;
	void **slot, *block;

	if (at < home_bytes) {
		slot = shmap_dir_slot(&buckets->home, at / BLOCK_BYTES);
		/* Pairs with the release in show_home(). */
		block = slot ? READ_ONCE(*slot) : NULL;
	} else {
		slot = shmap_dir_slot(&buckets->over,
				      (at - home_bytes) / BLOCK_BYTES);
		/* Pair with the releases in show_over(). */
		over = slot ? READ_ONCE(*slot) : NULL;
		block = over ? READ_ONCE(over->block) : NULL;
	}
	return block ? virt_to_page(block + at % BLOCK_BYTES) : NULL;
}
