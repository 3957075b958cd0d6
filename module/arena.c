// SPDX-License-Identifier: GPL-2.0-only
/*
 * Entries that one memory cgroup pays for, or some of them, allocated as objects from slabs.
 *
 * A slab has objects of one size class.  It is a unit of the pool, or a run of units
 * where objects of the class would waste more than an eighth of a single unit.  Freed
 * objects are linked through their own first bytes.  A slab that becomes empty goes back to
 * the pool, where any class of any arena may take its units, unless no other slab of its
 * class has a free object: then the arena keeps it for a while, in a list.
 *
 * Locking: the shard's lock is not held when arena->lock is taken.  arena->lock is
 * held for a few instructions per object.  An object belongs to the task that allocated
 * it.  It may be freed once no reader can hold a reference to it any more, which
 * the caller must ensure (see defer.c for readers without locks).
 */
#include <linux/err.h>
#include <linux/log2.h>
#include <linux/sched.h>
#include <linux/string.h>

#include "arena.h"

/* Most slabs that one hold of arena->lock looks at, to drain one of them. */
#define DRAIN_LOOKS	32

/* Most slabs that one hold of arena->lock takes out. */
#define TRIM_SLABS	32

static u32 class_size(unsigned int class)
{
	unsigned int top, step;

	if (class < SHMAP_SMALL_CLASSES)
		return (class + 1) * 8;
	class -= SHMAP_SMALL_CLASSES;
	top = ilog2(SHMAP_SMALL_MAX) + class / 8;
	step = class % 8;
	return (1u << top) + ((step + 1) << (top - 3));
}

/* Units in the shortest run of which objects of @size waste at most 1/8. */
static unsigned int slab_units(u32 size)
{
	unsigned int least = DIV_ROUND_UP(size, SHMAP_UNIT_SIZE), units;

	for (units = least; units < least + 8; units++)
		if (units * SHMAP_UNIT_SIZE % size * 8 <=
		    units * SHMAP_UNIT_SIZE)
			return units;
	return least;
}

/* As long as no more objects are in use, entries may be moved away. */
static u32 few(const struct shmap_slab *slab)
{
	return slab->objects * 7ull / 8;
}

static struct shmap_slab *slab_create(struct shmap_arena *arena, u32 bytes)
{
	struct shmap_pool *pool = arena->pool;
	struct shmap_slab *slab;
	unsigned int i;
	int first;

	slab = shmap_mem_alloc(pool->mem, sizeof(*slab));
	if (!slab)
		return ERR_PTR(-ENOMEM);
	slab->arena = arena;
	slab->class = shmap_arena_class(bytes);
	slab->size = class_size(slab->class);
	slab->units = slab_units(slab->size);
	slab->objects = slab->units * SHMAP_UNIT_SIZE / slab->size;
	first = shmap_pool_take(pool, slab->units);
	if (first < 0) {
		shmap_mem_free(pool->mem, slab, sizeof(*slab));
		return ERR_PTR(first);
	}
	slab->few = few(slab);
	slab->first = first;
	slab->base = *shmap_area_base(&pool->area, first);
	INIT_LIST_HEAD(&slab->list);
	for (i = 0; i < slab->units; i++)
		*shmap_area_slab(&pool->area, first + i) = slab;
	return slab;
}

static void slab_destroy(struct shmap_pool *pool, struct shmap_slab *slab)
{
	shmap_pool_put(pool, slab->first, slab->units);
	shmap_mem_free(pool->mem, slab, sizeof(*slab));
}

static void slabs_destroy(struct shmap_pool *pool, struct list_head *slabs)
{
	struct shmap_slab *slab, *next;

	list_for_each_entry_safe(slab, next, slabs, list)
		slab_destroy(pool, slab);
}

/* Keep a slab that is empty, until the keeper takes it. */
static void keep_locked(struct shmap_arena *arena, struct shmap_slab *slab)
{
	lockdep_assert_held(&arena->lock);
	slab->round = READ_ONCE(arena->pool->round);
	list_move_tail(&slab->list, &arena->empty);
	shmap_pool_stir(arena->pool);
}

