#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# Run test programs, and say how it went.
#
#	run.sh BUILD FLAVOUR/PROGRAM...
#
# RUNS=N	executions of the fuzzer (default 1500)
# RUNNER=CMD	what runs a program of another machine
# V=1		show all that the programs print
#
# What a failed test said is shown in short, and is whole in BUILD/log/.  The last line is "N passed, N failed, N skipped".  Fails
# unless something passed and nothing failed.

set -u
BUILD=${1:?folder}
shift
LOG=$BUILD/log
RUNS=${RUNS:-1500}
mkdir -p "$LOG"

# Sanitizers take fixed addresses; where the kernel spreads programs wider than
# they know, they want it to stop that.
FIXED=()
if setarch -R true 2>/dev/null; then
	FIXED=(setarch -R)
fi
export ASAN_OPTIONS=${ASAN_OPTIONS:-abort_on_error=1}
export UBSAN_OPTIONS=${UBSAN_OPTIONS:-print_stacktrace=1}
export LLVM_PROFILE_FILE=$BUILD/profile/%4m.profraw

# seeds FOLDER: inputs to begin with; any bytes make a sequence of operations.
seeds()
{
	local i

	mkdir -p "$1"
	for i in 1 2 3 4 5 6 7 8; do
		LC_ALL=C awk -v x=$((i * 7919)) 'BEGIN {
			for (i = 0; i < 3000; i++) {
				x = x * 16807 % 2147483647
				printf "%c", int(x / 4096) % 256
			}
		}' > "$1/seed$i"
	done
}

# fuzz PROGRAM: as TAP.
fuzz()
{
	local folder=$BUILD/corpus

	rm -rf "$folder"
	seeds "$folder"
	if "$1" -runs="$RUNS" -seed="${SEED:-1}" -max_len=4000 -len_control=0 \
		-timeout=1200 -verbosity=1 -print_final_stats=1 \
		-artifact_prefix="$LOG/" "$folder"; then
		printf 'ok 1 %s_runs\n' "$RUNS"
	else
		printf 'not ok 1 %s_runs\n' "$RUNS"
	fi
	printf '1..1\n'
}

# run NAME: one program, into its log.
run()
{
	case $1 in
	*/fuzz)
		fuzz "$BUILD/$1"
		;;
	*)
		"${FIXED[@]}" ${RUNNER:+"$RUNNER"} "$BUILD/$1"
		;;
	esac
}

PASSED=0 FAILED=()
for name in "$@"; do
	log=$LOG/${name//\//-}
	begun=$SECONDS
	run "$name" > "$log" 2>&1
	status=$?
	passed=$(grep -a -c '^ok ' "$log")
	plan=$(sed -n 's/^1\.\.//p' "$log")
	mapfile -t failed < <(sed -n 's/^not ok [0-9]* //p' "$log")
	# A program that ends early, or fails without a test that did.
	if ((${#failed[@]} == 0)) &&
		[[ $status != 0 || $passed != "$plan" || $passed == 0 ]]; then
		failed=("ended with status $status after $passed of ${plan:-?}")
	fi
	((PASSED += passed))
	printf '%-16s %3d passed, %d failed  (%d s)\n' "$name" "$passed" \
		"${#failed[@]}" $((SECONDS - begun))
	if [[ ${V:-0} == 1 ]]; then
		cat "$log"
	elif ((${#failed[@]})); then
		grep -a -E '^(not ok|#|[A-Za-z_./]+:[0-9]+: |SUMMARY:)' "$log" |
			sort | uniq -c | sort -rn | head -n 40
		printf 'All of it: %s\n' "$log"
	fi
	for test in "${failed[@]}"; do
		FAILED+=("$name: $test")
	done
done

if ((${#FAILED[@]})); then
	printf 'Failed:\n'
	printf '  %s\n' "${FAILED[@]}"
fi
printf '%d passed, %d failed, 0 skipped\n' "$PASSED" "${#FAILED[@]}"
((PASSED && ${#FAILED[@]} == 0))
