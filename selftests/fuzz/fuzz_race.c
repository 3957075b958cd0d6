// SPDX-License-Identifier: GPL-2.0
/*
 * The other thread: unmaps, protects, moves and rewrites the memory that calls
 * read and write at the same time, and closes their file.
 */
#define _GNU_SOURCE
#include <fcntl.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "fuzz.h"

#define PAGE		4096u
#define PAGES		(FUZZ_RACY / PAGE)
#define CALLS		20	/* about as many for each act of this thread */

/* Sleep long: on a debug kernel, a wakeup takes as long as several calls. */
#define PAUSE_US	10000

static void *map_at(void *at, size_t size, int prot)
{
	return mmap(at, size, prot, MAP_PRIVATE | MAP_ANONYMOUS |
		    (at ? MAP_FIXED : 0), -1, 0);
}

bool fuzz_race_new(struct fuzz_client *c)
{
	c->racy = fuzz_region(FUZZ_RACY, PROT_READ | PROT_WRITE);
	c->changing = dup(c->rw);
	atomic_store(&c->over, false);
	return c->racy && c->changing >= 0;
}

/* Maps a new writable page in place of the old one, whatever that was. */
static __u8 *fresh_page(struct fuzz_client *c, unsigned int page)
{
	__u8 *at = c->racy + page * PAGE;

	return map_at(at, PAGE, PROT_READ | PROT_WRITE) == at ? at : NULL;
}

/* Writes a valid record to the start of a page. */
static void write_record(struct fuzz_client *c, __u8 *page, __u64 *random)
{
	struct kmap_op *op = (struct kmap_op *)page;
	const void *key = c->arena + FUZZ_KEYS + kt_random(random) % 64;
	const void *value = c->racy + kt_random(random) % FUZZ_RACY;
	void *out = c->racy + kt_random(random) % FUZZ_RACY;
	size_t len = kt_random(random) % 300;

	switch (kt_random(random) % 4) {
	case 0:
		kt_op_get(op, key, 8, out, len);
		break;
	case 1:
		kt_op_set(op, key, 8, value, len, 0);
		break;
	case 2:
		kt_op_del(op, key, 8, 0);
		break;
	default:
		kt_op_add(op, key, 8, 1, 0);
		break;
	}
	memcpy(page + sizeof(*op), op, sizeof(*op));
}

static void scribble(__u8 *page, __u64 *random)
{
	unsigned int n = 1 + kt_random(random) % 64;

	/* If such a word is used as a pointer, it leads nowhere. */
	while (n--) {
		__u64 word = kt_random(random) | 1ull << 63;

		memcpy(page + kt_random(random) % (PAGE - 8), &word, 8);
	}
}

/* Moves a page away and back again; its place is never free for other memory. */
static void move(__u8 *page)
{
	void *spare = map_at(NULL, PAGE, PROT_NONE);

	if (spare == MAP_FAILED)
		return;
	if (mremap(page, PAGE, PAGE, MREMAP_MAYMOVE | MREMAP_FIXED, spare) !=
	    MAP_FAILED)
		mremap(spare, PAGE, PAGE, MREMAP_MAYMOVE | MREMAP_FIXED, page);
	else
		munmap(spare, PAGE);
}

static void change_file(struct fuzz_client *c, __u64 random)
{
	static const int modes[] = { O_RDWR, O_RDONLY, O_WRONLY };
	int fd;

	close(c->changing);
	usleep(10);
	fd = random % 4 == 3 ? open("/dev/null", O_RDWR | O_CLOEXEC) :
			       kt_open(modes[random % 4] | O_CLOEXEC);
	if (fd >= 0 && fd != c->changing) {
		dup2(fd, c->changing);
		close(fd);
	}
}

void *fuzz_race(void *arg)
{
	struct fuzz_client *c = arg;
	__u64 random = kt_hash(&c->w->random, 8, 7);
	unsigned long due = 0;

	while (!atomic_load_explicit(&c->over, memory_order_relaxed)) {
		unsigned int number = kt_random(&random) % PAGES;
		__u8 *page = c->racy + number * PAGE;
		unsigned long calls = atomic_load(&c->w->steps);

		if (calls < due) {
			usleep(PAUSE_US);
			continue;
		}
		due = calls + 1 + kt_random(&random) % (2 * CALLS);
		switch (kt_random(&random) % 12) {
		case 0:
			mprotect(page, PAGE, PROT_NONE);
			break;
		case 1:
			mprotect(page, PAGE, PROT_READ);
			break;
		case 2:
			munmap(page, PAGE);
			usleep(20);
			fresh_page(c, number);
			break;
		case 3:
			madvise(page, PAGE, MADV_DONTNEED);
			break;
		case 4:
			move(page);
			break;
		case 5:
			change_file(c, kt_random(&random));
			break;
		case 6:
		case 7:
			page = fresh_page(c, number);
			if (page)
				scribble(page, &random);
			break;
		default:
			page = fresh_page(c, number);
			if (page)
				write_record(c, page, &random);
			break;
		}
	}
	return NULL;
}
