// SPDX-License-Identifier: GPL-2.0-only
/*
 * What a thread does, counted: one step for each edge of the module's control
 * flow, as the compiler's coverage instrumentation tells, and one for each 64
 * bytes that are copied, filled or compared.  A loop cannot get around that, and
 * no machine is too slow for it.
 *
 * Only the module is instrumented, and only in the flavour "steps".
 */
#include <string.h>

#include "shim.h"

#define STEP_BYTES	64

void __sanitizer_cov_trace_pc_guard(u32 *guard);
void __sanitizer_cov_trace_pc_guard_init(u32 *start, u32 *stop);
void *__real_memcpy(void *to, const void *from, size_t n);
void *__real_memset(void *to, int c, size_t n);
int __real_memcmp(const void *a, const void *b, size_t n);
void *__wrap_memcpy(void *to, const void *from, size_t n);
void *__wrap_memset(void *to, int c, size_t n);
int __wrap_memcmp(const void *a, const void *b, size_t n);

void __sanitizer_cov_trace_pc_guard(u32 *guard)
{
	shim_steps++;
}

void __sanitizer_cov_trace_pc_guard_init(u32 *start, u32 *stop)
{
}

void *__wrap_memcpy(void *to, const void *from, size_t n)
{
	shim_steps += n / STEP_BYTES;
	return __real_memcpy(to, from, n);
}

void *__wrap_memset(void *to, int c, size_t n)
{
	shim_steps += n / STEP_BYTES;
	return __real_memset(to, c, n);
}

int __wrap_memcmp(const void *a, const void *b, size_t n)
{
	shim_steps += n / STEP_BYTES;
	return __real_memcmp(a, b, n);
}
