// SPDX-License-Identifier: GPL-2.0-only
/*
 * Cuts: the moments that snapshots show.
 *
 * A cut is made in steps, each a few stores under one lock.  First all shards are
 * marked, one after the other.  A writer that finds its shard marked makes its change
 * under cuts->order as well.  When all are marked, the moment is chosen, under
 * cuts->order.  Then the version of each shard is noted, and its mark taken away; a
 * writer that comes first notes it itself before it changes anything.
 *
 * So a change is on one side of the moment as a whole.  One that did not find the mark
 * was over when the shard was marked, and one that found it was over before the moment,
 * or began after it: cuts->order sees to that.  What is after the moment finds the
 * version noted, or notes it.
 *
 * A writer that meets a mark makes some steps of the cut, so that it comes to its end
 * whoever is stopped in the middle of it.  Nobody waits for the task that takes the
 * snapshot, nor for any other but who holds a shard's lock or cuts->order.
 *
 * One cut is made at a time.  Who wants another completes that one first.
 */
#include <linux/cred.h>
#include <linux/err.h>
#include <linux/overflow.h>
#include <linux/sched.h>
#include <linux/slab.h>

#include "cut.h"

/* Steps that a writer makes of a cut that it meets. */
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

/* Mark a shard, unless the cut's moment is over there. */
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

/* Note the version of a shard, unless somebody has. */
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
 * Make the next step of a cut.  Others may make the same one, and whoever is late
 * finds it made.  False: there is none.
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

/* The cut that is being made, or NULL. */
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
 * shmap_cut_enter - go on with a shard that was found marked
 * @map: the map
 * @shard: the shard
 *
 * Drops the lock of the shard while it helps with the cut.  If the shard is still
 * marked at the end, cuts->order is held.
 *
 * Context: writer; may sleep where the shard's lock may.
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
	/* It stays: it is not complete without this shard. */
	if (cuts->running->chosen) {
		note_locked(map, shard, cuts->running);
		raw_spin_unlock(&cuts->order);
	} else {
		/* Held on; sparse is not to know. */
		__release(&cuts->order);
	}
}

/**
 * shmap_cut_leave - a change of a marked shard is over
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
 * shmap_cut_end_locked - keep nothing for a cut from now on
 * @map: the map
 * @cut: an active cut; its snapshot fails unless it is over
 *
 * Context: cuts->lock.
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

/* Room for one more: at the cost of who has most.  That may be the newcomer. */
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

/* Begin a cut, of which no step is made yet. */
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
 * Return: the cut, complete; ERR_PTR(-ENOMEM), or ERR_PTR(-ENOBUFS)
 * when there are as many as there may be, and nobody has more of them than the
 * caller.
 */
struct shmap_cut *shmap_cut_begin(struct shmap_map *map)
{
	struct shmap_cut *cut = announce(map);

	if (!IS_ERR(cut))
		make_cut(map, cut);
	return cut;
}

/**
 * shmap_cut_pass - say what a snapshot does not need any more
 * @map: the map
 * @cut: its cut
 * @place: all before this place
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
 * @cut: its cut; not to be used any more
 *
 * What was kept for it is left to shmap_sweep_all().
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
