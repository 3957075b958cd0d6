// SPDX-License-Identifier: GPL-2.0-only
/*
 * Memory that a map keeps, counted in one sum and charged to the memory cgroup of the
 * caller.  What an operation asks for fails rather than that a process is killed; only
 * shmap_mem_alloc_surely(), for what is small and must not fail, waits for memory.
 *
 * What INFO shows as memory is that sum and the map's own structure.  Not in the sum
 * are the credits of the quota and what lasts no longer than a call or a snapshot,
 * which are charged all the same, and the counters of each CPU, which are not.
 */
#include <linux/mm.h>
#include <linux/slab.h>

#include "mem.h"

/**
 * shmap_mem_alloc_pages - allocate zeroed, mappable memory
 * @account: who pays
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
 * shmap_mem_free_pages - free what shmap_mem_alloc_pages() gave
 * @account: who paid
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
 * shmap_mem_alloc - allocate a small zeroed object that is never mapped
 * @account: who pays
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
 * shmap_mem_alloc_surely - the same, and it does not fail
 * @account: who pays
 * @size: bytes, less than a page
 *
 * For who cannot go back, nor wait.
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
 * shmap_mem_free - free what shmap_mem_alloc() gave
 * @account: who paid
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
 * shmap_mem_alloc_table - allocate a zeroed array, of any size
 * @account: who pays
 * @n: elements
 * @size: bytes of an element
 *
 * Context: may sleep.
 * Return: kernel address, or NULL.
 */
void *shmap_mem_alloc_table(struct shmap_mem *account, size_t n, size_t size)
{
	void *mem = kvcalloc(n, size, GFP_KERNEL_ACCOUNT | __GFP_NOWARN);

	if (mem)
		atomic_long_add(n * size, &account->bytes);
	return mem;
}

/**
 * shmap_mem_free_table - free what shmap_mem_alloc_table() gave
 * @account: who paid
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
