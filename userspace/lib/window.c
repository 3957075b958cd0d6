// SPDX-License-Identifier: MIT
/*
 * libkmap: looking a key up in the window, without a system call.
 *
 * The protocol is that of <linux/kmap.h>; the numbers below are its steps.  The
 * kernel may change everything while we read, so what is read once is used, what
 * is used is checked against the bounds of the window first, and what was found
 * counts when the seq of the home bucket is afterwards what it was before.  Both
 * hold for a window that is damaged too: it can make us find nothing or nonsense,
 * but neither read outside of it nor go on for ever.
 *
 * Orders.  seq and the number of buckets are read with acquire, and what follows
 * them is read later.  An acquire fence before seq is read again keeps what was
 * read earlier from being read after it.
 */
#include <stddef.h>
#include <sys/mman.h>

#include "internal.h"

/* A lookup that writers disturb so often asks the kernel. */
#define TRIES		16

/* Longest chain of buckets that makes sense. */
#define DEPTH_MAX	128u

/* A 64-bit word of tags as four 16-bit lanes. */
#define LANES		0x0001000100010001ull
#define LANE_TOPS	0x8000800080008000ull

/* A seq is read as a long, its lower half where a long is no more. */
#if __BYTE_ORDER == __BIG_ENDIAN
#define SEQ_AT		(sizeof(__u64) - sizeof(long))
#else
#define SEQ_AT		0
#endif

/**
 * struct probe - where a key's hash leads
 * @hash: of the key
 * @rest: the bits of it that choose the bucket
 * @desc: the shard's descriptor
 * @buckets: the shard's bucket 0
 */
struct probe {
	uint32_t			hash;
	uint32_t			rest;
	const struct kmap_shard		*desc;
	const struct kmap_bucket	*buckets;
};

static inline uint32_t load_32(const uint32_t *from)
{
	return __atomic_load_n(from, __ATOMIC_RELAXED);
}

/* In two halves where the machine has no more: seq tells if they are one. */
static inline uint64_t load_64(const __u64 *from)
{
#if __SIZEOF_LONG__ == 8
	return __atomic_load_n(from, __ATOMIC_RELAXED);
#else
	uint32_t half[2];
	uint64_t word;

	half[0] = load_32((const uint32_t *)(const void *)from);
	half[1] = load_32((const uint32_t *)(const void *)from + 1);
	memcpy(&word, half, sizeof(word));
	return word;
#endif
}

static inline unsigned long load_seq(const struct kmap_bucket *home, int order)
{
	const void *at = (const unsigned char *)&home->seq + SEQ_AT;

	return __atomic_load_n((const unsigned long *)at, order);
}

/* Steps 5 and 6: is all that was read so far of one moment? */
static inline bool stable(const struct kmap_bucket *home, unsigned long seq)
{
	__atomic_thread_fence(__ATOMIC_ACQUIRE);
	return load_seq(home, __ATOMIC_RELAXED) == seq;
}

static inline uint64_t word_at(const void *from)
{
	uint64_t word;

	memcpy(&word, from, sizeof(word));
	return word;
}

static inline bool same(const unsigned char *a, const unsigned char *b,
			size_t len)
{
	size_t i;

	if (len < 8)
		return !memcmp(a, b, len);
	for (i = 0; i + 8 < len; i += 8)
		if (word_at(a + i) != word_at(b + i))
			return false;
	return word_at(a + len - 8) == word_at(b + len - 8);
}

static inline void relax(void)
{
#if defined(__i386__) || defined(__x86_64__)
	__builtin_ia32_pause();
#elif defined(__aarch64__)
	__asm__ __volatile__("yield" : : : "memory");
#endif
}

/* Step 3: number of the home bucket when there are @n, which is not 0. */
static inline uint32_t home_number(uint32_t rest, uint32_t n)
{
	uint32_t m = 1u << (31 - __builtin_clz(n));
	uint32_t i = rest & (2 * m - 1);

	return i < n ? i : i - m;
}

/*
 * Step 6: take value and version of an entry that has room for them.
 */
