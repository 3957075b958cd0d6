/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Short copies from and to user memory.
 *
 * The kernel's own functions are made for long copies: how to copy, and whether
 * what is copied lies within one object, takes longer to find out than to copy
 * some tens of bytes.  What is short goes in words here, between one beginning
 * and one end of user access; what is longer goes the usual way.
 *
 * Like the kernel's functions these can be made to fail (fail_usercopy).
 */
#ifndef SHMAP_USER_H
#define SHMAP_USER_H

#include <linux/bitops.h>
#include <linux/fault-inject-usercopy.h>
#include <linux/kmap.h>
#include <linux/mm.h>
#include <linux/uaccess.h>

/* Longest copy in words, bytes. */
#define SHMAP_USER_SHORT	256u

/* User addresses can have any alignment. */
static __always_inline bool shmap_user_short(size_t len)
{
	return IS_ENABLED(CONFIG_HAVE_EFFICIENT_UNALIGNED_ACCESS) &&
	       len <= SHMAP_USER_SHORT;
}

/* From @from to @to, some bytes on. */
#define SHMAP_USER_GET(type, at)					\
do {									\
	size_t __at = (at);						\
									\
	unsafe_get_user(*(type *)(to + __at),				\
			(const type __user *)(from + __at), fault);	\
} while (0)

#define SHMAP_USER_PUT(type, at)					\
do {									\
	size_t __at = (at);						\
									\
	unsafe_put_user(*(const type *)(from + __at),			\
			(type __user *)(to + __at), fault);		\
} while (0)

/* All of @len bytes, by either of the above. */
#define SHMAP_USER_COPY(move, len)					\
do {									\
	size_t __len = (len), __i;					\
									\
	for (__i = 0; __i + 32 <= __len; __i += 32) {			\
		move(u64, __i);						\
		move(u64, __i + 8);					\
		move(u64, __i + 16);					\
		move(u64, __i + 24);					\
	}								\
	for (; __i + 8 <= __len; __i += 8)				\
		move(u64, __i);						\
	if (!(__len & 7))						\
		break;							\
	if (__len & 4) {						\
		move(u32, __i);						\
		__i += 4;						\
	}								\
	if (__len & 2) {						\
		move(u16, __i);						\
		__i += 2;						\
	}								\
	if (__len & 1)							\
		move(u8, __i);						\
} while (0)

/**
 * shmap_user_read - copy from user memory
 * @to: where to; 8-byte aligned
 * @from: user memory
 * @len: bytes
 *
 * Context: may sleep.
 * Return: 0, or -EFAULT when some of it cannot be read; part may be copied.
 */
static __always_inline int shmap_user_read(void *to, const void __user *from,
					   size_t len)
{
	if (!shmap_user_short(len))
		return copy_from_user(to, from, len) ? -EFAULT : 0;
	if (!len)
		return 0;
	might_fault();
	if (should_fail_usercopy() || !user_read_access_begin(from, len))
		return -EFAULT;
	SHMAP_USER_COPY(SHMAP_USER_GET, len);
	user_read_access_end();
	return 0;

fault:
	user_read_access_end();
	return -EFAULT;
}

/**
 * shmap_user_read_now - copy from user memory, if it can be done at once
 * @to: where to; 8-byte aligned
 * @from: user memory
 * @len: bytes
 *
 * What would need a page fault is refused: nobody can make this wait.
 *
 * Context: a task that may sleep.
 * Return: 0, or -EFAULT when it has to be copied in another way; part may be
 * copied.
 */
static __always_inline int shmap_user_read_now(void *to,
					       const void __user *from,
					       size_t len)
{
	int ret;

	pagefault_disable();
	ret = shmap_user_read(to, from, len);
	pagefault_enable();
	return ret;
}

/**
 * shmap_user_read_key - copy a key from user memory
 * @to: where to; 8-byte aligned
 * @from: user memory
 * @len: bytes
 *
 * Context: may sleep.
 * Return: as shmap_user_read().
 */
static __always_inline int shmap_user_read_key(void *to,
					       const void __user *from,
					       size_t len)
{
	if (!shmap_user_short(len) || unlikely(len != 16))
		return shmap_user_read(to, from, len);
	might_fault();
	if (should_fail_usercopy() || !user_read_access_begin(from, 16))
		return -EFAULT;
	SHMAP_USER_GET(u64, 0);
	SHMAP_USER_GET(u64, 8);
	user_read_access_end();
	return 0;

fault:
	user_read_access_end();
	return -EFAULT;
}

/* As shmap_user_write() does, after the checks. */
static __always_inline int shmap_user_write_words(void __user *to,
						  const void *from, size_t len)
{
	if (should_fail_usercopy() || !user_write_access_begin(to, len))
		return -EFAULT;
	SHMAP_USER_COPY(SHMAP_USER_PUT, len);
	user_write_access_end();
	return 0;

fault:
	user_write_access_end();
	return -EFAULT;
}

