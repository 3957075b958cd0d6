/* SPDX-License-Identifier: GPL-2.0-only */
/* How all reads in a shard are done; see read.c. */
#ifndef SHMAP_READ_H
#define SHMAP_READ_H

#include <linux/sched.h>

#include "entry.h"
#include "map_types.h"
#include "table_inline.h"

/* A reader that writers have disturbed this many times takes the lock. */
#define SHMAP_TRIES		16

/* Most bytes of a value that are copied or compared at a time. */
#define SHMAP_PIECE		16384u

/**
 * struct shmap_seen - what a reader saw of an entry
 * @word: its version word, with the flags
 * @number: its value if that is a number, else 0
 * @lens: lengths of its key and value
 */
struct shmap_seen {
	u64	word;
	s64	number;
	u32	lens;
};

/*
 * One attempt to read something in a shard.  It returns -EAGAIN when a writer disturbed
 * it, which does not happen when @locked says that writers are excluded.
 */
typedef int shmap_read_once_t(struct shmap_map *map, struct shmap_shard *shard,
			      void *arg, bool locked);

bool shmap_read_peek_again(struct shmap_map *map,
			   const struct shmap_table *table, u32 hash,
			   const void *key, u32 key_len,
			   struct shmap_seen *seen,
			   const struct kmap_entry **found);

/**
 * shmap_read_see - read the state of an entry at this moment
 * @entry: an entry that was found in the table, or that a snapshot needs
 * @seen: filled in
 *
 * Every reader in the kernel calls this, except that a walk copies entries without flags
 * itself: see write_fast() in walk.c.  Without a lock, @seen is of one moment only if the
 * seq of the home bucket has not changed since.
 *
 * Context: reader or writer.
 * Return: true; callers treat false as an entry that readers must not see.
 */
static __always_inline bool shmap_read_see(const struct kmap_entry *entry,
					   struct shmap_seen *seen)
{
	seen->lens = entry->lens;
	shmap_entry_state(entry, &seen->word, &seen->number);
	return true;
}

/**
 * shmap_read_stable - was all that was read of one moment?
 * @table: the table
 * @probe: from shmap_table_begin()
 * @locked: writers were excluded
 *
 * Context: reader or writer.
 * Return: false when a writer disturbed it.
 */
static __always_inline bool shmap_read_stable(const struct shmap_table *table,
					      const struct shmap_probe *probe,
					      bool locked)
{
	return locked || likely(shmap_table_stable(table, probe));
}

/**
 * shmap_read_key - one attempt to look a key up
 * @table: the shard's table
 * @probe: from shmap_table_aim() for the key's hash
 * @key: the key
 * @key_len: its length
 * @locked: writers are excluded
 * @seen: filled in when the key is present
 * @found: set to the entry, or NULL when the key is absent
 *
 * The entry stays as it is, except its version and number, until the read-side critical
 * section ends or the shard is unlocked.
 *
 * Context: reader or writer.
 * Return: false when a writer disturbed it.
 */
static __always_inline bool
shmap_read_key(const struct shmap_table *table, struct shmap_probe *probe,
	       const void *key, u32 key_len, bool locked,
	       struct shmap_seen *seen, const struct kmap_entry **found)
{
	const struct kmap_entry *entry;

	if (!shmap_table_open(probe))
		return false;
	entry = shmap_table_find(table, probe, key, key_len, NULL);
	if (likely(entry && shmap_read_see(entry, seen))) {
		*found = entry;
		return locked || shmap_table_same(probe);
	}
	*found = NULL;
	return shmap_read_stable(table, probe, locked);
}

/**
 * shmap_read_peek - look a key up without a lock
 * @map: the map; its readers take no lock
 * @table: the shard's table
 * @probe: from shmap_table_aim() for the key's hash
 * @key: the key
 * @key_len: its length
 * @seen: filled in when the key is present
 * @found: set to the entry, or NULL when the key is absent
 *
 * Of the map's counters, this adds only to that of retries.
 *
 * Context: in an RCU read-side critical section.
 * Return: false when writers disturbed SHMAP_TRIES attempts; use shmap_read_run() then.
 */
static __always_inline bool
shmap_read_peek(struct shmap_map *map, const struct shmap_table *table,
		struct shmap_probe *probe, const void *key, u32 key_len,
		struct shmap_seen *seen, const struct kmap_entry **found)
{
	struct shmap_seen again __uninitialized;
	const struct kmap_entry *entry;
	bool done;

	lockdep_assert(map->config.lock->read_held(table->lock));
	if (likely(shmap_read_key(table, probe, key, key_len, false, seen,
				  found)))
		return true;
	/* Not into @seen and @found, which would have to be in memory then. */
	done = shmap_read_peek_again(map, table, probe->hash, key, key_len,
				     &again, &entry);
	*seen = again;
	*found = entry;
	return done;
}

/**
 * shmap_read_run - read in a shard, and repeat attempts that a writer disturbed
 * @map: the map
 * @shard: the shard
 * @once: one attempt
 * @arg: argument of @once
 *
 * After SHMAP_TRIES attempts that were disturbed, this takes the lock as a writer.
 *
 * Context: may sleep.
 * Return: what @once returned.
 */
static __always_inline int
shmap_read_run(struct shmap_map *map, struct shmap_shard *shard,
	       shmap_read_once_t *once, void *arg)
{
	const struct shmap_lock_ops *lock = map->config.lock;
	unsigned int try;
	int ret;

	for (try = 0;; try++) {
		if (lock->lockless_reads && try == SHMAP_TRIES) {
			shmap_lock_write_enter(lock, &shard->lock);
			ret = once(map, shard, arg, true);
			shmap_lock_write_leave(lock, &shard->lock);
			return ret;
		}
		shmap_lock_read_enter(lock, &shard->lock);
		ret = once(map, shard, arg, !lock->lockless_reads);
		shmap_lock_read_leave(lock, &shard->lock);
		if (ret != -EAGAIN)
			return ret;
		shmap_map_count(map, SHMAP_RETRIES);
		cpu_relax();
	}
}

#endif /* SHMAP_READ_H */
