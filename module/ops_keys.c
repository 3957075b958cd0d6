// SPDX-License-Identifier: GPL-2.0-only
/*
 * KMAP_IOC_KEYS: a walk into the caller's buffer.
 *
 * Records are gathered in kernel memory, some chains at a time, and copied out
 * while nothing is locked.  An atomic walk gathers everything while the map is
 * frozen, and copies after the thaw.
 */
#include <linux/slab.h>
#include <linux/uaccess.h>
#include <linux/vmalloc.h>

#include "fatal.h"
#include "ops.h"
#include "walk.h"

/* Gather so much before copying out, bytes. */
#define GATHER		4096u

/* Go on until the end, until the buffer is full, or until told to die. */
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

static int enlarge(struct shmap_walk *walk, size_t size)
{
	kvfree(walk->buf);
	walk->size = 0;
	walk->buf = kvmalloc(size, SHMAP_POOL_GFP);
	if (!walk->buf)
		return -ENOMEM;
	walk->size = size;
	return 0;
}

static int walk_some(struct shmap_map *map, struct shmap_walk *walk,
		     struct kmap_keys *keys)
{
	void __user *to = u64_to_user_ptr(keys->buf);
	size_t room, size = min_t(u64, keys->size, GATHER);
	u64 used = 0;
	int r;

	do {
		room = min_t(u64, keys->size - used, SIZE_MAX);
		if (walk->size < min(size, room)) {
			r = enlarge(walk, min(size, room));
			if (r)
				return r;
		}
		walk->size = min(walk->size, room);
		walk->whole = walk->size < room;
		walk->used = 0;
		r = gather(map, walk);
		if (r)
			return r;
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

/* One attempt of an atomic walk: -ENOBUFS when used is more than size. */
static int walk_frozen(struct shmap_map *map, struct shmap_walk *walk)
{
	int r = shmap_walk_freeze(map);

	if (r)
		return r;
	walk->cursor = 0;
	walk->used = 0;
	walk->count = 0;
	walk->measure = false;
	walk->frozen = true;
	r = gather(map, walk);
	if (!r && walk->need) {
		/* It does not fit: count the rest. */
		walk->measure = true;
		r = gather(map, walk);
		if (!r)
			r = -ENOBUFS;
	}
	walk->frozen = false;
	shmap_walk_thaw(map);
	return r;
}

static int walk_atomic(struct shmap_map *map, struct shmap_walk *walk,
		       struct kmap_keys *keys)
{
	void *buf = NULL;
	u64 size;
	int r;

	if (keys->cursor)
		return -EINVAL;
	do {
		/* Count first, then have some more room than that. */
		vfree(buf);
		walk->buf = NULL;
		walk->cursor = 0;
		walk->used = 0;
		walk->measure = true;
		r = gather(map, walk);
		if (r)
			return r;
		size = walk->used + walk->used / 8 + GATHER;
		size = min(size, keys->size);
		buf = __vmalloc(max_t(u64, size, 1), SHMAP_POOL_GFP);
		if (!buf)
			return -ENOMEM;
		walk->buf = buf;
		walk->size = size;
		r = walk_frozen(map, walk);
		keys->used = walk->used;
	} while (r == -ENOBUFS && walk->used <= keys->size);

	walk->buf = NULL;
	if (r == -ENOBUFS)
		r = -EMSGSIZE;
	if (!r && copy_to_user(u64_to_user_ptr(keys->buf), buf, walk->used))
		r = -EFAULT;
	vfree(buf);
	return r;
}

static int check_keys(const struct shmap_call *call,
		      const struct kmap_keys *keys)
{
	if (keys->flags & ~(KMAP_KEYS_VALUES | KMAP_KEYS_ATOMIC) ||
	    keys->reserved || keys->reserved2)
		return -EINVAL;
	if (keys->cursor >> 32 && keys->cursor != KMAP_KEYS_END)
		return -EINVAL;
	if (!(call->mode & FMODE_READ))
		return -EBADF;
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
	struct kmap_keys *keys = record;
	struct shmap_walk *walk;
	int r = check_keys(call, keys);

	if (r)
		return r;
	walk = kzalloc(sizeof(*walk), SHMAP_POOL_GFP);
	if (!walk)
		return -ENOMEM;
	shmap_map_count(call->map, SHMAP_WALKS);
	walk->values = keys->flags & KMAP_KEYS_VALUES;
	walk->cursor = keys->cursor;
	if (keys->flags & KMAP_KEYS_ATOMIC)
		r = walk_atomic(call->map, walk, keys);
	else
		r = walk_some(call->map, walk, keys);
	if (!r) {
		keys->cursor = walk->cursor;
		keys->count = walk->count;
	}
	call->reply = r == -EMSGSIZE;
	kvfree(walk->buf);
	kfree(walk);
	return r;
}
