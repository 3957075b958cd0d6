// SPDX-License-Identifier: GPL-2.0-only
/*
 * Deferred reuse: what was removed while readers take no lock.
 *
 * A reader in a read-side critical section may hold a reference to an entry that a writer
 * has just unlinked, so the entry is freed only after a grace period.  Removed
 * entries are noted in batches; a full batch asks for a grace period, and later
 * operations of the shard free it when that is over.  Nothing is called back,
 * so nothing is left to wait for at unload.
 *
 * The memory in batches is bounded by defer->max: a writer that finds
 * no room waits for the oldest grace period.  A fatal signal ends that wait.  The
 * change was made by then, so what was removed is noted beyond the bound.
 */
#include <linux/rcupdate.h>
#include <linux/sched.h>

#include "defer.h"
#include "fatal.h"

/* Ask for a grace period when a batch holds so much, bytes. */
#define BATCH_BYTES	65536u
#define BATCH_REFS	116u

/**
 * struct shmap_deferred - a batch of removed entries
 * @node: in defer->waiting
 * @grace: the grace period that ends their time, as RCU's polling API has it
 * @number: counts the batches of a shard, in the order in which they were closed
 * @bytes: of the entries
 * @n: how many
 * @refs: to them
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

/* Free the oldest batch if its time has come. */
static bool reap(struct shmap_defer *defer)
{
	struct shmap_deferred *batch = take_oldest(defer);

	if (!batch)
		return false;
	shmap_arena_free(defer->arena, batch->refs, batch->n);
	shmap_mem_free(defer->arena->pool->mem, batch, sizeof(*batch));
	return true;
}

/* Sleep until a grace period is over: 0, or -EINTR when a fatal signal came. */
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

/* Wait for the oldest grace period, if there is one and no fatal signal. */
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
 * Make a batch to note an entry in.  False when there is no memory for one; then
 * the entry was waited for, and freed.  Who is dying gets memory in any case.
 */
static bool make_batch(struct shmap_defer *defer, u32 ref)
{
	struct shmap_deferred *batch;

	batch = shmap_mem_alloc(defer->arena->pool->mem, sizeof(*batch));
	if (!batch) {
		if (!wait_grace(start_poll_synchronize_rcu(), true)) {
			shmap_arena_free(defer->arena, &ref, 1);
			return false;
		}
		batch = shmap_mem_alloc_surely(defer->arena->pool->mem, sizeof(*batch));
	}
	raw_spin_lock(&defer->lock);
	if (!defer->open) {
		defer->open = batch;
		batch = NULL;
		shmap_pool_stir(defer->arena->pool);
	}
	raw_spin_unlock(&defer->lock);
	shmap_mem_free(defer->arena->pool->mem, batch, sizeof(*batch));
	return true;
}

static __always_inline bool is_full(const struct shmap_defer *defer, u32 bytes)
{
	return defer->bytes + bytes > defer->max;
}

/* Note an entry.  True: that filled the batch. */
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

/* A batch comes and one goes, and another in case they got behind. */
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
 * shmap_defer_init - nothing waits yet
 * @defer: to be made, zeroed
 * @arena: where the entries are from
 * @max: bound for entries that wait, bytes
 *
 * Context: any.
 */
void shmap_defer_init(struct shmap_defer *defer, struct shmap_arena *arena,
		      u64 max)
{
	raw_spin_lock_init(&defer->lock);
	INIT_LIST_HEAD(&defer->waiting);
	defer->arena = arena;
	defer->max = max;
}

/**
 * shmap_defer_add - free an entry after a grace period
 * @defer: of its shard
 * @ref: reference to it; already unlinked
 * @bytes: of the entry
 *
 * Context: may sleep, and does when the bound on deferred memory is reached and no
 * fatal signal is pending.
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
 * shmap_defer_close - ask for the grace period of all that was removed
 * @defer: of the shard
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
 * shmap_defer_reap - free all whose grace period is over
 * @defer: of the shard
 *
 * Context: may sleep.
 */
void shmap_defer_reap(struct shmap_defer *defer)
{
	while (reap(defer))
		cond_resched();
}

/* Is there a batch with this number or a lower one?  Sets its grace period. */
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
 * shmap_defer_drain - free all that waited when the call began
 * @defer: of the shard; shmap_defer_close() was called
 * @killable: end at a fatal signal
 *
 * A polled grace period may not be over when a synchronize_rcu() that began
 * after it is: so ask each batch.
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
