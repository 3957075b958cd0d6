// SPDX-License-Identifier: GPL-2.0-only
/*
 * The table of operations, and the two ways to call one: by an ioctl, and by a record
 * of a batch.
 *
 * Each operation has one row and one function.  The number of the ioctl finds the row,
 * and so does the opcode of a record in a batch: it is the same number.
 *
 * The ioctl copies in the part of the record that both the caller and the kernel know,
 * calls the row's function, and copies the outputs back.  For rows that change the map
 * it also writes the outputs back unchanged beforehand, so that a record that cannot be
 * written is refused before anything has changed.  Records of the usual size may take
 * a faster path.
 *
 * Where readers take no lock, consecutive lookups of a batch are carried out in groups;
 * see ops_get.c.  All other records of a batch are carried out one by one.
 */
#include <linux/build_bug.h>
#include <linux/indirect_call_wrapper.h>
#include <linux/uaccess.h>

#include "fatal.h"
#include "key.h"
#include "ops.h"
#include "ops_change.h"
#include "ops_get.h"
#include "ops_keys.h"
#include "ops_map.h"
#include "ops_one.h"
#include "user.h"

static int run_batch(struct shmap_call *call, void *record);

/* Rows of the table: a power of two, so that a number modulo ROWS is always in it. */
#define ROWS	16u

/* Any record: every record type must be listed here. */
union record {
	struct kmap_op_ext	ext;
	struct kmap_batch	batch;
	struct kmap_keys	keys;
	struct kmap_clear	clear;
	struct kmap_info	info;
};

/* 0 if the record fits in union record and is a multiple of 8 bytes; else a build error. */
#define FITS(_type)							\
	BUILD_BUG_ON_ZERO(sizeof(_type) > sizeof(union record) ||	\
			  sizeof(_type) % 8)

/*
 * An ioctl and its record: the record's type, the last field of its first published
 * version, the last field known here, the first output and the last output.
 */
#define ROW(_cmd, _type, _least, _last, _outputs, _end, ...)		\
	[_IOC_NR(_cmd)] = {						\
		.cmd		= _cmd,					\
		.least		= offsetofend(struct _type, _least),	\
		.size		= offsetofend(struct _type, _last) +	\
				  FITS(struct _type),			\
		.outputs	= offsetof(struct _type, _outputs),	\
		.outputs_end	= offsetofend(struct _type, _end),	\
		__VA_ARGS__						\
	}

/* An operation on one key. */
#define ON_KEY(_cmd, ...)						\
	ROW(_cmd, kmap_op_ext, op.error, lease, op.version, op.error,	\
	    .run = shmap_ops_one, __VA_ARGS__)

static const struct shmap_op ops[ROWS] = {
	ON_KEY(KMAP_IOC_GET,
	       .rights = SHMAP_MAY_READ,
	       .returns = true,
	       .on_key = shmap_key_get,
	       .fast = shmap_ops_get_fast),
	ON_KEY(KMAP_IOC_SET,
	       .rights = SHMAP_MAY_WRITE,
	       .changes = true,
	       .flags = KMAP_CREATE | KMAP_REPLACE | KMAP_MATCH | KMAP_EQUAL |
			KMAP_RETURN | KMAP_NUMBER,
	       .brings = true,
	       .on_key = shmap_key_set,
	       .fast = shmap_ops_set_fast),
	ON_KEY(KMAP_IOC_DELETE,
	       .rights = SHMAP_MAY_WRITE,
	       .changes = true,
	       .flags = KMAP_MATCH | KMAP_EQUAL | KMAP_RETURN,
	       .on_key = shmap_key_delete,
	       .fast = shmap_ops_delete_fast),
	/* Needs the right to read: the sum reveals the value, and so does ERANGE. */
	ON_KEY(KMAP_IOC_ADD,
	       .rights = SHMAP_MAY_READ | SHMAP_MAY_WRITE,
	       .changes = true,
	       .flags = KMAP_CREATE | KMAP_REPLACE,
	       .on_key = shmap_key_add,
	       .fast = shmap_ops_one_full),
	/* No rights here: they are checked for each record. */
	ROW(KMAP_IOC_BATCH, kmap_batch, done, done, done, done,
	    .changes = true,
	    .run = run_batch),
	ROW(KMAP_IOC_KEYS, kmap_keys, reserved2, reserved2, cursor, reserved2,
	    .rights = SHMAP_MAY_READ,
	    .run = shmap_ops_keys),
	ROW(KMAP_IOC_CLEAR, kmap_clear, removed, removed, removed, removed,
	    .rights = SHMAP_MAY_WRITE,
	    .changes = true,
	    .run = shmap_ops_clear),
	ROW(KMAP_IOC_INFO, kmap_info, given_back, given_back, flags, given_back,
	    .run = shmap_ops_info),
};

static_assert(_IOC_NR(KMAP_IOC_GET) == KMAP_OP_GET);
static_assert(_IOC_NR(KMAP_IOC_SET) == KMAP_OP_SET);
static_assert(_IOC_NR(KMAP_IOC_DELETE) == KMAP_OP_DELETE);
static_assert(_IOC_NR(KMAP_IOC_ADD) == KMAP_OP_ADD);

static_assert(sizeof(struct kmap_op) == 72);
static_assert(sizeof(struct kmap_op_ext) == 112);
static_assert(sizeof(struct kmap_batch) == 24);
static_assert(sizeof(struct kmap_keys) == 48);
static_assert(sizeof(struct kmap_clear) == 16);
static_assert(sizeof(struct kmap_info) == 232);
static_assert(sizeof(struct kmap_bucket) == 64);
static_assert(sizeof(struct kmap_shard) == 64);
static_assert(sizeof(struct kmap_entry) == 16);

