// SPDX-License-Identifier: GPL-2.0-only
/*
 * Small memory: kmalloc() and its like, memory for each CPU, and allocations
 * that fail when a test says so.
 *
 * What is not asked to be zero is filled with garbage.  All that is out is
 * counted, so that a test can tell a leak without a sanitizer.
 */
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include <linux/percpu.h>
#include <linux/random.h>
#include <linux/slab.h>

#include "shim.h"

/* From this size on, zeroed memory is mapped, so that only what is used counts. */
#define MAPPED		(4ul << 20)
#define MAPPINGS	4096
#define GARBAGE		0xa5

static u64 attempts;
static u64 fail_first, fail_last;
static long bytes_out;

static struct mapping {
	void *mem;
	size_t size;
} mappings[MAPPINGS];
static pthread_mutex_t mappings_lock = PTHREAD_MUTEX_INITIALIZER;

static u64 random_state = 1;

/**
 * shim_fail - fail the test at once
 * @file: where
 * @line: where
 * @what: what is wrong
 */
void shim_fail(const char *file, int line, const char *what)
{
	fflush(stdout);
	fprintf(stderr, "%s:%d: %s\n", file, line, what);
	abort();
}

/**
 * shim_fail_nth - let one allocation fail
 * @nth: which, counted from now; 1 is the next one, 0 none
 */
void shim_fail_nth(u64 nth)
{
	u64 first = nth ? shim_attempts() + nth : 0;

	__atomic_store_n(&fail_first, first, __ATOMIC_RELAXED);
	__atomic_store_n(&fail_last, first, __ATOMIC_RELAXED);
}

/**
 * shim_fail_from - let all allocations fail from one on
 * @nth: as with shim_fail_nth()
 */
void shim_fail_from(u64 nth)
{
	shim_fail_nth(nth);
	__atomic_store_n(&fail_last, nth ? ~0ull : 0, __ATOMIC_RELAXED);
}

/**
 * shim_attempts - allocations tried so far
 *
 * Return: how many, those that failed included.
 */
u64 shim_attempts(void)
{
	return __atomic_load_n(&attempts, __ATOMIC_RELAXED);
}

/**
 * shim_may_allocate - count an allocation
 * @what: name of the function
 *
 * Return: false when it is to fail.
 */
bool shim_may_allocate(const char *what)
{
	u64 nth = __atomic_add_fetch(&attempts, 1, __ATOMIC_RELAXED), first, last;

	shim_might_sleep(what);
	if (shim_relax)
		shim_relax();
	first = __atomic_load_n(&fail_first, __ATOMIC_RELAXED);
	last = __atomic_load_n(&fail_last, __ATOMIC_RELAXED);
	return !first || nth < first || nth > last;
}

/**
 * shim_bytes_count - note memory that was got or returned
 * @bytes: how much; negative when it was returned
 */
void shim_bytes_count(long bytes)
{
	__atomic_add_fetch(&bytes_out, bytes, __ATOMIC_RELAXED);
}

/**
 * shim_bytes_out - memory that is allocated, of whatever kind
 *
 * Return: bytes.
 */
long shim_bytes_out(void)
{
	return __atomic_load_n(&bytes_out, __ATOMIC_RELAXED);
}

static void *map_zeroed(size_t size)
{
	void *mem = mmap(NULL, size, PROT_READ | PROT_WRITE,
			 MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
	unsigned int i;

	if (mem == MAP_FAILED)
		return NULL;
	pthread_mutex_lock(&mappings_lock);
	for (i = 0; i < MAPPINGS && mappings[i].mem; i++)
		;
	if (i == MAPPINGS)
		shim_fail(__FILE__, __LINE__, "too many mappings");
	mappings[i].mem = mem;
	mappings[i].size = size;
	pthread_mutex_unlock(&mappings_lock);
	return mem;
}

static bool unmap(const void *mem)
{
	struct mapping found = { NULL, 0 };
	unsigned int i;

	if ((unsigned long)mem % PAGE_SIZE)
		return false;
	pthread_mutex_lock(&mappings_lock);
	for (i = 0; i < MAPPINGS; i++) {
		if (mappings[i].mem == mem) {
			found = mappings[i];
			mappings[i].mem = NULL;
		}
	}
	pthread_mutex_unlock(&mappings_lock);
	if (!found.mem)
		return false;
	munmap(found.mem, found.size);
	shim_bytes_count(-(long)found.size);
	return true;
}

/*
 * Small objects carry their size in front of them, at the distance that keeps
 * them aligned to a cache line.
 */
#define FRONT	64ul

/**
 * shim_alloc - allocate an array
 * @n: elements
 * @size: bytes of an element
 * @gfp: only __GFP_ZERO and __GFP_NOFAIL count
 *
 * Return: the memory, aligned to a cache line, or NULL.
 */
void *shim_alloc(size_t n, size_t size, gfp_t gfp)
{
	size_t bytes;
	void *front;

	if ((!shim_may_allocate(__func__) && !(gfp & __GFP_NOFAIL)) ||
	    __builtin_mul_overflow(n, size, &bytes))
		return NULL;
	shim_bytes_count(bytes);
	if (gfp & __GFP_ZERO && bytes >= MAPPED)
		return map_zeroed(bytes);
	if (posix_memalign(&front, FRONT, FRONT + bytes))
		shim_fail(__FILE__, __LINE__, "the machine has no memory");
	*(size_t *)front = bytes;
	return memset(front + FRONT, gfp & __GFP_ZERO ? 0 : GARBAGE, bytes);
}

/**
 * kfree - free what shim_alloc() gave
 * @mem: the memory, or NULL
 */
void kfree(const void *mem)
{
	if (!mem || unmap(mem))
		return;
	shim_bytes_count(-(long)*(size_t *)(mem - FRONT));
	free((void *)mem - FRONT);
}

/**
 * shim_alloc_percpu - memory for each CPU
 * @size: bytes for one
 *
 * Return: that of CPU 0, zeroed, or NULL.
 */
void *shim_alloc_percpu(size_t size)
{
	if (size > SHIM_CPU_BYTES)
		shim_fail(__FILE__, __LINE__, "too large for a CPU");
	return shim_alloc(SHIM_CPUS, SHIM_CPU_BYTES, __GFP_ZERO);
}

/**
 * free_percpu - free what shim_alloc_percpu() gave
 * @mem: that of CPU 0, or NULL
 */
void free_percpu(void *mem)
{
	kfree(mem);
}

/**
 * shim_seed - begin the random numbers anew
 * @seed: which
 */
void shim_seed(u64 seed)
{
	random_state = seed;
}

/**
 * get_random_bytes - random bytes, the same for the same seed
 * @to: where to
 * @size: how many
 */
void get_random_bytes(void *to, size_t size)
{
	u8 *at = to;

	/* Knuth's MMIX generator; only the upper byte is any good. */
	for (; size; size--) {
		random_state = random_state * 6364136223846793005ull +
			       1442695040888963407ull;
		*at++ = random_state >> 56;
	}
}
