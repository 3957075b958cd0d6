#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# Run the tests in a guest, in each lock mode, and print the results.
#
#	check.sh [VM OPTION]...		options as of vm.sh
#
# TESTS='a b'	only these programs (default: all in LIST)
# LOCK='rcu'	only these lock modes
# HAMMER='p*'	programs that also run with shards=1 (default: hammer_*, except those
#		that read through the window; "" counts as not given)
# TIMEOUT=N	seconds for one program (default: from the tests' settings)
# V=1		show all that the programs print
# JOBS=N	guests side by side, which share the runs (default: one per CPU if
#		there are enough runs and memory; 1 with V=1)
#
# and, from the Makefile:
#
# KMAP_KO=	the module
# TEST_DIR=	folder of the installed tests
# BIN_DIR=	folder of programs for the guest's PATH, or empty
# LIST=		file in TEST_DIR that lists the programs
# LAST=		programs that each guest runs at its end, once
# ROTATE=N	each program runs in one lock mode only, and the modes rotate: the
#		first program runs in the N-th, from 0; with shards=1 a program runs
#		in the mode after its own
#
# The last line is "N passed, N failed, N skipped"; a run is one program in one
# mode.  Fails unless something passed and nothing failed.

set -u
. "$(dirname "$0")/lib.sh"

KMAP_KO=${KMAP_KO:?the module}
TEST_DIR=${TEST_DIR:?folder of the tests}
LOCK=${LOCK:-spinlock rwsem rcu}
HAMMER=${HAMMER:-hammer_+([!_])}
LIST=$TEST_DIR/${LIST:-kselftest-list.txt}

WORK=$(mktemp -d)
trap 'rm -rf "$WORK"' EXIT
trap 'exit 130' INT TERM HUP

if [[ -z ${TIMEOUT:-} ]]; then
	TIMEOUT=$(sed -n 's/^timeout=//p' "$TEST_DIR/settings" 2>/dev/null)
	TIMEOUT=${TIMEOUT:-300}
fi

