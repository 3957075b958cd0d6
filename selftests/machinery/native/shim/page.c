// SPDX-License-Identifier: GPL-2.0-only
/*
 * Pages, and runs of pages that are made contiguous.
 *
 * All pages are of one file in memory, mapped once as a whole (the "linear"
 * addresses).  vmap() maps some of them a second time, next to each other, so
 * that both addresses mean the same memory, as in the kernel; after vunmap() an
 * access faults.
 */
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include <sanitizer/asan_interface.h>

#include <linux/lockdep.h>
#include <linux/vmalloc.h>

#include "shim.h"

#define ORDERS		12
#define GARBAGE		0xa5

/* What there is to allocate when a test reserves nothing else. */
#define DEFAULT_BYTES	(4ull << 30)

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static int file = -1;
static u64 pages;
static char *linear;		/* address of page 0, which is never used */
static struct page *page_of;
static u64 fresh = 1;		/* first page never used */
static u32 freed[ORDERS];	/* first free block of each order */
static u64 peak;

static char *window;		/* addresses for vmap(), as many as pages */
static u32 *mapped;		/* which page is there, or 0 */
static u64 window_at;

static void *map_nothing(u64 bytes, int prot)
{
	void *mem = mmap(NULL, bytes, prot,
			 MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);

	if (mem == MAP_FAILED)
		shim_fail(__FILE__, __LINE__, "no address space");
	return mem;
}

/**
 * shim_pages_reserve - say how much memory there is
 * @bytes: how much; only what is used costs anything
 *
 * Before the first page is allocated; not needed for small tests.
 */
void shim_pages_reserve(u64 bytes)
{
	if (linear)
		return;
	pages = bytes / PAGE_SIZE;
	file = memfd_create("pages", MFD_CLOEXEC);
	if (file < 0 || ftruncate(file, bytes))
		shim_fail(__FILE__, __LINE__, "no file for the pages");
	linear = mmap(NULL, bytes, PROT_READ | PROT_WRITE,
		      MAP_SHARED | MAP_NORESERVE, file, 0);
	if (linear == MAP_FAILED)
		shim_fail(__FILE__, __LINE__, "the pages cannot be mapped");
	page_of = map_nothing(pages * sizeof(*page_of), PROT_READ | PROT_WRITE);
	mapped = map_nothing(pages * sizeof(*mapped), PROT_READ | PROT_WRITE);
	window = map_nothing(bytes, PROT_NONE);
}

static u64 block_take(unsigned int order)
{
	u64 at = freed[order];

	if (at) {
		freed[order] = page_of[at].next;
		return at;
	}
	/* Blocks are aligned to their size. */
	at = (fresh + (1ull << order) - 1) >> order << order;
	if (at + (1ull << order) > pages)
		return 0;
	fresh = at + (1ull << order);
	peak = fresh;
	return at;
}

/**
 * alloc_pages - allocate pages that are contiguous
 * @gfp: only __GFP_ZERO counts
 * @order: 2^order of them
 *
 * Return: the first, or NULL.
 */
struct page *alloc_pages(gfp_t gfp, unsigned int order)
{
	u64 at, i;

	if (!shim_may_allocate(__func__) || order >= ORDERS)
		return NULL;
	pthread_mutex_lock(&lock);
	shim_pages_reserve(DEFAULT_BYTES);
	at = block_take(order);
	if (at) {
		page_of[at].order = order + 1;
		page_of[at].count = 1;
		for (i = 0; i < 1ull << order; i++)
			page_of[at + i].head = at;
	}
	pthread_mutex_unlock(&lock);
	if (!at)
		return NULL;
	shim_bytes_count(PAGE_SIZE << order);
	ASAN_UNPOISON_MEMORY_REGION(page_address(&page_of[at]),
				    PAGE_SIZE << order);
	memset(page_address(&page_of[at]), gfp & __GFP_ZERO ? 0 : GARBAGE,
	       PAGE_SIZE << order);
	return &page_of[at];
}

static void block_free(struct page *page, unsigned int order)
{
	memset(page_address(page), GARBAGE, PAGE_SIZE << order);
	ASAN_POISON_MEMORY_REGION(page_address(page), PAGE_SIZE << order);
	pthread_mutex_lock(&lock);
	page->order = 0;
	page->next = freed[order];
	freed[order] = page - page_of;
	pthread_mutex_unlock(&lock);
	shim_bytes_count(-(long)(PAGE_SIZE << order));
}

/**
 * get_page - take a reference to a block of pages
 * @page: one of them
 */
void get_page(struct page *page)
{
	__atomic_add_fetch(&page_of[page->head].count, 1, __ATOMIC_RELAXED);
}

/**
 * put_page - drop a reference, and free the block with the last one
 * @page: one of its pages
 */
void put_page(struct page *page)
{
	page = &page_of[page->head];
	if (!page->order || !page->count)
		shim_fail(__FILE__, __LINE__, "put what is not allocated");
	if (!__atomic_sub_fetch(&page->count, 1, __ATOMIC_ACQ_REL))
		block_free(page, page->order - 1);
}

/**
 * page_count - number of references to a block of pages
 * @page: one of them
 *
 * Return: the number.
 */
int page_count(struct page *page)
{
	return __atomic_load_n(&page_of[page->head].count, __ATOMIC_ACQUIRE);
}

/**
 * __free_pages - drop the reference that alloc_pages() gave
 * @page: the first
 * @order: as allocated
 */
void __free_pages(struct page *page, unsigned int order)
{
	if (page->order != order + 1)
		shim_fail(__FILE__, __LINE__, "freed what is not allocated");
	put_page(page);
}

