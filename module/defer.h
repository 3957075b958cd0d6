/* SPDX-License-Identifier: GPL-2.0-only */
/* Deferred reuse of removed entries; see defer.c. */
#ifndef SHMAP_DEFER_H
#define SHMAP_DEFER_H

#include "arena.h"

void shmap_defer_add(struct shmap_arena *arena, u32 ref, u32 bytes);
void shmap_defer_close(struct shmap_arena *arena);
void shmap_defer_reap(struct shmap_arena *arena);
int shmap_defer_drain(struct shmap_arena *arena, bool killable);

#endif /* SHMAP_DEFER_H */
