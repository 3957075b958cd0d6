// SPDX-License-Identifier: GPL-2.0-only
/*
 * The ioctls, and user memory that fails at each access in turn, that cannot be read
 * or written, that is not there yet, and that changes while a call runs.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <linux/err.h>

#include "inspect.h"
#include "scenes.h"
#include "shim.h"
#include "test.h"

/*
 * One access after the other fails.  The call says so, or could do without it;
 * nothing has changed unless an output failed, after the change; and once it was
 * made it is made before each later access.
 */
static unsigned int fail_each(const struct scene *scene, const char *lock)
{
	bool changed = false, write, failed;
	unsigned int n;
	size_t size;
	long ret;

	for (n = 1;; n++) {
		scene_open(lock);
		size = scene_fill(scene);
		shim_user_fail_nth(n);
		ret = scene_send(&scene_file, scene->nr, size);
		failed = shim_user_failed(&write);
		shim_user_fail_nth(0);
		if (ret != scene->want && ret != -EFAULT)
			test_fail(__FILE__, __LINE__, "%s, access %u: %ld",
				  scene->name, n, ret);
		if (!failed)
			check_equal(ret, scene->want);
		else if (ret == -EFAULT && !scene_unchanged())
			changed = true;
		else if (ret == -EFAULT && changed)
			test_fail(__FILE__, __LINE__,
				  "%s, access %u: not changed any more",
				  scene->name, n);
		if (ret == -EFAULT && changed && !write && scene->nr != SCENE_BATCH)
			test_fail(__FILE__, __LINE__,
				  "%s, access %u: an input, after the change",
				  scene->name, n);
		scene_close();
		if (!failed)
			return n - 1;
	}
}

static void accesses(bool words)
{
	unsigned int i, j, n, all = 0;

	shim_words = words;
	for (i = 0; i < ARRAY_SIZE(scene_locks); i++) {
		for (j = 0; j < scenes_n; j++) {
			n = fail_each(&scenes[j], scene_locks[i]);
			/* At least the record, and what is told of it. */
			check(n >= 2);
			all += n;
		}
	}
	printf("# %u accesses failed\n", all);
}

static void words_that_fail(void)
{
	accesses(true);
}

static void copies_that_fail(void)
{
	accesses(false);
}

/* A range that cannot be accessed at all: the call fails, and nothing has changed. */
static void refuse(const struct scene *scene, const void *at, size_t n,
		   unsigned int what)
{
	size_t size = scene_fill(scene);
	long ret;

	shim_user_forbid(0, at, n, what);
	ret = scene_send(&scene_file, scene->nr, size);
	shim_user_forbid(0, at, n, 0);
	if (ret != -EFAULT || !scene_unchanged())
		test_fail(__FILE__, __LINE__, "%s, %zu bytes at %zu, %u: %ld",
			  scene->name, n, (size_t)(at - (void *)&user), what, ret);
}

static void refuse_parts(const struct scene *scene)
{
	const struct kmap_op *op = &user.record.ext.op;
	size_t size = scene_fill(scene), at;

	/* Of outputs not all need be read. */
	if (scene_on_key(scene->nr))
		size = offsetof(struct kmap_op, version);
	for (at = 0; at < size; at += 8)
		refuse(scene, user.record.bytes + at, 8, SHIM_USER_NO_READ);
	if (!scene_on_key(scene->nr))
		return;
	refuse(scene, user.key + strlen(scene->key) - 1, 1, SHIM_USER_NO_READ);
	if (scene->value_len)
		refuse(scene, user.value + scene->value_len - 1, 1,
		       SHIM_USER_NO_READ);
	if (scene->flags & KMAP_EQUAL)
		refuse(scene, user.expected + 4999, 1, SHIM_USER_NO_READ);
	/* The outputs that an operation writes. */
	if (scene->nr != KMAP_OP_GET || !scene->want)
		refuse(scene, &op->version, 8, SHIM_USER_NO_WRITE);
	if (scene->nr != KMAP_OP_GET || !scene->want)
		refuse(scene, &op->error, 2, SHIM_USER_NO_WRITE);
	if ((scene->nr == KMAP_OP_GET && !scene->want) ||
	    (scene->flags & KMAP_RETURN && strcmp(scene->key, "new")))
		refuse(scene, user.out + 7, 1, SHIM_USER_NO_WRITE);
}

