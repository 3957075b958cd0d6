/* SPDX-License-Identifier: MIT */
/*
 * libkmap: use the kernel's shared map, /dev/kmap, from a program.
 *
 * The map stores byte strings under byte strings, for all processes that have
 * the device open.  One function here is one operation, and an operation is
 * atomic: it happens as a whole or not at all, whoever is killed meanwhile.
 *
 * Results.  Functions return 0, or a count where they say so, or a negative
 * errno value; errno itself is not part of the interface.  kmap_strerror()
 * puts a negative errno value in words.  What each value means is in the table
 * at the top of <linux/kmap.h>; a function below names those that a program is
 * likely to act on.  A function that fails leaves its results alone, unless it
 * says otherwise.  Every pointer to a result may be NULL.
 *
 * Units.  All lengths and sizes are bytes.  A key has 1 to max_key bytes, a
 * value 0 to max_value, any bytes in both; kmap_info() tells the limits.
 *
 * Versions.  Each value has a version larger than 0, and a key never has the
 * same version twice, not even when it was deleted and created again.
 *
 * Threads.  Any number of threads may use one handle at the same time, also
 * after fork() in the child, but an iterator belongs to one thread at a time,
 * and nobody may use what somebody closes.
 *
 * The flags KMAP_CREATE, KMAP_REPLACE, KMAP_MATCH, KMAP_RETURN,
 * KMAP_KEYS_VALUES and KMAP_KEYS_ATOMIC, and struct kmap_op and struct
 * kmap_info, come from <linux/kmap.h>.
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

/* What kmap_open() opens when it is not told and $KMAP_DEVICE is not set. */
#define KMAP_DEVICE	"/dev/kmap"

/* Flags of kmap_open(): at most one of RDONLY and WRONLY. */
#define KMAP_RDWR	0u
#define KMAP_RDONLY	1u	/* get, walk, info */
#define KMAP_WRONLY	2u	/* set, delete, clear, info; no value out */
#define KMAP_NO_WINDOW	4u	/* look up with system calls only */
#define KMAP_WINDOW	8u	/* map a window of any size, also for 32 bits */

/* Length of a value that was not there, see kmap_swap(). */
#define KMAP_NO_VALUE	((size_t)-1)

/* A pointer as the fields of struct kmap_op want it. */
#define KMAP_PTR(pointer)	((__u64)(uintptr_t)(pointer))

/* An open map. */
struct kmap;

/* A walk over an open map. */
struct kmap_iter;

/**
 * struct kmap_pair - what a walk finds
 * @key: the key; not zero-terminated
 * @key_len: length of the key
 * @value: the value, or NULL when the walk is over keys only; not
 *	zero-terminated
 * @value_len: length of the value, also when the walk is over keys only
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
 * @map: set to the handle, or to NULL on failure
 * @path: the device; NULL for $KMAP_DEVICE, or /dev/kmap if that is not set
 * @flags: KMAP_RDWR, KMAP_RDONLY or KMAP_WRONLY, and KMAP_NO_WINDOW or
 *	KMAP_WINDOW, see kmap_window()
 *
 * The file descriptor is closed by execve().  A program with more rights than
 * its caller (set-user-ID and the like) is not led by $KMAP_DEVICE.
 *
 * Return: 0; -ENODEV when there is no such device, that is, the module is not
 * loaded; -EMEDIUMTYPE when there is something else than a kmap; -EACCES; -EINVAL
 * for unknown flags, or flags that do not go together; -ENOMEM; what open(2) says.
 */
int kmap_open(struct kmap **map, const char *path, unsigned int flags);

/**
 * kmap_open_fd - use a file descriptor of the device that is already open
 * @map: set to the handle, or to NULL on failure
 * @fd: the descriptor, for instance one that came over a socket
 * @flags: as for kmap_open(); but what may be done is what @fd was opened for
 *
 * On success @fd belongs to the handle, and kmap_close() closes it.  On failure
 * it is left to the caller.
 *
 * Return: 0; -EBADF when @fd is not open; -EMEDIUMTYPE when it is something else
 * than a kmap; -EINVAL for flags as above; -ENOMEM.
 */
int kmap_open_fd(struct kmap **map, int fd, unsigned int flags);

