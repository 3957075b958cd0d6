// SPDX-License-Identifier: MIT
/*
 * libkmap: walks over the map.
 *
 * An iterator is a buffer of records that the kernel has filled, and the cursor from
 * which the kernel goes on after the caller has got all of them.
 */
#include <stdlib.h>

#include "internal.h"

/* First size of the buffer, in bytes; it grows if the kernel needs more for one call. */
#define FIRST_SIZE	65536u

/**
 * struct kmap_iter - a walk
 * @map: the handle
 * @flags: KMAP_KEYS_*
 * @buf: buffer of records
 * @size: bytes of @buf
 * @used: bytes of @buf that hold records
 * @pos: offset in @buf of the next record for the caller
 * @cursor: where the kernel goes on
 */
struct kmap_iter {
	struct kmap	*map;
	unsigned int	flags;
	unsigned char	*buf;
	size_t		size;
	size_t		used;
	size_t		pos;
	uint64_t	cursor;
};

/*
 * Replace the buffer by one of at least @need bytes that is larger than the old one.
 * The contents are lost.
 */
static int make_room(struct kmap_iter *it, uint64_t need)
{
	unsigned char *buf;

	/* Add some space: the map may have grown before the next try. */
	if (it->flags & KMAP_KEYS_ATOMIC)
		need += need / 8;
	if (need <= it->size)
		need = 2 * (uint64_t)it->size;
	if (need > SIZE_MAX / 2)
		return -ENOMEM;
	buf = malloc(need);
	if (!buf)
		return -ENOMEM;
	free(it->buf);
	it->buf = buf;
	it->size = need;
	return 0;
}

/* Get the next records from the kernel: at least one unless the walk is over. */
static int refill(struct kmap_iter *it)
{
	it->used = 0;
	it->pos = 0;
	while (it->cursor != KMAP_KEYS_END) {
		struct kmap_keys keys = {
			.buf = KMAP_PTR(it->buf),
			.size = it->size,
			.flags = it->flags,
			.cursor = it->cursor,
		};
		int ret = device_call(it->map, KMAP_IOC_KEYS, &keys);

		if (ret == -EMSGSIZE) {
			ret = make_room(it, keys.used);
			if (ret)
				return ret;
			continue;
		}
		if (ret)
			return ret;
		it->cursor = keys.cursor;
		it->used = keys.used;
		if (keys.count)
			break;
	}
	return 0;
}

KMAP_EXPORT int kmap_iter_open(struct kmap *map, unsigned int flags,
			       struct kmap_iter **it)
{
	struct kmap_iter *walk;
	int ret;

	if (!it)
		return -EINVAL;
	*it = NULL;
	if (flags & ~(KMAP_KEYS_VALUES | KMAP_KEYS_ATOMIC))
		return -EINVAL;
	walk = calloc(1, sizeof(*walk));
	if (!walk)
		return -ENOMEM;
	walk->map = map;
	walk->flags = flags;
	ret = make_room(walk, FIRST_SIZE);
	if (!ret)
		ret = refill(walk);
	if (ret) {
		kmap_iter_close(walk);
		return ret;
	}
	*it = walk;
	return 0;
}

KMAP_EXPORT int kmap_iter_next(struct kmap_iter *it, struct kmap_pair *pair)
{
	const struct kmap_item *item;
	const unsigned char *data;

	if (it->pos == it->used) {
		int ret = refill(it);

		if (ret)
			return ret;
		if (it->pos == it->used)
			return 0;
	}

	/* Aligned: the buffer is from malloc() and records are multiples of 8 bytes. */
	item = (const struct kmap_item *)(const void *)(it->buf + it->pos);
	data = (const unsigned char *)(item + 1);

	pair->key = data;
	pair->key_len = item->key_len;
	pair->value = NULL;
	pair->value_len = item->value_len;
	pair->version = item->version;
	pair->flags = item->flags;
	if (it->flags & KMAP_KEYS_VALUES) {
		pair->value = data + item->key_len;
		it->pos += KMAP_ITEM_SIZE(item->key_len, item->value_len);
	} else {
		it->pos += KMAP_ITEM_SIZE(item->key_len, 0);
	}
	return 1;
}

KMAP_EXPORT void kmap_iter_close(struct kmap_iter *it)
{
	if (!it)
		return;
	free(it->buf);
	free(it);
}
