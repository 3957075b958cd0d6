// SPDX-License-Identifier: GPL-2.0-only
/*
 * The operations on one key, for records of any size and with any flags: copy in,
 * validate, call the map, copy out.  What differs between the operations is in their
 * rows of the table in ops.c.
 *
 * User memory is accessed before the map is called or after, never while anything is
 * locked, so a copy that stalls holds up no other task.
 *
 * What can be refused is refused before anything changes: that includes output
 * memory that cannot be written.
 */
#include <linux/pagemap.h>
#include <linux/slab.h>
#include <linux/uaccess.h>

#include "entry.h"
#include "key.h"
#include "ops_one.h"
#include "user.h"

/* Keys and values up to this length, in bytes, are copied to the stack. */
#define INLINE_KEY	256
#define INLINE_VALUE	256

/**
 * struct job - one operation being carried out
 * @rq: the request to the map
 * @key: buffer for a short key
 * @value: buffer for a short value that is returned
 * @long_key: buffer with a longer key, or NULL
 * @long_value: buffer for a longer value that is returned, or NULL
 * @expected: value to compare with, or NULL
 * @writable: bytes of the user's buffer that can be written, or U32_MAX if not probed
 */
struct job {
	struct shmap_request	rq;
	u8			key[INLINE_KEY] __aligned(8);
	u8			value[INLINE_VALUE] __aligned(8);
	void			*long_key;
	void			*long_value;
	void			*expected;
	u32			writable;
};

static bool returns_value(const struct shmap_op *op, u32 flags)
{
	return op->returns || flags & KMAP_RETURN;
}

/* Do the outputs of a record report details of this error? */
static bool tells(int error)
{
	return error == -EMSGSIZE || error == -EEXIST || error == -ESTALE;
}

/* Validate the fields of the longer record: 0 or a negative errno. */
static noinline int check_ext(const struct shmap_map *map,
			      const struct kmap_op_ext *ext)
{
	if (ext->reserved || ext->deadline || ext->stale || ext->lease)
		return -EINVAL;
	if (!(ext->op.flags & KMAP_EQUAL))
		return ext->expected || ext->expected_len ? -EINVAL : 0;
	return ext->expected_len > map->config.max_value ? -EFBIG : 0;
}

/* Validate a record by itself, before any memory it points to: 0 or a negative errno. */
static int check_record(const struct shmap_call *call,
			const struct kmap_op *record)
{
	const struct shmap_config *config = &call->file->map->config;
	const struct shmap_op *op = call->op;
	u32 condition = record->flags & (KMAP_CREATE | KMAP_REPLACE |
					 KMAP_MATCH | KMAP_EQUAL);

	if (record->flags & ~op->flags || condition & (condition - 1))
		return -EINVAL;
	if (record->ttl || !record->key_len)
		return -EINVAL;
	if (!op->brings && (record->value || record->value_len))
		return -EINVAL;
	if (!returns_value(op, record->flags) &&
	    (record->out || record->out_size))
		return -EINVAL;
	if (!shmap_call_allowed(call->file, op, record->flags))
		return -EBADF;
	if (record->key_len > config->max_key)
		return -ENAMETOOLONG;
	if (record->value_len > config->max_value)
		return -EFBIG;
	if (record->flags & KMAP_NUMBER &&
	    record->value_len != SHMAP_NUMBER_LEN)
		return -EDOM;
	return 0;
}

static __always_inline int take_key(struct shmap_map *map, struct job *job,
				    const struct kmap_op *record)
{
	void *key = job->key;

	if (unlikely(record->key_len > sizeof(job->key))) {
		job->long_key = kmalloc(record->key_len, SHMAP_MEM_GFP);
		if (!job->long_key)
			return -ENOMEM;
		key = job->long_key;
	}
	if (shmap_user_read_key(key, u64_to_user_ptr(record->key),
				record->key_len))
		return -EFAULT;
	job->rq.key = key;
	job->rq.key_len = record->key_len;
	job->rq.hash = shmap_key_hash(map, key, record->key_len);
	return 0;
}

