// SPDX-License-Identifier: GPL-2.0-only
/*
 * Locks, and a checker of their rules.
 *
 * All locks that are initialised in one place are one class.  The checker fails
 * the test when a thread takes two locks of a class, when two classes are taken
 * in either order, when a lock is given up by who does not hold it, and when
 * something that may sleep is called where nothing may: under a spinlock, under
 * a semaphore (the module holds itself to the strictest lock mode's rules), in
 * a read-side critical section, and with preemption off.
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include <linux/cgroup.h>
#include <linux/preempt.h>
#include <linux/rwsem.h>
#include <linux/sched.h>

#include "fatal.h"
#include "shim.h"

#define CLASSES		32
#define HELD		8

__thread struct task_struct shim_task;
__thread struct cgroup_subsys_state shim_group;
__thread void (*shim_relax)(void);
__thread void (*shim_stored)(void);
__thread u64 shim_exchanges;
/* How often a spinlock is tried before its waiter sleeps, where times are measured. */
unsigned int shim_spins;

static __thread struct held {
	const void *lock;
	unsigned int class;
	bool shared;
	u64 steps;		/* of the thread, when it took it */
} held[HELD];
static __thread unsigned int held_n;

static pthread_mutex_t classes_lock = PTHREAD_MUTEX_INITIALIZER;
static const char *classes[CLASSES];
/* Bit b of taken_under[a]: b was taken while a was held. */
static u32 taken_under[CLASSES];

/* Steps that this thread has gone; see steps.c. */
__thread u64 shim_steps;
/* The most that anybody held a lock of the class for. */
static u64 longest[CLASSES];

/* In the place of module/fatal.c. */
bool shmap_fatal_among(void)
{
	return fatal_signal_pending(current);
}

void shim_set_cpu(unsigned int cpu)
{
	current->cpu = cpu;
}

void shim_might_sleep(const char *site)
{
	if (current->atomic)
		shim_fail(site, 0, "may sleep where nothing may");
}

void preempt_disable(void)
{
	current->atomic++;
}

void preempt_enable(void)
{
	if (!current->atomic)
		shim_fail(__FILE__, __LINE__, "preemption is not off");
	current->atomic--;
}

/**
 * shim_longest - the longest hold so far
 * @site: a part of the place where the lock is initialised; "rcu" for read-side
 *	critical sections
 *
 * Return: steps; 0 where they are not counted.
 */
u64 shim_longest(const char *site)
{
	unsigned int i;
	u64 most = 0;

	for (i = 0; i < CLASSES && classes[i]; i++)
		if (strstr(classes[i], site) && longest[i] > most)
			most = longest[i];
	return most;
}

/**
 * shim_longest_forget - begin anew with the longest holds
 */
void shim_longest_forget(void)
{
	memset(longest, 0, sizeof(longest));
}

static void hold_ends(unsigned int class, u64 since)
{
	u64 steps = shim_steps - since;
	u64 most = __atomic_load_n(&longest[class], __ATOMIC_RELAXED);

	while (steps > most &&
	       !__atomic_compare_exchange_n(&longest[class], &most, steps,
					    false, __ATOMIC_RELAXED,
					    __ATOMIC_RELAXED))
		;
}

static unsigned int class_of(const char *site)
{
	unsigned int i;

	pthread_mutex_lock(&classes_lock);
	for (i = 0; i < CLASSES && classes[i]; i++)
		if (!strcmp(classes[i], site))
			break;
	if (i == CLASSES)
		shim_fail(__FILE__, __LINE__, "too many classes of locks");
	classes[i] = site;
	pthread_mutex_unlock(&classes_lock);
	return i;
}

static void check_init(struct shim_check *check, const char *site)
{
	check->class = class_of(site);
}

