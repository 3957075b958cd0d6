// SPDX-License-Identifier: GPL-2.0-only
/*
 * Cuts: the moments that snapshots show.
 *
 * A cut is made in steps, each a few stores under one lock.  First all shards are
 * marked, one after the other.  When all are marked, the moment is chosen, under
 * cuts->order.  Then the version of each shard is noted and its mark removed.  A
 * writer that finds its shard marked makes its change under cuts->order as well if the
 * moment has not been chosen; else it notes the version itself before it changes anything.
 *
 * So each change is before or after the moment as a whole.  A change that found a mark
 * was complete before the moment or began after it: cuts->order ensures that.  A change
 * that found no mark was complete before the shard was marked, or began after the version
 * was noted.  A change after the moment finds the version noted, or notes it first.
 *
 * A writer that finds a mark makes some steps of the cut, so that the cut is completed
 * even if the task that began it is stopped.  No task waits for the task that takes the
 * snapshot, nor for any other that holds no lock.
 *
 * One cut is made at a time.  A task that wants to begin another one first completes that.
 */
#include <linux/cred.h>
#include <linux/err.h>
#include <linux/overflow.h>
#include <linux/sched.h>
#include <linux/slab.h>

#include "cut.h"

/* Steps of a cut that a writer makes when it finds a mark. */
#define HELP		8u

static void put_cut(struct shmap_map *map, struct shmap_cut *cut)
{
	bool last;

	raw_spin_lock(&map->cuts.lock);
	last = !--cut->refs;
	raw_spin_unlock(&map->cuts.lock);
	if (last)
		kvfree(cut);
}

/* Mark a shard, unless its version has been noted for this cut. */
static void mark(struct shmap_map *map, struct shmap_shard *shard,
		 const struct shmap_cut *cut)
{
	const struct shmap_lock_ops *lock = map->config.lock;

	shmap_lock_write_enter(lock, &shard->lock);
	if (shard->cut < cut->number)
		shard->marked = true;
	shmap_lock_write_leave(lock, &shard->lock);
}

/* Choose the moment. */
static void choose(struct shmap_cuts *cuts, struct shmap_cut *cut)
{
	raw_spin_lock(&cuts->order);
	cut->chosen = true;
	raw_spin_unlock(&cuts->order);
}

static void note_locked(struct shmap_map *map, struct shmap_shard *shard,
			struct shmap_cut *cut)
{
	shmap_table_assert_locked(&shard->table);
	cut->version[shard - map->shard] = shard->version;
	shard->newest = shard->version;
	shard->cut = cut->number;
	shard->marked = false;
}

/* Note the version of a shard, unless that has been done. */
static void note(struct shmap_map *map, struct shmap_shard *shard,
		 struct shmap_cut *cut)
{
	const struct shmap_lock_ops *lock = map->config.lock;

	shmap_lock_write_enter(lock, &shard->lock);
	if (shard->cut < cut->number)
		note_locked(map, shard, cut);
	shmap_lock_write_leave(lock, &shard->lock);
}

/*
 * Make the next step of a cut.  Other tasks may make the same step, and the later ones
 * find it made.  Returns false when no step is left.
 */
static bool step(struct shmap_map *map, struct shmap_cut *cut)
{
	unsigned int shards = map->config.shards, last = 2 * shards;
	struct shmap_cuts *cuts = &map->cuts;
	unsigned int at;

	raw_spin_lock(&cuts->lock);
	at = cut->steps;
	raw_spin_unlock(&cuts->lock);
	if (at < shards)
		mark(map, &map->shard[at], cut);
	else if (at == shards)
		choose(cuts, cut);
	else if (at <= last)
		note(map, &map->shard[at - shards - 1], cut);
	else
		return false;
	raw_spin_lock(&cuts->lock);
	if (cut->steps == at) {
		cut->steps = at + 1;
		if (at == last)
			cuts->running = NULL;
	}
	raw_spin_unlock(&cuts->lock);
	return true;
}

static void make_cut(struct shmap_map *map, struct shmap_cut *cut)
{
	while (step(map, cut))
		;
}

/* Get a reference to the cut that is being made, or NULL. */
static struct shmap_cut *get_running(struct shmap_cuts *cuts)
{
	struct shmap_cut *cut;

	raw_spin_lock(&cuts->lock);
	cut = cuts->running;
	if (cut)
		cut->refs++;
	raw_spin_unlock(&cuts->lock);
	return cut;
}

static void help(struct shmap_map *map)
{
	struct shmap_cut *cut = get_running(&map->cuts);
	unsigned int i;

	if (!cut)
		return;
	for (i = 0; i < HELP && step(map, cut); i++)
		;
	put_cut(map, cut);
}

/**
 * shmap_cut_enter - lock a shard for a change although it is marked
 * @map: the map
 * @shard: the shard; locked
 *
 * Drops the shard's lock while it helps with the cut, and takes the lock again.  If
 * the shard is still marked then, cuts->order is held as well on return.
 *
 * Context: writer; may sleep where taking the shard's lock may.
 */
