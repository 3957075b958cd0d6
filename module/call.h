/* SPDX-License-Identifier: GPL-2.0-only */
/* Who calls, what for, and whether it is allowed. */
#ifndef SHMAP_CALL_H
#define SHMAP_CALL_H

#include <linux/kmap.h>

#include "map_types.h"
#include "request.h"

/* What a file may be open for. */
#define SHMAP_MAY_READ	0x1u
#define SHMAP_MAY_WRITE	0x2u

/**
 * struct shmap_file - an open file
 * @map: the map; the file has a reference
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
 * @cmd: the ioctl, with the size of the record that @fast takes
 * @least: end of the last field of the first published record
 * @size: end of the last field that is known
 * @outputs: offset of the first output
 * @outputs_end: end of the last one; all in between is output
 * @rights: what the file must be open for, whatever the record says
 * @changes: it changes something, so find out before whether the outputs can be
 *	written
 * @run: carries it out; takes the record in kernel memory, and writes its outputs
 *	there
 * @fast: the same, straight from and to the user, for records of just one size, and
 *	for who has @rights; NULL where @run is fast enough
 *
 * Of operations on one key:
 *
 * @on_key: the map's function
 * @flags: that a record may have
 * @brings: a record brings a value
 * @returns: a record gets a value back without KMAP_RETURN
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
} __aligned(64);	/* so that a shift finds it */

/**
 * struct shmap_call - an operation that somebody calls
 * @file: by which file
 * @op: which
 * @reply: out: an error whose record tells more, so write the outputs
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
 * @flags: of the record, KMAP_RETURN and so on; 0 for an operation without them
 *
 * This alone decides.  Who may not read learns nothing of a value, neither by
 * getting it back nor by comparing.
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
