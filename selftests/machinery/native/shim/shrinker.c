// SPDX-License-Identifier: GPL-2.0-only
/* Shrinkers: a test that has the pointer to one calls its functions itself. */
#include <linux/shrinker.h>
#include <linux/slab.h>

#include "shim.h"

struct shrinker *shrinker_alloc(unsigned int flags, const char *name)
{
	return kzalloc(sizeof(struct shrinker), GFP_KERNEL_ACCOUNT);
}

void shrinker_register(struct shrinker *shrinker)
{
	if (!shrinker->count_objects || !shrinker->scan_objects)
		shim_fail(__FILE__, __LINE__, "a shrinker without functions");
}

void shrinker_free(struct shrinker *shrinker)
{
	kfree(shrinker);
}
