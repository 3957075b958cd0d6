/* SPDX-License-Identifier: GPL-2.0-only */
/* Control groups: only which one the task is in. */
#ifndef SHIM_CGROUP_H
#define SHIM_CGROUP_H

#include <linux/types.h>

#define CONFIG_MEMCG		1

struct cgroup_subsys_state {
	u64	serial_nr;
};

/* The group of this thread; tests change it. */
extern __thread struct cgroup_subsys_state shim_group;

#define task_css_check(task, id, condition)	(&shim_group)

#endif /* SHIM_CGROUP_H */
