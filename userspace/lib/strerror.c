// SPDX-License-Identifier: MIT
/*
 * libkmap: errors in words, as in the table at the top of <linux/kmap.h>.
 */
#include <string.h>

#include "internal.h"

#define ARRAY_SIZE(array)	(sizeof(array) / sizeof((array)[0]))

static const struct {
	int		err;
	const char	*text;
} words[] = {
	{ 0,		"done" },
	{ ENOENT,	"no such key" },
	{ EEXIST,	"the key is there already" },
	{ ESTALE,	"the key has another version or value" },
	{ EMSGSIZE,	"the value does not fit the buffer" },
	{ ENAMETOOLONG,	"the key is longer than this map allows" },
	{ EFBIG,	"the value is longer than this map allows" },
	{ ENOSPC,	"the map is full" },
	{ EXFULL,	"too many keys share this key's bucket" },
	{ ENOBUFS,	"the snapshot fell behind what others changed: begin again" },
	{ EDOM,		"the value is not a number" },
	{ ERANGE,	"the sum would overflow" },
	{ EINVAL,	"invalid argument: empty key, or flags that do not go together" },
	{ E2BIG,	"the kernel module is older than this program" },
	{ EBADF,	"the map is not open for this" },
	{ EFAULT,	"bad address" },
	{ ENOTTY,	"the kernel module does not know this operation" },
	{ EMEDIUMTYPE,	"this is another device or file, not a kmap" },
	{ ENOMEM,	"out of memory" },
	{ EINTR,	"interrupted" },
	{ ENODEV,	"no such device: is the kmap module loaded?" },
	{ EACCES,	"permission denied" },
	{ EPERM,	"operation not permitted" },
	/* Only kmap_window_error() returns these. */
	{ ECANCELED,	"not wanted" },
	{ EOPNOTSUPP,	"the kernel module has no window" },
	{ EPROTO,	"the kernel module's window is of another kind" },
	{ EOVERFLOW,	"too large for a 32-bit program that does not ask for it" },
	{ EAGAIN,	"more memory than may be locked" },
};

KMAP_EXPORT const char *kmap_strerror(int err)
{
	size_t i;

	if (err > 0)
		return words[0].text;
	for (i = 0; i < ARRAY_SIZE(words); i++)
		if (words[i].err == -err)
			return words[i].text;
	return strerror(-err);
}
