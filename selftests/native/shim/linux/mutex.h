/* SPDX-License-Identifier: GPL-2.0-only */
/* A lock that sleeps. */
#ifndef SHIM_MUTEX_H
#define SHIM_MUTEX_H

#include <linux/spinlock.h>

struct mutex {
	struct shim_check	check;
	pthread_mutex_t		mutex;
};

#define mutex_init(mutex)	shim_mutex_init(mutex, SHIM_SITE)

void shim_mutex_init(struct mutex *mutex, const char *site);
int mutex_lock_killable(struct mutex *mutex);
void mutex_unlock(struct mutex *mutex);

#endif /* SHIM_MUTEX_H */