/**
 * kmap_close - close the map
 * @map: the handle, or NULL
 *
 * Its iterators must have been closed before.  What the map holds stays.
 */
void kmap_close(struct kmap *map);

/**
 * kmap_fd - the file descriptor of an open map
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
 * kmap_open() and kmap_open_fd() map the kernel's table for reading, unless told
 * not to by KMAP_NO_WINDOW, or the map is not open for reading, or it cannot be
 * done.  Where it is not done, everything works as well, with system calls;
 * kmap_window_error() tells why.
 *
 * The window takes addresses, at least twice as many as the map may have bytes.  A
 * 32-bit program gives it at most KMAP_WINDOW_MAX_32 of its own, unless
 * KMAP_WINDOW allows more; a 64-bit program has enough of them.
 *
 * Return: bytes that are mapped for that, or 0.
 */
size_t kmap_window(const struct kmap *map);

/* Largest window that a 32-bit program maps unasked. */
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
 *	-EOVERFLOW	it takes more addresses than a 32-bit program gives unasked
 *	-ENOMEM		there are no such addresses, or RLIMIT_AS forbids them
 *	-EAGAIN		mlockall(2) with MCL_FUTURE is in force, and RLIMIT_MEMLOCK
 *			forbids so much
 *	-EACCES		the program has the personality READ_IMPLIES_EXEC, and the
 *			window cannot be executed
 * or what else mmap(2) says.
 */
int kmap_window_error(const struct kmap *map);

/**
 * kmap_get - look a key up
 * @map: the handle
 * @key: the key
 * @key_len: its length
 * @buf: where the value goes; may be NULL when @size is 0
 * @size: room at @buf
 * @len: set to the length of the value, also with -EMSGSIZE
 * @version: set to the version of that value, also with -EMSGSIZE
 *
 * Value, length and version are of one moment.  On failure too @buf may have been
 * written to.  @key and @buf must be memory that can be used: only a system call
 * could say -EFAULT.
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
 * A number is what kmap_add() made, or kmap_set() with KMAP_NUMBER.
 *
 * Return: 0; -ENOENT when the key is absent; -EDOM when its value is no number; -EBADF
 * when the map is not open for reading.
 */
int kmap_get_number(struct kmap *map, const void *key, size_t key_len,
		    int64_t *number, uint64_t *version);

/**
 * kmap_get_alloc - look a key up, into memory of the right size
 * @map: the handle
 * @key: the key
 * @key_len: its length
 * @value: set to the value, which the caller hands to free(), or to NULL on
 *	failure; must not be NULL itself
 * @len: set to the length of the value
 * @version: set to the version of that value
 *
 * The value is followed by a zero byte that does not count, and is memory of
 * its own also when it is empty.  A value that grows meanwhile is followed up.
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
 * @version: in with KMAP_MATCH (then not NULL): the version to match; out: the
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
 * kmap_set_equal - store a value if the one that is there is the expected one
 * @map: the handle
 * @key: the key
 * @key_len: its length
 * @value: the value; may be NULL when @value_len is 0
 * @value_len: its length
 * @expected: the value that must be there; may be NULL when @expected_len is 0
 * @expected_len: its length
 * @flags: 0 or KMAP_NUMBER, which is about @value
 * @version: set to the new version, or with -ESTALE to the version found
 *
 * Return: 0; -ENOENT when the key is absent; -ESTALE when its value is another one;
 * -EBADF when the map is not open for reading and writing; else as kmap_set().
 */
int kmap_set_equal(struct kmap *map, const void *key, size_t key_len,
		   const void *value, size_t value_len, const void *expected,
		   size_t expected_len, unsigned int flags, uint64_t *version);

/**
 * kmap_swap - store a value and get the one that was there
 * @map: the handle
 * @key: the key
 * @key_len: its length
 * @value: the value; may be NULL when @value_len is 0
 * @value_len: its length
 * @flags: as for kmap_set()
 * @version: as for kmap_set()
 * @out: where the value that was there goes; may be NULL when @size is 0
 * @size: room at @out
 * @out_len: set to the length of the value that was there, or to KMAP_NO_VALUE
 *	if there was none, also with -ENOENT; with -EMSGSIZE to the room that
 *	is needed
 *
 * With -EEXIST and -ESTALE @out, @out_len and @version tell the value found, so
 * that KMAP_CREATE here means "load or store", and a KMAP_MATCH that fails
 * brings what the next try needs.
 *
 * Return: as kmap_set(); -EMSGSIZE when the value that was there is longer than
 * @size, and then nothing was stored.
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
 * @version: in with KMAP_MATCH (then not NULL): the version to match; out: the
 *	version of the value removed, or with -ESTALE the version found
 *
 * Return: 0; -ENOENT when the key is absent; -ESTALE (KMAP_MATCH).
 */
