// SPDX-License-Identifier: GPL-2.0-only
/*
 * Compaction: entries are moved from slabs with few entries to others of their class, so
 * that the former become empty and their memory can be used for another class or given
 * back.
 *
 * An entry is immutable but for its version and number, and one slot of the table refers
 * to it.  So it is moved by copying it, and replacing the reference, within one hold of
 * the shard's lock and one change of seq.  It keeps its version: to readers nothing has
 * changed.  The old entry is retired as any unlinked entry.  One that is longer than
 * SHMAP_COMPACT_PIECE is copied in pieces, in one hold each, and its version tells whether
 * it is still the same in the last one.
 *
 * A slab is drained object by object.  The header of an object tells where to look for it:
 * if its chain has no reference to it, it is not in the table.  It may be free, deferred, in
 * preparation by a task that has allocated it, or kept for a snapshot; whatever its
 * header says then is harmless.  An entry in the table that a snapshot needs stays where it
 * is, since the snapshot may have collected the reference.
 *
 * A drained slab is parked until its last object is freed.  If many entries could not be
 * moved, its free objects are used again instead.
 *
 * Mostly the keeper does this, when more than 1/SHMAP_ARENA_SLACK of an arena is in free
 * objects.  A task that needs a new slab while twice as much is free, or while the map is
 * tight, does a bounded part, so that memory stays bounded even if the keeper gets no CPU.
 *
 * Locking: no lock is held by the caller.  A shard's lock is taken for one entry or piece;
 * arena->lock is not taken under it.
 */
#include <linux/sched.h>

#include "compact.h"
#include "kept.h"
#include "shard.h"
#include "table_inline.h"

/* Most bytes that are copied in one hold of a shard's lock. */
#define SHMAP_COMPACT_PIECE	16384u

/*
 * What a task that needs a slab does at most: objects looked at, those of them that are not
 * free, bytes copied.  So that for each slab that it takes it can free one which is half
 * full, or several which are nearly empty.
 */
#define SOME_LOOKS		512u
#define SOME_OBJECTS		64u
#define SOME_BYTES		32768u

/* Hash and lengths, which are read of any object. */
#define HEADER			offsetof(struct kmap_entry, version)

/**
 * struct budget - how much more is to be done
 * @looks: objects to look at
 * @objects: objects to move, if they are in the table
 * @bytes: bytes to copy
 */
struct budget {
	u32	looks;
	u32	objects;
	u32	bytes;
};

/* What has become of an object. */
enum moved {
	MOVED,		/* it was moved, or is not in the table */
	STAYS,		/* a snapshot needs it */
	NO_ROOM,	/* no other slab of the class has a free object */
};

/**
 * struct move - an entry that is being moved
 * @from: the entry
 * @to: its copy
 * @from_ref: reference to the entry
 * @to_ref: reference to the copy
 * @hash: hash in the header, as it was read once
 * @size: bytes of an object
 * @at: bytes that have been copied
 * @word: version word of the entry, when @at is not 0
 */
struct move {
	struct kmap_entry	*from;
	struct kmap_entry	*to;
	u32			from_ref;
	u32			to_ref;
	u32			hash;
	u32			size;
	u32			at;
	u64			word;
};

/* Look for the slot that refers to the entry. */
static bool find_locked(const struct shmap_table *table, const struct move *move,
			struct shmap_probe *probe, struct shmap_spot *spot)
{
	unsigned int slot;

	shmap_table_assert_locked(table);
	shmap_table_begin(table, move->hash, probe);
	for (spot->bucket = probe->home; spot->bucket;
	     spot->bucket = shmap_chain_next(&table->chains, spot->bucket))
		for (slot = 0; slot < KMAP_BUCKET_SLOTS; slot++)
			if (spot->bucket->refs[slot] == move->from_ref) {
				spot->slot = slot;
				spot->ref = move->from_ref;
				return true;
			}
	return false;
}

/*
 * Copy the next piece, and after the last one replace the reference.  Returns false when
 * the entry is not in the table, was changed, or must stay.
 */
static bool copy_locked(struct shmap_map *map, struct shmap_shard *shard,
			struct move *move, enum moved *moved)
{
	struct shmap_probe probe __uninitialized;
	struct shmap_spot spot __uninitialized;
	u32 len = min(move->size - move->at, SHMAP_COMPACT_PIECE);

	shmap_table_assert_locked(&shard->table);
	if (!find_locked(&shard->table, move, &probe, &spot))
		return false;
	if (move->at && move->from->version != move->word)
		return false;
	if (shmap_kept_may_need(shard, move->from) &&
	    shmap_kept_claim_locked(map, shard, move->from, NULL)) {
		*moved = STAYS;
		return false;
	}
	move->word = move->from->version;
	if (!move->at) {
		/* Another task may be looking at the copy, as move_object() does. */
		WRITE_ONCE(move->to->hash, move->from->hash);
		WRITE_ONCE(move->to->lens, move->from->lens);
		move->at = HEADER;
		len -= HEADER;
	}
	memcpy((void *)move->to + move->at, (void *)move->from + move->at, len);
	move->at += len;
	if (move->at == move->size)
		shmap_table_replace_locked(&shard->table, &probe, &spot,
					   move->to_ref);
	return true;
}

/* Move an entry whose copy has been allocated.  Returns true when it was moved. */
static bool copy_all(struct shmap_map *map, struct shmap_shard *shard,
		     struct move *move, enum moved *moved)
{
	bool good;

