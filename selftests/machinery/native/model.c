// SPDX-License-Identifier: GPL-2.0-only
/* What a map should hold; see model.h. */
#include <stdlib.h>
#include <string.h>

#include "inspect.h"
#include "model.h"
#include "test.h"

/* FNV-1a: nothing to do with the map's hash. */
static u32 hash(const u8 *key, u32 key_len)
{
	u32 h = 2166136261u;

	while (key_len--)
		h = (h ^ *key++) * 16777619u;
	return h;
}

/**
 * model_find - look a key up
 * @model: the model
 * @key: the key
 * @key_len: its length
 *
 * Return: the key, present or not.
 */
struct model_key *model_find(struct model *model, const void *key, u32 key_len)
{
	struct model_key **at = &model->bucket[hash(key, key_len) %
					       MODEL_BUCKETS];

	for (; *at; at = &(*at)->next)
		if ((*at)->key_len == key_len &&
		    !memcmp((*at)->key, key, key_len))
			return *at;
	*at = calloc(1, sizeof(**at) + key_len);
	check(*at);
	(*at)->key_len = key_len;
	memcpy((*at)->key, key, key_len);
	return *at;
}

/**
 * model_bytes - bytes that an entry takes, as INFO counts them
 * @key_len: length of the key
 * @value_len: length of the value
 *
 * Return: the size of its class, and its share of the table.
 */
u32 model_bytes(u32 key_len, u32 value_len)
{
	return inspect_class(16 + (key_len + 7) / 8 * 8 +
			     (value_len + 7) / 8 * 8) + 16;
}

/**
 * model_set - store a value
 * @model: the model
 * @key: the key
 * @value: the value
 * @value_len: its length
 * @number: it is a number
 * @version: its version, which must be a new one
 */
void model_set(struct model *model, struct model_key *key, const void *value,
	       u32 value_len, bool number, u64 version)
{
	u8 *copy = malloc(value_len + 1);

	check(copy);
	memcpy(copy, value, value_len);
	check(version > key->top);
	if (key->present)
		model->bytes -= key->bytes;
	else
		model->entries++;
	free(key->value);
	key->present = true;
	key->value = copy;
	key->value_len = value_len;
	key->number = number;
	key->version = version;
	key->top = version;
	key->bytes = model_bytes(key->key_len, value_len);
	model->bytes += key->bytes;
}

/**
 * model_remove - remove a key
 * @model: the model
 * @key: a key that is present
 */
void model_remove(struct model *model, struct model_key *key)
{
	check(key->present);
	key->present = false;
	memset(key->must, 0, sizeof(key->must));
	model->bytes -= key->bytes;
	model->entries--;
}

/**
 * model_next - all keys that are present, one after the other
 * @model: the model
 * @key: one of them, or NULL for the first
 *
 * Return: the next, or NULL.  @key may be removed, before or after.
 */
struct model_key *model_next(const struct model *model,
			     const struct model_key *key)
{
	struct model_key *at = key ? key->next : model->bucket[0];
	u32 i = key ? hash(key->key, key->key_len) % MODEL_BUCKETS : 0;

	for (;;) {
		while (at && !at->present)
			at = at->next;
		if (at || ++i == MODEL_BUCKETS)
			return at;
		at = model->bucket[i];
	}
}

/**
 * model_walk_begin - a walk begins
 * @model: the model
 * @walk: which
 */
void model_walk_begin(struct model *model, unsigned int walk)
{
	struct model_key *key;
	unsigned int i;

	for (i = 0; i < MODEL_BUCKETS; i++) {
		for (key = model->bucket[i]; key; key = key->next) {
			key->must[walk] = key->present;
			key->seen[walk] = false;
		}
	}
}

/**
 * model_walk_end - a walk is over: was everything returned?
 * @model: the model
 * @walk: which
 */
void model_walk_end(struct model *model, unsigned int walk)
{
	struct model_key *key;
	unsigned int i;

	for (i = 0; i < MODEL_BUCKETS; i++)
		for (key = model->bucket[i]; key; key = key->next)
			check(!key->must[walk] || key->seen[walk]);
}

/**
 * model_moment_take - remember how it is now
 * @model: the model
 * @moment: as which moment
 */
void model_moment_take(struct model *model, unsigned int moment)
{
	struct model_key *key;

	for (key = model_next(model, NULL); key; key = model_next(model, key)) {
		struct model_moment *then = &key->then[moment];

		then->present = true;
		then->version = key->version;
		then->value_len = key->value_len;
		then->value = malloc(key->value_len + 1);
		check(then->value);
		memcpy(then->value, key->value, key->value_len);
	}
}

/**
 * model_moment_drop - forget it
 * @model: the model
 * @moment: which
 * @whole: everything must have been returned
 */
void model_moment_drop(struct model *model, unsigned int moment, bool whole)
{
	struct model_key *key;
	unsigned int i;

	for (i = 0; i < MODEL_BUCKETS; i++) {
		for (key = model->bucket[i]; key; key = key->next) {
			struct model_moment *then = &key->then[moment];

			check(!whole || then->seen == then->present);
			free(then->value);
			memset(then, 0, sizeof(*then));
		}
	}
}

/**
 * model_free - forget everything
 * @model: the model
 */
void model_free(struct model *model)
{
	struct model_key *key, *next;
	unsigned int i;

	for (i = 0; i < MODEL_BUCKETS; i++) {
		for (key = model->bucket[i]; key; key = next) {
			next = key->next;
			free(key->value);
			free(key);
		}
	}
	memset(model, 0, sizeof(*model));
}
