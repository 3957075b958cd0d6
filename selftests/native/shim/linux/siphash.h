/* SPDX-License-Identifier: GPL-2.0-only */
/* SipHash; see ../siphash.c. */
#ifndef SHIM_SIPHASH_H
#define SHIM_SIPHASH_H

#include <linux/types.h>

typedef struct {
	u64 key[2];
} hsiphash_key_t;

u64 shim_siphash(unsigned int c_rounds, unsigned int d_rounds, const void *data,
		 size_t len, const u64 key[2]);

/* As 64-bit kernels have it: the low half of SipHash-1-3. */
static inline u32 hsiphash(const void *data, size_t len,
			   const hsiphash_key_t *key)
{
	return shim_siphash(1, 3, data, len, key->key);
}

#endif /* SHIM_SIPHASH_H */
