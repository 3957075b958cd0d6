/* SPDX-License-Identifier: GPL-2.0-only */
/* Random bytes: from the test's seed, so that a run can be repeated. */
#ifndef SHIM_RANDOM_H
#define SHIM_RANDOM_H

#include <linux/types.h>

void get_random_bytes(void *to, size_t size);

#endif /* SHIM_RANDOM_H */
