// SPDX-License-Identifier: GPL-2.0-only
/*
 * kmap: a hash map that the kernel keeps for many processes.
 *
 * Module parameters, and init and exit in order: the map is complete before the
 * device is registered, and lives until it is gone.
 */
#define pr_fmt(fmt) KBUILD_MODNAME ": " fmt

#include <linux/cpumask.h>
#include <linux/ctype.h>
#include <linux/err.h>
#include <linux/kernel.h>
#include <linux/log2.h>
#include <linux/mm.h>
#include <linux/module.h>
#include <linux/overflow.h>
#include <linux/sizes.h>
#include <linux/sysfs.h>

#include "device.h"

#define MODE_MAX	0777u

static struct shmap_map *map;

/* What could not be understood; outside of every range. */
#define BAD	U64_MAX

/*
 * Setting a parameter never fails here: what is wrong is said once, with what
 * would be right, when all are known.
 */

/* By how much the letter behind a number shifts it; negative for a wrong one. */
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

/*
 * A decimal number, which may end in K, M or G.  Not memparse(): that takes 010
 * for 8, and of a number that is too large the low bits.
 */
static int number_set(const char *text, const struct kernel_param *kp)
{
	u64 *number = kp->arg, n = 0;
	const char *at = text;
	int shift;

	*number = BAD;
	for (; isdigit(*at); at++)
		if (check_mul_overflow(n, 10ull, &n) ||
		    check_add_overflow(n, (u64)(*at - '0'), &n))
			return 0;
	if (at == text || (*text == '0' && at > text + 1))
		return 0;
	shift = suffix_shift(at);
	if (shift >= 0 && !check_shl_overflow(n, shift, &n))
		*number = n;
	return 0;
}

static int number_get(char *buf, const struct kernel_param *kp)
{
	return sysfs_emit(buf, "%llu\n", *(u64 *)kp->arg);
}

static const struct kernel_param_ops number_ops = {
	.set	= number_set,
	.get	= number_get,
};

/* Permissions: octal, whatever they begin with. */
static int mode_set(const char *text, const struct kernel_param *kp)
{
	u64 *mode = kp->arg;

	if (kstrtou64(text, 8, mode))
		*mode = BAD;
	return 0;
}

static int mode_get(char *buf, const struct kernel_param *kp)
{
	return sysfs_emit(buf, "%04llo\n", *(u64 *)kp->arg);
}

static const struct kernel_param_ops mode_ops = {
	.set	= mode_set,
	.get	= mode_get,
};

/* Yes or no, in the kernel's spellings. */
static int flag_set(const char *text, const struct kernel_param *kp)
{
	u64 *flag = kp->arg;
	bool yes;

	*flag = kstrtobool(text, &yes) ? BAD : yes;
	return 0;
}

static int flag_get(char *buf, const struct kernel_param *kp)
{
	return sysfs_emit(buf, "%c\n", *(u64 *)kp->arg ? 'Y' : 'N');
}

static const struct kernel_param_ops flag_ops = {
	.set	= flag_set,
	.get	= flag_get,
};

static char *lock = "rcu";
module_param(lock, charp, 0444);
MODULE_PARM_DESC(lock, "lock discipline: spinlock, rwsem or rcu (default rcu)");

static u64 shards;
module_param_cb(shards, &number_ops, &shards, 0444);
MODULE_PARM_DESC(shards, "locks, a power of two up to 1024; 1 is one lock around the map (default, or 0: 4 for each CPU, up to 256)");

static u64 max_entries;
module_param_cb(max_entries, &number_ops, &max_entries, 0444);
MODULE_PARM_DESC(max_entries, "most entries, up to 2G (default, or 0: one for every 64 bytes of max_bytes)");

static u64 max_bytes;
module_param_cb(max_bytes, &number_ops, &max_bytes, 0444);
MODULE_PARM_DESC(max_bytes, "most bytes of entries, 64K to 24G (default, or 0: a quarter of the memory)");

