/* SPDX-License-Identifier: MIT */
/* libkmap: reading the window; see window.c. */
#ifndef KMAP_WINDOW_H
#define KMAP_WINDOW_H

#include <stdbool.h>

#include "hash.h"

struct kmap;

/* What window_get() returns when a system call has to answer. */
#define WINDOW_UNKNOWN	1

/**
 * struct window - a window that can be read
 * @mem: where it is, or NULL when there is none
 * @size: its size
 * @hash: what each hash begins with
 * @shards: the first shard's descriptor
 * @buckets: bucket 0 of shard 0
 * @entries: what references count from
 * @end: end of the entry area
 * @stride: bytes from bucket 0 of a shard to that of the next
 * @shard_mask: number of shards, less 1
 * @shard_bits: its logarithm
 * @bucket_max: number past the last bucket of a shard that can be
 * @ref_max: largest reference that leads to a whole header of an entry
 * @depth_max: most buckets in a chain
 * @key_max: longest key
 *
 * All that is needed of the window's head is here, checked; the head itself is
 * not looked at again.
 */
struct window {
	const unsigned char	*mem;
	size_t			size;
	struct hash_state	hash;
	const unsigned char	*shards;
	const unsigned char	*buckets;
	const unsigned char	*entries;
	const unsigned char	*end;
	size_t			stride;
	uint32_t		shard_mask;
	uint32_t		shard_bits;
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
