/* SPDX-License-Identifier: GPL-2.0-only */
/* A semaphore for readers and writers, which nobody waits for. */
#ifndef SHIM_RWSEM_H
#define SHIM_RWSEM_H

#include <linux/spinlock.h>

struct rw_semaphore {
	struct shim_check	check;
	pthread_rwlock_t	lock;
};

#define init_rwsem(sem)		shim_rwsem_init(sem, SHIM_SITE)

void shim_rwsem_init(struct rw_semaphore *sem, const char *site);
bool down_read_trylock(struct rw_semaphore *sem);
bool down_write_trylock(struct rw_semaphore *sem);
void up_read(struct rw_semaphore *sem);
void up_write(struct rw_semaphore *sem);

#endif /* SHIM_RWSEM_H */
