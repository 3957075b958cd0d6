#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# The checks that must stay silent.
#
#	style.sh [CHECK]...		default: all, see CHECKS below
#
# A check prints one finding per line, and fails when there is one that waivers.txt
# does not name; it may leave a file of notes, which are shown.  Checks run side by
# side, one per CPU.  The last line is "N passed, N failed, N skipped".  Fails unless
# all passed.

set -u
. "$(dirname "$0")/../vm/lib.sh"
. "$(dirname "$0")/checks.sh"

# The longest ones are first.
CHECKS=(coccinelle checkpatch module selftests shellcheck userspace userspace32 texts
	cppcheck ioctl header layout mandoc kerneldoc promises layers)
WAIVERS=$TOP_DIR/selftests/machinery/style/waivers.txt

cd "$TOP_DIR" || exit 2
if (($#)); then
	CHECKS=("$@")
fi
for check in "${CHECKS[@]}"; do
	declare -F "check_$check" >/dev/null || die "no check of the name $check"
done

WORK=$(mktemp -d)
trap 'rm -rf "$WORK"' EXIT
trap 'kill $(jobs -p) 2>/dev/null; exit 130' INT TERM HUP

# waive CHECK FINDINGS: print the findings that no waiver names, and the waivers
# that name no finding.
waive()
{
	awk -F '\t' -v check="$1" '
	FILENAME == ARGV[1] {
		if ($0 ~ /^#/ || $1 != check)
			next
		pattern = $2
		gsub(/[.+(){}|^$\[\]\\]/, "\\\\&", pattern)
		gsub(/\*/, ".*", pattern)
		count++
		files[count] = "^" pattern "$"
		text[count] = $3
		line[count] = FNR
		next
	}
	{
		path = $0
		sub(/:.*/, "", path)
		for (i = 1; i <= count; i++) {
			if (path ~ files[i] &&
			    (text[i] == "-" || index($0, text[i]))) {
				used[i] = 1
				next
			}
		}
		print
	}
	END {
		for (i = 1; i <= count; i++)
			if (!used[i])
				printf "waivers.txt:%d: waives nothing\n", line[i]
	}' "$WAIVERS" "$2"
}

# run CHECK: run it, and leave its findings and its result in WORK.
run()
{
	local check=$1 begun=${EPOCHREALTIME/./} status took result=pass

	"check_$check" > "$WORK/$check.raw" 2> "$WORK/$check.errors"
	status=$?
	waive "$check" "$WORK/$check.raw" > "$WORK/$check.findings"
	if [[ -s $WORK/$check.findings ]]; then
		result=fail
	elif ((status)) && [[ ! -s $WORK/$check.raw ]]; then
		# It failed before it could find anything.
		{
			printf 'the check itself failed (status %d)\n' "$status"
			tail -n 20 "$WORK/$check.errors"
		} > "$WORK/$check.findings"
		result=fail
	fi
	took=$((${EPOCHREALTIME/./} - begun))
	printf '%s %d.%d\n' "$result" $((took / 1000000)) \
		$((took / 100000 % 10)) > "$WORK/$check.result"
}

report()
{
	local check=$1 result took shown=40 findings

	read -r result took < "$WORK/$check.result"
	if [[ $result == pass ]]; then
		printf 'ok    %-14s %5s s\n' "$check" "$took"
		[[ ! -e $WORK/$check.notes ]] ||
			sed 's/^/      /' "$WORK/$check.notes"
		((++PASSED))
		return
	fi
	findings=$(wc -l < "$WORK/$check.findings")
	printf 'FAIL  %-14s %5s s  %d lines\n' "$check" "$took" "$findings"
	head -n "$shown" "$WORK/$check.findings" | sed 's/^/      /'
	((findings <= shown)) || printf '      ... %d more\n' $((findings - shown))
	FAILED+=("$check")
}

say "Checking the style (${#CHECKS[@]} checks)"
# Make first what several checks share, since they run at the same time.
prepare || exit

PASSED=0 FAILED=()
NEXT=0 RUNNING=0
declare -A REPORTED=()
while ((NEXT < ${#CHECKS[@]} || RUNNING)); do
	while ((NEXT < ${#CHECKS[@]} && RUNNING < $(nproc))); do
		run "${CHECKS[NEXT]}" &
		((++NEXT, ++RUNNING))
	done
	wait -n
	((--RUNNING))
	for check in "${CHECKS[@]}"; do
		if [[ -e $WORK/$check.result && -z ${REPORTED[$check]:-} ]]; then
			REPORTED[$check]=1
			report "$check"
		fi
	done
done

printf '\n'
((${#FAILED[@]} == 0)) || printf 'Failed: %s\n' "${FAILED[*]}"
printf '%d passed, %d failed, 0 skipped\n' "$PASSED" "${#FAILED[@]}"
((PASSED && ${#FAILED[@]} == 0))
