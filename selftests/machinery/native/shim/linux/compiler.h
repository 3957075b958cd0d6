/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Marked accesses and barriers as C11 atomics.
 *
 * ThreadSanitizer knows no fences and no address dependencies.  For it alone,
 * every marked read acquires and every marked write releases: it then finds
 * accesses that are not marked and not under a lock, but no missing barrier.
 * (Those are what the litmus tests are for.)
 */
#ifndef SHIM_COMPILER_H
#define SHIM_COMPILER_H

#include <linux/types.h>

#ifndef __has_feature
#define __has_feature(x) 0
#endif
#if __has_feature(thread_sanitizer) || defined(__SANITIZE_THREAD__)
#define SHIM_TSAN 1
#endif

#ifdef SHIM_TSAN
#define SHIM_READ	__ATOMIC_ACQUIRE
#define SHIM_WRITE	__ATOMIC_RELEASE
#define smp_rmb()	__asm__ __volatile__("" : : : "memory")
#define smp_wmb()	__asm__ __volatile__("" : : : "memory")
#else
#define SHIM_READ	__ATOMIC_RELAXED
#define SHIM_WRITE	__ATOMIC_RELAXED
#define smp_rmb()	__atomic_thread_fence(__ATOMIC_ACQUIRE)
#define smp_wmb()	__atomic_thread_fence(__ATOMIC_RELEASE)
#endif

/* Called after each marked store of the thread, if set: see shim_stored in shim.h. */
extern __thread void (*shim_stored)(void);
#define shim_store(p, v, order) ({			\
	__atomic_store_n((p), (v), (order));		\
	if (shim_stored)				\
		shim_stored();				\
})

#define READ_ONCE(x)		__atomic_load_n(&(x), SHIM_READ)
#define WRITE_ONCE(x, v)	shim_store(&(x), (v), SHIM_WRITE)
#define smp_mb()	__atomic_thread_fence(__ATOMIC_SEQ_CST)
#define smp_load_acquire(p)	__atomic_load_n((p), __ATOMIC_ACQUIRE)
#define smp_store_release(p, v)	shim_store((p), (v), __ATOMIC_RELEASE)

/* What was there; @new is there if that was @old. */
#define cmpxchg_release(p, old, new) ({					\
	__typeof__(*(p)) shim_old = (old);				\
	__atomic_compare_exchange_n((p), &shim_old, (new), false,	\
				    __ATOMIC_ACQ_REL, __ATOMIC_ACQUIRE);	\
	shim_old;							\
})

#define likely(x)	__builtin_expect(!!(x), 1)
#define unlikely(x)	__builtin_expect(!!(x), 0)

/* The compiler is not to know what is in there. */
#define OPTIMIZER_HIDE_VAR(x)	__asm__("" : "+r" (x))

#define __acquire(x)		((void)0)
#define __acquires(x)
#define __release(x)		((void)0)
#define __releases(x)
#define __percpu
#define __user
#define __uninitialized
#define __force
#define __packed	__attribute__((packed))
#define __aligned(n)	__attribute__((aligned(n)))
#undef __always_inline
#define __always_inline	inline __attribute__((always_inline))
#define noinline	__attribute__((noinline))
#define __noreturn	__attribute__((noreturn))
#define __printf(a, b)	__attribute__((format(printf, a, b)))

#undef static_assert
#define static_assert(x)	_Static_assert(x, #x)
#define offsetofend(type, member) \
	(offsetof(type, member) + sizeof(((type *)0)->member))
#define ARRAY_SIZE(a)	(sizeof(a) / sizeof((a)[0]))
#define BUILD_BUG_ON(x)	_Static_assert(!(x), "BUILD_BUG_ON")
#define container_of(ptr, type, member) \
	((type *)((char *)(ptr) - offsetof(type, member)))

#endif /* SHIM_COMPILER_H */
