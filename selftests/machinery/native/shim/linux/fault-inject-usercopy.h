/* SPDX-License-Identifier: GPL-2.0-only */
/* User copies that fail when a test says so; see ../user.c. */
#ifndef SHIM_FAULT_INJECT_USERCOPY_H
#define SHIM_FAULT_INJECT_USERCOPY_H

#include <linux/types.h>

bool should_fail_usercopy(void);

#endif /* SHIM_FAULT_INJECT_USERCOPY_H */
