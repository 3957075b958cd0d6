/* SPDX-License-Identifier: GPL-2.0-only */
/* The fast path of lookups; see ops_get.c. */
#ifndef SHMAP_OPS_GET_H
#define SHMAP_OPS_GET_H

#include "call.h"

long shmap_ops_get_fast(const struct shmap_op *op,
			const struct shmap_file *file,
			struct kmap_op __user *user);
unsigned int shmap_ops_get_group(struct shmap_map *map,
				 struct kmap_op __user *user,
				 unsigned int most);

#endif /* SHMAP_OPS_GET_H */
