// SPDX-License-Identifier: GPL-2.0-only
/*
 * The window: what a reader may map, and the fault handler.
 *
 * The window has the layout that struct kmap_window tells.  Its pages are those
 * of the map itself, and a page is only there once the map uses it: where it does
 * not, there is nothing to map, and an access ends in SIGBUS.  A reader that keeps
 * the protocol gets to no such place.  Whatever leads it on (number of buckets,
 * link, reference) was written after the memory behind it was there, and that
 * memory stays until the map goes away; where an entry ends, the reader believes
 * only when the seq says so.
 *
 * The pages hold nothing but buckets and entries of this map, and were zeroed
 * before.  That includes entries that are not in the map: removed ones until
 * their memory is used again or wiped, and those of a SET at work.
 *
 * Lifetime: a mapping holds its file, and the file the map and the module; and no
 * page leaves the map before that.  So pages are mapped by number, and need no
 * reference.  Nobody else can get one either: what is mapped so cannot be pinned,
 * and cannot outlive the mapping.
 *
 * Locking: the fault handler runs under the process's mmap_lock.  It takes
 * pool->lock for a few instructions and no shard's lock, so neither readers nor
 * writers ever wait for a process that stalls in a fault.
 */
#include <linux/sizes.h>
#include <linux/version.h>

#include "window.h"

/* A fault maps what is there of so many bytes. */
#define AROUND		max_t(unsigned long, SZ_64K, PAGE_SIZE)

/**
 * shmap_window_page - a page of the window
 * @map: the map
 * @at: an offset in the window, less than its size
 *
 * Context: any; takes pool->lock.
 * Return: the page, or NULL as long as there is none.
 */
struct page *shmap_window_page(struct shmap_map *map, u64 at)
{
	const struct kmap_window *head = map->head;
	const struct shmap_shard *shard;

	if (at < head->bucket_offset)
		return virt_to_page((const void *)head + at);
	if (at < head->entry_offset) {
		at -= head->bucket_offset;
		shard = &map->shard[at / head->bucket_stride];
		return shmap_chain_page(&shard->table.chains,
					at % head->bucket_stride);
	}
	return shmap_pool_page(&map->pool, at - head->entry_offset);
}

/* Map the page that @address of the mapping is for. */
static vm_fault_t map_page(struct vm_area_struct *vma, unsigned long address)
{
	struct shmap_map *map = vma->vm_private_data;
	u64 at = ((u64)vma->vm_pgoff << PAGE_SHIFT) + (address - vma->vm_start);
	struct page *page = shmap_window_page(map, at);

	if (!page)
		return VM_FAULT_SIGBUS;
	return vmf_insert_pfn(vma, address, page_to_pfn(page));
}

static vm_fault_t window_fault(struct vm_fault *vmf)
{
	struct vm_area_struct *vma = vmf->vma;
	unsigned long at = round_down(vmf->address, AROUND);
	unsigned long end = min(at + AROUND, vma->vm_end);
	vm_fault_t r = map_page(vma, vmf->address);

	if (r != VM_FAULT_NOPAGE)
		return r;
	/* Its neighbours will be wanted as well; whether that works is no matter. */
	for (at = max(at, vma->vm_start); at < end; at += PAGE_SIZE)
		if (at != vmf->address)
			map_page(vma, at);
	return r;
}

static const struct vm_operations_struct window_ops = {
	.fault	= window_fault,
};

/* Before Linux 6.3 there were no functions for this. */
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
 * @vma: the mapping that is to be made; its file is open for reading
 *
 * Context: may sleep; under mmap_lock.
 * Return: 0; -EACCES when it is to be written or executed; -EINVAL when it is to
 * be private, or reaches beyond the window.
 */
int shmap_window_mmap(struct shmap_map *map, struct vm_area_struct *vma)
{
	u64 pages = map->head->size >> PAGE_SHIFT;

	if (vma->vm_flags & (VM_WRITE | VM_EXEC))
		return -EACCES;
	/* VM_SHARED is not set where the file cannot be written. */
	if (!(vma->vm_flags & VM_MAYSHARE))
		return -EINVAL;
	if (vma->vm_pgoff > pages || vma_pages(vma) > pages - vma->vm_pgoff)
		return -EINVAL;
	set_flags(vma);
	vma->vm_ops = &window_ops;
	vma->vm_private_data = map;
	return 0;
}
