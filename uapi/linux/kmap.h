/* SPDX-License-Identifier: GPL-2.0-only WITH Linux-syscall-note */
/*
 * kmap: a hash map that the kernel keeps for many processes.
 *
 * This header is the whole ABI of /dev/kmap: the ioctls, their records, and
 * the layout of the window that mmap(2) gives to readers.  Keys and values are
 * byte strings.  There is one map per loaded module, shared by all processes
 * that have the device open.
 *
 * Every ioctl takes one record by pointer.  The size of the record is part of
 * the command (_IOC_SIZE), and records only grow at their end, by a multiple of
 * 8 bytes, so that no size ends within a field: a kernel that gets a shorter
 * record than it knows takes the missing fields as zero, and one that gets a
 * longer record refuses it with E2BIG unless the part it does not know is zero.
 * A zero in a field asks for the behaviour of records without that field.  The
 * layout is the same for 32-bit and 64-bit callers.
 *
 * Units: lengths and sizes are bytes, pointers are user addresses widened to
 * 64 bits, numbers are signed 64-bit in the byte order of the machine.
 *
 * What an error means, whichever call returns it:
 *
 *	ENOENT		the key is absent; nothing changed
 *	EEXIST		the key is present (KMAP_CREATE); nothing changed
 *	ESTALE		the key's version differs (KMAP_MATCH), or its value does
 *			(KMAP_EQUAL); nothing changed
 *	EMSGSIZE	the output buffer is too small; the record says what is
 *			needed; nothing changed
 *	ENAMETOOLONG	the key is longer than the map's max_key
 *	EFBIG		the value, or the one to compare with, is longer than the
 *			map's max_value
 *	ENOSPC		the map is full: max_entries or max_bytes is reached
 *	EXFULL		too many keys share this key's bucket
 *	ENOBUFS		the snapshot (KMAP_KEYS_ATOMIC) fell behind: more was
 *			replaced and removed since its moment than the map keeps
 *			for snapshots; or the map has no memory for more; or there
 *			are as many snapshots as there may be.  Begin again.
 *	EDOM		KMAP_OP_ADD on a value that is no number, or KMAP_NUMBER
 *			with a value that is not 8 bytes long
 *	ERANGE		KMAP_OP_ADD would overflow; nothing changed
 *	EINVAL		unknown flag, opcode or combination of them, empty key,
 *			a field set that this operation does not take, a
 *			reserved field that is not zero, a record shorter than
 *			the first published one, or whose size is no multiple
 *			of 8, a bad cursor
 *	E2BIG		a record longer than known, with a tail that is not zero
 *	EBADF		the file is not open for this: reading needs read
 *			permission, changing needs write permission, and a change
 *			that can tell something of the value that was there
 *			(KMAP_OP_ADD, KMAP_RETURN, KMAP_EQUAL) needs both
 *	EFAULT		a pointer that cannot be read or written
 *	ENOTTY		unknown ioctl
 *	ENOMEM		no memory, or the caller's memory cgroup is full
 *	EINTR		a signal came that ends the process; the call goes on after
 *			one that is handled, blocked or ignored
 *
 * An operation that fails changes nothing, with one exception that no kernel
 * can avoid: when the caller itself takes the output memory away while the
 * call runs, the call may return EFAULT after the change was made.
 */
#ifndef _UAPI_LINUX_KMAP_H
#define _UAPI_LINUX_KMAP_H

#include <linux/ioctl.h>
#include <linux/types.h>

/* Version of this ABI, as INFO reports it in kmap_info.abi. */
#define KMAP_ABI		1

/* Largest limits; the module's parameters may set lower ones. */
#define KMAP_KEY_MAX		1024u		/* bytes, at least 1 */
#define KMAP_VALUE_MAX		1048576u	/* bytes, can be 0 */

