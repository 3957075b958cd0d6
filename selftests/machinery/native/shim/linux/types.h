/* SPDX-License-Identifier: GPL-2.0-only */
/* The kernel's names for types, on those of the C library. */
#ifndef SHIM_TYPES_H
#define SHIM_TYPES_H

#include_next <linux/types.h>

#include <errno.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

/* As everywhere in the kernel. */
#include <linux/kconfig.h>

typedef uint8_t u8;
typedef uint16_t u16;
typedef uint32_t u32;
typedef __u64 u64;
typedef int16_t s16;
typedef int32_t s32;
typedef __s64 s64;
typedef unsigned int gfp_t;

#define U32_MAX	UINT32_MAX
#define U64_MAX	UINT64_MAX

#endif /* SHIM_TYPES_H */
