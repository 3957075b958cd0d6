#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# Run the tests in a guest, in each lock mode, and say how it went.
#
#	check.sh [VM OPTION]...		options as of vm.sh
#
# TESTS='a b'	only these programs (default: all in LIST)
# LOCK='rcu'	only these lock modes
# HAMMER='p*'	programs that also run with shards=1 (default: hammer*)
# TIMEOUT=N	seconds for one program (default: from the tests' settings)
# V=1		show all that the programs print
#
# and, from the Makefile:
#
# KMAP_KO=	the module
# TEST_DIR=	folder of the installed tests
# BIN_DIR=	folder of programs for the guest's PATH, or empty
# LIST=		file in TEST_DIR that lists the programs
#
# The last line is "N passed, N failed, N skipped"; a run is one program in one
# mode.  Fails unless something passed and nothing failed.

set -u
. "$(dirname "$0")/lib.sh"

KMAP_KO=${KMAP_KO:?the module}
TEST_DIR=${TEST_DIR:?folder of the tests}
LOCK=${LOCK:-spinlock rwsem rcu}
HAMMER=${HAMMER-hammer*}
LIST=$TEST_DIR/${LIST:-kselftest-list.txt}

WORK=$(mktemp -d)
trap 'rm -rf "$WORK"' EXIT
trap 'exit 130' INT TERM HUP

if [[ -z ${TIMEOUT:-} ]]; then
	TIMEOUT=$(sed -n 's/^timeout=//p' "$TEST_DIR/settings" 2>/dev/null)
	TIMEOUT=${TIMEOUT:-300}
fi

# make_plan: what guest.sh reads, from the list and what was asked for.
make_plan()
{
	local lock test pattern hammer
	local -a tests=()

	for lock in $LOCK; do
		case $lock in
		spinlock|rwsem|rcu)	;;
		*)	die "LOCK=$lock: not known, only spinlock, rwsem, rcu" ;;
		esac
	done
	if [[ -n ${TESTS:-} ]]; then
		read -r -a tests <<< "${TESTS//$'\n'/ }"
		for test in "${tests[@]}"; do
			[[ -x $TEST_DIR/$test ]] ||
				die "TESTS: $test is not in $TEST_DIR"
		done
	elif [[ -r $LIST ]]; then
		mapfile -t tests < <(sed -e 's/^[^:]*://' -e '/^$/d' "$LIST")
	fi
	for lock in $LOCK; do
		for test in "${tests[@]}"; do
			printf '%s - %s %s\n' "$lock" "$TIMEOUT" "$test"
			hammer=0
			for pattern in $HAMMER; do
				# It is a pattern.
				# shellcheck disable=SC2053
				[[ $test != $pattern ]] || hammer=1
			done
			((hammer == 0)) ||
				printf '%s 1 %s %s\n' "$lock" "$TIMEOUT" "$test"
		done
	done | awk '!seen[$0]++'
}

set -f
make_plan > "$WORK/plan" || exit
set +f
RUNS=$(wc -l < "$WORK/plan")
if ((RUNS == 0)); then
	bad "NOTHING RUN: no tests in $LIST"
	printf '0 passed, 1 failed, 0 skipped\n'
	exit 1
fi

say "Running $RUNS tests ($(cut -d' ' -f4 "$WORK/plan" | sort -u | wc -l)" \
	"programs; lock modes: $LOCK) on $("$VM_DIR/kernel.sh" release)"
new_log

ARGS=(-l "$LOG" -t $((RUNS * TIMEOUT + 120)) -s $((TIMEOUT + 90))
      -a "$KMAP_KO:/kmap/kmap.ko" -a "$TEST_DIR:/kmap/tests"
      -a "$WORK/plan:/kmap/plan" -a "$VM_DIR/guest.sh:/kmap/guest.sh")
[[ -z ${BIN_DIR:-} ]] || ARGS+=(-a "$BIN_DIR:/kmap/bin")
"$VM_DIR/vm.sh" "${ARGS[@]}" "$@" -- \
	env "VM_VERBOSE=${V:-0}" /kmap/guest.sh /kmap/plan
STATUS=$?
((STATUS != 2 && STATUS < 128)) || exit "$STATUS"

# Join the plan with what was reported.  What the machine died of counts against
# the test that was running; what did not come to run has failed as well.
awk -v status="$STATUS" -v verdict="$LOG/verdict" '
FILENAME ~ /records$/ {
	label = $2 " " $3 " " $4
	if ($1 == "at")
		last = label
	if ($1 != "result")
		next
	result[label] = $5
	why[label] = $7
	for (i = 8; i <= NF; i++)
		why[label] = why[label] " " $i
	next
}
{
	label = $1 " " $2 " " $4
	count++
	if (!(label in result)) {
		result[label] = "fail"
		why[label] = "not run: the guest had ended"
		if (label == last) {
			getline why[label] < verdict
			told = 1
		}
	}
	total[result[label]]++
	if (result[label] == "skip")
		skips = skips "  " label ": " why[label] "\n"
	else if (result[label] == "fail" && lines++ < 40)
		fails = fails "  " label ": " why[label] "\n"
}
END {
	# The guest failed although each test passed.
	if (status && !total["fail"]) {
		getline reason < verdict
		fails = fails "  the guest: " reason "\n"
		total["fail"]++
	}
	if (skips)
		printf "Skipped:\n%s", skips
	if (fails)
		printf "Failed:\n%s", fails
	printf "%d passed, %d failed, %d skipped\n", total["pass"],
		total["fail"], total["skip"]
	exit !(total["pass"] && !total["fail"])
}' "$LOG/records" "$WORK/plan" > "$LOG/summary"
STATUS=$?

printf '\n'
cat "$LOG/summary"
exit "$STATUS"
