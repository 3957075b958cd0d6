// SPDX-License-Identifier: GPL-2.0-only
/*
 * Operations on one key, on kernel memory.
 *
 * An entry is allocated and filled before the shard is locked, and one that was
 * removed is freed after it is unlocked.  Under the lock are the lookup, the
 * conditions, the quotas and the change of a slot; a value that is to come back
 * is copied to the request's buffer, which the caller made large enough or is
 * asked to (ENOBUFS) with nothing changed.
 *
 * No lock is held, and no read-side critical section lasts, for longer than a
 * piece of SHMAP_PIECE bytes takes to copy.  A longer value that a change has
 * unlinked is copied after the shard is unlocked; nobody else has it then.  One that
 * stays is copied piece by piece, and each time the key is looked up again: while
 * its version is the same, so is its value.  Who finds it changed SHMAP_TRIES
 * times copies it all at once.
 *
 * Readers without a lock look the key up, take what can change in place
 * (version and number), and then make sure that nothing changed meanwhile.  The
 * rest of the entry is immutable and outlives the read-side critical section.
 */
#include <linux/err.h>
#include <linux/overflow.h>

#include "change.h"
#include "entry.h"
#include "hash.h"

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
 * @value_flags: what the value is, KMAP_IS_NUMBER
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
 * shmap_key_discard - free an entry that was prepared and not used
 * @map: the map
 * @rq: the request
 *
 * Context: may sleep.
 */
void shmap_key_discard(struct shmap_map *map, struct shmap_request *rq)
{
	if (!rq->fresh.entry)
		return;
	shmap_arena_free(&shmap_map_shard(map, rq->hash)->arena,
			 &rq->fresh.ref, 1);
	rq->fresh.entry = NULL;
}

/* Bring a value back: 0, -EMSGSIZE for the user, -ENOBUFS for our caller. */
static int bring(struct shmap_request *rq, const struct kmap_entry *entry,
		 u64 word, s64 number)
{
	rq->out_len = shmap_entry_value_len(entry);
	rq->out_flags = KMAP_ENTRY_FLAGS(word);
	if (rq->out_len > rq->out_size)
		return -EMSGSIZE;
	if (rq->out_len > rq->out_room)
		return -ENOBUFS;
	/* A longer one comes when this hold is over. */
	if (likely(rq->out_len <= SHMAP_PIECE || rq->whole))
		shmap_entry_copy(rq->out, entry, word, number);
	return 0;
}

/* Is the value that came back still to be copied? */
static bool to_be_copied(const struct shmap_request *rq)
{
	return unlikely(rq->out_len != KMAP_ABSENT &&
			rq->out_len > SHMAP_PIECE && !rq->whole);
}

/**
 * struct piece - a part of a value that is copied
 * @hash: of the key
 * @key: the key
 * @key_len: its length
 * @version: that the value must have
 * @to: where the part goes
 * @from: where it begins in the value
 * @len: its length
 */
struct piece {
	u32			hash;
	const void		*key;
	u32			key_len;
	u64			version;
	void			*to;
	u32			from;
	u32			len;
};

static int get_once(const struct shmap_map *map, struct shmap_shard *shard,
		    void *request, bool locked)
{
	struct shmap_request *rq = request;
	struct kmap_entry *entry;
	struct shmap_probe probe;
	u64 word;
	s64 number;

	lockdep_assert(map->config.lock->read_held(&shard->lock));
	if (!shmap_table_begin(&shard->table, rq->hash, &probe))
		return -EAGAIN;
	entry = shmap_table_find(&shard->table, &probe, rq->key, rq->key_len,
				 NULL);
	if (entry)
		shmap_entry_state(entry, &word, &number);
	if (!locked && !(entry ? shmap_table_same(&probe) :
				 shmap_table_stable(&shard->table, &probe)))
		return -EAGAIN;
	if (!entry)
		return -ENOENT;
	rq->version = KMAP_ENTRY_VERSION(word);
	rq->number = number;
	return bring(rq, entry, word, number);
}

