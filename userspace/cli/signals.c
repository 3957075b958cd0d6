// SPDX-License-Identifier: MIT
/* Ending early, but cleanly, when a signal asks for it. */
#include <signal.h>

#include "signals.h"

atomic_int cli_end_signal;

static void on_signal(int number)
{
	cli_end_signal = number;
}

void cli_catch_ends(void)
{
	static const int numbers[] = { SIGINT, SIGTERM, SIGHUP };

	for (size_t i = 0; i < ARRAY_SIZE(numbers); i++) {
		struct sigaction action = { 0 }, before;

		action.sa_handler = on_signal;
		if (!sigaction(numbers[i], NULL, &before) &&
		    before.sa_handler != SIG_IGN)
			sigaction(numbers[i], &action, NULL);
	}
}
