/* SPDX-License-Identifier: GPL-2.0-only */
/* The thread that runs. */
#ifndef SHIM_SCHED_H
#define SHIM_SCHED_H

#include <sched.h>

#include <linux/compiler.h>

/**
 * struct task_struct - a thread
 * @killed: it got a fatal signal
 * @atomic: how many things it holds that forbid to sleep
 * @reading: depth of rcu_read_lock()
 * @cpu: that it counts for
 * @uid: whose it is
 * @no_faults: how many times page faults are off
 * @access: how user memory is being accessed, SHIM_USER_*
 */
struct task_struct {
	bool		killed;
	unsigned int	atomic;
	unsigned int	reading;
	unsigned int	cpu;
	unsigned int	uid;
	unsigned int	no_faults;
	unsigned int	access;
};

extern __thread struct task_struct shim_task;

#define current		(&shim_task)

/* Fails the test when the thread may not sleep. */
void shim_might_sleep(const char *site);

#define might_sleep()	shim_might_sleep(__FILE__)

/*
 * Called in cpu_relax(), in cond_resched() and before an allocation, where a test
 * sets it: what another thread might do just then.
 */
extern __thread void (*shim_relax)(void);

/* Time passes, and with it grace periods; see ../rcu.c. */
void shim_tick(void);

#define schedule_timeout_killable(ticks)	shim_tick()
#define schedule_timeout_uninterruptible(ticks)	shim_tick()

/* On a machine of few CPUs, the one awaited has to get one. */
static inline void cpu_relax(void)
{
	if (shim_relax)
		shim_relax();
	else
		sched_yield();
}

static inline void cond_resched(void)
{
	might_sleep();
	if (shim_relax)
		shim_relax();
}

#endif /* SHIM_SCHED_H */
