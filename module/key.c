// SPDX-License-Identifier: GPL-2.0-only
/*
 * Operations on one key, on kernel memory.
 *
 * An entry is allocated and filled before the shard is locked, and an unlinked entry is
 * retired after the shard is unlocked.  Lookup, conditions and change are under the
 * lock, and so is the copy of a value that is returned, unless it is long, to the request's
 * buffer.  If that buffer is too small, nothing changes, and the caller gets ENOBUFS and
 * enlarges it.
 *
 * An attempt that needs something that cannot be had under the lock returns one of enum
 * shmap_needs, and has changed nothing.  answer() gets what is needed, and go_on()
 * repeats the attempt.
 *
 * A long value is copied, and compared, in pieces; see piece.c.  One that a change
 * has unlinked is copied after the shard is unlocked: only this task can free it then.
 * If a value that stays in the map was changed during SHMAP_TRIES attempts, the next
 * attempt copies or compares it in one hold.
 */
#include <linux/err.h>
#include <linux/overflow.h>

#include "key.h"
#include "piece.h"

/**
 * shmap_key_hash - hash of a key
 * @map: the map
 * @key: the key
 * @key_len: its length
 *
 * Context: any.
 * Return: the hash.
 */
u32 shmap_key_hash(const struct shmap_map *map, const void *key, u32 key_len)
{
	return shmap_hash(&map->hash_init, key, key_len);
}

/**
 * shmap_key_prepare - allocate the entry that a request may put in the map
 * @map: the map
 * @rq: the request; key, key_len and hash are set, fresh is filled in
 * @value_len: length of the value, which the caller writes next
 * @value_flags: KMAP_IS_NUMBER, or 0
 *
 * Context: may sleep.
 * Return: 0, -ENOSPC, -ENOMEM or -EINTR.
 */
int shmap_key_prepare(struct shmap_map *map, struct shmap_request *rq,
		      u32 value_len, u32 value_flags)
{
	return shmap_change_prepare(map, shmap_map_shard(map, rq->hash), rq,
				    value_len, value_flags);
}

/**
 * shmap_key_discard - free an entry that was allocated and not used
 * @map: the map
 * @rq: the request
 *
 * Context: may sleep.
 */
void shmap_key_discard(struct shmap_map *map, struct shmap_request *rq)
{
	if (!rq->fresh.entry)
		return;
	shmap_arena_free(&map->pool, &rq->fresh.ref, 1);
	rq->fresh.entry = NULL;
}

/*
 * Return a value in the request's buffer: 0, -EMSGSIZE when the user cannot take it, or
 * -ENOBUFS when the caller has to enlarge the buffer.
 */
static int bring(struct shmap_request *rq, const struct kmap_entry *entry,
		 const struct shmap_seen *seen)
{
	rq->out_len = KMAP_ENTRY_VALUE_LEN(seen->lens);
	rq->out_flags = KMAP_ENTRY_FLAGS(seen->word);
	if (rq->out_len > rq->out_size)
		return -EMSGSIZE;
	if (rq->out_len > rq->out_room)
		return -ENOBUFS;
	/* A longer one is copied when this hold is over. */
	if (likely(rq->out_len <= SHMAP_PIECE || rq->whole))
		shmap_entry_copy(rq->out, entry, seen->word, seen->number);
	return 0;
}

static int get_once(struct shmap_map *map, struct shmap_shard *shard,
		    void *request, bool locked)
{
	struct shmap_request *rq = request;
	struct shmap_probe probe __uninitialized;
	struct shmap_seen seen __uninitialized;
	const struct kmap_entry *entry;
	int ret;

	lockdep_assert(map->config.lock->read_held(&shard->lock));
	shmap_table_aim(&shard->table, rq->hash, &probe);
	if (!shmap_read_key(&shard->table, &probe, rq->key, rq->key_len, locked,
			    &seen, &entry))
		return -EAGAIN;
	if (!entry)
		return -ENOENT;
	rq->version = KMAP_ENTRY_VERSION(seen.word);
	rq->number = seen.number;
	ret = bring(rq, entry, &seen);
	return !ret && shmap_request_pending(rq) ? SHMAP_NEEDS_PIECES : ret;
}

/*
 * Is the value the expected one?  Returns 0 or -ESTALE, or SHMAP_NEEDS_COMPARE for a long
 * value of which another version, or none, was compared: that is done without the lock.
 */