/*
 * One operation.
 *
 * KMAP_OP_GET: copy the value of @key to @out.  Sets out_len to the length of
 *	the value, out_flags to what it is and version to its version, all as of
 *	one moment; sets number to the value if that is a number, else to 0.
 *	Takes no flags.  When the value is longer than out_size, GET fails with
 *	EMSGSIZE, and sets out_len, out_flags and version; so out_size 0 asks
 *	for these alone.
 *
 * KMAP_OP_SET: store @value under @key.  Sets version to the new version.
 *	KMAP_CREATE	only if absent, else EEXIST
 *	KMAP_REPLACE	only if present, else ENOENT
 *	KMAP_MATCH	only if present at @version, else ESTALE (ENOENT if absent)
 *	KMAP_EQUAL	only if present with the value @expected (see struct
 *			kmap_op_ext), else ESTALE (ENOENT if absent); a number
 *			is compared by its 8 bytes
 *	KMAP_RETURN	copy the value that was there to @out; out_len is its
 *			length, or KMAP_ABSENT if there was none, and out_flags
 *			what it was
 *	KMAP_NUMBER	the value is a number, as KMAP_OP_ADD wants it: 8 bytes,
 *			else EDOM
 *	At most one of CREATE, REPLACE, MATCH and EQUAL.  On EEXIST and ESTALE
 *	version is set to the version found, and with KMAP_RETURN @out, out_len
 *	and out_flags tell the value found: SET | CREATE | RETURN is
 *	load-or-store, SET | RETURN is swap, and a failed SET | MATCH | RETURN
 *	returns what the next attempt needs.
 *
 * KMAP_OP_DELETE: remove @key, or ENOENT.  Sets version to that of the value
 *	removed.  KMAP_MATCH, KMAP_EQUAL and KMAP_RETURN are as above.
 *
 * KMAP_OP_ADD: add @number to the number stored under @key; a key that is
 *	absent counts as 0 and is created as a number.  A value that was not
 *	stored as a number (by ADD, or by SET with KMAP_NUMBER) is EDOM, even
 *	when it is 8 bytes long.  Sets number to the sum and version to the new
 *	version.  KMAP_CREATE and KMAP_REPLACE are as above.  ADD is atomic: no
 *	addition is ever lost.  The file must be open for reading too, since
 *	sum and ERANGE tell the value.
 *
 * Versions are larger than 0 and below 2^56, and a key never has the same version
 * twice, not even when it was deleted and created again in between.  They start
 * from the time of day at which the module was loaded, in steps of 128 ns since
 * 1970, and go up by 1 with each change of the key's shard; a shard changes less
 * often than that clock ticks.  So a version that was noted before the module was
 * reloaded does not occur again, unless the clock was set back in between.
 */
enum kmap_opcode {
	KMAP_OP_GET	= 1,
	KMAP_OP_SET	= 2,
	KMAP_OP_DELETE	= 3,
	KMAP_OP_ADD	= 4
};

#define KMAP_CREATE	(1u << 0)
#define KMAP_REPLACE	(1u << 1)
#define KMAP_MATCH	(1u << 2)
#define KMAP_RETURN	(1u << 3)
#define KMAP_EQUAL	(1u << 4)
#define KMAP_NUMBER	(1u << 5)

/* out_len when there was no value to return. */
#define KMAP_ABSENT	0xffffffffu

/*
 * What a value is: out_flags of an operation, flags of a record of a walk, and
 * bits 56 to 63 of an entry's version word in the window.  Later versions of the
 * ABI may add bits.
 */
#define KMAP_IS_NUMBER	(1u << 0)	/* a number, which ADD can change */

/**
 * struct kmap_op - one operation on one key
 * @opcode: enum kmap_opcode; outside of a batch, 0 or the operation of the ioctl
 * @flags: KMAP_CREATE and so on, as far as the operation takes them
 * @key: pointer to the key
 * @value: pointer to the value (SET), else 0
 * @out: pointer to the buffer for a value that is returned (GET, or with
 *	KMAP_RETURN), else 0
 * @key_len: length of the key, 1 to max_key
 * @value_len: length of the value (SET), 0 to max_value, else 0
 * @out_size: size of the buffer at @out (GET, or with KMAP_RETURN), else 0
 * @ttl: reserved, 0
 * @version: in: the version to match; out: see the operation
 * @number: in: what to add; out: see the operation
 * @out_len: out: length of the value that is returned or did not fit
 * @out_flags: out: KMAP_IS_NUMBER, of that value
 * @error: out: 0 or a negative errno value; what the ioctl returns, or in a
 *	batch, the result of this record
 *
 * An ioctl that fails leaves the outputs as they were, except for those that
 * the operations above name with EMSGSIZE, EEXIST and ESTALE; then @error is
 * set too.
 */
