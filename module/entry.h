/* SPDX-License-Identifier: GPL-2.0-only */
/* Reading and writing the fields of an entry. */
#ifndef SHMAP_ENTRY_H
#define SHMAP_ENTRY_H

#include <linux/compiler.h>
#include <linux/kmap.h>
#include <linux/string.h>

/* Length of a number, the only kind of value that changes in place. */
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
 * shmap_entry_is_number - can the value change in place?
 * @word: version word of an entry
 *
 * Context: any.
 * Return: true if the word says that the value is a number.
 */
static inline bool shmap_entry_is_number(u64 word)
{
	return KMAP_ENTRY_FLAGS(word) & KMAP_IS_NUMBER;
}

/**
 * shmap_entry_stamp - give an entry a new version
 * @entry: an entry that nobody else can see, or whose home bucket's seq is odd
 * @version: the version; the flags in the same word stay
 *
 * Context: writer.
 */
static inline void shmap_entry_stamp(struct kmap_entry *entry, u64 version)
{
	WRITE_ONCE(entry->version,
		   (entry->version & ~KMAP_VERSION_MASK) | version);
}

/**
 * shmap_entry_state - the part of an entry that can change in place
 * @entry: a live entry
 * @word: set to its version word
 * @number: set to its value if that is a number, else to 0
 *
 * The two are of one moment if writers are shut out, or else if the seq of the home bucket
 * was even before and is the same afterwards.
 *
 * Context: reader or writer.
 */
static inline void shmap_entry_state(const struct kmap_entry *entry, u64 *word,
				     s64 *number)
{
	*word = READ_ONCE(entry->version);
	*number = 0;
	if (shmap_entry_is_number(*word))
		*number = READ_ONCE(*(s64 *)shmap_entry_value(entry));
}

/**
 * shmap_entry_copy - copy a value
 * @to: buffer for the value
 * @entry: a live entry
 * @word: from shmap_entry_state()
 * @number: from shmap_entry_state()
 *
 * Context: reader or writer.
 */
static inline void shmap_entry_copy(void *to, const struct kmap_entry *entry,
				    u64 word, s64 number)
{
	if (shmap_entry_is_number(word))
		memcpy(to, &number, SHMAP_NUMBER_LEN);
	else
		memcpy(to, shmap_entry_value(entry),
		       shmap_entry_value_len(entry));
}

#endif /* SHMAP_ENTRY_H */
