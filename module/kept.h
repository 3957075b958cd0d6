/* SPDX-License-Identifier: GPL-2.0-only */
/* Entries that were replaced or removed and are kept for snapshots; see kept.c. */
#ifndef SHMAP_KEPT_H
#define SHMAP_KEPT_H

#include "map_types.h"

bool shmap_kept_stock(struct shmap_map *map);
void shmap_kept_unstock(struct shmap_map *map);
struct shmap_kept *shmap_kept_record(struct shmap_map *map);
void shmap_kept_discard(struct shmap_map *map, struct shmap_kept *record);
bool shmap_kept_claim_locked(struct shmap_map *map, struct shmap_shard *shard,
			     const struct kmap_entry *entry,
			     const struct shmap_kept *record);
void shmap_kept_keep_locked(struct shmap_map *map, struct shmap_shard *shard,
			    struct shmap_kept *record, u32 ref);
struct shmap_kept *shmap_kept_find(const struct shmap_shard *shard, u32 order,
				   u64 death);
struct shmap_kept *shmap_kept_next(const struct shmap_kept *kept);

/**
 * shmap_kept_may_need - may a snapshot need an entry that is to be changed?
 * @shard: the shard
 * @entry: an entry in its table
 *
 * Context: writer.
 * Return: false when no snapshot needs it; else shmap_kept_claim_locked() finds out.
 */
static __always_inline bool shmap_kept_may_need(const struct shmap_shard *shard,
						const struct kmap_entry *entry)
{
	return unlikely(KMAP_ENTRY_VERSION(entry->version) <= shard->newest);
}

#endif /* SHMAP_KEPT_H */
