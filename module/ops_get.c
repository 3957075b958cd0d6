// SPDX-License-Identifier: GPL-2.0-only
/*
 * Lookups as most are, where readers take no lock: short key, short value, into
 * memory that is there.
 *
 * A reader without a lock holds nobody up, so the value goes straight from the
 * entry to the user, and page faults are off meanwhile.  Whatever is not quite
 * usual is left to ops_one.c, as if this had not been.
 *
 * The lookups of a batch go in groups: all records and keys are read and hashed
 * and their buckets fetched, then they are looked up, so that one waits for memory
 * while others do.
 */
#include <linux/prefetch.h>
#include <linux/rcupdate.h>

#include "ops_get.h"
#include "ops_one.h"
#include "read.h"
#include "user.h"

/* Longest key. */
#define LOOKUP_KEY	64u

/* Lookups in a group. */
#define GROUP		8u

/**
 * struct lookup - one of a group
 * @out: as in the record
 * @out_size: as in the record
 * @key_len: as in the record
 * @table: the shard's
 * @probe: where the key would be
 *
 * The key itself is elsewhere, so that all this can be in registers.
 */
struct lookup {
	void __user		*out;
	u32			out_size;
	u32			key_len;
	const struct shmap_table *table;
	struct shmap_probe	probe;
};

/* Room for a key. */
struct short_key {
	u64	word[LOOKUP_KEY / 8];
};

/* What came of a lookup. */
enum outcome {
	UNUSUAL,	/* nothing: all is as it was */
	ABSENT,
	FOUND,		/* the value is written, the outputs are not */
	LATE,		/* the value is in room, and still to be written */
};

/* Room for a value that could not be written at once. */
struct room {
	u64	value[SHMAP_USER_SHORT / 8];
};

/* Take a record that is a usual lookup, and its key, and see where it would be. */
static __always_inline bool take(struct shmap_map *map, struct lookup *at,
				 struct short_key *key,
				 const struct shmap_user_inputs *in)
{
	u32 hash;

	/* No value_len, no ttl. */
	if (in->value || in->lens - 1 >= LOOKUP_KEY ||
	    in->lens > map->config.max_key || in->room >> 32 ||
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

/* Look the key up and write the value; page faults are off. */
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
	/* A number is of the moment when it was looked up. */
	len = KMAP_ENTRY_VALUE_LEN(seen->lens);
	value = (const void *)entry +
		KMAP_ENTRY_VALUE(KMAP_ENTRY_KEY_LEN(seen->lens));
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

/* All of it, with room for copies that the caller wipes. */
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
		     !take(map, &at, key, &in)))
		return shmap_ops_one_full(op, file, user);
	/* As all readers: see lock.c. */
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
 * Write the result of one of a batch, where that can be done at once; page faults
 * are off.
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

/* What is found stays, and nothing is waited for, from here... */
static __always_inline void hold(void)
	__acquires(RCU_SCHED)
{
	rcu_read_lock_sched();
	pagefault_disable();
}

/* ...to here. */
static __always_inline void let_go(void)
	__releases(RCU_SCHED)
{
	pagefault_enable();
	rcu_read_unlock_sched();
}

/* The same where it may take its time: 0, or -EFAULT for the batch. */
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
 * @map: the map; its readers take no lock
 * @user: records of a file that is open for reading, as they are known
 * @most: how many there are
 *
 * Context: may sleep.
 * Return: how many were carried out; 0 when the first is no usual lookup.
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
	unsigned int n, i, hits = 0;
	enum outcome outcome;
	int ret = 0;

	most = min(most, GROUP);
	for (n = 0; n < most; n++) {
		if (shmap_user_read_inputs(&in, user + n) ||
		    in.what != KMAP_OP_GET ||
		    !take(map, &group[n], &keys[n], &in))
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
	/* One that could not be told: let it be found out again, by itself. */
	return ret ? i - 1 : i;
}
