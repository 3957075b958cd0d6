// SPDX-License-Identifier: GPL-2.0-only
/*
 * In the place of module/inode.c: an inode that knows the one mapping of a window that a
 * test has, see ../reader_window.c.
 */
#include <pthread.h>
#include <sys/mman.h>

#include <linux/err.h>
#include <linux/mm.h>
#include <linux/sched.h>
#include <linux/slab.h>

#include "inode.h"
#include "shim.h"

/**
 * struct inode - what the mappings of a window belong to
 * @vma: the mapping, or NULL
 * @unmapped: bytes that were taken away from it
 */
struct inode {
	struct vm_area_struct	*vma;
	u64			unmapped;
};

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;

struct inode *shmap_inode_create(void)
{
	struct inode *inode = kzalloc(sizeof(*inode), 0);

	return inode ?: ERR_PTR(-ENOMEM);
}

void shmap_inode_put(struct inode *inode)
{
	kfree(inode);
}

void shmap_inode_open(struct inode *inode, struct file *filp)
{
}

/**
 * shim_inode_map - let a mapping of a whole window belong to an inode
 * @inode: the inode
 * @vma: the mapping, or NULL when it is gone
 */
void shim_inode_map(struct inode *inode, struct vm_area_struct *vma)
{
	pthread_mutex_lock(&lock);
	inode->vma = vma;
	pthread_mutex_unlock(&lock);
}

/**
 * shim_inode_unmapped - how much has been taken away
 * @inode: the inode
 *
 * Return: bytes since the inode was made.
 */
u64 shim_inode_unmapped(const struct inode *inode)
{
	return inode->unmapped;
}

void shmap_inode_unmap(struct inode *inode, u64 at, u64 bytes)
{
	shim_might_sleep(__func__);
	pthread_mutex_lock(&lock);
	inode->unmapped += bytes;
	if (inode->vma &&
	    mmap((void *)inode->vma->vm_start + at, bytes, PROT_NONE,
		 MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE | MAP_FIXED, -1,
		 0) == MAP_FAILED)
		shim_fail(__FILE__, __LINE__, "a mapping stays");
	pthread_mutex_unlock(&lock);
}
