// SPDX-License-Identifier: GPL-2.0-only
/*
 * Look at all of a map that is at rest: no operation runs, no request holds an
 * entry.  What is right is written down here a second time, from the ABI's
 * header and the comments, without calling what is tested.
 */
#include <stdlib.h>
#include <string.h>

#include <linux/bitmap.h>
#include <linux/siphash.h>

#include "chain.h"
#include "entry.h"
#include "inspect.h"
#include "kept.h"
#include "map.h"
#include "test.h"

/**
 * inspect_home - home bucket of a hash, as the ABI says
 * @table: the table
 * @hash: of a key
 *
 * Return: number of the bucket.
 */
u32 inspect_home(const struct shmap_table *table, u32 hash)
{
	u32 shards = 1u << table->shard_bits, n = table->desc->end / shards;
	u32 m = 1, b;

	/* Within the shard, whose buckets are every so many of the array. */
	while (2 * m <= n)
		m *= 2;
	b = hash / shards & (2 * m - 1);
	if (b >= n)
		b -= m;
	return b * shards + hash % shards;
}

/**
 * inspect_class - size of an entry with its rounding
 * @bytes: header, key and value
 *
 * Return: bytes: multiples of 8 up to 512, then eight steps a doubling.
 */
u32 inspect_class(u32 bytes)
{
	u32 step = 8, top = 512;

	while (top < bytes) {
		step = top / 8;
		top *= 2;
	}
	return (bytes + step - 1) / step * step;
}

/* Block @i of a directory, or NULL. */
static void *block_of(const struct shmap_dir *dir, u32 i)
{
	u32 part = 0;

	while (2u << part <= i)
		part++;
	if (!dir->base[part])
		return NULL;
	return ((void **)dir->base[part])[i];
}

static const struct kmap_bucket *bucket_of(const struct shmap_table *table,
					   u32 i)
{
	const struct shmap_buckets *buckets = table->chains.buckets;
	const struct kmap_bucket *block;
	const struct shmap_over *over;

	if (i < buckets->home_end) {
		block = block_of(&buckets->home, i / SHMAP_BLOCK_BUCKETS);
	} else {
		i -= buckets->home_end;
		over = block_of(&buckets->over, i / SHMAP_BLOCK_BUCKETS);
		check(over && over->number == i / SHMAP_BLOCK_BUCKETS);
		block = over->block;
	}
	check(block);
	return block + i % SHMAP_BLOCK_BUCKETS;
}

static u16 tag_of(const struct kmap_bucket *bucket, unsigned int slot)
{
	return bucket->tags[slot / 4] >> (16 * (slot % 4));
}

static unsigned int slots_used(const struct kmap_bucket *bucket)
{
	unsigned int slot, used = 0;

	for (slot = 0; slot < KMAP_BUCKET_SLOTS; slot++) {
		if (bucket->refs[slot]) {
			/* Packed: none is free before one in use. */
			check_equal(used, slot);
			used++;
		} else {
			check_equal(tag_of(bucket, slot), 0);
		}
	}
	return used;
}

/**
 * inspect_chain - length of the chain that a hash belongs to
 * @map: the map
 * @hash: of a key
 *
 * Return: entries.
 */
unsigned int inspect_chain(const struct shmap_map *map, u32 hash)
{
	const struct shmap_table *table = &shmap_map_shard(map, hash)->table;
	const struct kmap_bucket *at;
	unsigned int n;

	at = bucket_of(table, inspect_home(table, hash));
	for (n = slots_used(at); at->link; n += slots_used(at))
		at = bucket_of(table, at->link);
	return n;
}

static bool all_zero(const void *mem, size_t size)
{
	const u8 *at = mem;

	while (size && !*at) {
		at++;
		size--;
	}
	return !size;
}

