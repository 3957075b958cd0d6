// SPDX-License-Identifier: GPL-2.0-only
/*
 * How all reads in a shard are done: GET, long values in pieces, and walks.
 *
 *	enter		enter a read-side critical section, or take the lock as a reader
 *	begin		find the home bucket, and read its seq
 *	find, see	look for the entry, and read what can change in place
 *	check		is seq the same?  If nothing was found: is the home bucket, too?
 *	again		if not, begin again; after SHMAP_TRIES attempts, with the lock
 *
 * The check is left out where readers exclude writers.  The rest of an entry is
 * immutable and outlives the read-side critical section, so it can be copied after
 * the check.
 */
#include "read.h"

/**
 * shmap_read_peek_again - repeat an attempt that a writer disturbed
 * @map: as shmap_read_peek()
 * @table: as shmap_read_peek()
 * @hash: hash of the key
 * @key: as shmap_read_peek()
 * @key_len: as shmap_read_peek()
 * @seen: as shmap_read_peek()
 * @found: as shmap_read_peek()
 *
 * Context: in an RCU read-side critical section.
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
