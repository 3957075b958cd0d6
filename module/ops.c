// SPDX-License-Identifier: GPL-2.0-only
/*
 * The operations on one key as user space sends them: copy in, validate, call
 * the map, copy out.  User memory is touched before the map is called or after,
 * never while anything is locked, so a copy that stalls holds up nobody else.
 *
 * What can be refused is refused before anything changes: that includes output
 * memory that cannot be written.
 */
#include <linux/nospec.h>
#include <linux/pagemap.h>
#include <linux/sched/signal.h>
#include <linux/slab.h>
#include <linux/uaccess.h>

#include "entry.h"
#include "key.h"
#include "ops.h"

/* Keys and values up to this length need no allocation on their way. */
#define INLINE_KEY	256
#define INLINE_VALUE	256

/* The outputs of struct kmap_op stand together at its end. */
#define OP_OUTPUTS	offsetof(struct kmap_op, version)

/**
 * struct action - what is particular to an opcode
 * @flags: that it takes
 * @value: it takes a value
 * @out: it returns a value without KMAP_RETURN
 * @mode: what the file must be open for
 * @run: the map's function
 */
struct action {
	u32	flags;
	bool	value;
	bool	out;
	fmode_t	mode;
	int	(*run)(struct shmap_map *map, struct shmap_request *rq);
};

static const struct action actions[] = {
	[KMAP_OP_GET] = {
		.out	= true,
		.mode	= FMODE_READ,
		.run	= shmap_key_get,
	},
	[KMAP_OP_SET] = {
		.flags	= KMAP_CREATE | KMAP_REPLACE | KMAP_MATCH | KMAP_RETURN,
		.value	= true,
		.mode	= FMODE_WRITE,
		.run	= shmap_key_set,
	},
	[KMAP_OP_DELETE] = {
		.flags	= KMAP_MATCH | KMAP_RETURN,
		.mode	= FMODE_WRITE,
		.run	= shmap_key_delete,
	},
	[KMAP_OP_ADD] = {
		.flags	= KMAP_CREATE | KMAP_REPLACE,
		.mode	= FMODE_WRITE,
		.run	= shmap_key_add,
	},
};

/**
 * struct job - one operation on its way
 * @rq: for the map
 * @key: room for a short key
 * @value: room for a short value that comes back
 * @long_key: a longer key, or NULL
 * @long_value: room for a longer value, or NULL
 */
struct job {
	struct shmap_request	rq;
	u8			key[INLINE_KEY];
	u8			value[INLINE_VALUE] __aligned(8);
	void			*long_key;
	void			*long_value;
};

static bool returns_value(const struct action *action, u32 flags)
{
	return action->out || flags & KMAP_RETURN;
}

/* What is wrong with a record in itself, before anything else is looked at. */
static int check_record(const struct shmap_map *map, fmode_t mode,
			const struct action *action, const struct kmap_op *op)
{
	u32 condition = op->flags & (KMAP_CREATE | KMAP_REPLACE | KMAP_MATCH);
	fmode_t need = action->mode;

	if (op->flags & ~action->flags || condition & (condition - 1))
		return -EINVAL;
	if (op->ttl || !op->key_len)
		return -EINVAL;
	if (!action->value && (op->value || op->value_len))
		return -EINVAL;
	if (returns_value(action, op->flags))
		need |= FMODE_READ;
	else if (op->out || op->out_size)
		return -EINVAL;
	if ((mode & need) != need)
		return -EBADF;
	if (op->key_len > map->config.max_key)
		return -ENAMETOOLONG;
	if (op->value_len > map->config.max_value)
		return -EFBIG;
	return 0;
}

static int take_key(struct shmap_map *map, struct job *job,
		    const struct kmap_op *op)
{
	void *key = job->key;

	if (op->key_len > sizeof(job->key)) {
		job->long_key = kmalloc(op->key_len, SHMAP_POOL_GFP);
		if (!job->long_key)
			return -ENOMEM;
		key = job->long_key;
	}
	if (copy_from_user(key, u64_to_user_ptr(op->key), op->key_len))
		return -EFAULT;
	job->rq.key = key;
	job->rq.key_len = op->key_len;
	job->rq.hash = shmap_key_hash(map, key, op->key_len);
	return 0;
}

