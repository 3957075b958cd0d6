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
 * @spin: the lock, in lock modes whose writers spin
 * @sem: the lock, in lock modes whose writers sleep
 * @wanted: number of writers that are looking for a gap between readers
 * @readers: readers that sleep until a holder leaves the semaphore
 * @writers: writers that sleep until then
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
 * @lockless_reads: a reader does not shut writers out: it must check a bucket's seq,
 *	and what it reads is reused only after a grace period
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

/* The names for messages, in the order in which lock.c lists them. */
#define SHMAP_LOCK_NAMES "spinlock, rwsem, rcu"

const struct shmap_lock_ops *shmap_lock_find(const char *name);

/* How readers enter and leave in the default lock mode, for calls without a pointer. */
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
		/* sparse can neither know nor follow which lock this is. */
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
