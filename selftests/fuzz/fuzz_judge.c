// SPDX-License-Identifier: GPL-2.0
/*
 * What a call may do: return a result that the ABI has for this ioctl and outputs
 * that fit together, and change no byte elsewhere.
 */
#include <errno.h>
#include <string.h>

#include "fuzz.h"

#define PAGE	4096u

/* Every ioctl can fail like this. */
static const int common[] = {
	EINVAL, E2BIG, EBADF, EFAULT, ENOTTY, ENOMEM,
};

/* Some ioctls can also fail like this; a bit per ioctl number. */
static const struct {
	int error;
	unsigned int ioctls;
} special[] = {
	{ ENOENT, 1 << 1 | 1 << 2 | 1 << 3 | 1 << 4 },
	{ EEXIST, 1 << 2 | 1 << 4 },
	{ ESTALE, 1 << 2 | 1 << 3 },
	{ EMSGSIZE, 1 << 1 | 1 << 2 | 1 << 3 | 1 << 6 },
	{ ENAMETOOLONG, 1 << 1 | 1 << 2 | 1 << 3 | 1 << 4 },
	{ EFBIG, 1 << 2 | 1 << 3 },
	{ ENOSPC, 1 << 2 | 1 << 4 },
	{ EXFULL, 1 << 2 | 1 << 4 },
	{ ENOBUFS, 1 << 6 },
	{ EDOM, 1 << 2 | 1 << 4 },
	{ ERANGE, 1 << 4 },
};

static bool documented(unsigned int nr, int ret)
{
	unsigned int i;

	if (!ret)
		return true;
	for (i = 0; i < ARRAY_SIZE(common); i++)
		if (ret == -common[i])
			return true;
	for (i = 0; i < ARRAY_SIZE(special); i++)
		if (ret == -special[i].error && special[i].ioctls >> nr & 1)
			return true;
	return false;
}

static bool tells(int ret)
{
	return ret == -EMSGSIZE || ret == -EEXIST || ret == -ESTALE;
}

/* What is wrong with the outputs of a single operation, or NULL. */
static const char *look_at_op(const struct kmap_op *op, unsigned int nr,
			      int ret)
{
	const bool out = nr == KMAP_OP_GET || op->flags & KMAP_RETURN;

	if (op->error != ret)
		return "error is not what the ioctl returned";
	if (!ret && (!op->version || op->version > KMAP_VERSION_MASK))
		return "a version that cannot be";
	if (ret == -EMSGSIZE && (!out || op->out_len <= op->out_size))
		return "EMSGSIZE of a value that fits";
	if (!ret && out && op->out_len > op->out_size &&
	    (nr != KMAP_OP_SET || op->out_len != KMAP_ABSENT))
		return "a value that does not fit";
	if (!ret && nr == KMAP_OP_GET &&
	    (op->out_flags & KMAP_IS_NUMBER ? op->out_len != 8 : op->number))
		return "a number that is none";
	return NULL;
}

static const char *look_at_keys(const struct fuzz_client *c,
				const struct kmap_keys *keys, int ret)
{
	__u64 at = keys->buf - kt_ptr(c->arena);
	struct kmap_item item;
	__u64 used = 0;
	__u32 i;

	if (ret == -EMSGSIZE)
		return keys->used > keys->size ? NULL :
					"EMSGSIZE of a record that fits";
	if (ret)
		return NULL;
	if (keys->used > keys->size)
		return "more used than there is";
	if (keys->cursor >> 32 && keys->cursor != KMAP_KEYS_END)
		return "a cursor that cannot be";
	if (at >= FUZZ_ARENA || keys->used > FUZZ_ARENA - at)
		return NULL;
	for (i = 0; i < keys->count; i++) {
		if (keys->used - used < sizeof(item))
			return "records that end early";
		memcpy(&item, c->arena + at + used, sizeof(item));
		if (!item.key_len || item.key_len > FUZZ_MAX_KEY ||
		    item.value_len > FUZZ_MAX_VALUE)
			return "a record that cannot be";
		used += KMAP_ITEM_SIZE(item.key_len,
				       keys->flags & KMAP_KEYS_VALUES ?
				       item.value_len : 0);
		if (used > keys->used)
			return "a record that reaches too far";
	}
	return used == keys->used ? NULL : "records that end late";
}

