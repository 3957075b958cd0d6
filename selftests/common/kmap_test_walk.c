// SPDX-License-Identifier: GPL-2.0
/*
 * A walk over the keys that trusts no record, and snapshots of the whole map.
 * See kmap_test.h for what each function promises.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "kmap_test.h"

int kt_walk_begin(struct kt_walk *walk, int fd, __u32 flags, size_t size)
{
	memset(walk, 0, sizeof(*walk));
	walk->fd = fd;
	walk->flags = flags;
	walk->size = size;
	walk->buf = malloc(size ? size : 1);
	return walk->buf ? 0 : -ENOMEM;
}

void kt_walk_end(struct kt_walk *walk)
{
	free(walk->buf);
	memset(walk, 0, sizeof(*walk));
}

static int walk_grow(struct kt_walk *walk, size_t size)
{
	__u8 *buf;

	if (size <= walk->size)
		return -EPROTO;
	buf = realloc(walk->buf, size);
	if (!buf)
		return -ENOMEM;
	walk->buf = buf;
	walk->size = size;
	return 0;
}

static int walk_fill(struct kt_walk *walk)
{
	struct kmap_keys keys;
	int ret;

	do {
		memset(&keys, 0, sizeof(keys));
		keys.buf = kt_ptr(walk->buf);
		keys.size = walk->size;
		keys.flags = walk->flags;
		keys.cursor = walk->cursor;
		walk->calls++;
		ret = kt_ioctl(walk->fd, KMAP_IOC_KEYS, &keys);
		if (ret == -EMSGSIZE) {
			/* The map may have grown before an ATOMIC walk is repeated. */
			size_t slack = walk->flags & KMAP_KEYS_ATOMIC ?
					keys.used / 8 : 0;

			ret = walk_grow(walk, keys.used + slack);
			if (!ret)
				ret = -EAGAIN;
		}
	} while (ret == -EAGAIN);
	if (ret)
		return ret;
	if (keys.used > walk->size)
		return -EPROTO;
	walk->cursor = keys.cursor;
	walk->used = keys.used;
	walk->count = keys.count;
	walk->pos = 0;
	return 0;
}

static int walk_item(struct kt_walk *walk, struct kt_item *item)
{
	const __u8 *at = walk->buf + walk->pos;
	size_t left = walk->used - walk->pos;
	struct kmap_item head;
	size_t data, size, pad;

	if (left < sizeof(head))
		return -EPROTO;
	memcpy(&head, at, sizeof(head));
	data = head.key_len;
	if (walk->flags & KMAP_KEYS_VALUES)
		data += head.value_len;
	size = KMAP_ITEM_SIZE(data, 0);
	if (!head.key_len || head.key_len > KMAP_KEY_MAX ||
	    head.value_len > KMAP_VALUE_MAX || size > left)
		return -EPROTO;
	for (pad = sizeof(head) + data; pad < size; pad++)
		if (at[pad])
			return -EPROTO;
	item->key = at + sizeof(head);
	item->key_len = head.key_len;
	item->value = walk->flags & KMAP_KEYS_VALUES ?
			at + sizeof(head) + head.key_len : NULL;
	item->value_len = head.value_len;
	item->version = head.version;
	item->flags = head.flags;
	walk->pos += size;
	walk->count--;
	return 1;
}

int kt_walk_next(struct kt_walk *walk, struct kt_item *item)
{
	int ret;

	while (!walk->count) {
		if (walk->pos != walk->used)
			return -EPROTO;
		if (walk->cursor == KMAP_KEYS_END)
			return 0;
		ret = walk_fill(walk);
		if (ret)
			return ret;
	}
	return walk_item(walk, item);
}

__s64 kt_walk_count(int fd)
{
	struct kt_walk walk;
	struct kt_item item;
	__s64 count = 0;
	int ret;

	ret = kt_walk_begin(&walk, fd, 0, 1 << 16);
	if (ret)
		return ret;
	while ((ret = kt_walk_next(&walk, &item)) > 0)
		count++;
	kt_walk_end(&walk);
	return ret ? ret : count;
}

int kt_snapshot_take(int fd, struct kt_snapshot *snapshot)
{
	struct kt_walk walk;
	int ret;

	memset(snapshot, 0, sizeof(*snapshot));
	ret = kt_walk_begin(&walk, fd, KMAP_KEYS_VALUES | KMAP_KEYS_ATOMIC,
			    4096);
	if (!ret)
		ret = walk_fill(&walk);
	if (ret) {
		kt_walk_end(&walk);
		return ret;
	}
	snapshot->buf = walk.buf;
	snapshot->used = walk.used;
	snapshot->count = walk.count;
	return 0;
}

void kt_snapshot_drop(struct kt_snapshot *snapshot)
{
	free(snapshot->buf);
	memset(snapshot, 0, sizeof(*snapshot));
}

bool kt_snapshot_same(int fd, const struct kt_snapshot *before)
{
	struct kt_snapshot now;
	bool same;

	if (kt_snapshot_take(fd, &now))
		return false;
	same = now.count == before->count && now.used == before->used &&
	       !memcmp(now.buf, before->buf, now.used);
	kt_snapshot_drop(&now);
	return same;
}
