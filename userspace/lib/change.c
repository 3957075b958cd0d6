// SPDX-License-Identifier: MIT
/*
 * libkmap: the operations that change the map, and batches.
 */
#include <stdbool.h>

#include "internal.h"

/* Does a call with this result set the version in its record? */
static bool tells_version(int ret)
{
	return !ret || ret == -EEXIST || ret == -ESTALE || ret == -EMSGSIZE;
}

/*
 * Carry out a record that is filled in except the version to match, and return the
 * version from it in *@version.
 */
static inline int change(struct kmap *map, unsigned long request,
			 struct kmap_op *op, uint64_t *version)
{
	int ret;

	if (op->flags & KMAP_MATCH) {
		if (!version)
			return -EINVAL;
		op->version = *version;
	}
	ret = device_call(map, request, op);
	if (version && op->version && tells_version(ret))
		*version = op->version;
	return ret;
}

/* Like change(), for a record that gets KMAP_RETURN and returns a value. */
static int change_return(struct kmap *map, unsigned long request,
			 struct kmap_op *op, uint64_t *version, void *out,
			 size_t size, size_t *out_len)
{
	int ret;

	op->flags |= KMAP_RETURN;
	op_set_out(op, out, size);
	ret = change(map, request, op, version);
	if (!out_len)
		return ret;
	if (ret == -ENOENT || (!ret && op->out_len == KMAP_ABSENT))
		*out_len = KMAP_NO_VALUE;
	else if (tells_version(ret))
		*out_len = op->out_len;
	return ret;
}

static int fill_set(struct kmap_op *op, const void *key, size_t key_len,
		    const void *value, size_t value_len, unsigned int flags)
{
	op->opcode = KMAP_OP_SET;
	op->flags = flags;
	op->value = KMAP_PTR(value);
	op->value_len = (uint32_t)value_len;
	if (op->value_len != value_len)
		return -EFBIG;
	return op_set_key(op, key, key_len);
}

static int fill_delete(struct kmap_op *op, const void *key, size_t key_len,
		       unsigned int flags)
{
	op->opcode = KMAP_OP_DELETE;
	op->flags = flags;
	return op_set_key(op, key, key_len);
}

KMAP_EXPORT int kmap_set(struct kmap *map, const void *key, size_t key_len,
			 const void *value, size_t value_len,
			 unsigned int flags, uint64_t *version)
{
	struct kmap_op op = { 0 };
	int ret;

	if (flags & (KMAP_RETURN | KMAP_EQUAL))
		return -EINVAL;
	ret = fill_set(&op, key, key_len, value, value_len, flags);
	return ret ? ret : change(map, KMAP_IOC_SET, &op, version);
}

/* Carry out a record that gets KMAP_EQUAL and the value to compare with. */
static int change_equal(struct kmap *map, unsigned long request,
			struct kmap_op_ext *ext, const void *expected,
			size_t expected_len, uint64_t *version)
{
	int ret;

	ext->op.flags |= KMAP_EQUAL;
	ext->expected = KMAP_PTR(expected);
	ext->expected_len = (uint32_t)expected_len;
	if (ext->expected_len != expected_len)
		return -EFBIG;
	ret = device_call(map, request, ext);
	if (version && (!ret || ret == -ESTALE))
		*version = ext->op.version;
	return ret;
}

KMAP_EXPORT int kmap_set_equal(struct kmap *map, const void *key,
			       size_t key_len, const void *value,
			       size_t value_len, const void *expected,
			       size_t expected_len, unsigned int flags,
			       uint64_t *version)
{
	struct kmap_op_ext ext = { .expected = 0 };
	int ret;

	if (flags & ~KMAP_NUMBER)
		return -EINVAL;
	ret = fill_set(&ext.op, key, key_len, value, value_len, flags);
	return ret ? ret : change_equal(map, KMAP_IOC_SET_EXT, &ext, expected,
					expected_len, version);
}

KMAP_EXPORT int kmap_delete_equal(struct kmap *map, const void *key,
				  size_t key_len, const void *expected,
				  size_t expected_len, uint64_t *version)
{
	struct kmap_op_ext ext = { .expected = 0 };
	int ret;

	ret = fill_delete(&ext.op, key, key_len, 0);
	return ret ? ret : change_equal(map, KMAP_IOC_DELETE_EXT, &ext, expected,
					expected_len, version);
}

KMAP_EXPORT int kmap_swap(struct kmap *map, const void *key, size_t key_len,
			  const void *value, size_t value_len,
			  unsigned int flags, uint64_t *version, void *out,
			  size_t size, size_t *out_len)
{
	struct kmap_op op = { 0 };
	int ret;

	if (flags & KMAP_EQUAL)
		return -EINVAL;
	ret = fill_set(&op, key, key_len, value, value_len, flags);
	if (ret)
		return ret;
	return change_return(map, KMAP_IOC_SET, &op, version, out, size,
			     out_len);
}

KMAP_EXPORT int kmap_delete(struct kmap *map, const void *key, size_t key_len,
			    unsigned int flags, uint64_t *version)
{
	struct kmap_op op = { 0 };
	int ret;

	if (flags & (KMAP_RETURN | KMAP_EQUAL))
		return -EINVAL;
	ret = fill_delete(&op, key, key_len, flags);
	return ret ? ret : change(map, KMAP_IOC_DELETE, &op, version);
}

KMAP_EXPORT int kmap_take(struct kmap *map, const void *key, size_t key_len,
			  unsigned int flags, uint64_t *version, void *out,
			  size_t size, size_t *out_len)
{
	struct kmap_op op = { 0 };
	int ret;

	if (flags & KMAP_EQUAL)
		return -EINVAL;
	ret = fill_delete(&op, key, key_len, flags);
	if (ret)
		return ret;
	return change_return(map, KMAP_IOC_DELETE, &op, version, out, size,
			     out_len);
}

KMAP_EXPORT int kmap_add(struct kmap *map, const void *key, size_t key_len,
			 int64_t delta, unsigned int flags, int64_t *sum,
			 uint64_t *version)
{
	struct kmap_op op = { .opcode = KMAP_OP_ADD };
	int ret;

	/* The kernel refuses these for ADD; refuse them before change() reads *version. */
	if (flags & (KMAP_MATCH | KMAP_EQUAL | KMAP_RETURN))
		return -EINVAL;
	op.flags = flags;
	op.number = delta;
	ret = op_set_key(&op, key, key_len);
	if (ret)
		return ret;

	ret = change(map, KMAP_IOC_ADD, &op, version);
	if (!ret && sum)
		*sum = op.number;
	return ret;
}

KMAP_EXPORT int kmap_batch(struct kmap *map, struct kmap_op *ops, size_t count,
			   size_t *done)
{
	size_t carried_out = 0;
	int ret = 0;

	while (!ret && carried_out < count) {
		size_t left = count - carried_out;
		struct kmap_batch batch = {
			.ops = KMAP_PTR(ops + carried_out),
			.count = left < KMAP_BATCH_MAX ? (uint32_t)left
						       : KMAP_BATCH_MAX,
			.op_size = sizeof(*ops),
		};

		ret = device_call(map, KMAP_IOC_BATCH, &batch);
		carried_out += batch.done;
	}
	if (done)
		*done = carried_out;
	return ret;
}
