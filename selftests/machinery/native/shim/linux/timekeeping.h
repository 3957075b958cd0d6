/* SPDX-License-Identifier: GPL-2.0-only */
/* The time of day. */
#ifndef SHIM_TIMEKEEPING_H
#define SHIM_TIMEKEEPING_H

#include <time.h>

#include <linux/types.h>

static inline u64 ktime_get_real_ns(void)
{
	struct timespec now;

	clock_gettime(CLOCK_REALTIME, &now);
	return now.tv_sec * 1000000000ull + now.tv_nsec;
}

#endif /* SHIM_TIMEKEEPING_H */
