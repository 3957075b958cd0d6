/* SPDX-License-Identifier: GPL-2.0-only */
/* Operations on one key; see key.c. */
#ifndef SHMAP_KEY_H
#define SHMAP_KEY_H

#include <linux/err.h>

#include "table_inline.h"
#include "map.h"

/**
 * struct shmap_fresh - an entry that is not in the map yet
 * @entry: the entry, or NULL
 * @ref: reference to it
 * @bytes: its size
 */
struct shmap_fresh {
	struct kmap_entry	*entry;
	u32			ref;
	u32			bytes;
};

/**
 * struct shmap_request - one operation on kernel memory
 * @key: the key
 * @key_len: its length, 1 to max_key
 * @hash: of the key, from shmap_key_hash()
 * @flags: KMAP_CREATE and so on; checked by the caller
 * @expected: value to compare with (KMAP_EQUAL)
 * @expected_len: its length
 * @version: in: to match; out: as struct kmap_op says
 * @number: in: to add; out: as struct kmap_op says
 * @out: buffer for a value that comes back
 * @out_room: size of the buffer
 * @out_size: longest value that the user can take
 * @out_len: out: length of the value, or KMAP_ABSENT
 * @out_flags: out: what the value is, KMAP_IS_NUMBER
 * @whole: for key.c: copy, or compare, even a long value at once
 * @compared: for key.c: version of the long value that was compared, or 0
 * @equal: for key.c: that value is the expected one
 * @fresh: entry that SET puts in the map, with key and value
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
	bool			whole;
	bool			equal;
	u64			compared;
	struct shmap_fresh	fresh;
};

u32 shmap_key_hash(const struct shmap_map *map, const void *key, u32 key_len);
int shmap_key_prepare(struct shmap_map *map, struct shmap_request *rq,
		      u32 value_len, u32 value_flags);
void shmap_key_discard(struct shmap_map *map, struct shmap_request *rq);
int shmap_key_get(struct shmap_map *map, struct shmap_request *rq);
int shmap_key_set(struct shmap_map *map, struct shmap_request *rq);
int shmap_key_delete(struct shmap_map *map, struct shmap_request *rq);
int shmap_key_add(struct shmap_map *map, struct shmap_request *rq);

/**
 * struct shmap_seen - what shmap_key_peek() saw of an entry
 * @word: its version word
 * @number: its value if that is a number, else 0
 * @lens: lengths of its key and value
 */
struct shmap_seen {
	u64	word;
	s64	number;
	u32	lens;
};

const struct kmap_entry *
shmap_key_peek_again(struct shmap_map *map, const struct shmap_table *table,
		     u32 hash, const void *key, u32 key_len,
		     struct shmap_seen *seen);

/**
 * shmap_key_peek - look a key up without a lock
 * @map: the map; its readers take no lock
 * @table: the shard's
 * @probe: from shmap_table_aim() for the key's hash
 * @key: the key
 * @key_len: its length
 * @seen: filled in when the key is there
 *
 * The entry stays what it is, but for version and number, until
 * the read-side critical section ends.  This counts nothing but retries.
 *
 * Context: under rcu_read_lock() or rcu_read_lock_sched().
 * Return: the entry, NULL when the key is absent, or ERR_PTR(-EAGAIN) when
 * writers disturb so often that shmap_key_get() has to be asked.
 */
static __always_inline const struct kmap_entry *
shmap_key_peek(struct shmap_map *map, const struct shmap_table *table,
	       struct shmap_probe *probe, const void *key, u32 key_len,
	       struct shmap_seen *seen)
{
	const struct kmap_entry *entry;
	struct shmap_seen again __uninitialized;

	lockdep_assert(map->config.lock->read_held(table->lock));
	if (shmap_table_open(probe)) {
		entry = shmap_table_find(table, probe, key, key_len, NULL);
		if (likely(entry)) {
			seen->lens = entry->lens;
			shmap_entry_state(entry, &seen->word, &seen->number);
			if (shmap_table_same(probe))
				return entry;
		} else if (shmap_table_stable(table, probe)) {
			return NULL;
		}
	}
	/* Not into @seen, which would have to be in memory. */
	entry = shmap_key_peek_again(map, table, probe->hash, key, key_len,
				     &again);
	*seen = again;
	return entry;
}

#endif /* SHMAP_KEY_H */