	do {
		shmap_shard_lock(map, shard);
		good = copy_locked(map, shard, move, moved);
		shmap_shard_unlock(map, shard);
	} while (good && move->at < move->size);
	return good;
}

/* Is anything left of the budget? */
static bool has_some(const struct budget *budget)
{
	return budget->looks && budget->objects && budget->bytes;
}

static enum moved move_object(struct shmap_map *map, struct shmap_arena *arena,
			      u32 ref, u32 size, struct budget *budget)
{
	struct move move = {
		.from = shmap_pool_entry(&map->pool, ref),
		.from_ref = ref,
		.size = size,
	};
	struct shmap_shard *shard;
	enum moved moved = MOVED;

	/* A free object. */
	if (!READ_ONCE(move.from->lens))
		return MOVED;
	budget->objects--;
	move.hash = READ_ONCE(move.from->hash);
	shard = shmap_map_shard(map, move.hash);
	move.to = shmap_arena_take(arena, size, &move.to_ref);
	if (!move.to)
		return NO_ROOM;
	if (copy_all(map, shard, &move, &moved)) {
		budget->bytes -= min(budget->bytes, size);
		atomic_long_add(size, &map->pool.compacted);
		shmap_shard_retire(map, shard, ref, size);
	} else {
		shmap_arena_free(arena->pool, &move.to_ref, 1);
	}
	return moved;
}

/* Drain a slab, as far as the budget goes.  Returns false when it cannot be emptied. */
static bool drain(struct shmap_map *map, struct shmap_arena *arena,
		  struct shmap_slab *slab, struct budget *budget)
{
	u32 step = slab->size >> SHMAP_REF_SHIFT, staying = 0;
	enum moved moved = MOVED;

	for (; slab->drained < slab->fresh && has_some(budget); slab->drained++) {
		moved = move_object(map, arena, slab->first * SHMAP_UNIT_REFS +
				    slab->drained * step, slab->size, budget);
		if (moved == NO_ROOM)
			break;
		staying += moved == STAYS;
		budget->looks--;
		cond_resched();
	}
	return moved != NO_ROOM && staying <= slab->objects / 8;
}

/**
 * shmap_compact_some - do a bounded part of a compaction
 * @map: the map
 * @arena: the arena in which a slab is needed
 *
 * This is for when more is free than the keeper should have left: while the map is tight it
 * is enough that the keeper had something to do.
 *
 * Context: may sleep.
 */
void shmap_compact_some(struct shmap_map *map, struct shmap_arena *arena)
{
	bool tight = shmap_pool_is_tight(&map->pool), good = true;
	unsigned int part = tight ? SHMAP_ARENA_SLACK : SHMAP_ARENA_SLACK / 2;
	struct budget budget = { SOME_LOOKS, SOME_OBJECTS, SOME_BYTES };
	struct shmap_slab *slab;
	unsigned int looked;

	while (good && has_some(&budget) && shmap_arena_is_uneven(arena, part)) {
		slab = shmap_arena_resume(arena, false) ?:
		       shmap_arena_drain(arena, 4, &looked);
		if (!slab && tight)
			slab = shmap_arena_drain(arena, 8, &looked);
		if (!slab)
			break;
		good = drain(map, arena, slab, &budget);
		shmap_arena_park(arena, slab, !good);
	}
}

/* Look once more at slabs that are not empty yet although they were drained. */
static void resume(struct shmap_map *map, struct shmap_arena *arena)
{
	unsigned int n = READ_ONCE(arena->parked_n);
	struct shmap_slab *slab;

	while (n-- && (slab = shmap_arena_resume(arena, true))) {
		struct budget all = { ~0u, ~0u, ~0u };
		bool good;

		if (slab->drained == slab->fresh)
			slab->drained = 0;
		good = drain(map, arena, slab, &all);
		shmap_arena_park(arena, slab, !good);
		cond_resched();
	}
}

/* Drain slabs that are at most so full, while too much is free, in one round of them. */
static void drain_round(struct shmap_map *map, struct shmap_arena *arena,
			unsigned int part, unsigned int eighths)
{
	unsigned int looks = READ_ONCE(arena->sparse_n);
	struct shmap_slab *slab;
	unsigned int looked;
	bool good;

	while (looks && shmap_arena_is_uneven(arena, part)) {
		struct budget all = { ~0u, ~0u, ~0u };

		slab = shmap_arena_drain(arena, eighths, &looked);
		looks -= min(looks, looked);
		if (!slab)
			continue;
		good = drain(map, arena, slab, &all);
		shmap_arena_park(arena, slab, !good);
		cond_resched();
	}
}

/**
 * shmap_compact_arena - move entries until little memory is in free objects
 * @map: the map
 * @arena: the arena
 * @part: this part of its slabs may be free, as shmap_arena_is_uneven() takes it
 *
 * Slabs with few entries come first.
 *
 * Context: may sleep.
 * Return: true when something was parked, which goes when no reader uses it.
 */
bool shmap_compact_arena(struct shmap_map *map, struct shmap_arena *arena,
			 unsigned int part)
{
	unsigned int eighths;

	resume(map, arena);
	for (eighths = 1; eighths <= 8; eighths++)
		drain_round(map, arena, part, eighths);
	return READ_ONCE(arena->parked_n);
}