/* The value goes straight into the entry, which nobody else can see yet. */
static int take_value(struct shmap_map *map, struct job *job,
		      const struct kmap_op *op)
{
	int r = shmap_key_prepare(map, &job->rq, op->value_len);

	if (r)
		return r;
	if (copy_from_user(shmap_entry_value(job->rq.fresh.entry),
			   u64_to_user_ptr(op->value), op->value_len))
		return -EFAULT;
	return 0;
}

/* Make room for a value that turned out to be longer than what there is. */
static int make_room(struct job *job)
{
	kvfree(job->long_value);
	job->long_value = kvmalloc(job->rq.out_len, SHMAP_POOL_GFP);
	if (!job->long_value)
		return -ENOMEM;
	job->rq.out = job->long_value;
	job->rq.out_room = job->rq.out_len;
	return 0;
}

/* Can what a change returns be written?  Leaves the memory as it is. */
static int probe_out(const struct shmap_map *map, const struct kmap_op *op)
{
	size_t size = min(op->out_size, map->config.max_value);

	if (!(op->flags & KMAP_RETURN) || !size)
		return 0;
	return fault_in_safe_writeable(u64_to_user_ptr(op->out), size) ?
	       -EFAULT : 0;
}

static int run_job(struct shmap_map *map, struct job *job,
		   const struct action *action, struct kmap_op *op)
{
	struct shmap_request *rq = &job->rq;
	int r = take_key(map, job, op);

	if (!r)
		r = probe_out(map, op);
	if (!r && action->value)
		r = take_value(map, job, op);
	if (r)
		return r;

	rq->flags = op->flags;
	rq->version = op->version;
	rq->number = op->number;
	rq->out = job->value;
	rq->out_room = sizeof(job->value);
	rq->out_size = op->out_size;
	do {
		r = action->run(map, rq);
	} while (r == -ENOBUFS && !(r = make_room(job)));

	if (r && r != -EEXIST && r != -ESTALE)
		return r;
	if (returns_value(action, op->flags) && rq->out_len != KMAP_ABSENT &&
	    copy_to_user(u64_to_user_ptr(op->out), rq->out, rq->out_len))
		return -EFAULT;
	return r;
}

/* Does the record tell more about this error? */
static bool tells(int error)
{
	return error == -EMSGSIZE || error == -EEXIST || error == -ESTALE;
}

/* Carry out one record, and write its outputs to it. */
static int run_record(struct shmap_map *map, fmode_t mode, struct kmap_op *op)
{
	const struct action *action =
		&actions[array_index_nospec(op->opcode, ARRAY_SIZE(actions))];
	struct job job;
	int r = check_record(map, mode, action, op);

	if (r)
		return r;
	memset(&job.rq, 0, sizeof(job.rq));
	job.long_key = NULL;
	job.long_value = NULL;
	r = run_job(map, &job, action, op);
	shmap_key_discard(map, &job.rq);
	kfree(job.long_key);
	kvfree(job.long_value);

	if (r && !tells(r))
		return r;
	if (r != -EMSGSIZE || op->opcode == KMAP_OP_GET)
		op->version = job.rq.version;
	if (!r && mode & FMODE_READ)
		op->number = job.rq.number;
	if (returns_value(action, op->flags))
		op->out_len = job.rq.out_len;
	op->error = r;
	return r;
}

static int run_single(struct shmap_call *call, struct kmap_op *op, u32 opcode)
{
	int r;

	if (op->opcode && op->opcode != opcode)
		return -EINVAL;
	op->opcode = opcode;
	r = run_record(call->map, call->mode, op);
	call->reply = tells(r);
	return r;
}

/**
 * shmap_ops_get - KMAP_IOC_GET
 * @call: the ioctl
 * @record: struct kmap_op
 *
 * Context: may sleep.
 * Return: 0 or a negative errno, as the ABI says.
 */
