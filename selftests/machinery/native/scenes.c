// SPDX-License-Identifier: GPL-2.0-only
/*
 * Calls of every kind, for tests of the ioctls: the record of each with all that it
 * points to in one piece of user memory, and a small map that they find.
 */
#include <string.h>

#include <linux/err.h>

#include "file.h"
#include "inspect.h"
#include "ops.h"
#include "scenes.h"
#include "shim.h"
#include "test.h"

#define DUMP		65536u

struct scene_user user;

const struct scene scenes[] = {
	{ "get", KMAP_OP_GET, 0, "text", 0, SCENE_LONGEST },
	{ "get a number", KMAP_OP_GET, 0, "number", 0, 8 },
	{ "get none", KMAP_OP_GET, 0, "none", 0, 8, -ENOENT },
	{ "get little", KMAP_OP_GET, 0, "text", 0, 3, -EMSGSIZE },
	{ "get much", KMAP_OP_GET, 0, "long", 0, SCENE_LONGEST },
	{ "set", KMAP_OP_SET, 0, "text", 50 },
	{ "set a new one", KMAP_OP_SET, 0, "new", 77 },
	{ "set an odd key", KMAP_OP_SET, 0, "sixteen bytes so", 7 },
	{ "set much", KMAP_OP_SET, 0, "text", 6000 },
	{ "set if there is none", KMAP_OP_SET, KMAP_CREATE, "text", 5, 0,
	  -EEXIST },
	{ "set if equal", KMAP_OP_SET, KMAP_EQUAL, "long", 3000 },
	{ "swap", KMAP_OP_SET, KMAP_RETURN, "text", 60, SCENE_LONGEST },
	{ "swap much", KMAP_OP_SET, KMAP_RETURN, "long", 60, SCENE_LONGEST },
	{ "swap a new one", KMAP_OP_SET, KMAP_RETURN, "new", 60, SCENE_LONGEST },
	{ "load or store", KMAP_OP_SET, KMAP_RETURN | KMAP_CREATE, "text", 60,
	  SCENE_LONGEST, -EEXIST },
	{ "delete", KMAP_OP_DELETE, 0, "text" },
	{ "delete if equal", KMAP_OP_DELETE, KMAP_EQUAL, "long" },
	{ "take", KMAP_OP_DELETE, KMAP_RETURN, "text", 0, 200 },
	{ "take much", KMAP_OP_DELETE, KMAP_RETURN, "long", 0, SCENE_LONGEST },
	{ "add", KMAP_OP_ADD, 0, "number" },
	{ "add a new one", KMAP_OP_ADD, KMAP_CREATE, "new" },
	{ "batch", SCENE_BATCH, 0, "text", 70, SCENE_LONGEST },
	{ "keys", SCENE_KEYS, 0, "", 0, SCENE_LONGEST },
	{ "values", SCENE_KEYS, KMAP_KEYS_VALUES, "", 0, SCENE_LONGEST },
	{ "all values", SCENE_KEYS, KMAP_KEYS_VALUES | KMAP_KEYS_ATOMIC, "", 0,
	  SCENE_LONGEST },
	{ "clear", SCENE_CLEAR, 0, "" },
	{ "info", SCENE_INFO, 0, "" },
};

const unsigned int scenes_n = ARRAY_SIZE(scenes);

const char * const scene_locks[3] = { "spinlock", "rwsem", "rcu" };

struct file scene_file;
struct shmap_map *scene_map;
static u8 dumped[2][DUMP];
static size_t before;

/**
 * scene_on_key - is an ioctl one on one key?
 * @nr: its number
 *
 * Return: true if so.
 */
bool scene_on_key(unsigned int nr)
{
	return nr <= KMAP_OP_ADD;
}

/**
 * scene_send - the ioctl
 * @filp: the file
 * @nr: which ioctl
 * @size: of the record, which is in user.record
 *
 * Return: what it returned.
 */
int scene_send(struct file *filp, unsigned int nr, size_t size)
{
	return shmap_ops_ioctl(filp, _IOC(_IOC_READ | _IOC_WRITE,
					  KMAP_IOC_MAGIC, nr, size),
			       (uintptr_t)&user.record);
}

/* Everything in the map, with versions; in an order of the map's own. */
static size_t dump(u8 *to)
{
	struct kmap_keys keys = {
		.buf = (uintptr_t)to, .size = DUMP,
		.flags = KMAP_KEYS_VALUES | KMAP_KEYS_ATOMIC,
	};

	check_equal(shmap_ops_ioctl(&scene_file, KMAP_IOC_KEYS,
				    (uintptr_t)&keys), 0);
	return keys.used;
}