static inline int take(const struct kmap_entry *entry, uint32_t key_len,
		       uint32_t value_len, void *buf, size_t size, size_t *len,
		       uint64_t *version)
{
	*len = value_len;
	*version = load_64(&entry->version) & KMAP_VERSION_MASK;
	if (value_len > size)
		return -EMSGSIZE;
	memcpy(buf, (const unsigned char *)entry + KMAP_ENTRY_VALUE(key_len),
	       value_len);
	return 0;
}

/*
 * The entry of a slot, if it is the key's: sets *value_len.  NULL when it is
 * another's; *again is set when it cannot be told.
 */
static inline const struct kmap_entry *
entry_of(const struct window *window, const struct probe *probe,
	 const struct kmap_bucket *home, unsigned long seq, uint32_t ref,
	 const void *key, uint32_t key_len, uint32_t *value_len, bool *again)
{
	const struct kmap_entry *entry;
	size_t at = (size_t)ref * 8;
	uint32_t lens;

	if (ref > window->ref_max)
		goto again;
	entry = (const void *)(window->entries + at);
	if (load_32(&entry->hash) != probe->hash)
		return NULL;
	lens = load_32(&entry->lens);
	if (KMAP_ENTRY_KEY_LEN(lens) != key_len)
		return NULL;
	/* Lengths of what was here once are not to be followed. */
	if (!stable(home, seq))
		goto again;
	*value_len = KMAP_ENTRY_VALUE_LEN(lens);
	if (KMAP_ENTRY_VALUE(key_len) + *value_len > window->entry_size - at)
		goto again;
	return same((const unsigned char *)(entry + 1), key, key_len) ? entry
								       : NULL;
again:
	*again = true;
	return NULL;
}

/* Steps 3 to 7, once.  WINDOW_UNKNOWN: try again. */
static inline int get_once(const struct window *window,
			   const struct probe *probe, const void *key,
			   uint32_t key_len, void *buf, size_t size,
			   size_t *len, uint64_t *version)
{
	uint32_t n = __atomic_load_n(&probe->desc->buckets, __ATOMIC_ACQUIRE);
	uint64_t wanted = (probe->hash >> 16) * LANES;
	const struct kmap_bucket *home, *bucket;
	uint32_t depth, link, i;
	bool again = false;
	unsigned long seq;

	if (n - 1 >= window->bucket_max)
		return WINDOW_UNKNOWN;
	i = home_number(probe->rest, n);
	home = &probe->buckets[i];
	seq = load_seq(home, __ATOMIC_ACQUIRE);
	if (seq & 1)
		return WINDOW_UNKNOWN;

	bucket = home;
	for (depth = 1;; depth++) {
		unsigned int word;

		for (word = 0; word < 2; word++) {
			uint64_t diff = load_64(&bucket->tags[word]) ^ wanted;
			/* Tops of lanes that are 0, and maybe of some above. */
			uint64_t hits = (diff - LANES) & ~diff & LANE_TOPS;

			for (; hits; hits &= hits - 1) {
				unsigned int slot = word * 4 +
					__builtin_ctzll(hits) / 16;
				uint32_t ref = load_32(&bucket->refs[slot]);
				const struct kmap_entry *entry;
				uint32_t value_len;
				int rc;

				if (!ref)
					continue;
				entry = entry_of(window, probe, home, seq, ref,
						 key, key_len, &value_len,
						 &again);
				if (again)
					return WINDOW_UNKNOWN;
				if (!entry)
					continue;
				rc = take(entry, key_len, value_len, buf, size,
					  len, version);
				return stable(home, seq) ? rc : WINDOW_UNKNOWN;
			}
		}
		link = load_32(&bucket->link);
		if (!link || depth == window->depth_max)
			break;
		if (link >= window->bucket_max)
			return WINDOW_UNKNOWN;
		bucket = &probe->buckets[link];
	}

	if (!stable(home, seq))
		return WINDOW_UNKNOWN;
	n = load_32(&probe->desc->buckets);
	if (n - 1 >= window->bucket_max || home_number(probe->rest, n) != i)
		return WINDOW_UNKNOWN;
	return -ENOENT;
}

