/* SPDX-License-Identifier: GPL-2.0-only */
/* User memory, which is the test's own; see ../user.c. */
#ifndef SHIM_UACCESS_H
#define SHIM_UACCESS_H

#include <linux/minmax.h>
#include <linux/sched.h>
#include <linux/string.h>

#define u64_to_user_ptr(address)	((void *)(uintptr_t)(address))

bool access_ok(const void *at, size_t n);

/* Each returns how many bytes were not copied. */
size_t copy_from_user(void *to, const void *from, size_t n);
size_t copy_to_user(void *to, const void *from, size_t n);
size_t fault_in_safe_writeable(const char *at, size_t n);

int copy_struct_from_user(void *to, size_t to_size, const void *from,
			  size_t from_size);

void pagefault_disable(void);
void pagefault_enable(void);

#define might_fault()	((void)(current->no_faults || (might_sleep(), 0)))

/* One word; false when it cannot be had. */
bool shim_user_load(void *to, const void *from, size_t n);
bool shim_user_store(void *to, const void *from, size_t n);

#define get_user(x, at) \
	(shim_user_load(&(x), (at), sizeof(*(at))) ? 0 : -EFAULT)
#define put_user(x, at) \
	({ __typeof__(*(at)) _word = (x); \
	   shim_user_store((at), &_word, sizeof(_word)) ? 0 : -EFAULT; })

/* What lies between one beginning and one end, without checks of its own. */
#define SHIM_USER_READ	1u
#define SHIM_USER_WRITE	2u

bool shim_user_begin(const void *at, size_t n, unsigned int how);
void shim_user_end(unsigned int how);
void shim_user_within(unsigned int how);

#define user_access_begin(at, n) \
	shim_user_begin(at, n, SHIM_USER_READ | SHIM_USER_WRITE)
#define user_access_end()	shim_user_end(SHIM_USER_READ | SHIM_USER_WRITE)
#define user_read_access_begin(at, n)	shim_user_begin(at, n, SHIM_USER_READ)
#define user_read_access_end()		shim_user_end(SHIM_USER_READ)
#define user_write_access_begin(at, n)	shim_user_begin(at, n, SHIM_USER_WRITE)
#define user_write_access_end()		shim_user_end(SHIM_USER_WRITE)

#define unsafe_get_user(x, at, label) \
do { \
	__typeof__(x) _word; \
\
	shim_user_within(SHIM_USER_READ); \
	if (!shim_user_load(&_word, (at), sizeof(*(at)))) \
		goto label; \
	(x) = _word; \
} while (0)

#define unsafe_put_user(x, at, label) \
do { \
	__typeof__(*(at)) _word = (x); \
\
	shim_user_within(SHIM_USER_WRITE); \
	if (!shim_user_store((at), &_word, sizeof(_word))) \
		goto label; \
} while (0)

#endif /* SHIM_UACCESS_H */
