// SPDX-License-Identifier: GPL-2.0-only
/*
 * The window: what a reader may map, and the fault handler.
 *
 * struct kmap_window describes the layout of the window.  Its pages are the pages of
 * the map itself, and a page exists only while the map needs it.  Where there is none,
 * the page of zeros is mapped; hole.c and blocks.c tell why that does no harm.
 *
 * The pages hold only the head of the window, the shards' descriptors, and buckets and
 * entries of this map; they were zeroed when they were allocated.  Among the entries are
 * some that are not in the map: removed ones, until their memory is used again or wiped,
 * and those that a SET is preparing.
 *
 * Lifetime: a mapping holds its file, which holds the map and the module, and before a
 * page is freed, its mappings are taken away.  So the pages are mapped by page frame
 * number, without references.  Nor can anyone take a reference through the mapping: such
 * pages cannot be pinned, and cannot be used after the mapping is gone.
 *
 * Locking: the fault handler runs under the process's mmap_lock.  It takes
 * area->lock for a few instructions and no shard's lock, so neither readers nor
 * writers ever wait for a process that stalls in a fault.  While it maps a page it holds
 * a reference to it, so the keeper does not free the page before it can be unmapped.
 */
#include <linux/rcupdate.h>
#include <linux/sizes.h>
#include <linux/version.h>

#include "hole.h"
#include "window.h"

/* A fault maps those pages that exist within this many bytes around the address. */
#define AROUND		max_t(unsigned long, SZ_64K, PAGE_SIZE)

/**
 * shmap_window_page - find a page of the window
 * @map: the map
 * @at: an offset in the window, less than its size
 * @guests: set to what shmap_hole_leave() takes if this is a hole of the entry area; or
 *	NULL, if the caller is not going to map a page of zeros there
 *
 * Context: any; takes area->lock.
 * Return: the page, with a reference, or NULL if there is none.
 */
struct page *shmap_window_page(struct shmap_map *map, u64 at,
			       unsigned int **guests)
{
	const struct kmap_window *head = map->head;
	struct page *page;

	if (at >= head->entry_offset)
		return shmap_hole_page(&map->pool, at - head->entry_offset,
				       guests);
	/* So that blocks may go: one that is found here is freed after a grace period. */
	rcu_read_lock();
	page = at < head->bucket_offset ?
	       virt_to_page((const void *)head + at) :
	       shmap_buckets_page(&map->buckets, at - head->bucket_offset);
	if (page)
		get_page(page);
	rcu_read_unlock();
	return page;
}

/*
 * Note that a page of zeros was mapped in place of buckets.  The keeper takes it away when
 * a block has come there, even one that came meanwhile.
 */
static void note_blank(struct shmap_map *map, u64 at)
{
	struct page *page;

	WRITE_ONCE(map->buckets.blank, true);
	page = shmap_window_page(map, at, NULL);
	if (page) {
		put_page(page);
		WRITE_ONCE(map->buckets.fed, true);
		shmap_pool_call_keeper(&map->pool);
	}
}

/* Map the page at @address of the mapping; with @holes, also one of zeros. */
static vm_fault_t map_page(struct vm_area_struct *vma, unsigned long address,
			   bool holes)
{
	struct shmap_map *map = vma->vm_private_data;
	u64 at = ((u64)vma->vm_pgoff << PAGE_SHIFT) + (address - vma->vm_start);
	vm_fault_t r = VM_FAULT_SIGBUS;
	unsigned int *guests = NULL;
	struct page *page;

	page = shmap_window_page(map, at, holes ? &guests : NULL);
	if (page) {
		r = vmf_insert_pfn(vma, address, page_to_pfn(page));
		/* Pairs with the barrier in shmap_hole_give_begin(). */
		put_page(page);
	} else if (guests) {
		r = vmf_insert_pfn(vma, address, page_to_pfn(ZERO_PAGE(address)));
		shmap_hole_leave(&map->pool, guests);
	} else if (holes) {
		r = vmf_insert_pfn(vma, address, page_to_pfn(ZERO_PAGE(address)));
		note_blank(map, at);
	}
	return r;
}

static vm_fault_t window_fault(struct vm_fault *vmf)
{
	struct vm_area_struct *vma = vmf->vma;
	unsigned long at = round_down(vmf->address, AROUND);
	unsigned long end = min(at + AROUND, vma->vm_end);
	vm_fault_t r = map_page(vma, vmf->address, true);

	if (r != VM_FAULT_NOPAGE)
		return r;
	/* Map its neighbours too, which will be needed soon; a failure does not matter. */
	for (at = max(at, vma->vm_start); at < end; at += PAGE_SIZE)
		if (at != vmf->address)
			map_page(vma, at, false);
	return r;
}

static const struct vm_operations_struct window_ops = {
	.fault	= window_fault,
};

/* Linux before 6.3 has no functions that change the flags. */
static void set_flags(struct vm_area_struct *vma)
{
	const unsigned long set = VM_PFNMAP | VM_DONTEXPAND | VM_DONTDUMP;
	const unsigned long clear = VM_MAYWRITE | VM_MAYEXEC;

#if LINUX_VERSION_CODE < KERNEL_VERSION(6, 3, 0)
	vma->vm_flags = (vma->vm_flags & ~clear) | set;
#else
	vm_flags_mod(vma, set, clear);
#endif
}

/**
 * shmap_window_mmap - map a part of the window, or all of it
 * @map: the map
 * @vma: the new mapping; its file is open for reading
 *
 * Context: may sleep; the caller holds mmap_lock.
 * Return: 0; -EACCES when the mapping would be writable or executable; -EINVAL when it
 * would be private or reach beyond the window.
 */
int shmap_window_mmap(struct shmap_map *map, struct vm_area_struct *vma)
{
	u64 pages = map->head->size >> PAGE_SHIFT;

	if (vma->vm_flags & (VM_WRITE | VM_EXEC))
		return -EACCES;
	/* Not VM_SHARED, which mmap() clears if the file is not open for writing. */
	if (!(vma->vm_flags & VM_MAYSHARE))
		return -EINVAL;
	if (vma->vm_pgoff > pages || vma_pages(vma) > pages - vma->vm_pgoff)
		return -EINVAL;
	set_flags(vma);
	vma->vm_ops = &window_ops;
	vma->vm_private_data = map;
	return 0;
}