/* Copy a part of a value: 0, or -ESTALE when the key has another one. */
static int copy_once(const struct shmap_map *map, struct shmap_shard *shard,
		     void *part, bool locked)
{
	const struct piece *piece = part;
	struct kmap_entry *entry;
	struct shmap_probe probe;
	u64 word;
	s64 number;

	lockdep_assert(map->config.lock->read_held(&shard->lock));
	if (!shmap_table_begin(&shard->table, piece->hash, &probe))
		return -EAGAIN;
	entry = shmap_table_find(&shard->table, &probe, piece->key,
				 piece->key_len, NULL);
	if (entry)
		shmap_entry_state(entry, &word, &number);
	if (!locked && !(entry ? shmap_table_same(&probe) :
				 shmap_table_stable(&shard->table, &probe)))
		return -EAGAIN;
	if (!entry || KMAP_ENTRY_VERSION(word) != piece->version)
		return -ESTALE;
	memcpy(piece->to, shmap_entry_value(entry) + piece->from, piece->len);
	return 0;
}

/* Read in a shard: as its readers do, or, disturbed too often, with the lock. */
static __always_inline int
read_shard(struct shmap_map *map, struct shmap_shard *shard,
	   int (*once)(const struct shmap_map *map, struct shmap_shard *shard,
		       void *arg, bool locked), void *arg)
{
	const struct shmap_lock_ops *lock = map->config.lock;
	unsigned int try;
	int r;

	for (try = 0;; try++) {
		if (lock->lockless_reads && try == SHMAP_TRIES) {
			shmap_lock_write_enter(lock, &shard->lock);
			r = once(map, shard, arg, true);
			shmap_lock_write_leave(lock, &shard->lock);
			return r;
		}
		shmap_lock_read_enter(lock, &shard->lock);
		r = once(map, shard, arg, !lock->lockless_reads);
		shmap_lock_read_leave(lock, &shard->lock);
		if (r != -EAGAIN)
			return r;
		shmap_map_count(map, SHMAP_RETRIES);
		cpu_relax();
	}
}

/**
 * shmap_key_copy_pieces - copy a long value, in pieces
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
int shmap_key_copy_pieces(struct shmap_map *map, u32 hash, const void *key,
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
		if (read_shard(map, shard, copy_once, &piece))
			return -EAGAIN;
		cond_resched();
	}
	return 0;
}

/*
 * Bring the value back that is to be copied, where it stays in the map.  False:
 * the key has another one by now, so start over.
 */
static bool bring_pieces(struct shmap_map *map, struct shmap_request *rq,
			 unsigned int start)
{
	if (!shmap_key_copy_pieces(map, rq->hash, rq->key, rq->key_len,
				   rq->version, rq->out, rq->out_len))
		return true;
	shmap_map_count(map, SHMAP_RETRIES);
	rq->whole = start + 1 >= SHMAP_TRIES;
	return false;
}

/**
 * shmap_key_get - look a key up
 * @map: the map
 * @rq: the request
 *
 * Context: may sleep.
 * Return: 0, -ENOENT, -EMSGSIZE, or -ENOBUFS when out_room is less than out_len
 * and out_size is not.
 */
int shmap_key_get(struct shmap_map *map, struct shmap_request *rq)
{
	struct shmap_shard *shard = shmap_map_shard(map, rq->hash);
	unsigned int start = 0;
	int r;

	rq->whole = false;
	do {
		r = read_shard(map, shard, get_once, rq);
	} while (!r && to_be_copied(rq) && !bring_pieces(map, rq, start++));
	if (r != -ENOBUFS) {
		shmap_map_count(map, SHMAP_GETS);
		if (r != -ENOENT)
			shmap_map_count(map, SHMAP_HITS);
	}
	return r;
}

/**
 * shmap_key_peek_again - go on trying
 * @map: as shmap_key_peek()
 * @table: as shmap_key_peek()
 * @hash: of the key
 * @key: as shmap_key_peek()
 * @key_len: as shmap_key_peek()
 * @seen: as shmap_key_peek()
 *
 * Context: under rcu_read_lock().
 * Return: as shmap_key_peek().
 */
