// SPDX-License-Identifier: GPL-2.0-only
/*
 * Deferred reuse: what was removed while readers take no lock.
 *
 * A reader under rcu_read_lock() may hold a reference to an entry that a writer
 * has just unlinked, so the entry is freed only after a grace period.  Removed
 * entries are noted in batches; a full batch asks for a grace period, and later
 * operations of the shard free it when that is over.  Nothing is called back,
 * so nothing is left to wait for at unload.
 *
 * The memory in batches is bounded by arena->deferred_max: a writer that finds
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
 * @node: in arena->waiting
 * @grace: the grace period that ends their time, as RCU's polling API has it
 * @number: counts the batches of an arena, in the order in which they were closed
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

static void close_locked(struct shmap_arena *arena)
{
	struct shmap_deferred *batch = arena->open;

	lockdep_assert_held(&arena->lock);
	batch->grace = start_poll_synchronize_rcu();
	batch->number = ++arena->closed;
	list_add_tail(&batch->node, &arena->waiting);
	arena->open = NULL;
}

/* Take the oldest batch off the list if its grace period is over. */
static struct shmap_deferred *take_oldest(struct shmap_arena *arena)
{
	struct shmap_deferred *batch;

	raw_spin_lock(&arena->lock);
	batch = list_first_entry_or_null(&arena->waiting, struct shmap_deferred,
					 node);
	if (batch && poll_state_synchronize_rcu(batch->grace)) {
		list_del(&batch->node);
		WRITE_ONCE(arena->deferred, arena->deferred - batch->bytes);
	} else {
		batch = NULL;
	}
	raw_spin_unlock(&arena->lock);
	return batch;
}

