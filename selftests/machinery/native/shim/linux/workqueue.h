/* SPDX-License-Identifier: GPL-2.0-only */
/* Delayed work, whose time passes when a test says so; see ../work.c. */
#ifndef SHIM_WORKQUEUE_H
#define SHIM_WORKQUEUE_H

#include <linux/compiler.h>
#include <linux/jiffies.h>

struct work_struct;

typedef void (*work_func_t)(struct work_struct *work);

struct work_struct {
	work_func_t		function;
};

/**
 * struct delayed_work - work that is due later
 * @work: the work
 * @pending: it is queued
 * @due: in so many jiffies
 */
struct delayed_work {
	struct work_struct	work;
	bool			pending;
	unsigned long		due;
};

struct workqueue_struct;

#define WQ_UNBOUND	1
#define WQ_MEM_RECLAIM	2

#define INIT_DELAYED_WORK(delayed, f) \
	(*(delayed) = (struct delayed_work) { .work.function = (f) })

static inline struct delayed_work *to_delayed_work(struct work_struct *work)
{
	return container_of(work, struct delayed_work, work);
}

static inline bool delayed_work_pending(const struct delayed_work *delayed)
{
	return __atomic_load_n(&delayed->pending, __ATOMIC_RELAXED);
}

struct workqueue_struct *alloc_workqueue(const char *name, unsigned int flags,
					 int most);
void destroy_workqueue(struct workqueue_struct *queue);
bool queue_delayed_work(struct workqueue_struct *queue,
			struct delayed_work *delayed, unsigned long delay);
bool mod_delayed_work(struct workqueue_struct *queue,
		      struct delayed_work *delayed, unsigned long delay);
bool cancel_delayed_work_sync(struct delayed_work *delayed);

#endif /* SHIM_WORKQUEUE_H */