static u64 max_key = KMAP_KEY_MAX;
module_param_cb(max_key, &number_ops, &max_key, 0444);
MODULE_PARM_DESC(max_key, "longest key in bytes, 1 to 1024 (default 1024)");

static u64 max_value = SZ_64K;
module_param_cb(max_value, &number_ops, &max_value, 0444);
MODULE_PARM_DESC(max_value, "longest value in bytes, 0 to 1M (default 64K)");

static u64 mode = 0600;
module_param_cb(mode, &mode_ops, &mode, 0444);
MODULE_PARM_DESC(mode, "permissions of /dev/kmap, octal (default 0600)");

static u64 wipe;
module_param_cb(wipe, &flag_ops, &wipe, 0444);
MODULE_PARM_DESC(wipe, "zero removed entries, within a second and an RCU grace period, Y or N (default N)");

/* Fill in what was not given.  The parameters then show what is in force. */
static void set_defaults(void)
{
	u64 memory = (u64)totalram_pages() << PAGE_SHIFT;

	if (!shards)
		shards = min_t(u64, 256,
			       roundup_pow_of_two(4 * num_online_cpus()));
	if (!max_bytes)
		max_bytes = clamp_t(u64, memory / 4, SZ_16M, SHMAP_BYTES_MAX);
	if (!max_entries)
		max_entries = clamp_t(u64, max_bytes / 64, SZ_1K,
				      SHMAP_ENTRIES_MAX);
}

/* Say what is wrong with a number, if anything is. */
static bool number_fine(const char *name, u64 number, u64 least, u64 most)
{
	if (number >= least && number <= most)
		return true;
	pr_err("%s must be a number from %llu to %llu\n", name, least, most);
	return false;
}

static bool parameters_fine(void)
{
	if (!shmap_lock_find(lock)) {
		pr_err("lock must be one of: %s\n", SHMAP_LOCK_NAMES);
		return false;
	}
	if (!is_power_of_2(shards) || shards > SHMAP_SHARDS_MAX) {
		pr_err("shards must be a power of two from 1 to %u\n",
		       SHMAP_SHARDS_MAX);
		return false;
	}
	if (mode > MODE_MAX) {
		pr_err("mode must be octal permissions from 0 to %04o\n",
		       MODE_MAX);
		return false;
	}
	if (wipe > 1) {
		pr_err("wipe must be one of: Y, N, 1, 0\n");
		return false;
	}
	return number_fine("max_entries", max_entries, 1, SHMAP_ENTRIES_MAX) &&
	       number_fine("max_bytes", max_bytes, SHMAP_BYTES_MIN,
			   SHMAP_BYTES_MAX) &&
	       number_fine("max_key", max_key, 1, KMAP_KEY_MAX) &&
	       number_fine("max_value", max_value, 0, KMAP_VALUE_MAX);
}

static int __init shmap_main_init(void)
{
	struct shmap_config config;
	int r;

	set_defaults();
	if (!parameters_fine())
		return -EINVAL;
	config = (struct shmap_config) {
		.lock		= shmap_lock_find(lock),
		.shards		= shards,
		.max_entries	= max_entries,
		.max_bytes	= max_bytes,
		.max_key	= max_key,
		.max_value	= max_value,
		.wipe		= wipe,
	};
	map = shmap_map_create(&config);
	if (IS_ERR(map))
		return PTR_ERR(map);
	r = shmap_device_register(map, mode);
	if (r)
		shmap_map_destroy(map);
	return r;
}

static void __exit shmap_main_exit(void)
{
	shmap_device_unregister();
	shmap_map_destroy(map);
}

module_init(shmap_main_init);
module_exit(shmap_main_exit);

MODULE_DESCRIPTION("Hash map kept by the kernel for many processes");
MODULE_LICENSE("GPL");
MODULE_VERSION("0.1.0");