int shmap_ops_get(struct shmap_call *call, void *record)
{
	return run_single(call, record, KMAP_OP_GET);
}

/**
 * shmap_ops_set - KMAP_IOC_SET
 * @call: the ioctl
 * @record: struct kmap_op
 *
 * Context: may sleep.
 * Return: 0 or a negative errno, as the ABI says.
 */
int shmap_ops_set(struct shmap_call *call, void *record)
{
	return run_single(call, record, KMAP_OP_SET);
}

/**
 * shmap_ops_delete - KMAP_IOC_DELETE
 * @call: the ioctl
 * @record: struct kmap_op
 *
 * Context: may sleep.
 * Return: 0 or a negative errno, as the ABI says.
 */
int shmap_ops_delete(struct shmap_call *call, void *record)
{
	return run_single(call, record, KMAP_OP_DELETE);
}

/**
 * shmap_ops_add - KMAP_IOC_ADD
 * @call: the ioctl
 * @record: struct kmap_op
 *
 * Context: may sleep.
 * Return: 0 or a negative errno, as the ABI says.
 */
int shmap_ops_add(struct shmap_call *call, void *record)
{
	return run_single(call, record, KMAP_OP_ADD);
}

/* Carry out one record of a batch, which is @size bytes long. */
static int run_batched(struct shmap_call *call, void __user *user, size_t size)
{
	struct kmap_op op;
	int r = copy_struct_from_user(&op, sizeof(op), user, size);

	if (r == -EFAULT)
		return r;
	/* Can the outputs be written?  Find out before anything changes. */
	if (r || copy_to_user(user + OP_OUTPUTS, (void *)&op + OP_OUTPUTS,
			      sizeof(op) - OP_OUTPUTS))
		return r ? put_user(r, &((struct kmap_op __user *)user)->error)
			 : -EFAULT;

	if (op.opcode < KMAP_OP_GET || op.opcode > KMAP_OP_ADD)
		r = -EINVAL;
	else
		r = run_record(call->map, call->mode, &op);
	op.error = r;
	if (copy_to_user(user + OP_OUTPUTS, (void *)&op + OP_OUTPUTS,
			 sizeof(op) - OP_OUTPUTS))
		return -EFAULT;
	return 0;
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
	u32 i;
	int r = 0;

	if (batch->flags || batch->count > KMAP_BATCH_MAX ||
	    batch->op_size < sizeof(struct kmap_op) ||
	    batch->op_size > PAGE_SIZE || batch->op_size % 8)
		return -EINVAL;
	for (i = 0; i < batch->count; i++) {
		r = run_batched(call, u64_to_user_ptr(batch->ops) +
				(size_t)i * batch->op_size, batch->op_size);
		if (r)
			break;
		if (fatal_signal_pending(current)) {
			i++;
			r = i < batch->count ? -EINTR : 0;
			break;
		}
		cond_resched();
	}
	batch->done = i;
	call->reply = true;
	return r;
}

/**
 * shmap_ops_clear - KMAP_IOC_CLEAR
 * @call: the ioctl
 * @record: struct kmap_clear
 *
 * Context: may sleep.
 * Return: 0 or a negative errno, as the ABI says.
 */
int shmap_ops_clear(struct shmap_call *call, void *record)
{
	struct kmap_clear *clear = record;
	int r;

	if (clear->flags || clear->reserved)
		return -EINVAL;
	if (!(call->mode & FMODE_WRITE))
		return -EBADF;
	r = shmap_map_clear(call->map, &clear->removed);
	call->reply = r == -EINTR;
	return r;
}

/**
 * shmap_ops_info - KMAP_IOC_INFO
 * @call: the ioctl
 * @record: struct kmap_info
 *
 * Context: may sleep.
 * Return: 0 or a negative errno, as the ABI says.
 */
int shmap_ops_info(struct shmap_call *call, void *record)
{
	struct kmap_info *info = record;

	if (info->flags)
		return -EINVAL;
	memset(info, 0, sizeof(*info));
	shmap_map_info(call->map, info);
	return 0;
}
