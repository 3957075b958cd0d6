/* SPDX-License-Identifier: GPL-2.0-only */
/* Open files, as far as file.c and ops.c look at them. */
#ifndef SHIM_FS_H
#define SHIM_FS_H

#include <linux/types.h>

typedef unsigned int fmode_t;

#define FMODE_READ	0x1u
#define FMODE_WRITE	0x2u

struct inode;

struct file {
	fmode_t	f_mode;
	void	*private_data;
};

static inline int nonseekable_open(struct inode *inode, struct file *filp)
{
	return 0;
}

#endif /* SHIM_FS_H */
