# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=bash
#
# What the scripts that use the VM share: the functions of all scripts, patterns for
# the kernel log, folders for logs.  To be sourced by bash.
#
# Not every script uses all of it:
# shellcheck disable=SC2034

VM_DIR=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
. "$VM_DIR/../../../userspace/scripts/lib.sh"

# splat_patterns: print the patterns of splats.txt for grep -E -f, without comments.
splat_patterns()
{
	grep -v -e '^#' -e '^$' "$VM_DIR/splats.txt"
}

# find_splats LOG: print the bad lines of a kernel log, each with the test that was
# running at that time.  Fails when there are none.
find_splats()
{
	local at='boot' line

	# The runner marks the log at the start of each test.
	grep -a -E -f <(splat_patterns; echo 'kmap-vm: at ') "$1" |
	while IFS= read -r line; do
		line=${line//$'\r'/}
		case $line in
		*'kmap-vm: at '*)
			at=${line##*kmap-vm: at }
			;;
		*)
			printf '%s: %s\n' "$at" "$line"
			;;
		esac
	done | grep .
}

# new_log: set LOG to a new folder for the logs of a run, and keep only the 20 newest.
new_log()
{
	local logs=$TOP_DIR/build/log old

	LOG=$logs/$(date +%Y%m%d-%H%M%S)-$$
	mkdir -p "$LOG" || exit 2
	ln -sfn "${LOG##*/}" "$logs/latest"
	find "$logs" -mindepth 1 -maxdepth 1 -type d | sort | head -n -20 |
	while IFS= read -r old; do
		rm -rf "$old"
	done
}
