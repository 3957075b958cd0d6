// SPDX-License-Identifier: MIT
/*
 * libkmap: looking a key up.
 *
 * A key is looked up in the window if there is one; if not, or if the window gives no
 * answer, with a system call.
 */
#include <stdlib.h>

#include "internal.h"
#include "lookup.h"

/* Size of the first buffer of kmap_get_alloc(), in bytes; most values are smaller. */
#define FIRST_TRY	512u

#define NOINLINE	__attribute__((noinline))

/*
 * The slow path of a lookup: try the window again, then ask the kernel.  On 0 and
 * -EMSGSIZE *len and *version are set.
 */
static NOINLINE int ask(struct kmap *map, const void *key, size_t key_len,
			void *buf, size_t size, size_t *len, uint64_t *version)
{
	struct kmap_op op = { .opcode = KMAP_OP_GET };
	int ret;

	if (map->window.mem) {
		ret = window_get(&map->window, key, key_len, buf, size, len,
				 version);
		if (ret != WINDOW_UNKNOWN)
			return ret;
	}
	ret = op_set_key(&op, key, key_len);
	if (ret)
		return ret;
	op_set_out(&op, buf, size);

	ret = device_call(map, KMAP_IOC_GET, &op);
	if (ret && ret != -EMSGSIZE)
		return ret;
	if (len)
		*len = op.out_len;
	if (version)
		*version = op.version;
	return ret;
}

static NOINLINE int look(struct kmap *map, const void *key, size_t key_len,
			 void *buf, size_t size, size_t *len,
			 uint64_t *version)
{
	int ret = window_lookup(&map->window, key, (uint32_t)key_len, buf, size,
				len, version, false);

	if (ret != WINDOW_UNKNOWN)
		return ret;
	return ask(map, key, key_len, buf, size, len, version);
}

/* The same for keys of 16 bytes, the most common length of generated keys. */
static NOINLINE int look_16(struct kmap *map, const void *key,
			    uint64_t *version, void *buf, size_t size,
			    size_t *len)
{
	int ret = window_lookup(&map->window, key, 16, buf, size, len, version,
				false);

	if (ret != WINDOW_UNKNOWN)
		return ret;
	return ask(map, key, 16, buf, size, len, version);
}

/* Only chooses a function, so that each of them keeps its variables in registers. */
KMAP_EXPORT int kmap_get(struct kmap *map, const void *key, size_t key_len,
			 void *buf, size_t size, size_t *len,
			 uint64_t *version)
{
	if (!window_takes(&map->window, key, key_len) || !buf)
		return ask(map, key, key_len, buf, size, len, version);
	if (key_len == 16)
		return look_16(map, key, version, buf, size, len);
	return look(map, key, key_len, buf, size, len, version);
}

KMAP_EXPORT int kmap_get_number(struct kmap *map, const void *key,
				size_t key_len, int64_t *number,
				uint64_t *version)
{
	struct kmap_op op = { .opcode = KMAP_OP_GET };
	int64_t found = 0;
	int ret;

	ret = window_get_number(&map->window, key, key_len, &found, version);
	if (ret == WINDOW_UNKNOWN) {
		ret = op_set_key(&op, key, key_len);
		if (ret)
			return ret;
		op_set_out(&op, &found, sizeof(found));
		ret = device_call(map, KMAP_IOC_GET, &op);
		if (ret == -EMSGSIZE ||
		    (!ret && !(op.out_flags & KMAP_IS_NUMBER)))
			return -EDOM;
		if (!ret && version)
			*version = op.version;
	}
	if (!ret && number)
		*number = found;
	return ret;
}

KMAP_EXPORT int kmap_get_alloc(struct kmap *map, const void *key,
			       size_t key_len, void **value, size_t *len,
			       uint64_t *version)
{
	uint64_t found_version;
	size_t size = FIRST_TRY;
	size_t found_len;
	char *buf;
	int ret;

	if (!value)
		return -EINVAL;
	*value = NULL;

	/* This ends: each buffer is larger than the one before, and values have a limit. */
	for (;;) {
		buf = malloc(size + 1);
		if (!buf)
			return -ENOMEM;
		ret = kmap_get(map, key, key_len, buf, size, &found_len,
			       &found_version);
		if (ret != -EMSGSIZE)
			break;
		free(buf);
		size = found_len;
	}
	if (ret) {
		free(buf);
		return ret;
	}

	buf[found_len] = '\0';
	*value = buf;
	if (len)
		*len = found_len;
	if (version)
		*version = found_version;
	return 0;
}
