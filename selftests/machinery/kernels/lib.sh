# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=bash
#
# What the scripts of this folder share.  To be sourced by bash, after
# ../vm/lib.sh.

# built NAME WHAT STATUS LOG BEGUN: print one line about a build, and parts of its log
# if it failed.  A warning is a failure.
built()
{
	local text

	text=$(grep -i -E '(warning|error)[: ]' "$4")
	if (($3 == 0)) && [[ -z $text ]]; then
		printf 'ok    %-8s %s: no warning (%d s)\n' "$1" "$2" \
			$((SECONDS - $5))
		return
	fi
	printf 'FAIL  %-8s %s: status %d\n' "$1" "$2" "$3"
	{
		printf '%s\n' "${text:-what was said last:}"
		tail -n 20 "$4"
	} | head -n 60 | sed "s/^/      $1 | /"
	return 1
}

# counts PASSED FAILED SKIPPED: print the line that the calling script adds up.
counts()
{
	printf '%d passed, %d failed, %d skipped\n' "$@"
}
