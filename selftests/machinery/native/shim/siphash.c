// SPDX-License-Identifier: GPL-2.0-only
/*
 * SipHash-c-d after the paper: Aumasson, Bernstein, "SipHash: a fast short-input
 * PRF", INDOCRYPT 2012, section 2.  Plain rather than fast.  unit.c compares it
 * with published results.
 */
#include <linux/siphash.h>

static u64 rotate(u64 x, unsigned int by)
{
	return x << by | x >> (64 - by);
}

static void rounds(u64 v[4], unsigned int n)
{
	while (n--) {
		v[0] += v[1];
		v[2] += v[3];
		v[1] = rotate(v[1], 13) ^ v[0];
		v[3] = rotate(v[3], 16) ^ v[2];
		v[0] = rotate(v[0], 32);
		v[2] += v[1];
		v[0] += v[3];
		v[1] = rotate(v[1], 17) ^ v[2];
		v[3] = rotate(v[3], 21) ^ v[0];
		v[2] = rotate(v[2], 32);
	}
}

static u64 word(const u8 *data, size_t len)
{
	u64 x = 0;
	size_t i;

	for (i = 0; i < len; i++)
		x |= (u64)data[i] << (8 * i);
	return x;
}

static void absorb(u64 v[4], u64 m, unsigned int n)
{
	v[3] ^= m;
	rounds(v, n);
	v[0] ^= m;
}

/**
 * shim_siphash - SipHash of some bytes
 * @c_rounds: rounds for each word
 * @d_rounds: rounds at the end
 * @data: the bytes
 * @len: how many
 * @key: two words
 *
 * Return: 64 bits.
 */
u64 shim_siphash(unsigned int c_rounds, unsigned int d_rounds, const void *data,
		 size_t len, const u64 key[2])
{
	/* "somepseudorandomlygeneratedbytes", as the paper says. */
	u64 v[4] = {
		key[0] ^ 0x736f6d6570736575ull, key[1] ^ 0x646f72616e646f6dull,
		key[0] ^ 0x6c7967656e657261ull, key[1] ^ 0x7465646279746573ull,
	};
	const u8 *at = data;
	size_t left = len;

	for (; left >= 8; at += 8, left -= 8)
		absorb(v, word(at, 8), c_rounds);
	absorb(v, word(at, left) | (u64)len << 56, c_rounds);
	v[2] ^= 0xff;
	rounds(v, d_rounds);
	return v[0] ^ v[1] ^ v[2] ^ v[3];
}
