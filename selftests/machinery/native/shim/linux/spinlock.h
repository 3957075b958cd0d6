/* SPDX-License-Identifier: GPL-2.0-only */
/* A spinlock is a mutex under which nothing may sleep. */
#ifndef SHIM_SPINLOCK_H
#define SHIM_SPINLOCK_H

#include <pthread.h>

#include <linux/lockdep.h>

#define SHIM_TEXT2(x)	#x
#define SHIM_TEXT(x)	SHIM_TEXT2(x)
#define SHIM_SITE	__FILE__ ":" SHIM_TEXT(__LINE__)

typedef struct {
	struct shim_check	check;
	pthread_mutex_t		mutex;
} spinlock_t;

#define spin_lock_init(lock)	shim_spin_init(lock, SHIM_SITE)

void shim_spin_init(spinlock_t *lock, const char *site);
void spin_lock(spinlock_t *lock);
void spin_unlock(spinlock_t *lock);

#endif /* SHIM_SPINLOCK_H */
