/* SPDX-License-Identifier: GPL-2.0-only */
/* Calls of every kind, on a small map; see scenes.c. */
#ifndef SCENES_H
#define SCENES_H

#include <linux/fs.h>
#include <linux/kmap.h>

#include "map.h"

/* Longest value. */
#define SCENE_LONGEST	20000u

/* All that a call is told of by address. */
struct scene_user {
	union {
		struct kmap_op_ext	ext;
		struct kmap_op		batched[3];
		struct kmap_batch	batch;
		struct kmap_keys	keys;
		struct kmap_clear	clear;
		struct kmap_info	info;
		u8			bytes[256];
	} record;
	struct kmap_op	ops[3];
	u8		key[304];
	u8		value[SCENE_LONGEST + 8];
	u8		out[SCENE_LONGEST + 8];
	u8		expected[SCENE_LONGEST + 8];
};

extern struct scene_user user;

/**
 * struct scene - a call
 * @name: for messages
 * @nr: which ioctl
 * @flags: of the record
 * @key: the key; "number", "text" and "long" are there
 * @value_len: length of the value to set
 * @out_size: size of the buffer
 * @want: what it returns
 */
struct scene {
	const char	*name;
	unsigned int	nr;
	u32		flags;
	const char	*key;
	u32		value_len;
	u32		out_size;
	int		want;
};

#define SCENE_BATCH	_IOC_NR(KMAP_IOC_BATCH)
#define SCENE_KEYS	_IOC_NR(KMAP_IOC_KEYS)
#define SCENE_CLEAR	_IOC_NR(KMAP_IOC_CLEAR)
#define SCENE_INFO	_IOC_NR(KMAP_IOC_INFO)

extern const struct scene scenes[];
extern const unsigned int scenes_n;

extern const char * const scene_locks[3];

/* The map of the scene, and a file of it that may do everything. */
extern struct shmap_map *scene_map;
extern struct file scene_file;

bool scene_on_key(unsigned int nr);
size_t scene_fill(const struct scene *scene);
int scene_send(struct file *filp, unsigned int nr, size_t size);
void scene_open(const char *lock);
void scene_close(void);
void scene_restore(void);
bool scene_unchanged(void);

#endif /* SCENES_H */
