// SPDX-License-Identifier: GPL-2.0-only
/*
 * Delayed work.  Its time passes when the test says so, in the test's own thread,
 * so that what happens does not depend on how fast anything is.  Any thread may
 * queue some.
 */
#include <pthread.h>
#include <sched.h>

#include <linux/sched.h>
#include <linux/workqueue.h>

#include "shim.h"

#define WORKS	8

struct workqueue_struct {
	const char *name;
};

/* The only one, so that it is no memory of a test's. */
static struct workqueue_struct the_queue;

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static struct delayed_work *works[WORKS];
static struct delayed_work *running;

/**
 * alloc_workqueue - make a queue
 * @name: of it
 * @flags: not used
 * @most: not used
 *
 * Return: the queue.
 */
struct workqueue_struct *alloc_workqueue(const char *name, unsigned int flags,
					 int most)
{
	the_queue.name = name;
	return &the_queue;
}

void destroy_workqueue(struct workqueue_struct *queue)
{
	unsigned int i;

	for (i = 0; i < WORKS; i++)
		if (works[i])
			shim_fail(__FILE__, __LINE__, "work is left");
}

static bool enqueue(struct workqueue_struct *queue, struct delayed_work *delayed,
		    unsigned long delay, bool again)
{
	unsigned int i;
	bool queued;

	if (!queue)
		shim_fail(__FILE__, __LINE__, "no queue");
	pthread_mutex_lock(&lock);
	queued = !delayed->pending;
	if (!queued && again) {
		delayed->due = delay;
	} else if (queued) {
		for (i = 0; i < WORKS && works[i]; i++)
			;
		if (i == WORKS)
			shim_fail(__FILE__, __LINE__, "too much work");
		works[i] = delayed;
		delayed->due = delay;
		__atomic_store_n(&delayed->pending, true, __ATOMIC_RELAXED);
	}
	pthread_mutex_unlock(&lock);
	return queued;
}

bool queue_delayed_work(struct workqueue_struct *queue,
			struct delayed_work *delayed, unsigned long delay)
{
	return enqueue(queue, delayed, delay, false);
}

bool mod_delayed_work(struct workqueue_struct *queue,
		      struct delayed_work *delayed, unsigned long delay)
{
	/* Work is due in a jiffy at least, as time only passes between two of them. */
	return !enqueue(queue, delayed, delay ?: 1, true);
}

static void dequeue(unsigned int i)
{
	__atomic_store_n(&works[i]->pending, false, __ATOMIC_RELAXED);
	works[i] = NULL;
}

bool cancel_delayed_work_sync(struct delayed_work *delayed)
{
	bool found = false;
	unsigned int i;

	might_sleep();
	pthread_mutex_lock(&lock);
	while (running == delayed) {
		pthread_mutex_unlock(&lock);
		sched_yield();
		pthread_mutex_lock(&lock);
	}
	for (i = 0; i < WORKS; i++)
		if (works[i] == delayed) {
			dequeue(i);
			found = true;
		}
	pthread_mutex_unlock(&lock);
	return found;
}

/**
 * shim_work_pass - let time pass
 * @jiffies: how much
 *
 * Return: how many times work was due, and run.
 */
unsigned int shim_work_pass(unsigned long jiffies)
{
	unsigned int ran = 0, i;

	pthread_mutex_lock(&lock);
	for (; jiffies; jiffies--) {
		for (i = 0; i < WORKS; i++) {
			struct delayed_work *delayed = works[i];

			if (!delayed || --delayed->due)
				continue;
			dequeue(i);
			running = delayed;
			pthread_mutex_unlock(&lock);
			delayed->work.function(&delayed->work);
			pthread_mutex_lock(&lock);
			running = NULL;
			ran++;
		}
	}
	pthread_mutex_unlock(&lock);
	return ran;
}