static int compare(const struct shmap_request *rq,
		   const struct kmap_entry *entry, u64 word)
{
	u32 len = rq->expected_len;

	if (shmap_entry_value_len(entry) != len)
		return -ESTALE;
	if (unlikely(len > SHMAP_PIECE && !rq->whole)) {
		if (rq->compared != KMAP_ENTRY_VERSION(word))
			return SHMAP_NEEDS_COMPARE;
		return rq->equal ? 0 : -ESTALE;
	}
	return len && memcmp(shmap_entry_value(entry), rq->expected, len) ?
	       -ESTALE : 0;
}

/* Test the conditions of a change, and return the value that was found if that is asked. */
static int check(struct shmap_request *rq, const struct kmap_entry *entry)
{
	struct shmap_seen seen __uninitialized;
	int ret = 0;

	if (!entry || !shmap_read_see(entry, &seen)) {
		if (rq->flags & (KMAP_REPLACE | KMAP_MATCH | KMAP_EQUAL))
			return -ENOENT;
		rq->out_len = KMAP_ABSENT;
		rq->out_flags = 0;
		return 0;
	}
	if (rq->flags & KMAP_CREATE)
		ret = -EEXIST;
	else if (rq->flags & KMAP_MATCH &&
		 rq->version != KMAP_ENTRY_VERSION(seen.word))
		ret = -ESTALE;
	else if (rq->flags & KMAP_EQUAL)
		ret = compare(rq, entry, seen.word);
	if (unlikely(ret > 0))
		return ret;
	if (rq->flags & KMAP_RETURN) {
		int b = bring(rq, entry, &seen);

		if (b)
			return b;
	}
	if (!ret)
		return 0;
	rq->version = KMAP_ENTRY_VERSION(seen.word);
	rq->refused = ret;
	return rq->flags & KMAP_RETURN && shmap_request_pending(rq) ?
	       SHMAP_NEEDS_PIECES : ret;
}

/*
 * Get a record.  After that, even a long value that is returned is copied under the lock:
 * when the lock is dropped, any task may free the kept entry as soon as no cut needs it.
 */
static void get_record(struct shmap_map *map, struct shmap_request *rq)
{
	if (!rq->record)
		rq->record = shmap_kept_record(map);
	rq->whole = true;
}

/* Allocate an entry for a number, for ADD. */
static int get_entry(struct shmap_map *map, struct shmap_request *rq)
{
	if (map->config.max_value < SHMAP_NUMBER_LEN)
		return -EFBIG;
	return shmap_key_prepare(map, rq, SHMAP_NUMBER_LEN, KMAP_IS_NUMBER);
}

/*
 * Get what ADD needs to change a copy.  If that fails, ADD changes the entry in place, and
 * the snapshots that need it are ended.
 */
static void get_copy(struct shmap_map *map, struct shmap_request *rq)
{
	int ret = rq->fresh.entry ? 0 : get_entry(map, rq);

	if (ret) {
		shmap_kept_discard(map, rq->record);
		rq->record = ERR_PTR(ret);
	} else {
		get_record(map, rq);
	}
}

/* Compare with the expected value, in pieces; under the lock after SHMAP_TRIES attempts. */
static void compare_pieces(struct shmap_map *map, struct shmap_request *rq)
{
	if (rq->starts)
		shmap_map_count(map, SHMAP_RETRIES);
	if (rq->starts++ >= SHMAP_TRIES)
		rq->whole = true;
	else
		rq->compared = shmap_piece_compare(map, rq->hash, rq->key,
						   rq->key_len, rq->expected,
						   rq->expected_len, &rq->equal);
}

/*
 * Copy the value that is returned, in pieces, from an entry that stays in the map.
 * Returns false when the key has another value by now.
 */
static bool copy_pieces(struct shmap_map *map, struct shmap_request *rq)
{
	if (!shmap_piece_copy(map, rq->hash, rq->key, rq->key_len, rq->version,
			      rq->out, rq->out_len))
		return true;
	shmap_map_count(map, SHMAP_RETRIES);
	if (++rq->starts >= SHMAP_TRIES)
		rq->whole = true;
	return false;
}

/*
 * Get what an attempt needs, which *@ret says.  Returns false when there is nothing to
 * repeat: *@ret is the result of the operation then.
 */
