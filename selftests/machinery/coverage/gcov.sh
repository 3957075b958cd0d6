#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# Runs in the guest, after the other tests: prints the kernel's counts of the module's
# lines, which coverage.sh finds in the output of the tests.  They are of all tests
# before this one, since the kernel keeps them when the module is unloaded.

DATA=/sys/kernel/debug/gcov

if [[ ! -d $DATA ]]; then
	echo '1..0 # SKIP this kernel does not count'
	exit 4
fi
echo 'TAP version 13'
echo '1..1'
found=0
for file in $(find "$DATA" -name '*.gcda' | grep '/module/'); do
	printf '# gcda %s %s\n' "${file##*/}" "$(base64 < "$file" | tr -d '\n')"
	((found++))
done
if ((found == 0)); then
	echo 'not ok 1 counts are there'
	exit 1
fi
echo 'ok 1 counts are there'
