// SPDX-License-Identifier: GPL-2.0-only
/*
 * Signals that kill the process.
 *
 * When such a signal is sent, the kernel marks the process as dying and wakes its
 * killable waits, unless the signal dumps core (SIGABRT, SIGSEGV and so on).  A signal
 * that dumps core is only pending until it is delivered, on the way out of the call.  So
 * an operation that takes long looks for these signals itself.  A signal that is handled,
 * blocked or ignored does not kill the process, and the call goes on.
 */
#include <linux/rcupdate.h>
#include <linux/signal.h>

#include "fatal.h"

static bool is_fatal(const struct sighand_struct *sighand, int number)
{
	return !siginmask(number, SIG_KERNEL_IGNORE_MASK |
				  SIG_KERNEL_STOP_MASK) &&
	       sighand->action[number - 1].sa.sa_handler == SIG_DFL;
}

/**
 * shmap_fatal_among - is one of the pending signals fatal?
 *
 * Context: may sleep.
 * Return: true if so.
 */
bool shmap_fatal_among(void)
{
	/* The current task's own, which no other task can take away. */
	struct sighand_struct *sighand =
		rcu_dereference_protected(current->sighand, true);
	bool fatal = fatal_signal_pending(current);
	sigset_t pending;
	int number;

	spin_lock_irq(&sighand->siglock);
	sigorsets(&pending, &current->pending.signal,
		  &current->signal->shared_pending.signal);
	sigandnsets(&pending, &pending, &current->blocked);
	for (number = 1; !fatal && number <= _NSIG; number++)
		fatal = sigismember(&pending, number) &&
			is_fatal(sighand, number);
	spin_unlock_irq(&sighand->siglock);
	return fatal;
}