/* The row for a number; the caller must check that it is not empty or another's. */
static __always_inline const struct shmap_op *find_op(u32 number)
{
	return &ops[number % ROWS];
}

/* Write the outputs that are within the caller's record. */
static int write_outputs(const struct shmap_op *op, void __user *user,
			 size_t size, const union record *record)
{
	size_t known = min_t(size_t, size, op->outputs_end);

	if (copy_to_user(user + op->outputs, (void *)record + op->outputs,
			 known - op->outputs))
		return -EFAULT;
	return 0;
}

/* Carry out any ioctl, whatever its record's size; @op is find_op() of its number. */
static noinline long ioctl_full(const struct shmap_file *file,
				const struct shmap_op *op, unsigned int cmd,
				void __user *user)
{
	struct shmap_call call = { .file = file, .op = op };
	union record record __uninitialized;
	size_t size = _IOC_SIZE(cmd);
	int ret;

	/* Of the ioctl's number, only the size may differ from the row's. */
	if (!op->run || (cmd ^ op->cmd) & ~(_IOC_SIZEMASK << _IOC_SIZESHIFT))
		return -ENOTTY;
	/* Records grow by 8 bytes at a time: any other size ends within a field. */
	if (size < op->least || size % 8)
		return -EINVAL;
	ret = copy_struct_from_user(&record, op->size, user, size);
	if (ret)
		return ret;
	/* For operations on a key, the rights depend on the record too; see ops_one.c. */
	if (!op->on_key && !shmap_call_allowed(file, op, 0))
		return -EBADF;
	if (op->changes) {
		ret = write_outputs(op, user, size, &record);
		if (ret)
			return ret;
	}
	ret = op->run(&call, &record);
	if ((!ret || call.reply) && write_outputs(op, user, size, &record))
		return -EFAULT;
	return ret;
}

/**
 * shmap_ops_ioctl - the file operation
 * @filp: the file
 * @cmd: the ioctl
 * @arg: pointer to the record
 *
 * Context: may sleep.
 * Return: 0 or a negative errno, as the ABI says.
 */
long shmap_ops_ioctl(struct file *filp, unsigned int cmd, unsigned long arg)
{
	const struct shmap_file *file = filp->private_data;
	const struct shmap_op *op = find_op(_IOC_NR(cmd));
	void __user *user = (void __user *)arg;

	/* The functions named here are called directly, which is faster. */
	if (likely(op->cmd == cmd && op->fast &&
		   shmap_call_allowed(file, op, 0)))
		return INDIRECT_CALL_3(op->fast, shmap_ops_get_fast,
				       shmap_ops_set_fast,
				       shmap_ops_delete_fast, op, file, user);
	return ioctl_full(file, op, cmd, user);
}

/* Carry out one record of a batch; it is @size bytes long. */
static noinline int run_one(const struct shmap_file *file, void __user *user,
			    size_t size)
{
	struct shmap_call call = { .file = file };
	struct kmap_op __user *outputs = user;
	struct kmap_op_ext ext __uninitialized;
	struct kmap_op *record = &ext.op;
	bool whole = size != sizeof(*record);
	int ret = 0;

	if (whole)
		ret = copy_struct_from_user(&ext, sizeof(ext), user, size);
	else if (shmap_user_read_op(record, user))
		return -EFAULT;
	if (ret == -EFAULT)
		return ret;
	if (ret)
		return put_user(ret, &outputs->error);
	call.op = find_op(record->opcode);
	if (_IOC_NR(call.op->cmd) != record->opcode || !call.op->on_key) {
		record->error = -EINVAL;
		return shmap_user_write_op(outputs, record);
	}
	/* Check that the outputs can be written before anything changes. */
	if (call.op->changes && shmap_user_write_op(outputs, record))
		return -EFAULT;
	record->error = shmap_ops_one_record(&call, record,
					     whole ? &ext : NULL);
	return shmap_user_write_op(outputs, record);
}

/* KMAP_IOC_BATCH */
static int run_batch(struct shmap_call *call, void *record)
{
	const struct shmap_file *file = call->file;
	struct shmap_map *map = file->map;
	struct kmap_batch *batch = record;
	void __user *at = u64_to_user_ptr(batch->ops);
	bool groups = map->config.lock->lockless_reads &&
		      batch->op_size == sizeof(struct kmap_op) &&
		      shmap_call_allowed(file, &ops[KMAP_OP_GET], 0);
	u32 i = 0, n;
	int ret = 0;

	if (batch->flags || batch->count > KMAP_BATCH_MAX ||
	    batch->op_size < sizeof(struct kmap_op) ||
	    batch->op_size > PAGE_SIZE || batch->op_size % 8)
		return -EINVAL;
	while (i < batch->count) {
		n = groups ? shmap_ops_get_group(map, at, batch->count - i) : 0;
		if (!n) {
			ret = run_one(file, at, batch->op_size);
			if (ret)
				break;
			n = 1;
		}
		i += n;
		at += (size_t)n * batch->op_size;
		if (shmap_fatal_pending()) {
			ret = i < batch->count ? -EINTR : 0;
			break;
		}
		cond_resched();
	}
	batch->done = i;
	call->reply = true;
	return ret;
}