/* Free the oldest batch if its time has come. */
static bool reap(struct shmap_arena *arena)
{
	struct shmap_deferred *batch = take_oldest(arena);

	if (!batch)
		return false;
	shmap_arena_free(arena, batch->refs, batch->n);
	shmap_pool_free(arena->pool, batch, sizeof(*batch));
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
static void wait_oldest(struct shmap_arena *arena)
{
	struct shmap_deferred *batch;
	unsigned long grace = 0;

	raw_spin_lock(&arena->lock);
	if (arena->open && list_empty(&arena->waiting))
		close_locked(arena);
	batch = list_first_entry_or_null(&arena->waiting, struct shmap_deferred,
					 node);
	if (batch)
		grace = batch->grace;
	raw_spin_unlock(&arena->lock);
	if (batch)
		wait_grace(grace, true);
}

/*
 * Make a batch to note an entry in.  False when there is no memory for one; then
 * the entry was waited for, and freed.  Who is dying gets memory in any case.
 */
static bool make_batch(struct shmap_arena *arena, u32 ref)
{
	struct shmap_deferred *batch;

	batch = shmap_pool_alloc(arena->pool, sizeof(*batch));
	if (!batch) {
		if (!wait_grace(start_poll_synchronize_rcu(), true)) {
			shmap_arena_free(arena, &ref, 1);
			return false;
		}
		batch = shmap_pool_alloc_surely(arena->pool, sizeof(*batch));
	}
	raw_spin_lock(&arena->lock);
	if (!arena->open) {
		arena->open = batch;
		batch = NULL;
		shmap_pool_stir(arena->pool);
	}
	raw_spin_unlock(&arena->lock);
	shmap_pool_free(arena->pool, batch, sizeof(*batch));
	return true;
}

static __always_inline bool is_full(const struct shmap_arena *arena, u32 bytes)
{
	return arena->deferred + bytes > arena->deferred_max;
}

/* Note an entry.  True: that filled the batch. */
static __always_inline bool note_locked(struct shmap_arena *arena, u32 ref,
					u32 bytes)
{
	struct shmap_deferred *batch = arena->open;

	lockdep_assert_held(&arena->lock);
	batch->refs[batch->n++] = ref;
	batch->bytes += bytes;
	WRITE_ONCE(arena->deferred, arena->deferred + bytes);
	if (likely(batch->n < BATCH_REFS && batch->bytes < BATCH_BYTES))
		return false;
	close_locked(arena);
	return true;
}

/* A batch comes and one goes, and another in case they got behind. */
static noinline void keep_up(struct shmap_arena *arena)
{
	if (reap(arena))
		reap(arena);
}

static noinline void add_slowly(struct shmap_arena *arena, u32 ref, u32 bytes)
{
	bool waited = false, dying, full;

	for (;;) {
		dying = shmap_fatal_pending();
		raw_spin_lock(&arena->lock);
		full = is_full(arena, bytes) && !dying;
		if (arena->open && !full)
			break;
		if (full && !waited)
			WRITE_ONCE(arena->waits, arena->waits + 1);
		waited |= full;
		raw_spin_unlock(&arena->lock);
		if (!full && !make_batch(arena, ref))
			return;
		if (full && !reap(arena)) {
			wait_oldest(arena);
			reap(arena);
		}
	}
	full = note_locked(arena, ref, bytes);
	raw_spin_unlock(&arena->lock);
	if (full)
		keep_up(arena);
}

/**
 * shmap_defer_add - free an entry after a grace period
 * @arena: the arena it is from
 * @ref: reference to it; already unlinked
 * @bytes: of the entry
 *
 * Context: may sleep, and does when the bound on deferred memory is reached and no
 * fatal signal is pending.
 */
void shmap_defer_add(struct shmap_arena *arena, u32 ref, u32 bytes)
{
	bool full;

	raw_spin_lock(&arena->lock);
	if (unlikely(!arena->open || is_full(arena, bytes))) {
		raw_spin_unlock(&arena->lock);
		add_slowly(arena, ref, bytes);
		return;
	}
	full = note_locked(arena, ref, bytes);
	raw_spin_unlock(&arena->lock);
	if (unlikely(full))
		keep_up(arena);
}

/**
 * shmap_defer_close - ask for the grace period of all that was removed
 * @arena: the arena
 *
 * Context: any.
 */
void shmap_defer_close(struct shmap_arena *arena)
{
	raw_spin_lock(&arena->lock);
	if (arena->open)
		close_locked(arena);
	raw_spin_unlock(&arena->lock);
}

/**
 * shmap_defer_reap - free all whose grace period is over
 * @arena: the arena
 *
 * Context: may sleep.
 */
void shmap_defer_reap(struct shmap_arena *arena)
{
	while (reap(arena))
		cond_resched();
}

/* Is there a batch with this number or a lower one?  Sets its grace period. */
static bool find_oldest(struct shmap_arena *arena, u64 number,
			unsigned long *grace)
{
	struct shmap_deferred *batch;
	bool found;

	raw_spin_lock(&arena->lock);
	batch = list_first_entry_or_null(&arena->waiting, struct shmap_deferred,
					 node);
	found = batch && batch->number <= number;
	if (found)
		*grace = batch->grace;
	raw_spin_unlock(&arena->lock);
	return found;
}

/**
 * shmap_defer_drain - free all that waited when the call began
 * @arena: the arena; shmap_defer_close() was called
 * @killable: end at a fatal signal
 *
 * A polled grace period may not be over when a synchronize_rcu() that began
 * after it is: so ask each batch.
 *
 * Context: may sleep.
 * Return: 0, or -EINTR when a fatal signal came.
 */
int shmap_defer_drain(struct shmap_arena *arena, bool killable)
{
	unsigned long grace = 0;
	u64 last;
	int r = 0;

	raw_spin_lock(&arena->lock);
	last = arena->closed;
	raw_spin_unlock(&arena->lock);
	while (!r && find_oldest(arena, last, &grace)) {
		if (!reap(arena))
			r = wait_grace(grace, killable);
		cond_resched();
	}
	return r;
}