struct kmap_op {
	__u32		opcode;
	__u32		flags;
	__aligned_u64	key;
	__aligned_u64	value;
	__aligned_u64	out;
	__u32		key_len;
	__u32		value_len;
	__u32		out_size;
	__u32		ttl;
	__aligned_u64	version;
	__s64		number;
	__u32		out_len;
	__u16		out_flags;
	__s16		error;
};

/**
 * struct kmap_op_ext - struct kmap_op, and fields that few operations need
 * @op: the operation
 * @expected: pointer to the value to compare with (KMAP_EQUAL), else 0
 * @expected_len: length of that value, else 0
 * @reserved: 0
 * @deadline: reserved, 0
 * @stale: reserved, 0
 * @lease: reserved, 0
 *
 * Each ioctl of an operation takes either record, and so does a batch, by its
 * op_size.  In the shorter record the missing fields count as 0: KMAP_EQUAL there
 * compares with the empty value.
 */
struct kmap_op_ext {
	struct kmap_op	op;
	__aligned_u64	expected;
	__u32		expected_len;
	__u32		reserved;
	__aligned_u64	deadline;
	__aligned_u64	stale;
	__aligned_u64	lease;
};

/* Most records in one batch. */
#define KMAP_BATCH_MAX	65536u

/**
 * struct kmap_batch - several operations in one call, in order
 * @ops: pointer to an array of records
 * @count: how many, at most KMAP_BATCH_MAX; 0 does nothing
 * @op_size: size of one record in the array: sizeof(struct kmap_op), or
 *	sizeof(struct kmap_op_ext); it may grow as records of ioctls do
 * @flags: reserved, 0
 * @done: out: number of records that were carried out, from the first on
 *
 * Each record is an operation by itself: it succeeds or fails alone, is atomic
 * alone, and has its result in its error field.  The ioctl itself returns 0
 * when all records were carried out, whatever their results.  It fails with
 * EFAULT when a record cannot be read or written, and with EINTR on a signal that
 * ends the process; @done is set then as well, and the records from there on were
 * not carried out.
 *
 * A record and its key may be read before the records in front of it are carried
 * out, so memory that one record writes to must not hold another record or its
 * key.
 */
struct kmap_batch {
	__aligned_u64	ops;
	__u32		count;
	__u32		op_size;
	__u32		flags;
	__u32		done;
};

#define KMAP_KEYS_VALUES	(1u << 0)	/* values too */
#define KMAP_KEYS_ATOMIC	(1u << 1)	/* all, as of one moment */

/* The cursor after the last key. */
#define KMAP_KEYS_END	(~0ull)

/**
 * struct kmap_keys - walk over the keys
 * @buf: pointer to the buffer for the records (struct kmap_item)
 * @size: size of the buffer
 * @flags: KMAP_KEYS_VALUES, KMAP_KEYS_ATOMIC
 * @reserved: 0
 * @cursor: in: 0 to begin, then what the last call set; out: where to go on,
 *	or KMAP_KEYS_END after the last key.  Opaque.
 * @used: out: bytes filled; with EMSGSIZE: size that is needed to go on
 * @count: out: number of records filled
 * @reserved2: 0
 *
 * Fills the buffer with as many records as fit, in an order that has no
 * meaning.  A key that is present for the whole walk is returned exactly once,
 * and no key is returned twice, while others insert and delete and the table
 * grows and shrinks.  A key that comes or goes during the walk may be returned or not.
 * Every value is of the same moment as its version.
 *
 * A call can fill no record and still not be at the end; a walk is over when
 * the cursor is KMAP_KEYS_END, and a call with that cursor fills none.
 *
 * With KMAP_KEYS_ATOMIC @cursor must be 0, and one call returns everything as of
 * one moment within the call, or fails with EMSGSIZE, with @used exact for that
 * moment.  It makes nobody wait.  What others replace and remove meanwhile is kept
 * until it has been read, within a bound of a quarter of max_bytes (at least 256 KiB
 * and four of the largest entries) for all snapshots of the map; past that the
 * oldest snapshot fails with ENOBUFS, or past three eighths while what was kept for
 * another is still being freed.  64 snapshots can be taken at a time; one more
 * ends the oldest of the user who has most, or is refused if that is the caller.
 * The buffer is filled during the call: after an error its contents mean nothing.
 */
