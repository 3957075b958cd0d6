// SPDX-License-Identifier: GPL-2.0-only
/*
 * Parts by themselves: the hash and its published results, size classes, the
 * arena, the pool, INFO; and the shims where the tests lean on them.
 */
#include <stdlib.h>
#include <string.h>

#include <linux/bitmap.h>
#include <linux/bitrev.h>
#include <linux/err.h>
#include <linux/log2.h>
#include <linux/random.h>
#include <linux/siphash.h>
#include <linux/slab.h>
#include <linux/vmalloc.h>

#include "arena.h"
#include "entry.h"
#include "inspect.h"
#include "map.h"
#include "shim.h"
#include "test.h"

/*
 * Results of the reference program by the authors of SipHash for the key 00 01
 * ... 0f and messages 00 01 ... of length 0, 1, and so on.
 */
static const u64 siphash_1_3[] = {
	0xabac0158050fc4dcull, 0xc9f49bf37d57ca93ull, 0x82cb9b024dc7d44dull,
	0x8bf80ab8e7ddf7fbull, 0xcf75576088d38328ull, 0xdef9d52f49533b67ull,
	0xc50d2b50c59f22a7ull, 0xd3927d989bb11140ull, 0x369095118d299a8eull,
	0x25a48eb36c063de4ull, 0x79de85ee92ff097full, 0x70c118c1f94dc352ull,
	0x78a384b157b4d9a2ull, 0x306f760c1229ffa7ull, 0x605aa111c0f95d34ull,
	0xd320d86d2a519956ull, 0xcc4fdd1a7d908b66ull, 0x9cf2689063dbd80cull,
};

/* The same for the key of zeroes. */
static const u64 siphash_1_3_zero[] = {
	0xd1fba762150c532cull, 0x68a914128e01e473ull, 0x010bac45c41e3669ull,
	0x4d4c9a4a8ef6e0adull, 0x7cc43f98813e4dbdull, 0x5abe2169dff36275ull,
	0xe3c25f87624f1cdbull, 0x2f098ab0c751325aull, 0xead411e67ebe2eeaull,
};

static void hash(void)
{
	static const u64 key[2] = {
		0x0706050403020100ull, 0x0f0e0d0c0b0a0908ull
	};
	static const u64 zero[2];
	hsiphash_key_t hkey;
	u8 text[64];
	u32 i;

	for (i = 0; i < sizeof(text); i++)
		text[i] = i;
	memcpy(hkey.key, key, sizeof(key));
	/* The paper's own example, appendix A. */
	check(shim_siphash(2, 4, text, 15, key) == 0xa129ca6149be45e5ull);
	for (i = 0; i < ARRAY_SIZE(siphash_1_3); i++) {
		check(shim_siphash(1, 3, text, i, key) == siphash_1_3[i]);
		check(hsiphash(text, i, &hkey) == (u32)siphash_1_3[i]);
	}
	for (i = 0; i < ARRAY_SIZE(siphash_1_3_zero); i++)
		check(shim_siphash(1, 3, text, i, zero) == siphash_1_3_zero[i]);
}

static void bits(void)
{
	unsigned long map[4] = { ~0ul, ~0ul, 0, ~0ul };
	u32 i;

	check_equal(bitrev32(1), 1u << 31);
	check_equal(bitrev32(0x0000ffff), 0xffff0000);
	check_equal(bitrev32(0x12345678), 0x1e6a2c48);
	for (i = 0; i < 32; i++)
		check_equal(ilog2(1u << i), i);
	check_equal(bitmap_find_next_zero_area(map, 256, 0, 64, 0), 128);
	check(bitmap_find_next_zero_area(map, 256, 0, 65, 0) >= 256);
	check(bitmap_find_next_zero_area(map, 256, 130, 63, 0) >= 256);
	bitmap_set(map, 130, 3);
	check_equal(bitmap_find_next_zero_area(map, 256, 0, 3, 0), 133);
	check_equal(bitmap_find_next_zero_area(map, 256, 0, 2, 0), 128);
}