/* Copy the value with page faults on, while no entry is allocated for it. */
static noinline int take_value_slowly(struct shmap_map *map, struct job *job,
				      const struct kmap_op *record, u32 flags)
{
	u32 len = record->value_len;
	void *value;
	int ret = -EFAULT;

	shmap_key_discard(map, &job->rq);
	value = kvmalloc(len, SHMAP_MEM_GFP);
	if (!value)
		return -ENOMEM;
	if (!shmap_user_read(value, u64_to_user_ptr(record->value), len))
		ret = shmap_key_prepare(map, &job->rq, len, flags);
	if (!ret)
		memcpy(shmap_entry_value(job->rq.fresh.entry), value, len);
	shmap_map_free_copy(map, value, len);
	return ret;
}

/*
 * Copy the value straight into the entry, which nobody else can see yet, if that needs
 * no page fault.  A task that waited for a page here would hold an entry that no limit
 * counts.
 */
static __always_inline int take_value(struct shmap_map *map, struct job *job,
				      const struct kmap_op *record)
{
	u32 flags = record->flags & KMAP_NUMBER ? KMAP_IS_NUMBER : 0;
	int ret = shmap_key_prepare(map, &job->rq, record->value_len, flags);

	if (ret)
		return ret;
	if (likely(!shmap_user_read_now(shmap_entry_value(job->rq.fresh.entry),
					u64_to_user_ptr(record->value),
					record->value_len)))
		return 0;
	return take_value_slowly(map, job, record, flags);
}

/* Copy the value to compare with. */
static noinline int take_expected(struct job *job, const struct kmap_op_ext *ext)
{
	u32 len = ext->expected_len;

	if (!len)
		return 0;
	job->expected = kvmalloc(len, SHMAP_MEM_GFP);
	if (!job->expected)
		return -ENOMEM;
	job->rq.expected = job->expected;
	job->rq.expected_len = len;
	return shmap_user_read(job->expected, u64_to_user_ptr(ext->expected),
			       len);
}

static void free_value(const struct shmap_map *map, struct job *job)
{
	/* If there is a long_value, out_room is its size. */
	shmap_map_free_copy(map, job->long_value, job->rq.out_room);
	job->long_value = NULL;
}

/*
 * Allocate a buffer for a value that turned out to be longer than the present one,
 * unless the user's buffer is known not to be writable that far.
 */
static noinline int make_room(const struct shmap_map *map, struct job *job)
{
	if (job->rq.out_len > job->writable)
		return -EFAULT;
	free_value(map, job);
	job->long_value = kvmalloc(job->rq.out_len, SHMAP_MEM_GFP);
	if (!job->long_value)
		return -ENOMEM;
	job->rq.out = job->long_value;
	job->rq.out_room = job->rq.out_len;
	return 0;
}

/*
 * Return how many bytes of the user's buffer for the value can be written.  This leaves
 * the memory as it is.  It faults in one page at a time, since not every kernel tells how
 * much of a longer range was faulted in.
 */
static noinline u32 probe_out(const struct shmap_map *map,
			      const struct kmap_op *record)
{
	u32 size = min(record->out_size, map->config.max_value), done = 0, part;

	for (; done < size; done += part) {
		u64 at = record->out + done;

		part = min_t(u32, size - done, PAGE_SIZE - offset_in_page(at));
		if (fault_in_safe_writeable(u64_to_user_ptr(at), part))
			break;
	}
	return done;
}

/* Carry out a record that has been validated. */
static int run_job(const struct shmap_call *call, struct job *job,
		   const struct kmap_op *record, const struct kmap_op_ext *ext)
{
	struct shmap_map *map = call->file->map;
	const struct shmap_op *op = call->op;
	struct shmap_request *rq = &job->rq;
	int ret = take_key(map, job, record);

	if (!ret && ext && record->flags & KMAP_EQUAL)
		ret = take_expected(job, ext);
	if (!ret && op->changes && record->flags & KMAP_RETURN) {
		job->writable = probe_out(map, record);
		rq->out_room = min(rq->out_room, job->writable);
	}
	if (!ret && op->brings)
		ret = take_value(map, job, record);
	if (ret)
		return ret;

	do {
		ret = op->on_key(map, rq);
	} while (ret == -ENOBUFS && !(ret = make_room(map, job)));

	if (ret && ret != -EEXIST && ret != -ESTALE)
		return ret;
	if (returns_value(op, record->flags) && rq->out_len != KMAP_ABSENT &&
	    shmap_user_write(u64_to_user_ptr(record->out), rq->out,
			     rq->out_len))
		return -EFAULT;
	return ret;
}

