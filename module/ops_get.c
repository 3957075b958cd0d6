// SPDX-License-Identifier: GPL-2.0-only
/*
 * The fast path of lookups where readers take no lock: a short key, and a short value
 * that can be written without a page fault.
 *
 * A reader without a lock does not hold up writers, so the value is copied straight
 * from the entry to the user, with page faults off.  A lookup that does not qualify is
 * left to ops_one.c, which begins again with the record; nothing has been written yet.
 *
 * Lookups of a batch are carried out in groups: all records and keys of a group are
 * read and hashed and their home buckets prefetched, then the keys are looked up, so
 * that the cache misses overlap.
 */
#include <linux/prefetch.h>
#include <linux/rcupdate.h>

#include "ops_get.h"
#include "ops_one.h"
#include "read.h"
#include "user.h"

/* Longest key that the fast path takes, in bytes. */
#define LOOKUP_KEY	64u

/* Most lookups in a group. */
#define GROUP		8u

/**
 * struct lookup - one lookup of a group
 * @out: as in the record
 * @out_size: as in the record
 * @key_len: as in the record
 * @table: the table of the key's shard
 * @probe: where the key would be
 *
 * The key itself is not here, so that the compiler can keep these in registers.
 */
struct lookup {
	void __user		*out;
	u32			out_size;
	u32			key_len;
	const struct shmap_table *table;
	struct shmap_probe	probe;
};

/* Buffer for a key, in words. */
struct short_key {
	u64	word[LOOKUP_KEY / 8];
};

/* Result of a lookup. */
enum outcome {
	UNUSUAL,	/* not carried out; nothing was written */
	ABSENT,
	FOUND,		/* the value is written, the outputs are not */
	LATE,		/* the value is in struct room, still to be written */
};

/* Buffer for a value that could not be written without a page fault. */
struct room {
	u64	value[SHMAP_USER_SHORT / 8];
};

/* Longest key that is taken here: one that is too long for the map is not. */
static __always_inline u32 longest_key(const struct shmap_map *map)
{
	return min(map->config.max_key, LOOKUP_KEY);
}

/*
 * Read the key of a record, hash it and aim at its chain; false if it is no usual lookup.
 * @longest is what longest_key() returns, once for all lookups of a group.
 */
static __always_inline bool take(struct shmap_map *map, u32 longest, struct lookup *at,
				 struct short_key *key,
				 const struct shmap_user_inputs *in)
{
	u32 hash;

	/* No value, no value_len, no ttl. */
	if (in->value | in->room >> 32 || in->lens - 1 >= longest ||
	    shmap_user_read_key(key, u64_to_user_ptr(in->key), in->lens))
		return false;
	at->key_len = in->lens;
	at->out = u64_to_user_ptr(in->out);
	at->out_size = in->room;
	hash = shmap_hash(&map->hash_init, key, at->key_len);
	at->table = &shmap_map_shard(map, hash)->table;
	shmap_table_aim(at->table, hash, &at->probe);
	return true;
}

/* Look the key up and write its value; page faults are off. */
static __always_inline enum outcome look(struct shmap_map *map,
					 struct lookup *at,
					 const struct short_key *key,
					 struct shmap_seen *seen,
					 struct room *room)
{
	const struct kmap_entry *entry;
	const void *value;
	u32 len;
	int ret;

	if (unlikely(!shmap_read_peek(map, at->table, &at->probe, key,
				      at->key_len, seen, &entry)))
		return UNUSUAL;
	if (!entry)
		return ABSENT;
	/* A number is copied from @seen: the one in the entry may change. */
	len = KMAP_ENTRY_VALUE_LEN(seen->lens);
	value = (const void *)entry + KMAP_ENTRY_VALUE(at->key_len);
	if (unlikely(len > at->out_size || len > SHMAP_USER_SHORT))
		return UNUSUAL;
	if (unlikely(shmap_entry_is_number(seen->word)))
		ret = shmap_user_write_number_now(at->out, seen->number);
	else
		ret = shmap_user_write_now(at->out, value, len);
	if (likely(!ret))
		return FOUND;
	if (shmap_entry_is_number(seen->word))
		room->value[0] = seen->number;
	else
		memcpy(room->value, value, len);
	return LATE;
}

static __always_inline int tell(struct kmap_op __user *user,
				const struct shmap_seen *seen)
{
	return shmap_user_write_outputs(user, KMAP_ENTRY_VERSION(seen->word),
					seen->number,
					KMAP_ENTRY_VALUE_LEN(seen->lens),
					KMAP_ENTRY_FLAGS(seen->word), 0);
}

static noinline int write_late(void __user *out, const struct room *room,
			       u32 lens)
{
	return shmap_user_write(out, room->value, KMAP_ENTRY_VALUE_LEN(lens));
}

/* Carry out a GET; @key and @room are buffers, which the caller wipes. */
static __always_inline long get_record(const struct shmap_file *file,
				       struct shmap_map *map,
				       const struct shmap_op *op,
				       struct kmap_op __user *user,
				       struct short_key *key, struct room *room)
{
	enum outcome outcome;
	struct shmap_seen seen __uninitialized;
	struct shmap_user_inputs in __uninitialized;
	struct lookup at __uninitialized;
	s16 error __aligned(8);