/**
 * window_get - look a key up in the window
 * @window: the window; there is one
 * @key: the key
 * @key_len: its length
 * @buf: room for the value; may be written to whatever comes of it
 * @size: bytes of @buf
 * @len: set to the length of the value, on 0 and -EMSGSIZE
 * @version: set to its version, likewise
 *
 * Return: 0, -ENOENT or -EMSGSIZE as the ioctl would have said at some moment of
 * this call, or WINDOW_UNKNOWN when that has to be asked: arguments that need
 * checking, a writer that does not let go, a window that is damaged.
 */
int window_get(const struct window *window, const void *key, size_t key_len,
	       void *buf, size_t size, size_t *len, uint64_t *version)
{
	struct probe probe;
	uint32_t shard;
	unsigned int try;
	int rc;

	if (key_len - 1 >= window->key_max || !key || (size && !buf))
		return WINDOW_UNKNOWN;

	probe.hash = (uint32_t)hash_64(&window->hash, key, key_len);
	probe.rest = probe.hash >> window->shard_bits;
	shard = probe.hash & window->shard_mask;
	probe.desc = (const struct kmap_shard *)window->shards + shard;
	probe.buckets = (const void *)(window->buckets + shard * window->stride);

	for (try = 0; try < TRIES; try++) {
		rc = get_once(window, &probe, key, key_len, buf, size, len,
			      version);
		if (rc != WINDOW_UNKNOWN)
			return rc;
		relax();
	}
	return WINDOW_UNKNOWN;
}

/* Do @n pieces of @each bytes fit behind @offset, at this alignment? */
static bool fits(uint64_t size, uint64_t offset, uint64_t n, uint64_t each,
		 uint64_t align)
{
	return offset <= size && !(offset % align) && n &&
	       each <= (size - offset) / n;
}

/* Is the head of a window something to go by? */
static bool head_fine(const struct kmap_window *head, uint64_t size)
{
	const uint64_t bucket = sizeof(struct kmap_bucket);

	return head->magic == KMAP_WINDOW_MAGIC && head->size == size &&
	       head->shard_bits < 31 && head->shards == 1u << head->shard_bits &&
	       head->max_chain >= KMAP_BUCKET_SLOTS &&
	       head->max_chain <= DEPTH_MAX * KMAP_BUCKET_SLOTS &&
	       fits(size, head->shard_offset, head->shards,
		    sizeof(struct kmap_shard), 8) &&
	       head->bucket_stride >= bucket &&
	       !(head->bucket_stride % bucket) &&
	       head->bucket_stride / bucket <= 1u << 31 &&
	       fits(size, head->bucket_offset, head->shards,
		    head->bucket_stride, 8) &&
	       head->entry_size >= sizeof(struct kmap_entry) &&
	       fits(size, head->entry_offset, 1, head->entry_size, 8);
}

/**
 * window_init - get ready to read a window
 * @window: filled in
 * @mem: where the window is; 8-byte aligned
 * @size: its size
 * @key_max: longest key
 *
 * Return: false when this is no window that can be read.
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
		.stride		= head.bucket_stride,
		.entry_size	= head.entry_size,
		.shard_mask	= head.shards - 1,
		.shard_bits	= head.shard_bits,
		.bucket_max	= head.bucket_stride / sizeof(struct kmap_bucket),
		.ref_max	= refs < UINT32_MAX ? refs : UINT32_MAX,
		.depth_max	= head.max_chain / KMAP_BUCKET_SLOTS,
		.key_max	= key_max,
	};
	return true;
}

/**
 * window_map - map the window of an open map, if that can be
 * @map: the handle; fd and flags are set
 *
 * Without one everything works as well, with system calls.
 */
void window_map(struct kmap *map)
{
	struct kmap_info info = { 0 };
	void *mem;

	map->window.mem = NULL;
	if (map->flags & (KMAP_NO_WINDOW | KMAP_WRONLY))
		return;
	if (device_call(map, KMAP_IOC_INFO, &info) || !info.window ||
	    info.window > SIZE_MAX)
		return;
	mem = mmap(NULL, info.window, PROT_READ, MAP_SHARED, map->fd, 0);
	if (mem == MAP_FAILED)
		return;
	if (!window_init(&map->window, mem, info.window, info.max_key)) {
		munmap(mem, info.window);
		map->window.mem = NULL;
	}
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
