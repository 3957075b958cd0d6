// SPDX-License-Identifier: GPL-2.0-only
/*
 * libkmap's reader on damaged copies of a window: whatever is in there, it reads
 * nothing outside of the copy, writes nothing beyond its buffer, comes to an end,
 * and answers in one of the ways it may.
 *
 * The copy lies between two pages that cannot be touched, and buffers are as
 * large as the reader is told, so that AddressSanitizer sees a byte too many.
 *
 *	ROUNDS=N	how many damaged copies
 *	SEED=N		which
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include <linux/err.h>

#include "actors.h"
#include "reader_window.h"
#include "shim.h"
#include "test.h"

#include "../../../module/window.h"

#define KEYS		600u
#define DAMAGES		6u
#define LOOKS		24u

/**
 * struct copy - a copy of a window
 * @mem: the copy
 * @size: its size
 * @page: offsets of the pages that hold anything
 * @pages: how many
 * @map: what it is a copy of
 */
struct copy {
	u8			*mem;
	u64			size;
	u64			*page;
	u32			pages;
	struct shmap_map	*map;
};

/**
 * struct damage - one change of a copy
 * @at: where
 * @was: what was there
 */
struct damage {
	u64	at;
	u64	was;
};

/* The copy ends where the last entry's page does: what goes too far is seen. */
static u64 size_used(struct shmap_map *map)
{
	u64 at = map->head->size;

	while (!reader_page(map, at - PAGE_SIZE))
		at -= PAGE_SIZE;
	return at;
}

static void copy_make(struct copy *copy, struct shmap_map *map)
{
	u64 at, size = size_used(map);
	struct kmap_window *head;
	u8 *mem = mmap(NULL, size + 2 * PAGE_SIZE, PROT_READ | PROT_WRITE,
		       MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);

	check(mem != MAP_FAILED);
	mprotect(mem, PAGE_SIZE, PROT_NONE);
	mprotect(mem + PAGE_SIZE + size, PAGE_SIZE, PROT_NONE);
	copy->mem = mem + PAGE_SIZE;
	copy->size = size;
	copy->map = map;
	copy->page = calloc(size / PAGE_SIZE, sizeof(u64));
	check(copy->page);
	copy->pages = 0;
	for (at = 0; at < size; at += PAGE_SIZE) {
		const void *page = reader_page(map, at);

		if (!page)
			continue;
		memcpy(copy->mem + at, page, PAGE_SIZE);
		copy->page[copy->pages++] = at;
	}
	head = (void *)copy->mem;
	head->size = size;
	head->entry_size = size - head->entry_offset;
}

static void copy_unmake(struct copy *copy)
{
	munmap(copy->mem - PAGE_SIZE, copy->size + 2 * PAGE_SIZE);
	free(copy->page);
}

/* A number that borders on something, or any. */
static u64 strange(struct actor *actor)
{
	static const u64 numbers[] = {
		0, 1, 2, 7, 8, 63, 64, 0x7ff, 0x800, 0xffff, 0x10000,
		0x7fffffff, 0x80000000, 0xffffffff, 0x100000000ull,
		0x7fffffffffffffffull, 0x8000000000000000ull, ~0ull, ~7ull,
	};
	u32 which = actor_draw(actor, 2 * ARRAY_SIZE(numbers));

	if (which < ARRAY_SIZE(numbers))
		return numbers[which];
	return (u64)actor_draw(actor, 1u << 31) << 33 ^
	       (u64)actor_draw(actor, 1u << 31) << 13 ^ actor_draw(actor, 8192);
}

/* The key whose part of the copy was damaged last. */
static u32 hurt;

/* Home bucket of some key. */
static u64 some_home(struct actor *actor, const struct copy *copy)
{
	char key[ACTOR_KEY];
	u32 len = actor_key(key, 'k', hurt = actor_draw(actor, KEYS));

	return reader_home(copy->map, shmap_key_hash(copy->map, key, len));
}

/* Entry of some key. */
static u64 some_entry(struct actor *actor, const struct copy *copy)
{
	char key[ACTOR_KEY];
	u32 len = actor_key(key, 'k', hurt = actor_draw(actor, KEYS));

	return reader_entry(copy->map, key, len);
}