/* The slab of an object. */
static struct shmap_slab *slab_of(const struct shmap_pool *pool, u32 ref)
{
	return *shmap_area_slab(&pool->area, ref / SHMAP_UNIT_REFS);
}

/* Count a slab whose free objects can be taken; @sign is -1 when they cannot any more. */
static void count_held_locked(struct shmap_arena *arena, const struct shmap_slab *slab,
			      long sign)
{
	lockdep_assert_held(&arena->lock);
	WRITE_ONCE(arena->held, arena->held + sign * (long)(slab->units * SHMAP_UNIT_SIZE));
}

/* Count a slab that is being drained; @sign is -1 when it is no more. */
static void count_leaving_locked(struct shmap_arena *arena, const struct shmap_slab *slab,
				 long sign)
{
	long bytes = sign * (long)(slab->units * SHMAP_UNIT_SIZE);

	lockdep_assert_held(&arena->lock);
	WRITE_ONCE(arena->leaving, arena->leaving + bytes);
	atomic_long_add(bytes, &arena->pool->drained);
}

/* Take a slab without objects in use out of the arena, to destroy it. */
static void take_out_locked(struct shmap_arena *arena, struct shmap_slab *slab,
			    struct list_head *gone)
{
	lockdep_assert_held(&arena->lock);
	if (slab->drain == SHMAP_DRAIN_NOT) {
		count_held_locked(arena, slab, -1);
		hlist_del_init(&slab->node);
	} else {
		count_leaving_locked(arena, slab, -1);
	}
	list_move_tail(&slab->list, gone);
}

static void add_sparse_locked(struct shmap_arena *arena, struct shmap_slab *slab)
{
	lockdep_assert_held(&arena->lock);
	list_move_tail(&slab->list, &arena->sparse);
	WRITE_ONCE(arena->sparse_n, arena->sparse_n + 1);
	WRITE_ONCE(arena->free, arena->free +
		   (u64)(slab->objects - slab->live) * slab->size);
}

static void remove_sparse_locked(struct shmap_arena *arena, struct shmap_slab *slab)
{
	lockdep_assert_held(&arena->lock);
	list_del_init(&slab->list);
	WRITE_ONCE(arena->sparse_n, arena->sparse_n - 1);
	WRITE_ONCE(arena->free, arena->free -
		   (u64)(slab->objects - slab->live) * slab->size);
}

/**
 * shmap_slab_fill_locked - note that an object is taken from a slab with few in use
 * @arena: the arena
 * @slab: the slab; the object is not counted yet
 *
 * Context: arena->lock is held.
 */
void shmap_slab_fill_locked(struct shmap_arena *arena, struct shmap_slab *slab)
{
	if (slab->live && slab->live == slab->few) {
		remove_sparse_locked(arena, slab);
		return;
	}
	if (!slab->live && slab->few)
		add_sparse_locked(arena, slab);
	else if (!slab->live)
		list_del_init(&slab->list);
	if (slab->few)
		WRITE_ONCE(arena->free, arena->free - slab->size);
}

/*
 * An object of a slab was freed, of which few are in use, or which is being drained.  A
 * slab that became empty is moved to @gone, unless no other slab of its class has a free
 * object: the arena keeps it then, and this returns true.
 */
static noinline bool thinned_locked(struct shmap_arena *arena, struct shmap_slab *slab,
				    struct list_head *gone)
{
	lockdep_assert_held(&arena->lock);
	switch (slab->drain) {
	case SHMAP_DRAIN_BUSY:
		return false;
	case SHMAP_DRAIN_PARKED:
		if (slab->live)
			return false;
		WRITE_ONCE(arena->parked_n, arena->parked_n - 1);
		break;
	case SHMAP_DRAIN_NOT:
		if (slab->live && slab->live == slab->few) {
			add_sparse_locked(arena, slab);
			return false;
		}
		if (slab->few)
			WRITE_ONCE(arena->free, arena->free + slab->size);
		if (slab->live)
			return false;
		if (slab->few)
			remove_sparse_locked(arena, slab);
		if (hlist_is_singular_node(&slab->node, &arena->partial[slab->class])) {
			keep_locked(arena, slab);
			return true;
		}
		break;
	}
	take_out_locked(arena, slab, gone);
	return false;
}

