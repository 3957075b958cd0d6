// SPDX-License-Identifier: GPL-2.0-only
/*
 * Deferred freeing: entries that are unlinked while readers take no lock.
 *
 * A reader in a read-side critical section may hold a reference to an entry that a writer
 * has just unlinked, so the entry is freed only after a grace period.  Unlinked entries
 * are noted in batches.  A full batch asks for a grace period, and later operations of
 * the shard, or the keeper, free the batch when that is over.  There are no callbacks, so
 * unload has only to wait for grace periods.
 *
 * defer->max bounds the bytes of deferred entries: a writer that would exceed it waits for
 * the oldest grace period.  A fatal signal ends that wait.  The change has been made
 * by then, so the unlinked entry is noted above the bound.
 */
#include <linux/rcupdate.h>
#include <linux/sched.h>

#include "defer.h"
#include "fatal.h"

/* A batch is closed, and asks for a grace period, when it has this many bytes or entries. */
#define BATCH_BYTES	65536u
#define BATCH_REFS	116u

/**
 * struct shmap_deferred - a batch of entries that wait for a grace period
 * @node: in defer->waiting
 * @grace: the grace period after which they are freed, as RCU's polling API returns it
 * @number: number of the batch in its shard, counted in the order of closing
 * @bytes: bytes of the entries
 * @n: number of entries
 * @refs: references to the entries
 */
struct shmap_deferred {
	struct list_head	node;
	unsigned long		grace;
	u64			number;
	u32			bytes;
	u32			n;
	u32			refs[BATCH_REFS];
};

static void close_locked(struct shmap_defer *defer)
{
	struct shmap_deferred *batch = defer->open;

	lockdep_assert_held(&defer->lock);
	batch->grace = start_poll_synchronize_rcu();
	batch->number = ++defer->closed;
	list_add_tail(&batch->node, &defer->waiting);
	defer->open = NULL;
}

/* Take the oldest batch off the list if its grace period is over. */
static struct shmap_deferred *take_oldest(struct shmap_defer *defer)
{
	struct shmap_deferred *batch;

	raw_spin_lock(&defer->lock);
	batch = list_first_entry_or_null(&defer->waiting, struct shmap_deferred,
					 node);
	if (batch && poll_state_synchronize_rcu(batch->grace)) {
		list_del(&batch->node);
		WRITE_ONCE(defer->bytes, defer->bytes - batch->bytes);
	} else {
		batch = NULL;
	}
	raw_spin_unlock(&defer->lock);
	return batch;
}

/* Free the oldest batch if its grace period is over.  Returns false if not. */
static bool reap(struct shmap_defer *defer)
{
	struct shmap_deferred *batch = take_oldest(defer);

	if (!batch)
		return false;
	shmap_arena_free(defer->pool, batch->refs, batch->n);
	shmap_mem_free(defer->pool->mem, batch, sizeof(*batch));
	return true;
}

/* Sleep until a grace period is over.  Returns 0, or -EINTR when a fatal signal came. */
static int wait_grace(unsigned long grace, bool killable)
{
	while (!poll_state_synchronize_rcu(grace)) {
		if (killable && shmap_fatal_pending())
			return -EINTR;
		if (killable)
			schedule_timeout_killable(1);
		else
			schedule_timeout_uninterruptible(1);
	}
	return 0;
}

/* Wait for the oldest grace period, if there is one, or until a fatal signal comes. */
static void wait_oldest(struct shmap_defer *defer)
{
	struct shmap_deferred *batch;
	unsigned long grace = 0;

	raw_spin_lock(&defer->lock);
	if (defer->open && list_empty(&defer->waiting))
		close_locked(defer);
	batch = list_first_entry_or_null(&defer->waiting, struct shmap_deferred,
					 node);
	if (batch)
		grace = batch->grace;
	raw_spin_unlock(&defer->lock);
	if (batch)
		wait_grace(grace, true);
}

/*
 * Allocate a batch to note an entry in.  If there is no memory for one, waits for a grace
 * period, frees the entry and returns false.  If a fatal signal ends that wait, the batch
 * is allocated in a way that does not fail.
 */
static bool make_batch(struct shmap_defer *defer, u32 ref)
{
	struct shmap_deferred *batch;

	batch = shmap_mem_alloc(defer->pool->mem, sizeof(*batch));
	if (!batch) {
		if (!wait_grace(start_poll_synchronize_rcu(), true)) {
			shmap_arena_free(defer->pool, &ref, 1);
			return false;
		}
		batch = shmap_mem_alloc_surely(defer->pool->mem, sizeof(*batch));
	}
	raw_spin_lock(&defer->lock);
	if (!defer->open) {
		defer->open = batch;
		batch = NULL;
		shmap_pool_stir(defer->pool);
	}
	raw_spin_unlock(&defer->lock);
	shmap_mem_free(defer->pool->mem, batch, sizeof(*batch));
	shmap_pool_call_keeper(defer->pool);
	return true;
}