static bool answer(struct shmap_map *map, struct shmap_shard *shard,
		   struct shmap_request *rq, int *ret)
{
	enum shmap_needs needs = *ret;

	*ret = 0;
	switch (needs) {
	case SHMAP_NEEDS_NOTHING:
		return false;
	case SHMAP_NEEDS_CREDIT:
		break;
	case SHMAP_NEEDS_BLOCK:
		*ret = shmap_buckets_feed(&map->buckets, rq->wants);
		break;
	case SHMAP_NEEDS_RECORD:
		get_record(map, rq);
		break;
	case SHMAP_NEEDS_COPY:
		get_copy(map, rq);
		break;
	case SHMAP_NEEDS_ENTRY:
		*ret = get_entry(map, rq);
		break;
	case SHMAP_NEEDS_COMPARE:
		compare_pieces(map, rq);
		break;
	case SHMAP_NEEDS_PIECES:
		if (copy_pieces(map, rq)) {
			*ret = rq->refused;
			return false;
		}
		break;
	}
	return !*ret;
}

/* One attempt at an operation: 0, a negative errno, or one of enum shmap_needs. */
typedef int attempt_t(struct shmap_map *map, struct shmap_shard *shard,
		      struct shmap_request *rq);

/* Go on with an operation whose first attempt returned @ret. */
static int go_on(struct shmap_map *map, struct shmap_shard *shard,
		 struct shmap_request *rq, attempt_t *attempt, int ret)
{
	while (ret > 0 && answer(map, shard, rq, &ret)) {
		rq->version = rq->match;
		ret = attempt(map, shard, rq);
	}
	if (rq->record)
		shmap_kept_discard(map, rq->record);
	return ret;
}

static int run(struct shmap_map *map, struct shmap_request *rq,
	       attempt_t *attempt)
{
	struct shmap_shard *shard = shmap_map_shard(map, rq->hash);

	rq->match = rq->version;
	rq->whole = false;
	rq->refused = 0;
	rq->starts = 0;
	rq->compared = 0;
	rq->record = NULL;
	return go_on(map, shard, rq, attempt, attempt(map, shard, rq));
}

/* The same for a first attempt that was made inline and returned @ret. */
static int run_plain(struct shmap_map *map, struct shmap_request *rq,
		     attempt_t *attempt, int ret)
{
	rq->flags = 0;
	rq->match = 0;
	rq->whole = false;
	rq->record = NULL;
	return go_on(map, shmap_map_shard(map, rq->hash), rq, attempt, ret);
}

static int get(struct shmap_map *map, struct shmap_shard *shard,
	       struct shmap_request *rq)
{
	return shmap_read_run(map, shard, get_once, rq);
}

/**
 * shmap_key_get - look a key up
 * @map: the map
 * @rq: the request
 *
 * Context: may sleep.
 * Return: 0, -ENOENT, -EMSGSIZE, or -ENOBUFS when out_len is above out_room but not
 * above out_size.
 */
int shmap_key_get(struct shmap_map *map, struct shmap_request *rq)
{
	int ret = run(map, rq, get);

	if (ret != -ENOBUFS) {
		shmap_map_count(map, SHMAP_GETS);
		if (ret != -ENOENT)
			shmap_map_count(map, SHMAP_HITS);
	}
	return ret;
}

static int set(struct shmap_map *map, struct shmap_shard *shard,
	       struct shmap_request *rq)
{
	return shmap_change_set(map, shard, rq, check, rq->record);
}

/**
 * shmap_key_set - store a value
 * @map: the map
 * @rq: the request, with a fresh entry that holds key and value
 *
 * Context: may sleep.
 * Return: 0, and the entry is the map's; or -ENOENT, -EEXIST, -ESTALE,
 * -EMSGSIZE, -ENOBUFS, -ENOSPC, -EXFULL or -ENOMEM, and nothing has changed.
 */
int shmap_key_set(struct shmap_map *map, struct shmap_request *rq)
{
	return run(map, rq, set);
}

/**
 * shmap_key_set_more - go on with shmap_key_set_plain()
 * @map: the map
 * @rq: the request
 * @needs: what its first attempt needs
 *
 * Context: may sleep.
 * Return: as shmap_key_set_plain().
 */
int shmap_key_set_more(struct shmap_map *map, struct shmap_request *rq,
		       int needs)
{
	return run_plain(map, rq, set, needs);
}

