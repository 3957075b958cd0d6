/* SPDX-License-Identifier: GPL-2.0-only */
/* Memory for each CPU; see ../memory.c. */
#ifndef SHIM_PERCPU_H
#define SHIM_PERCPU_H

#include <linux/sched.h>

#define SHIM_CPUS	4
#define SHIM_CPU_BYTES	256

void *shim_alloc_percpu(size_t size);
void free_percpu(void *mem);

#define alloc_percpu(type)	((type *)shim_alloc_percpu(sizeof(type)))
#define per_cpu_ptr(ptr, cpu) \
	((__typeof__(ptr))((char *)(ptr) + (cpu) * SHIM_CPU_BYTES))
/* Threads are more than CPUs here, hence atomic. */
#define this_cpu_add(x, n) \
	__atomic_fetch_add(per_cpu_ptr(&(x), current->cpu), (n), __ATOMIC_RELAXED)
#define this_cpu_inc(x)		this_cpu_add(x, 1)
#define num_possible_cpus()	SHIM_CPUS
#define for_each_possible_cpu(cpu) \
	for ((cpu) = 0; (cpu) < SHIM_CPUS; (cpu)++)

#endif /* SHIM_PERCPU_H */