/**
 * page_address - linear address of a page
 * @page: the page
 *
 * Return: the address.
 */
void *page_address(const struct page *page)
{
	return linear + (page - page_of) * PAGE_SIZE;
}

/**
 * shim_page_is_linear - is this a linear address?
 * @mem: an address
 *
 * Return: false when it is one that vmap() gave, or anything else.
 */
bool shim_page_is_linear(const void *mem)
{
	return (char *)mem >= linear && (char *)mem < linear + pages * PAGE_SIZE;
}

/**
 * virt_to_page - page by its linear address
 * @mem: the address
 *
 * Return: the page.
 */
struct page *virt_to_page(const void *mem)
{
	if (!shim_page_is_linear(mem))
		shim_fail(__FILE__, __LINE__, "not a linear address");
	return &page_of[((char *)mem - linear) / PAGE_SIZE];
}

/* A run of addresses that are free, with one more before it that stays so. */
static u64 window_find(unsigned int n)
{
	u64 at, run = 0, tries;

	for (at = window_at, tries = 0; tries < 2 * pages; at++, tries++) {
		if (at >= pages) {
			at = 0;
			run = 0;
		}
		run = mapped[at] ? 0 : run + 1;
		if (run == n + 1ull)
			return at - n + 1;
	}
	shim_fail(__FILE__, __LINE__, "the window of vmap() is full");
	return 0;
}

/**
 * vmap - make pages contiguous
 * @array: the pages
 * @n: how many
 * @flags: ignored
 * @prot: ignored
 *
 * Return: the address, or NULL.
 */
void *vmap(struct page **array, unsigned int n, unsigned long flags, int prot)
{
	unsigned int i, run;
	char *mem;
	u64 at;

	(void)flags;
	(void)prot;
	if (!shim_may_allocate(__func__))
		return NULL;
	pthread_mutex_lock(&lock);
	at = window_find(n);
	window_at = at + n;
	for (i = 0; i < n; i++)
		mapped[at + i] = array[i] - page_of;
	pthread_mutex_unlock(&lock);

	mem = window + at * PAGE_SIZE;
	for (i = 0; i < n; i += run) {
		for (run = 1; i + run < n && array[i + run] == array[i] + run; )
			run++;
		if (mmap(mem + i * PAGE_SIZE, run * PAGE_SIZE,
			 PROT_READ | PROT_WRITE, MAP_SHARED | MAP_FIXED, file,
			 (array[i] - page_of) * PAGE_SIZE) == MAP_FAILED)
			shim_fail(__FILE__, __LINE__, "vmap");
	}
	return mem;
}

/**
 * vmalloc_to_page - page by an address that vmap() gave
 * @mem: the address
 *
 * Return: the page.
 */
struct page *vmalloc_to_page(const void *mem)
{
	u64 at = ((char *)mem - window) / PAGE_SIZE;

	if (at >= pages || !mapped[at])
		shim_fail(__FILE__, __LINE__, "not an address of vmap()");
	return &page_of[mapped[at]];
}

/**
 * is_vmalloc_addr - is this an address that vmap() gave?
 * @mem: the address
 *
 * Return: whether it is.
 */
bool is_vmalloc_addr(const void *mem)
{
	return (char *)mem >= window &&
	       (char *)mem < window + pages * PAGE_SIZE;
}

/**
 * vunmap - undo vmap()
 * @mem: the address
 */
void vunmap(const void *mem)
{
	u64 at = ((char *)mem - window) / PAGE_SIZE, n = 0;

	pthread_mutex_lock(&lock);
	if (at >= pages || !mapped[at] || (at && mapped[at - 1]))
		shim_fail(__FILE__, __LINE__, "not what vmap() gave");
	for (; mapped[at + n]; n++)
		mapped[at + n] = 0;
	if (mmap((void *)mem, n * PAGE_SIZE, PROT_NONE, MAP_PRIVATE |
		 MAP_ANONYMOUS | MAP_FIXED | MAP_NORESERVE, -1, 0) == MAP_FAILED)
		shim_fail(__FILE__, __LINE__, "vunmap");
	pthread_mutex_unlock(&lock);
}

/**
 * shim_zero_page - the page of zeros
 *
 * Return: the page.
 */
struct page *shim_zero_page(void)
{
	return page_of;
}

/**
 * page_to_pfn - number of a page
 * @page: the page
 *
 * Return: the number.
 */
unsigned long page_to_pfn(const struct page *page)
{
	return page - page_of;
}

/**
 * vmf_insert_pfn - map a page for a reader
 * @vma: where
 * @address: at which address of it
 * @pfn: number of the page
 *
 * Return: VM_FAULT_NOPAGE.
 */
vm_fault_t vmf_insert_pfn(struct vm_area_struct *vma, unsigned long address,
			  unsigned long pfn)
{
	if (address < vma->vm_start || address >= vma->vm_end ||
	    vma->vm_flags & (VM_WRITE | VM_MAYWRITE) ||
	    !(vma->vm_flags & VM_PFNMAP))
		shim_fail(__FILE__, __LINE__, "vmf_insert_pfn");
	if (mmap((void *)address, PAGE_SIZE, PROT_READ, MAP_SHARED | MAP_FIXED,
		 file, pfn * PAGE_SIZE) == MAP_FAILED)
		shim_fail(__FILE__, __LINE__, "a page cannot be mapped");
	return VM_FAULT_NOPAGE;
}

/**
 * shim_pages_peak - most pages that were ever in use
 *
 * Return: bytes.
 */
u64 shim_pages_peak(void)
{
	return peak * PAGE_SIZE;
}
