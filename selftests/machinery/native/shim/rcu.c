// SPDX-License-Identifier: GPL-2.0-only
/*
 * RCU: on liburcu with a thread that carries out the grace periods asked for, or
 * by hand, where a test with one thread says when one is over, so that the test
 * can be repeated exactly.
 *
 * liburcu 0.13 has no polling, so that is here.  By hand, the grace periods that
 * were asked for end when somebody sleeps for a while, unless shim_rcu_miss() or
 * shim_rcu_hold() says otherwise.
 *
 * ThreadSanitizer cannot see into liburcu, so it is told: what was done in a
 * read-side critical section is before what follows a grace period.
 */
#include <pthread.h>
#include <unistd.h>
#include <urcu/urcu-bp.h>
/* The short names are ours. */
#include <urcu/map/clear.h>

#include <linux/lockdep.h>
#include <linux/rcupdate.h>

#include "shim.h"

#ifdef SHIM_TSAN
#include <sanitizer/tsan_interface.h>
static char readers;
#define readers_left()	__tsan_release(&readers)
#define readers_gone()	__tsan_acquire(&readers)
#else
#define readers_left()
#define readers_gone()
#endif

static bool by_hand = true;
static unsigned int miss;
static bool hold;

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static bool running;		/* the thread; it goes when there is no more */
static unsigned long begun;	/* grace periods */
static unsigned long wanted;	/* the last one asked for */
static unsigned long done;

/**
 * shim_rcu_by_hand - choose how grace periods pass
 * @yes: by hand, else with a thread
 */
void shim_rcu_by_hand(bool yes)
{
	by_hand = yes;
}

/**
 * shim_rcu_pass - by hand: let all grace periods that were asked for pass
 */
void shim_rcu_pass(void)
{
	begun = wanted;
	__atomic_store_n(&done, wanted, __ATOMIC_RELEASE);
}

/**
 * shim_rcu_miss - by hand: let somebody sleep and no grace period end meanwhile
 * @times: how many times
 */
void shim_rcu_miss(unsigned int times)
{
	miss = times;
}

static __thread u64 section;

void rcu_read_lock(void)
{
	if (!by_hand)
		urcu_bp_read_lock();
	if (!current->reading++)
		shim_section_begins(&section);
	current->atomic++;
}

void rcu_read_unlock(void)
{
	if (!current->reading)
		shim_fail(__FILE__, __LINE__, "not in a read-side critical section");
	if (!--current->reading)
		shim_section_ends("rcu", section);
	current->atomic--;
	readers_left();
	if (!by_hand)
		urcu_bp_read_unlock();
}

/**
 * shim_rcu_hold - by hand: let no grace period end
 * @yes: none, else as they do
 */
void shim_rcu_hold(bool yes)
{
	hold = yes;
}

/**
 * shim_tick - sleep for a little while
 */
void shim_tick(void)
{
	might_sleep();
	if (!by_hand || hold)
		usleep(1000);
	else if (miss)
		miss--;
	else
		shim_rcu_pass();
}

static void *carry_out(void *unused)
{
	unsigned long now;

	pthread_mutex_lock(&lock);
	while (done < wanted) {
		now = ++begun;
		pthread_mutex_unlock(&lock);
		urcu_bp_synchronize_rcu();
		readers_gone();
		pthread_mutex_lock(&lock);
		__atomic_store_n(&done, now, __ATOMIC_RELEASE);
	}
	running = false;
	pthread_mutex_unlock(&lock);
	return unused;
}

/* Waits for readers of other threads only, whoever passes the other grace periods. */
void synchronize_rcu(void)
{
	urcu_bp_synchronize_rcu();
}

unsigned long start_poll_synchronize_rcu(void)
{
	unsigned long cookie;
	pthread_t thread;

	/* The next to begin, since the one that runs may not see us. */
	pthread_mutex_lock(&lock);
	cookie = begun + 1;
	wanted = cookie;
	if (!by_hand && !running) {
		running = true;
		if (pthread_create(&thread, NULL, carry_out, NULL) ||
		    pthread_detach(thread))
			shim_fail(__FILE__, __LINE__, "no thread");
	}
	pthread_mutex_unlock(&lock);
	return cookie;
}

bool poll_state_synchronize_rcu(unsigned long cookie)
{
	return __atomic_load_n(&done, __ATOMIC_ACQUIRE) >= cookie;
}
