/* SPDX-License-Identifier: GPL-2.0-only */
/* A raw spinlock is a mutex under which nothing may sleep. */
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
} raw_spinlock_t;

#define raw_spin_lock_init(lock)	shim_spin_init(lock, SHIM_SITE)

void shim_spin_init(raw_spinlock_t *lock, const char *site);
void raw_spin_lock(raw_spinlock_t *lock);
void raw_spin_unlock(raw_spinlock_t *lock);

#endif /* SHIM_SPINLOCK_H */
