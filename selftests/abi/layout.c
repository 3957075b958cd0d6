// SPDX-License-Identifier: GPL-2.0
/*
 * The layout of every structure of the ABI.  It is the same for 32-bit and 64-bit
 * programs: both builds of this file compare with the same numbers.
 */
#include <stddef.h>

#include "kselftest_harness.h"
#include "kmap_test.h"

/* The compiler checks it, too, in case a program of the other size cannot run. */
#define SAME(number, constant) do {				\
	_Static_assert((number) == (constant), #constant);	\
	EXPECT_EQ(number, constant);				\
} while (0)
#define AT(offset, type, member)	SAME(offset, offsetof(struct type, member))
#define SIZE(size, type)		SAME(size, sizeof(struct type))

TEST(op)
{
	AT(0, kmap_op, opcode);
	AT(4, kmap_op, flags);
	AT(8, kmap_op, key);
	AT(16, kmap_op, value);
	AT(24, kmap_op, out);
	AT(32, kmap_op, key_len);
	AT(36, kmap_op, value_len);
	AT(40, kmap_op, out_size);
	AT(44, kmap_op, ttl);
	AT(48, kmap_op, version);
	AT(56, kmap_op, number);
	AT(64, kmap_op, out_len);
	AT(68, kmap_op, out_flags);
	AT(70, kmap_op, error);
	SIZE(72, kmap_op);
	AT(0, kmap_op_ext, op);
	AT(72, kmap_op_ext, expected);
	AT(80, kmap_op_ext, expected_len);
	AT(84, kmap_op_ext, reserved);
	AT(88, kmap_op_ext, deadline);
	AT(96, kmap_op_ext, stale);
	AT(104, kmap_op_ext, lease);
	SIZE(112, kmap_op_ext);
}

TEST(batch)
{
	AT(0, kmap_batch, ops);
	AT(8, kmap_batch, count);
	AT(12, kmap_batch, op_size);
	AT(16, kmap_batch, flags);
	AT(20, kmap_batch, done);
	SIZE(24, kmap_batch);
}

TEST(keys)
{
	AT(0, kmap_keys, buf);
	AT(8, kmap_keys, size);
	AT(16, kmap_keys, flags);
	AT(20, kmap_keys, reserved);
	AT(24, kmap_keys, cursor);
	AT(32, kmap_keys, used);
	AT(40, kmap_keys, count);
	AT(44, kmap_keys, reserved2);
	SIZE(48, kmap_keys);
	AT(0, kmap_item, key_len);
	AT(2, kmap_item, flags);
	AT(4, kmap_item, value_len);
	AT(8, kmap_item, version);
	SIZE(16, kmap_item);
	EXPECT_EQ(24, KMAP_ITEM_SIZE(1, 0));
	EXPECT_EQ(24, KMAP_ITEM_SIZE(8, 0));
	EXPECT_EQ(32, KMAP_ITEM_SIZE(8, 1));
}

TEST(clear)
{
	AT(0, kmap_clear, flags);
	AT(4, kmap_clear, reserved);
	AT(8, kmap_clear, removed);
	SIZE(16, kmap_clear);
}

TEST(info)
{
	AT(0, kmap_info, flags);
	AT(4, kmap_info, abi);
	AT(8, kmap_info, lock);
	AT(24, kmap_info, shards);
	AT(28, kmap_info, max_key);
	AT(32, kmap_info, max_value);
	AT(36, kmap_info, max_chain);
	AT(40, kmap_info, max_entries);
	AT(48, kmap_info, max_bytes);
	AT(56, kmap_info, entries);
	AT(64, kmap_info, bytes);
	AT(72, kmap_info, memory);
	AT(80, kmap_info, deferred);
	AT(88, kmap_info, deferred_max);
	AT(96, kmap_info, buckets);
	AT(104, kmap_info, overflow);
	AT(112, kmap_info, gets);
	AT(120, kmap_info, hits);
	AT(128, kmap_info, sets);
	AT(136, kmap_info, deletes);
	AT(144, kmap_info, adds);
	AT(152, kmap_info, walks);
	AT(160, kmap_info, retries);
	AT(168, kmap_info, waits);
	AT(176, kmap_info, window);
	AT(184, kmap_info, slabs);
	AT(192, kmap_info, reusable);
	AT(200, kmap_info, tables);
	AT(208, kmap_info, kept);
	AT(216, kmap_info, compacted);
	AT(224, kmap_info, given_back);
	SIZE(232, kmap_info);
}