# runs_in MODE I: does the I-th program run in the MODE-th of the lock modes?
runs_in()
{
	[[ -z ${ROTATE:-} ]] || (($1 == ($2 + ROTATE) % ${#locks[@]}))
}

# make_plan: print what guest.sh reads, from the list and the variables above.
make_plan()
{
	local lock test pattern hammer i mode=0
	local -a tests=() locks

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
	read -r -a locks <<< "$LOCK"
	for lock in "${locks[@]}"; do
		for ((i = 0; i < ${#tests[@]}; i++)); do
			test=${tests[i]}
			! runs_in "$mode" "$i" ||
				printf '%s - %s %s\n' "$lock" "$TIMEOUT" "$test"
			hammer=0
			for pattern in $HAMMER; do
				# The right side is a pattern.
				# shellcheck disable=SC2053
				[[ $test != $pattern ]] || hammer=1
			done
			((hammer == 0)) || ! runs_in "$mode" $((i + 1)) ||
				printf '%s 1 %s %s\n' "$lock" "$TIMEOUT" "$test"
		done
		((++mode))
	done | awk '!seen[$0]++'
}

# choose_jobs: print how many guests to run side by side.
choose_jobs()
{
	local memory

	if [[ ${V:-0} == 1 ]]; then
		echo 1
		return
	fi
	memory=$(awk '/^MemAvailable:/ { print int($2 / 1048576 / 3) }' /proc/meminfo)
	printf '%s\n' 4 "$(nproc)" "$memory" $((RUNS / 10)) | sort -n | head -n 1
}

# run_guest N OPTION...: run guest N's part of the plan.  Leaves its logs in LOG/N,
# and the exit status of vm.sh in LOG/N/status.
run_guest()
{
	local n=$1 log=$LOG/$1 runs status try
	local -a args

	shift
	runs=$(wc -l < "$log/plan")
	# More than a program may take, since processes that it leaves are waited for.
	args=(-l "$log" -t $((runs * (TIMEOUT + 400) + 900)) -s $((TIMEOUT + 400))
	      -a "$KMAP_KO:/kmap/kmap.ko" -a "$TEST_DIR:/kmap/tests"
	      -a "$log/plan:/kmap/plan" -a "$VM_DIR/guest.sh:/kmap/guest.sh")
	[[ -z ${BIN_DIR:-} ]] || args+=(-a "$BIN_DIR:/kmap/bin")
	for try in first last; do
		"$VM_DIR/vm.sh" "${args[@]}" "$@" -- \
			env "VM_VERBOSE=${V:-0}" /kmap/guest.sh /kmap/plan &
		# The guest must end when this process does.
		trap 'kill $!; wait; exit 130' INT TERM HUP
		wait $!
		status=$?
		# A kernel that patches its code while it boots may crash on emulated
		# CPUs; none of our code has been loaded by then.
		[[ $try == first ]] || break
		grep -q '^NO BOOT' "$log/verdict" 2>/dev/null || break
		bad "The guest did not come up; once more"
	done
	printf '%d\n' "$status" > "$log/status"
}

# join_guest N: print the results of a guest, from its plan and its reports, as lines
# of result, label and reason, separated by tabs.  If the machine died, the test that
# was running has failed for that reason; tests that did not run have failed, too.
join_guest()
{
	local log=$LOG/$1

	awk -v status="$(cat "$log/status")" -v verdict="$log/verdict" '
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
		if (!(label in result)) {
			result[label] = "fail"
			why[label] = "not run: the guest had ended"
			if (label == last || !last && !told++)
				getline why[label] < verdict
		}
		if (result[label] == "fail")
			failed++
		print result[label] "\t" label "\t" why[label]
	}
	END {
		# The guest failed although each test passed.
		if (status && !failed) {
			getline reason < verdict
			print "fail\tthe guest\t" reason
		}
	}' "$log/records" "$log/plan"
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
JOBS=${JOBS:-$(choose_jobs)}
((JOBS > 0)) || JOBS=1

say "Running $RUNS tests ($(cut -d' ' -f4 "$WORK/plan" | sort -u | wc -l)" \
	"programs; lock modes: $LOCK) on $("$VM_DIR/kernel.sh" release)," \
	"$JOBS at a time"
new_log
PIDS=()
trap 'kill "${PIDS[@]}" 2>/dev/null; wait; exit 130' INT TERM HUP
# The programs are dealt out to the guests in turn, beginning with another guest in
# each lock mode, so that each guest gets its share of the long ones.
for ((n = 0; n < JOBS; n++)); do
	mkdir "$LOG/$n"
	awk -v n="$n" -v jobs="$JOBS" '
	$1 != lock {
		lock = $1
		turn = mode++
	}
	turn++ % jobs == n' "$WORK/plan" > "$LOG/$n/plan"
	for test in ${LAST:-}; do
		printf '%s - %s %s\n' "${LOCK##* }" "$TIMEOUT" "$test"
	done >> "$LOG/$n/plan"
	: > "$LOG/$n/records"
	run_guest "$n" "$@" &
	PIDS+=($!)
done
wait

for ((n = 0; n < JOBS; n++)); do
	read -r STATUS < "$LOG/$n/status" || exit 2
	((STATUS != 2 && STATUS < 128)) || exit "$STATUS"
	join_guest "$n"
done > "$LOG/results"

awk -F '\t' '
{ total[$1]++ }
$1 == "skip" { skips = skips "  " $2 ": " $3 "\n" }
$1 == "fail" && lines++ < 40 { fails = fails "  " $2 ": " $3 "\n" }
END {
	if (skips)
		printf "Skipped:\n%s", skips
	if (fails)
		printf "Failed:\n%s", fails
	printf "%d passed, %d failed, %d skipped\n", total["pass"],
		total["fail"], total["skip"]
	exit !(total["pass"] && !total["fail"])
}' "$LOG/results" > "$LOG/summary"
STATUS=$?

printf '\n'
cat "$LOG/summary"
exit "$STATUS"
