/* SPDX-License-Identifier: GPL-2.0-only */
/* SipHash; see ../siphash.c. */
#ifndef SHIM_SIPHASH_H
#define SHIM_SIPHASH_H

#include <linux/bitops.h>
#include <linux/types.h>

typedef struct {
	u64 key[2];
} hsiphash_key_t;

/* What the rounds are made of, in the kernel's terms. */
#define SIPHASH_CONST_0	0x736f6d6570736575ull
#define SIPHASH_CONST_1	0x646f72616e646f6dull
#define SIPHASH_CONST_2	0x6c7967656e657261ull
#define SIPHASH_CONST_3	0x7465646279746573ull
#define SIPHASH_PERMUTATION(a, b, c, d) \
	shim_siphash_round(&(a), &(b), &(c), &(d))

static inline void shim_siphash_round(u64 *a, u64 *b, u64 *c, u64 *d)
{
	*a += *b;
	*c += *d;
	*b = rol64(*b, 13) ^ *a;
	*d = rol64(*d, 16) ^ *c;
	*a = rol64(*a, 32);
	*c += *b;
	*a += *d;
	*b = rol64(*b, 17) ^ *c;
	*d = rol64(*d, 21) ^ *a;
	*c = rol64(*c, 32);
}

u64 shim_siphash(unsigned int c_rounds, unsigned int d_rounds, const void *data,
		 size_t len, const u64 key[2]);

/* As 64-bit kernels have it: the low half of SipHash-1-3. */
static inline u32 hsiphash(const void *data, size_t len,
			   const hsiphash_key_t *key)
{
	return shim_siphash(1, 3, data, len, key->key);
}

#endif /* SHIM_SIPHASH_H */
