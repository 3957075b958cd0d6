/* SPDX-License-Identifier: GPL-2.0-only */
/* The ioctls' records; see ops.c. */
#ifndef SHMAP_OPS_H
#define SHMAP_OPS_H

#include <linux/fs.h>
#include <linux/kmap.h>

#include "map.h"

/**
 * struct shmap_call - one ioctl
 * @map: the map
 * @mode: what the file is open for
 * @reply: out: an error whose record tells more, so write the outputs
 */
struct shmap_call {
	struct shmap_map	*map;
	fmode_t			mode;
	bool			reply;
};

/* Records of the size that is known, straight from and to the user. */
int shmap_ops_get_user(struct shmap_map *map, fmode_t mode,
		       struct kmap_op __user *user);
int shmap_ops_set_user(struct shmap_map *map, fmode_t mode,
		       struct kmap_op __user *user);
int shmap_ops_delete_user(struct shmap_map *map, fmode_t mode,
			  struct kmap_op __user *user);
int shmap_ops_set_any(struct shmap_map *map, fmode_t mode,
		      struct kmap_op __user *user);
int shmap_ops_delete_any(struct shmap_map *map, fmode_t mode,
			 struct kmap_op __user *user);
int shmap_ops_add_any(struct shmap_map *map, fmode_t mode,
		      struct kmap_op __user *user);

/* Does the record tell more about this error? */
static inline bool shmap_ops_tells(int error)
{
	return error == -EMSGSIZE || error == -EEXIST || error == -ESTALE;
}

int shmap_ops_run(struct shmap_map *map, fmode_t mode, struct kmap_op *op,
		  const struct kmap_op_ext *ext);
unsigned int shmap_ops_get_group(struct shmap_map *map,
				 struct kmap_op __user *user,
				 unsigned int most);

/* Each takes the record in kernel memory, and writes its outputs there. */
int shmap_ops_get(struct shmap_call *call, void *record);
int shmap_ops_set(struct shmap_call *call, void *record);
int shmap_ops_delete(struct shmap_call *call, void *record);
int shmap_ops_add(struct shmap_call *call, void *record);
int shmap_ops_batch(struct shmap_call *call, void *record);
int shmap_ops_keys(struct shmap_call *call, void *record);
int shmap_ops_clear(struct shmap_call *call, void *record);
int shmap_ops_info(struct shmap_call *call, void *record);

#endif /* SHMAP_OPS_H */