int kmap_delete(struct kmap *map, const void *key, size_t key_len,
		unsigned int flags, uint64_t *version);

/**
 * kmap_delete_equal - remove a key if its value is the expected one
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
 * @out: where the value goes; may be NULL when @size is 0
 * @size: room at @out
 * @out_len: set to the length of the value, or to KMAP_NO_VALUE with -ENOENT;
 *	with -EMSGSIZE to the room that is needed
 *
 * With -ESTALE @out, @out_len and @version tell the value found.
 *
 * Return: as kmap_delete(); -EMSGSIZE when the value is longer than @size, and
 * then nothing was removed.
 */
int kmap_take(struct kmap *map, const void *key, size_t key_len,
	      unsigned int flags, uint64_t *version, void *out, size_t size,
	      size_t *out_len);

/**
 * kmap_add - add to a number
 * @map: the handle
 * @key: the key
 * @key_len: its length
 * @delta: what to add, may be negative
 * @flags: 0, or KMAP_CREATE or KMAP_REPLACE as for kmap_set()
 * @sum: set to the sum
 * @version: set to the new version, or with -EEXIST to the version found
 *
 * A number is a value of 8 bytes, an int64_t in the byte order of the machine, that
 * was stored as one: here, or by kmap_set() with KMAP_NUMBER.  A key that is absent
 * counts as 0 and is created.  No addition is ever lost.
 *
 * Return: 0; -EDOM when the value is no number; -EBADF when the map is not open for
 * reading and writing, since the sum tells the value; -ERANGE when the sum would
 * overflow; -EEXIST, -ENOENT by @flags; -ENOSPC when the map is full.
 */
int kmap_add(struct kmap *map, const void *key, size_t key_len, int64_t delta,
	     unsigned int flags, int64_t *sum, uint64_t *version);

/**
 * kmap_batch - several operations with few system calls, in order
 * @map: the handle
 * @ops: the operations, with opcodes; see struct kmap_op in <linux/kmap.h>
 * @count: how many, as many as you like
 * @done: set to how many were carried out, from the first on, in any case
 *
 * Each operation succeeds or fails alone, is atomic alone, and has its result
 * in its error field; they are not one transaction.
 *
 * Return: 0 when all were carried out, whatever their results; -EFAULT, -EINTR
 * or what else stopped the rest.
 */
int kmap_batch(struct kmap *map, struct kmap_op *ops, size_t count,
	       size_t *done);

/**
 * kmap_iter_open - begin a walk over the map
 * @map: the handle, which must stay open meanwhile
 * @flags: KMAP_KEYS_VALUES	values too, not only keys
 *	KMAP_KEYS_ATOMIC	everything as of one moment within this call,
 *				held in memory; -ENOBUFS when others change too
 *				much meanwhile: try again
 * @it: set to the iterator, or to NULL on failure; must not be NULL itself
 *
 * The order has no meaning.  Without KMAP_KEYS_ATOMIC: a key that is present
 * for the whole walk is found exactly once, and no key twice, while others
 * change the map; a key that comes or goes meanwhile may be found or not.
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
 * Return: 1 when there is a pair, 0 after the last one, or a negative errno
 * value; after one of those the walk can be tried on.
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
 * Removes every key that is present when the call begins, and may remove keys
 * set meanwhile.
 *
 * Return: 0; -EBADF when the map is not open for writing.
 */
int kmap_clear(struct kmap *map, uint64_t *removed);

/**
 * kmap_info - limits, size and statistics of the map
 * @map: the handle
 * @info: filled in; see <linux/kmap.h>
 *
 * Return: 0 or a negative errno value.
 */
int kmap_info(struct kmap *map, struct kmap_info *info);

/**
 * kmap_strerror - an error in words
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
