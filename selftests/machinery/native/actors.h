/* SPDX-License-Identifier: GPL-2.0-only */
/* Threads that work on one map, and the keys that they use; see actors.c. */
#ifndef ACTORS_H
#define ACTORS_H

#include <pthread.h>

#include "key.h"
#include "map.h"

#define COUNTERS	8	/* keys "n...": only ADD changes them */
#define STAYING		200	/* keys "s...": there all the time */
#define COMING		1500	/* keys "c...": come and go */

#define ACTOR_KEY	16	/* room for a key */

/**
 * struct stage - what the threads of a test share
 * @map: the map
 * @rounds: how much each does
 * @added: sum of all that was added to each counter
 * @snapshots: that were read to their end, by one thread
 * @fallen: that were ended
 * @stop: the writers are done
 */
struct stage {
	struct shmap_map	*map;
	u32			rounds;
	s64			added[COUNTERS];
	u32			snapshots;
	u32			fallen;
	bool			stop;
};

/**
 * struct actor - one thread
 * @stage: where
 * @thread: the thread
 * @number: counted from 0
 * @random: state of its random numbers
 */
struct actor {
	struct stage	*stage;
	pthread_t	thread;
	unsigned int	number;
	u32		random;
};

void stage_make(struct stage *stage, const char *lock, unsigned int shards);
void stage_unmake(struct stage *stage);
void actors_start(struct stage *stage, struct actor *actors, unsigned int from,
		  unsigned int n, void *(*function)(void *arg));
void actors_join(struct actor *actors, unsigned int from, unsigned int n);

u32 actor_draw(struct actor *actor, u32 n);
u32 actor_value_len(struct actor *actor);
u32 actor_key(char *key, char kind, u32 i);
/**
 * struct actor_records - what a snapshot showed
 * @buf: the records; to be freed
 * @used: bytes
 * @count: how many records
 */
struct actor_records {
	u8	*buf;
	size_t	used;
	u64	count;
};

int actor_snapshot(struct shmap_map *map, struct actor_records *records);
void actor_check(u32 hash, const void *value, u32 len);
int actor_put(struct shmap_map *map, const char *key, u32 key_len, u32 len,
	      u32 flags);
int actor_get(struct shmap_map *map, const char *key, u32 key_len);
int actor_take(struct shmap_map *map, const char *key, u32 key_len);
s64 actor_add(struct shmap_map *map, const char *key, u32 key_len, s64 delta);
s64 actor_number(struct shmap_map *map, const char *key, u32 key_len,
		 u64 *version);

#endif /* ACTORS_H */