struct kmap_keys {
	__aligned_u64	buf;
	__aligned_u64	size;
	__u32		flags;
	__u32		reserved;
	__aligned_u64	cursor;
	__aligned_u64	used;
	__u32		count;
	__u32		reserved2;
};

/**
 * struct kmap_item - one key of a walk
 * @key_len: length of the key
 * @flags: what the value is: KMAP_IS_NUMBER
 * @value_len: length of the value, even when values were not asked for
 * @version: version of the value
 * @data: the key, then the value if asked for, then up to 7 zero bytes
 *
 * The next record begins KMAP_ITEM_SIZE(key_len, n) bytes further on, where n is
 * the number of value bytes in this record; the distance is a multiple of 8.
 */
struct kmap_item {
	__u16		key_len;
	__u16		flags;
	__u32		value_len;
	__aligned_u64	version;
	/* __u8 data[] */
};

#define KMAP_ITEM_SIZE(key_len, value_len) \
	((sizeof(struct kmap_item) + (__u64)(key_len) + (value_len) + 7) & \
	 ~(__u64)7)

/**
 * struct kmap_clear - remove all keys
 * @flags: reserved, 0
 * @reserved: 0
 * @removed: out: number of keys that were removed
 *
 * Removes every key that is present when the call begins, and may remove keys
 * that are set while it runs; it does not hold up others.  On EINTR some keys
 * have been removed, and @removed says how many.
 */
struct kmap_clear {
	__u32		flags;
	__u32		reserved;
	__aligned_u64	removed;
};

/**
 * struct kmap_info - limits, size and statistics of the map
 * @flags: reserved, 0 (in)
 * @abi: KMAP_ABI of the kernel side
 * @lock: name of the lock mode, zero-terminated: spinlock, rwsem or rcu
 * @shards: number of shards
 * @max_key: longest key
 * @max_value: longest value
 * @max_chain: most keys that can share one bucket before EXFULL
 * @max_entries: most entries
 * @max_bytes: most bytes that entries may take
 * @entries: entries now
 * @bytes: bytes that entries take now: keys, values, headers, rounding, and
 *	KMAP_ENTRY_SHARE bytes of the table for each entry
 * @memory: bytes of kernel memory that the map holds in all
 * @deferred: bytes of removed entries that wait until no reader uses them
 * @deferred_max: bound of @deferred
 * @buckets: buckets now, without overflow buckets
 * @overflow: overflow buckets in use now
 * @gets: GET operations
 * @hits: GET operations that found their key
 * @sets: SET operations that stored a value
 * @deletes: DELETE operations that removed a key
 * @adds: ADD operations that stored a sum
 * @walks: KEYS calls
 * @retries: lookups that had to start over because a writer interfered
 * @waits: operations that waited because @deferred had reached its bound
 * @window: size of the window for mmap(2), or 0 when there is none
 * @slabs: bytes of memory that is set aside for entries of one size or another
 * @reusable: bytes of memory for entries that hold none and can be used at once: free
 *	places in slabs, and memory that waits to be given back to the kernel
 * @tables: bytes of buckets, and of what finds them
 * @kept: bytes of removed entries that snapshots still need, with their records
 * @compacted: bytes of entries that were moved so far, to empty slabs that had few
 * @given_back: bytes of memory that were given back to the kernel so far
 *
 * @memory is what @bytes takes without its share of the table, @reusable, @tables,
 * @deferred and @kept, and what is needed to find and share all that.
 *
 * The counts are summed over shards and CPUs without stopping anyone: each is
 * exact when nothing changes the map.  Lookups in the window are not counted.  A
 * shorter record is filled as far as it goes, the rest of a longer one is zeroed.
 */
