/* SPDX-License-Identifier: GPL-2.0-only */
/* Operations on one key, in full; see ops_one.c. */
#ifndef SHMAP_OPS_ONE_H
#define SHMAP_OPS_ONE_H

#include "call.h"

int shmap_ops_one(struct shmap_call *call, void *record);
int shmap_ops_one_record(struct shmap_call *call, struct kmap_op *record,
			 const struct kmap_op_ext *ext);
long shmap_ops_one_full(const struct shmap_op *op,
			const struct shmap_file *file,
			struct kmap_op __user *user);

#endif /* SHMAP_OPS_ONE_H */
