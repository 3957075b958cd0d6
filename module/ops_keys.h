/* SPDX-License-Identifier: GPL-2.0-only */
/* The walk into a user's buffer; see ops_keys.c. */
#ifndef SHMAP_OPS_KEYS_H
#define SHMAP_OPS_KEYS_H

#include "call.h"

int shmap_ops_keys(struct shmap_call *call, void *record);

#endif /* SHMAP_OPS_KEYS_H */
