/* SPDX-License-Identifier: GPL-2.0-only */
/* Memory that will be wanted. */
#ifndef SHIM_PREFETCH_H
#define SHIM_PREFETCH_H

#define prefetch(at)	__builtin_prefetch(at)

#endif /* SHIM_PREFETCH_H */