struct kmap_info {
	__u32		flags;
	__u32		abi;
	char		lock[16];
	__u32		shards;
	__u32		max_key;
	__u32		max_value;
	__u32		max_chain;
	__aligned_u64	max_entries;
	__aligned_u64	max_bytes;
	__aligned_u64	entries;
	__aligned_u64	bytes;
	__aligned_u64	memory;
	__aligned_u64	deferred;
	__aligned_u64	deferred_max;
	__aligned_u64	buckets;
	__aligned_u64	overflow;
	__aligned_u64	gets;
	__aligned_u64	hits;
	__aligned_u64	sets;
	__aligned_u64	deletes;
	__aligned_u64	adds;
	__aligned_u64	walks;
	__aligned_u64	retries;
	__aligned_u64	waits;
	__aligned_u64	window;
	__aligned_u64	slabs;
	__aligned_u64	reusable;
	__aligned_u64	tables;
	__aligned_u64	kept;
	__aligned_u64	compacted;
	__aligned_u64	given_back;
};

/* The kernel's list, ioctl-number.rst, has no other user of 0xBC as of Linux 7.2. */
#define KMAP_IOC_MAGIC	0xBC

#define KMAP_IOC_GET	_IOWR(KMAP_IOC_MAGIC, 0x01, struct kmap_op)
#define KMAP_IOC_SET	_IOWR(KMAP_IOC_MAGIC, 0x02, struct kmap_op)
#define KMAP_IOC_DELETE	_IOWR(KMAP_IOC_MAGIC, 0x03, struct kmap_op)
#define KMAP_IOC_ADD	_IOWR(KMAP_IOC_MAGIC, 0x04, struct kmap_op)
#define KMAP_IOC_BATCH	_IOWR(KMAP_IOC_MAGIC, 0x05, struct kmap_batch)
#define KMAP_IOC_KEYS	_IOWR(KMAP_IOC_MAGIC, 0x06, struct kmap_keys)
#define KMAP_IOC_CLEAR	_IOWR(KMAP_IOC_MAGIC, 0x07, struct kmap_clear)
#define KMAP_IOC_INFO	_IOWR(KMAP_IOC_MAGIC, 0x08, struct kmap_info)

/* The same with the longer record. */
#define KMAP_IOC_GET_EXT	_IOWR(KMAP_IOC_MAGIC, 0x01, struct kmap_op_ext)
#define KMAP_IOC_SET_EXT	_IOWR(KMAP_IOC_MAGIC, 0x02, struct kmap_op_ext)
#define KMAP_IOC_DELETE_EXT	_IOWR(KMAP_IOC_MAGIC, 0x03, struct kmap_op_ext)
#define KMAP_IOC_ADD_EXT	_IOWR(KMAP_IOC_MAGIC, 0x04, struct kmap_op_ext)

