/* SPDX-License-Identifier: GPL-2.0-only */
/* Waiting for a condition, until it holds or a fatal signal comes. */
#ifndef SHIM_WAIT_H
#define SHIM_WAIT_H

#include <pthread.h>

#include <linux/sched/signal.h>

typedef struct {
	pthread_mutex_t		mutex;
	pthread_cond_t		changed;
} wait_queue_head_t;

void init_waitqueue_head(wait_queue_head_t *queue);
void wake_up_all(wait_queue_head_t *queue);

/* Who makes the condition true wakes the queue after that. */
#define wait_event_killable(queue, condition) \
({ \
	int _r = 0; \
	might_sleep(); \
	pthread_mutex_lock(&(queue).mutex); \
	while (!(condition)) { \
		if (fatal_signal_pending(current)) { \
			_r = -EINTR; \
			break; \
		} \
		pthread_cond_wait(&(queue).changed, &(queue).mutex); \
	} \
	pthread_mutex_unlock(&(queue).mutex); \
	_r; \
})

#endif /* SHIM_WAIT_H */
