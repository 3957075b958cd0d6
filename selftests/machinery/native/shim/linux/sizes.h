/* SPDX-License-Identifier: GPL-2.0-only */
/* Sizes by name. */
#ifndef SHIM_SIZES_H
#define SHIM_SIZES_H

#define SZ_1K	0x400
#define SZ_64K	0x10000
#define SZ_256K	0x40000

#endif /* SHIM_SIZES_H */
