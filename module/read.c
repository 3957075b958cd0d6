// SPDX-License-Identifier: GPL-2.0-only
/*
 * The one way to read in a shard: GET, long values in pieces, and walks.
 *
 *	enter		a read-side critical section, or the lock as a reader
 *	begin		find the home bucket, and take its seq
 *	find, see	look for the entry, and take what can change in place
 *	check		is seq the same?  And if nothing was found, the home bucket?
 *	again		if not, from the beginning; after SHMAP_TRIES times with the lock
 *
 * Where readers shut writers out, the check is left off.  The rest of an entry is
 * immutable and outlives the read-side critical section, so it can be copied after
 * the check.
 */
#include "read.h"

/**
 * shmap_read_peek_again - go on trying
 * @map: as shmap_read_peek()
 * @table: as shmap_read_peek()
 * @hash: of the key
 * @key: as shmap_read_peek()
 * @key_len: as shmap_read_peek()
 * @seen: as shmap_read_peek()
 * @found: as shmap_read_peek()
 *
 * Context: in a read-side critical section of RCU.
 * Return: as shmap_read_peek().
 */
bool shmap_read_peek_again(struct shmap_map *map,
			   const struct shmap_table *table, u32 hash,
			   const void *key, u32 key_len,
			   struct shmap_seen *seen,
			   const struct kmap_entry **found)
{
	struct shmap_probe probe;
	unsigned int try;

	for (try = 1; try < SHMAP_TRIES; try++) {
		shmap_map_count(map, SHMAP_RETRIES);
		cpu_relax();
		shmap_table_aim(table, hash, &probe);
		if (shmap_read_key(table, &probe, key, key_len, false, seen,
				   found))
			return true;
	}
	return false;
}
