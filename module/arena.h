/* SPDX-License-Identifier: GPL-2.0-only */
/* Entries in size classes, allocated from slabs; see arena.c. */
#ifndef SHMAP_ARENA_H
#define SHMAP_ARENA_H

#include <linux/list.h>
#include <linux/log2.h>
#include <linux/rbtree.h>
#include <linux/spinlock.h>

#include "pool.h"

/* One class per 8 bytes up to 512 bytes, then eight classes per doubling. */
#define SHMAP_SMALL_MAX		512u
#define SHMAP_SMALL_CLASSES	(SHMAP_SMALL_MAX / 8)
#define SHMAP_CLASSES		(SHMAP_SMALL_CLASSES + 8 * 12)

/* This part of the slabs may be in free objects before entries are moved: a sixteenth. */
#define SHMAP_ARENA_SLACK	16u

/**
 * struct shmap_arena - entries that are charged to one memory cgroup, or some of them
 * @pool: pool that units come from
 * @payer: whose entries these are; see payer.c
 * @lane: number of the arena among those of the payer
 * @users: number of tasks that use the arena and hold no lock; payer.c
 * @node: in the tree of the map's arenas; payer.c
 * @gone: in a list of arenas that are about to be freed; payer.c
 * @lock: protects all fields that follow, and the fields of slabs that change
 * @held: bytes of all slabs but those that are being drained
 * @free: bytes of free objects in the slabs of @sparse
 * @leaving: bytes of the slabs that are being drained
 * @partial: for each size class, the slabs that have a free object, unless they are being
 *	drained
 * @empty: those of them in which all objects are free
 * @sparse: those of the others in which few objects are in use
 * @parked: slabs that are being drained and are not empty yet, first those that were not
 *	looked at to the end
 * @sparse_n: number of slabs in @sparse
 * @parked_n: number of slabs in @parked
 */
struct shmap_arena {
	struct shmap_pool	*pool;
	u64			payer;
	unsigned int		lane;
	unsigned int		users;
	struct rb_node		node;
	struct list_head	gone;
	raw_spinlock_t		lock;	/* see above */
	u64			held;
	u64			free;
	u64			leaving;
	struct list_head	empty;
	struct list_head	sparse;
	struct list_head	parked;
	unsigned int		sparse_n;
	unsigned int		parked_n;
	struct hlist_head	partial[SHMAP_CLASSES];
};

/**
 * enum shmap_drain - is a slab being drained: are its entries moved away?
 * @SHMAP_DRAIN_NOT: no, its free objects can be taken
 * @SHMAP_DRAIN_BUSY: a task is moving entries
 * @SHMAP_DRAIN_PARKED: nobody is; the slab goes when its last object is freed
 */
enum shmap_drain {
	SHMAP_DRAIN_NOT,
	SHMAP_DRAIN_BUSY,
	SHMAP_DRAIN_PARKED
};

/**
 * struct shmap_slab - a run of units, cut into objects of one size class
 * @node: in arena->partial while the slab has a free object and is not being drained
 * @list: in arena->empty while no object is in use, in arena->sparse while at most @few
 *	are, or in arena->parked
 * @arena: the arena that it belongs to
 * @drain: is it being drained?
 * @drained: number of objects, the first ones, that were looked at
 * @round: the keeper's round in which the slab was put there
 * @first: number of the first unit
 * @units: number of units in the run
 * @size: bytes per object
 * @objects: number of objects that fit
 * @fresh: number of objects that have been allocated at least once
 * @live: number of objects in use
 * @few: seven eighths of @objects, or all but one; ~0 while the slab is being drained
 * @class: size class, an index into arena->partial
 * @free: reference to the first in the list of freed objects, or 0
 * @base: where its memory would begin if it had all units from the first one of the area
 */
struct shmap_slab {
	struct hlist_node	node;
	struct list_head	list;
	struct shmap_arena	*arena;
	enum shmap_drain	drain;
	u32			drained;
	unsigned long		round;
	unsigned int		first;
	unsigned int		units;
	u32			size;
	u32			objects;
	u32			fresh;
	u32			live;
	u32			few;
	u32			class;
	u32			free;
	unsigned long		base;
};

void shmap_arena_init(struct shmap_arena *arena, struct shmap_pool *pool,
		      u64 payer);
u32 shmap_arena_large(u32 bytes);
int shmap_arena_grow(struct shmap_arena *arena, u32 bytes);
void shmap_arena_free(struct shmap_pool *pool, const u32 *refs, unsigned int n);
void shmap_arena_expose(struct shmap_arena *arena);
bool shmap_arena_trim(struct shmap_arena *arena, unsigned long round);
struct shmap_slab *shmap_arena_drain(struct shmap_arena *arena,
				     unsigned int eighths, unsigned int *looked);