/**
 * shmap_user_write - copy to user memory
 * @to: user memory
 * @from: 8-byte aligned
 * @len: bytes
 *
 * Context: may sleep.
 * Return: 0, or -EFAULT when some of it cannot be written.
 */
static __always_inline int shmap_user_write(void __user *to, const void *from,
					    size_t len)
{
	if (!shmap_user_short(len))
		return copy_to_user(to, from, len) ? -EFAULT : 0;
	if (!len)
		return 0;
	might_fault();
	return shmap_user_write_words(to, from, len);
}

/**
 * shmap_user_write_now - copy to user memory, if it can be done at once
 * @to: user memory
 * @from: 8-byte aligned
 * @len: bytes
 *
 * What is long, or would need a page fault, is refused: nobody can make this
 * wait.
 *
 * Context: a task, also where it may not sleep; page faults are off.
 * Return: 0, or -EFAULT when it has to be copied in another way; part may be
 * copied.
 */
static __always_inline int shmap_user_write_now(void __user *to,
						const void *from, size_t len)
{
	if (!shmap_user_short(len))
		return -EFAULT;
	if (!len)
		return 0;
	return shmap_user_write_words(to, from, len);
}

/**
 * shmap_user_write_number_now - the same for a number
 * @to: user memory
 * @number: the number
 *
 * Context: as shmap_user_write_now().
 * Return: as shmap_user_write_now().
 */
static __always_inline int shmap_user_write_number_now(void __user *to,
						       s64 number)
{
	return shmap_user_write_now(to, &number, sizeof(number));
}

/* A record is nine words, of which the last three are the outputs. */
static_assert(sizeof(struct kmap_op) == 9 * 8);
static_assert(offsetof(struct kmap_op, version) == 6 * 8);

/**
 * struct shmap_user_inputs - the inputs of a record, by words
 * @what: opcode in the lower half, flags in the upper one
 * @key: as in the record
 * @value: as in the record
 * @out: as in the record
 * @lens: key_len in the lower half, value_len in the upper one
 * @room: out_size in the lower half, ttl in the upper one
 *
 * So most of what a record may not be is found out without taking it apart, and
 * its fields need not go through memory.
 */
struct shmap_user_inputs {
	u64	what;
	u64	key;
	u64	value;
	u64	out;
	u64	lens;
	u64	room;
};

static_assert(sizeof(struct shmap_user_inputs) ==
	      offsetof(struct kmap_op, version));

/* Two fields of a record: the first one is the lower half. */
static __always_inline u64 shmap_user_pair(u64 word)
{
	return IS_ENABLED(CONFIG_CPU_BIG_ENDIAN) ? rol64(word, 32) : word;
}

static __always_inline void shmap_user_pairs(struct shmap_user_inputs *in)
{
	in->what = shmap_user_pair(in->what);
	in->lens = shmap_user_pair(in->lens);
	in->room = shmap_user_pair(in->room);
}

/* Word @n of a record, where user access has begun. */
#define SHMAP_USER_WORD(word, user, n) \
	unsafe_get_user(word, (const u64 __user *)(user) + (n), fault)

#define SHMAP_USER_INPUTS(in, user)					\
do {									\
	SHMAP_USER_WORD((in)->what, user, 0);				\
	SHMAP_USER_WORD((in)->key, user, 1);				\
	SHMAP_USER_WORD((in)->value, user, 2);				\
	SHMAP_USER_WORD((in)->out, user, 3);				\
	SHMAP_USER_WORD((in)->lens, user, 4);				\
	SHMAP_USER_WORD((in)->room, user, 5);				\
} while (0)

/**
 * shmap_user_read_inputs - copy a record in, but for its outputs
 * @in: filled in
 * @user: the record
 *
 * Context: may sleep.
 * Return: 0 or -EFAULT.
 */
static __always_inline int
shmap_user_read_inputs(struct shmap_user_inputs *in,
		       const struct kmap_op __user *user)
{
	if (!shmap_user_short(sizeof(*in))) {
		if (copy_from_user(in, user, sizeof(*in)))
			return -EFAULT;
		shmap_user_pairs(in);
		return 0;
	}
	might_fault();
	if (should_fail_usercopy() ||
	    !user_read_access_begin(user, sizeof(*in)))
		return -EFAULT;
	SHMAP_USER_INPUTS(in, user);
	user_read_access_end();
	shmap_user_pairs(in);
	return 0;

fault:
	user_read_access_end();
	return -EFAULT;
}

/**
 * shmap_user_write_outputs - copy a record's outputs out
 * @user: the record
 * @version: version
 * @number: number
 * @out_len: out_len
 * @out_flags: out_flags
 * @error: error
 *
 * Context: may sleep, or page faults are off.
 * Return: 0 or -EFAULT.
 */
