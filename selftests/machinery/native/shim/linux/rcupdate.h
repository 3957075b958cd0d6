/* SPDX-License-Identifier: GPL-2.0-only */
/* RCU on liburcu, or by hand; see ../rcu.c. */
#ifndef SHIM_RCUPDATE_H
#define SHIM_RCUPDATE_H

#include <linux/sched.h>

void rcu_read_lock(void);
void rcu_read_unlock(void);

/* One kind of readers is as good as the other. */
#define rcu_read_lock_sched()	rcu_read_lock()
#define rcu_read_unlock_sched()	rcu_read_unlock()

void synchronize_rcu(void);
unsigned long start_poll_synchronize_rcu(void);
bool poll_state_synchronize_rcu(unsigned long cookie);

static inline bool rcu_read_lock_any_held(void)
{
	return current->reading;
}

#endif /* SHIM_RCUPDATE_H */
