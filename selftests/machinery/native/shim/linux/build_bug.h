/* SPDX-License-Identifier: GPL-2.0-only */
/* What must not be compiled. */
#ifndef SHIM_BUILD_BUG_H
#define SHIM_BUILD_BUG_H

/* 0, or an array of less than nothing. */
#define BUILD_BUG_ON_ZERO(x)	((int)sizeof(char[(x) ? -1 : 1]) - 1)

#endif /* SHIM_BUILD_BUG_H */
