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
 * A long value is copied, and compared, in pieces; see piece.c.  One that a change
 * has unlinked is copied after the shard is unlocked: nobody else has it then.  Who
 * finds a value that stays changed SHMAP_TRIES times meanwhile, takes it all at once.
 *
 * Readers without a lock look the key up, take what can change in place
 * (version and number), and then make sure that nothing changed meanwhile.  The
 * rest of the entry is immutable and outlives the read-side critical section.
 */
#include <linux/err.h>
#include <linux/overflow.h>

#include "change_inline.h"
#include "entry.h"
#include "hash.h"
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

/*
 * Bring the value back that is to be copied, where it stays in the map.  False:
 * the key has another one by now, so start over.
 */
static bool bring_pieces(struct shmap_map *map, struct shmap_request *rq,
			 unsigned int start)
{
	if (!shmap_piece_copy(map, rq->hash, rq->key, rq->key_len, rq->version,
			      rq->out, rq->out_len))
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
		r = shmap_piece_read(map, shard, get_once, rq);
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

/*
 * Is the value the one that is expected?  0 or -ESTALE, or -ERESTART where a long
 * one is not the one that was compared: that is done without the lock.
 */
static int compare(const struct shmap_request *rq,
		   const struct kmap_entry *entry, u64 word)
{
	u32 len = rq->expected_len;

	if (shmap_entry_value_len(entry) != len)
		return -ESTALE;
	if (unlikely(len > SHMAP_PIECE && !rq->whole)) {
		if (rq->compared != KMAP_ENTRY_VERSION(word))
			return -ERESTART;
		return rq->equal ? 0 : -ESTALE;
	}
	return len && memcmp(shmap_entry_value(entry), rq->expected, len) ?
	       -ESTALE : 0;
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
	else if (rq->flags & KMAP_EQUAL)
		r = compare(rq, entry, word);
	if (unlikely(r == -ERESTART))
		return r;
	if (rq->flags & KMAP_RETURN) {
		int b = bring(rq, entry, word, number);

		if (b)
			return b;
	}
	if (r)
		rq->version = KMAP_ENTRY_VERSION(word);
	return r;
}

/* What is to be done before the shard is locked for a change. */
static void begin_change(struct shmap_map *map, struct shmap_request *rq,
			 u64 match)
{
	rq->version = match;
	if (unlikely(rq->flags & KMAP_EQUAL && rq->expected_len > SHMAP_PIECE &&
		     !rq->whole))
		rq->compared = shmap_piece_compare(map, rq->hash, rq->key,
						   rq->key_len, rq->expected,
						   rq->expected_len, &rq->equal);
}

/*
 * Is a change to be tried again?  It is when a long value that had to be compared,
 * or that is to come back from one that was refused, is not there any more.
 */
static bool again(struct shmap_map *map, struct shmap_request *rq, int r,
		  unsigned int start)
{
	if (unlikely(r == -ERESTART)) {
		shmap_map_count(map, SHMAP_RETRIES);
		rq->whole = start + 1 >= SHMAP_TRIES;
		return true;
	}
	return (r == -EEXIST || r == -ESTALE) && rq->flags & KMAP_RETURN &&
	       to_be_copied(rq) && !bring_pieces(map, rq, start);
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
 * Return: 0 or -ENOMEM.
 */
int shmap_key_feed(struct shmap_map *map, struct shmap_shard *shard,
		   u32 index)
{
	void *block = shmap_mem_alloc_pages(&map->mem, SHMAP_BLOCK_ORDER);

	if (!block)
		return -ENOMEM;
	shmap_map_lock(map, shard);
	if (shmap_table_feed_locked(&shard->table, index, block))
		block = NULL;
	shmap_map_unlock(map, shard);
	shmap_mem_free_pages(&map->mem, block, SHMAP_BLOCK_ORDER);
	return 0;
}

/**
 * shmap_key_set - store a value
 * @map: the map
 * @rq: the request, with a fresh entry that holds key and value
 *
 * Context: may sleep.
 * Return: 0 and the entry is the map's, or -ENOENT, -EEXIST, -ESTALE,
 * -EMSGSIZE, -ENOBUFS, -ENOSPC, -EXFULL or -ENOMEM and nothing changed.
 */
int shmap_key_set(struct shmap_map *map, struct shmap_request *rq)
{
	struct shmap_shard *shard = shmap_map_shard(map, rq->hash);
	unsigned int start = 0;
	u64 match = rq->version;
	int r;

	rq->whole = false;
	do {
		begin_change(map, rq, match);
		r = shmap_change_set(map, shard, rq, check);
	} while (again(map, rq, r, start++));
	return r;
}

/**
 * shmap_key_delete - remove a key
 * @map: the map
 * @rq: the request
 *
 * Context: may sleep.
 * Return: 0, or -ENOENT, -ESTALE, -EMSGSIZE or -ENOBUFS and nothing changed.
 */
int shmap_key_delete(struct shmap_map *map, struct shmap_request *rq)
{
	struct shmap_shard *shard = shmap_map_shard(map, rq->hash);
	unsigned int start = 0;
	u64 match = rq->version;
	int r;

	rq->whole = false;
	do {
		begin_change(map, rq, match);
		r = shmap_change_delete(map, shard, rq, check);
	} while (again(map, rq, r, start++));
	return r;
}

static int sum_up(const struct kmap_entry *entry,
		  const struct shmap_request *rq, s64 *sum)
{
	const s64 *number = shmap_entry_value(entry);

	if (!shmap_entry_is_number(entry->version))
		return -EDOM;
	return check_add_overflow(*number, rq->number, sum) ? -ERANGE : 0;
}

/* Add in place: one 64-bit store for the number and one for the version. */
static void add_locked(struct shmap_shard *shard, struct shmap_request *rq,
		       struct shmap_probe *probe, struct kmap_entry *entry,
		       s64 sum)
{
	s64 *number = shmap_entry_value(entry);

	shmap_table_assert_locked(&shard->table);
	rq->version = ++shard->version;
	rq->number = sum;
	shmap_chain_change_begin(probe->home);
	WRITE_ONCE(*number, sum);
	shmap_entry_stamp(entry, rq->version);
	shmap_chain_change_end(probe->home);
}

/* Add by a copy, in the fresh entry; a snapshot needs the other. */
static int add_copy_locked(struct shmap_map *map, struct shmap_shard *shard,
			   struct shmap_request *rq, struct shmap_probe *probe,
			   struct shmap_spot *spot, struct kmap_entry *entry,
			   s64 sum, struct shmap_kept *record)
{
	int r;

	*(s64 *)shmap_entry_value(rq->fresh.entry) = sum;
	r = shmap_change_replace_locked(map, shard, rq, probe, spot, entry);
	if (r)
		return r;
	rq->number = sum;
	shmap_kept_keep_locked(map, shard, record, spot->ref);
	return 0;
}

/**
 * struct adding - what ADD needs besides the request
 * @record: to keep the entry that is there, or NULL, or ERR_PTR()
 * @keep: the entry that is there is to be kept
 * @fresh: there was a fresh entry, or no need for one
 * @wants: block that the table wants, or 0
 */
struct adding {
	struct shmap_kept	*record;
	bool			keep;
	bool			fresh;
	u32			wants;
};

/* One attempt.  Nothing changed when something has to be got first. */
static int add_once_locked(struct shmap_map *map, struct shmap_shard *shard,
			   struct shmap_request *rq, struct adding *adding)
{
	struct shmap_table *table = &shard->table;
	struct shmap_probe probe __uninitialized;
	struct shmap_spot spot __uninitialized;
	struct kmap_entry *entry;
	s64 sum = 0;
	int r;

	adding->wants = 0;
	adding->keep = false;
	adding->fresh = true;
	shmap_table_begin(table, rq->hash, &probe);
	entry = shmap_table_find(table, &probe, rq->key, rq->key_len, &spot);
	r = check(rq, entry);
	if (!r && entry)
		r = sum_up(entry, rq, &sum);
	if (r)
		return r;
	if (!entry) {
		adding->fresh = rq->fresh.entry;
		adding->wants = shmap_table_wants_locked(table);
		return adding->fresh && !adding->wants ?
		       shmap_change_insert_locked(map, shard, rq, &probe) : 0;
	}
	if (shmap_map_may_need(shard, entry))
		adding->keep = shmap_kept_claim_locked(map, shard, entry,
						       adding->record);
	if (likely(!adding->keep)) {
		add_locked(shard, rq, &probe, entry, sum);
		return 0;
	}
	adding->fresh = rq->fresh.entry;
	return adding->fresh && adding->record ?
	       add_copy_locked(map, shard, rq, &probe, &spot, entry, sum,
			       adding->record) : 0;
}

/* Get the fresh entry: as it is to be when the key is absent. */
static int get_fresh(struct shmap_map *map, struct shmap_request *rq,
		     struct adding *adding)
{
	int r;

	if (map->config.max_value < SHMAP_NUMBER_LEN)
		return -EFBIG;
	r = shmap_key_prepare(map, rq, SHMAP_NUMBER_LEN, KMAP_IS_NUMBER);
	if (!r) {
		*(s64 *)shmap_entry_value(rq->fresh.entry) = rq->number;
	} else if (adding->keep) {
		/* In place, then, whoever needs what was there. */
		shmap_kept_discard(map, adding->record);
		adding->record = ERR_PTR(r);
		r = 0;
	}
	return r;
}

/**
 * shmap_key_add - add to a number
 * @map: the map
 * @rq: the request; if a fresh entry was needed and not used, it is left there
 *
 * Context: may sleep.
 * Return: 0, or -ENOENT, -EEXIST, -EDOM, -ERANGE, -EFBIG, -ENOSPC, -EXFULL or
 * -ENOMEM and nothing changed.
 */
int shmap_key_add(struct shmap_map *map, struct shmap_request *rq)
{
	struct shmap_shard *shard = shmap_map_shard(map, rq->hash);
	struct adding adding = { NULL };
	bool again;
	int r;

	do {
		shmap_map_lock(map, shard);
		r = add_once_locked(map, shard, rq, &adding);
		shmap_map_unlock(map, shard);
		again = r == -EAGAIN;
		if (again)
			r = 0;
		if (r || again)
			continue;
		again = !adding.fresh || adding.wants;
		if (!adding.fresh)
			r = get_fresh(map, rq, &adding);
		if (!r && adding.wants)
			r = shmap_key_feed(map, shard, adding.wants);
		if (!r && shmap_change_again(map, rq, adding.keep,
					     &adding.record))
			again = true;
	} while (!r && again);

	if (unlikely(adding.record && (r || !adding.keep)))
		shmap_kept_discard(map, adding.record);
	if (r)
		return r;
	if (unlikely(adding.keep))
		shmap_kept_sweep_some(map);
	shmap_map_count(map, SHMAP_ADDS);
	return 0;
}
