/* SPDX-License-Identifier: MIT */
/* libkmap: reading the window; see window.c. */
#ifndef KMAP_WINDOW_H
#define KMAP_WINDOW_H

#include <stdbool.h>

#include "hash.h"

struct kmap;

/* Returned by lookups in the window when only a system call can answer. */
#define WINDOW_UNKNOWN	1

/**
 * struct window - a window that can be read
 * @mem: address of the window, or NULL when there is none
 * @size: its size, in bytes
 * @hash: the state that each hash begins with
 * @shards: the first shard's descriptor
 * @buckets: bucket 0
 * @entries: start of the entry area, from which references count
 * @end: end of the entry area
 * @shard_mask: number of shards, less 1
 * @bucket_max: number of buckets that there is address space for
 * @ref_max: largest reference to an entry whose whole header is in the entry area
 * @depth_max: most buckets in a chain
 * @key_max: longest key, in bytes
 *
 * These are checked copies of what is needed of the window's head, which is not read
 * again.
 */
struct window {
	const unsigned char	*mem;
	size_t			size;
	struct hash_state	hash;
	const unsigned char	*shards;
	const unsigned char	*buckets;
	const unsigned char	*entries;
	const unsigned char	*end;
	uint32_t		shard_mask;
	uint32_t		bucket_max;
	uint32_t		ref_max;
	uint32_t		depth_max;
	uint32_t		key_max;
};

bool window_init(struct window *window, const void *mem, size_t size,
		 uint32_t key_max);
int window_map(struct kmap *map, const struct kmap_info *info);
void window_unmap(struct kmap *map);
int window_get(const struct window *window, const void *key, size_t key_len,
	       void *buf, size_t size, size_t *len, uint64_t *version);
int window_get_number(const struct window *window, const void *key,
		      size_t key_len, int64_t *number, uint64_t *version);

#endif /* KMAP_WINDOW_H */