static const char *look_at_batch(const struct fuzz_client *c,
				 const struct kmap_batch *batch, int ret)
{
	__u64 at = batch->ops - kt_ptr(c->arena);
	struct kmap_op op;
	__u32 i;

	if (ret && ret != -EFAULT)
		return NULL;
	if (batch->done > batch->count || (!ret && batch->done != batch->count))
		return "a wrong number of records done";
	for (i = 0; i < batch->done; i++) {
		__u64 offset = at + (__u64)i * batch->op_size;

		if (offset > FUZZ_ARENA - sizeof(op))
			return NULL;
		memcpy(&op, c->arena + offset, sizeof(op));
		if (op.opcode < KMAP_OP_GET || op.opcode > KMAP_OP_ADD ?
		    op.error != -EINVAL && op.error != -E2BIG :
		    !documented(op.opcode, op.error) || op.error == -ENOTTY)
			return "a record with an error it cannot have";
	}
	return NULL;
}

/* Copies what the call may have written to the arena's copy. */
static void accept(struct fuzz_client *c, unsigned int at, unsigned int len)
{
	memcpy(c->copy + at, c->arena + at, len);
}

static void accept_outputs(struct fuzz_client *c, const struct fuzz_shot *shot,
			   int ret)
{
	/* A snapshot that failed may have filled its buffer. */
	const bool filled = shot->keys &&
			    shot->keys->flags & KMAP_KEYS_ATOMIC &&
			    (ret == -EMSGSIZE || ret == -ENOBUFS);
	unsigned int i = 0;

	if (ret && !tells(ret) && ret != -EFAULT && !filled)
		return;
	if (shot->wild) {
		accept(c, 0, FUZZ_ARENA);
		return;
	}
	/* The last range is the record; of a buffer before it, a part may be used. */
	if ((shot->op || shot->keys) && shot->ranges == 2 && ret != -EFAULT) {
		unsigned int len = shot->range[0].len;
		__u64 used = 0;

		i = 1;
		if (shot->op && ret != -EMSGSIZE &&
		    shot->op->out_len != KMAP_ABSENT)
			used = shot->op->out_len;
		else if (shot->keys && !ret)
			used = shot->keys->used;
		else if (filled)
			used = len;
		accept(c, shot->range[0].at, used < len ? used : len);
	}
	for (; i < shot->ranges; i++)
		accept(c, shot->range[i].at, shot->range[i].len);
}

bool fuzz_judge(struct fuzz_client *c, const struct fuzz_shot *shot, int ret)
{
	const char *wrong = NULL;

	atomic_fetch_add_explicit(&c->fuzz->errors[-ret & 4095], 1,
				  memory_order_relaxed);
	if (shot->must != 1 && ret != shot->must)
		return fuzz_fail(c, shot, ret, "not the result that was due");
	if (shot->fd == c->rw && !documented(_IOC_NR(shot->cmd), ret))
		return fuzz_fail(c, shot, ret, "not a documented result");
	if (shot->fd == c->rd && _IOC_NR(shot->cmd) != 1 &&
	    _IOC_NR(shot->cmd) < 5 && !ret)
		return fuzz_fail(c, shot, ret, "a change by who may only read");
	if (shot->fd == c->wr && !ret &&
	    (_IOC_NR(shot->cmd) == 1 || _IOC_NR(shot->cmd) == 4 ||
	     _IOC_NR(shot->cmd) == 6))
		return fuzz_fail(c, shot, ret, "told to who may only write");

	if (shot->op && (!ret || tells(ret)))
		wrong = look_at_op(shot->op, shot->nr, ret);
	else if (shot->keys)
		wrong = look_at_keys(c, shot->keys, ret);
	else if (shot->batch && !shot->wild)
		wrong = look_at_batch(c, shot->batch, ret);
	if (wrong)
		return fuzz_fail(c, shot, ret, wrong);
	if (shot->op && !ret)
		c->version[shot->key] = shot->op->version;
	accept_outputs(c, shot, ret);
	return true;
}

bool fuzz_intact(struct fuzz_client *c)
{
	const __u8 *page = c->readonly;
	unsigned int at = sizeof(struct kmap_op);

	/* All bytes are the same if each is equal to the one before it. */
	HAMMER_CHECK(c->w, page[at] == 0x5a &&
		     !memcmp(page + at, page + at + 1, PAGE - at - 1),
		     "the read-only page was written");
	if (!memcmp(c->arena, c->copy, FUZZ_ARENA))
		return true;
	for (at = 0; c->arena[at] == c->copy[at]; at++)
		;
	return hammer_fail(c->w,
			   "byte %u of the arena is %#x, not %#x, within %u calls up to call %lu",
			   at, c->arena[at], c->copy[at], FUZZ_LOOK_EVERY,
			   atomic_load(&c->w->steps));
}
