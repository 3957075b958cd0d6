/* SPDX-License-Identifier: MIT */
/*
 * libkmap: use the kernel's shared map, /dev/kmap, from a program.
 *
 * The map stores one value per key, both strings of bytes, for all processes that have
 * the device open.  A function that reads or changes one key is atomic: its operation
 * happens as a whole or not at all, even if the process is killed meanwhile.
 *
 * Results.  Unless a function says otherwise, it returns 0 or a negative errno value;
 * errno itself is not part of the interface.  kmap_strerror() puts a negative errno
 * value in words.  The table at the top of <linux/kmap.h> tells what each value means;
 * the functions below name those that a program is likely to act on.  A function that
 * fails leaves its results alone, unless it says otherwise.  A pointer to a result may
 * be NULL, unless the function says otherwise.
 *
 * Units.  All lengths and sizes are in bytes.  A key has 1 to max_key bytes, a value 0
 * to max_value bytes, and both may contain any bytes; kmap_info() tells the limits.
 *
 * Versions.  Each value has a version larger than 0, and a key never has the
 * same version twice, not even when it was deleted and created again.
 *
 * Threads.  Any number of threads may use one handle at the same time, and so may a
 * child after fork().  Only one thread at a time may use an iterator.  No thread may use
 * a handle or an iterator while another closes it.
 *
 * The flags KMAP_CREATE, KMAP_REPLACE, KMAP_MATCH, KMAP_NUMBER, KMAP_IS_NUMBER,
 * KMAP_KEYS_VALUES and KMAP_KEYS_ATOMIC, and struct kmap_op and struct kmap_info, come
 * from <linux/kmap.h>.
 */
#ifndef KMAP_H
#define KMAP_H

#include <stddef.h>
#include <stdint.h>

#include <linux/kmap.h>

