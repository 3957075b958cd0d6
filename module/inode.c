// SPDX-License-Identifier: GPL-2.0-only
/*
 * The inode that the mappings of a map's window belong to.
 *
 * A device can have many nodes, each with an inode and mappings of its own.  So that
 * all mappings of a window are found, each map has one inode, in a file system that nobody
 * can mount, and all of its files use the mappings of that inode.
 */
#include <linux/err.h>
#include <linux/fs.h>
#include <linux/mm.h>
#include <linux/mount.h>
#include <linux/pseudo_fs.h>

#include "inode.h"

#define MAGIC	0x6b6d6170	/* "kmap" */

static int init_context(struct fs_context *fc)
{
	return init_pseudo(fc, MAGIC) ? 0 : -ENOMEM;
}

/* Without an owner: it would keep the module for ever, and is unmounted before it goes. */
static struct file_system_type pseudo_fs = {
	.name			= "kmap",
	.init_fs_context	= init_context,
	.kill_sb		= kill_anon_super,
};

static struct vfsmount *pseudo_mount;

/**
 * shmap_inode_start - prepare to make inodes
 *
 * Context: may sleep.
 * Return: 0 or a negative errno.
 */
int shmap_inode_start(void)
{
	pseudo_mount = kern_mount(&pseudo_fs);
	return PTR_ERR_OR_ZERO(pseudo_mount);
}

/**
 * shmap_inode_stop - undo shmap_inode_start(); there is no inode any more
 *
 * Context: may sleep.
 */
void shmap_inode_stop(void)
{
	kern_unmount(pseudo_mount);
}

/**
 * shmap_inode_create - make an inode
 *
 * Context: may sleep.
 * Return: the inode, or an ERR_PTR().
 */
struct inode *shmap_inode_create(void)
{
	return alloc_anon_inode(pseudo_mount->mnt_sb);
}

/**
 * shmap_inode_put - free an inode
 * @inode: the inode, or NULL; no file uses it
 *
 * Context: may sleep.
 */
void shmap_inode_put(struct inode *inode)
{
	iput(inode);
}

/**
 * shmap_inode_open - let the mappings of a file belong to an inode
 * @inode: the inode, which must outlive the file
 * @filp: the file, which is being opened
 *
 * Context: any.
 */
void shmap_inode_open(struct inode *inode, struct file *filp)
{
	filp->f_mapping = inode->i_mapping;
}

/**
 * shmap_inode_unmap - take a part of the window away from all mappings
 * @inode: the map's inode
 * @at: offset of the part
 * @bytes: its length
 *
 * The next access there is a page fault.
 *
 * Context: may sleep, and waits for a client that is about to map or unmap the window: for
 * the keeper only.
 */
void shmap_inode_unmap(struct inode *inode, u64 at, u64 bytes)
{
	unmap_mapping_range(inode->i_mapping, at, bytes, 1);
}