/* Two addresses of one page, and memory counted out and in. */
static void pages(void)
{
	long before = shim_bytes_out();
	struct page *page[3];
	char *mem;
	u32 i;

	for (i = 0; i < 3; i++)
		page[i] = alloc_pages(__GFP_ZERO, 0);
	mem = vmap((struct page *[]) { page[2], page[0], page[1] }, 3, VM_MAP,
		   PAGE_KERNEL);
	check(mem && !mem[0]);
	mem[PAGE_SIZE + 5] = 7;
	check_equal(((char *)page_address(page[0]))[5], 7);
	check(vmalloc_to_page(mem + 2 * PAGE_SIZE + 1) == page[1]);
	check(!shim_page_is_linear(mem));
	vunmap(mem);
	check_equal(shim_bytes_out() - before, 3 * PAGE_SIZE);
	for (i = 0; i < 3; i++)
		__free_pages(page[i], 0);
	check_equal(shim_bytes_out(), before);
}

/* Every size is rounded up as the header says, and by an eighth at most. */
static void classes(void)
{
	u32 most = KMAP_ENTRY_SIZE(KMAP_KEY_MAX, KMAP_VALUE_MAX), bytes, size;
	u32 last = 0;

	for (bytes = 1; bytes <= most; bytes++) {
		size = shmap_arena_size(bytes);
		check_equal(size, inspect_class(bytes));
		check(size >= bytes && size >= last && size % 8 == 0);
		check(size - bytes < 8 || (size - bytes) * 8 < bytes);
		check_equal(shmap_arena_size(size), size);
		last = size;
	}
}

static struct kmap_entry *take(struct shmap_arena *arena, u32 bytes, u32 *ref)
{
	struct kmap_entry *entry = shmap_arena_take(arena, bytes, ref);

	if (!entry) {
		check_equal(shmap_arena_grow(arena, bytes), 0);
		entry = shmap_arena_take(arena, bytes, ref);
	}
	check(entry);
	return entry;
}

/* Objects of a class do not overlap, keep what is in them, and all come back. */
static void play_class(struct shmap_arena *arena, u32 bytes)
{
	u32 n = bytes > 100000 ? 3 : 2 * SHMAP_UNIT_SIZE / bytes + 3, i, k;
	struct kmap_entry **entry = calloc(n, sizeof(*entry));
	u32 *ref = calloc(n, sizeof(*ref));

	check(entry && ref);
	for (i = 0; i < n; i++) {
		entry[i] = take(arena, bytes, &ref[i]);
		check(shmap_pool_entry(arena->pool, ref[i]) == entry[i]);
		check_equal((unsigned long)entry[i] % 8, 0);
		memset(entry[i], i, bytes);
	}
	for (i = 0; i < n; i++)
		for (k = 0; k < bytes; k++)
			check_equal(((u8 *)entry[i])[k], (u8)i);
	shmap_arena_free(arena->pool, ref, n);
	/* What was freed last comes first. */
	entry[0] = take(arena, bytes, &ref[0]);
	if (arena->pool->wipe)
		for (k = 4; k < bytes; k++)
			check_equal(((u8 *)entry[0])[k], 0);
	shmap_arena_free(arena->pool, ref, 1);
	free(entry);
	free(ref);
}

static void play_arena(bool wipe)
{
	struct shmap_arena arena = { 0 };
	struct shmap_mem mem = { 0 };
	struct shmap_pool pool = { 0 };
	u32 bytes;

	check_equal(shmap_pool_init(&pool, &mem, &mem, 64 << 20, 64 << 20), 0);
	pool.wipe = wipe;
	shmap_arena_init(&arena, &pool, 0);
	for (bytes = 8; bytes < 1100000; bytes += 8 + bytes / 11 / 8 * 8)
		play_class(&arena, bytes);
	check(!shmap_arena_trim(&arena, pool.round));
	check(!arena.held && !arena.leaving && !arena.free);
	check_equal(pool.area.idle[SHMAP_BARE] + pool.area.idle[SHMAP_READY],
		    pool.area.made * SHMAP_REGION_UNITS - 1);
	shmap_pool_exit(&pool);
	check_equal(mem.bytes.counter, 0);
	check_equal(shim_bytes_out(), 0);
}

static void arena(void)
{
	play_arena(false);
}

static void arena_wipes(void)
{
	play_arena(true);
}

/* First or last run of so many clear bits, the plain way. */
static int plain_find(const unsigned long *missing, u32 n, u32 units, bool last)
{
	u32 i, run = 0;
	int found = -1;

	for (i = 0; i < n && (last || found < 0); i++) {
		run = test_bit(i, missing) ? 0 : run + 1;
		if (run >= units)
			found = i + 1 - units;
	}
	return found;
}

