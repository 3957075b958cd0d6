/* SPDX-License-Identifier: GPL-2.0-only */
/* Whose thread it is that runs. */
#ifndef SHIM_CRED_H
#define SHIM_CRED_H

#include <linux/sched.h>
#include <linux/uidgid.h>

static inline kuid_t current_euid(void)
{
	return (kuid_t){ current->uid };
}

#endif /* SHIM_CRED_H */
