// SPDX-License-Identifier: GPL-2.0
/*
 * Stands in for a 32-bit test where the compiler cannot build one, so that what
 * was not tested is named in the results.
 */
#include "kselftest.h"

int main(int argc, char **argv)
{
	(void)argc;
	ksft_print_header();
	ksft_exit_skip("%s: the compiler cannot build 32-bit programs\n",
		       argv[0]);
}
