/* SPDX-License-Identifier: GPL-2.0-only */
/* One operation on one key, with key and values in kernel memory. */
#ifndef SHMAP_REQUEST_H
#define SHMAP_REQUEST_H

#include "read.h"
#include "shard_inline.h"

/**
 * struct shmap_request - one operation, with key and values in kernel memory
 * @key: the key
 * @key_len: its length, 1 to max_key
 * @hash: hash of the key, as shmap_key_hash() computes it
 * @flags: KMAP_CREATE and so on; checked by the caller
 * @expected: value to compare with (KMAP_EQUAL)
 * @expected_len: its length
 * @version: in: version to match; out: as struct kmap_op says
 * @number: in: number to add; out: as struct kmap_op says
 * @out: buffer for a value that is returned
 * @out_room: size of @out
 * @out_size: size of the user's buffer
 * @out_len: out: length of the value, or KMAP_ABSENT
 * @out_flags: out: what the value is, KMAP_IS_NUMBER
 * @fresh: entry that SET publishes, with key and value
 * @match: used by key.c only, as all fields that follow: the original @version
 * @whole: copy or compare even a long value at once
 * @equal: the long value that was compared is the expected one
 * @refused: result of the operation once the long value has been copied
 * @starts: how many times it started over because a value changed meanwhile
 * @wants: block of buckets that the table needs
 * @compared: version of the long value that was compared, or 0
 * @record: record to keep an entry that a snapshot needs; NULL, or ERR_PTR() when there is
 *	no memory for one
 */
struct shmap_request {
	const void		*key;
	u32			key_len;
	u32			hash;
	u32			flags;
	const void		*expected;
	u32			expected_len;
	u64			version;
	s64			number;
	void			*out;
	u32			out_room;
	u32			out_size;
	u32			out_len;
	u32			out_flags;
	struct shmap_fresh	fresh;
	u64			match;
	bool			whole;
	bool			equal;
	int			refused;
	u32			starts;
	u32			wants;
	u64			compared;
	struct shmap_kept	*record;
};

/**
 * shmap_request_pending - is the value that is returned still to be copied?
 * @rq: the request
 *
 * Context: any.
 * Return: true for a long value that was not copied together with the lookup.
 */
static inline bool shmap_request_pending(const struct shmap_request *rq)
{
	return unlikely(rq->out_len != KMAP_ABSENT &&
			rq->out_len > SHMAP_PIECE && !rq->whole);
}

#endif /* SHMAP_REQUEST_H */
