/* SPDX-License-Identifier: GPL-2.0-only */
/* Pages; see ../page.c. */
#ifndef SHIM_MM_H
#define SHIM_MM_H

#include <linux/cache.h>
#include <linux/types.h>

#define PAGE_SHIFT	12
#define PAGE_SIZE	(1ul << PAGE_SHIFT)
#define offset_in_page(address)	((unsigned long)(address) & (PAGE_SIZE - 1))

#define GFP_KERNEL_ACCOUNT	0x01u
#define __GFP_RETRY_MAYFAIL	0x02u
#define __GFP_NOWARN		0x04u
#define __GFP_ZERO		0x08u
#define __GFP_COMP		0x10u
#define __GFP_NOFAIL		0x20u

/**
 * struct page - one page
 * @next: number of the next free block of its order, or 0
 * @order: 1 more than that of the block it begins, when that is allocated
 * @head: number of the first page of its block, when that is allocated
 * @count: references to the block it begins
 */
struct page {
	u32 next;
	u32 order;
	u32 head;
	u32 count;
};

/* Mappings of the window, as far as window.c looks at them. */
#define VM_WRITE	0x0002ul
#define VM_EXEC		0x0004ul
#define VM_MAYWRITE	0x0020ul
#define VM_MAYEXEC	0x0040ul
#define VM_MAYSHARE	0x0080ul
#define VM_PFNMAP	0x0400ul
#define VM_DONTEXPAND	0x00040000ul
#define VM_DONTDUMP	0x04000000ul

typedef unsigned int vm_fault_t;

#define VM_FAULT_SIGBUS	0x0002u
#define VM_FAULT_NOPAGE	0x0100u

struct vm_operations_struct;

struct vm_area_struct {
	unsigned long vm_start;
	unsigned long vm_end;
	unsigned long vm_pgoff;
	unsigned long vm_flags;
	const struct vm_operations_struct *vm_ops;
	void *vm_private_data;
};

struct vm_fault {
	struct vm_area_struct *vma;
	unsigned long address;
};

struct vm_operations_struct {
	vm_fault_t (*fault)(struct vm_fault *vmf);
};

static inline unsigned long vma_pages(const struct vm_area_struct *vma)
{
	return (vma->vm_end - vma->vm_start) >> PAGE_SHIFT;
}

static inline void vm_flags_mod(struct vm_area_struct *vma, unsigned long set,
				unsigned long clear)
{
	vma->vm_flags = (vma->vm_flags & ~clear) | set;
}

struct page;

/* Page 0 of the file is never allocated. */
struct page *shim_zero_page(void);
#define ZERO_PAGE(address)	shim_zero_page()

unsigned long page_to_pfn(const struct page *page);
vm_fault_t vmf_insert_pfn(struct vm_area_struct *vma, unsigned long address,
			  unsigned long pfn);

struct page *alloc_pages(gfp_t gfp, unsigned int order);
void __free_pages(struct page *page, unsigned int order);
void get_page(struct page *page);
void put_page(struct page *page);
int page_count(struct page *page);
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
