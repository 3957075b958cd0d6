/* SPDX-License-Identifier: GPL-2.0-only */
/* Is the caller about to be killed by a signal?  See fatal.c. */
#ifndef SHMAP_FATAL_H
#define SHMAP_FATAL_H

#include <linux/compiler.h>
#include <linux/sched/signal.h>

bool shmap_fatal_among(void);

/**
 * shmap_fatal_pending - is a signal pending that kills the process?
 *
 * For operations that take long and may end early: fatal_signal_pending() does not see
 * signals that dump core.
 *
 * Context: may sleep.
 * Return: true if so.
 */
static inline bool shmap_fatal_pending(void)
{
	return unlikely(signal_pending(current)) && shmap_fatal_among();
}

#endif /* SHMAP_FATAL_H */
