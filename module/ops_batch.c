// SPDX-License-Identifier: GPL-2.0-only
/*
 * KMAP_IOC_BATCH: many operations in one call, in order.
 *
 * Lookups that follow each other go in groups where readers take no lock; see
 * ops_get.c.  All else goes one by one.
 */
#include "fatal.h"
#include "ops.h"
#include "user.h"

/* Carry out one record, which is @size bytes long. */
static noinline int run_one(struct shmap_call *call, void __user *user,
			    size_t size)
{
	struct kmap_op __user *outputs = user;
	struct kmap_op_ext ext __uninitialized;
	struct kmap_op *op = &ext.op;
	bool whole = size != sizeof(*op);
	int r = 0;

	if (whole)
		r = copy_struct_from_user(&ext, sizeof(ext), user, size);
	else if (shmap_user_read_op(op, user))
		return -EFAULT;
	if (r == -EFAULT)
		return r;
	if (r)
		return put_user(r, &outputs->error);
	/* Can the outputs be written?  Find out before anything changes. */
	if (op->opcode != KMAP_OP_GET && shmap_user_write_op(outputs, op))
		return -EFAULT;
	op->error = shmap_ops_run(call->map, call->mode, op,
				  whole ? &ext : NULL);
	return shmap_user_write_op(outputs, op);
}

/**
 * shmap_ops_batch - KMAP_IOC_BATCH
 * @call: the ioctl
 * @record: struct kmap_batch
 *
 * Context: may sleep.
 * Return: 0 or a negative errno, as the ABI says.
 */
int shmap_ops_batch(struct shmap_call *call, void *record)
{
	struct kmap_batch *batch = record;
	void __user *at = u64_to_user_ptr(batch->ops);
	bool groups = call->map->config.lock->lockless_reads &&
		      batch->op_size == sizeof(struct kmap_op) &&
		      call->mode & FMODE_READ;
	u32 i = 0, n;
	int r = 0;

	if (batch->flags || batch->count > KMAP_BATCH_MAX ||
	    batch->op_size < sizeof(struct kmap_op) ||
	    batch->op_size > PAGE_SIZE || batch->op_size % 8)
		return -EINVAL;
	while (i < batch->count) {
		n = groups ? shmap_ops_get_group(call->map, at,
						 batch->count - i) : 0;
		if (!n) {
			r = run_one(call, at, batch->op_size);
			if (r)
				break;
			n = 1;
		}
		i += n;
		at += (size_t)n * batch->op_size;
		if (shmap_fatal_pending()) {
			r = i < batch->count ? -EINTR : 0;
			break;
		}
		cond_resched();
	}
	batch->done = i;
	call->reply = true;
	return r;
}
