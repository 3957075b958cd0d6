/* SPDX-License-Identifier: GPL-2.0-only */
/* The fast paths of SET and DELETE; see ops_change.c. */
#ifndef SHMAP_OPS_CHANGE_H
#define SHMAP_OPS_CHANGE_H

#include "call.h"

long shmap_ops_set_fast(const struct shmap_op *op,
			const struct shmap_file *file,
			struct kmap_op __user *user);
long shmap_ops_delete_fast(const struct shmap_op *op,
			   const struct shmap_file *file,
			   struct kmap_op __user *user);

#endif /* SHMAP_OPS_CHANGE_H */
