/* SPDX-License-Identifier: GPL-2.0-only */
/* Fatal signals. */
#ifndef SHIM_SCHED_SIGNAL_H
#define SHIM_SCHED_SIGNAL_H

#include <linux/sched.h>

static inline bool fatal_signal_pending(struct task_struct *task)
{
	return READ_ONCE(task->killed);
}

/* There are no others, nor the lists that module/fatal.c looks through. */
static inline bool signal_pending(struct task_struct *task)
{
	return fatal_signal_pending(task);
}

#endif /* SHIM_SCHED_SIGNAL_H */
