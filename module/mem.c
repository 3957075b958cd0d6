// SPDX-License-Identifier: GPL-2.0-only
/*
 * The memory of a map, counted in one sum and charged to the memory cgroup of the
 * caller.  An allocation for an operation fails rather than have the OOM killer kill a
 * process.  Only shmap_mem_alloc_surely(), for a small object that the caller cannot do
 * without, never fails.
 *
 * INFO shows that sum plus the size of struct shmap_map.  The sum leaves out the credits
 * of the quota, and objects that live no longer than a call or a snapshot, all of which
 * are charged nevertheless; and the counters per CPU, which are not charged.
 */
#include <linux/mm.h>
#include <linux/slab.h>

#include "mem.h"

/**
 * shmap_mem_alloc_pages - allocate zeroed, mappable memory
 * @account: account that the memory is counted on
 * @order: 2^order pages
 *
 * Context: may sleep.
 * Return: kernel address, or NULL.
 */
void *shmap_mem_alloc_pages(struct shmap_mem *account, unsigned int order)
{
	struct page *page = alloc_pages(SHMAP_MEM_GFP | __GFP_ZERO | __GFP_COMP,
					order);

	if (!page)
		return NULL;
	atomic_long_add(PAGE_SIZE << order, &account->bytes);
	return page_address(page);
}

/**
 * shmap_mem_free_pages - free what shmap_mem_alloc_pages() returned
 * @account: account that the memory is counted on
 * @mem: kernel address, or NULL
 * @order: as allocated
 *
 * Context: any.
 */
void shmap_mem_free_pages(struct shmap_mem *account, void *mem,
			  unsigned int order)
{
	if (!mem)
		return;
	__free_pages(virt_to_page(mem), order);
	atomic_long_sub(PAGE_SIZE << order, &account->bytes);
}

/**
 * shmap_mem_pages_shared - does anybody else hold a reference to pages?
 * @mem: from shmap_mem_alloc_pages()
 *
 * Context: any.
 * Return: false when the owner's reference is the only one.
 */
bool shmap_mem_pages_shared(const void *mem)
{
	return page_count(virt_to_page(mem)) > 1;
}

/**
 * shmap_mem_alloc - allocate a small zeroed object that is never mapped
 * @account: account that the memory is counted on
 * @size: bytes
 *
 * Context: may sleep.
 * Return: kernel address, or NULL.
 */
void *shmap_mem_alloc(struct shmap_mem *account, size_t size)
{
	void *mem = kzalloc(size, SHMAP_MEM_GFP);

	if (mem)
		atomic_long_add(size, &account->bytes);
	return mem;
}

/**
 * shmap_mem_alloc_surely - allocate a small object as shmap_mem_alloc(), but never fail
 * @account: account that the memory is counted on
 * @size: bytes, less than a page
 *
 * This is for a caller that can neither undo its change nor wait for a grace period.
 *
 * Context: may sleep.
 * Return: kernel address.
 */
void *shmap_mem_alloc_surely(struct shmap_mem *account, size_t size)
{
	void *mem = kzalloc(size, GFP_KERNEL_ACCOUNT | __GFP_NOFAIL);

	atomic_long_add(size, &account->bytes);
	return mem;
}

/**
 * shmap_mem_free - free what shmap_mem_alloc() returned
 * @account: account that the memory is counted on
 * @mem: kernel address, or NULL
 * @size: as allocated
 *
 * Context: any.
 */
void shmap_mem_free(struct shmap_mem *account, void *mem, size_t size)
{
	if (!mem)
		return;
	kfree(mem);
	atomic_long_sub(size, &account->bytes);
}

/**
 * shmap_mem_alloc_table - allocate a zeroed array of any size
 * @account: account that the memory is counted on
 * @n: number of elements
 * @size: bytes per element
 *
 * Context: may sleep.
 * Return: kernel address, or NULL.
 */
void *shmap_mem_alloc_table(struct shmap_mem *account, size_t n, size_t size)
{
	void *mem = kvcalloc(n, size, SHMAP_MEM_GFP);

	if (mem)
		atomic_long_add(n * size, &account->bytes);
	return mem;
}

/**
 * shmap_mem_free_table - free what shmap_mem_alloc_table() returned
 * @account: account that the memory is counted on
 * @mem: kernel address, or NULL
 * @n: as allocated
 * @size: as allocated
 *
 * Context: may sleep.
 */
void shmap_mem_free_table(struct shmap_mem *account, void *mem, size_t n,
			  size_t size)
{
	if (!mem)
		return;
	kvfree(mem);
	atomic_long_sub(n * size, &account->bytes);
}