/**
 * shmap_ops_one_record - carry out one record
 * @call: the call, whose operation is one on a key
 * @record: the record; its outputs are written
 * @ext: the longer record that @record is part of, or NULL
 *
 * Context: may sleep.
 * Return: 0 or a negative errno, as the ABI says.
 */
int shmap_ops_one_record(struct shmap_call *call, struct kmap_op *record,
			 const struct kmap_op_ext *ext)
{
	struct shmap_map *map = call->file->map;
	/* Only bytes of the arrays that were written are read; zeroing them would cost time. */
	struct job job __uninitialized;
	int ret = check_record(call, record);

	if (!ret && ext)
		ret = check_ext(map, ext);
	if (ret)
		return ret;
	job.rq.expected_len = 0;
	job.rq.flags = record->flags;
	job.rq.version = record->version;
	job.rq.number = record->number;
	job.rq.out = job.value;
	job.rq.out_room = sizeof(job.value);
	job.rq.out_size = record->out_size;
	job.rq.out_len = 0;
	job.rq.fresh.entry = NULL;
	job.long_key = NULL;
	job.long_value = NULL;
	job.expected = NULL;
	job.writable = U32_MAX;
	ret = run_job(call, &job, record, ext);
	if (unlikely(job.rq.fresh.entry))
		shmap_key_discard(map, &job.rq);
	if (unlikely(job.long_key))
		shmap_map_free_copy(map, job.long_key, record->key_len);
	if (unlikely(job.long_value))
		free_value(map, &job);
	if (unlikely(job.expected))
		shmap_map_free_copy(map, job.expected, job.rq.expected_len);

	call->reply = tells(ret);
	if (!ret || call->reply) {
		if (ret != -EMSGSIZE || call->op->returns)
			record->version = job.rq.version;
		if (!ret)
			record->number = job.rq.number;
		if (returns_value(call->op, record->flags)) {
			record->out_len = job.rq.out_len;
			record->out_flags = job.rq.out_flags;
		}
		record->error = ret;
	}
	shmap_map_wipe_copy(map, &job, sizeof(job));
	return ret;
}

/* The ioctl names the operation, so the record's opcode may be 0. */
static bool opcode_fits(const struct shmap_op *op, const struct kmap_op *record)
{
	return !record->opcode || record->opcode == _IOC_NR(op->cmd);
}

/**
 * shmap_ops_one - an ioctl on one key, with a record of any size
 * @call: the call
 * @record: struct kmap_op_ext
 *
 * Context: may sleep.
 * Return: 0 or a negative errno, as the ABI says.
 */
int shmap_ops_one(struct shmap_call *call, void *record)
{
	struct kmap_op_ext *ext = record;

	if (!opcode_fits(call->op, &ext->op))
		return -EINVAL;
	return shmap_ops_one_record(call, &ext->op, ext);
}

/**
 * shmap_ops_one_full - an ioctl on one key, with a record of the usual size
 * @op: the operation
 * @file: the file
 * @user: the record
 *
 * Unlike the fast paths, this takes records with any flags and lengths.
 *
 * Context: may sleep.
 * Return: 0 or a negative errno, as the ABI says.
 */
long shmap_ops_one_full(const struct shmap_op *op,
			const struct shmap_file *file,
			struct kmap_op __user *user)
{
	struct shmap_call call = { .file = file, .op = op };
	struct kmap_op record __uninitialized;
	int ret;

	if (shmap_user_read_op(&record, user))
		return -EFAULT;
	/* Check that the outputs can be written before anything changes. */
	if (op->changes && shmap_user_write_op(user, &record))
		return -EFAULT;
	if (!opcode_fits(op, &record))
		return -EINVAL;
	ret = shmap_ops_one_record(&call, &record, NULL);
	if ((!ret || call.reply) && shmap_user_write_op(user, &record))
		return -EFAULT;
	return ret;
}