/*
 * Put an object back in its slab; @gone and what is returned are those of thinned_locked().
 * Lengths of 0 tell a free object from an entry.
 */
static bool slab_push_locked(struct shmap_arena *arena, struct shmap_slab *slab,
			     u32 ref, struct list_head *gone)
{
	struct kmap_entry *object = shmap_slab_entry(slab, ref);

	lockdep_assert_held(&arena->lock);
	WRITE_ONCE(object->hash, slab->free);
	WRITE_ONCE(object->lens, 0);
	slab->free = ref;
	if (slab->live-- == slab->objects)
		hlist_add_head(&slab->node, &arena->partial[slab->class]);
	return unlikely(slab->live <= slab->few) && thinned_locked(arena, slab, gone);
}

/**
 * shmap_arena_init - initialize an arena
 * @arena: the arena, zeroed
 * @pool: pool that its units come from
 * @payer: whose entries it is for
 *
 * Context: any.
 */
void shmap_arena_init(struct shmap_arena *arena, struct shmap_pool *pool,
		      u64 payer)
{
	arena->pool = pool;
	arena->payer = payer;
	raw_spin_lock_init(&arena->lock);
	INIT_LIST_HEAD(&arena->empty);
	INIT_LIST_HEAD(&arena->sparse);
	INIT_LIST_HEAD(&arena->parked);
}

/**
 * shmap_arena_large - bytes that a large object takes
 * @bytes: bytes asked for, more than SHMAP_SMALL_MAX
 *
 * Context: any.
 * Return: bytes per object of the size class.
 */
u32 shmap_arena_large(u32 bytes)
{
	return class_size(shmap_arena_class(bytes));
}

/**
 * shmap_arena_grow - allocate a slab for entries of a size
 * @arena: the arena
 * @bytes: size of an entry
 *
 * Context: may sleep.
 * Return: 0, -ENOSPC when the entry area has no free run that is long enough, or -ENOMEM.
 */
int shmap_arena_grow(struct shmap_arena *arena, u32 bytes)
{
	struct shmap_slab *slab = slab_create(arena, bytes);

	if (IS_ERR(slab))
		return PTR_ERR(slab);
	raw_spin_lock(&arena->lock);
	hlist_add_head(&slab->node, &arena->partial[slab->class]);
	count_held_locked(arena, slab, 1);
	keep_locked(arena, slab);
	raw_spin_unlock(&arena->lock);
	shmap_pool_call_keeper(arena->pool);
	return 0;
}

static void wipe(const struct shmap_pool *pool, u32 ref)
{
	const struct shmap_slab *slab = slab_of(pool, ref);

	/* The first two fields, which compact.c may read, are overwritten later. */
	memset(&shmap_slab_entry(slab, ref)->version, 0,
	       slab->size - offsetof(struct kmap_entry, version));
}

/*
 * Free the first objects, as many as are of the same arena.  Sets *@call when the keeper has
 * something to do there.  Returns the number of objects.
 */
static unsigned int free_some(struct shmap_pool *pool, const u32 *refs, unsigned int n,
			      struct list_head *empty, bool *call)
{
	struct shmap_slab *slab = slab_of(pool, refs[0]);
	struct shmap_arena *arena = slab->arena;
	bool kept = false, uneven, some;
	unsigned int i = 0;

