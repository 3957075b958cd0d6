/* SPDX-License-Identifier: GPL-2.0-only */
/* Reading and writing the fields of an entry. */
#ifndef SHMAP_ENTRY_H
#define SHMAP_ENTRY_H

#include <linux/compiler.h>
#include <linux/kmap.h>
#include <linux/string.h>

/* Only such a value can be a number that changes in place. */
#define SHMAP_NUMBER_LEN	8u

/**
 * shmap_entry_key_len - length of an entry's key
 * @entry: a live entry
 *
 * Context: any.
 * Return: bytes.
 */
static inline u32 shmap_entry_key_len(const struct kmap_entry *entry)
{
	return KMAP_ENTRY_KEY_LEN(entry->lens);
}

/**
 * shmap_entry_value_len - length of an entry's value
 * @entry: a live entry
 *
 * Context: any.
 * Return: bytes.
 */
static inline u32 shmap_entry_value_len(const struct kmap_entry *entry)
{
	return KMAP_ENTRY_VALUE_LEN(entry->lens);
}

/**
 * shmap_entry_key - an entry's key
 * @entry: a live entry
 *
 * Context: any.
 * Return: address of the key.
 */
static inline void *shmap_entry_key(const struct kmap_entry *entry)
{
	return (void *)(entry + 1);
}

/**
 * shmap_entry_value - an entry's value
 * @entry: a live entry
 *
 * Context: any.
 * Return: address of the value, 8-byte aligned.
 */
static inline void *shmap_entry_value(const struct kmap_entry *entry)
{
	return (void *)entry + KMAP_ENTRY_VALUE(shmap_entry_key_len(entry));
}

/**
 * shmap_entry_state - the part of an entry that can change in place
 * @entry: a live entry
 * @version: set to its version
 * @number: set to its value if that is 8 bytes long, else to 0
 *
 * The two are of one moment when the seq of the home bucket says so.
 *
 * Context: reader or writer.
 */
static inline void shmap_entry_state(const struct kmap_entry *entry,
				     u64 *version, s64 *number)
{
	*version = READ_ONCE(entry->version);
	*number = 0;
	if (shmap_entry_value_len(entry) == SHMAP_NUMBER_LEN)
		*number = READ_ONCE(*(s64 *)shmap_entry_value(entry));
}

/**
 * shmap_entry_copy - copy a value
 * @to: where to
 * @entry: a live entry
 * @number: from shmap_entry_state()
 *
 * Context: reader or writer.
 */
static inline void shmap_entry_copy(void *to, const struct kmap_entry *entry,
				    s64 number)
{
	u32 len = shmap_entry_value_len(entry);

	if (len == SHMAP_NUMBER_LEN)
		memcpy(to, &number, SHMAP_NUMBER_LEN);
	else
		memcpy(to, shmap_entry_value(entry), len);
}

#endif /* SHMAP_ENTRY_H */
