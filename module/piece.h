/* SPDX-License-Identifier: GPL-2.0-only */
/* Long values in pieces; see piece.c. */
#ifndef SHMAP_PIECE_H
#define SHMAP_PIECE_H

#include "map_types.h"

int shmap_piece_copy(struct shmap_map *map, u32 hash, const void *key,
		     u32 key_len, u64 version, void *to, u32 len);
u64 shmap_piece_compare(struct shmap_map *map, u32 hash, const void *key,
			u32 key_len, const void *expected, u32 len,
			bool *equal);

#endif /* SHMAP_PIECE_H */