const struct kmap_entry *
shmap_key_peek_again(struct shmap_map *map, const struct shmap_table *table,
		     u32 hash, const void *key, u32 key_len,
		     struct shmap_seen *seen)
{
	struct shmap_probe probe;
	struct kmap_entry *entry;
	unsigned int try;

	for (try = 1; try < SHMAP_TRIES; try++) {
		shmap_map_count(map, SHMAP_RETRIES);
		cpu_relax();
		if (!shmap_table_begin(table, hash, &probe))
			continue;
		entry = shmap_table_find(table, &probe, key, key_len, NULL);
		if (entry) {
			seen->lens = entry->lens;
			shmap_entry_state(entry, &seen->word, &seen->number);
			if (shmap_table_same(&probe))
				return entry;
		} else if (shmap_table_stable(table, &probe)) {
			return NULL;
		}
	}
	return ERR_PTR(-EAGAIN);
}

/* Does the value differ from the one that is expected? */
static bool differs(const struct shmap_request *rq,
		    const struct kmap_entry *entry)
{
	u32 len = rq->expected_len;

	return shmap_entry_value_len(entry) != len ||
	       (len && memcmp(shmap_entry_value(entry), rq->expected, len));
}

/* The conditions of a change.  What was found comes back if that is asked. */
static int check(struct shmap_request *rq, const struct kmap_entry *entry)
{
	u64 word;
	s64 number;
	int r = 0;

	if (!entry) {
		if (rq->flags & (KMAP_REPLACE | KMAP_MATCH | KMAP_EQUAL))
			return -ENOENT;
		rq->out_len = KMAP_ABSENT;
		rq->out_flags = 0;
		return 0;
	}
	shmap_entry_state(entry, &word, &number);
	if (rq->flags & KMAP_CREATE)
		r = -EEXIST;
	else if (rq->flags & KMAP_MATCH &&
		 rq->version != KMAP_ENTRY_VERSION(word))
		r = -ESTALE;
	else if (rq->flags & KMAP_EQUAL && differs(rq, entry))
		r = -ESTALE;
	if (rq->flags & KMAP_RETURN) {
		int b = bring(rq, entry, word, number);

		if (b)
			return b;
	}
	if (r)
		rq->version = KMAP_ENTRY_VERSION(word);
	return r;
}

/* Was a change refused, and is the value that is there still to be copied? */
static bool refused_long(const struct shmap_request *rq, int r)
{
	return (r == -EEXIST || r == -ESTALE) && rq->flags & KMAP_RETURN &&
	       to_be_copied(rq);
}

/**
 * shmap_key_bring_old - bring back a long value that a change has unlinked
 * @rq: the request; its change was made and asks for what was there
 * @entry: the entry that was there, not retired yet
 *
 * Context: any.
 */
void shmap_key_bring_old(struct shmap_request *rq,
			 const struct kmap_entry *entry)
{
	if (to_be_copied(rq))
		shmap_entry_copy(rq->out, entry, 0, 0);
}

/**
 * shmap_key_feed - get a block for a table
 * @map: the map
 * @shard: the shard whose table wanted it when it was last locked
 * @index: from shmap_table_wants_locked()
 *
 * Context: may sleep.
 * Return: 0, -ENOMEM or -EINTR.
 */
int shmap_key_feed(struct shmap_map *map, struct shmap_shard *shard,
		   u32 index)
{
	void *block = shmap_pool_alloc_pages(&map->pool, SHMAP_BLOCK_ORDER);
	int r;

	if (!block)
		return -ENOMEM;
	r = shmap_map_lock(map, shard);
	if (!r) {
		if (shmap_table_feed_locked(&shard->table, index, block))
			block = NULL;
		shmap_map_unlock(map, shard);
	}
	shmap_pool_free_pages(&map->pool, block, SHMAP_BLOCK_ORDER);
	return r;
}

/**
 * shmap_key_set - store a value
 * @map: the map
 * @rq: the request, with a fresh entry that holds key and value
 *
 * Context: may sleep.
 * Return: 0 and the entry is the map's, or -ENOENT, -EEXIST, -ESTALE,
 * -EMSGSIZE, -ENOBUFS, -ENOSPC, -EXFULL, -ENOMEM or -EINTR and nothing changed.
 */
