/* SPDX-License-Identifier: GPL-2.0-only */
/* Simple wait queues: whoever waits looks again and again. */
#ifndef SHIM_SWAIT_H
#define SHIM_SWAIT_H

#include <sched.h>
#include <stdbool.h>

struct swait_queue_head {
	char	unused;
};

#define swait_event_exclusive(queue, condition) \
do { \
	(void)&(queue); \
	while (!(condition)) \
		sched_yield(); \
} while (0)

static inline void init_swait_queue_head(struct swait_queue_head *queue)
{
	queue->unused = 0;
}

static inline bool swait_active(struct swait_queue_head *queue)
{
	(void)queue;
	return false;
}

static inline void swake_up_all(struct swait_queue_head *queue)
{
	(void)queue;
}

#endif /* SHIM_SWAIT_H */
