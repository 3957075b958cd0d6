/* SPDX-License-Identifier: GPL-2.0-only */
/* Assertions about locks, and the checker behind them; see ../lock.c. */
#ifndef SHIM_LOCKDEP_H
#define SHIM_LOCKDEP_H

#include <linux/compiler.h>

/* The assertions of lock.c are compiled, as on a kernel that has lockdep. */
#define CONFIG_LOCKDEP 1

/**
 * struct shim_check - what the checker knows of a lock
 * @class: stands for all locks that were initialised in one place
 */
struct shim_check {
	unsigned int class;
};

bool shim_lock_held(const void *lock, int shared);
void shim_fail(const char *file, int line, const char *what);

/* The second argument of lockdep_is_held_type(): 0 as the writer. */
#define lockdep_is_held(lock)		shim_lock_held(lock, -1)
#define lockdep_is_held_type(lock, how)	shim_lock_held(lock, how)
#define lockdep_assert(x) \
	((x) ? (void)0 : shim_fail(__FILE__, __LINE__, "not held: " #x))
#define lockdep_assert_held(lock)	lockdep_assert(lockdep_is_held(lock))

#define WARN_ON_ONCE(x) \
	((x) ? shim_fail(__FILE__, __LINE__, "warning: " #x) : (void)0)

#endif /* SHIM_LOCKDEP_H */
