/* SPDX-License-Identifier: GPL-2.0-only */
/* A call: the open file, its rights, the operation, and whether the file allows it. */
#ifndef SHMAP_CALL_H
#define SHMAP_CALL_H

#include <linux/kmap.h>

#include "map_types.h"
#include "request.h"

/* Rights of an open file. */
#define SHMAP_MAY_READ	0x1u
#define SHMAP_MAY_WRITE	0x2u

/**
 * struct shmap_file - an open file
 * @map: the map; the file holds a reference
 * @rights: SHMAP_MAY_*
 *
 * Constant while the file is open.
 */
struct shmap_file {
	struct shmap_map	*map;
	u32			rights;
};

struct shmap_call;

/**
 * struct shmap_op - one operation: a row of the table in ops.c
 * @cmd: number of the ioctl, with the size of the record that @fast takes
 * @least: end of the last field of the record as it was first published
 * @size: end of the last field that this version knows
 * @outputs: offset of the first output
 * @outputs_end: end of the last output; all fields between the two are outputs
 * @rights: rights that the file must have, whatever the flags of the record are
 * @changes: the operation changes something, so it is found out before whether the
 *	outputs can be written
 * @run: carries out the operation on a record in kernel memory, and writes the outputs
 *	there
 * @fast: the same with a record in user memory, only for records of the size in @cmd
 *	and for files that have @rights; NULL where @run is fast enough
 *
 * Only for operations on one key:
 *
 * @on_key: the function in key.c
 * @flags: flags that a record may have
 * @brings: the caller passes a value with the record
 * @returns: the caller gets a value back even without KMAP_RETURN
 */
struct shmap_op {
	unsigned int	cmd;
	u16		least;
	u16		size;
	u16		outputs;
	u16		outputs_end;
	u32		rights;
	bool		changes;
	bool		brings;
	bool		returns;
	u32		flags;
	long		(*fast)(const struct shmap_op *op,
				const struct shmap_file *file,
				struct kmap_op __user *user);
	int		(*run)(struct shmap_call *call, void *record);
	int		(*on_key)(struct shmap_map *map,
				  struct shmap_request *rq);
} __aligned(64);	/* so that an index is turned into an address by a shift */

/**
 * struct shmap_call - one call of an operation
 * @file: the open file
 * @op: the operation
 * @reply: out: write the outputs even if the call fails, since they tell more
 */
struct shmap_call {
	const struct shmap_file	*file;
	const struct shmap_op	*op;
	bool			reply;
};

/**
 * shmap_call_allowed - may a file be used for an operation?
 * @file: the file
 * @op: the operation
 * @flags: flags of the record (KMAP_RETURN and so on), or 0 if the operation has none
 *
 * All rights to operations are checked here.  A caller that may not read learns
 * nothing about a value: it can neither get the value back nor compare it.
 *
 * Context: any.
 * Return: true if so.
 */
static __always_inline bool shmap_call_allowed(const struct shmap_file *file,
					       const struct shmap_op *op,
					       u32 flags)
{
	u32 need = op->rights;

	if (flags & (KMAP_RETURN | KMAP_EQUAL))
		need |= SHMAP_MAY_READ;
	return !(need & ~file->rights);
}

#endif /* SHMAP_CALL_H */
