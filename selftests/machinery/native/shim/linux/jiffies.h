/* SPDX-License-Identifier: GPL-2.0-only */
/* Time as work counts it; see ../work.c. */
#ifndef SHIM_JIFFIES_H
#define SHIM_JIFFIES_H

#define HZ	250

#endif /* SHIM_JIFFIES_H */
