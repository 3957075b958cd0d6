// SPDX-License-Identifier: GPL-2.0-only
/*
 * A module that fails on request, to test the test runner.
 *
 * It takes the place of kmap.ko: it has the same name and device, and the parameters
 * that the runner uses.  It is never installed.
 */
#include <linux/fs.h>
#include <linux/miscdevice.h>
#include <linux/module.h>
#include <linux/sched.h>
#include <linux/slab.h>
#include <linux/smp.h>
#include <linux/uaccess.h>

static char *lock = "rcu";
module_param(lock, charp, 0444);
MODULE_PARM_DESC(lock, "ignored");

static unsigned int shards;
module_param(shards, uint, 0444);
MODULE_PARM_DESC(shards, "ignored");

static void faults_spin(void *unused)
{
	for (;;)
		cpu_relax();
}

/* The first byte that is written chooses the fault. */
static ssize_t faults_write(struct file *file, const char __user *buf,
			    size_t len, loff_t *pos)
{
	char what;

	if (!len || get_user(what, buf))
		return -EFAULT;
	switch (what) {
	case 'p':
		panic("asked for");
	case 'o':
		*(int *)ZERO_SIZE_PTR = 1;
		break;
	case 'w':
		WARN(1, "asked for\n");
		break;
	case 's':
		/* The whole machine stops. */
		on_each_cpu(faults_spin, NULL, false);
		break;
	case 'u':
		/* Cannot be killed. */
		for (;;) {
			set_current_state(TASK_UNINTERRUPTIBLE);
			schedule_timeout(HZ);
		}
	case 'm':
		__module_get(THIS_MODULE);
		break;
	default:
		return -EINVAL;
	}
	return len;
}

static const struct file_operations faults_fops = {
	.owner = THIS_MODULE,
	.write = faults_write,
};

static struct miscdevice faults_device = {
	.minor = MISC_DYNAMIC_MINOR,
	.name = "kmap",
	.fops = &faults_fops,
};
module_misc_device(faults_device);

MODULE_DESCRIPTION("goes wrong when asked, to try out the test runner");
MODULE_LICENSE("GPL");
