// SPDX-License-Identifier: GPL-2.0-only
/*
 * /dev/kmap: the device of the map that exists from when the module is loaded until it
 * is unloaded.
 */
#include <linux/fs.h>
#include <linux/miscdevice.h>
#include <linux/module.h>

#include "device.h"
#include "file.h"
#include "map.h"
#include "ops.h"

/**
 * struct shmap_device - a device and its map
 * @misc: the device
 * @map: the map that a file of the device is opened for; set before it is registered
 */
struct shmap_device {
	struct miscdevice	misc;
	struct shmap_map	*map;
};

/* misc_open() has left the device in private_data, where the file's context goes. */
static int device_open(struct inode *inode, struct file *filp)
{
	const struct shmap_device *device =
		container_of(filp->private_data, struct shmap_device, misc);

	return shmap_file_open(inode, filp, device->map);
}

static const struct file_operations device_fops = {
	.owner		= THIS_MODULE,
	.open		= device_open,
	.release	= shmap_file_release,
	.unlocked_ioctl	= shmap_ops_ioctl,
	.compat_ioctl	= compat_ptr_ioctl,
	.mmap		= shmap_file_mmap,
};

static struct shmap_device the_device = {
	.misc = {
		.minor	= MISC_DYNAMIC_MINOR,
		.name	= "kmap",
		.fops	= &device_fops,
	},
};

/**
 * shmap_device_register - make /dev/kmap
 * @map: the map behind it; the device takes a reference
 * @mode: permissions of the node
 *
 * Context: may sleep.
 * Return: 0 or a negative errno.
 */
int shmap_device_register(struct shmap_map *map, umode_t mode)
{
	int ret;

	the_device.map = shmap_map_get(map);
	/* With the file type, because a mode of 0 would count as not given. */
	the_device.misc.mode = S_IFCHR | mode;
	ret = misc_register(&the_device.misc);
	if (ret)
		shmap_map_put(map);
	return ret;
}

/**
 * shmap_device_unregister - remove /dev/kmap
 *
 * Context: may sleep.  No file of it is open, because an open file keeps the module.
 */
void shmap_device_unregister(void)
{
	misc_deregister(&the_device.misc);
	shmap_map_put(the_device.map);
}