TEST(commands)
{
	EXPECT_EQ(0xc048bc01, KMAP_IOC_GET);
	EXPECT_EQ(0xc048bc02, KMAP_IOC_SET);
	EXPECT_EQ(0xc048bc03, KMAP_IOC_DELETE);
	EXPECT_EQ(0xc048bc04, KMAP_IOC_ADD);
	EXPECT_EQ(0xc070bc01, KMAP_IOC_GET_EXT);
	EXPECT_EQ(0xc070bc02, KMAP_IOC_SET_EXT);
	EXPECT_EQ(0xc070bc03, KMAP_IOC_DELETE_EXT);
	EXPECT_EQ(0xc070bc04, KMAP_IOC_ADD_EXT);
	EXPECT_EQ(0xc018bc05, KMAP_IOC_BATCH);
	EXPECT_EQ(0xc030bc06, KMAP_IOC_KEYS);
	EXPECT_EQ(0xc010bc07, KMAP_IOC_CLEAR);
	EXPECT_EQ(0xc0e8bc08, KMAP_IOC_INFO);
}

TEST(constants)
{
	EXPECT_EQ(1, KMAP_ABI);
	EXPECT_EQ(1024, KMAP_KEY_MAX);
	EXPECT_EQ(1048576, KMAP_VALUE_MAX);
	EXPECT_EQ(65536, KMAP_BATCH_MAX);
	EXPECT_EQ(1, KMAP_OP_GET);
	EXPECT_EQ(2, KMAP_OP_SET);
	EXPECT_EQ(3, KMAP_OP_DELETE);
	EXPECT_EQ(4, KMAP_OP_ADD);
	EXPECT_EQ(1, KMAP_CREATE);
	EXPECT_EQ(2, KMAP_REPLACE);
	EXPECT_EQ(4, KMAP_MATCH);
	EXPECT_EQ(8, KMAP_RETURN);
	EXPECT_EQ(16, KMAP_EQUAL);
	EXPECT_EQ(32, KMAP_NUMBER);
	EXPECT_EQ(1, KMAP_IS_NUMBER);
	EXPECT_EQ(0xffffffff, KMAP_ABSENT);
	EXPECT_EQ(1, KMAP_KEYS_VALUES);
	EXPECT_EQ(2, KMAP_KEYS_ATOMIC);
	EXPECT_EQ(0xffffffffffffffffull, KMAP_KEYS_END);
}

TEST(window)
{
	AT(0, kmap_window, magic);
	AT(8, kmap_window, size);
	AT(16, kmap_window, features);
	AT(24, kmap_window, hash_key);
	AT(40, kmap_window, shards);
	AT(44, kmap_window, shard_bits);
	AT(48, kmap_window, max_chain);
	AT(52, kmap_window, stale);
	AT(56, kmap_window, shard_offset);
	AT(64, kmap_window, bucket_offset);
	AT(72, kmap_window, bucket_size);
	AT(80, kmap_window, entry_offset);
	AT(88, kmap_window, entry_size);
	SIZE(96, kmap_window);
	AT(0, kmap_shard, end);
	SIZE(64, kmap_shard);
	AT(0, kmap_bucket, seq);
	AT(8, kmap_bucket, link);
	AT(12, kmap_bucket, mark);
	AT(16, kmap_bucket, tags);
	AT(32, kmap_bucket, refs);
	SIZE(64, kmap_bucket);
	AT(0, kmap_entry, hash);
	AT(4, kmap_entry, lens);
	AT(8, kmap_entry, version);
	SIZE(16, kmap_entry);
	EXPECT_EQ(1024, KMAP_ENTRY_KEY_LEN(KMAP_ENTRY_LENS(1024, 1048576)));
	EXPECT_EQ(1048576,
		  KMAP_ENTRY_VALUE_LEN(KMAP_ENTRY_LENS(1024, 1048576)));
	EXPECT_EQ(24, KMAP_ENTRY_VALUE(8));
	EXPECT_EQ(32, KMAP_ENTRY_VALUE(9));
	EXPECT_EQ(32, KMAP_ENTRY_SIZE(8, 8));
	EXPECT_EQ(40, KMAP_ENTRY_SIZE(8, 9));
}

TEST_HARNESS_MAIN
