/* SPDX-License-Identifier: GPL-2.0-only */
/* The lock modes; see lock.c. */
#ifndef SHMAP_LOCK_H
#define SHMAP_LOCK_H

#include <linux/atomic.h>
#include <linux/indirect_call_wrapper.h>
#include <linux/rwsem.h>
#include <linux/spinlock.h>
#include <linux/swait.h>

/**
 * struct shmap_lock - the lock of one shard
 * @spin: of the lock modes whose writers spin
 * @sem: of those whose writers sleep
 * @wanted: writers that are looking for a gap between readers right now
 * @readers: those that sleep until somebody leaves the semaphore
 * @writers: the same
 */
struct shmap_lock {
	union {
		raw_spinlock_t		spin;	/* see above */
		struct {
			struct rw_semaphore	sem;
			atomic_t		wanted;
			struct swait_queue_head	readers;
			struct swait_queue_head	writers;
		};
	};
};

/**
 * struct shmap_lock_ops - one lock mode
 * @name: as the lock= parameter names it
 * @writers_spin: @write_enter and @write_leave are those of the spinlock
 * @lockless_reads: a reader shuts no writer out.  It must check a bucket's seq,
 *	and what it reads is reused only after a grace period.
 * @init: make a lock
 * @read_enter: enter as a reader; nothing may sleep until @read_leave
 * @read_leave: leave as a reader
 * @write_enter: enter as the only writer; nothing may sleep until @write_leave
 * @write_leave: leave as the writer
 * @read_held: for lockdep_assert(): held as a reader or as the writer
 * @write_held: for lockdep_assert(): held as the writer
 */
struct shmap_lock_ops {
	const char	*name;
	bool		writers_spin;
	bool		lockless_reads;
	void		(*init)(struct shmap_lock *lock);
	void		(*read_enter)(struct shmap_lock *lock);
	void		(*read_leave)(struct shmap_lock *lock);
	void		(*write_enter)(struct shmap_lock *lock);
	void		(*write_leave)(struct shmap_lock *lock);
	bool		(*read_held)(const struct shmap_lock *lock);
	bool		(*write_held)(const struct shmap_lock *lock);
};

/* The names for messages, in the order that lock.c lists them. */
#define SHMAP_LOCK_NAMES "spinlock, rwsem, rcu"

const struct shmap_lock_ops *shmap_lock_find(const char *name);

/* What a reader does by default, so that it can be called straight. */
void shmap_lock_rcu(struct shmap_lock *lock);
void shmap_lock_unrcu(struct shmap_lock *lock);

/**
 * shmap_lock_read_enter - enter as a reader
 * @ops: the lock mode
 * @lock: the lock
 *
 * Context: may sleep; nothing may sleep until shmap_lock_read_leave().
 */
static inline void shmap_lock_read_enter(const struct shmap_lock_ops *ops,
					 struct shmap_lock *lock)
{
	INDIRECT_CALL_1(ops->read_enter, shmap_lock_rcu, lock);
}

/**
 * shmap_lock_read_leave - leave as a reader
 * @ops: the lock mode
 * @lock: the lock
 *
 * Context: as shmap_lock_read_enter() left it.
 */
static inline void shmap_lock_read_leave(const struct shmap_lock_ops *ops,
					 struct shmap_lock *lock)
{
	INDIRECT_CALL_1(ops->read_leave, shmap_lock_unrcu, lock);
}

/**
 * shmap_lock_write_enter - enter as the only writer
 * @ops: the lock mode
 * @lock: the lock
 *
 * Context: may sleep; nothing may sleep until shmap_lock_write_leave().
 */
static inline void shmap_lock_write_enter(const struct shmap_lock_ops *ops,
					  struct shmap_lock *lock)
{
	if (likely(ops->writers_spin)) {
		raw_spin_lock(&lock->spin);
		/* Which lock it is sparse cannot know, nor follow. */
		__release(&lock->spin);
	} else {
		ops->write_enter(lock);
	}
}

/**
 * shmap_lock_write_leave - leave as the writer
 * @ops: the lock mode
 * @lock: the lock
 *
 * Context: as shmap_lock_write_enter() left it.
 */
static inline void shmap_lock_write_leave(const struct shmap_lock_ops *ops,
					  struct shmap_lock *lock)
{
	if (likely(ops->writers_spin)) {
		__acquire(&lock->spin);
		raw_spin_unlock(&lock->spin);
	} else {
		ops->write_leave(lock);
	}
}

#endif /* SHMAP_LOCK_H */
