// SPDX-License-Identifier: GPL-2.0-only
/*
 * An open file of a map.  Its rights are set when it is opened.
 *
 * Which map a file belongs to is known to the code that has the file operations
 * (device.c); all else is the same for all files.
 */
#include <linux/slab.h>

#include "call.h"
#include "file.h"
#include "inode.h"
#include "map.h"
#include "window.h"

/**
 * shmap_file_open - open a file of a map
 * @inode: as ->open() got it
 * @filp: as ->open() got it
 * @map: the map; the file takes a reference
 *
 * Context: may sleep.
 * Return: 0 or -ENOMEM.
 */
int shmap_file_open(struct inode *inode, struct file *filp,
		    struct shmap_map *map)
{
	struct shmap_file *file = kmalloc(sizeof(*file), GFP_KERNEL_ACCOUNT);

	if (!file)
		return -ENOMEM;
	file->map = shmap_map_get(map);
	file->rights = 0;
	if (filp->f_mode & FMODE_READ)
		file->rights |= SHMAP_MAY_READ;
	if (filp->f_mode & FMODE_WRITE)
		file->rights |= SHMAP_MAY_WRITE;
	filp->private_data = file;
	shmap_inode_open(map->inode, filp);
	return nonseekable_open(inode, filp);
}

/**
 * shmap_file_release - ->release() of a file of a map
 * @inode: ignored
 * @filp: the file; neither a call nor a mapping uses it any more
 *
 * Context: may sleep.
 * Return: 0.
 */
int shmap_file_release(struct inode *inode, struct file *filp)
{
	struct shmap_file *file = filp->private_data;

	shmap_map_put(file->map);
	kfree(file);
	return 0;
}

/**
 * shmap_file_mmap - ->mmap() of a file of a map
 * @filp: the file; it is open for reading, which the kernel has checked
 * @vma: the mapping that is to be made
 *
 * Context: may sleep; the caller holds mmap_lock.
 * Return: as shmap_window_mmap().
 */
int shmap_file_mmap(struct file *filp, struct vm_area_struct *vma)
{
	const struct shmap_file *file = filp->private_data;

	return shmap_window_mmap(file->map, vma);
}
