/* SPDX-License-Identifier: GPL-2.0-only */
/* Errors in pointers. */
#ifndef SHIM_ERR_H
#define SHIM_ERR_H

#include <linux/compiler.h>

#define SHIM_MAX_ERRNO	4095ul

static inline void *ERR_PTR(long error)
{
	return (void *)error;
}

static inline long PTR_ERR(const void *ptr)
{
	return (long)ptr;
}

static inline bool IS_ERR(const void *ptr)
{
	return unlikely((unsigned long)ptr >= -SHIM_MAX_ERRNO);
}

static inline bool IS_ERR_OR_NULL(const void *ptr)
{
	return !ptr || IS_ERR(ptr);
}

static inline long PTR_ERR_OR_ZERO(const void *ptr)
{
	return IS_ERR(ptr) ? PTR_ERR(ptr) : 0;
}

static inline void *ERR_CAST(const void *ptr)
{
	return (void *)ptr;
}

#endif /* SHIM_ERR_H */