static __always_inline bool is_full(const struct shmap_defer *defer, u32 bytes)
{
	return defer->bytes + bytes > defer->max;
}

/* Note an entry.  Returns true when the batch was full and is closed now. */
static __always_inline bool note_locked(struct shmap_defer *defer, u32 ref,
					u32 bytes)
{
	struct shmap_deferred *batch = defer->open;

	lockdep_assert_held(&defer->lock);
	batch->refs[batch->n++] = ref;
	batch->bytes += bytes;
	WRITE_ONCE(defer->bytes, defer->bytes + bytes);
	if (likely(batch->n < BATCH_REFS && batch->bytes < BATCH_BYTES))
		return false;
	close_locked(defer);
	return true;
}

/* Free one batch for the one that was closed, and another one to catch up. */
static noinline void keep_up(struct shmap_defer *defer)
{
	if (reap(defer))
		reap(defer);
}

static noinline void add_slowly(struct shmap_defer *defer, u32 ref, u32 bytes)
{
	bool waited = false, dying, full;

	for (;;) {
		dying = shmap_fatal_pending();
		raw_spin_lock(&defer->lock);
		full = is_full(defer, bytes) && !dying;
		if (defer->open && !full)
			break;
		if (full && !waited)
			WRITE_ONCE(defer->waits, defer->waits + 1);
		waited |= full;
		raw_spin_unlock(&defer->lock);
		if (!full && !make_batch(defer, ref))
			return;
		if (full && !reap(defer)) {
			wait_oldest(defer);
			reap(defer);
		}
	}
	full = note_locked(defer, ref, bytes);
	raw_spin_unlock(&defer->lock);
	if (full)
		keep_up(defer);
}

/**
 * shmap_defer_init - initialize the deferred entries of a shard
 * @defer: the deferred entries, zeroed
 * @pool: the entry area
 * @max: bound on the bytes of deferred entries
 *
 * Context: any.
 */
void shmap_defer_init(struct shmap_defer *defer, struct shmap_pool *pool,
		      u64 max)
{
	raw_spin_lock_init(&defer->lock);
	INIT_LIST_HEAD(&defer->waiting);
	defer->pool = pool;
	defer->max = max;
}

/**
 * shmap_defer_add - free an entry after a grace period
 * @defer: the shard's deferred entries
 * @ref: reference to the entry, which is unlinked
 * @bytes: size of the entry
 *
 * Context: may sleep.  Waits for a grace period when the bound on deferred bytes is
 * reached or there is no memory for a batch, unless a fatal signal is pending.
 */
void shmap_defer_add(struct shmap_defer *defer, u32 ref, u32 bytes)
{
	bool full;

	raw_spin_lock(&defer->lock);
	if (unlikely(!defer->open || is_full(defer, bytes))) {
		raw_spin_unlock(&defer->lock);
		add_slowly(defer, ref, bytes);
		return;
	}
	full = note_locked(defer, ref, bytes);
	raw_spin_unlock(&defer->lock);
	if (unlikely(full))
		keep_up(defer);
}

/**
 * shmap_defer_close - close the open batch: ask for its grace period
 * @defer: the shard's deferred entries
 *
 * Context: any.
 */
void shmap_defer_close(struct shmap_defer *defer)
{
	raw_spin_lock(&defer->lock);
	if (defer->open)
		close_locked(defer);
	raw_spin_unlock(&defer->lock);
}

/**
 * shmap_defer_reap - free all batches whose grace period is over
 * @defer: the shard's deferred entries
 *
 * Context: may sleep.
 */
void shmap_defer_reap(struct shmap_defer *defer)
{
	while (reap(defer))
		cond_resched();
}

/* Is a batch with this number or a lower one waiting?  Sets *@grace to its grace period. */
static bool find_oldest(struct shmap_defer *defer, u64 number,
			unsigned long *grace)
{
	struct shmap_deferred *batch;
	bool found;

	raw_spin_lock(&defer->lock);
	batch = list_first_entry_or_null(&defer->waiting, struct shmap_deferred,
					 node);
	found = batch && batch->number <= number;
	if (found)
		*grace = batch->grace;
	raw_spin_unlock(&defer->lock);
	return found;
}

/**
 * shmap_defer_drain - free all batches that were closed when the call began
 * @defer: the shard's deferred entries; shmap_defer_close() was called
 * @killable: a fatal signal ends the wait
 *
 * A polled grace period may end later than a synchronize_rcu() that began after it, so
 * the grace period of each batch is polled.
 *
 * Context: may sleep.
 * Return: 0, or -EINTR when a fatal signal came.
 */
int shmap_defer_drain(struct shmap_defer *defer, bool killable)
{
	unsigned long grace = 0;
	u64 last;
	int ret = 0;

	raw_spin_lock(&defer->lock);
	last = defer->closed;
	raw_spin_unlock(&defer->lock);
	while (!ret && find_oldest(defer, last, &grace)) {
		if (!reap(defer))
			ret = wait_grace(grace, killable);
		cond_resched();
	}
	return ret;
}
