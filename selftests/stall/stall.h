/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Memory that stalls accesses to it, for calls whose copies from and to user
 * memory must stop in the middle.
 *
 * A child makes the call on a few pages, of which one stalls: by userfaultfd
 * (stall_uffd.c), or because it is from a file whose server does not answer
 * (stall_fuse.c).  A task that waits for such a page can be killed with the first,
 * but not with the second.
 */
#ifndef KMAP_STALL_H
#define KMAP_STALL_H

#include <stdatomic.h>

#include "kmap_test.h"

#define STALL_PAGE	4096u

/* What is in the pages. */
enum stall_use {
	STALL_NONE,
	STALL_RECORD,
	STALL_KEY,
	STALL_VALUE,
	STALL_OUT,		/* two pages */
	STALL_OUT_2,
	STALL_ARRAY,
	STALL_PAGES
};

enum stall_state {
	STALL_RUNS,
	STALL_HELD,		/* the call waits for a page */
	STALL_OVER,		/* the call has ended without being held */
};

/**
 * struct stall - what the test and the child share
 * @page: the page that stalls
 * @writes: it stalls writes only
 * @before: a page that stalls first, and after which @page does; or STALL_NONE
 * @state: enum stall_state
 * @release: set to let the call continue
 * @ret: what the call returned
 * @content: initial content of the pages
 */
struct stall {
	enum stall_use page;
	bool writes;
	enum stall_use before;
	atomic_int state;
	atomic_int release;
	int ret;
	__u8 content[STALL_PAGES * STALL_PAGE]
		__attribute__((aligned(STALL_PAGE)));
};

/**
 * struct stall_ops - a way to stall
 * @begin: called before the child is forked; a negative errno value if the kernel
 *	lacks it
 * @map: called in the child: returns memory for the pages, or NULL
 * @arm: called in the child when content is complete: accesses stall from now on
 * @end: called when the child has ended
 */
struct stall_ops {
	int (*begin)(struct stall *stall);
	void *(*map)(struct stall *stall);
	bool (*arm)(struct stall *stall, void *pages);
	void (*end)(struct stall *stall);
};

extern const struct stall_ops stall_uffd;
extern const struct stall_ops stall_fuse;

#endif /* KMAP_STALL_H */
