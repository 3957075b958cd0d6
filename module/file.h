/* SPDX-License-Identifier: GPL-2.0-only */
/* An open file of a map; see file.c. */
#ifndef SHMAP_FILE_H
#define SHMAP_FILE_H

#include <linux/fs.h>

#include "map_types.h"

int shmap_file_open(struct inode *inode, struct file *filp,
		    struct shmap_map *map);
int shmap_file_release(struct inode *inode, struct file *filp);
int shmap_file_mmap(struct file *filp, struct vm_area_struct *vma);

#endif /* SHMAP_FILE_H */
