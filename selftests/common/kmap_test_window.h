/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The window as the tests look at it: mapped, page by page, and read from one
 * end to the other, not by hash.  See kmap_test.h for the conventions.
 */
#ifndef KMAP_TEST_WINDOW_H
#define KMAP_TEST_WINDOW_H

#include "kmap_test.h"

/**
 * struct kt_window - the whole window, mapped
 * @mem: its address
 * @head: its first page
 * @size: bytes
 * @page: bytes of a page
 * @spare: a file of our own, for kt_window_page()
 */
struct kt_window {
	const __u8 *mem;
	const struct kmap_window *head;
	size_t size;
	size_t page;
	int spare;
};

/* Maps the window with the size that INFO tells; -EFBIG if size_t cannot hold it. */
int kt_window_map(int fd, struct kt_window *window);
void kt_window_unmap(struct kt_window *window);

/*
 * Copies the page at @offset to @copy, which may be NULL: 1, or 0 when there is
 * no memory behind it, or a negative errno.  Raises no signal.
 */
int kt_window_page(const struct kt_window *window, size_t offset, void *copy);

static inline const __u8 *kt_window_key(const struct kmap_entry *entry)
{
	return (const __u8 *)(entry + 1);
}

static inline const __u8 *kt_window_value(const struct kmap_entry *entry)
{
	return (const __u8 *)entry +
	       KMAP_ENTRY_VALUE(KMAP_ENTRY_KEY_LEN(entry->lens));
}

/*
 * Calls @visit, which returns 0 to continue, for each entry of the map; nobody may
 * change the map meanwhile.  When the keeper has moved an entry meanwhile, all of them
 * are visited again.  Returns the number of entries, a negative value from @visit, or
 * -EPROTO for a window that is not as the header says.
 */
typedef int kt_window_visit(const struct kmap_entry *entry, void *arg);
__s64 kt_window_scan(const struct kt_window *window, kt_window_visit *visit,
		     void *arg);

#endif /* KMAP_TEST_WINDOW_H */
