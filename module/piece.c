// SPDX-License-Identifier: GPL-2.0-only
/*
 * Long values are copied and compared in pieces of up to SHMAP_PIECE bytes.
 *
 * A lock is held, or a read-side critical section lasts, for one piece only, since
 * preemption is off meanwhile and writers wait: a value of 1 MiB would take too long.
 * Between pieces nothing keeps the value, so the key is looked up again for each piece.
 * No two values of a key have the same version, so as long as the version is the same,
 * the value is too.
 */
#include <linux/minmax.h>
#include <linux/sched.h>

#include "piece.h"
#include "read.h"

/**
 * struct piece - a part of a value that is copied or compared
 * @hash: hash of the key
 * @key: the key
 * @key_len: length of the key
 * @version: version that the value must have; to compare, 0 takes any version and is
 *	set to it
 * @to: buffer that the part is copied to
 * @with: bytes that the part is compared with
 * @from: offset of the part in the value
 * @len: length of the part
 * @value_len: to compare: length that the whole value must have
 */
struct piece {
	u32			hash;
	const void		*key;
	u32			key_len;
	u64			version;
	void			*to;
	const void		*with;
	u32			from;
	u32			len;
	u32			value_len;
};

/* Copy or compare a piece: 0, -EAGAIN, -ESTALE if the key has another version, -EBADMSG. */
static __always_inline int
part_once(struct shmap_map *map, struct shmap_shard *shard,
	  struct piece *piece, bool locked, const bool compares)
{
	const struct kmap_entry *entry;
	struct shmap_probe probe;
	struct shmap_seen seen;
	const void *from;

	lockdep_assert(map->config.lock->read_held(&shard->lock));
	shmap_table_aim(&shard->table, piece->hash, &probe);
	if (!shmap_read_key(&shard->table, &probe, piece->key, piece->key_len,
			    locked, &seen, &entry))
		return -EAGAIN;
	if (!entry)
		return -ESTALE;
	if (compares && !piece->version &&
	    KMAP_ENTRY_VALUE_LEN(seen.lens) == piece->value_len)
		piece->version = KMAP_ENTRY_VERSION(seen.word);
	if (KMAP_ENTRY_VERSION(seen.word) != piece->version)
		return -ESTALE;
	from = shmap_entry_value(entry) + piece->from;
	if (compares)
		return memcmp(piece->with, from, piece->len) ? -EBADMSG : 0;
	memcpy(piece->to, from, piece->len);
	return 0;
}

static int copy_once(struct shmap_map *map, struct shmap_shard *shard,
		     void *piece, bool locked)
{
	return part_once(map, shard, piece, locked, false);
}

/* Compare a piece; -EBADMSG when it differs. */
static int compare_once(struct shmap_map *map, struct shmap_shard *shard,
			void *piece, bool locked)
{
	return part_once(map, shard, piece, locked, true);
}

/**
 * shmap_piece_copy - copy a long value in pieces
 * @map: the map
 * @hash: hash of the key
 * @key: the key
 * @key_len: length of the key
 * @version: version of the entry that was seen
 * @to: buffer for the value
 * @len: length of the value
 *
 * The lock or the read-side critical section is left after each piece of SHMAP_PIECE
 * bytes.  No two values of a key have the same version, so all pieces are of one value.
 *
 * Context: may sleep.
 * Return: 0, or -EAGAIN when the key no longer has that version.
 */
int shmap_piece_copy(struct shmap_map *map, u32 hash, const void *key,
		     u32 key_len, u64 version, void *to, u32 len)
{
	struct shmap_shard *shard = shmap_map_shard(map, hash);
	struct piece piece = {
		.hash = hash, .key = key, .key_len = key_len,
		.version = version,
	};

	for (; piece.from < len; piece.from += piece.len) {
		piece.to = to + piece.from;
		piece.len = min(len - piece.from, SHMAP_PIECE);
		if (shmap_read_run(map, shard, copy_once, &piece))
			return -EAGAIN;
		cond_resched();
	}
	return 0;
}

/**
 * shmap_piece_compare - compare a long value in pieces
 * @map: the map
 * @hash: hash of the key
 * @key: the key
 * @key_len: length of the key
 * @expected: value to compare with
 * @len: length of @expected
 * @equal: set to whether the values are the same
 *
 * Context: may sleep.
 * Return: the version of the value that was compared, or 0 when the key is absent, its
 * value has another length, or it was changed meanwhile.
 */
u64 shmap_piece_compare(struct shmap_map *map, u32 hash, const void *key,
			u32 key_len, const void *expected, u32 len,
			bool *equal)
{
	struct shmap_shard *shard = shmap_map_shard(map, hash);
	struct piece piece = {
		.hash = hash, .key = key, .key_len = key_len,
		.value_len = len,
	};
	int ret = 0;

	for (; !ret && piece.from < len; piece.from += piece.len) {
		piece.with = expected + piece.from;
		piece.len = min(len - piece.from, SHMAP_PIECE);
		ret = shmap_read_run(map, shard, compare_once, &piece);
		cond_resched();
	}
	*equal = !ret;
	return ret == -ESTALE ? 0 : piece.version;
}