struct shmap_slab *shmap_arena_resume(struct shmap_arena *arena, bool all);
void shmap_arena_park(struct shmap_arena *arena, struct shmap_slab *slab,
		      bool use);
void shmap_slab_fill_locked(struct shmap_arena *arena, struct shmap_slab *slab);

/**
 * shmap_arena_size - bytes that an object takes
 * @bytes: bytes asked for, at least 1
 *
 * Context: any.
 * Return: bytes per object of the size class.
 */
static inline u32 shmap_arena_size(u32 bytes)
{
	if (likely(bytes <= SHMAP_SMALL_MAX))
		return (bytes + 7) & ~7u;
	return shmap_arena_large(bytes);
}

/**
 * shmap_arena_entry_size - bytes that an entry takes
 * @entry: a live entry
 *
 * Context: any.
 * Return: bytes per object of its size class.
 */
static inline u32 shmap_arena_entry_size(const struct kmap_entry *entry)
{
	u32 key_len = KMAP_ENTRY_KEY_LEN(entry->lens);

	return shmap_arena_size(KMAP_ENTRY_SIZE(key_len,
						KMAP_ENTRY_VALUE_LEN(entry->lens)));
}

/**
 * shmap_arena_class - size class of an object
 * @bytes: bytes asked for, at least 1
 *
 * Context: any.
 * Return: the class, an index into arena->partial.
 */
static inline unsigned int shmap_arena_class(u32 bytes)
{
	unsigned int top;

	if (likely(bytes <= SHMAP_SMALL_MAX))
		return (bytes - 1) / 8;
	top = ilog2(bytes - 1);
	return SHMAP_SMALL_CLASSES +
	       (top - ilog2(SHMAP_SMALL_MAX)) * 8 +
	       (((bytes - 1) >> (top - 3)) & 7);
}

/**
 * shmap_arena_is_uneven - is so much memory in free objects that moving entries pays?
 * @arena: the arena
 * @part: this part of all slabs may be free, for instance 16 for a sixteenth, and two units
 *	besides, so that a small arena is left alone; or 0: nothing may be free
 *
 * Only slabs of which few objects are in use are looked at.
 *
 * Without arena->lock the answer may be a little late.
 *
 * Context: any.
 * Return: true if so.
 */
static inline bool shmap_arena_is_uneven(const struct shmap_arena *arena,
					 unsigned int part)
{
	u64 may = part ? READ_ONCE(arena->held) / part + 2 * SHMAP_UNIT_SIZE : 0;

	return READ_ONCE(arena->free) > may;
}

/* The object that a reference into the slab names. */
static __always_inline struct kmap_entry *
shmap_slab_entry(const struct shmap_slab *slab, u32 ref)
{
	return (void *)(slab->base + ((unsigned long)ref << SHMAP_REF_SHIFT));
}

/* Allocate an object from a slab that has a free one. */
static __always_inline struct kmap_entry *
shmap_slab_pop_locked(struct shmap_arena *arena, struct shmap_slab *slab, u32 *ref)
{
	struct kmap_entry *object;

	lockdep_assert_held(&arena->lock);
	*ref = slab->free;
	if (likely(*ref)) {
		object = shmap_slab_entry(slab, *ref);
		slab->free = object->hash;
	} else {
		*ref = slab->first * SHMAP_UNIT_REFS +
		       slab->fresh++ * (slab->size >> SHMAP_REF_SHIFT);
		object = shmap_slab_entry(slab, *ref);
	}
	if (unlikely(slab->live <= slab->few))
		shmap_slab_fill_locked(arena, slab);
	if (unlikely(++slab->live == slab->objects))
		hlist_del_init(&slab->node);
	return object;
}

/**
 * shmap_arena_take - allocate an entry from a slab that has a free object
 * @arena: the arena
 * @bytes: its size, header included
 * @ref: set to the reference to the entry
 *
 * The memory is not cleared.  It has never been used for anything but entries of this
 * map, so it holds what these left there, or zeroes.
 *
 * Context: any.
 * Return: the entry, or NULL when no slab of its class has a free object.
 */
static __always_inline struct kmap_entry *
shmap_arena_take(struct shmap_arena *arena, u32 bytes, u32 *ref)
{
	struct hlist_head *partial = &arena->partial[shmap_arena_class(bytes)];
	struct kmap_entry *object = NULL;
	struct shmap_slab *slab;

	raw_spin_lock(&arena->lock);
	slab = hlist_entry_safe(partial->first, struct shmap_slab, node);
	if (likely(slab))
		object = shmap_slab_pop_locked(arena, slab, ref);
	raw_spin_unlock(&arena->lock);
	return object;
}

#endif /* SHMAP_ARENA_H */