/**
 * scene_unchanged - is everything as scene_open() or scene_restore() left it?
 *
 * Return: true if so, to the versions.
 */
bool scene_unchanged(void)
{
	size_t now = dump(dumped[1]);

	inspect_map(scene_map);
	return now == before && !memcmp(dumped[0], dumped[1], now);
}

static void fill_op(struct kmap_op *op, const struct scene *scene,
		    unsigned int nr)
{
	memset(op, 0, sizeof(*op));
	op->flags = scene->flags;
	op->key = (uintptr_t)user.key;
	op->key_len = strlen(scene->key);
	if (nr == KMAP_OP_SET) {
		op->value = (uintptr_t)user.value;
		op->value_len = scene->value_len;
	}
	if (nr == KMAP_OP_GET || scene->flags & KMAP_RETURN) {
		op->out = (uintptr_t)user.out;
		op->out_size = scene->out_size;
	}
	if (nr == KMAP_OP_ADD)
		op->number = 1;
}

/**
 * scene_fill - write the record of a scene, and all that it points to
 * @scene: the scene
 *
 * Return: its size.
 */
size_t scene_fill(const struct scene *scene)
{
	unsigned int i;

	memset(&user.record, 0, sizeof(user.record));
	memcpy(user.key, scene->key, strlen(scene->key));
	memset(user.value, 'v', sizeof(user.value));
	memset(user.expected, 'l', sizeof(user.expected));
	switch (scene->nr) {
	case SCENE_BATCH:
		for (i = 0; i < 3; i++) {
			fill_op(&user.ops[i], scene, i == 1 ? 2 : 1);
			user.ops[i].opcode = i == 1 ? 2 : 1;
		}
		user.record.batch.ops = (uintptr_t)user.ops;
		user.record.batch.count = 3;
		user.record.batch.op_size = sizeof(struct kmap_op);
		return sizeof(user.record.batch);
	case SCENE_KEYS:
		user.record.keys.buf = (uintptr_t)user.out;
		user.record.keys.size = scene->out_size;
		user.record.keys.flags = scene->flags;
		return sizeof(user.record.keys);
	case SCENE_CLEAR:
		return sizeof(user.record.clear);
	case SCENE_INFO:
		return sizeof(user.record.info);
	default:
		fill_op(&user.record.ext.op, scene, scene->nr);
		if (!(scene->flags & KMAP_EQUAL))
			return sizeof(struct kmap_op);
		user.record.ext.expected = (uintptr_t)user.expected;
		user.record.ext.expected_len = 5000;
		return sizeof(user.record.ext);
	}
}

static void store(const char *key, u8 byte, u32 len)
{
	const struct scene scene = { "", KMAP_OP_SET, 0, key, len };
	size_t size = scene_fill(&scene);

	memset(user.value, byte, len);
	check_equal(scene_send(&scene_file, KMAP_OP_SET, size), 0);
}

/**
 * scene_restore - bring back what scenes look for and may have removed
 */
void scene_restore(void)
{
	store("text", 't', 100);
	store("long", 'l', 5000);
	before = dump(dumped[0]);
}

/**
 * scene_open - make the map, and open the file
 * @lock: name of the lock mode
 */
void scene_open(const char *lock)
{
	static const struct scene add = { "", KMAP_OP_ADD, 0, "number" };
	const struct shmap_config config = {
		.lock		= shmap_lock_find(lock),
		.shards		= 2,
		.max_entries	= 1000,
		.max_bytes	= 1 << 20,
		.max_key	= 300,
		.max_value	= SCENE_LONGEST,
		.wipe		= true,
	};

	shim_rcu_by_hand(true);
	scene_map = shmap_map_create(&config);
	check(!IS_ERR(scene_map));
	scene_file.f_mode = FMODE_READ | FMODE_WRITE;
	check_equal(shmap_file_open(NULL, &scene_file, scene_map), 0);
	check_equal(scene_send(&scene_file, KMAP_OP_ADD, scene_fill(&add)), 0);
	scene_restore();
}

/**
 * scene_close - the other way round; all memory has to come back
 */
void scene_close(void)
{
	shmap_map_put(scene_map);
	check_equal(shmap_file_release(NULL, &scene_file), 0);
	check_equal(shim_bytes_out(), 0);
}

