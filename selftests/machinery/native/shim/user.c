// SPDX-License-Identifier: GPL-2.0-only
/*
 * User memory: the test's own, and what can be wrong with it.
 *
 * An address in the first page, or above what a process has, leads nowhere.  A test
 * can say that there is no other memory than some of its own; of some that it cannot
 * be read or written, or that it is absent, so that it is there only for who can wait
 * for it; it can have one access of a call fail, counted from the first; and it is
 * called before each access for which a page could have to be waited for, when
 * anything can happen.
 *
 * A copy that fails has got half way, as far as anything is there.
 */
#include <linux/kconfig.h>
#include <linux/fault-inject-usercopy.h>
#include <linux/mm.h>
#include <linux/uaccess.h>

#include "shim.h"

#define RANGES		4
#define HIGHEST		(1ull << 47)

bool shim_words = true;

__thread void (*shim_user_wait)(void);

static __thread struct range {
	u64		at;
	u64		end;
	unsigned int	what;
} ranges[RANGES];

static __thread struct range all = { PAGE_SIZE, HIGHEST };

static __thread u64 accesses, fail_at;
static __thread bool failed, failed_write;

/**
 * shim_user_forbid - say of some memory what is wrong with it
 * @number: of the range, from 0 on; a range is forgotten with @what 0
 * @at: where it begins
 * @n: how many bytes
 * @what: SHIM_USER_NO_READ and so on
 */
void shim_user_forbid(unsigned int number, const void *at, size_t n,
		      unsigned int what)
{
	ranges[number] = (struct range) {
		.at = (uintptr_t)at, .end = (uintptr_t)at + n, .what = what,
	};
}

/**
 * shim_user_only - say what memory there is
 * @at: where it begins
 * @n: how many bytes; 0 for all that a process can have
 */
void shim_user_only(const void *at, size_t n)
{
	all.at = n ? (uintptr_t)at : PAGE_SIZE;
	all.end = n ? all.at + n : HIGHEST;
}

/**
 * shim_user_fail_nth - let one access fail
 * @nth: which, counted from now; 1 is the next one, 0 none
 */
void shim_user_fail_nth(u64 nth)
{
	accesses = 0;
	fail_at = nth;
	failed = false;
}

/**
 * shim_user_failed - did that come true?
 * @write: set when it was to be written, or may have been
 *
 * Return: true if so.
 */
bool shim_user_failed(bool *write)
{
	*write = failed_write;
	return failed;
}

static bool is_to_fail(bool write)
{
	if (!fail_at || ++accesses != fail_at)
		return false;
	failed = true;
	failed_write = write;
	return true;
}

/* May anything of @n bytes be accessed, seen from the addresses alone? */
bool access_ok(const void *at, size_t n)
{
	return (uintptr_t)at < HIGHEST && n <= HIGHEST - (uintptr_t)at;
}

/* How far an access of @n bytes gets. */
static size_t reach(const void *mem, size_t n, bool write)
{
	u64 at = (uintptr_t)mem, end = at + n;
	unsigned int i, what = write ? SHIM_USER_NO_WRITE : SHIM_USER_NO_READ;

	if (current->no_faults)
		what |= SHIM_USER_ABSENT;
	else
		shim_might_sleep("user memory");
	if (!current->no_faults && shim_user_wait)
		shim_user_wait();
	if (!access_ok(mem, n) || at < all.at || at >= all.end)
		return 0;
	end = min(end, all.end);
	for (i = 0; i < RANGES; i++)
		if (ranges[i].what & what && ranges[i].at < end &&
		    ranges[i].end > at)
			end = max(at, ranges[i].at);
	if (end == at + n && n && is_to_fail(write))
		return n / 2;
	return end - at;
}

size_t copy_from_user(void *to, const void *from, size_t n)
{
	size_t done = reach(from, n, false);

	if (done)
		memcpy(to, from, done);
	memset(to + done, 0, n - done);
	return n - done;
}

size_t copy_to_user(void *to, const void *from, size_t n)
{
	size_t done = reach(to, n, true);

	/* Not even memcpy() of nothing takes an address that is none. */
	if (done)
		memcpy(to, from, done);
	return n - done;
}

int copy_struct_from_user(void *to, size_t to_size, const void *from,
			  size_t from_size)
{
	size_t size = min(to_size, from_size), at;

	if (from_size > size) {
		if (reach(from + size, from_size - size, false) !=
		    from_size - size)
			return -EFAULT;
		for (at = size; at < from_size; at++)
			if (((const u8 *)from)[at])
				return -E2BIG;
	}
	memset(to + size, 0, to_size - size);
	return copy_from_user(to, from, size) ? -EFAULT : 0;
}

size_t fault_in_safe_writeable(const char *at, size_t n)
{
	return n - reach(at, n, true);
}

/* Which way the copy goes is not told. */
bool should_fail_usercopy(void)
{
	return is_to_fail(true);
}

void pagefault_disable(void)
{
	current->no_faults++;
}

void pagefault_enable(void)
{
	if (!current->no_faults)
		shim_fail(__FILE__, __LINE__, "page faults are not off");
	current->no_faults--;
}

bool shim_user_load(void *to, const void *from, size_t n)
{
	if (reach(from, n, false) != n)
		return false;
	memcpy(to, from, n);
	return true;
}

bool shim_user_store(void *to, const void *from, size_t n)
{
	if (reach(to, n, true) != n)
		return false;
	memcpy(to, from, n);
	return true;
}

bool shim_user_begin(const void *at, size_t n, unsigned int how)
{
	if (current->access)
		shim_fail(__FILE__, __LINE__, "user access has begun already");
	if (!access_ok(at, n))
		return false;
	current->access = how;
	return true;
}

void shim_user_end(unsigned int how)
{
	if (current->access != how)
		shim_fail(__FILE__, __LINE__, "another user access ends");
	current->access = 0;
}

void shim_user_within(unsigned int how)
{
	if (!(current->access & how))
		shim_fail(__FILE__, __LINE__, "user access has not begun");
}
