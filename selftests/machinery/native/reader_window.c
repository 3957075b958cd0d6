// SPDX-License-Identifier: GPL-2.0-only
/*
 * The window, mapped by the module's own fault handler, in front of libkmap's
 * reader.
 *
 * An access to a page that is not mapped yet is a signal here, and its handler
 * does what the kernel does.  What ends in SIGBUS there fails the test: a reader
 * that keeps the protocol gets to no page that is not there.
 *
 * A page can be hidden, so that the next access to it faults; before it is mapped
 * again, something else happens.  That puts a writer between two given reads.
 */
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include <linux/rcupdate.h>

#include "reader_window.h"
#include "shim.h"
#include "test.h"

#include "../../../module/window.h"

/* The one that is open. */
static struct reader *open_reader;

static void (*before)(void *arg);
static void *before_arg;
static unsigned long hidden;

static void on_fault(int signal, siginfo_t *info, void *context)
{
	unsigned long address = (unsigned long)info->si_addr & ~(PAGE_SIZE - 1);
	struct reader *reader = __atomic_load_n(&open_reader, __ATOMIC_ACQUIRE);
	struct vm_fault fault = { .address = address };

	if (!reader || address < reader->vma.vm_start ||
	    address >= reader->vma.vm_end) {
		fprintf(stderr, "signal %d at %p\n", signal, info->si_addr);
		sigaction(signal, &(struct sigaction) {
			.sa_handler = SIG_DFL }, NULL);
		return;
	}
	if (before && address == hidden) {
		void (*act)(void *arg) = before;

		before = NULL;
		act(before_arg);
	}
	fault.vma = &reader->vma;
	if (reader->vma.vm_ops->fault(&fault) != VM_FAULT_NOPAGE)
		shim_fail(__FILE__, __LINE__,
			  "the reader came to a page that is not there");
}

static void *map_nothing(void *at, u64 size, int flags)
{
	void *mem = mmap(at, size, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS |
			 MAP_NORESERVE | flags, -1, 0);

	check(mem != MAP_FAILED);
	return mem;
}

/**
 * reader_open - map the window of a map
 * @reader: filled in; the only one
 * @map: the map
 */
void reader_open(struct reader *reader, struct shmap_map *map)
{
	const struct sigaction action = {
		.sa_sigaction = on_fault, .sa_flags = SA_SIGINFO | SA_NODEFER
	};
	u64 size = map->head->size;
	void *mem = map_nothing(NULL, size, 0);

	memset(reader, 0, sizeof(*reader));
	reader->map = map;
	reader->vma.vm_start = (unsigned long)mem;
	reader->vma.vm_end = reader->vma.vm_start + size;
	reader->vma.vm_flags = VM_MAYSHARE | VM_MAYWRITE;
	check_equal(shmap_window_mmap(map, &reader->vma), 0);
	shim_inode_map(map->inode, &reader->vma);
	check(!open_reader);
	__atomic_store_n(&open_reader, reader, __ATOMIC_RELEASE);
	sigaction(SIGSEGV, &action, NULL);
	sigaction(SIGBUS, &action, NULL);
	check(window_init(&reader->window, mem, size, map->config.max_key));
}

/**
 * reader_close - undo reader_open()
 * @reader: the reader
 */
void reader_close(struct reader *reader)
{
	shim_inode_map(reader->map->inode, NULL);
	__atomic_store_n(&open_reader, NULL, __ATOMIC_RELEASE);
	munmap((void *)reader->vma.vm_start,
	       reader->vma.vm_end - reader->vma.vm_start);
}

/**
 * reader_hide - let something happen before a page is read
 * @reader: the reader
 * @at: offset of the page in the window
 * @act: what happens, once; in place of the reader's thread
 * @arg: its argument
 */
void reader_hide(struct reader *reader, u64 at, void (*act)(void *arg),
		 void *arg)
{
	hidden = reader->vma.vm_start + (at & ~(PAGE_SIZE - 1));
	before = act;
	before_arg = arg;
	map_nothing((void *)hidden, PAGE_SIZE, MAP_FIXED);
}

/**
 * reader_acted - has the act been?
 *
 * Return: whether.
 */
bool reader_acted(void)
{
	return !before;
}

/**
 * reader_page - a page of the window
 * @map: the map, at rest
 * @at: offset in the window
 *
 * Return: its kernel address, or NULL where the window has no memory.
 */
const void *reader_page(struct shmap_map *map, u64 at)
{
	struct page *page = shmap_window_page(map, at, NULL);

	if (!page)
		return NULL;
	put_page(page);
	return page_address(page);
}

/**
 * reader_home - where in the window a hash's home bucket is
 * @map: the map
 * @hash: of the key
 *
 * Return: offset.
 */
u64 reader_home(const struct shmap_map *map, u32 hash)
{
	u32 end = shmap_map_shard(map, hash)->table.desc->end;
	u32 m = 1u << (31 - __builtin_clz(end)), i = hash & (2 * m - 1);

	return map->head->bucket_offset +
	       sizeof(struct kmap_bucket) * (i < end ? i : i - m);
}

/**
 * reader_entry - where in the window a key's entry is
 * @map: the map, at rest
 * @key: the key, present
 * @key_len: its length
 *
 * Return: offset.
 */
u64 reader_entry(const struct shmap_map *map, const void *key, u32 key_len)
{
	u32 hash = shmap_key_hash(map, key, key_len);
	const struct shmap_table *table = &shmap_map_shard(map, hash)->table;
	struct shmap_probe probe;
	struct shmap_spot spot;

	rcu_read_lock();
	check(shmap_table_begin(table, hash, &probe));
	check(shmap_table_find(table, &probe, key, key_len, &spot));
	rcu_read_unlock();
	return map->head->entry_offset + 8ull * spot.ref;
}