/* An entry that the table refers to.  Returns its size. */
static u32 inspect_entry(struct inspect *inspect,
			 const struct shmap_shard *shard, u32 home, u16 tag,
			 u32 ref)
{
	const struct shmap_map *map = inspect->map;
	const struct kmap_entry *entry;
	u32 key_len, value_len, bytes, at;
	const u8 *key;

	check(ref >= SHMAP_UNIT_REFS);
	check(ref < (u64)map->pool.area.end * SHMAP_UNIT_REFS);
	check(!test_bit(ref, inspect->live));
	__set_bit(ref, inspect->live);

	entry = inspect_unit_mem(&map->pool, ref / SHMAP_UNIT_REFS) +
		ref % SHMAP_UNIT_REFS * 8;
	key = (const u8 *)(entry + 1);
	key_len = entry->lens & 0x7ff;
	value_len = entry->lens >> 11;
	check(key_len >= 1 && key_len <= map->config.max_key);
	check(value_len <= map->config.max_value);
	check_equal(entry->hash, hsiphash(key, key_len, &map->hash_key));
	check_equal(tag, entry->hash >> 16);
	check_equal(entry->hash & (map->config.shards - 1),
		    shard - map->shard);
	check_equal(inspect_home(&shard->table, entry->hash), home);
	check(KMAP_ENTRY_VERSION(entry->version));
	check(KMAP_ENTRY_VERSION(entry->version) <= shard->version);

	/* Nothing of another entry shows in the gaps. */
	at = (key_len + 7) / 8 * 8;
	bytes = inspect_class(sizeof(*entry) + at + (value_len + 7) / 8 * 8);
	check(all_zero(key + key_len, at - key_len));
	at += value_len;
	check(all_zero(key + at, bytes - sizeof(*entry) - at));
	return bytes;
}

static void check_over(const struct kmap_bucket *bucket)
{
	check_equal(bucket->seq, 0);
	check_equal(bucket->mark, KMAP_BUCKET_OVERFLOW);
}

/* A home bucket that its shard does not use. */
static void check_unused(const struct kmap_bucket *bucket)
{
	check(bucket->seq & 1);
	check(!bucket->link && !bucket->mark && !slots_used(bucket));
}

/* A chain.  Returns the number of entries, and adds up their sizes. */
static unsigned int inspect_bucket(struct inspect *inspect,
				   const struct shmap_shard *shard, u32 home,
				   u32 *over, u64 *bytes)
{
	const struct shmap_table *table = &shard->table;
	const struct kmap_bucket *bucket = bucket_of(table, home);
	unsigned int depth, slot, used, n = 0;
	u32 at = home;

	check(!(bucket->seq & 1) && bucket->seq);
	check_equal(bucket->mark, 0);
	for (depth = 1;; depth++) {
		check(depth <= SHMAP_CHAIN_BUCKETS);
		check(!test_bit(at, inspect->seen));
		__set_bit(at, inspect->seen);
		used = slots_used(bucket);
		for (slot = 0; slot < used; slot++)
			*bytes += inspect_entry(inspect, shard, home,
						tag_of(bucket, slot),
						bucket->refs[slot]);
		n += used;
		at = bucket->link;
		if (!at)
			break;
		/* Only the last one has free slots, and it is not empty. */
		check_equal(used, KMAP_BUCKET_SLOTS);
		check(at >= table->chains.buckets->home_end);
		++*over;
		bucket = bucket_of(table, at);
		check_over(bucket);
		check(bucket->refs[0]);
	}
	return n;
}

/* Overflow buckets that a shard keeps: in no chain. */
static void inspect_spares(struct inspect *inspect,
			   const struct shmap_table *table)
{
	const struct kmap_bucket *bucket;
	u32 i, n = 0;

	for (i = table->chains.spare; i; i = bucket->link, n++) {
		check(i >= table->chains.buckets->home_end);
		check(!test_bit(i, inspect->seen));
		__set_bit(i, inspect->seen);
		bucket = bucket_of(table, i);
		check_over(bucket);
		check_equal(slots_used(bucket), 0);
	}
	check_equal(n, table->chains.spare_n);
	check(n <= (table->count ? SHMAP_CHAIN_SPARE : 0));
}

