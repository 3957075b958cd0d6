/* SPDX-License-Identifier: GPL-2.0-only */
/* What a map should hold: a plain hash table that never forgets a key. */
#ifndef MODEL_H
#define MODEL_H

#include <linux/types.h>

#define MODEL_WALKS	2
#define MODEL_MOMENTS	10

/**
 * struct model_moment - what a key was at some moment
 * @present: it was in the map
 * @seen: it was returned
 * @version: of the value
 * @value: the value
 * @value_len: its length
 */
struct model_moment {
	bool			present;
	bool			seen;
	u64			version;
	u8			*value;
	u32			value_len;
};

/**
 * struct model_key - a key that was ever used
 * @next: in the same bucket
 * @present: it is in the map
 * @must: for each walk: it was there from its beginning on
 * @seen: for each walk: it was returned
 * @then: for each snapshot: what it was
 * @version: of the value
 * @top: the highest version that it ever had
 * @number: the value is a number
 * @bytes: that the entry takes
 * @value: the value
 * @value_len: its length
 * @key_len: length of the key
 * @key: the key
 */
struct model_key {
	struct model_key	*next;
	bool			present;
	bool			must[MODEL_WALKS];
	bool			seen[MODEL_WALKS];
	struct model_moment	then[MODEL_MOMENTS];
	u64			version;
	u64			top;
	bool			number;
	u32			bytes;
	u8			*value;
	u32			value_len;
	u32			key_len;
	u8			key[];
};

#define MODEL_BUCKETS	4096

/**
 * struct model - all keys
 * @bucket: lists of keys
 * @entries: keys that are present
 * @bytes: that their entries take
 */
struct model {
	struct model_key	*bucket[MODEL_BUCKETS];
	u64			entries;
	u64			bytes;
};

struct model_key *model_find(struct model *model, const void *key, u32 key_len);
u32 model_bytes(u32 key_len, u32 value_len);
void model_set(struct model *model, struct model_key *key, const void *value,
	       u32 value_len, bool number, u64 version);
void model_remove(struct model *model, struct model_key *key);
struct model_key *model_next(const struct model *model,
			     const struct model_key *key);
void model_walk_begin(struct model *model, unsigned int walk);
void model_walk_end(struct model *model, unsigned int walk);
void model_moment_take(struct model *model, unsigned int moment);
void model_moment_drop(struct model *model, unsigned int moment, bool whole);
void model_free(struct model *model);

#endif /* MODEL_H */
