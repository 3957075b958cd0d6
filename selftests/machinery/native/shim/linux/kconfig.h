/* SPDX-License-Identifier: GPL-2.0-only */
/* Nothing that a test in C asks for is configured. */
#ifndef SHIM_KCONFIG_H
#define SHIM_KCONFIG_H

#define IS_ENABLED(option)	0

#endif /* SHIM_KCONFIG_H */