/* Each overflow bucket is in a chain, or a shard keeps it, or it is free. */
static void inspect_over(struct inspect *inspect)
{
	const struct shmap_buckets *buckets = &inspect->map->buckets;
	const struct rb_node *node = rb_first(&buckets->with_free);
	u32 number, i, n, first, free_n = 0, bare = 0;
	const struct shmap_over *over;

	for (number = 0; number < buckets->over_n; number++) {
		over = block_of(&buckets->over, number);
		first = buckets->home_end + number * SHMAP_BLOCK_BUCKETS;
		inspect->memory += sizeof(*over) + SHMAP_BLOCK_BUCKETS / 8;
		if (!over->block) {
			check(!over->free_n);
			bare++;
			continue;
		}
		for (i = 0, n = 0; i < SHMAP_BLOCK_BUCKETS; i++) {
			check_equal(test_bit(i, over->free),
				    !test_bit(first + i, inspect->seen));
			if (!test_bit(i, over->free))
				continue;
			n++;
			check_over(&over->block[i]);
			check(!over->block[i].link && !slots_used(&over->block[i]));
		}
		check_equal(n, over->free_n);
		free_n += n;
		inspect->memory += PAGE_SIZE << SHMAP_BLOCK_ORDER;
		if (!n)
			continue;
		/* In the tree, in the order of their numbers. */
		check(node == &over->node);
		node = rb_next(node);
	}
	check(!node);
	check_equal(free_n, buckets->free_n);
	for (node = rb_first(&buckets->bare); node; node = rb_next(node))
		bare--;
	check_equal(bare, 0);
}

/* Blocks of home buckets, and buckets that were never used. */
static void inspect_home_blocks(struct inspect *inspect)
{
	const struct shmap_buckets *buckets = &inspect->map->buckets;
	u32 shards = inspect->map->config.shards, i;
	const struct shmap_table *table;
	bool block = false;

	for (i = 0; i < buckets->home_end; i++) {
		table = &inspect->map->shard[i % shards].table;
		if (i % SHMAP_BLOCK_BUCKETS == 0) {
			block = block_of(&buckets->home, i / SHMAP_BLOCK_BUCKETS);
			inspect->memory += block ? PAGE_SIZE << SHMAP_BLOCK_ORDER : 0;
		}
		if (i < table->desc->end)
			check(block);
		else if (block)
			check_unused(bucket_of(table, i));
	}
}

static void inspect_buckets(struct inspect *inspect)
{
	const struct shmap_buckets *buckets = &inspect->map->buckets;
	u64 others = inspect->memory;
	u32 part;

	inspect->memory = 0;
	inspect_home_blocks(inspect);
	inspect_over(inspect);
	inspect->memory += buckets->gone.n * (PAGE_SIZE << SHMAP_BLOCK_ORDER);
	for (part = 0; part < SHMAP_DIR_PARTS; part++) {
		u64 bytes = (part ? 1ull << part : 2) * sizeof(void *);

		inspect->memory += buckets->home.base[part] ? bytes : 0;
		inspect->memory += buckets->over.base[part] ? bytes : 0;
	}
	check_equal(inspect->map->tables.bytes.counter, inspect->memory);
	inspect->memory = others;
}

/* INFO's sums are of one moment, since nothing happens. */
static void inspect_info(const struct inspect *inspect)
{
	const struct shmap_map *map = inspect->map;
	struct kmap_info info = { 0 };

	shmap_map_info((struct shmap_map *)map, &info);
	check_equal(info.memory, sizeof(*map) + map->mem.bytes.counter +
				 map->tables.bytes.counter);
	check_equal(info.slabs, inspect->held + inspect->leaving);
	check_equal(info.kept, inspect->kept);
	check_equal(info.tables, map->tables.bytes.counter);
	/* All memory for entries is accounted for. */
	check(info.slabs <= (u64)map->pool.backed * SHMAP_UNIT_SIZE);
	check(info.reusable <= (u64)map->pool.backed * SHMAP_UNIT_SIZE);
}

/* What is kept for snapshots: in neither table nor batches, and once. */
static u64 inspect_kept(struct inspect *inspect, const struct shmap_shard *shard)
{
	const struct shmap_kept *kept, *last = NULL;
	const struct kmap_entry *entry;
	u64 bytes = 0, death = 0;
	u32 n = 0;

	for (kept = shmap_kept_find(shard, 0, 0); kept;
	     kept = shmap_kept_next(kept)) {
		check(!last || last->order < kept->order ||
		      (last->order == kept->order && last->death < kept->death));
		last = kept;
		n++;
	}
	list_for_each_entry(kept, &shard->kept_fifo, fifo) {
		check(kept->death > death && kept->death <= shard->version);
		death = kept->death;
		check(!test_bit(kept->ref, inspect->live));
		check(!test_bit(kept->ref, inspect->dead));
		__set_bit(kept->ref, inspect->dead);
		entry = shmap_pool_entry(&inspect->map->pool, kept->ref);
		check(kept->birth < kept->death);
		check_equal(kept->birth, KMAP_ENTRY_VERSION(entry->version));
		check_equal(kept->bytes,
			    inspect_class(KMAP_ENTRY_SIZE(KMAP_ENTRY_KEY_LEN(entry->lens),
							  KMAP_ENTRY_VALUE_LEN(entry->lens))));
		bytes += kept->bytes + sizeof(*kept);
		inspect->records++;
		n--;
	}
	check_equal(n, 0);
	return bytes;
}