int shmap_key_set(struct shmap_map *map, struct shmap_request *rq)
{
	struct shmap_shard *shard = shmap_map_shard(map, rq->hash);
	unsigned int start = 0;
	u64 match = rq->version;
	int r;

	rq->whole = false;
	do {
		rq->version = match;
		r = shmap_change_set(map, shard, rq, check);
	} while (refused_long(rq, r) && !bring_pieces(map, rq, start++));
	return r;
}

/**
 * shmap_key_delete - remove a key
 * @map: the map
 * @rq: the request
 *
 * Context: may sleep.
 * Return: 0, or -ENOENT, -ESTALE, -EMSGSIZE, -ENOBUFS or -EINTR and nothing
 * changed.
 */
int shmap_key_delete(struct shmap_map *map, struct shmap_request *rq)
{
	struct shmap_shard *shard = shmap_map_shard(map, rq->hash);
	unsigned int start = 0;
	u64 match = rq->version;
	int r;

	rq->whole = false;
	do {
		rq->version = match;
		r = shmap_change_delete(map, shard, rq, check);
	} while (refused_long(rq, r) && !bring_pieces(map, rq, start++));
	return r;
}

/* Add in place: one 64-bit store for the number and one for the version. */
static int add_locked(struct shmap_shard *shard, struct shmap_request *rq,
		      struct shmap_probe *probe, struct kmap_entry *entry)
{
	s64 *number = shmap_entry_value(entry);
	s64 sum;

	shmap_table_assert_locked(&shard->table);
	if (!shmap_entry_is_number(entry->version))
		return -EDOM;
	if (check_add_overflow(*number, rq->number, &sum))
		return -ERANGE;
	rq->version = ++shard->version;
	rq->number = sum;
	shmap_chain_change_begin(probe->home);
	WRITE_ONCE(*number, sum);
	shmap_entry_stamp(entry, rq->version);
	shmap_chain_change_end(probe->home);
	return 0;
}

/**
 * shmap_key_add - add to a number
 * @map: the map
 * @rq: the request; if a fresh entry was needed and not used, it is left there
 *
 * Context: may sleep.
 * Return: 0, or -ENOENT, -EEXIST, -EDOM, -ERANGE, -EFBIG, -ENOSPC, -EXFULL,
 * -ENOMEM or -EINTR and nothing changed.
 */
int shmap_key_add(struct shmap_map *map, struct shmap_request *rq)
{
	struct shmap_shard *shard = shmap_map_shard(map, rq->hash);
	struct shmap_table *table = &shard->table;
	struct shmap_probe probe __uninitialized;
	struct shmap_spot spot __uninitialized;
	struct kmap_entry *entry;
	bool fresh;
	u32 wants;
	int r;

	do {
		r = shmap_map_lock(map, shard);
		if (r)
			return r;
		wants = 0;
		fresh = true;
		shmap_table_begin(table, rq->hash, &probe);
		entry = shmap_table_find(table, &probe, rq->key, rq->key_len,
					 &spot);
		r = check(rq, entry);
		if (!r && entry) {
			r = add_locked(shard, rq, &probe, entry);
		} else if (!r) {
			fresh = rq->fresh.entry;
			wants = shmap_table_wants_locked(table);
			if (fresh && !wants)
				r = shmap_change_insert_locked(map, shard, rq, &probe);
		}
		shmap_map_unlock(map, shard);
		if (!fresh && map->config.max_value < SHMAP_NUMBER_LEN)
			return -EFBIG;
		if (!fresh) {
			r = shmap_key_prepare(map, rq, SHMAP_NUMBER_LEN,
					      KMAP_IS_NUMBER);
			if (!r)
				*(s64 *)shmap_entry_value(rq->fresh.entry) =
					rq->number;
		}
		if (!r && wants)
			r = shmap_key_feed(map, shard, wants);
	} while (r ? r == -EAGAIN : wants || !fresh);

	if (!r)
		shmap_map_count(map, SHMAP_ADDS);
	return r;
}
