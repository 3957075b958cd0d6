// SPDX-License-Identifier: MIT
/*
 * libkmap: looking a key up.
 *
 * Everything that looks a key up goes through lookup(), so that there is one
 * place that decides how.
 */
#include <stdlib.h>

#include "internal.h"

/* Room of the first try of kmap_get_alloc(); most values are smaller. */
#define FIRST_TRY	512u

/*
 * Look the key up: in the window where there is one, else, or when that does not
 * tell, with a system call.  On 0 and -EMSGSIZE *len and *version are set; on 0
 * the value is in buf.
 */
static int lookup(struct kmap *map, const void *key, size_t key_len, void *buf,
		  size_t size, size_t *len, uint64_t *version)
{
	struct kmap_op op = { .opcode = KMAP_OP_GET };
	int rc;

	if (map->window.mem) {
		rc = window_get(&map->window, key, key_len, buf, size, len,
				version);
		if (rc != WINDOW_UNKNOWN)
			return rc;
	}

	rc = op_set_key(&op, key, key_len);
	if (rc)
		return rc;
	op_set_out(&op, buf, size);

	rc = device_call(map, KMAP_IOC_GET, &op);
	if (rc && rc != -EMSGSIZE)
		return rc;
	*len = op.out_len;
	*version = op.version;
	return rc;
}

KMAP_EXPORT int kmap_get(struct kmap *map, const void *key, size_t key_len,
			 void *buf, size_t size, size_t *len,
			 uint64_t *version)
{
	uint64_t found_version;
	size_t found_len;
	int rc;

	rc = lookup(map, key, key_len, buf, size, &found_len, &found_version);
	if (rc && rc != -EMSGSIZE)
		return rc;
	if (len)
		*len = found_len;
	if (version)
		*version = found_version;
	return rc;
}

KMAP_EXPORT int kmap_get_alloc(struct kmap *map, const void *key,
			       size_t key_len, void **value, size_t *len,
			       uint64_t *version)
{
	uint64_t found_version;
	size_t size = FIRST_TRY;
	size_t found_len;
	char *buf;
	int rc;

	if (!value)
		return -EINVAL;
	*value = NULL;

	/* Each try has more room than the one before, and values a limit. */
	for (;;) {
		buf = malloc(size + 1);
		if (!buf)
			return -ENOMEM;
		rc = lookup(map, key, key_len, buf, size, &found_len,
			    &found_version);
		if (rc != -EMSGSIZE)
			break;
		free(buf);
		size = found_len;
	}
	if (rc) {
		free(buf);
		return rc;
	}

	buf[found_len] = '\0';
	*value = buf;
	if (len)
		*len = found_len;
	if (version)
		*version = found_version;
	return 0;
}
