/* SPDX-License-Identifier: GPL-2.0-only */
/* Memory of a map, charged and counted; see mem.c. */
#ifndef SHMAP_MEM_H
#define SHMAP_MEM_H

#include <linux/atomic.h>
#include <linux/slab.h>
#include <linux/types.h>

/*
 * Flags for allocations that a user can cause: they are charged to the caller's memory
 * cgroup, fail rather than call the OOM killer, and print no warning.
 */
#define SHMAP_MEM_GFP	(GFP_KERNEL_ACCOUNT | __GFP_RETRY_MAYFAIL | __GFP_NOWARN)

/**
 * struct shmap_mem - the account of a map's memory
 * @bytes: bytes that were allocated on it and not freed yet
 */
struct shmap_mem {
	atomic_long_t	bytes;
};

void *shmap_mem_alloc_pages(struct shmap_mem *account, unsigned int order);
void shmap_mem_free_pages(struct shmap_mem *account, void *mem,
			  unsigned int order);
bool shmap_mem_pages_shared(const void *mem);
void *shmap_mem_alloc(struct shmap_mem *account, size_t size);
void *shmap_mem_alloc_surely(struct shmap_mem *account, size_t size);
void shmap_mem_free(struct shmap_mem *account, void *mem, size_t size);
void *shmap_mem_alloc_table(struct shmap_mem *account, size_t n, size_t size);
void shmap_mem_free_table(struct shmap_mem *account, void *mem, size_t n,
			  size_t size);

#endif /* SHMAP_MEM_H */
