/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Short copies from and to user memory.
 *
 * The kernel's own functions suit long copies: they spend more time on choosing how to
 * copy, and on checking that the kernel memory lies within one object, than it takes to
 * copy some tens of bytes.  Short copies are done here in words, between one beginning
 * and one end of user access; longer ones by copy_from_user() and copy_to_user().
 *
 * Like those, these functions support fault injection (fail_usercopy).
 */
#ifndef SHMAP_USER_H
#define SHMAP_USER_H

#include <linux/bitops.h>
#include <linux/fault-inject-usercopy.h>
#include <linux/kmap.h>
#include <linux/mm.h>
#include <linux/uaccess.h>

/* Longest copy that is done in words, in bytes. */
#define SHMAP_USER_SHORT	256u

/* Copies in words need efficient unaligned access: user addresses have any alignment. */
static __always_inline bool shmap_user_short(size_t len)
{
	return IS_ENABLED(CONFIG_HAVE_EFFICIENT_UNALIGNED_ACCESS) &&
	       len <= SHMAP_USER_SHORT;
}

/* Copy one word at offset @at from @from to @to. */
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

/* Copy @len bytes with either of the above. */
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
 * shmap_user_read_now - copy from user memory, if that needs no page fault
 * @to: where to; 8-byte aligned
 * @from: user memory
 * @len: bytes
 *
 * A copy that would need a page fault is refused, so user space cannot stall this.
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

/* The copy in words of shmap_user_write(), after its checks. */
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
 * shmap_user_write_now - copy to user memory, if it is short and needs no page fault
 * @to: user memory
 * @from: 8-byte aligned
 * @len: bytes
 *
 * Any other copy is refused, so user space cannot stall this.
 *
 * Context: a task, which need not be allowed to sleep; page faults are off.
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
 * shmap_user_write_number_now - copy a number to user memory, if no page fault is needed
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

/* A record has nine words, of which the last three are the outputs. */
static_assert(sizeof(struct kmap_op) == 9 * 8);
static_assert(offsetof(struct kmap_op, version) == 6 * 8);

/**
 * struct shmap_user_inputs - the inputs of a record, in words
 * @what: opcode in the lower half, flags in the upper one
 * @key: as in the record
 * @value: as in the record
 * @out: as in the record
 * @lens: key_len in the lower half, value_len in the upper one
 * @room: out_size in the lower half, ttl in the upper one
 *
 * Two fields in one word are checked together, and the words can stay in registers.
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

/* Put the first one of two fields in the lower half of a word. */
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

/* Read word @n of a record; user access must have begun. */
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
 * shmap_user_read_inputs - copy in a record except its outputs
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
 * shmap_user_write_outputs - copy out a record's outputs
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
 * shmap_user_read_change - copy in the record of a change, except its outputs
 * @in: filled in
 * @user: the record
 *
 * The first and the last output are written back unchanged, so that a record that cannot
 * be written is refused before anything changes.
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
 * shmap_user_write_version - write the outputs of a change that succeeded
 * @user: the record
 * @version: version; error becomes 0, and the other outputs stay as they were
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
 * shmap_user_write_op - copy out a record's outputs
 * @user: the record
 * @op: the kernel's copy of the record, with its outputs
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
 * shmap_user_read_op - copy in a record
 * @op: filled in
 * @user: the record
 *
 * Context: may sleep.
 * Return: 0 or -EFAULT.
 */
static __always_inline int shmap_user_read_op(struct kmap_op *op,
					      const struct kmap_op __user *user)
{
	/* The names that the macros expect. */
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
