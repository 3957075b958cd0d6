// SPDX-License-Identifier: GPL-2.0-only
/*
 * The configuration of a map: texts are parsed, values that were not given get their
 * defaults, and invalid values are refused with a message that says what is valid.
 *
 * Parsing a text never fails: a value that cannot be parsed becomes SHMAP_CONFIG_BAD,
 * and shmap_config_check() reports it when all values are known.  Nothing here depends on
 * where the texts come from, or prints.
 */
#include <linux/cpumask.h>
#include <linux/ctype.h>
#include <linux/kernel.h>
#include <linux/log2.h>
#include <linux/mm.h>
#include <linux/overflow.h>

#include "config.h"

/* By how much the letter behind a number shifts it, or -EINVAL for any other text. */
static int suffix_shift(const char *text)
{
	if (*text && text[1])
		return -EINVAL;
	switch (*text) {
	case '\0':
		return 0;
	case 'k':
	case 'K':
		return 10;
	case 'm':
	case 'M':
		return 20;
	case 'g':
	case 'G':
		return 30;
	default:
		return -EINVAL;
	}
}

/**
 * shmap_config_number - parse a decimal number, which may end in K, M or G
 * @text: the text
 *
 * Not with memparse(), which takes 010 for 8, and keeps the low bits of a number that is
 * too large.
 *
 * Context: any.
 * Return: the number, or SHMAP_CONFIG_BAD.
 */
u64 shmap_config_number(const char *text)
{
	const char *at = text;
	u64 n = 0;
	int shift;

	for (; isdigit(*at); at++)
		if (check_mul_overflow(n, 10ull, &n) ||
		    check_add_overflow(n, (u64)(*at - '0'), &n))
			return SHMAP_CONFIG_BAD;
	if (at == text || (*text == '0' && at > text + 1))
		return SHMAP_CONFIG_BAD;
	shift = suffix_shift(at);
	if (shift < 0 || check_shl_overflow(n, shift, &n))
		return SHMAP_CONFIG_BAD;
	return n;
}

/**
 * shmap_config_mode - parse permissions, in octal with or without a leading 0
 * @text: the text
 *
 * Context: any.
 * Return: the permissions, or SHMAP_CONFIG_BAD.
 */
u64 shmap_config_mode(const char *text)
{
	u64 mode;

	return kstrtou64(text, 8, &mode) ? SHMAP_CONFIG_BAD : mode;
}

/**
 * shmap_config_flag - parse yes or no, in the spellings of kstrtobool()
 * @text: the text
 *
 * Context: any.
 * Return: 1 or 0, or SHMAP_CONFIG_BAD.
 */
u64 shmap_config_flag(const char *text)
{
	bool yes;

	return kstrtobool(text, &yes) ? SHMAP_CONFIG_BAD : yes;
}

/* Fill in the defaults of values that were not given. */
static void set_defaults(struct shmap_wish *wish)
{
	u64 memory = (u64)totalram_pages() << PAGE_SHIFT;

	if (!wish->shards)
		wish->shards = min_t(u64, 256,
				     roundup_pow_of_two(4 * num_online_cpus()));
	if (!wish->max_bytes)
		wish->max_bytes = clamp_t(u64, memory / 4, SZ_16M,
					  SHMAP_BYTES_MAX);
	if (!wish->max_entries)
		wish->max_entries = clamp_t(u64, wish->max_bytes / 64, SZ_1K,
					    SHMAP_ENTRIES_MAX);
}

/* Is a number in its range?  If not, the message says so. */
static bool number_fits(char *message, const char *name, u64 number, u64 least,
			u64 most)
{
	if (number >= least && number <= most)
		return true;
	snprintf(message, SHMAP_CONFIG_MESSAGE,
		 "%s must be a number from %llu to %llu", name, least, most);
	return false;
}

/* Are all values valid?  If not, the message says which is not. */
static bool wish_fits(const struct shmap_wish *wish, char *message)
{
	const size_t size = SHMAP_CONFIG_MESSAGE;

	if (!shmap_lock_find(wish->lock))
		snprintf(message, size, "lock must be one of: %s",
			 SHMAP_LOCK_NAMES);
	else if (!is_power_of_2(wish->shards) ||
		 wish->shards > SHMAP_SHARDS_MAX)
		snprintf(message, size,
			 "shards must be a power of two from 1 to %u",
			 SHMAP_SHARDS_MAX);
	else if (wish->mode > SHMAP_CONFIG_MODE_MAX)
		snprintf(message, size,
			 "mode must be octal permissions from 0 to %04o",
			 SHMAP_CONFIG_MODE_MAX);
	else if (wish->wipe > 1)
		snprintf(message, size, "wipe must be one of: Y, N, 1, 0");
	else
		return number_fits(message, "max_entries", wish->max_entries, 1,
				   SHMAP_ENTRIES_MAX) &&
		       number_fits(message, "max_bytes", wish->max_bytes,
				   SHMAP_BYTES_MIN, SHMAP_BYTES_MAX) &&
		       number_fits(message, "max_key", wish->max_key, 1,
				   KMAP_KEY_MAX) &&
		       number_fits(message, "max_value", wish->max_value, 0,
				   KMAP_VALUE_MAX);
	return false;
}

/**
 * shmap_config_check - check a wish, and make a configuration of it
 * @wish: what is asked for; defaults are filled in
 * @config: filled in if the wish is valid
 * @message: filled in if it is not: which value is invalid, and what would be valid
 *
 * Context: any.
 * Return: 0 or -EINVAL.
 */
int shmap_config_check(struct shmap_wish *wish, struct shmap_config *config,
		       char message[SHMAP_CONFIG_MESSAGE])
{
	set_defaults(wish);
	if (!wish_fits(wish, message))
		return -EINVAL;
	*config = (struct shmap_config) {
		.lock		= shmap_lock_find(wish->lock),
		.shards		= wish->shards,
		.max_entries	= wish->max_entries,
		.max_bytes	= wish->max_bytes,
		.max_key	= wish->max_key,
		.max_value	= wish->max_value,
		.wipe		= wish->wipe,
	};
	return 0;
}