/* Sets of many sizes, changed at random, against the plain way. */
static void runs(void)
{
	static const u32 sizes[] = { 1, 2, 63, 64, 65, 127, 129, 300, 1000, 5000 };
	u32 i, k, from, len, n, units;
	struct shmap_runs runs;

	for (i = 0; i < ARRAY_SIZE(sizes); i++) {
		n = sizes[i];
		runs.words = shmap_runs_words(n);
		runs.missing = calloc(runs.words, sizeof(*runs.missing));
		runs.node = calloc(2 * runs.words, sizeof(*runs.node));
		check(runs.missing && runs.node);
		shmap_runs_init(&runs, 0, n);
		for (k = 0; k < 4000; k++) {
			u32 x;

			get_random_bytes(&x, sizeof(x));
			from = x % n;
			len = min(x >> 16 & 127, n - from - 1) + 1;
			if (x >> 31)
				bitmap_set(runs.missing, from, len);
			else
				bitmap_clear(runs.missing, from, len);
			shmap_runs_update(&runs, from, len);
			get_random_bytes(&x, sizeof(x));
			units = k % 8 ? x % 90 + 1 : x % n + 1;
			check_equal(shmap_runs_find(&runs, units, false),
				    plain_find(runs.missing, n, units, false));
			check_equal(shmap_runs_find(&runs, units, true),
				    plain_find(runs.missing, n, units, true));
		}
		free(runs.missing);
		free(runs.node);
	}
}

/* Runs of any length, in any order, until the area is full. */
static void pool(void)
{
	struct { u32 first, units; } run[400];
	struct shmap_mem mem = { 0 };
	struct shmap_pool pool = { 0 };
	u32 i, k, n = 0, sum = 0;
	int first;

	check_equal(shmap_pool_init(&pool, &mem, &mem, 1000 * SHMAP_UNIT_SIZE,
				    500 * SHMAP_UNIT_SIZE), 0);
	for (i = 0; i < 20000; i++) {
		u16 x;

		get_random_bytes(&x, sizeof(x));
		if (x & 3 && n < ARRAY_SIZE(run)) {
			u32 units = x & 4 ? 1 : x / 8 % 9 + 1;

			first = shmap_pool_take(&pool, units);
			if (first < 0) {
				check_equal(first, -ENOSPC);
				check(pool.area.longest[SHMAP_BARE][1] < units);
				check(pool.area.longest[SHMAP_READY][1] < units);
				x = 0;
			} else {
				for (k = 0; k < units; k++)
					*(u64 *)shmap_area_mem(&pool.area, first + k) = first;
				run[n].first = first;
				run[n++].units = units;
				sum += units;
			}
		}
		if ((x & 3) == 0 && n) {
			k = x / 4 % n;
			check_equal(*(u64 *)(shmap_area_mem(&pool.area, run[k].first) +
					     (run[k].units - 1) *
					     SHMAP_UNIT_SIZE), run[k].first);
			shmap_pool_put(&pool, run[k].first, run[k].units);
			sum -= run[k].units;
			run[k] = run[--n];
		}
		check(sum < pool.area.end);
	}
	while (n--)
		shmap_pool_put(&pool, run[n].first, run[n].units);
	shmap_pool_exit(&pool);
	check_equal(shim_bytes_out(), 0);
}

static void lock_names(void)
{
	check(!strcmp(shmap_lock_find("spinlock")->name, "spinlock"));
	check(!strcmp(shmap_lock_find("rwsem")->name, "rwsem"));
	check(!strcmp(shmap_lock_find("rcu")->name, "rcu"));
	check(shmap_lock_find("rcu")->lockless_reads);
	check(!shmap_lock_find(""));
	check(!shmap_lock_find("rcu "));
}

int main(int argc, char **argv)
{
	static const struct test tests[] = {
		{ "hash", hash },
		{ "bits", bits },
		{ "pages", pages },
		{ "classes", classes },
		{ "arena", arena },
		{ "arena_wipes", arena_wipes },
		{ "runs", runs },
		{ "pool", pool },
		{ "lock_names", lock_names },
	};

	return test_main(argc, argv, tests, ARRAY_SIZE(tests));
}
