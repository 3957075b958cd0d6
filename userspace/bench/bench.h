/* SPDX-License-Identifier: MIT */
/*
 * The benchmark: kmap beside other ways to share a table.
 *
 * A peer is one such way, in a file of its own, behind struct peer.  load.c has
 * the operations that are measured, run.c lets threads carry them out for a time
 * slice, insns.c counts instructions, growth.c times the sets of a table that
 * grows, beside.c those beside snapshots, drift.c has the sizes of values drift,
 * thin.c removes most entries, and main.c chooses and prints.
 *
 * Every peer stores the same entries: keys of KEY_SIZE printable bytes, values of
 * VALUE_SIZE bytes.
 */
#ifndef BENCH_H
#define BENCH_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#define ARRAY_SIZE(array)	(sizeof(array) / sizeof((array)[0]))

#define KEY_SIZE	16
#define VALUE_SIZE	64

/* Keys in one call of get_many and fill. */
#define MANY		64

/* Most threads. */
#define THREADS_MAX	64

/**
 * struct peer - one way to keep a table
 * @name: one word
 * @what: what it is, in a few words
 * @open: make an empty table with room for this many entries; returns 0 or a
 *	negative errno value
 * @close: free the table, also after a failed open
 * @join: called by each thread that will use the table; returns what the thread
 *	then passes as @seat, or NULL after printing why not
 * @leave: called by the thread at the end
 * @get: look a key up, copy its value; 0, or negative when it is absent
 * @get_many: the same for MANY keys, with as few calls as the peer can; returns
 *	how many were found
 * @set: store a value
 * @delete: remove a key; 0, or negative when it is absent
 * @fill: store MANY values, with as few calls as the peer can
 * @walk: continue a walk over all keys, from the beginning again after the end;
 *	returns how many keys it read, or a negative errno value
 * @memory: bytes that the table takes now; if NULL, the growth of this process
 *	counts
 * @open_bytes: instead of @open, make an empty table with a budget of bytes, for
 *	values of so many bytes at most
 * @put: store a value of any such length; 0, or -ENOSPC when there is no room for it
 *
 * Functions that a peer does not have are NULL.  Its state is in its own file:
 * there is one table per peer.
 */
struct peer {
	const char	*name;
	const char	*what;
	int		(*open)(uint64_t entries);
	void		(*close)(void);
	void		*(*join)(void);
	void		(*leave)(void *seat);
	int		(*get)(void *seat, const char *key, char *value);
	int		(*get_many)(void *seat, const char *keys, char *values);
	int		(*set)(void *seat, const char *key, const char *value);
	int		(*delete)(void *seat, const char *key);
	int		(*fill)(void *seat, const char *keys,
				const char *value);
	long		(*walk)(void *seat);
	int64_t		(*memory)(void);
	int		(*open_bytes)(uint64_t bytes, uint32_t longest);
	int		(*put)(void *seat, const char *key, const char *value,
			       uint32_t len);
};

extern const struct peer peer_null;
extern const struct peer peer_kmap_window;
extern const struct peer peer_kmap;
extern const struct peer peer_bpf;
extern const struct peer peer_bpf_malloc;
extern const struct peer peer_bpf_rhash;
extern const struct peer peer_lmdb;
extern const struct peer peer_memcached;
extern const struct peer peer_redis;
extern const struct peer peer_lfht;
extern const struct peer peer_shm_mutex;
extern const struct peer peer_shm_rwlock;
extern const struct peer peer_shm_unlocked;
extern const struct peer peer_rehash;

/* ---- load.c ---- */

/* A stream of random numbers, see load.c. */
struct dice {
	uint64_t	state;
};

uint64_t dice_next(struct dice *dice);

/* The work of one thread on one peer. */
struct work {
	const struct peer	*peer;
	void			*seat;
	uint64_t		entries;
	struct dice		dice;
	uint64_t		failed;		/* operations */
	char			keys[MANY * KEY_SIZE];
	char			values[MANY * VALUE_SIZE];
};

/* One operation that is measured. */
struct load {
	const char	*name;
	const char	*what;
	bool		(*can)(const struct peer *peer);
	uint64_t	(*once)(struct work *work);	/* returns operations */
	bool		draws;		/* chooses a key per operation */
};

extern const struct load loads[];
extern const size_t load_count;