static void inspect_shard(struct inspect *inspect,
			  const struct shmap_shard *shard)
{
	const struct shmap_table *table = &shard->table;
	u32 shards = inspect->map->config.shards, i, n = 0, over = 0;
	u64 bytes = 0;

	check(shard->newest <= shard->version);
	check_equal(shard->cut, inspect->map->cuts.number);
	check(!shard->marked);
	check_equal(table->shard, shard - inspect->map->shard);
	check(table->desc->end % shards == 0);
	check(table->desc->end >= max_t(u32, shards, SHMAP_BLOCK_BUCKETS));
	check(table->desc->end <= table->chains.buckets->home_end);
	for (i = table->shard; i < table->desc->end; i += shards)
		n += inspect_bucket(inspect, shard, i, &over, &bytes);
	check_equal(n, table->count);
	check_equal(over, table->chains.over_n);
	check_equal(bytes + 16 * n, shard->bytes);
	inspect_spares(inspect, table);
	inspect_deferred(inspect, &shard->defer);
	inspect->kept += inspect_kept(inspect, shard);
}

static void inspect_quota(const struct shmap_map *map, u64 entries, u64 bytes)
{
	const struct shmap_quota *quota = &map->quota;
	unsigned int i;
	u64 units;

	entries += quota->left.entries;
	bytes += quota->left.bytes;
	for (i = 0; i < quota->shards; i++) {
		units = quota->credit[i].left.counter;
		check(!(units & SHMAP_QUOTA_BELOW));
		/* Nobody keeps anything that has been taken back. */
		check(!units || !quota->scarce || i >= quota->cursor);
		entries += units / SHMAP_QUOTA_ENTRY;
		bytes += units % SHMAP_QUOTA_ENTRY;
	}
	check_equal(entries, map->config.max_entries);
	check_equal(bytes, map->config.max_bytes);
}

/**
 * inspect_map - look at all of a map
 * @map: the map, at rest
 */
void inspect_map(const struct shmap_map *map)
{
	size_t words = BITS_TO_LONGS((u64)map->pool.area.end * SHMAP_UNIT_REFS);
	struct inspect inspect = {
		.map	= map,
		.live	= calloc(words, sizeof(long)),
		.dead	= calloc(words, sizeof(long)),
		.idle	= calloc(words, sizeof(long)),
		.seen	= calloc(BITS_TO_LONGS((u64)map->buckets.over_end),
				 sizeof(long)),
	};
	const struct shmap_kept *spare;
	u64 entries = 0, bytes = 0;
	unsigned int spares = 0, i;

	check(inspect.live && inspect.dead && inspect.idle && inspect.seen);
	for (i = 0; i < map->config.shards; i++) {
		inspect_shard(&inspect, &map->shard[i]);
		entries += map->shard[i].table.count;
		bytes += map->shard[i].bytes;
	}
	check(!map->cuts.running);
	list_for_each_entry(spare, &map->cuts.spare, fifo)
		spares++;
	check_equal(map->cuts.spares, spares);
	/* Records are allocated in sheets. */
	inspect.records += spares;
	check_equal(inspect.records % SHMAP_SHEET_RECORDS, 0);
	inspect.memory += inspect.records / SHMAP_SHEET_RECORDS *
			  (SHMAP_SHEET_RECORDS * sizeof(*spare) +
			   3 * sizeof(long));
	check(map->cuts.n <= SHMAP_CUTS);
	check_equal(map->cuts.kept, inspect.kept);
	check(inspect.kept <= map->cuts.kept_max / 2 * 3);
	inspect_quota(map, entries, bytes);
	inspect_buckets(&inspect);
	inspect_slabs(&inspect);
	inspect.memory += (PAGE_SIZE << map->head_order) +
			  map->config.shards * sizeof(*map->shard);
	check_equal(map->mem.bytes.counter, inspect.memory);
	inspect_info(&inspect);
	free(inspect.live);
	free(inspect.dead);
	free(inspect.idle);
	free(inspect.seen);
}
