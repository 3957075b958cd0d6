// SPDX-License-Identifier: GPL-2.0-only
/*
 * Long values in pieces.
 *
 * No lock is held, and no read-side critical section lasts, for longer than a piece
 * of SHMAP_PIECE bytes takes to copy: with 1 MiB, writers would wait too long, and
 * where the CPU can be taken away meanwhile, for ever.  Between pieces nothing keeps
 * the value, so the key is looked up again for each.  While its version is the
 * same, so is its value: no two values of a key have the same version.
 */
#include <linux/minmax.h>
#include <linux/sched.h>

#include "piece.h"
#include "read.h"

/**
 * struct piece - a part of a value that is copied, or compared
 * @hash: of the key
 * @key: the key
 * @key_len: its length
 * @version: that the value must have; 0: whichever it has, which is set
 * @to: where the part goes
 * @with: what it is compared with
 * @from: where it begins in the value
 * @len: its length
 * @value_len: length of the whole value, to compare
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

/* Do something with a part of a value: 0, or -ESTALE when the key has another. */
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

/* The same, or -EBADMSG when it is different. */
static int compare_once(struct shmap_map *map, struct shmap_shard *shard,
			void *piece, bool locked)
{
	return part_once(map, shard, piece, locked, true);
}

/**
 * shmap_piece_copy - copy a long value, in pieces
 * @map: the map
 * @hash: of the key
 * @key: the key
 * @key_len: its length
 * @version: of the entry that was seen
 * @to: where to
 * @len: length of its value
 *
 * Each piece is a hold of its own, for SHMAP_PIECE bytes at most.  No two values
 * of a key have the same version, so all pieces are of one value.
 *
 * Context: may sleep.
 * Return: 0, or -EAGAIN when the key does not have that entry any more.
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
 * shmap_piece_compare - compare a long value, in pieces
 * @map: the map
 * @hash: of the key
 * @key: the key
 * @key_len: its length
 * @expected: what to compare it with
 * @len: length of that
 * @equal: set to whether it is the same
 *
 * Context: may sleep.
 * Return: the version of the value that was compared, or 0 when the key has none of
 * this length, or did not keep it.
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
