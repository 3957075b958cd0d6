/* SPDX-License-Identifier: GPL-2.0-only */
/* Pages that are made contiguous; see ../page.c. */
#ifndef SHIM_VMALLOC_H
#define SHIM_VMALLOC_H

#include <linux/mm.h>

#define VM_MAP		1ul
#define PAGE_KERNEL	3

void *vmap(struct page **pages, unsigned int n, unsigned long flags, int prot);
void vunmap(const void *mem);
struct page *vmalloc_to_page(const void *mem);

#endif /* SHIM_VMALLOC_H */
