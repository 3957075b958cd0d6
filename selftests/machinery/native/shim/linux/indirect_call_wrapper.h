/* SPDX-License-Identifier: GPL-2.0-only */
/* Calls through pointers, which cost nothing special here. */
#ifndef SHIM_INDIRECT_CALL_WRAPPER_H
#define SHIM_INDIRECT_CALL_WRAPPER_H

#define INDIRECT_CALL_1(f, f1, ...)		(f)(__VA_ARGS__)
#define INDIRECT_CALL_3(f, f3, f2, f1, ...)	(f)(__VA_ARGS__)

#endif /* SHIM_INDIRECT_CALL_WRAPPER_H */