#ifdef __cplusplus
extern "C" {
/* As with stat(2), a structure and a function may share their name. */
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wshadow"
#endif

/* Device that kmap_open() opens if its path is NULL and $KMAP_DEVICE is not set or empty. */
#define KMAP_DEVICE	"/dev/kmap"

/* Flags of kmap_open(): at most one of RDONLY and WRONLY, and one of the window flags. */
#define KMAP_RDWR	0u
#define KMAP_RDONLY	1u	/* get, walk, info */
#define KMAP_WRONLY	2u	/* set, delete, clear, info; no values are returned */
#define KMAP_NO_WINDOW	4u	/* look keys up with system calls only */
#define KMAP_WINDOW	8u	/* map a window of any size, even in a 32-bit program */

/* Length that stands for no value; see kmap_swap(). */
#define KMAP_NO_VALUE	((size_t)-1)

/* Convert a pointer for a field of struct kmap_op. */
#define KMAP_PTR(pointer)	((__u64)(uintptr_t)(pointer))

/* An open map. */
struct kmap;

/* A walk over an open map. */
struct kmap_iter;

/**
 * struct kmap_pair - a key and its value, found by a walk
 * @key: the key; not zero-terminated
 * @key_len: length of the key
 * @value: the value, or NULL when the walk returns keys only; not
 *	zero-terminated
 * @value_len: length of the value, also when the walk returns keys only
 * @version: version of the value
 * @flags: what the value is: KMAP_IS_NUMBER
 */
struct kmap_pair {
	const void	*key;
	size_t		key_len;
	const void	*value;
	size_t		value_len;
	uint64_t	version;
	unsigned int	flags;
};

/**
 * kmap_open - open the map
 * @map: set to the handle, or to NULL on failure; must not be NULL itself
 * @path: the device; NULL for $KMAP_DEVICE, or /dev/kmap if that is not set or empty
 * @flags: KMAP_RDWR, KMAP_RDONLY or KMAP_WRONLY, and KMAP_NO_WINDOW or
 *	KMAP_WINDOW, see kmap_window()
 *
 * execve() closes the file descriptor.  A program that runs with more rights than its
 * caller has (set-user-ID and the like) ignores $KMAP_DEVICE.
 *
 * Return: 0; -ENODEV when there is no such device, that is, the module is not
 * loaded; -EMEDIUMTYPE when @path is not a kmap; -EACCES; -EINVAL for unknown flags, or
 * flags that do not go together; -ENOMEM; other errors of open(2).
 */
int kmap_open(struct kmap **map, const char *path, unsigned int flags);

/**
 * kmap_open_fd - use a file descriptor of the device that is already open
 * @map: set to the handle, or to NULL on failure; must not be NULL itself
 * @fd: the descriptor, for instance one that was received over a socket
 * @flags: as for kmap_open(), but reading and writing are allowed as @fd was opened
 *
 * On success @fd belongs to the handle, and kmap_close() closes it.  On failure
 * it still belongs to the caller.
 *
 * Return: 0; -EBADF when @fd is not open; -EMEDIUMTYPE when it is not a kmap;
 * -EINVAL for flags as above; -ENOMEM.
 */
int kmap_open_fd(struct kmap **map, int fd, unsigned int flags);

/**
 * kmap_close - close the map
 * @map: the handle, or NULL
 *
 * The caller must have closed its iterators.  The contents of the map stay.
 */
void kmap_close(struct kmap *map);

/**
 * kmap_fd - get the file descriptor of an open map
 * @map: the handle
 *
 * The descriptor still belongs to the handle.
 *
 * Return: the descriptor.
 */
int kmap_fd(const struct kmap *map);

/**
 * kmap_window - are keys looked up without system calls?
 * @map: the handle
 *
 * kmap_open() and kmap_open_fd() map the kernel's table for reading (the window),
 * except with KMAP_NO_WINDOW, or if the map is not open for reading, or if mapping
 * fails.  Without a window, all functions work with system calls;
 * kmap_window_error() tells why.
 *
 * The window takes address space, usually more than twice the map's max_bytes.  In a
 * 32-bit program a window larger than KMAP_WINDOW_MAX_32 bytes is mapped only with
 * KMAP_WINDOW; a 64-bit program has enough address space.
 *
 * Return: size of the window, or 0 when there is none.
 */
size_t kmap_window(const struct kmap *map);

/* Largest window that a 32-bit program maps without KMAP_WINDOW. */
#define KMAP_WINDOW_MAX_32	(256u << 20)

/**
 * kmap_window_error - why are keys looked up with system calls?
 * @map: the handle
 *
 * Return: 0 when the window is mapped, else
 *	-ECANCELED	KMAP_NO_WINDOW was asked for
 *	-EBADF		the map is not open for reading
 *	-EOPNOTSUPP	the module has no window
 *	-EPROTO		the module's window is of a kind that is not known here
 *	-EOVERFLOW	the window is too large for a 32-bit program without KMAP_WINDOW
 *	-ENOMEM		there is not enough address space, or RLIMIT_AS forbids it
 *	-EAGAIN		mlockall(2) with MCL_FUTURE is in force, and RLIMIT_MEMLOCK
 *			forbids that much
 *	-EACCES		the program has the personality READ_IMPLIES_EXEC, and the
 *			window cannot be executed
 * or another error of mmap(2).
 */
int kmap_window_error(const struct kmap *map);

/**
 * kmap_get - look a key up
 * @map: the handle
 * @key: the key
 * @key_len: its length
 * @buf: buffer for the value; may be NULL when @size is 0
 * @size: size of @buf
 * @len: set to the length of the value, also with -EMSGSIZE
 * @version: set to the version of that value, also with -EMSGSIZE
 *
 * Value, length and version are of one moment.  @buf may have been written to even on
 * failure.  @key and @buf must be valid memory: without a system call there is no
 * -EFAULT.
 *
 * Return: 0; -ENOENT when the key is absent; -EMSGSIZE when the value is longer
 * than @size.
 */
int kmap_get(struct kmap *map, const void *key, size_t key_len, void *buf,
	     size_t size, size_t *len, uint64_t *version);

/**
 * kmap_get_number - look a number up
 * @map: the handle
 * @key: the key
 * @key_len: its length
 * @number: set to the number
 * @version: set to its version
 *
 * A number is a value that was stored by kmap_add(), or with KMAP_NUMBER.
 *
 * Return: 0; -ENOENT when the key is absent; -EDOM when its value is not a number; -EBADF
 * when the map is not open for reading.
 */
int kmap_get_number(struct kmap *map, const void *key, size_t key_len,
		    int64_t *number, uint64_t *version);

/**
 * kmap_get_alloc - look a key up, and allocate memory for its value
 * @map: the handle
 * @key: the key
 * @key_len: its length
 * @value: set to the value, which the caller must free(), or to NULL on
 *	failure; must not be NULL itself
 * @len: set to the length of the value
 * @version: set to the version of that value
 *
 * The value is followed by a zero byte that @len does not count.  Memory is allocated
 * for an empty value too.  If the value grows meanwhile, the lookup is repeated.
 *
 * Return: 0; -ENOENT when the key is absent; -ENOMEM.
 */
int kmap_get_alloc(struct kmap *map, const void *key, size_t key_len,
		   void **value, size_t *len, uint64_t *version);

/**
 * kmap_set - store a value
 * @map: the handle
 * @key: the key
 * @key_len: its length
 * @value: the value; may be NULL when @value_len is 0
 * @value_len: its length
 * @flags: 0, or one of
 *	KMAP_CREATE	only if the key is absent
 *	KMAP_REPLACE	only if the key is present
 *	KMAP_MATCH	only if the key is present at *@version
 *	and KMAP_NUMBER: the value is a number, an int64_t, that kmap_add() can
 *	add to
 * @version: in, with KMAP_MATCH (then not NULL): the version to match; out: the
 *	new version, or with -EEXIST and -ESTALE the version found
 *
 * Return: 0; -EEXIST (KMAP_CREATE); -ENOENT (KMAP_REPLACE, KMAP_MATCH); -ESTALE
 * (KMAP_MATCH); -EDOM (KMAP_NUMBER, and @value_len is not 8); -ENOSPC when the map
 * is full; -ENAMETOOLONG, -EFBIG for a key or value that is too long; -EXFULL when
 * the key's bucket can take no more.
 */
int kmap_set(struct kmap *map, const void *key, size_t key_len,
	     const void *value, size_t value_len, unsigned int flags,
	     uint64_t *version);

/**
 * kmap_set_equal - store a value if the present one is as expected
 * @map: the handle
 * @key: the key
 * @key_len: its length
 * @value: the value; may be NULL when @value_len is 0
 * @value_len: its length
 * @expected: the value that must be there; may be NULL when @expected_len is 0
 * @expected_len: its length
 * @flags: 0, or KMAP_NUMBER: @value is a number
 * @version: set to the new version, or with -ESTALE to the version found
 *
 * Return: 0; -ENOENT when the key is absent; -ESTALE when its value is another one;
 * -EBADF when the map is not open for reading and writing; else as kmap_set().
 */
int kmap_set_equal(struct kmap *map, const void *key, size_t key_len,
		   const void *value, size_t value_len, const void *expected,
		   size_t expected_len, unsigned int flags, uint64_t *version);

/**
 * kmap_swap - store a value and get the old one
 * @map: the handle
 * @key: the key
 * @key_len: its length
 * @value: the value; may be NULL when @value_len is 0
 * @value_len: its length
 * @flags: as for kmap_set()
 * @version: as for kmap_set()
 * @out: buffer for the old value; may be NULL when @size is 0
 * @size: size of @out
 * @out_len: set to the length of the old value, also with -EMSGSIZE; or to
 *	KMAP_NO_VALUE if there was none, also with -ENOENT
 *
 * With -EEXIST and -ESTALE @out, @out_len and @version are set from the value found.  So
 * KMAP_CREATE makes this "load or store", and a KMAP_MATCH that fails returns what the
 * next attempt needs.
 *
 * Return: as kmap_set(); -EMSGSIZE when the old value is longer than @size: then
 * nothing was stored.
 */
int kmap_swap(struct kmap *map, const void *key, size_t key_len,
	      const void *value, size_t value_len, unsigned int flags,
	      uint64_t *version, void *out, size_t size, size_t *out_len);

/**
 * kmap_delete - remove a key
 * @map: the handle
 * @key: the key
 * @key_len: its length
 * @flags: 0, or KMAP_MATCH: only if the key is present at *@version
 * @version: in, with KMAP_MATCH (then not NULL): the version to match; out: the
 *	version of the value removed, or with -ESTALE the version found
 *
 * Return: 0; -ENOENT when the key is absent; -ESTALE (KMAP_MATCH).
 */
int kmap_delete(struct kmap *map, const void *key, size_t key_len,
		unsigned int flags, uint64_t *version);

/**
 * kmap_delete_equal - remove a key if its value is as expected
 * @map: the handle
 * @key: the key
 * @key_len: its length
 * @expected: the value that must be there; may be NULL when @expected_len is 0
 * @expected_len: its length
 * @version: set to the version of the value removed, or with -ESTALE to the
 *	version found
 *
 * Return: 0; -ENOENT when the key is absent; -ESTALE when its value is another one;
 * -EBADF when the map is not open for reading and writing.
 */
int kmap_delete_equal(struct kmap *map, const void *key, size_t key_len,
		      const void *expected, size_t expected_len,
		      uint64_t *version);

/**
 * kmap_take - remove a key and get its value
 * @map: the handle
 * @key: the key
 * @key_len: its length
 * @flags: as for kmap_delete()
 * @version: as for kmap_delete()
 * @out: buffer for the value; may be NULL when @size is 0
 * @size: size of @out
 * @out_len: set to the length of the value, also with -EMSGSIZE; or to
 *	KMAP_NO_VALUE with -ENOENT
 *
 * With -ESTALE @out, @out_len and @version are set from the value found.
 *
 * Return: as kmap_delete(); -EMSGSIZE when the value is longer than @size: then
 * nothing was removed.
 */
int kmap_take(struct kmap *map, const void *key, size_t key_len,
	      unsigned int flags, uint64_t *version, void *out, size_t size,
	      size_t *out_len);

/**
 * kmap_add - add to a number
 * @map: the handle
 * @key: the key
 * @key_len: its length
 * @delta: number to add; may be negative
 * @flags: 0, or KMAP_CREATE or KMAP_REPLACE as for kmap_set()
 * @sum: set to the sum
 * @version: set to the new version, or with -EEXIST to the version found
 *
 * A number is a value of 8 bytes, an int64_t in the byte order of the machine, that was
 * stored by this function or with KMAP_NUMBER.  A key that is absent counts as 0 and is
 * created.  No addition is ever lost.
 *
 * Return: 0; -EDOM when the value is not a number; -EBADF when the map is not open for
 * reading and writing, since the sum reveals the value; -ERANGE when the sum would
 * overflow; -EEXIST (KMAP_CREATE); -ENOENT (KMAP_REPLACE); -ENOSPC when the map is full.
 */
int kmap_add(struct kmap *map, const void *key, size_t key_len, int64_t delta,
	     unsigned int flags, int64_t *sum, uint64_t *version);

/**
 * kmap_batch - carry out several operations in order, with few system calls
 * @map: the handle
 * @ops: the operations, with opcodes; see struct kmap_op in <linux/kmap.h>
 * @count: number of operations, without a limit
 * @done: set to how many were carried out, from the first on, also on failure
 *
 * Each operation succeeds or fails by itself, is atomic by itself, and gets its result
 * in its error field; together they are not a transaction.
 *
 * Return: 0 when all were carried out, whatever their results; -EFAULT, -EINTR
 * or another error that stopped the batch.
 */
int kmap_batch(struct kmap *map, struct kmap_op *ops, size_t count,
	       size_t *done);

/**
 * kmap_iter_open - begin a walk over the map
 * @map: the handle, which must stay open until the iterator is closed
 * @flags: KMAP_KEYS_VALUES	values too, not only keys
 *	KMAP_KEYS_ATOMIC	all keys as of one moment within this call, held
 *				in memory; -ENOBUFS when others change too much
 *				meanwhile: try again
 * @it: set to the iterator, or to NULL on failure; must not be NULL itself
 *
 * The order of the keys has no meaning.  Without KMAP_KEYS_ATOMIC others may change the
 * map during the walk: a key that is present all the time is found exactly once, a key
 * that is created or removed meanwhile is found once or not at all.
 *
 * Return: 0; -EBADF when the map is not open for reading; -EINVAL; -ENOMEM;
 * -ENOBUFS.
 */
int kmap_iter_open(struct kmap *map, unsigned int flags, struct kmap_iter **it);

/**
 * kmap_iter_next - go on to the next key of a walk
 * @it: the iterator
 * @pair: set to what was found; must not be NULL.  Its pointers are valid until
 *	the next call with this iterator.
 *
 * Return: 1 when there is a pair, 0 after the last one, or a negative errno value.  After
 * an error, another call tries to go on with the walk.
 */
int kmap_iter_next(struct kmap_iter *it, struct kmap_pair *pair);

/**
 * kmap_iter_close - end a walk
 * @it: the iterator, or NULL
 */
void kmap_iter_close(struct kmap_iter *it);

/**
 * kmap_clear - remove all keys
 * @map: the handle
 * @removed: set to how many were removed, also with -EINTR
 *
 * This removes every key that is present when the call begins, and may remove keys that
 * are set meanwhile.
 *
 * Return: 0; -EBADF when the map is not open for writing; -EINTR.
 */
int kmap_clear(struct kmap *map, uint64_t *removed);

/**
 * kmap_info - get limits, size and statistics of the map
 * @map: the handle
 * @info: filled in; see <linux/kmap.h>
 *
 * Return: 0 or a negative errno value.
 */
int kmap_info(struct kmap *map, struct kmap_info *info);

/**
 * kmap_strerror - describe an error in words
 * @err: what a function of this library returned
 *
 * Return: a string that need not be freed, without a newline, for instance
 * "no such key" for -ENOENT.
 */
const char *kmap_strerror(int err);

#ifdef __cplusplus
#pragma GCC diagnostic pop
}
#endif

#endif /* KMAP_H */