/* Where it may hurt: the head, the shards, buckets, entries, anywhere. */
static u64 place(struct actor *actor, const struct copy *copy)
{
	const struct kmap_window *head = copy->map->head;

	switch (actor_draw(actor, 8)) {
	case 0:
		return actor_draw(actor, sizeof(*head) / 8) * 8;
	case 1:
		return head->shard_offset +
		       actor_draw(actor, head->shards * 2) * 32;
	case 2:
	case 3:
	case 4:
		return some_home(actor, copy) + actor_draw(actor, 8) * 8;
	case 5:
	case 6:
		return some_entry(actor, copy) + actor_draw(actor, 4) * 8;
	default:
		return copy->page[actor_draw(actor, copy->pages)] +
		       actor_draw(actor, PAGE_SIZE / 8) * 8;
	}
}

/* A chain that leads back to itself. */
static void make_loop(struct actor *actor, const struct copy *copy,
		      struct damage *d)
{
	const struct kmap_window *head = copy->map->head;
	u64 home = some_home(actor, copy);
	struct kmap_bucket *bucket = (void *)(copy->mem + home);

	d->at = home + offsetof(struct kmap_bucket, link);
	memcpy(&d->was, copy->mem + d->at, 8);
	bucket->link = (home - head->bucket_offset) / sizeof(*bucket);
}

/* A value that is longer than it is, by up to a MiB. */
static void make_long(struct actor *actor, const struct copy *copy,
		      struct damage *d)
{
	struct kmap_entry *entry;

	d->at = some_entry(actor, copy);
	entry = (void *)(copy->mem + d->at);
	memcpy(&d->was, entry, 8);
	entry->lens |= KMAP_ENTRY_LENS(0, 8u << actor_draw(actor, 18));
}

static void damage(struct actor *actor, const struct copy *copy,
		   struct damage *d)
{
	u64 word;

	switch (actor_draw(actor, 20)) {
	case 0:
		make_loop(actor, copy, d);
		return;
	case 1:
		make_long(actor, copy, d);
		return;
	}
	d->at = place(actor, copy);
	memcpy(&word, copy->mem + d->at, 8);
	d->was = word;
	switch (actor_draw(actor, 4)) {
	case 0:
		word ^= 1ull << actor_draw(actor, 64);
		break;
	case 1:
		word = strange(actor);
		break;
	case 2:
		/* One half of it. */
		word = (word & 0xffffffff) | strange(actor) << 32;
		break;
	default:
		word = (word & ~0xffffffffull) | (u32)strange(actor);
		break;
	}
	memcpy(copy->mem + d->at, &word, 8);
}

/* Look some keys up; which it finds is no matter. */
static u32 look(struct actor *actor, const struct window *window)
{
	static u8 room[READER_ROOM];
	char key[ACTOR_KEY];
	u32 i, found = 0;

	for (i = 0; i < LOOKS; i++) {
		u32 which = i < LOOKS / 4 ? hurt : actor_draw(actor, KEYS + 20);
		u32 key_len = actor_key(key, 'k', which);
		size_t size = actor_draw(actor, 2) ? actor_draw(actor, 4096) : 96;
		size_t len = 0;
		uint64_t version;
		u8 *buf = malloc(size);
		int ret;

		check(buf || !size);
		/* In a large one there is room for what is no value. */
		if (actor_draw(actor, 4))
			ret = window_get(window, key, key_len, buf, size, &len,
					 &version);
		else
			ret = window_get(window, key, key_len, room,
					 size = sizeof(room), &len, &version);
		check(!ret || ret == -ENOENT || ret == -EMSGSIZE ||
		      ret == WINDOW_UNKNOWN);
		check(ret || len <= size);
		check(ret != -EMSGSIZE || len > size);
		found += !ret;
		free(buf);
	}
	return found;
}

static void fill(struct shmap_map *map)
{
	struct actor actor = { .random = 4711 };
	char key[ACTOR_KEY];
	u32 i;

	for (i = 0; i < KEYS; i++)
		check_equal(actor_put(map, key, actor_key(key, 'k', i),
				      actor_value_len(&actor), 0), 0);
	check_equal(actor_put(map, "empty", 5, 0, 0), 0);
}

/* A copy that is not damaged is read like the window itself. */
static void check_whole(const struct copy *copy)
{
	struct window window;
	u8 room[4096];
	uint64_t version;
	size_t len;
	u32 i;

	check(window_init(&window, copy->mem, copy->size,
			  copy->map->config.max_key));
	for (i = 0; i < KEYS; i++) {
		char key[ACTOR_KEY];
		u32 key_len = actor_key(key, 'k', i);

		check_equal(window_get(&window, key, key_len, room,
				       sizeof(room), &len, &version), 0);
		actor_check(shmap_key_hash(copy->map, key, key_len), room, len);
		check_equal(window_get(&window, key, key_len, NULL, 0, NULL,
				       NULL), len ? -EMSGSIZE : 0);
	}
	/* An empty value fits where there is no room, and is not copied there. */
	check_equal(window_get(&window, "empty", 5, NULL, 0, &len, &version), 0);
	check_equal(len, 0);
}

