/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What a worker may see of a key, for hammer tests that check every answer.
 *
 * A scripted key is written by one worker at a time, which numbers its operations
 * from 1.  Whether an operation removes the key, and which value it stores, follows
 * from the key and the number alone, and the number is the value's seed.  So every
 * worker can tell which states may be found between two operations.  The first
 * operation always stores a value.
 */
#ifndef KMAP_HAMMER_MODEL_H
#define KMAP_HAMMER_MODEL_H

#include "hammer.h"

/* Does operation @number on scripted key @key remove it? */
bool hammer_script_removes(unsigned int key, __u64 number);

/* Length of the value that operation @number on scripted key @key stores. */
size_t hammer_script_length(unsigned int key, __u64 number, size_t max);

/**
 * struct hammer_answer - the result of a read of a key
 * @ret: 0, -EMSGSIZE (length and version alone) or -ENOENT
 * @len: length of the value
 * @version: its version
 * @value: the value, if @ret is 0
 * @id: distinguishes the value from others of its key; 0 until it was checked
 */
struct hammer_answer {
	int ret;
	size_t len;
	__u64 version;
	const void *value;
	__u64 id;
};

/* The id of a value: its seed, or for one too short for a seed, its length. */
static inline __u64 hammer_id(size_t len, __u64 seed)
{
	return len < 16 ? 1ull << 63 | len : seed;
}

/* Is the answer a state after one of operations @from to @to, at most @max? */
bool hammer_script_fits(unsigned int key, __u64 from, __u64 to, size_t max,
			const struct hammer_answer *a);

/* Checks that the value is whole and of the key called @name; sets the id. */
bool hammer_whole(struct hammer_worker *w, const char *name, size_t name_len,
		  struct hammer_answer *a);

/**
 * struct hammer_view - what one worker knows of one key's versions
 * @newest: the newest version seen
 * @gone: this worker removed that version
 * @version: the newest version seen with its value
 * @id: that value
 */
struct hammer_view {
	__u64 newest;
	bool gone;
	__u64 version;
	__u64 id;
};

/* The value that was seen with a version of a key; newer ones replace older ones. */
struct hammer_sighting {
	atomic_flag busy;
	unsigned int key;
	__u64 version;
	__u64 id;
};

#define HAMMER_SIGHTINGS	65536

/* The sightings of all workers, in shared memory. */
struct hammer_sightings {
	struct hammer_sighting sighting[HAMMER_SIGHTINGS];
};

/*
 * The worker found @version of @key, with value @id, or 0 for a value that it did
 * not see.  Checks that versions grow, and that all workers see the same value for
 * one version.
 */
bool hammer_seen(struct hammer_worker *w, struct hammer_sightings *sightings,
		 struct hammer_view *view, unsigned int key, __u64 version,
		 __u64 id);

/* The worker stored value @id and got @version, which must be new. */
bool hammer_stored(struct hammer_worker *w, struct hammer_sightings *sightings,
		   struct hammer_view *view, unsigned int key, __u64 version,
		   __u64 id);

/* The worker removed @version: nobody may find it from now on. */
bool hammer_removed(struct hammer_worker *w, struct hammer_view *view,
		    unsigned int key, __u64 version);

#endif /* KMAP_HAMMER_MODEL_H */
