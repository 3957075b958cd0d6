/* SPDX-License-Identifier: GPL-2.0-only */
/* Of pages of files only what is in uaccess.h. */
#ifndef SHIM_PAGEMAP_H
#define SHIM_PAGEMAP_H

#include <linux/mm.h>
#include <linux/uaccess.h>

#endif /* SHIM_PAGEMAP_H */
