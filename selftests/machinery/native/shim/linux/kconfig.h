/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What a test in C asks for.  Each option has its line here, or does not compile:
 * SHIM_OPTION_ and its name is an expression.
 */
#ifndef SHIM_KCONFIG_H
#define SHIM_KCONFIG_H

#include <stdbool.h>

/* Copy in words, as where user memory may have any alignment?  A test may change it. */
extern bool shim_words;

#define SHIM_OPTION_CONFIG_HAVE_EFFICIENT_UNALIGNED_ACCESS	shim_words
#define SHIM_OPTION_CONFIG_CPU_BIG_ENDIAN \
	(__BYTE_ORDER__ == __ORDER_BIG_ENDIAN__)

#define IS_ENABLED(option)	SHIM_OPTION_##option

#endif /* SHIM_KCONFIG_H */
