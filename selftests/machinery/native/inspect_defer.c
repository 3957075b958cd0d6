// SPDX-License-Identifier: GPL-2.0-only
/*
 * The module's defer.c, and what looks at its batches.  Whatever is tested is in
 * the file included first.
 */
#include "../../../module/defer.c"

#include <linux/bitmap.h>

#include "inspect.h"
#include "test.h"

static u64 inspect_batch(struct inspect *inspect,
			 const struct shmap_deferred *batch)
{
	u64 bytes = 0;
	u32 i;

	check(batch->n && batch->n <= BATCH_REFS);
	for (i = 0; i < batch->n; i++) {
		u32 ref = batch->refs[i];
		const struct kmap_entry *entry;

		check(!test_bit(ref, inspect->live));
		check(!test_bit(ref, inspect->dead));
		__set_bit(ref, inspect->dead);
		entry = shmap_pool_entry(&inspect->map->pool, ref);
		bytes += inspect_class(KMAP_ENTRY_SIZE(KMAP_ENTRY_KEY_LEN(entry->lens),
						       KMAP_ENTRY_VALUE_LEN(entry->lens)));
	}
	check_equal(bytes, batch->bytes);
	inspect->memory += sizeof(*batch);
	return bytes;
}

/**
 * inspect_deferred - look at what waits for readers
 * @inspect: what was found so far; entries that wait are added
 * @defer: of one shard
 */
void inspect_deferred(struct inspect *inspect, const struct shmap_defer *defer)
{
	const struct shmap_deferred *batch;
	unsigned long last = 0;
	u64 bytes = 0;

	list_for_each_entry(batch, &defer->waiting, node) {
		bytes += inspect_batch(inspect, batch);
		/* Oldest first. */
		check(batch->grace >= last);
		last = batch->grace;
	}
	if (defer->open) {
		check(defer->open->n < BATCH_REFS);
		check(defer->open->bytes < BATCH_BYTES);
		bytes += inspect_batch(inspect, defer->open);
	}
	check_equal(bytes, defer->bytes);
	check(bytes <= defer->max);
	if (!inspect->map->config.lock->lockless_reads)
		check_equal(bytes, 0);
}