void shmap_cut_enter(struct shmap_map *map, struct shmap_shard *shard)
{
	const struct shmap_lock_ops *lock = map->config.lock;
	struct shmap_cuts *cuts = &map->cuts;

	shmap_table_assert_locked(&shard->table);
	shmap_lock_write_leave(lock, &shard->lock);
	help(map);
	shmap_lock_write_enter(lock, &shard->lock);
	if (!shard->marked)
		return;
	raw_spin_lock(&cuts->order);
	/* The cut stays in cuts->running: it cannot be completed without this shard. */
	if (cuts->running->chosen) {
		note_locked(map, shard, cuts->running);
		raw_spin_unlock(&cuts->order);
	} else {
		/* cuts->order stays locked; this hides it from sparse. */
		__release(&cuts->order);
	}
}

/**
 * shmap_cut_leave - end a change of a marked shard: unlock cuts->order
 * @map: the map
 *
 * Context: as shmap_cut_enter() left it.
 */
void shmap_cut_leave(struct shmap_map *map)
{
	__acquire(&map->cuts.order);
	raw_spin_unlock(&map->cuts.order);
}

/**
 * shmap_cut_end_locked - end a cut: keep nothing for it from now on
 * @map: the map
 * @cut: an active cut; its snapshot fails, unless that is complete
 *
 * Context: the caller must hold cuts->lock.
 */
void shmap_cut_end_locked(struct shmap_map *map, struct shmap_cut *cut)
{
	lockdep_assert_held(&map->cuts.lock);
	WRITE_ONCE(cut->ended, true);
	list_del(&cut->node);
	WRITE_ONCE(map->cuts.n, map->cuts.n - 1);
	WRITE_ONCE(map->cuts.sweep_left, map->config.shards);
}

static unsigned int count_locked(const struct shmap_cuts *cuts, kuid_t uid)
{
	const struct shmap_cut *cut;
	unsigned int n = 0;

	lockdep_assert_held(&cuts->lock);
	list_for_each_entry(cut, &cuts->active, node)
		n += uid_eq(cut->uid, uid);
	return n;
}

/*
 * Make sure that a cut of @uid can be added.  If there are SHMAP_CUTS already, the oldest
 * one of the user that has most is ended.  Returns false when no user has more than @uid.
 */
static bool make_room_locked(struct shmap_map *map, kuid_t uid)
{
	struct shmap_cut *cut, *victim = NULL;
	unsigned int n, most = 0;

	lockdep_assert_held(&map->cuts.lock);
	if (map->cuts.n < SHMAP_CUTS)
		return true;
	list_for_each_entry(cut, &map->cuts.active, node) {
		n = count_locked(&map->cuts, cut->uid);
		if (n > most) {
			most = n;
			victim = cut;
		}
	}
	if (!victim || count_locked(&map->cuts, uid) == most)
		return false;
	shmap_cut_end_locked(map, victim);
	return true;
}

/* Begin a cut, without any of its steps. */
static struct shmap_cut *announce(struct shmap_map *map)
{
	struct shmap_cuts *cuts = &map->cuts;
	struct shmap_cut *cut, *other;
	bool room;

	cut = kvzalloc(struct_size(cut, version, map->config.shards),
		       SHMAP_MEM_GFP);
	if (!cut)
		return ERR_PTR(-ENOMEM);
	cut->uid = current_euid();
	cut->refs = 1;
	raw_spin_lock(&cuts->lock);
	while (cuts->running) {
		raw_spin_unlock(&cuts->lock);
		other = get_running(cuts);
		if (other) {
			make_cut(map, other);
			put_cut(map, other);
		}
		raw_spin_lock(&cuts->lock);
	}
	room = make_room_locked(map, cut->uid);
	if (room) {
		cut->number = ++cuts->number;
		list_add_tail(&cut->node, &cuts->active);
		WRITE_ONCE(cuts->n, cuts->n + 1);
		cuts->running = cut;
	}
	raw_spin_unlock(&cuts->lock);
	if (room)
		return cut;
	kvfree(cut);
	return ERR_PTR(-ENOBUFS);
}

/**
 * shmap_cut_begin - begin a snapshot: choose its moment
 * @map: the map
 *
 * Context: may sleep.
 * Return: the cut, complete; or ERR_PTR(-ENOMEM); or ERR_PTR(-ENOBUFS) when there are
 * SHMAP_CUTS already and no user has more of them than the caller.
 */
struct shmap_cut *shmap_cut_begin(struct shmap_map *map)
{
	struct shmap_cut *cut = announce(map);

	if (!IS_ERR(cut))
		make_cut(map, cut);
	return cut;
}

/**
 * shmap_cut_pass - note which places a snapshot has passed
 * @map: the map
 * @cut: the snapshot's cut
 * @place: the snapshot needs nothing before this place any more
 *
 * Context: any.
 */
void shmap_cut_pass(struct shmap_map *map, struct shmap_cut *cut, u64 place)
{
	raw_spin_lock(&map->cuts.lock);
	cut->passed = place;
	raw_spin_unlock(&map->cuts.lock);
}

/**
 * shmap_cut_end - end a snapshot
 * @map: the map
 * @cut: the snapshot's cut; not to be used any more
 *
 * What was kept for it is not freed here, but by shmap_sweep_all().
 *
 * Context: may sleep.
 */
void shmap_cut_end(struct shmap_map *map, struct shmap_cut *cut)
{
	raw_spin_lock(&map->cuts.lock);
	if (!cut->ended)
		shmap_cut_end_locked(map, cut);
	raw_spin_unlock(&map->cuts.lock);
	put_cut(map, cut);
}