/* Write key number n, KEY_SIZE bytes; no two numbers have the same key. */
void key_write(char *key, uint64_t n);

/* Store all entries; 0 or a negative errno value. */
int fill(const struct peer *peer, void *seat, uint64_t entries);

/* ---- run.c ---- */

/* A table that is measured. */
struct table {
	const struct peer	*peer;
	double			bytes_per_entry;	/* beyond key and value */
};

/*
 * Start this many threads, each of which joins all tables; 0 or a negative errno
 * value.
 */
int run_start(const struct table *tables, size_t count, unsigned int threads,
	      uint64_t entries);

/*
 * Let the first threads, as many as given, carry out a load on a table for a time
 * slice of ns nanoseconds; returns operations per second.
 */
double run_window(size_t table, const struct load *load, unsigned int threads,
		  uint64_t ns);

/* Print and return how many operations have failed; end the threads. */
uint64_t run_failed(void);
void run_stop(void);

uint64_t now_ns(void);

/* ---- insns.c ---- */

/*
 * Print the instructions per operation, for all operations of the tables.  The
 * figures are instructions only where the clock counts them.  Returns how many
 * operations failed.
 */
uint64_t count_insns(const struct table *tables, size_t count,
		     uint64_t entries, bool (*wanted)(const char *name));

/* ---- growth.c ---- */

/*
 * Print how long sets take while each of the peers grows to this many entries, and
 * write the figures, with a histogram, to data, which may be NULL.
 */
int measure_growth(const struct peer *const *peers, size_t count,
		   uint64_t entries, bool (*wanted)(const char *name),
		   FILE *data);

/* ---- drift.c ---- */

/**
 * struct drift_plan - how values of drifting sizes are stored
 * @bytes: budget of the table
 * @generations: how many
 * @seconds: how long instead, or 0
 * @data: figures go there, with tabs, unless it is NULL.  A line for each generation,
 *	when it is full and when it is thin: peer, what, number, budget, bytes stored,
 *	memory, values refused so far, time of day in seconds.  A line for the whole:
 *	peer, what, sets, values refused, least share stored then in percent, most
 *	memory per byte stored, most memory, and of sets: median, p99.9, longest
 */
struct drift_plan {
	uint64_t	bytes;
	unsigned int	generations;
	uint64_t	seconds;
	FILE		*data;
};

/*
 * Print what becomes of each of the peers when the sizes of the values drift, and
 * of the same sizes without a drift, unless the plan is by time.
 */
int measure_drift(const struct peer *const *peers, size_t count,
		  const struct drift_plan *plan, bool (*wanted)(const char *name));

/* ---- thin.c ---- */

/*
 * Print what memory each of the peers takes with so many entries, and when a tenth of them
 * is left; write the figures to data too, which may be NULL.
 */
int measure_thin(const struct peer *const *peers, size_t count, uint64_t entries,
		 bool (*wanted)(const char *name), FILE *data);

/* ---- beside.c ---- */

/*
 * Print how long sets take without and beside snapshots of this many entries, in
 * count slices of each kind, and write the figures to data, which may be NULL.
 */
int measure_beside(const struct peer *peer, uint64_t entries, unsigned int count,
		   FILE *data);

/* ---- server.c: what memcached and Redis share ---- */

/* A daemon of our own on a unix socket. */
struct server {
	int	pid;
	char	path[64];
};

/*
 * Start a program that listens at server->path, and wait until it does.  file
 * is searched in PATH; argv[0] is the name that the program sees.
 */
int server_start(struct server *server, const char *file,
		 const char *const argv[]);
void server_stop(struct server *server);

/* Resident bytes of a process; 0 is this one. */
int64_t resident(int pid);

/* A connection with its buffers. */
struct wire {
	int	fd;
	size_t	len;		/* of out */
	size_t	have;		/* of in */
	char	out[16384];
	char	in[16384];
};

struct wire *wire_open(const struct server *server);
void wire_close(struct wire *wire);
void wire_put(struct wire *wire, const void *data, size_t len);
void wire_text(struct wire *wire, const char *text);

/* Send what was put; forget what was received. */
int wire_send(struct wire *wire);

/* Receive until there are that many bytes; 0 or negative. */
int wire_want(struct wire *wire, size_t bytes);

/* Receive until the bytes received end in this; 0 or negative. */
int wire_until(struct wire *wire, const char *end);

#endif /* BENCH_H */
