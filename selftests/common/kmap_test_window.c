// SPDX-License-Identifier: GPL-2.0
/*
 * The window, mapped and read from one end to the other.  See
 * kmap_test_window.h for what each function promises.
 */
#define _FILE_OFFSET_BITS 64
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <sys/mman.h>
#include <unistd.h>

#include "kmap_test_window.h"

int kt_window_map(int fd, struct kt_window *window)
{
	struct kmap_info info;
	int ret = kt_info(fd, &info);

	if (ret)
		return ret;
	window->page = sysconf(_SC_PAGESIZE);
	window->size = info.window;
	if (window->size != info.window)
		return -EFBIG;
	window->spare = memfd_create("page", MFD_CLOEXEC);
	if (window->spare < 0)
		return -errno;
	window->mem = mmap(NULL, window->size, PROT_READ, MAP_SHARED, fd, 0);
	if (window->mem == MAP_FAILED) {
		ret = -errno;
		close(window->spare);
		return ret;
	}
	window->head = (const void *)window->mem;
	return 0;
}

void kt_window_unmap(struct kt_window *window)
{
	munmap((void *)window->mem, window->size);
	close(window->spare);
	window->mem = NULL;
}

int kt_window_page(const struct kt_window *window, size_t offset, void *copy)
{
	ssize_t wrote, got;
	__u8 one;

	/* Where an access of ours would raise a signal, the kernel's gives EFAULT. */
	wrote = pwrite(window->spare, window->mem + offset,
		       copy ? window->page : 1, 0);
	if (wrote < 0)
		return errno == EFAULT ? 0 : -errno;
	got = pread(window->spare, copy ? copy : &one, wrote, 0);
	return got == wrote && (!copy || (size_t)got == window->page) ? 1 : -EIO;
}

/* The entry that @ref names, or NULL. */
static const struct kmap_entry *entry_of(const struct kt_window *window,
					 __u32 ref)
{
	const struct kmap_window *head = window->head;
	const struct kmap_entry *entry;
	__u64 at = 8ull * ref;

	if (at + sizeof(*entry) > head->entry_size)
		return NULL;
	entry = (const void *)(window->mem + head->entry_offset + at);
	if (at + KMAP_ENTRY_SIZE(KMAP_ENTRY_KEY_LEN(entry->lens),
				 KMAP_ENTRY_VALUE_LEN(entry->lens)) >
	    head->entry_size)
		return NULL;
	return entry;
}

/* Does the entry of a slot agree with what its bucket has about it? */
static bool slot_fine(const struct kt_window *window, unsigned int shard,
		      const struct kmap_bucket *bucket, unsigned int slot,
		      const struct kmap_entry *entry)
{
	__u16 tag = bucket->tags[slot / 4] >> (16 * (slot % 4));

	return entry && entry->hash >> 16 == tag &&
	       (entry->hash & (window->head->shards - 1)) == shard &&
	       KMAP_ENTRY_KEY_LEN(entry->lens) &&
	       KMAP_ENTRY_VERSION(entry->version) &&
	       !(KMAP_ENTRY_FLAGS(entry->version) & ~KMAP_IS_NUMBER);
}

static __s64 scan_chain(const struct kt_window *window, unsigned int shard,
			__u32 number, kt_window_visit *visit, void *arg)
{
	const struct kmap_window *head = window->head;
	const struct kmap_bucket *buckets, *bucket;
	__u32 most = head->bucket_size / sizeof(*bucket), slot, depth;
	__s64 count = 0;

	buckets = (const void *)(window->mem + head->bucket_offset);
	bucket = &buckets[number];
	if (bucket->seq & 1 || !bucket->seq)
		return -EPROTO;
	for (depth = 1;; depth++) {
		if (bucket->mark != (depth > 1 ? KMAP_BUCKET_OVERFLOW : 0))
			return -EPROTO;
		for (slot = 0; slot < KMAP_BUCKET_SLOTS; slot++) {
			const struct kmap_entry *entry;
			int ret;

			if (!bucket->refs[slot])
				continue;
			entry = entry_of(window, bucket->refs[slot]);
			if (!slot_fine(window, shard, bucket, slot, entry))
				return -EPROTO;
			ret = visit ? visit(entry, arg) : 0;
			if (ret)
				return ret;
			count++;
		}
		if (!bucket->link)
			return count;
		if (bucket->link >= most ||
		    depth == head->max_chain / KMAP_BUCKET_SLOTS)
			return -EPROTO;
		bucket = &buckets[bucket->link];
	}
}

/*
 * The ends of all shards and the seqs of their home buckets: these only grow, while the
 * former only shrink as long as nobody writes.  -EPROTO when an end is out of bounds.
 */
static int read_state(const struct kt_window *window, __u64 *ends, __u64 *seqs)
{
	const struct kmap_window *head = window->head;
	const struct kmap_bucket *buckets = (const void *)(window->mem +
							   head->bucket_offset);
	const struct kmap_shard *shards = (const void *)(window->mem +
							 head->shard_offset);
	__u32 most = head->bucket_size / sizeof(*buckets), end, shard, bucket;

	*ends = 0;
	*seqs = 0;
	for (shard = 0; shard < head->shards; shard++) {
		end = __atomic_load_n(&shards[shard].end, __ATOMIC_ACQUIRE);
		if (!end || end % head->shards || end > most)
			return -EPROTO;
		*ends += end;
		for (bucket = shard; bucket < end; bucket += head->shards)
			*seqs += buckets[bucket].seq;
	}
	__atomic_thread_fence(__ATOMIC_ACQUIRE);
	return 0;
}

static __s64 scan_all(const struct kt_window *window, kt_window_visit *visit,
		      void *arg)
{
	const struct kmap_window *head = window->head;
	const struct kmap_shard *shards = (const void *)(window->mem +
							 head->shard_offset);
	__s64 count = 0, found;
	__u32 shard, bucket;

	for (shard = 0; shard < head->shards; shard++) {
		for (bucket = shard; bucket < shards[shard].end;
		     bucket += head->shards) {
			found = scan_chain(window, shard, bucket, visit, arg);
			if (found < 0)
				return found;
			count += found;
		}
	}
	return count;
}

__s64 kt_window_scan(const struct kt_window *window, kt_window_visit *visit,
		     void *arg)
{
	__u64 ends, seqs, ends_now, seqs_now;
	__s64 result;

	/* Nobody writes, but the keeper may move entries and merge buckets; not for ever. */
	do {
		/* Soon no page of zeros hides an entry any more. */
		while (__atomic_load_n(&window->head->stale, __ATOMIC_ACQUIRE))
			usleep(1000);
		if (read_state(window, &ends, &seqs))
			return -EPROTO;
		result = scan_all(window, visit, arg);
		__atomic_thread_fence(__ATOMIC_ACQUIRE);
		if (read_state(window, &ends_now, &seqs_now))
			return -EPROTO;
	} while (ends != ends_now || seqs != seqs_now);
	return result;
}
