/* SPDX-License-Identifier: GPL-2.0-only */
/* The inode that the mappings of a map's window belong to; see inode.c. */
#ifndef SHMAP_INODE_H
#define SHMAP_INODE_H

#include <linux/types.h>

struct file;
struct inode;

int shmap_inode_start(void);
void shmap_inode_stop(void);
struct inode *shmap_inode_create(void);
void shmap_inode_put(struct inode *inode);
void shmap_inode_open(struct inode *inode, struct file *filp);
void shmap_inode_unmap(struct inode *inode, u64 at, u64 bytes);

#endif /* SHMAP_INODE_H */