/*
 * The window
 * ==========
 *
 * The window is the memory that lookups need, laid out so that a process can map
 * it read-only and look keys up without a system call.
 *
 * mmap(2) with PROT_READ and MAP_SHARED maps all of it, kmap_info.window bytes,
 * or any part.  It fails with:
 *
 *	EACCES		the file is not open for reading, or PROT_WRITE or PROT_EXEC
 *			is asked for; mprotect(2) refuses these later as well
 *	EINVAL		MAP_PRIVATE, or a part that reaches beyond the window
 *	ENODEV		this module has no window, kmap_info.window is 0
 *	ENOMEM		the process has too few free addresses: the window is as large
 *			as the map can ever get, for the entries more than twice
 *			max_bytes (32 GiB at most), and the table besides.  A 32-bit
 *			program, or one under RLIMIT_AS, may have to use ioctls only.
 *
 * A mapping stays when the file is closed, and keeps the map and the module.  A
 * child inherits it at fork(2).  It can be cut and moved, but not grown.
 *
 * The window has memory only where the map uses some, and reads as zeros elsewhere.
 * Memory comes and goes; while it comes, a mapping may show zeros in its place for a
 * moment longer.  The memory may hold values that are not in the map:
 * removed ones until it is used again or given back (or wiped, with the module parameter
 * wipe), and those of a SET that is under way or failed.
 *
 * All fields are in the byte order of the machine.
 *
 *	0		struct kmap_window
 *	shard_offset	struct kmap_shard, one for each shard
 *	bucket_offset	struct kmap_bucket, numbered from 0: home buckets, in which
 *			those of all shards take turns, then overflow buckets
 *	entry_offset	the entries
 *
 * The word features in struct kmap_window says what a reader has to know.  A reader
 * that does not know one of its bits, or its hash, must not use the window and asks
 * with KMAP_IOC_GET.
 *
 * Looking up a key:
 *
 *  1. hash = the key's hash under hash_key, of the kind that features names.
 *     KMAP_WINDOW_HSIPHASH is SipHash-1-3 with a 128-bit key, the 64-bit result
 *     cut to its low 32 bits.
 *  2. The shard is hash & (shards - 1).
 *  3. e = end of the shard's descriptor (load-acquire), m = the largest power of
 *     two that is not larger than e; b = hash & (2 * m - 1); when b >= e, b -= m.
 *     The home bucket is bucket b.
 *  4. s = seq of the home bucket (load-acquire).  If it is odd, a writer is at
 *     work, or the shard has this bucket no longer: go to 3.  If it is 0, this is
 *     no bucket but a hole: go to 3.
 *  5. For the home bucket and each bucket that link leads to, at most
 *     max_chain / KMAP_BUCKET_SLOTS of them in all (when the mark of one that link
 *     leads to is not KMAP_BUCKET_OVERFLOW, it is a hole: go to 3): each slot whose tag is
 *     hash >> 16 and whose ref is not 0 may be the key's.  The entry is at
 *     entry_offset + 8 * ref.  Read lens, and after a load barrier hash.  When lens
 *     is 0, this mapping shows zeros in place of the entry: go to 3.  When hash and
 *     key length are the key's: a load barrier, then seq of the home bucket; when it
 *     is no longer s, go to 3.  Then stale of struct kmap_window (load-acquire): when
 *     it is not 0, and header, key and value are not all within the same 4096 bytes,
 *     the mapping may show zeros in place of the rest: go to 3.  Only then compare
 *     the key.
 *  6. Found: copy the version word and the value; KMAP_ENTRY_VERSION() of the
 *     word is the version.  Copy a value that KMAP_ENTRY_FLAGS() calls a number
 *     by one 64-bit load.  In either case: a load barrier, then read seq of the
 *     home bucket again; when it is no longer s, all that was read is invalid:
 *     go to 3.
 *  7. Not found: read end again; if that leads to another home bucket, go
 *     to 3.  Otherwise the key is absent.
 *
 * While a writer is at work, what is read may be old.  An old link or ref leads to
 * what was a bucket or an entry once, so that the bucket, or the header of the
 * entry, can be read.  But the memory may hold something else by now, and lens any
 * number: therefore step 5 checks seq.  A reader that does not trust the window, for
 * instance because it is a copy, also checks each offset against its bounds.
 *
 * A reader that had to go to 3 many times should give up and ask with KMAP_IOC_GET.
 * A read in either way sees what this thread wrote or read before in the other way.
 *
 * A test vector for the hash: with the bytes 00, 01 ... 0f as hash_key, that is the
 * words 0x0706050403020100 and 0x0f0e0d0c0b0a0908, the key of the 16 bytes 00, 01
 * ... 0f has the hash 0x7d908b66.
 */
#define KMAP_WINDOW_MAGIC	0x31574f444e49574bull	/* "KWINDOW1" */
#define KMAP_BUCKET_SLOTS	8

/* Bits 0 to 7 of features: the kind of hash. */
#define KMAP_WINDOW_HASH	0xffull
#define KMAP_WINDOW_HSIPHASH	0x01ull

