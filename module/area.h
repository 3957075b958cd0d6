/* SPDX-License-Identifier: GPL-2.0-only */
/* The address space of the entry area, in units and regions; see area.c. */
#ifndef SHMAP_AREA_H
#define SHMAP_AREA_H

#include <linux/bitmap.h>
#include <linux/bits.h>
#include <linux/kmap.h>
#include <linux/mm.h>
#include <linux/spinlock.h>
#include <linux/types.h>

#include "mem.h"
#include "runs.h"

/* Size of a unit: 16 KiB, or a page where pages are larger. */
#if PAGE_SHIFT > 14
#define SHMAP_UNIT_SHIFT	PAGE_SHIFT
#else
#define SHMAP_UNIT_SHIFT	14
#endif
#define SHMAP_UNIT_SIZE		BIT(SHMAP_UNIT_SHIFT)
#define SHMAP_UNIT_ORDER	(SHMAP_UNIT_SHIFT - PAGE_SHIFT)

/* An entry reference counts 8-byte steps from the start of the entry area. */
#define SHMAP_REF_SHIFT		3
#define SHMAP_UNIT_REFS		(1u << (SHMAP_UNIT_SHIFT - SHMAP_REF_SHIFT))
#define SHMAP_AREA_MAX		BIT_ULL(32 + SHMAP_REF_SHIFT)	/* bytes */

/* Units per region, and what follows from it. */
#define SHMAP_REGION_UNITS	512u
#define SHMAP_REGION_REFS	(SHMAP_REGION_UNITS * SHMAP_UNIT_REFS)
#define SHMAP_REGION_WORDS	(SHMAP_REGION_UNITS / BITS_PER_LONG)

/* Longest run that can be taken. */
#define SHMAP_RUN_MAX		255u

struct shmap_slab;

/**
 * enum shmap_set - the sets of units that nobody uses
 * @SHMAP_BARE: those that have no memory
 * @SHMAP_READY: those that still have some
 * @SHMAP_UNIT_SETS: number of sets
 */
enum shmap_set {
	SHMAP_BARE,
	SHMAP_READY,
	SHMAP_UNIT_SETS
};

/* What readers need to know of a unit is in two arrays per region, of so many bytes each. */
#define SHMAP_UNIT_TABLE	(SHMAP_REGION_UNITS * sizeof(long))

/* In place of an address, in a unit that has no memory: no address is odd. */
#define SHMAP_NO_MEM		1ul

/**
 * struct shmap_region - which units of a region are in use
 * @set: the sets; a unit that is in neither is taken, or @leaving
 * @missing: bitmaps of @set
 * @node: trees of @set
 * @leaving: units whose memory is being given back to the kernel
 * @blank: units in whose place a page of zeros may be mapped
 * @stale: those of them that have had memory since
 * @guests: number of tasks that are about to map pages of zeros
 */
struct shmap_region {
	struct shmap_runs	set[SHMAP_UNIT_SETS];
	unsigned long		missing[SHMAP_UNIT_SETS][SHMAP_REGION_WORDS];
	struct shmap_run	node[SHMAP_UNIT_SETS][2 * SHMAP_REGION_WORDS];
	DECLARE_BITMAP(leaving, SHMAP_REGION_UNITS);
	DECLARE_BITMAP(blank, SHMAP_REGION_UNITS);
	DECLARE_BITMAP(stale, SHMAP_REGION_UNITS);
	unsigned int		guests;
};