	if (shmap_user_read_inputs(&in, user))
		return -EFAULT;
	/* No flags. */
	if (unlikely(in.what > KMAP_OP_GET ||
		     !map->config.lock->lockless_reads ||
		     !take(map, longest_key(map), &at, key, &in)))
		return shmap_ops_one_full(op, file, user);
	/* Readers use this variant of RCU; see lock.c. */
	rcu_read_lock_sched();
	pagefault_disable();
	outcome = look(map, &at, key, &seen, room);
	pagefault_enable();
	rcu_read_unlock_sched();
	if (unlikely(outcome == UNUSUAL))
		return shmap_ops_one_full(op, file, user);
	if (unlikely(outcome == ABSENT)) {
		shmap_map_count(map, SHMAP_GETS);
		/* The rest of the record must be readable as well. */
		return shmap_user_read(&error, &user->error, sizeof(error)) ?: -ENOENT;
	}
	shmap_map_count_gets(map, 1, 1);
	if (unlikely(outcome == LATE && write_late(at.out, room, seen.lens)))
		return -EFAULT;
	might_fault();
	return tell(user, &seen);
}

/**
 * shmap_ops_get_fast - KMAP_IOC_GET with a record of the usual size
 * @op: the operation
 * @file: the file
 * @user: the record
 *
 * Context: may sleep.
 * Return: 0 or a negative errno, as the ABI says.
 */
long shmap_ops_get_fast(const struct shmap_op *op,
			const struct shmap_file *file,
			struct kmap_op __user *user)
{
	struct room room __uninitialized;
	struct short_key key __uninitialized;
	struct shmap_map *map = file->map;
	long ret = get_record(file, map, op, user, &key, &room);

	shmap_map_wipe_copy(map, &key, sizeof(key));
	shmap_map_wipe_copy(map, &room, sizeof(room));
	return ret;
}

/*
 * Write the result of one lookup of a batch, if that needs no page fault; page faults
 * are off.  Returns whether it was written.
 */
static __always_inline bool tell_now(struct kmap_op __user *user,
				     const struct shmap_seen *seen,
				     enum outcome outcome)
{
	s16 error = -ENOENT;

	if (likely(outcome == FOUND))
		return !tell(user, seen);
	return outcome == ABSENT && !put_user(error, &user->error);
}

/* Enter a read-side critical section: entries stay until let_go(); page faults are off. */
static __always_inline void hold(void)
	__acquires(RCU_SCHED)
{
	rcu_read_lock_sched();
	pagefault_disable();
}

/* Leave what hold() entered. */
static __always_inline void let_go(void)
	__releases(RCU_SCHED)
{
	pagefault_enable();
	rcu_read_unlock_sched();
}

/* Write that result with page faults on: 0, or -EFAULT when the record cannot be written. */
static noinline int tell_again(struct kmap_op __user *user,
			       const struct lookup *at, struct shmap_seen seen,
			       const struct room *room, enum outcome outcome)
{
	s16 error = -ENOENT;

	if (outcome == LATE)
		error = write_late(at->out, room, seen.lens);
	else if (outcome == FOUND)
		error = 0;
	return error ? put_user(error, &user->error) :
		       tell(user, &seen);
}

/**
 * shmap_ops_get_group - carry out lookups of a batch
 * @map: the map; its readers take no lock, and the caller may read it
 * @user: the next records of the batch
 * @most: how many records there are
 *
 * Context: may sleep.
 * Return: how many records were carried out, from the first on.  The next one, if any, is
 * no usual lookup or its outputs cannot be written: if 0, the caller carries out the first.
 */
unsigned int shmap_ops_get_group(struct shmap_map *map,
				 struct kmap_op __user *user,
				 unsigned int most)
{
	struct lookup group[GROUP] __uninitialized;
	struct short_key keys[GROUP] __uninitialized;
	struct shmap_seen seen __uninitialized;
	struct room room __uninitialized;
	struct shmap_user_inputs in __uninitialized;
	const u32 longest = longest_key(map);
	unsigned int n, i, hits = 0;
	enum outcome outcome;
	int ret = 0;

	most = min(most, GROUP);
	for (n = 0; n < most; n++) {
		if (shmap_user_read_inputs(&in, user + n) ||
		    in.what != KMAP_OP_GET ||
		    !take(map, longest, &group[n], &keys[n], &in))
			break;
		prefetch(group[n].probe.home);
	}
	if (!n)
		return 0;

	hold();
	for (i = 0; !ret && i < n; i++) {
		outcome = look(map, &group[i], &keys[i], &seen, &room);
		if (unlikely(outcome == UNUSUAL))
			break;
		hits += outcome != ABSENT;
		if (likely(tell_now(user + i, &seen, outcome)))
			continue;
		let_go();
		ret = tell_again(user + i, &group[i], seen, &room, outcome);
		hold();
	}
	let_go();
	shmap_map_wipe_copy(map, keys, sizeof(keys));
	shmap_map_wipe_copy(map, &room, sizeof(room));
	shmap_map_count_gets(map, i, hits);
	/* A record that could not be written is left to the caller. */
	return ret ? i - 1 : i;
}