static void no_access(void)
{
	unsigned int i, j;

	for (i = 0; i < 2 * ARRAY_SIZE(scene_locks); i++) {
		shim_words = i & 1;
		scene_open(scene_locks[i / 2]);
		for (j = 0; j < scenes_n; j++)
			refuse_parts(&scenes[j]);
		scene_close();
	}
}

/* Nothing of it is there, and all of it comes when it is waited for. */
static void not_there_yet(void)
{
	unsigned int i, j;
	size_t size;

	for (i = 0; i < 2 * ARRAY_SIZE(scene_locks); i++) {
		shim_words = i & 1;
		for (j = 0; j < scenes_n; j++) {
			scene_open(scene_locks[i / 2]);
			size = scene_fill(&scenes[j]);
			memset(user.out, 0, sizeof(user.out));
			shim_user_forbid(0, &user, sizeof(user),
					 SHIM_USER_ABSENT);
			check_equal(scene_send(&scene_file, scenes[j].nr, size),
				    scenes[j].want);
			shim_user_forbid(0, &user, sizeof(user), 0);
			if (!strcmp(scenes[j].key, "text") &&
			    (scenes[j].nr == 1 || scenes[j].flags & KMAP_RETURN))
				check_equal(user.out[99],
					    scenes[j].want == -EMSGSIZE ? 0 : 't');
			inspect_map(scene_map);
			scene_close();
		}
	}
}

/* Another thread of the caller's writes to all that the kernel is still to read. */
static u32 random_state;

static u32 draw(u32 n)
{
	random_state = random_state * 1664525 + 1013904223;
	return (u64)(random_state >> 8) * n >> 24;
}

static void write_anything(void)
{
	struct kmap_op *op = draw(2) ? &user.record.ext.op : &user.ops[draw(3)];

	switch (draw(12)) {
	case 0:
		op->key_len = draw(305);
		break;
	case 1:
		op->value_len = draw(SCENE_LONGEST + 2);
		break;
	case 2:
		op->out_size = draw(SCENE_LONGEST + 2);
		break;
	case 3:
		op->flags = draw(64);
		break;
	case 4:
		op->opcode = draw(6);
		break;
	case 5:
		user.key[draw(20)] = draw(256);
		break;
	case 6:
		user.record.ext.expected_len = draw(SCENE_LONGEST + 1);
		break;
	case 7:
		memset(user.value, draw(256), draw(SCENE_LONGEST));
		break;
	default:
		break;
	}
}

static void changing(void)
{
	unsigned int i, round;
	size_t size;

	random_state = test_number("SEED", 1);
	for (i = 0; i < 2 * ARRAY_SIZE(scene_locks); i++) {
		shim_words = i & 1;
		scene_open(scene_locks[i / 2]);
		for (round = 0; round < 6000; round++) {
			size = scene_fill(&scenes[draw(scenes_n)]);
			shim_user_wait = write_anything;
			shim_user_only(&user, sizeof(user));
			scene_send(&scene_file, draw(9), draw(4) ? size :
						       draw(24) * 8);
			shim_user_wait = NULL;
			shim_user_only(NULL, 0);
			check_equal(current->atomic, 0);
			check_equal(current->no_faults, 0);
			check_equal(current->access, 0);
			if (round % 64 == 0) {
				inspect_map(scene_map);
				shim_rcu_pass();
			}
		}
		scene_close();
	}
}

int main(int argc, char **argv)
{
	static const struct test tests[] = {
		{ "words_that_fail", words_that_fail },
		{ "copies_that_fail", copies_that_fail },
		{ "no_access", no_access },
		{ "not_there_yet", not_there_yet },
		{ "changing", changing },
	};

	return test_main(argc, argv, tests, ARRAY_SIZE(tests));
}
