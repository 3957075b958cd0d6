/* SPDX-License-Identifier: GPL-2.0-only */
/* Preemption: only that nothing sleeps while it is off. */
#ifndef SHIM_PREEMPT_H
#define SHIM_PREEMPT_H

void preempt_disable(void);
void preempt_enable(void);

#endif /* SHIM_PREEMPT_H */
