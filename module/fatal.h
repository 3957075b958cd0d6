/* SPDX-License-Identifier: GPL-2.0-only */
/* Is the caller about to be ended?  See fatal.c. */
#ifndef SHMAP_FATAL_H
#define SHMAP_FATAL_H

#include <linux/compiler.h>
#include <linux/sched/signal.h>

bool shmap_fatal_among(void);

/**
 * shmap_fatal_pending - is a signal pending that ends the process?
 *
 * For what takes long and can be left off: fatal_signal_pending() does not know of
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
