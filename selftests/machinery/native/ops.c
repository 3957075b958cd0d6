// SPDX-License-Identifier: GPL-2.0-only
/*
 * The ioctls by themselves: sizes of records, rights, who keeps the map.  What a call
 * returns and leaves otherwise is what world.c looks at.
 */
#include "file.h"
#include "ops.h"
#include "scenes.h"
#include "shim.h"
#include "test.h"

/* Refused as a whole, with nothing changed. */
static void refuse(unsigned int nr, size_t size, int error)
{
	check_equal(scene_send(&scene_file, nr, size), error);
	check(scene_unchanged());
}

/* Sizes of the first record that was published, and of the longest that is known. */
struct known {
	unsigned int	nr;
	size_t		least;
	size_t		whole;
};

/* What is too short, ends within a field, or has something behind its end. */
static void try_size(const struct known *known, size_t size)
{
	const struct scene scene = { "", known->nr, 0, "text", 5, 200 };

	scene_fill(&scene);
	if (size < known->least || size % 8) {
		refuse(known->nr, size, -EINVAL);
		return;
	}
	if (size > known->whole || size > known->least) {
		user.record.bytes[size - 1] = 1;
		refuse(known->nr, size, size > known->whole ? -E2BIG : -EINVAL);
		user.record.bytes[size - 1] = 0;
	}
	/* To add to a text is what cannot be done. */
	check_equal(scene_send(&scene_file, known->nr, size),
		    known->nr == KMAP_OP_ADD ? -EDOM : 0);
	scene_restore();
}

static void sizes(void)
{
	static const struct known known[] = {
		{ KMAP_OP_GET, 72, 112 }, { KMAP_OP_SET, 72, 112 },
		{ KMAP_OP_DELETE, 72, 112 }, { KMAP_OP_ADD, 72, 112 },
		{ SCENE_BATCH, 24, 24 }, { SCENE_KEYS, 48, 48 },
		{ SCENE_CLEAR, 16, 16 }, { SCENE_INFO, 232, 232 },
	};
	unsigned int i;
	size_t size;

	scene_open("rcu");
	for (i = 0; i < ARRAY_SIZE(known); i++)
		for (size = 0; size <= sizeof(user.record); size++)
			try_size(&known[i], size);
	scene_close();
}

/* Numbers, types and directions that are nobody's. */
static void unknown(void)
{
	const unsigned int both = _IOC_READ | _IOC_WRITE;
	const uintptr_t arg = (uintptr_t)&user.record;
	unsigned int i;

	scene_open("rcu");
	scene_fill(&scenes[0]);
	for (i = 0; i < 256; i++) {
		if (i < 1 || i > 8)
			refuse(i, 72, -ENOTTY);
		check_equal(shmap_ops_ioctl(&scene_file,
					    _IOC(both, 'k', i, 72), arg),
			    -ENOTTY);
		check_equal(shmap_ops_ioctl(&scene_file,
					    _IOC(_IOC_WRITE, KMAP_IOC_MAGIC, i,
						 72), arg), -ENOTTY);
	}
	check_equal(shmap_ops_ioctl(&scene_file, 0, arg), -ENOTTY);
	check(scene_unchanged());
	scene_close();
}

/* Is the scene one that a file with these rights may do? */
static bool allowed(const struct scene *scene, fmode_t mode)
{
	fmode_t need = 0;

	if (scene->nr == KMAP_OP_GET || scene->nr == KMAP_OP_ADD ||
	    scene->nr == SCENE_KEYS ||
	    (scene_on_key(scene->nr) && scene->flags & (KMAP_RETURN | KMAP_EQUAL)))
		need |= FMODE_READ;
	if ((scene_on_key(scene->nr) && scene->nr != KMAP_OP_GET) ||
	    scene->nr == SCENE_CLEAR)
		need |= FMODE_WRITE;
	return (mode & need) == need;
}

/* The same in a batch: there it is the record's result. */
static void try_in_batch(struct file *filp, const struct scene *scene)
{
	struct kmap_op_ext *ext = &user.record.ext;
	struct kmap_batch batch = {
		.ops = (uintptr_t)ext, .count = 1, .op_size = scene_fill(scene),
	};

	ext->op.opcode = scene->nr;
	check_equal(shmap_ops_ioctl(filp, KMAP_IOC_BATCH, (uintptr_t)&batch), 0);
	check(allowed(scene, filp->f_mode) == (ext->op.error != -EBADF));
}

static void rights(void)
{
	struct file other;
	unsigned int i, j;
	int ret;

	for (i = 0; i < 4 * ARRAY_SIZE(scene_locks); i++) {
		for (j = 0; j < scenes_n; j++) {
			const struct scene *scene = &scenes[j];

			scene_open(scene_locks[i / 4]);
			other.f_mode = i % 4;
			check_equal(shmap_file_open(NULL, &other, scene_map), 0);
			ret = scene_send(&other, scene->nr, scene_fill(scene));
			check_equal(ret, allowed(scene, i % 4) ? scene->want :
							       -EBADF);
			if (ret)
				check(scene_unchanged());
			if (scene_on_key(scene->nr))
				try_in_batch(&other, scene);
			check_equal(shmap_file_release(NULL, &other), 0);
			scene_close();
		}
	}
}

/* The map goes with the last of those who have it, whoever that is. */
static void references(void)
{
	struct file other = { .f_mode = FMODE_READ };
	long held;

	scene_open("rcu");
	held = shim_bytes_out();
	check_equal(shmap_file_open(NULL, &other, scene_map), 0);
	check(shim_bytes_out() > held);
	shmap_map_put(scene_map);
	check_equal(shmap_file_release(NULL, &scene_file), 0);
	scene_fill(&scenes[0]);
	check_equal(scene_send(&other, KMAP_OP_GET, sizeof(struct kmap_op)), 0);
	check_equal(user.out[99], 't');
	check_equal(shmap_file_release(NULL, &other), 0);
	check_equal(shim_bytes_out(), 0);

	/* Nor does an open that fails keep it. */
	scene_open("spinlock");
	shim_fail_nth(1);
	check_equal(shmap_file_open(NULL, &other, scene_map), -ENOMEM);
	shim_fail_nth(0);
	scene_close();
}

int main(int argc, char **argv)
{
	static const struct test tests[] = {
		{ "sizes", sizes },
		{ "unknown", unknown },
		{ "rights", rights },
		{ "references", references },
	};

	return test_main(argc, argv, tests, ARRAY_SIZE(tests));
}
