/* SPDX-License-Identifier: GPL-2.0-only */
/* How tests drive the shims under the module's sources. */
#ifndef SHIM_H
#define SHIM_H

#include <linux/types.h>

/* Memory: every attempt to allocate anything counts; see memory.c, page.c. */
void shim_fail_nth(u64 nth);
void shim_fail_from(u64 nth);
u64 shim_attempts(void);
bool shim_may_allocate(const char *what);
long shim_bytes_out(void);
void shim_bytes_count(long bytes);
void shim_pages_reserve(u64 bytes);
u64 shim_pages_peak(void);
bool shim_page_is_linear(const void *mem);

/* RCU: see rcu.c. */
void shim_rcu_by_hand(bool by_hand);
void shim_rcu_pass(void);
void shim_rcu_miss(unsigned int times);
void shim_rcu_hold(bool yes);

/* Delayed work, see work.c: run what is due in so many jiffies. */
unsigned int shim_work_pass(unsigned long jiffies);

/* Mappings of the window, see inode.c. */
struct inode;
struct vm_area_struct;
void shim_inode_map(struct inode *inode, struct vm_area_struct *vma);
u64 shim_inode_unmapped(const struct inode *inode);

/* Steps under locks, where they are counted: see lock.c, steps.c. */
extern __thread u64 shim_steps;
extern unsigned int shim_spins;
u64 shim_longest(const char *site);
void shim_longest_forget(void);
void shim_section_begins(u64 *since);
void shim_section_ends(const char *name, u64 since);

/* User memory: see user.c. */
#define SHIM_USER_NO_READ	1u
#define SHIM_USER_NO_WRITE	2u
#define SHIM_USER_ABSENT	4u

extern __thread void (*shim_user_wait)(void);
void shim_user_forbid(unsigned int number, const void *at, size_t n,
		      unsigned int what);
void shim_user_only(const void *at, size_t n);
void shim_user_fail_nth(u64 nth);
bool shim_user_failed(bool *write);

/* What happens after each marked store of this thread: a reader between two steps. */
extern __thread void (*shim_stored)(void);

/* A thread calls this first when it counts for another CPU than 0. */
void shim_set_cpu(unsigned int cpu);

/* Random numbers of the whole run. */
void shim_seed(u64 seed);

/* Fail the test at once: something that the kernel would not forgive. */
void shim_fail(const char *file, int line, const char *what);

#endif /* SHIM_H */
