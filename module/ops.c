// SPDX-License-Identifier: GPL-2.0-only
/*
 * The operations on one key as user space sends them: copy in, validate, call
 * the map, copy out.  User memory is touched before the map is called or after,
 * never while anything is locked, so a copy that stalls holds up nobody else.
 *
 * What can be refused is refused before anything changes: that includes output
 * memory that cannot be written.
 */
#include <linux/pagemap.h>
#include <linux/slab.h>
#include <linux/uaccess.h>

#include "entry.h"
#include "key.h"
#include "ops.h"
#include "user.h"

/* Keys and values up to this length need no allocation on their way. */
#define INLINE_KEY	256
#define INLINE_VALUE	256

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
		.flags	= KMAP_CREATE | KMAP_REPLACE | KMAP_MATCH | KMAP_EQUAL |
			  KMAP_RETURN | KMAP_NUMBER,
		.value	= true,
		.mode	= FMODE_WRITE,
		.run	= shmap_key_set,
	},
	[KMAP_OP_DELETE] = {
		.flags	= KMAP_MATCH | KMAP_EQUAL | KMAP_RETURN,
		.mode	= FMODE_WRITE,
		.run	= shmap_key_delete,
	},
	[KMAP_OP_ADD] = {
		.flags	= KMAP_CREATE | KMAP_REPLACE,
		/* The sum tells the value, and so does ERANGE. */
		.mode	= FMODE_READ | FMODE_WRITE,
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
 * @expected: value to compare with, or NULL
 * @writable: so much of what comes back can be written, as far as is known
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

static __always_inline bool returns_value(const struct action *action, u32 flags)
{
	return action->out || flags & KMAP_RETURN;
}

/* What is wrong with the part of a record that few operations need. */
static noinline int check_ext(const struct shmap_map *map,
			      const struct kmap_op_ext *ext)
{
	if (ext->reserved || ext->deadline || ext->stale || ext->lease)
		return -EINVAL;
	if (!(ext->op.flags & KMAP_EQUAL))
		return ext->expected || ext->expected_len ? -EINVAL : 0;
	return ext->expected_len > map->config.max_value ? -EFBIG : 0;
}

/* What is wrong with a record in itself, before anything else is looked at. */
static __always_inline int check_record(const struct shmap_map *map,
					fmode_t mode,
					const struct action *action,
					const struct kmap_op *op)
{
	u32 condition = op->flags & (KMAP_CREATE | KMAP_REPLACE | KMAP_MATCH |
				     KMAP_EQUAL);
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
	if (op->flags & KMAP_EQUAL)
		need |= FMODE_READ;
	if ((mode & need) != need)
		return -EBADF;
	if (op->key_len > map->config.max_key)
		return -ENAMETOOLONG;
	if (op->value_len > map->config.max_value)
		return -EFBIG;
	if (op->flags & KMAP_NUMBER && op->value_len != SHMAP_NUMBER_LEN)
		return -EDOM;
	return 0;
}

static __always_inline int take_key(struct shmap_map *map, struct job *job,
				    const struct kmap_op *op)
{
	void *key = job->key;

	if (unlikely(op->key_len > sizeof(job->key))) {
		job->long_key = kmalloc(op->key_len, SHMAP_MEM_GFP);
		if (!job->long_key)
			return -ENOMEM;
		key = job->long_key;
	}
	if (shmap_user_read_key(key, u64_to_user_ptr(op->key), op->key_len))
		return -EFAULT;
	job->rq.key = key;
	job->rq.key_len = op->key_len;
	job->rq.hash = shmap_key_hash(map, key, op->key_len);
	return 0;
}

/* Copy the value where that may take any time, and nothing of the map is held. */
static noinline int take_value_slowly(struct shmap_map *map, struct job *job,
				      const struct kmap_op *op, u32 flags)
{
	u32 len = op->value_len;
	void *value;
	int r = -EFAULT;

	shmap_key_discard(map, &job->rq);
	value = kvmalloc(len, SHMAP_MEM_GFP);
	if (!value)
		return -ENOMEM;
	if (!shmap_user_read(value, u64_to_user_ptr(op->value), len))
		r = shmap_key_prepare(map, &job->rq, len, flags);
	if (!r)
		memcpy(shmap_entry_value(job->rq.fresh.entry), value, len);
	shmap_map_free_copy(map, value, len);
	return r;
}

/*
 * The value goes straight into the entry, which nobody else can see yet, if it is
 * there to be copied.  Who had to wait for a page would hold a part of the entry
 * area meanwhile that no limit counts.
 */
static __always_inline int take_value(struct shmap_map *map, struct job *job,
				      const struct kmap_op *op)
{
	u32 flags = op->flags & KMAP_NUMBER ? KMAP_IS_NUMBER : 0;
	int r = shmap_key_prepare(map, &job->rq, op->value_len, flags);

	if (r)
		return r;
	if (likely(!shmap_user_read_now(shmap_entry_value(job->rq.fresh.entry),
					u64_to_user_ptr(op->value),
					op->value_len)))
		return 0;
	return take_value_slowly(map, job, op, flags);
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
	/* If there is one, the room is its size. */
	shmap_map_free_copy(map, job->long_value, job->rq.out_room);
	job->long_value = NULL;
}

/*
 * Make room for a value that turned out to be longer than what there is, unless it
 * could not be handed over.
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
 * How much of what a change returns can be written?  Leaves the memory as it is.
 * Page by page: of a longer range, not every kernel says how far it came.
 */
static noinline u32 probe_out(const struct shmap_map *map,
			      const struct kmap_op *op)
{
	u32 size = min(op->out_size, map->config.max_value), done = 0, part;

	for (; done < size; done += part) {
		u64 at = op->out + done;

		part = min_t(u32, size - done, PAGE_SIZE - offset_in_page(at));
		if (fault_in_safe_writeable(u64_to_user_ptr(at), part))
			break;
	}
	return done;
}

static __always_inline int run_job(struct shmap_map *map, struct job *job,
				   const struct action *action,
				   const struct kmap_op *op,
				   const struct kmap_op_ext *ext)
{
	struct shmap_request *rq = &job->rq;
	int r = take_key(map, job, op);

	if (!r && ext && op->flags & KMAP_EQUAL)
		r = take_expected(job, ext);
	if (!r && !action->out && op->flags & KMAP_RETURN) {
		job->writable = probe_out(map, op);
		rq->out_room = min(rq->out_room, job->writable);
	}
	if (!r && action->value)
		r = take_value(map, job, op);
	if (r)
		return r;

	do {
		r = action->run(map, rq);
	} while (r == -ENOBUFS && !(r = make_room(map, job)));

	if (r && r != -EEXIST && r != -ESTALE)
		return r;
	if (returns_value(action, op->flags) && rq->out_len != KMAP_ABSENT &&
	    shmap_user_write(u64_to_user_ptr(op->out), rq->out, rq->out_len))
		return -EFAULT;
	return r;
}

/*
 * Carry out one record, and write its outputs to it.  @ext is the longer record
 * that @op is part of, or NULL.
 */
static __always_inline int run_record(struct shmap_map *map, fmode_t mode,
				      struct kmap_op *op,
				      const struct kmap_op_ext *ext,
				      const u32 opcode)
{
	const struct action *action = &actions[opcode];
	/* Of the arrays as much is read as was written; to zero them costs more. */
	struct job job __uninitialized;
	int r = check_record(map, mode, action, op);

	if (!r && ext)
		r = check_ext(map, ext);
	if (r)
		return r;
	job.rq.expected_len = 0;
	job.rq.flags = op->flags;
	job.rq.version = op->version;
	job.rq.number = op->number;
	job.rq.out = job.value;
	job.rq.out_room = sizeof(job.value);
	job.rq.out_size = op->out_size;
	job.rq.out_len = 0;
	job.rq.fresh.entry = NULL;
	job.long_key = NULL;
	job.long_value = NULL;
	job.expected = NULL;
	job.writable = U32_MAX;
	r = run_job(map, &job, action, op, ext);
	if (unlikely(job.rq.fresh.entry))
		shmap_key_discard(map, &job.rq);
	if (unlikely(job.long_key))
		shmap_map_free_copy(map, job.long_key, op->key_len);
	if (unlikely(job.long_value))
		free_value(map, &job);
	if (unlikely(job.expected))
		shmap_map_free_copy(map, job.expected, job.rq.expected_len);

	if (!r || shmap_ops_tells(r)) {
		if (r != -EMSGSIZE || action->out)
			op->version = job.rq.version;
		if (!r)
			op->number = job.rq.number;
		if (returns_value(action, op->flags)) {
			op->out_len = job.rq.out_len;
			op->out_flags = job.rq.out_flags;
		}
		op->error = r;
	}
	shmap_map_wipe_copy(map, &job, sizeof(job));
	return r;
}

static noinline int run_get(struct shmap_map *map, fmode_t mode,
			    struct kmap_op *op,
			    const struct kmap_op_ext *ext)
{
	return run_record(map, mode, op, ext, KMAP_OP_GET);
}

static noinline int run_set(struct shmap_map *map, fmode_t mode,
			    struct kmap_op *op,
			    const struct kmap_op_ext *ext)
{
	return run_record(map, mode, op, ext, KMAP_OP_SET);
}

static noinline int run_delete(struct shmap_map *map, fmode_t mode,
			       struct kmap_op *op,
			       const struct kmap_op_ext *ext)
{
	return run_record(map, mode, op, ext, KMAP_OP_DELETE);
}

static noinline int run_add(struct shmap_map *map, fmode_t mode,
			    struct kmap_op *op,
			    const struct kmap_op_ext *ext)
{
	return run_record(map, mode, op, ext, KMAP_OP_ADD);
}

/**
 * shmap_ops_run - carry out one record
 * @map: the map
 * @mode: what the file is open for
 * @op: the record; its outputs are written
 * @ext: the longer record that @op is part of, or NULL
 *
 * Context: may sleep.
 * Return: 0 or a negative errno, as the ABI says.
 */
int shmap_ops_run(struct shmap_map *map, fmode_t mode, struct kmap_op *op,
		  const struct kmap_op_ext *ext)
{
	switch (op->opcode) {
	case KMAP_OP_GET:
		return run_get(map, mode, op, ext);
	case KMAP_OP_SET:
		return run_set(map, mode, op, ext);
	case KMAP_OP_DELETE:
		return run_delete(map, mode, op, ext);
	case KMAP_OP_ADD:
		return run_add(map, mode, op, ext);
	default:
		return -EINVAL;
	}
}

/* A record of another size than is known, which the caller copies in and out. */
static int run_sized(struct shmap_call *call, struct kmap_op_ext *ext,
		     u32 opcode)
{
	struct kmap_op *op = &ext->op;
	int r;

	if (op->opcode && op->opcode != opcode)
		return -EINVAL;
	op->opcode = opcode;
	r = shmap_ops_run(call->map, call->mode, op, ext);
	call->reply = shmap_ops_tells(r);
	return r;
}

/* A record that changes, as it is known, from and to the user. */
static __always_inline int run_user(struct shmap_map *map, fmode_t mode,
				    struct kmap_op __user *user,
				    const u32 opcode)
{
	struct kmap_op op __uninitialized;
	int r;

	/* Can the outputs be written?  Find out before anything changes. */
	if (shmap_user_read_op(&op, user) || shmap_user_write_op(user, &op))
		return -EFAULT;
	if (op.opcode && op.opcode != opcode)
		return -EINVAL;
	r = run_record(map, mode, &op, NULL, opcode);
	if ((!r || shmap_ops_tells(r)) && shmap_user_write_op(user, &op))
		return -EFAULT;
	return r;
}

/**
 * shmap_ops_get - KMAP_IOC_GET with a record of any size
 * @call: the ioctl
 * @record: struct kmap_op_ext
 *
 * Context: may sleep.
 * Return: 0 or a negative errno, as the ABI says.
 */
int shmap_ops_get(struct shmap_call *call, void *record)
{
	return run_sized(call, record, KMAP_OP_GET);
}

/**
 * shmap_ops_set - KMAP_IOC_SET with a record of any size
 * @call: the ioctl
 * @record: struct kmap_op_ext
 *
 * Context: may sleep.
 * Return: 0 or a negative errno, as the ABI says.
 */
int shmap_ops_set(struct shmap_call *call, void *record)
{
	return run_sized(call, record, KMAP_OP_SET);
}

/**
 * shmap_ops_delete - KMAP_IOC_DELETE with a record of any size
 * @call: the ioctl
 * @record: struct kmap_op_ext
 *
 * Context: may sleep.
 * Return: 0 or a negative errno, as the ABI says.
 */
int shmap_ops_delete(struct shmap_call *call, void *record)
{
	return run_sized(call, record, KMAP_OP_DELETE);
}

/**
 * shmap_ops_add - KMAP_IOC_ADD with a record of any size
 * @call: the ioctl
 * @record: struct kmap_op_ext
 *
 * Context: may sleep.
 * Return: 0 or a negative errno, as the ABI says.
 */
int shmap_ops_add(struct shmap_call *call, void *record)
{
	return run_sized(call, record, KMAP_OP_ADD);
}

/**
 * shmap_ops_set_any - KMAP_IOC_SET with a record as it is known
 * @map: the map
 * @mode: what the file is open for
 * @user: the record
 *
 * Context: may sleep.
 * Return: 0 or a negative errno, as the ABI says.
 */
int shmap_ops_set_any(struct shmap_map *map, fmode_t mode,
		      struct kmap_op __user *user)
{
	return run_user(map, mode, user, KMAP_OP_SET);
}

/**
 * shmap_ops_delete_any - KMAP_IOC_DELETE with a record as it is known
 * @map: the map
 * @mode: what the file is open for
 * @user: the record
 *
 * Context: may sleep.
 * Return: 0 or a negative errno, as the ABI says.
 */
int shmap_ops_delete_any(struct shmap_map *map, fmode_t mode,
			 struct kmap_op __user *user)
{
	return run_user(map, mode, user, KMAP_OP_DELETE);
}

/**
 * shmap_ops_add_any - KMAP_IOC_ADD with a record as it is known
 * @map: the map
 * @mode: what the file is open for
 * @user: the record
 *
 * Context: may sleep.
 * Return: 0 or a negative errno, as the ABI says.
 */
int shmap_ops_add_any(struct shmap_map *map, fmode_t mode,
		      struct kmap_op __user *user)
{
	return run_user(map, mode, user, KMAP_OP_ADD);
}