	raw_spin_lock(&arena->lock);
	do {
		kept |= slab_push_locked(arena, slab, refs[i], empty);
		if (++i == n)
			break;
		slab = slab_of(pool, refs[i]);
	} while (slab->arena == arena);
	uneven = shmap_arena_is_uneven(arena, SHMAP_ARENA_SLACK);
	some = arena->free > 2 * SHMAP_UNIT_SIZE;
	/* It may go now, if it has no slabs any more. */
	raw_spin_unlock(&arena->lock);
	if (some && !READ_ONCE(pool->uneven))
		WRITE_ONCE(pool->uneven, true);
	*call |= kept || (unlikely(uneven) && !delayed_work_pending(&pool->keeper));
	return i;
}

/**
 * shmap_arena_free - free entries that no reader can reach any more
 * @pool: the pool
 * @refs: references to them
 * @n: number of them; arena->lock is held for all those of an arena that follow each other,
 *	so some hundreds at most
 *
 * Context: may sleep.
 */
void shmap_arena_free(struct shmap_pool *pool, const u32 *refs, unsigned int n)
{
	bool call = false;
	LIST_HEAD(empty);
	unsigned int i;

	for (i = 0; unlikely(pool->wipe) && i < n; i++)
		wipe(pool, refs[i]);
	for (i = 0; i < n;)
		i += free_some(pool, refs + i, n - i, &empty, &call);
	if (unlikely(call))
		shmap_pool_call_keeper(pool);
	slabs_destroy(pool, &empty);
}

/* Give some empty slabs back to the pool.  Returns false when there were none. */
static bool trim_some(struct shmap_arena *arena, unsigned long round)
{
	struct shmap_slab *slab;
	LIST_HEAD(empty);
	unsigned int n;

	raw_spin_lock(&arena->lock);
	for (n = 0; n < TRIM_SLABS && !list_empty(&arena->empty); n++) {
		slab = list_first_entry(&arena->empty, struct shmap_slab, list);
		if ((long)(round - slab->round) < 0)
			break;
		take_out_locked(arena, slab, &empty);
	}
	raw_spin_unlock(&arena->lock);
	slabs_destroy(arena->pool, &empty);
	return n;
}

/**
 * shmap_arena_trim - give empty slabs back to the pool
 * @arena: the arena
 * @round: the last round of the keeper in which they became empty
 *
 * Context: may sleep.
 * Return: true when others are left.
 */
bool shmap_arena_trim(struct shmap_arena *arena, unsigned long round)
{
	bool left;

	while (trim_some(arena, round))
		cond_resched();
	raw_spin_lock(&arena->lock);
	left = !list_empty(&arena->empty);
	raw_spin_unlock(&arena->lock);
	return left;
}

/* Take some slabs of a class for sparse; their nodes go from @left back to the arena. */
static bool expose_some(struct shmap_arena *arena, struct hlist_head *left)
{
	struct shmap_slab *slab;
	unsigned int n;

	raw_spin_lock(&arena->lock);
	for (n = 0; n < DRAIN_LOOKS && !hlist_empty(left); n++) {
		slab = hlist_entry(left->first, struct shmap_slab, node);
		hlist_del(&slab->node);
		hlist_add_head(&slab->node, &arena->partial[slab->class]);
		if (slab->live > slab->few)
			add_sparse_locked(arena, slab);
		slab->few = slab->objects - 1;
	}
	raw_spin_unlock(&arena->lock);
	return n;
}

/**
 * shmap_arena_expose - take all slabs that are not full for sparse
 * @arena: the arena
 *
 * Context: may sleep.
 */
void shmap_arena_expose(struct shmap_arena *arena)
{
	HLIST_HEAD(left);	/* others may take slabs from there as well */
	unsigned int i;

	for (i = 0; i < SHMAP_CLASSES; i++) {
		raw_spin_lock(&arena->lock);
		hlist_move_list(&arena->partial[i], &left);
		raw_spin_unlock(&arena->lock);
		while (expose_some(arena, &left))
			cond_resched();
	}
}