/**
 * struct kmap_window - begin of the window; constant while it is mapped, but for stale
 * @magic: KMAP_WINDOW_MAGIC
 * @size: size of the window
 * @features: what a reader must know to use the window: the kind of hash,
 *	KMAP_WINDOW_HSIPHASH; no other bit has a meaning yet
 * @hash_key: key of the hash, two 64-bit words
 * @shards: number of shards, a power of two
 * @shard_bits: its logarithm to base 2
 * @max_chain: most slots in a chain of buckets
 * @stale: not 0 while a mapping may show zeros where there are entries
 * @shard_offset: offset of the first struct kmap_shard
 * @bucket_offset: offset of bucket 0
 * @bucket_size: size of the area of buckets
 * @entry_offset: offset that refs count from
 * @entry_size: size of the entry area
 */
struct kmap_window {
	__aligned_u64	magic;
	__aligned_u64	size;
	__aligned_u64	features;
	__aligned_u64	hash_key[2];
	__u32		shards;
	__u32		shard_bits;
	__u32		max_chain;
	__u32		stale;
	__aligned_u64	shard_offset;
	__aligned_u64	bucket_offset;
	__aligned_u64	bucket_size;
	__aligned_u64	entry_offset;
	__aligned_u64	entry_size;
};

/**
 * struct kmap_shard - what a reader needs to know of a shard
 * @end: the shard's home buckets are those with a number below this that is the
 *	shard's, modulo the number of shards; grows and shrinks with the map
 * @reserved: 0
 */
struct kmap_shard {
	__u32		end;
	__u32		reserved[15];
};

#define KMAP_BUCKET_OVERFLOW	1u

/**
 * struct kmap_bucket - one cache line of the table
 * @seq: of a home bucket: changed before and after each change to its chain
 *	or to an entry in it, odd in between, and while the shard does not have
 *	the bucket; never 0, and only grows.  A 32-bit reader can use the low half.
 * @link: number of the next bucket of the chain, or 0
 * @mark: KMAP_BUCKET_OVERFLOW in an overflow bucket, 0 in a home bucket
 * @tags: eight 16-bit tags, the upper halves of the entries' hashes; slot i in
 *	bits 16 * (i % 4) and up of tags[i / 4]
 * @refs: eight references to entries, in units of 8 bytes from entry_offset;
 *	0 in a free slot
 */
struct kmap_bucket {
	__aligned_u64	seq;
	__u32		link;
	__u32		mark;
	__aligned_u64	tags[2];
	__u32		refs[KMAP_BUCKET_SLOTS];
};

/**
 * struct kmap_entry - header of an entry; 8-byte aligned
 * @hash: hash of the key
 * @lens: bits 0 to 10 length of the key, bits 11 to 31 length of the value
 * @version: the version word: bits 0 to 55 version of the value, bits 56 to 63
 *	what the value is, KMAP_IS_NUMBER; to be read by KMAP_ENTRY_VERSION() and
 *	KMAP_ENTRY_FLAGS() only
 *
 * The key follows the header, and the value follows at the next multiple of 8.
 * An entry in use does not change, except for the version and the value of a
 * number, which KMAP_OP_ADD changes in place with one 64-bit store each, within
 * one change of the home bucket's seq.
 */
struct kmap_entry {
	__u32		hash;
	__u32		lens;
	__aligned_u64	version;
	/* __u8 key[], value[] */
};

#define KMAP_ENTRY_KEY_LEN(lens)	((lens) & 0x7ffu)
#define KMAP_ENTRY_VALUE_LEN(lens)	((lens) >> 11)
#define KMAP_ENTRY_LENS(key_len, value_len) \
	((__u32)(key_len) | (__u32)(value_len) << 11)
#define KMAP_ENTRY_VALUE(key_len) \
	((sizeof(struct kmap_entry) + (key_len) + 7u) & ~7u)
#define KMAP_ENTRY_SIZE(key_len, value_len) \
	((KMAP_ENTRY_VALUE(key_len) + (value_len) + 7u) & ~7u)
/* What an entry counts for its part of the table: a quarter of a bucket. */
#define KMAP_ENTRY_SHARE	16u
#define KMAP_VERSION_MASK	0x00ffffffffffffffull
#define KMAP_VERSION_BITS	56
#define KMAP_ENTRY_VERSION(word)	((word) & KMAP_VERSION_MASK)
#define KMAP_ENTRY_FLAGS(word)	((__u32)((word) >> KMAP_VERSION_BITS))

#endif /* _UAPI_LINUX_KMAP_H */