/**
 * struct shmap_area - the address space of the entry area
 * @lock: protects all that is not constant, and keeps runs mapped
 * @mem: account that memory is counted on
 * @units: for each region where its arrays would begin if they also had the units before
 *	it, 0 until the region is made.  The first one has the address of each unit's memory
 *	less the offset of the unit, so that the offset of an entry can be added to it, or
 *	SHMAP_NO_MEM; the second one the slab that each unit belongs to.  Both belong to the
 *	task that has taken the unit.  A reader of an entry may read them without a lock:
 *	the reference was published after they were written, and they do not change before
 *	the entry is freed.
 * @region: for each region which units are in use, NULL until it is made
 * @longest: for each set a tree over the regions: node i has the children 2i and 2i + 1,
 *	node @leaves + r stands for region r, and each holds the length of the longest
 *	run below it, SHMAP_RUN_MAX at most
 * @idle: number of units in each set
 * @leaving: number of units whose memory is being given back
 * @blank: bitmap of the regions that are not made and in whose place a page of zeros may
 *	be mapped
 * @guests: number of tasks that are about to map pages of zeros there
 * @stale: number of regions with stale units
 * @flag: the word of the window that says whether there are any, or NULL
 * @leaves: number of leaves of the trees
 * @regions: number of regions that there can be
 * @made: number of regions that have been made, the first ones
 * @end: number of units
 */
struct shmap_area {
	raw_spinlock_t		lock;	/* see above */
	struct shmap_mem	*mem;
	unsigned long		*units;
	struct shmap_region	**region;
	u8			*longest[SHMAP_UNIT_SETS];
	unsigned int		idle[SHMAP_UNIT_SETS];
	unsigned int		leaving;
	unsigned long		*blank;
	unsigned int		guests;
	unsigned int		stale;
	u32			*flag;
	unsigned int		leaves;
	unsigned int		regions;
	unsigned int		made;
	unsigned int		end;
};

int shmap_area_init(struct shmap_area *area, struct shmap_mem *mem, u64 bytes);
void shmap_area_exit(struct shmap_area *area);
int shmap_area_extend(struct shmap_area *area);
int shmap_area_take_locked(struct shmap_area *area, enum shmap_set set,
			   unsigned int units);
void shmap_area_put_locked(struct shmap_area *area, enum shmap_set set,
			   unsigned int first, unsigned int units);
void shmap_area_leave_locked(struct shmap_area *area, unsigned int r);
bool shmap_area_settle_locked(struct shmap_area *area, unsigned int first,
			      unsigned int units);

/**
 * shmap_area_base - where the address of a unit's memory is kept, less its offset
 * @area: the entry area
 * @unit: number of the unit, whose region has been made
 *
 * Context: any.
 * Return: pointer to it.
 */
static __always_inline unsigned long *shmap_area_base(const struct shmap_area *area,
						      unsigned int unit)
{
	unsigned long units = READ_ONCE(area->units[unit / SHMAP_REGION_UNITS]);

	return (unsigned long *)(units + unit * sizeof(long));
}

/**
 * shmap_area_mem - the memory of a unit
 * @area: the entry area
 * @unit: number of the unit, whose region has been made
 *
 * Context: any.
 * Return: its kernel address, or NULL when it has none.
 */
static inline void *shmap_area_mem(const struct shmap_area *area, unsigned int unit)
{
	unsigned long base = READ_ONCE(*shmap_area_base(area, unit));

	if (base == SHMAP_NO_MEM)
		return NULL;
	return (void *)(base + ((unsigned long)unit << SHMAP_UNIT_SHIFT));
}

/**
 * shmap_area_set_mem - set the memory of a unit
 * @area: the entry area
 * @unit: number of the unit, which the caller has taken
 * @mem: its kernel address, or NULL
 *
 * Context: any.
 */
static inline void shmap_area_set_mem(struct shmap_area *area, unsigned int unit,
				      void *mem)
{
	unsigned long base = (unsigned long)mem -
			     ((unsigned long)unit << SHMAP_UNIT_SHIFT);

	/* It was zeroed before it can be mapped: pairs with the read in find_locked(). */
	smp_store_release(shmap_area_base(area, unit), mem ? base : SHMAP_NO_MEM);
}

/**
 * shmap_area_slab - where the slab of a unit is kept
 * @area: the entry area
 * @unit: number of the unit, whose region has been made
 *
 * Context: any.
 * Return: pointer to it.
 */
static inline struct shmap_slab **shmap_area_slab(const struct shmap_area *area,
						  unsigned int unit)
{
	return (struct shmap_slab **)((void *)shmap_area_base(area, unit) +
				      SHMAP_UNIT_TABLE);
}

#endif /* SHMAP_AREA_H */
