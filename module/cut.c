// SPDX-License-Identifier: GPL-2.0-only
/*
 * Cuts: the moments that snapshots show.
 *
 * A cut is made in one shard after the other: under the shard's lock, the shard's
 * version is noted and the shard is marked as frozen.  A writer that finds its
 * shard frozen while the cut is not complete completes it, in all shards, and goes
 * on.  So the moment of a cut is when it is made in the last shard: before that
 * nothing changes in a shard where it was made, and what changes elsewhere belongs
 * to it.  Nobody waits for the task that takes the snapshot, nor for any other but
 * who holds a shard's lock.
 *
 * One cut is made at a time.  Who wants another completes that one first.
 */
#include <linux/cred.h>
#include <linux/err.h>
#include <linux/overflow.h>
#include <linux/sched.h>
#include <linux/slab.h>

#include "cut.h"

static void put_cut(struct shmap_map *map, struct shmap_cut *cut)
{
	bool last;

	raw_spin_lock(&map->cuts.lock);
	last = !--cut->refs;
	raw_spin_unlock(&map->cuts.lock);
	if (last)
		kvfree(cut);
}

/* Make the cut in one shard, unless somebody has. */
static void visit(struct shmap_map *map, struct shmap_shard *shard,
		  struct shmap_cut *cut)
{
	const struct shmap_lock_ops *lock = map->config.lock;

	shmap_lock_write_enter(lock, &shard->lock);
	if (shard->cut < cut->number) {
		cut->version[shard - map->shard] = shard->version;
		shard->newest = shard->version;
		shard->cut = cut->number;
		shard->frozen = true;
	}
	shmap_lock_write_leave(lock, &shard->lock);
}

/* Make the cut in all shards. */
static void make_cut(struct shmap_map *map, struct shmap_cut *cut)
{
	struct shmap_cuts *cuts = &map->cuts;
	unsigned int i;

	for (i = 0; i < map->config.shards; i++)
		visit(map, &map->shard[i], cut);
	raw_spin_lock(&cuts->lock);
	if (cuts->running == cut)
		cuts->running = NULL;
	raw_spin_unlock(&cuts->lock);
}

/* The cut that is being made: any, or only the one of that number. */
static struct shmap_cut *get_running(struct shmap_cuts *cuts, u64 number)
{
	struct shmap_cut *cut;

	raw_spin_lock(&cuts->lock);
	cut = cuts->running;
	if (cut && number && cut->number != number)
		cut = NULL;
	if (cut)
		cut->refs++;
	raw_spin_unlock(&cuts->lock);
	return cut;
}

/**
 * shmap_cut_thaw - go on with a shard that was found frozen
 * @map: the map
 * @shard: the shard
 *
 * Drops the lock of the shard while it completes the cut.
 *
 * Context: writer; may sleep where the shard's lock may.
 */
void shmap_cut_thaw(struct shmap_map *map, struct shmap_shard *shard)
{
	const struct shmap_lock_ops *lock = map->config.lock;
	struct shmap_cut *cut;

	shmap_table_assert_locked(&shard->table);
	while (shard->frozen) {
		cut = get_running(&map->cuts, shard->cut);
		if (!cut) {
			shard->frozen = false;
			return;
		}
		shmap_lock_write_leave(lock, &shard->lock);
		make_cut(map, cut);
		put_cut(map, cut);
		shmap_lock_write_enter(lock, &shard->lock);
	}
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

/* Begin a cut, which is made in no shard yet. */
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
		other = get_running(cuts, 0);
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
 * Return: the cut, made in all shards; ERR_PTR(-ENOMEM), or ERR_PTR(-ENOBUFS)
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
