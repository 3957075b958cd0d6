/* SPDX-License-Identifier: GPL-2.0-only */
/* Pages; see ../page.c. */
#ifndef SHIM_MM_H
#define SHIM_MM_H

#include <linux/cache.h>
#include <linux/types.h>

#define PAGE_SHIFT	12
#define PAGE_SIZE	(1ul << PAGE_SHIFT)

#define GFP_KERNEL_ACCOUNT	0x01u
#define __GFP_RETRY_MAYFAIL	0x02u
#define __GFP_NOWARN		0x04u
#define __GFP_ZERO		0x08u
#define __GFP_COMP		0x10u

/**
 * struct page - one page
 * @next: number of the next free block of its order, or 0
 * @order: 1 more than that of the block it begins, when that is allocated
 */
struct page {
	u32 next;
	u32 order;
};

struct page *alloc_pages(gfp_t gfp, unsigned int order);
void __free_pages(struct page *page, unsigned int order);
void *page_address(const struct page *page);
struct page *virt_to_page(const void *mem);
bool is_vmalloc_addr(const void *mem);

static inline unsigned int get_order(size_t size)
{
	unsigned int order = 0;

	while (PAGE_SIZE << order < size)
		order++;
	return order;
}

#endif /* SHIM_MM_H */
