/* SPDX-License-Identifier: GPL-2.0-only */
/* The window, mapped, in front of libkmap's reader; see reader_window.c. */
#ifndef READER_WINDOW_H
#define READER_WINDOW_H

#include <linux/mm.h>

#include "key.h"
#include "map.h"
#include "../../../userspace/lib/window.h"

/* Room for any value, and then some for a reader that believes too much. */
#define READER_ROOM	(4u << 20)

/**
 * struct reader - a mapping of the window
 * @vma: the mapping
 * @window: what libkmap makes of it
 * @map: the map
 */
struct reader {
	struct vm_area_struct	vma;
	struct window		window;
	struct shmap_map	*map;
};

void reader_open(struct reader *reader, struct shmap_map *map);
void reader_close(struct reader *reader);
void reader_hide(struct reader *reader, u64 at, void (*act)(void *arg),
		 void *arg);
bool reader_acted(void);
const void *reader_page(struct shmap_map *map, u64 at);
u64 reader_home(const struct shmap_map *map, u32 hash);
u64 reader_entry(const struct shmap_map *map, const void *key, u32 key_len);

#endif /* READER_WINDOW_H */
