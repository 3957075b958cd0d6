/* SPDX-License-Identifier: GPL-2.0-only */
/* Small memory; see ../memory.c. */
#ifndef SHIM_SLAB_H
#define SHIM_SLAB_H

#include <linux/mm.h>
#include <linux/string.h>

void *shim_alloc(size_t n, size_t size, gfp_t gfp);
void kfree(const void *mem);

#define kmalloc(size, gfp)		shim_alloc(1, size, gfp)
#define kzalloc(size, gfp)		shim_alloc(1, size, (gfp) | __GFP_ZERO)
#define kmalloc_array(n, size, gfp)	shim_alloc(n, size, gfp)
#define kcalloc(n, size, gfp)		shim_alloc(n, size, (gfp) | __GFP_ZERO)
#define kvmalloc(size, gfp)		shim_alloc(1, size, gfp)
#define kvzalloc(size, gfp)		kzalloc(size, gfp)
#define kvmalloc_array(n, size, gfp)	shim_alloc(n, size, gfp)
#define kvcalloc(n, size, gfp)		shim_alloc(n, size, (gfp) | __GFP_ZERO)
#define kvfree(mem)			kfree(mem)

#endif /* SHIM_SLAB_H */
