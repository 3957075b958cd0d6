// SPDX-License-Identifier: MIT
/*
 * What is measured: operations on entries that are drawn uniformly.
 */
#include <string.h>

#include "bench.h"

/* splitmix64: Steele, Lea, Flood, "Fast splittable PRNGs", OOPSLA 2014. */
static uint64_t mix(uint64_t z)
{
	z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9ull;
	z = (z ^ (z >> 27)) * 0x94d049bb133111ebull;
	return z ^ (z >> 31);
}

uint64_t dice_next(struct dice *dice)
{
	return mix(dice->state += 0x9e3779b97f4a7c15ull);
}

static uint64_t below(struct dice *dice, uint64_t n)
{
	return ((dice_next(dice) >> 32) * n) >> 32;
}

/* The low four bytes of x as eight hexadecimal digits, without a loop. */
static uint64_t hex(uint64_t x)
{
	uint64_t letters;

	x &= 0xffffffff;
	x = (x | x << 16) & 0x0000ffff0000ffffull;
	x = (x | x << 8) & 0x00ff00ff00ff00ffull;
	x = (x | x << 4) & 0x0f0f0f0f0f0f0f0full;
	letters = ((x + 0x0606060606060606ull) >> 4) & 0x0101010101010101ull;
	return x + 0x3030303030303030ull + letters * ('a' - '0' - 10);
}

/* mix() is a bijection, so no two numbers have the same key. */
void key_write(char *key, uint64_t n)
{
	uint64_t digits[2];

	n = mix(n + 1);
	digits[0] = hex(n);
	digits[1] = hex(n >> 32);
	memcpy(key, digits, sizeof(digits));
}

static const char *draw(struct work *work)
{
	key_write(work->keys, below(&work->dice, work->entries));
	return work->keys;
}

static uint64_t nothing(struct work *work)
{
	draw(work);
	__asm__ volatile("" : : "r" (work->keys) : "memory");
	return 1;
}

static uint64_t get(struct work *work)
{
	if (work->peer->get(work->seat, draw(work), work->values))
		work->failed++;
	return 1;
}

static uint64_t get_many(struct work *work)
{
	for (size_t i = 0; i < MANY; i++)
		key_write(work->keys + i * KEY_SIZE,
			  below(&work->dice, work->entries));
	if (work->peer->get_many(work->seat, work->keys, work->values) != MANY)
		work->failed++;
	return MANY;
}

static uint64_t set(struct work *work)
{
	if (work->peer->set(work->seat, draw(work), work->values))
		work->failed++;
	return 1;
}

/* A removed key is stored again, so that the table keeps its size. */
static uint64_t delete_insert(struct work *work)
{
	const char *key = draw(work);

	/* Another thread may have removed it just now. */
	work->peer->delete(work->seat, key);
	if (work->peer->set(work->seat, key, work->values))
		work->failed++;
	return 1;
}

static uint64_t mixed(struct work *work, unsigned int reads)
{
	const char *key = draw(work);

	if (below(&work->dice, 100) < reads) {
		if (work->peer->get(work->seat, key, work->values))
			work->failed++;
	} else if (work->peer->set(work->seat, key, work->values)) {
		work->failed++;
	}
	return 1;
}

static uint64_t mixed_95(struct work *work)
{
	return mixed(work, 95);
}

static uint64_t mixed_50(struct work *work)
{
	return mixed(work, 50);
}

static uint64_t walk(struct work *work)
{
	long keys = work->peer->walk(work->seat);

	if (keys < 0)
		work->failed++;
	return keys > 0 ? (uint64_t)keys : 0;
}

static bool can_nothing(const struct peer *peer)
{
	return peer == &peer_null;
}

static bool can_get(const struct peer *peer)
{
	return peer->get;
}

static bool can_get_many(const struct peer *peer)
{
	return peer->get_many;
}

static bool can_set(const struct peer *peer)
{
	return peer->set;
}

static bool can_mix(const struct peer *peer)
{
	return peer->get && peer->set;
}

static bool can_delete(const struct peer *peer)
{
	return peer->delete && peer->set;
}

static bool can_walk(const struct peer *peer)
{
	return peer->walk;
}

const struct load loads[] = {
	{ "nothing", "choosing a key, as all others do", can_nothing,
	  nothing, false },
	{ "get", "get", can_get, get, true },
	{ "get64", "get of 64 keys, each counted", can_get_many, get_many,
	  true },
	{ "set", "replace a value", can_set, set, true },
	{ "delins", "delete and insert, counted as one", can_delete,
	  delete_insert, true },
	{ "mix95", "95 % get, 5 % set", can_mix, mixed_95, true },
	{ "mix50", "50 % get, 50 % set", can_mix, mixed_50, true },
	{ "walk", "walk over all keys, each counted", can_walk, walk, false },
};

const size_t load_count = ARRAY_SIZE(loads);

int fill(const struct peer *peer, void *seat, uint64_t entries)
{
	char keys[MANY * KEY_SIZE], value[VALUE_SIZE];
	bool many = peer->fill && entries >= MANY;
	uint64_t n = 0;
	int ret = 0;

	memset(value, 'v', sizeof(value));
	while (!ret && n < entries) {
		/* The last keys overlap those before: storing some twice does no harm. */
		if (many && n > entries - MANY)
			n = entries - MANY;
		for (size_t i = 0; i < (many ? MANY : 1); i++)
			key_write(keys + i * KEY_SIZE, n + i);
		ret = many ? peer->fill(seat, keys, value) :
			    peer->set(seat, keys, value);
		n += many ? MANY : 1;
	}
	return ret;
}
