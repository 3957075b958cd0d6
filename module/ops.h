/* SPDX-License-Identifier: GPL-2.0-only */
/* The ioctls; see ops.c. */
#ifndef SHMAP_OPS_H
#define SHMAP_OPS_H

#include <linux/fs.h>

long shmap_ops_ioctl(struct file *filp, unsigned int cmd, unsigned long arg);

#endif /* SHMAP_OPS_H */