static int delete(struct shmap_map *map, struct shmap_shard *shard,
		  struct shmap_request *rq)
{
	return shmap_change_delete(map, shard, rq, check, rq->record);
}

/**
 * shmap_key_delete - remove a key
 * @map: the map
 * @rq: the request
 *
 * Context: may sleep.
 * Return: 0; or -ENOENT, -ESTALE, -EMSGSIZE or -ENOBUFS, and nothing has changed.
 */
int shmap_key_delete(struct shmap_map *map, struct shmap_request *rq)
{
	return run(map, rq, delete);
}

/**
 * shmap_key_delete_more - go on with shmap_key_delete_plain()
 * @map: the map
 * @rq: the request
 * @needs: what its first attempt needs
 *
 * Context: may sleep.
 * Return: as shmap_key_delete_plain().
 */
int shmap_key_delete_more(struct shmap_map *map, struct shmap_request *rq,
			  int needs)
{
	return run_plain(map, rq, delete, needs);
}

static int sum_up(const struct kmap_entry *entry,
		  const struct shmap_request *rq, s64 *sum)
{
	const s64 *number = shmap_entry_value(entry);

	if (!shmap_entry_is_number(entry->version))
		return -EDOM;
	return check_add_overflow(*number, rq->number, sum) ? -ERANGE : 0;
}

/* Create an entry with a number for a key that is absent. */
static int create_locked(struct shmap_map *map, struct shmap_shard *shard,
			 struct shmap_request *rq, struct shmap_probe *probe)
{
	shmap_table_assert_locked(&shard->table);
	if (!rq->fresh.entry)
		return SHMAP_NEEDS_ENTRY;
	*(s64 *)shmap_entry_value(rq->fresh.entry) = rq->number;
	return shmap_shard_publish_locked(map, shard, &rq->fresh, probe,
					  &rq->version, &rq->wants);
}

/* Add in a copy, the fresh entry, because a snapshot needs the old one. */
static int copy_locked(struct shmap_map *map, struct shmap_shard *shard,
		       struct shmap_request *rq, struct shmap_probe *probe,
		       struct shmap_spot *spot, const struct kmap_entry *entry,
		       s64 sum, bool *kept)
{
	shmap_table_assert_locked(&shard->table);
	if (!rq->fresh.entry || !rq->record)
		return SHMAP_NEEDS_COPY;
	*(s64 *)shmap_entry_value(rq->fresh.entry) = sum;
	return shmap_shard_replace_locked(map, shard, &rq->fresh, probe, spot,
					  entry, rq->record, &rq->version,
					  kept);
}

static int add(struct shmap_map *map, struct shmap_shard *shard,
	       struct shmap_request *rq)
{
	struct shmap_probe probe __uninitialized;
	struct shmap_spot spot __uninitialized;
	bool copied = false, kept = false;
	struct kmap_entry *entry;
	s64 sum = rq->number;
	int ret;

	entry = shmap_change_begin(map, shard, rq, &probe, &spot);
	ret = check(rq, entry);
	if (!ret && entry)
		ret = sum_up(entry, rq, &sum);
	if (!ret && !entry)
		ret = create_locked(map, shard, rq, &probe);
	else if (!ret)
		ret = shmap_shard_update_locked(map, shard, &probe, entry, sum,
						rq->record, &rq->version);
	if (unlikely(ret == SHMAP_NEEDS_COPY)) {
		ret = copy_locked(map, shard, rq, &probe, &spot, entry, sum,
				  &kept);
		copied = !ret;
	}
	shmap_shard_unlock(map, shard);
	if (ret)
		return ret;
	rq->number = sum;
	if (unlikely(copied))
		shmap_change_let_go(map, shard, rq, entry, spot.ref, 0, kept,
				    false);
	shmap_map_count(map, SHMAP_ADDS);
	return 0;
}

/**
 * shmap_key_add - add to a number
 * @map: the map
 * @rq: the request; a fresh entry that was allocated and not used is left there
 *
 * Context: may sleep.
 * Return: 0; or -ENOENT, -EEXIST, -EDOM, -ERANGE, -EFBIG, -ENOSPC, -EXFULL, -ENOMEM
 * or -EINTR, and nothing has changed.
 */
int shmap_key_add(struct shmap_map *map, struct shmap_request *rq)
{
	return run(map, rq, add);
}
