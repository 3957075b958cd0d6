// SPDX-License-Identifier: GPL-2.0-only
/*
 * kmap: a hash map that the kernel keeps for many processes.
 *
 * This file has the module's parameters, its init and its exit.  The map is complete
 * before the device is registered, and is freed after the device is gone.
 */
#define pr_fmt(fmt) KBUILD_MODNAME ": " fmt

#include <linux/err.h>
#include <linux/kernel.h>
#include <linux/module.h>
#include <linux/sysfs.h>

#include "config.h"
#include "device.h"
#include "inode.h"
#include "keeper.h"
#include "map.h"

/* Once the module is loaded, the parameters show the values that are in force. */
static struct shmap_wish wish = SHMAP_WISH_DEFAULT;

static int number_set(const char *text, const struct kernel_param *kp)
{
	*(u64 *)kp->arg = shmap_config_number(text);
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

static int mode_set(const char *text, const struct kernel_param *kp)
{
	*(u64 *)kp->arg = shmap_config_mode(text);
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

static int flag_set(const char *text, const struct kernel_param *kp)
{
	*(u64 *)kp->arg = shmap_config_flag(text);
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

module_param_named(lock, wish.lock, charp, 0444);
MODULE_PARM_DESC(lock, "lock mode: spinlock, rwsem or rcu (default rcu)");

module_param_cb(shards, &number_ops, &wish.shards, 0444);
MODULE_PARM_DESC(shards, "locks, a power of two up to 1024; 1 is one lock around the map (default, or 0: 4 for each CPU, up to 256)");

module_param_cb(max_entries, &number_ops, &wish.max_entries, 0444);
MODULE_PARM_DESC(max_entries, "most entries, up to 2G (default, or 0: one for every 64 bytes of max_bytes)");

module_param_cb(max_bytes, &number_ops, &wish.max_bytes, 0444);
MODULE_PARM_DESC(max_bytes, "most bytes of entries, 64K to 24G (default, or 0: a quarter of the memory)");

module_param_cb(max_key, &number_ops, &wish.max_key, 0444);
MODULE_PARM_DESC(max_key, "longest key in bytes, 1 to 1024 (default 1024)");

module_param_cb(max_value, &number_ops, &wish.max_value, 0444);
MODULE_PARM_DESC(max_value, "longest value in bytes, 0 to 1M (default 64K)");

module_param_cb(mode, &mode_ops, &wish.mode, 0444);
MODULE_PARM_DESC(mode, "permissions of /dev/kmap, octal (default 0600)");

module_param_cb(wipe, &flag_ops, &wish.wipe, 0444);
MODULE_PARM_DESC(wipe, "zero removed entries, within a second and an RCU grace period, Y or N (default N)");

static int __init make_device(const struct shmap_config *config)
{
	struct shmap_map *map = shmap_map_create(config);
	int ret;

	if (IS_ERR(map))
		return PTR_ERR(map);
	ret = shmap_device_register(map, wish.mode);
	/* The device holds its own reference. */
	shmap_map_put(map);
	return ret;
}

static int __init shmap_main_init(void)
{
	char message[SHMAP_CONFIG_MESSAGE];
	struct shmap_config config;
	int ret;

	ret = shmap_config_check(&wish, &config, message);
	if (ret) {
		pr_err("%s\n", message);
		return ret;
	}
	ret = shmap_inode_start();
	if (ret)
		return ret;
	ret = shmap_keeper_start();
	if (ret)
		goto stop_inodes;
	ret = make_device(&config);
	if (ret)
		goto stop_keepers;
	return 0;

stop_keepers:
	shmap_keeper_stop();
stop_inodes:
	shmap_inode_stop();
	return ret;
}

static void __exit shmap_main_exit(void)
{
	shmap_device_unregister();
	shmap_keeper_stop();
	shmap_inode_stop();
}

module_init(shmap_main_init);
module_exit(shmap_main_exit);

MODULE_DESCRIPTION("Hash map kept by the kernel for many processes");
MODULE_LICENSE("GPL");
MODULE_VERSION("0.1.0");
