// SPDX-License-Identifier: GPL-2.0-only
/*
 * KMAP_IOC_KEYS: a walk into the caller's buffer.
 *
 * Records are gathered in kernel memory, some chains at a time, and copied out
 * while nothing is locked.  An atomic walk is copied out piece by piece as the
 * snapshot is read.
 */
#include <linux/slab.h>
#include <linux/uaccess.h>

#include "fatal.h"
#include "ops_keys.h"
#include "snapshot.h"
#include "walk.h"

/* Size of the buffer that records are gathered in before they are copied out, bytes. */
#define GATHER		4096u

/* Walk until the end, until the buffer is full, or until a fatal signal is pending. */
static int gather(struct shmap_map *map, struct shmap_walk *walk)
{
	walk->need = 0;
	while (walk->cursor != KMAP_KEYS_END && shmap_walk_step(map, walk)) {
		if (shmap_fatal_pending())
			return -EINTR;
		cond_resched();
	}
	return 0;
}

static int enlarge(const struct shmap_map *map, struct shmap_walk *walk,
		   size_t size)
{
	shmap_map_free_copy(map, walk->buf, walk->whole_size);
	walk->size = 0;
	walk->buf = kvmalloc(size, SHMAP_MEM_GFP);
	if (!walk->buf)
		return -ENOMEM;
	walk->size = size;
	walk->whole_size = size;
	return 0;
}

static int walk_some(struct shmap_map *map, struct shmap_walk *walk,
		     struct kmap_keys *keys)
{
	void __user *to = u64_to_user_ptr(keys->buf);
	size_t room, size = min_t(u64, keys->size, GATHER);
	u64 used = 0;
	int ret;

	do {
		room = min_t(u64, keys->size - used, SIZE_MAX);
		/* A buffer of 0 bytes is allocated too: the steps compare with its address. */
		if (!walk->buf || walk->size < min(size, room)) {
			ret = enlarge(map, walk, min(size, room));
			if (ret)
				return ret;
		}
		walk->size = min(walk->size, room);
		walk->whole = walk->size < room;
		walk->used = 0;
		ret = gather(map, walk);
		if (ret)
			return ret;
		if (copy_to_user(to + used, walk->buf, walk->used))
			return -EFAULT;
		used += walk->used;
		size = max(size, walk->need);
	} while (walk->need && walk->need <= keys->size - used);

	if (walk->need && !used) {
		keys->used = walk->need;
		return -EMSGSIZE;
	}
	keys->used = used;
	return 0;
}

/* Read a snapshot to its end; bytes that do not fit in the user's buffer are only counted. */
static int read_all(struct shmap_snapshot *snap, void *buf,
		    struct kmap_keys *keys)
{
	void __user *to = u64_to_user_ptr(keys->buf);
	u64 used = 0;
	ssize_t n;

	for (;;) {
		n = shmap_snapshot_read(snap, used <= keys->size ? buf : NULL,
					SHMAP_PIECE);
		if (n <= 0)
			break;
		if (n <= keys->size - used && used <= keys->size &&
		    copy_to_user(to + used, buf, n))
			return -EFAULT;
		used += n;
	}
	keys->used = used;
	if (!n && used > keys->size)
		return -EMSGSIZE;
	return n;
}

static int walk_atomic(struct shmap_map *map, struct kmap_keys *keys)
{
	struct shmap_snapshot *snap;
	void *buf;
	int ret;

	if (keys->cursor)
		return -EINVAL;
	if (!access_ok(u64_to_user_ptr(keys->buf), keys->size))
		return -EFAULT;
	buf = kvmalloc(SHMAP_PIECE, SHMAP_MEM_GFP);
	if (!buf)
		return -ENOMEM;
	snap = shmap_snapshot_begin(map, keys->flags & KMAP_KEYS_VALUES);
	ret = PTR_ERR_OR_ZERO(snap);
	if (!ret) {
		ret = read_all(snap, buf, keys);
		if (!ret) {
			keys->count = snap->count;
			keys->cursor = KMAP_KEYS_END;
		}
		shmap_snapshot_end(snap);
	}
	shmap_map_free_copy(map, buf, SHMAP_PIECE);
	return ret;
}

static int walk_plain(struct shmap_map *map, struct kmap_keys *keys)
{
	struct shmap_walk *walk = kzalloc(sizeof(*walk), SHMAP_MEM_GFP);
	int ret;

	if (!walk)
		return -ENOMEM;
	walk->values = keys->flags & KMAP_KEYS_VALUES;
	walk->cursor = keys->cursor;
	ret = walk_some(map, walk, keys);
	if (!ret) {
		keys->cursor = walk->cursor;
		keys->count = walk->count;
	}
	shmap_map_free_copy(map, walk->buf, walk->whole_size);
	shmap_map_free_copy(map, walk, sizeof(*walk));
	return ret;
}

static int check_keys(const struct kmap_keys *keys)
{
	if (keys->flags & ~(KMAP_KEYS_VALUES | KMAP_KEYS_ATOMIC) ||
	    keys->reserved || keys->reserved2)
		return -EINVAL;
	if (keys->cursor >> 32 && keys->cursor != KMAP_KEYS_END)
		return -EINVAL;
	return 0;
}

/**
 * shmap_ops_keys - KMAP_IOC_KEYS
 * @call: the ioctl
 * @record: struct kmap_keys
 *
 * Context: may sleep.
 * Return: 0 or a negative errno, as the ABI says.
 */
int shmap_ops_keys(struct shmap_call *call, void *record)
{
	struct shmap_map *map = call->file->map;
	struct kmap_keys *keys = record;
	int ret = check_keys(keys);

	if (ret)
		return ret;
	shmap_map_count(map, SHMAP_WALKS);
	if (keys->flags & KMAP_KEYS_ATOMIC)
		ret = walk_atomic(map, keys);
	else
		ret = walk_plain(map, keys);
	call->reply = ret == -EMSGSIZE;
	return ret;
}
