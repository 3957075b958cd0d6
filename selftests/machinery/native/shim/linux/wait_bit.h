/* SPDX-License-Identifier: GPL-2.0-only */
/* Waiting for a condition of a variable: whoever waits looks again and again. */
#ifndef SHIM_WAIT_BIT_H
#define SHIM_WAIT_BIT_H

#include <sched.h>

#define wait_var_event(var, condition) \
do { \
	(void)(var); \
	while (!(condition)) \
		sched_yield(); \
} while (0)

static inline void wake_up_var(void *var)
{
	(void)var;
}

#endif /* SHIM_WAIT_BIT_H */
