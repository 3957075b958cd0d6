#!/bin/bash
# SPDX-License-Identifier: MIT
#
# The benchmark's part in the guest; see bench.sh.
#
#	guest-bench.sh SECONDS PARAMS OPTIONS ENTRIES...
#
# PARAMS are parameters of the module.
# Waits until the machine has been up for SECONDS, then loads the module and runs the
# program for each number of entries.

set -u

UP=$1 STATUS=0
read -ra PARAMS <<< "$2"
# Split them as a shell does.
eval "OPTIONS=($3)"
shift 3

read -r up _ < /proc/uptime
((${up%.*} >= UP)) || sleep $((UP - ${up%.*}))

for entries; do
	echo "at bench $entries" >&9
	insmod /kmap/kmap.ko "${PARAMS[@]}" || exit
	peers -n "$entries" -d "/out/$entries.tsv" "${OPTIONS[@]}" || STATUS=$?
	rmmod kmap || exit
	printf '\n'
done
exit "$STATUS"
