// SPDX-License-Identifier: GPL-2.0
/*
 * What a gene stands for that chooses an address, a length or flags.
 */
#include "fuzz.h"

#define PAGE	4096u

/*
 * The beginning of @len bytes that end at @end, the end of @size bytes of ours; but
 * never before these, where other memory may be.
 */
static __u64 up_to(__u64 end, __u64 len, __u64 size)
{
	return end - (len < size ? len : size);
}

/*
 * An address for @len bytes; @normal is the ordinary choice.  Invented addresses are
 * above everything that is mapped.
 */
__u64 fuzz_place(struct fuzz_client *c, __u8 gene, __u64 random,
		 unsigned int normal, __u64 len)
{
	const __u64 end = kt_ptr(c->hole);

	switch (gene % 32) {
	case 1:
		return up_to(end, len, FUZZ_ARENA);
	case 2:
		return up_to(end, len, FUZZ_ARENA) + 1;
	case 3:
		return 0;
	case 4:
		return end;
	case 5:
		return kt_ptr(c->readonly);
	case 6:
		return kt_ptr(c->locked);
	case 7:
	case 8:
		return kt_ptr(c->racy) + random % FUZZ_RACY;
	case 9:
		return 0xffff888000000000ull + random % PAGE;
	case 10:
		return 0xffffffff81000000ull;
	case 11:
		return random | 1ull << 63;
	case 12:
		return -len;
	case 13:
		return kt_ptr(c->arena) + FUZZ_RECORD + random % 128;
	case 14:
		return kt_ptr(c->arena) + FUZZ_OUT;
	case 15:
		return kt_ptr(c->arena) + FUZZ_ARRAY + random % 256;
	case 16:
		return kt_ptr(c->arena) + FUZZ_KEYS + random % 64;
	case 17:
		return end - 1;
	case 18:
		return ~0ull;
	case 19:
		return 0x00007ffffffff000ull + random % 64;
	case 20:
		return (kt_ptr(c->arena) + normal) | 1ull << 47;
	case 21:
		return c->window ? kt_ptr(c->window) + random % PAGE : 0;
	case 22:
		return up_to(kt_ptr(c->racy) + FUZZ_RACY, len, FUZZ_RACY);
	case 23:
		return up_to(kt_ptr(c->readonly) + PAGE, len, PAGE);
	case 24:
	case 25:
		return kt_ptr(c->arena) + normal + 1 + random % 7;
	default:
		return kt_ptr(c->arena) + normal;
	}
}

/* Can @len bytes at this place overlap with records? */
bool fuzz_overlaps(__u8 gene, __u64 len)
{
	gene %= 32;
	/* At the arena's end only a very long buffer reaches back to the records. */
	return gene == 13 || gene == 15 ||
	       ((gene == 1 || gene == 2) && len > FUZZ_ARENA - FUZZ_WALK);
}

__u32 fuzz_value_len(__u8 gene, __u64 random)
{
	static const __u32 lens[] = {
		8, 0, 1, 7, 8, 9, 16, 100, 255, 256, 257, 1000, 4096, 16384,
		FUZZ_MAX_VALUE - 1, FUZZ_MAX_VALUE, FUZZ_MAX_VALUE + 1,
		0x7fffffffu, 0x80000000u, 0xffffffffu,
	};

	/* Mostly numbers and short ones. */
	if (gene >= 64)
		return gene < 128 ? 8 : random % 200;
	if (gene >= 40)
		return random % 3000;
	return lens[gene % ARRAY_SIZE(lens)];
}

__u32 fuzz_out_size(__u8 gene, __u64 random)
{
	if (gene < 128)
		return FUZZ_MAX_VALUE;
	if (gene < 192)
		return random % 300;
	return fuzz_value_len(gene - 192, random);
}

__u32 fuzz_key_len(__u8 gene, unsigned int key)
{
	static const __u32 lens[] = {
		1, 2, 3, 7, 8, 9, 15, 16, 17, 31, 32, 33, 63, 64, 65, 127, 128,
		255, 256, 257, 511, 512, FUZZ_MAX_KEY - 1, FUZZ_MAX_KEY,
	};
	static const __u32 odd[] = {
		0, FUZZ_MAX_KEY + 1, KMAP_KEY_MAX, KMAP_KEY_MAX + 1, 0x10000,
		0x7fffffffu, 0x80000000u, 0xffffffffu,
	};

	if (gene % 4 == 3)
		return odd[gene / 4 % ARRAY_SIZE(odd)];
	return lens[key % ARRAY_SIZE(lens)];
}

__u32 fuzz_op_flags(__u8 gene)
{
	static const __u32 most[] = {
		0, 0, 0, KMAP_CREATE, KMAP_REPLACE, KMAP_MATCH, KMAP_RETURN,
		KMAP_RETURN | KMAP_CREATE, KMAP_RETURN | KMAP_MATCH,
		KMAP_RETURN | KMAP_REPLACE, KMAP_EQUAL, KMAP_NUMBER,
		KMAP_RETURN | KMAP_EQUAL, KMAP_EQUAL | KMAP_NUMBER,
	};

	if (gene < 200)
		return most[gene % ARRAY_SIZE(most)];
	if (gene < 232)
		return gene - 200;
	return 1u << gene % 32;
}
