/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What the tests of kmap share: the ioctls as plain calls, a walk, values that
 * can be checked, and loading of the module.
 *
 * Nothing here goes through libkmap, and nothing here asserts: every function
 * that can fail returns a negative errno value, so that a test can expect it.
 * Pointers to results may be NULL.  Lengths are in bytes.
 */
#ifndef KMAP_TEST_H
#define KMAP_TEST_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include <linux/kmap.h>

#include "kselftest.h"

#define KT_DEVICE	"/dev/kmap"
#define KT_POISON	0xa5

/* Length that stands for no value. */
#define KT_NONE		((size_t)-1)

/* Converts a pointer for a field of a record. */
static inline __u64 kt_ptr(const void *p)
{
	return (__u64)(uintptr_t)p;
}

/*
 * @count divided by KT_LESS of the environment, which slow machines set, but at least
 * @least.  For sizes that only cost time.
 */
__u64 kt_less(__u64 count, __u64 least);

/* Opens the device with flags of open(2); a descriptor or a negative errno value. */
int kt_open(int flags);

/* Calls ioctl(2) once; returns 0 or a negative errno value. */
int kt_ioctl(int fd, unsigned long cmd, void *arg);

/*
 * The operations.  kt_get() sets @len to the value's length on -EMSGSIZE, too.
 * @version of kt_set() and kt_del() is the version to match (with KMAP_MATCH), and
 * afterwards what the kernel left there, whether the call failed or not.
 */
int kt_get(int fd, const void *key, size_t key_len, void *out, size_t size,
	   size_t *len, __u64 *version);
int kt_set(int fd, const void *key, size_t key_len, const void *value,
	   size_t value_len, unsigned int flags, __u64 *version);
int kt_del(int fd, const void *key, size_t key_len, unsigned int flags,
	   __u64 *version);
int kt_add(int fd, const void *key, size_t key_len, __s64 delta,
	   unsigned int flags, __s64 *sum, __u64 *version);

/* kt_set() and kt_del() with KMAP_RETURN; @out_len is KT_NONE if none was returned. */
int kt_swap(int fd, const void *key, size_t key_len, const void *value,
	    size_t value_len, unsigned int flags, __u64 *version, void *out,
	    size_t size, size_t *out_len);
int kt_take(int fd, const void *key, size_t key_len, unsigned int flags,
	    __u64 *version, void *out, size_t size, size_t *out_len);

int kt_batch(int fd, struct kmap_op *ops, __u32 count, __u32 *done);
int kt_clear(int fd, __u64 *removed);
int kt_info(int fd, struct kmap_info *info);

/* Entries in the map, or a negative errno. */
__s64 kt_entries(int fd);

/* Records for batches, and for tests that then change one field. */
void kt_op_get(struct kmap_op *op, const void *key, size_t key_len, void *out,
	       size_t size);
void kt_op_set(struct kmap_op *op, const void *key, size_t key_len,
	       const void *value, size_t value_len, unsigned int flags);
void kt_op_del(struct kmap_op *op, const void *key, size_t key_len,
	       unsigned int flags);
void kt_op_add(struct kmap_op *op, const void *key, size_t key_len,
	       __s64 delta, unsigned int flags);

/* One key of a walk; @value is NULL unless values were asked for. */
struct kt_item {
	const void *key;
	const void *value;
	__u32 key_len;
	__u32 value_len;
	__u64 version;
	__u16 flags;
};

/**
 * struct kt_walk - a walk over the keys
 * @fd: the device
 * @flags: KMAP_KEYS_VALUES, KMAP_KEYS_ATOMIC
 * @cursor: cursor for the next call
 * @buf: buffer of the last call
 * @size: its size
 * @used: bytes filled
 * @pos: offset of the next item
 * @count: items of the last call that kt_walk_next() has not returned yet
 * @calls: ioctls made so far
 */
struct kt_walk {
	int fd;
	__u32 flags;
	__u64 cursor;
	__u8 *buf;
	size_t size;
	size_t used;
	size_t pos;
	__u32 count;
	unsigned long calls;
};

/*
 * kt_walk_next() returns 1 with an item, whose pointers are valid until the next
 * call, 0 at the end, or a negative errno value.  The buffer grows when the kernel
 * asks for a larger one.  -EPROTO stands for records that exceed the buffer, have
 * padding that is not zero, or do not add up to the count.
 */
int kt_walk_begin(struct kt_walk *walk, int fd, __u32 flags, size_t size);
int kt_walk_next(struct kt_walk *walk, struct kt_item *item);
void kt_walk_end(struct kt_walk *walk);

/* Counts the keys by a walk; a count or a negative errno. */
__s64 kt_walk_count(int fd);

/* The whole map, values and versions, as of one moment. */
struct kt_snapshot {
	__u8 *buf;
	size_t used;
	__u32 count;
};

int kt_snapshot_take(int fd, struct kt_snapshot *snapshot);
void kt_snapshot_drop(struct kt_snapshot *snapshot);

/* Does the map have the same entries and versions as the snapshot? */
bool kt_snapshot_same(int fd, const struct kt_snapshot *before);

/*
 * Values that depend on their key: 8 bytes of @seed, 8 bytes of a checksum over
 * key, length and seed, then bytes that follow from the checksum.  A value shorter
 * than 16 bytes has only the latter, and they follow from key and length.
 */
void kt_value_fill(void *value, size_t len, const void *key, size_t key_len,
		   __u64 seed);
bool kt_value_check(const void *value, size_t len, const void *key,
		    size_t key_len, __u64 *seed);

/* A 64-bit hash of @len bytes; the next number of a random sequence. */
__u64 kt_hash(const void *data, size_t len, __u64 seed);
__u64 kt_random(__u64 *state);

/*
 * Numbered keys, at least 8 bytes long, many of them in a call: kt_fill()
 * sets keys first to first + count - 1 to values that kt_value_check() knows
 * (seed is the number), kt_verify() gets and checks them, kt_remove() deletes
 * them.  They stop after the batch with the first record that fails and return
 * its error (-EBADMSG for a wrong value); @done counts the records that did not
 * fail.
 */
void kt_key(void *key, size_t len, __u64 id);
__u64 kt_key_id(const void *key);
int kt_fill(int fd, __u64 first, __u64 count, size_t key_len, size_t value_len,
	    __u64 *done);
int kt_verify(int fd, __u64 first, __u64 count, size_t key_len,
	      size_t value_len, __u64 *done);
int kt_remove(int fd, __u64 first, __u64 count, size_t key_len, __u64 *done);

/*
 * The module.  kt_load() takes exactly these parameters; kt_reload() unloads
 * what is loaded and loads it again with $KMAP_LOCK and $KMAP_SHARDS before
 * the parameters given ("max_entries=10 max_bytes=…", as for printf).  The file
 * is $KMAP_KO; if that is not set, modprobe finds it.
 */
int kt_load(const char *params);
int kt_unload(void);
int kt_reload(const char *fmt, ...) __printf(1, 2);
bool kt_loaded(void);

/* Value of a module parameter as sysfs shows it, without the newline. */
int kt_param(const char *name, char *buf, size_t size);

/* A line of /proc/meminfo in bytes, or a negative errno. */
__s64 kt_meminfo(const char *name);

/*
 * The kernel log from now on: kt_log_lines() counts the lines since
 * kt_log_open() that contain @text, and copies the last of them to @line.
 */
int kt_log_open(void);
int kt_log_lines(int log, const char *text, char *line, size_t size);

#endif /* KMAP_TEST_H */
