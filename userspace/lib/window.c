// SPDX-License-Identifier: MIT
/*
 * libkmap: mapping and checking the window.  lookup.h reads it.
 */
#include <stddef.h>
#include <sys/mman.h>

#include "internal.h"
#include "lookup.h"

/* A lookup that writers have disturbed this many times asks the kernel. */
#define TRIES		16

/* Longest chain that is accepted from the window's head, in buckets. */
#define DEPTH_MAX	128u

static inline void relax(void)
{
#if defined(__i386__) || defined(__x86_64__)
	__builtin_ia32_pause();
#elif defined(__aarch64__)
	__asm__ __volatile__("yield" : : : "memory");
#endif
}

int window_absent(const struct window *window, uint32_t hash,
		  const struct kmap_bucket *home, unsigned long seq)
{
	const struct kmap_bucket *now;

	if (stable(home, seq) && window_home(window, hash, &now) && now == home)
		return -ENOENT;
	return WINDOW_UNKNOWN;
}

/**
 * window_get - look a key up in the window
 * @window: the window
 * @key: the key
 * @key_len: its length
 * @buf: buffer for the value, which may be written to whatever the result; NULL is
 *	allowed if @size is 0
 * @size: size of @buf, in bytes
 * @len: set to the length of the value, on 0 and -EMSGSIZE, unless NULL
 * @version: set to its version, likewise
 *
 * Return: as window_lookup(), but WINDOW_UNKNOWN only after TRIES attempts, or if the
 * window does not take the key or the buffer.
 */
int window_get(const struct window *window, const void *key, size_t key_len,
	       void *buf, size_t size, size_t *len, uint64_t *version)
{
	unsigned char none[1];
	unsigned int tries;
	int ret;

	if (!window_takes(window, key, key_len) || (size && !buf))
		return WINDOW_UNKNOWN;
	/* An empty value is copied too, and must not be copied to NULL. */
	if (!buf)
		buf = none;
	for (tries = TRIES;; relax()) {
		ret = window_lookup(window, key, key_len, buf, size, len,
				    version, false);
		if (ret != WINDOW_UNKNOWN || !--tries)
			return ret;
	}
}

/**
 * window_get_number - look a number up in the window
 * @window: the window
 * @key: the key
 * @key_len: its length
 * @number: set to the number, on 0
 * @version: set to its version, likewise, unless NULL
 *
 * Return: as window_get(), and -EDOM when the value is no number.
 */
int window_get_number(const struct window *window, const void *key,
		      size_t key_len, int64_t *number, uint64_t *version)
{
	unsigned int tries = TRIES;
	uint64_t word = 0;
	int ret;

	if (!window_takes(window, key, key_len))
		return WINDOW_UNKNOWN;
	do {
		ret = window_lookup(window, key, (uint32_t)key_len, number,
				    sizeof(*number), NULL, &word, true);
	} while (ret == WINDOW_UNKNOWN && --tries);
	if (ret == -EMSGSIZE || (!ret && !(KMAP_ENTRY_FLAGS(word) & KMAP_IS_NUMBER)))
		return -EDOM;
	if (!ret && version)
		*version = KMAP_ENTRY_VERSION(word);
	return ret;
}

/* Is @offset aligned, and do @n > 0 pieces of @each bytes fit between it and @size? */
static bool fits(uint64_t size, uint64_t offset, uint64_t n, uint64_t each,
		 uint64_t align)
{
	return offset <= size && !(offset % align) && n &&
	       each <= (size - offset) / n;
}

/* Is the head of a window one that this library can use? */
static bool head_fine(const struct kmap_window *head, uint64_t size)
{
	const uint64_t bucket = sizeof(struct kmap_bucket);

	/* With a feature or a hash that is not known here, only the kernel can look up. */
	return head->magic == KMAP_WINDOW_MAGIC && head->size == size &&
	       head->features == KMAP_WINDOW_HSIPHASH &&
	       head->shard_bits < 31 && head->shards == 1u << head->shard_bits &&
	       head->max_chain >= KMAP_BUCKET_SLOTS &&
	       head->max_chain <= DEPTH_MAX * KMAP_BUCKET_SLOTS &&
	       fits(size, head->shard_offset, head->shards,
		    sizeof(struct kmap_shard), 8) &&
	       head->bucket_size >= bucket &&
	       head->bucket_size / bucket <= UINT32_MAX &&
	       fits(size, head->bucket_offset, 1, head->bucket_size, 8) &&
	       head->entry_size >= sizeof(struct kmap_entry) &&
	       fits(size, head->entry_offset, 1, head->entry_size, 8);
}

/**
 * window_init - check a window and prepare to read it
 * @window: filled in
 * @mem: where the window is; 8-byte aligned
 * @size: its size
 * @key_max: longest key
 *
 * Return: false when the window cannot be used.
 */
bool window_init(struct window *window, const void *mem, size_t size,
		 uint32_t key_max)
{
	const unsigned char *at = mem;
	struct kmap_window head;
	struct hash_state hash;
	uint64_t key[2], refs;

	if (size < sizeof(head))
		return false;
	memcpy(&head, mem, sizeof(head));
	if (!head_fine(&head, size))
		return false;

	key[0] = head.hash_key[0];
	key[1] = head.hash_key[1];
	hash_init(&hash, key);
	refs = (head.entry_size - sizeof(struct kmap_entry)) / 8;
	*window = (struct window) {
		.mem		= mem,
		.size		= size,
		.hash		= hash,
		.shards		= at + head.shard_offset,
		.buckets	= at + head.bucket_offset,
		.entries	= at + head.entry_offset,
		.end		= at + head.entry_offset + head.entry_size,
		.shard_mask	= head.shards - 1,
		.bucket_max	= head.bucket_size / sizeof(struct kmap_bucket),
		.ref_max	= refs < UINT32_MAX ? refs : UINT32_MAX,
		.depth_max	= head.max_chain / KMAP_BUCKET_SLOTS,
		.key_max	= key_max,
	};
	return true;
}

/* Does the window need more address space than a 32-bit program gives unasked? */
static bool too_large(const struct kmap *map, uint64_t size)
{
	if (size > SIZE_MAX)
		return true;
	return sizeof(void *) < 8 && size > KMAP_WINDOW_MAX_32 &&
	       !(map->flags & KMAP_WINDOW);
}

/**
 * window_map - map the window of an open map, if possible
 * @map: the handle; fd and flags are set
 * @info: what the kernel returned about the map
 *
 * Without a window, the library uses system calls.
 *
 * Return: 0, or why there is no window: see kmap_window_error().
 */
int window_map(struct kmap *map, const struct kmap_info *info)
{
	void *mem;

	map->window = (struct window) { 0 };
	if (map->flags & KMAP_WRONLY)
		return -EBADF;
	if (map->flags & KMAP_NO_WINDOW)
		return -ECANCELED;
	if (!info->window)
		return -EOPNOTSUPP;
	if (too_large(map, info->window))
		return -EOVERFLOW;
	mem = mmap(NULL, info->window, PROT_READ, MAP_SHARED, map->fd, 0);
	if (mem == MAP_FAILED)
		return -errno;
	if (!window_init(&map->window, mem, info->window, info->max_key)) {
		munmap(mem, info->window);
		return -EPROTO;
	}
	return 0;
}

/**
 * window_unmap - undo window_map()
 * @map: the handle
 */
void window_unmap(struct kmap *map)
{
	if (map->window.mem)
		munmap((void *)(uintptr_t)map->window.mem, map->window.size);
}
