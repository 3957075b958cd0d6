// SPDX-License-Identifier: GPL-2.0-only
/*
 * The ioctls on the whole map: KMAP_IOC_CLEAR and KMAP_IOC_INFO.
 */
#include <linux/string.h>

#include "clear.h"
#include "map.h"
#include "ops_map.h"

/**
 * shmap_ops_clear - KMAP_IOC_CLEAR
 * @call: the ioctl
 * @record: struct kmap_clear
 *
 * Context: may sleep.
 * Return: 0 or a negative errno, as the ABI says.
 */
int shmap_ops_clear(struct shmap_call *call, void *record)
{
	struct kmap_clear *clear = record;
	int ret;

	if (clear->flags || clear->reserved)
		return -EINVAL;
	ret = shmap_clear_run(call->file->map, &clear->removed);
	call->reply = ret == -EINTR;
	return ret;
}

/**
 * shmap_ops_info - KMAP_IOC_INFO
 * @call: the ioctl
 * @record: struct kmap_info
 *
 * Context: may sleep.
 * Return: 0 or a negative errno, as the ABI says.
 */
int shmap_ops_info(struct shmap_call *call, void *record)
{
	struct kmap_info *info = record;

	if (info->flags)
		return -EINVAL;
	memset(info, 0, sizeof(*info));
	shmap_map_info(call->file->map, info);
	return 0;
}
