// SPDX-License-Identifier: GPL-2.0-only
/*
 * The lock modes of a shard, chosen when the module is loaded.
 *
 * spinlock	readers and writers take the spinlock: best where operations are
 *		short and mixed
 * rwsem	readers share the semaphore, a writer has it alone: readers do not
 *		hold each other up, and a waiter sleeps
 * rcu		readers take no lock; writers take the spinlock
 *
 * Whatever the lock mode, the code under a lock keeps the rules of the
 * strictest one: it touches no user memory, allocates nothing and does not
 * sleep.  At most one shard's lock is held at a time.
 *
 * That code is not preempted either, whatever preemption the kernel has: otherwise a task
 * that waits for a lock, or for readers, might wait until a task of the lowest priority
 * gets a CPU again.  So a read-side critical section is one of rcu_read_lock_sched(), a
 * spinlock is a raw one, whose holder keeps its CPU with PREEMPT_RT as well, and a task
 * disables preemption before it takes the semaphore.
 */
#include <linux/preempt.h>
#include <linux/rcupdate.h>
#include <linux/sched.h>
#include <linux/string.h>
#include <linux/swait.h>

#include "lock.h"

/* Attempts of a writer to find a gap between readers, before it sleeps. */
#define GAP_LOOKS	256u

#ifdef CONFIG_LOCKDEP
static bool spin_held(const struct shmap_lock *lock)
{
	return lockdep_is_held(&lock->spin);
}

static bool sem_read_held(const struct shmap_lock *lock)
{
	return lockdep_is_held(&lock->sem);
}

static bool sem_write_held(const struct shmap_lock *lock)
{
	return lockdep_is_held_type(&lock->sem, 0);
}
#else
static bool spin_held(const struct shmap_lock *lock)
{
	return true;
}

#define sem_read_held	spin_held
#define sem_write_held	spin_held
#endif

static bool rcu_held(const struct shmap_lock *lock)
{
	return rcu_read_lock_any_held() || spin_held(lock);
}

static void spin_init(struct shmap_lock *lock)
{
	raw_spin_lock_init(&lock->spin);
}

static void spin_enter(struct shmap_lock *lock)
	__acquires(&lock->spin)
{
	raw_spin_lock(&lock->spin);
}

static void spin_leave(struct shmap_lock *lock)
	__releases(&lock->spin)
{
	raw_spin_unlock(&lock->spin);
}

static void sem_init(struct shmap_lock *lock)
{
	init_rwsem(&lock->sem);
	atomic_set(&lock->wanted, 0);
	init_swait_queue_head(&lock->readers);
	init_swait_queue_head(&lock->writers);
}

/*
 * No task waits in the semaphore's own queue: the semaphore would be handed to a waiter,
 * and held by it, before that one has a CPU.  A task that does not get the semaphore at
 * once sleeps until a holder leaves, and then tries again, with preemption off.
 *
 * A holder that leaves wakes the sleepers before it enables preemption: if it were
 * preempted before that, they would sleep on.  So they sleep on simple wait queues, which
 * may be woken with preemption off on PREEMPT_RT as well.
 */
static void wake(struct swait_queue_head *queue)
{
	if (unlikely(swait_active(queue)))
		swake_up_all(queue);
}

/* Wake the tasks that wait for a holder to leave. */
static void sem_wake(struct shmap_lock *lock)
{
	/* Before it looks for waiters: pairs with set_current_state() on their way to sleep. */
	smp_mb();
	wake(&lock->readers);
	wake(&lock->writers);
}

static bool sem_try_shared(struct shmap_lock *lock)
{
	preempt_disable();
	if (likely(!atomic_read(&lock->wanted) &&
		   down_read_trylock(&lock->sem)))
		return true;
	preempt_enable();
	return false;
}

static void sem_enter_shared(struct shmap_lock *lock)
{
	might_sleep();
	swait_event_exclusive(lock->readers, sem_try_shared(lock));
}

static void sem_leave_shared(struct shmap_lock *lock)
{
	up_read(&lock->sem);
	sem_wake(lock);
	preempt_enable();
}

/*
 * Readers that overlap would leave no gap, so none begins while a writer looks for
 * one.  The writer keeps its CPU meanwhile, and so do the readers that it waits for.
 */
static noinline bool sem_find_gap(struct shmap_lock *lock)
{
	unsigned int looks = GAP_LOOKS;
	bool found = false;

	atomic_inc(&lock->wanted);
	while (!found && looks--) {
		cpu_relax();
		found = down_write_trylock(&lock->sem);
	}
	atomic_dec(&lock->wanted);
	return found;
}

static bool sem_try(struct shmap_lock *lock)
{
	preempt_disable();
	if (likely(down_write_trylock(&lock->sem)) || sem_find_gap(lock))
		return true;
	/*
	 * Readers may have gone to sleep because lock->wanted was not 0.  The barrier pairs
	 * as in sem_wake().  Writers are not woken: this task would wake itself as well,
	 * and would never sleep.
	 */
	smp_mb();
	wake(&lock->readers);
	preempt_enable();
	return false;
}

static void sem_enter(struct shmap_lock *lock)
{
	might_sleep();
	swait_event_exclusive(lock->writers, sem_try(lock));
}

static void sem_leave(struct shmap_lock *lock)
{
	up_write(&lock->sem);
	sem_wake(lock);
	preempt_enable();
}

/**
 * shmap_lock_rcu - enter a read-side critical section, as rcu mode's readers
 * @lock: not used
 *
 * Context: any; nothing may sleep until shmap_lock_unrcu().
 */
void shmap_lock_rcu(struct shmap_lock *lock)
	__acquires(RCU_SCHED)
{
	rcu_read_lock_sched();
}

/**
 * shmap_lock_unrcu - leave the read-side critical section
 * @lock: not used
 *
 * Context: as shmap_lock_rcu() left it.
 */
void shmap_lock_unrcu(struct shmap_lock *lock)
	__releases(RCU_SCHED)
{
	rcu_read_unlock_sched();
}

static const struct shmap_lock_ops modes[] = {
	{
		.name		= "spinlock",
		.writers_spin	= true,
		.init		= spin_init,
		.read_enter	= spin_enter,
		.read_leave	= spin_leave,
		.write_enter	= spin_enter,
		.write_leave	= spin_leave,
		.read_held	= spin_held,
		.write_held	= spin_held,
	}, {
		.name		= "rwsem",
		.init		= sem_init,
		.read_enter	= sem_enter_shared,
		.read_leave	= sem_leave_shared,
		.write_enter	= sem_enter,
		.write_leave	= sem_leave,
		.read_held	= sem_read_held,
		.write_held	= sem_write_held,
	}, {
		.name		= "rcu",
		.writers_spin	= true,
		.lockless_reads	= true,
		.init		= spin_init,
		.read_enter	= shmap_lock_rcu,
		.read_leave	= shmap_lock_unrcu,
		.write_enter	= spin_enter,
		.write_leave	= spin_leave,
		.read_held	= rcu_held,
		.write_held	= spin_held,
	},
};

/**
 * shmap_lock_find - look a lock mode up by its name
 * @name: one of SHMAP_LOCK_NAMES
 *
 * Context: any.
 * Return: the lock mode, or NULL.
 */
const struct shmap_lock_ops *shmap_lock_find(const char *name)
{
	size_t i;

	for (i = 0; i < ARRAY_SIZE(modes); i++)
		if (!strcmp(name, modes[i].name))
			return &modes[i];
	return NULL;
}
