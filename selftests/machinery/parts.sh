#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# Make several targets that test something, one after the other, and add up what
# they counted.
#
#	parts.sh TARGET...
#
# Each target closes with a line "N passed, N failed, N skipped", and so does
# this.  One that comes to no such line, or fails without a failed test, counts
# as a failure.  Fails unless something passed and nothing failed.

set -u
TOP_DIR=$(cd "$(dirname "$0")/../.." && pwd)
LOG=$(mktemp -d)
trap 'rm -rf "$LOG"' EXIT
COUNTS='^\([0-9]*\) passed, \([0-9]*\) failed, \([0-9]*\) skipped$'
PASSED=0 FAILED=0 SKIPPED=0 SUMMARY=''

# part TARGET: make it, and add up its counts.
part()
{
	local target=$1 status passed failed skipped begun=$SECONDS

	printf '\n=== make %s\n' "$target"
	${MAKE:-make} -C "$TOP_DIR" "$target" 2>&1 | tee "$LOG/$target"
	status=${PIPESTATUS[0]}
	read -r passed failed skipped < <(
		sed -n "s/$COUNTS/\1 \2 \3/p" "$LOG/$target" | tail -n 1)
	if [[ -z ${skipped:-} ]]; then
		# It did not come to count anything.
		passed=0 failed=1 skipped=0
	elif ((status != 0 && failed == 0)); then
		failed=1
	fi
	((PASSED += passed, FAILED += failed, SKIPPED += skipped))
	SUMMARY+=$(printf '  %-18s %d passed, %d failed, %d skipped (%d s)' \
		"make $target" "$passed" "$failed" "$skipped" \
		$((SECONDS - begun)))$'\n'
}

for target; do
	part "$target"
done

printf '\n=== Summary\n'
for target; do
	# Of one with parts of its own, what these say at its end.
	awk '/^=== Summary$/ { text = ""; next }
	     /^(Failed|Skipped):/ { on = 1 }
	     / passed, .* failed, .* skipped/ { on = 0 }
	     on { text = text $0 "\n" }
	     END { printf "%s", text }' "$LOG/$target"
done
printf '%s%d passed, %d failed, %d skipped\n' "$SUMMARY" "$PASSED" "$FAILED" \
	"$SKIPPED"
((PASSED > 0 && FAILED == 0))
