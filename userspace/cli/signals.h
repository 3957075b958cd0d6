/* SPDX-License-Identifier: MIT */
/* Ending early, but cleanly, when a signal asks for it; see signals.c. */
#ifndef KMAP_CLI_SIGNALS_H
#define KMAP_CLI_SIGNALS_H

#include <stdatomic.h>

#include "cli.h"

/* The signal that asked to stop, or 0. */
extern atomic_int cli_end_signal;

/*
 * From now on SIGINT, SIGTERM and SIGHUP set cli_end_signal, and interrupt system
 * calls.  A signal that is ignored stays ignored.
 */
void cli_catch_ends(void);

#endif /* KMAP_CLI_SIGNALS_H */