/**
 * shmap_arena_drain - choose a slab whose entries are to be moved away
 * @arena: the arena
 * @eighths: at most so many eighths of its objects are in use
 * @looked: set to the number of slabs that were looked at, at least 1
 *
 * Its free objects cannot be taken any more.  The slabs are looked at in turns, some per
 * call.
 *
 * Context: any.
 * Return: the slab, which stays until shmap_arena_park(), or NULL when none was found.
 */
struct shmap_slab *shmap_arena_drain(struct shmap_arena *arena,
				     unsigned int eighths, unsigned int *looked)
{
	struct shmap_slab *slab, *found = NULL;
	unsigned int n;

	raw_spin_lock(&arena->lock);
	for (n = 0; !found && n < DRAIN_LOOKS && !list_empty(&arena->sparse); n++) {
		slab = list_first_entry(&arena->sparse, struct shmap_slab, list);
		list_move_tail(&slab->list, &arena->sparse);
		/* Entries are moved to others of its class. */
		if (slab->live * 8ull > slab->objects * (u64)eighths ||
		    hlist_is_singular_node(&slab->node, &arena->partial[slab->class]))
			continue;
		count_held_locked(arena, slab, -1);
		count_leaving_locked(arena, slab, 1);
		hlist_del_init(&slab->node);
		remove_sparse_locked(arena, slab);
		slab->drain = SHMAP_DRAIN_BUSY;
		slab->drained = 0;
		slab->few = ~0u;
		found = slab;
	}
	raw_spin_unlock(&arena->lock);
	*looked = max(n, 1u);
	return found;
}

/**
 * shmap_arena_resume - go on with a slab that was parked
 * @arena: the arena
 * @all: also with one that was looked at to the end
 *
 * Context: any.
 * Return: the slab, which stays until shmap_arena_park(), or NULL when none is parked.
 */
struct shmap_slab *shmap_arena_resume(struct shmap_arena *arena, bool all)
{
	struct shmap_slab *slab;

	raw_spin_lock(&arena->lock);
	slab = list_first_entry_or_null(&arena->parked, struct shmap_slab, list);
	if (slab && !all && slab->drained == slab->fresh)
		slab = NULL;
	if (slab) {
		list_del_init(&slab->list);
		WRITE_ONCE(arena->parked_n, arena->parked_n - 1);
		slab->drain = SHMAP_DRAIN_BUSY;
	}
	raw_spin_unlock(&arena->lock);
	return slab;
}

static void park_locked(struct shmap_arena *arena, struct shmap_slab *slab)
{
	lockdep_assert_held(&arena->lock);
	slab->drain = SHMAP_DRAIN_PARKED;
	if (slab->drained < slab->fresh)
		list_add(&slab->list, &arena->parked);
	else
		list_add_tail(&slab->list, &arena->parked);
	WRITE_ONCE(arena->parked_n, arena->parked_n + 1);
}

static void use_locked(struct shmap_arena *arena, struct shmap_slab *slab)
{
	lockdep_assert_held(&arena->lock);
	slab->drain = SHMAP_DRAIN_NOT;
	count_leaving_locked(arena, slab, -1);
	count_held_locked(arena, slab, 1);
	hlist_add_head(&slab->node, &arena->partial[slab->class]);
	slab->few = few(slab);
	if (slab->live > slab->few)
		slab->few = slab->objects - 1;
	add_sparse_locked(arena, slab);
}

/**
 * shmap_arena_park - let go of a slab that was being drained
 * @arena: the arena
 * @slab: the slab
 * @use: its free objects are to be used again, since entries could not be moved
 *
 * Context: may sleep.
 */
void shmap_arena_park(struct shmap_arena *arena, struct shmap_slab *slab,
		      bool use)
{
	LIST_HEAD(gone);

	raw_spin_lock(&arena->lock);
	if (!slab->live)
		take_out_locked(arena, slab, &gone);
	else if (use)
		use_locked(arena, slab);
	else
		park_locked(arena, slab);
	raw_spin_unlock(&arena->lock);
	slabs_destroy(arena->pool, &gone);
}
