// SPDX-License-Identifier: GPL-2.0-only
/*
 * /dev/kmap: the file operations, and one row for each ioctl.
 *
 * The dispatcher copies the record in, as far as caller and kernel both know
 * it, calls the row's function, and copies the outputs back.  Rows that change
 * the map have their outputs written once before, as they are, so that a record
 * that cannot be written is refused while nothing has changed.
 */
#include <linux/compat.h>
#include <linux/fs.h>
#include <linux/miscdevice.h>
#include <linux/module.h>
#include <linux/nospec.h>
#include <linux/uaccess.h>

#include "device.h"
#include "ops.h"
#include "window.h"

/* The one map of this module; set before the device is registered. */
static struct shmap_map *the_map;

union record {
	struct kmap_op_ext	op;
	struct kmap_batch	batch;
	struct kmap_keys	keys;
	struct kmap_clear	clear;
	struct kmap_info	info;
};

/**
 * struct row - one ioctl
 * @cmd: the command
 * @size: size of its record, as known here
 * @least: size of the first published record
 * @outputs: offset of the first output
 * @end: offset behind the last one; all in between is output
 * @changes: it changes the map
 * @run: what it does
 */
struct row {
	unsigned int	cmd;
	size_t		size;
	size_t		least;
	size_t		outputs;
	size_t		end;
	bool		changes;
	int		(*run)(struct shmap_call *call, void *record);
};

#define ROW(_cmd, _type, _least, _outputs, _end, _changes, _run)	\
	[_IOC_NR(_cmd)] = {					\
		.cmd		= _cmd,				\
		.size		= sizeof(struct _type),		\
		.least		= _least,			\
		.outputs	= offsetof(struct _type, _outputs), \
		.end		= offsetofend(struct _type, _end), \
		.changes	= _changes,			\
		.run		= _run,				\
	}

#define OP(_cmd, _changes, _run) \
	ROW(_cmd, kmap_op_ext, 72, op.version, op.error, _changes, _run)

static const struct row rows[] = {
	OP(KMAP_IOC_GET, false, shmap_ops_get),
	OP(KMAP_IOC_SET, true, shmap_ops_set),
	OP(KMAP_IOC_DELETE, true, shmap_ops_delete),
	OP(KMAP_IOC_ADD, true, shmap_ops_add),
	ROW(KMAP_IOC_BATCH, kmap_batch, 24, done, done, true, shmap_ops_batch),
	ROW(KMAP_IOC_KEYS, kmap_keys, 48, cursor, reserved2, false,
	    shmap_ops_keys),
	ROW(KMAP_IOC_CLEAR, kmap_clear, 16, removed, removed, true,
	    shmap_ops_clear),
	ROW(KMAP_IOC_INFO, kmap_info, 184, flags, window, false,
	    shmap_ops_info),
};

static_assert(sizeof(struct kmap_op) == 72);
static_assert(sizeof(struct kmap_op_ext) == 112);
static_assert(sizeof(struct kmap_batch) == 24);
static_assert(sizeof(struct kmap_keys) == 48);
static_assert(sizeof(struct kmap_clear) == 16);
static_assert(sizeof(struct kmap_info) == 184);
static_assert(sizeof(struct kmap_bucket) == 64);
static_assert(sizeof(struct kmap_shard) == 64);
static_assert(sizeof(struct kmap_entry) == 16);

static const struct row *find_row(unsigned int cmd)
{
	unsigned int nr = _IOC_NR(cmd);

	if (nr >= ARRAY_SIZE(rows))
		return NULL;
	nr = array_index_nospec(nr, ARRAY_SIZE(rows));
	if (!rows[nr].run)
		return NULL;
	/* The size may differ: records grow. */
	if ((cmd ^ rows[nr].cmd) & ~(_IOC_SIZEMASK << _IOC_SIZESHIFT))
		return NULL;
	return &rows[nr];
}

/* Write the outputs, as far as the caller's record goes. */
static int write_outputs(const struct row *row, void __user *user, size_t size,
			 const union record *record)
{
	size_t known = min(size, row->end);

	if (copy_to_user(user + row->outputs, (void *)record + row->outputs,
			 known - row->outputs))
		return -EFAULT;
	return 0;
}

/* The way of every ioctl, whatever its record's size. */
static noinline long row_ioctl(struct file *file, unsigned int cmd,
			       unsigned long arg)
{
	struct shmap_call call = { .map = the_map, .mode = file->f_mode };
	void __user *user = (void __user *)arg;
	const struct row *row = find_row(cmd);
	size_t size = _IOC_SIZE(cmd);
	union record record __uninitialized;
	int r;

	if (!row)
		return -ENOTTY;
	if (size < row->least)
		return -EINVAL;
	r = copy_struct_from_user(&record, row->size, user, size);
	if (r)
		return r;
	if (row->changes) {
		r = write_outputs(row, user, size, &record);
		if (r)
			return r;
	}
	r = row->run(&call, &record);
	if ((!r || call.reply) && write_outputs(row, user, size, &record))
		return -EFAULT;
	return r;
}

/* Records as most callers know them take a shorter way. */
static long device_ioctl(struct file *file, unsigned int cmd, unsigned long arg)
{
	struct kmap_op __user *user = (struct kmap_op __user *)arg;

	switch (cmd) {
	case KMAP_IOC_GET:
		return shmap_ops_get_user(the_map, file->f_mode, user);
	case KMAP_IOC_SET:
		return shmap_ops_set_user(the_map, file->f_mode, user);
	case KMAP_IOC_DELETE:
		return shmap_ops_delete_user(the_map, file->f_mode, user);
	case KMAP_IOC_ADD:
		return shmap_ops_add_any(the_map, file->f_mode, user);
	default:
		return row_ioctl(file, cmd, arg);
	}
}

static int device_mmap(struct file *file, struct vm_area_struct *vma)
{
	return shmap_window_mmap(the_map, vma);
}

static const struct file_operations device_fops = {
	.owner		= THIS_MODULE,
	.open		= nonseekable_open,
	.unlocked_ioctl	= device_ioctl,
	.compat_ioctl	= compat_ptr_ioctl,
	.mmap		= device_mmap,
};

static struct miscdevice device = {
	.minor	= MISC_DYNAMIC_MINOR,
	.name	= "kmap",
	.fops	= &device_fops,
};

/**
 * shmap_device_register - make /dev/kmap
 * @map: the map behind it
 * @mode: permissions of the node
 *
 * Context: may sleep.
 * Return: 0 or a negative errno.
 */
int shmap_device_register(struct shmap_map *map, umode_t mode)
{
	the_map = map;
	/* The type as well: a mode of nothing would count as not given. */
	device.mode = S_IFCHR | mode;
	return misc_register(&device);
}

/**
 * shmap_device_unregister - remove /dev/kmap
 *
 * Context: may sleep.  Nobody has it open: that would keep the module.
 */
void shmap_device_unregister(void)
{
	misc_deregister(&device);
}