static void check_take(const void *lock, const struct shim_check *check,
		       bool shared)
{
	unsigned int i, class = check->class;

	if (held_n == HELD)
		shim_fail(__FILE__, __LINE__, "too many locks held");
	for (i = 0; i < held_n; i++) {
		unsigned int other = held[i].class;

		if (other == class)
			shim_fail(classes[class], 0, "two locks of one class");
		__atomic_or_fetch(&taken_under[other], 1u << class,
				  __ATOMIC_SEQ_CST);
		if (__atomic_load_n(&taken_under[class], __ATOMIC_SEQ_CST) >>
		    other & 1)
			shim_fail(classes[class], 0, "locks in either order");
	}
	held[held_n++] = (struct held) {
		.lock = lock, .class = class, .shared = shared,
		.steps = shim_steps,
	};
}

static void check_give(const void *lock)
{
	unsigned int i = held_n;

	while (i && held[i - 1].lock != lock)
		i--;
	if (!i)
		shim_fail(__FILE__, __LINE__, "gave up a lock it did not hold");
	hold_ends(held[i - 1].class, held[i - 1].steps);
	for (; i < held_n; i++)
		held[i - 1] = held[i];
	held_n--;
}

/**
 * shim_lock_held - does this thread hold a lock?
 * @lock: the lock
 * @shared: 1 as a reader, 0 as the only one, -1 in whatever way
 *
 * Return: true if so.
 */
bool shim_lock_held(const void *lock, int shared)
{
	unsigned int i;

	for (i = 0; i < held_n; i++)
		if (held[i].lock == lock)
			return shared < 0 || held[i].shared == !!shared;
	return false;
}

/**
 * shim_section_begins - a section begins that is no lock's, but is not to last
 * @since: set to what shim_section_ends() wants
 */
void shim_section_begins(u64 *since)
{
	*since = shim_steps;
}

/**
 * shim_section_ends - it ends
 * @name: of this kind of section, for shim_longest()
 * @since: from shim_section_begins()
 */
void shim_section_ends(const char *name, u64 since)
{
	if (shim_steps != since)
		hold_ends(class_of(name), since);
}

void shim_spin_init(raw_spinlock_t *lock, const char *site)
{
	check_init(&lock->check, site);
	pthread_mutex_init(&lock->mutex, NULL);
}

void raw_spin_lock(raw_spinlock_t *lock)
{
	unsigned int spins = shim_spins;

	check_take(lock, &lock->check, false);
	while (spins && pthread_mutex_trylock(&lock->mutex)) {
		cpu_relax();
		spins--;
	}
	if (!spins)
		pthread_mutex_lock(&lock->mutex);
	current->atomic++;
}

void raw_spin_unlock(raw_spinlock_t *lock)
{
	check_give(lock);
	current->atomic--;
	pthread_mutex_unlock(&lock->mutex);
}

void shim_rwsem_init(struct rw_semaphore *sem, const char *site)
{
	pthread_rwlockattr_t attr;

	check_init(&sem->check, site);
	pthread_rwlockattr_init(&attr);
	/* As in the kernel, readers cannot starve a writer. */
	pthread_rwlockattr_setkind_np(&attr,
				      PTHREAD_RWLOCK_PREFER_WRITER_NONRECURSIVE_NP);
	pthread_rwlock_init(&sem->lock, &attr);
	pthread_rwlockattr_destroy(&attr);
}

static void sem_give(struct rw_semaphore *sem)
{
	check_give(sem);
	current->atomic--;
	pthread_rwlock_unlock(&sem->lock);
}

/* A class taken in the wrong order is wrong also where it is only tried. */
static bool sem_try(struct rw_semaphore *sem, bool shared)
{
	if (shared ? pthread_rwlock_tryrdlock(&sem->lock) :
		     pthread_rwlock_trywrlock(&sem->lock))
		return false;
	check_take(sem, &sem->check, shared);
	current->atomic++;
	return true;
}

bool down_read_trylock(struct rw_semaphore *sem)
{
	return sem_try(sem, true);
}

bool down_write_trylock(struct rw_semaphore *sem)
{
	return sem_try(sem, false);
}

void up_read(struct rw_semaphore *sem)
{
	sem_give(sem);
}

void up_write(struct rw_semaphore *sem)
{
	sem_give(sem);
}