/* While a writer is at work there, nothing is to be believed. */
static void check_busy(const struct copy *copy)
{
	struct window window;
	u8 room[4096];
	uint64_t version;
	size_t len;
	u32 i;

	check(window_init(&window, copy->mem, copy->size,
			  copy->map->config.max_key));
	for (i = 0; i < KEYS + 20; i++) {
		char key[ACTOR_KEY];
		u32 key_len = actor_key(key, 'k', i);
		u64 home = reader_home(copy->map,
				       shmap_key_hash(copy->map, key, key_len));
		struct kmap_bucket *bucket = (void *)(copy->mem + home);

		bucket->seq++;
		check_equal(window_get(&window, key, key_len, room,
				       sizeof(room), &len, &version),
			    WINDOW_UNKNOWN);
		bucket->seq--;
	}
}

/* A page of buckets that reads as zeros, as a hole does: a key is not called absent. */
static void check_holes(const struct copy *copy)
{
	const struct kmap_window *head = copy->map->head;
	u8 page[PAGE_SIZE], room[4096];
	struct window window;
	u32 i, p, unknown, met = 0, over = 0;
	uint64_t version;
	size_t len;
	int ret;

	check(window_init(&window, copy->mem, copy->size,
			  copy->map->config.max_key));
	for (p = 0; p < copy->pages; p++) {
		if (copy->page[p] < head->bucket_offset ||
		    copy->page[p] >= head->entry_offset)
			continue;
		memcpy(page, copy->mem + copy->page[p], PAGE_SIZE);
		memset(copy->mem + copy->page[p], 0, PAGE_SIZE);
		unknown = 0;
		for (i = 0; i < KEYS; i++) {
			char key[ACTOR_KEY];
			u32 key_len = actor_key(key, 'k', i);

			ret = window_get(&window, key, key_len, room,
					 sizeof(room), &len, &version);
			check(!ret || ret == WINDOW_UNKNOWN);
			unknown += ret == WINDOW_UNKNOWN;
		}
		memcpy(copy->mem + copy->page[p], page, PAGE_SIZE);
		/* In some, no bucket is in use. */
		met += unknown > 0;
		over += unknown && copy->page[p] >= head->bucket_offset +
			(u64)copy->map->buckets.home_end * sizeof(struct kmap_bucket);
	}
	check(over && met > over);
}

static void damaged(const struct test *test)
{
	const struct shmap_config config = {
		.lock		= shmap_lock_find("rcu"),
		.shards		= test->shards,
		.max_entries	= 2000,
		.max_bytes	= 1 << 20,
		.max_key	= 64,
		.max_value	= 4096,
	};
	struct actor actor = { .random = 99 + test_number("SEED", 1) };
	u32 rounds = test_number("ROUNDS", 20000), read = 0, found = 0, i, n;
	struct damage done[DAMAGES];
	struct window window;
	struct copy copy;

	shim_rcu_by_hand(false);
	copy.map = shmap_map_create(&config);
	check(!IS_ERR(copy.map));
	fill(copy.map);
	copy_make(&copy, copy.map);
	check_whole(&copy);
	check_busy(&copy);
	check_holes(&copy);
	for (i = 0; i < rounds; i++) {
		u32 damages = 1 + actor_draw(&actor, DAMAGES);

		for (n = 0; n < damages; n++)
			damage(&actor, &copy, &done[n]);
		/* The kernel says what max_key is, and is believed. */
		if (window_init(&window, copy.mem, copy.size,
				copy.map->config.max_key)) {
			read++;
			found += look(&actor, &window);
		}
		while (n--)
			memcpy(copy.mem + done[n].at, &done[n].was, 8);
	}
	check_whole(&copy);
	printf("# %u copies, %u of them read, %u keys found\n", rounds,
	       read, found);
	check(read > rounds / 3 && found);
	copy_unmake(&copy);
	shmap_map_put(copy.map);
}

int main(int argc, char **argv)
{
	static const struct test tests[] = {
		{ "damaged_1", .play = damaged, .shards = 1 },
		{ "damaged_8", .play = damaged, .shards = 8 },
	};

	return test_main(argc, argv, tests, ARRAY_SIZE(tests));
}