static __always_inline int
shmap_user_write_outputs(struct kmap_op __user *user, u64 version, s64 number,
			 u32 out_len, u16 out_flags, s16 error)
{
	if (!shmap_user_short(3 * 8)) {
		struct kmap_op op = {
			.version	= version,
			.number		= number,
			.out_len	= out_len,
			.out_flags	= out_flags,
			.error		= error,
		};

		return copy_to_user(&user->version, &op.version, 3 * 8) ?
		       -EFAULT : 0;
	}
	if (should_fail_usercopy() ||
	    !user_write_access_begin(&user->version, 3 * 8))
		return -EFAULT;
	unsafe_put_user(version, &user->version, fault);
	unsafe_put_user(number, &user->number, fault);
	unsafe_put_user(out_len, &user->out_len, fault);
	unsafe_put_user(out_flags, &user->out_flags, fault);
	unsafe_put_user(error, &user->error, fault);
	user_write_access_end();
	return 0;

fault:
	user_write_access_end();
	return -EFAULT;
}

/**
 * shmap_user_read_change - copy a record in that changes, but for its outputs
 * @in: filled in
 * @user: the record
 *
 * First and last output are written as they are, so that memory that cannot be
 * written is found out about before anything changes.
 *
 * Context: may sleep.
 * Return: 0 or -EFAULT.
 */
static __always_inline int
shmap_user_read_change(struct shmap_user_inputs *in, struct kmap_op __user *user)
{
	u64 version;
	s16 error;

	if (!shmap_user_short(sizeof(*user))) {
		if (shmap_user_read_inputs(in, user) ||
		    get_user(version, &user->version) ||
		    put_user(version, &user->version) ||
		    get_user(error, &user->error))
			return -EFAULT;
		return put_user(error, &user->error);
	}
	might_fault();
	if (should_fail_usercopy() || !user_access_begin(user, sizeof(*user)))
		return -EFAULT;
	SHMAP_USER_INPUTS(in, user);
	unsafe_get_user(version, &user->version, fault);
	unsafe_get_user(error, &user->error, fault);
	unsafe_put_user(version, &user->version, fault);
	unsafe_put_user(error, &user->error, fault);
	user_access_end();
	shmap_user_pairs(in);
	return 0;

fault:
	user_access_end();
	return -EFAULT;
}

/**
 * shmap_user_write_version - write the outputs of a change that did it
 * @user: the record
 * @version: version; the other outputs are as they were, and error is 0
 *
 * Context: may sleep.
 * Return: 0 or -EFAULT.
 */
static __always_inline int
shmap_user_write_version(struct kmap_op __user *user, u64 version)
{
	s16 error = 0;

	if (!shmap_user_short(3 * 8))
		return put_user(version, &user->version) ?:
		       put_user(error, &user->error);
	might_fault();
	if (should_fail_usercopy() ||
	    !user_write_access_begin(&user->version, 3 * 8))
		return -EFAULT;
	unsafe_put_user(version, &user->version, fault);
	unsafe_put_user(error, &user->error, fault);
	user_write_access_end();
	return 0;

fault:
	user_write_access_end();
	return -EFAULT;
}

/**
 * shmap_user_write_op - copy a record's outputs out
 * @user: the record
 * @op: the same, with its outputs
 *
 * Context: may sleep.
 * Return: 0 or -EFAULT.
 */
static __always_inline int shmap_user_write_op(struct kmap_op __user *user,
					       const struct kmap_op *op)
{
	might_fault();
	return shmap_user_write_outputs(user, op->version, op->number,
					op->out_len, op->out_flags, op->error);
}

/**
 * shmap_user_read_op - copy a record in
 * @op: filled in
 * @user: the record
 *
 * Context: may sleep.
 * Return: 0 or -EFAULT.
 */
static __always_inline int shmap_user_read_op(struct kmap_op *op,
					      const struct kmap_op __user *user)
{
	/* Names as the macros have them. */
	const void __user *from = user;
	void *to = op;

	if (!shmap_user_short(sizeof(*op)))
		return copy_from_user(to, from, sizeof(*op)) ? -EFAULT : 0;
	might_fault();
	if (should_fail_usercopy() ||
	    !user_read_access_begin(from, sizeof(*op)))
		return -EFAULT;
	SHMAP_USER_GET(u64, 0);
	SHMAP_USER_GET(u64, 8);
	SHMAP_USER_GET(u64, 16);
	SHMAP_USER_GET(u64, 24);
	SHMAP_USER_GET(u64, 32);
	SHMAP_USER_GET(u64, 40);
	SHMAP_USER_GET(u64, 48);
	SHMAP_USER_GET(u64, 56);
	SHMAP_USER_GET(u64, 64);
	user_read_access_end();
	return 0;

fault:
	user_read_access_end();
	return -EFAULT;
}

#endif /* SHMAP_USER_H */
