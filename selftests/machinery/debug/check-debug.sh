#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# Run the tests on the debug kernels, in each lock mode: any report of these kernels
# is a failure.  Kernels that are not in the cache are built first.
#
#	check-debug.sh [VM OPTION]...		options as of vm.sh
#
# KERNELS='kasan kcsan'			only these
# SHORT=1		each program runs in one lock mode on each kernel, a different one
#			on each
# TESTS=, LOCK=, HAMMER=, TIMEOUT=, JOBS=, V=	as in check.sh, for all KERNELS
# HAMMER_SECONDS=, HAMMER_KILLS=, HAMMER_PATIENCE=	as in the hammer tests
# HISTORY_OPS=, FUZZ_CALLS=		as in the history and fuzz tests
#
# and, from the Makefile:
#
# DEBUG_OUT=	folder for the modules
# TEST_DIR=, BIN_DIR=	as in check.sh
#
# The last line is "N passed, N failed, N skipped".

set -u
DEBUG_DIR=$(cd "$(dirname "$0")" && pwd)
. "$DEBUG_DIR/../vm/lib.sh"

KERNELS=${KERNELS:-kasan kcsan}
DEBUG_OUT=${DEBUG_OUT:-$TOP_DIR/build/guest/debug}
TEST_DIR=${TEST_DIR:?folder of the tests}
export TEST_DIR

# Everything is slower on these kernels, most of all on an emulated CPU; so tests that
# take many seconds are shortened.
export TIMEOUT=${TIMEOUT:-3600}

# settings KERNEL: print how much those tests do that can be configured.  All histories
# of a run have more than 1,000,000 operations together; fuzz and fuzz32 make more than
# 2,000,000 calls on kasan.
settings()
{
	local ops=30000 calls=340000 seconds=0.5

	# Longer histories where they take less time, and few calls of a fuzzer that
	# has no coverage.
	[[ $1 != kcsan ]] || ops=100000 calls=20000 seconds=1
	# Unloading a module waits for a handful of grace periods.
	printf '%s\n' rcupdate.rcu_expedited=1 KT_PATIENCE=40 KT_LESS=8 \
		"HAMMER_SECONDS=${HAMMER_SECONDS:-$seconds}" \
		"HAMMER_KILLS=${HAMMER_KILLS:-40}" \
		"HAMMER_PATIENCE=${HAMMER_PATIENCE:-240}" \
		"HISTORY_OPS=${HISTORY_OPS:-$ops}" \
		"FUZZ_CALLS=${FUZZ_CALLS:-$calls}"
}

# left_out "KERNEL PROGRAM": is the program not for this kernel?
left_out()
{
	case $1 in
	# It compares what the map reports with the kernel's free memory, which
	# KASAN's quarantine and red zones change.
	'kasan memory'|'kcsan memory')		;;
	# It needs a kernel whose preemption can be chosen, and these have none.
	*' preempt')				;;
	# They make no call on the map.
	*' history_selftest'*)			;;
	*)	return 1 ;;
	esac
}

# tests_for KERNEL: print the programs for it: those of the collection, and on kasan
# also those that need such a kernel.
tests_for()
{
	local test
	local -a lists=(kselftest-list.txt)

	if [[ -n ${TESTS:-} ]]; then
		printf '%s\n' "$TESTS"
		return
	fi
	[[ $1 != kasan ]] || lists+=(kselftest-list-debug.txt)
	(cd "$TEST_DIR" && sed -e 's/^[^:]*://' -e '/^$/d' "${lists[@]}") |
	while IFS= read -r test; do
		left_out "$1 $test" || printf '%s\n' "$test"
	done
}

# hammer_for KERNEL: print which programs also run with a single shard.  On kasan, to
# save time, only the one that does everything; races are for the other kernel.
hammer_for()
{
	local all='hammer_+([!_])'

	[[ $1 != kasan ]] || all=hammer_mix
	printf '%s\n' "${HAMMER:-$all}"
}

# rotation KERNEL: print the lock mode in which the first program runs, from 0; the
# modes rotate for the others.
rotation()
{
	case $1 in
	kasan)	echo 0 ;;
	*)	echo 1 ;;
	esac
}

# run KERNEL [VM OPTION]...: build what is missing, and run its tests.
run()
{
	local name=$1 setting last='' rotate=''
	local -a flags=("KCFLAGS=-include $DEBUG_DIR/watched.h")
	local -a options=(-m 2G)

	shift
	KERNEL_KDIR=$("$DEBUG_DIR/kernel.sh" "$name") || return
	export KERNEL_KDIR KERNEL=$KERNEL_KDIR/bzImage MODULES=none
	if [[ $name == kasan ]]; then
		# For the fuzzer's coverage.
		flags+=(KCOV_INSTRUMENT=y)
		last=kmemleak.sh
	fi
	say "Building kmap.ko for the $name kernel"
	"$VM_DIR/module.sh" "$DEBUG_OUT/$name" "${flags[@]}" \
		> "$DEBUG_OUT/$name.log" 2>&1 || {
		cat "$DEBUG_OUT/$name.log"
		return 1
	}
	while IFS= read -r setting; do
		options+=(-K "$setting")
	done < <(settings "$name")
	[[ ${SHORT:-0} != 1 ]] || rotate=$(rotation "$name")
	ROTATE=$rotate HAMMER=$(hammer_for "$name") TESTS=$(tests_for "$name") LAST=$last \
		KMAP_KO=$DEBUG_OUT/$name/kmap.ko \
		"$VM_DIR/check.sh" "${options[@]}" "$@"
}

# count_of PATTERN: print the sum of the numbers in front of PATTERN, an extended
# regular expression, in what the programs of the last run printed.
count_of()
{
	cat "$TOP_DIR"/build/log/latest/{,*/}detail 2>/dev/null |
	sed -n -E "s/.*[^0-9]([0-9]+)$1.*/\1/p" |
	awk '{ sum += $0 } END { print sum + 0 }'
}

WORK=$(mktemp -d)
trap 'rm -rf "$WORK"' EXIT
trap 'exit 130' INT TERM HUP
mkdir -p "$DEBUG_OUT"
cp "$DEBUG_DIR/kmemleak.sh" "$TEST_DIR/"

COUNTS='^\([0-9]*\) passed, \([0-9]*\) failed, \([0-9]*\) skipped$'
OPERATIONS_OF=' operations(,| on [0-9]+ keys,) [0-9]+ of them overlap'
PASSED=0 FAILED=0 SKIPPED=0 OPERATIONS=0 CALLS=0 SUMMARY=''
for name in $KERNELS; do
	begun=$SECONDS
	run "$name" "$@" 2>&1 | tee "$WORK/$name"
	status=${PIPESTATUS[0]}
	((status < 128)) || exit "$status"
	passed='' failed='' skipped=''
	read -r passed failed skipped < <(
		sed -n "s/$COUNTS/\1 \2 \3/p" "$WORK/$name" | tail -n 1)
	if [[ -z $skipped ]]; then
		# It ended before it printed counts.
		passed=0 failed=1 skipped=0
	else
		((OPERATIONS += $(count_of "$OPERATIONS_OF")))
		((CALLS += $(count_of ' calls; [0-9]+ kept,')))
		((status == 0 || failed)) || failed=1
	fi
	((PASSED += passed, FAILED += failed, SKIPPED += skipped))
	SUMMARY+=$(printf '  %-8s %d passed, %d failed, %d skipped (%d s)' \
		"$name" "$passed" "$failed" "$skipped" $((SECONDS - begun)))$'\n'
done

say 'Summary of the debug kernels'
for name in $KERNELS; do
	sed -n '/^\(Failed\|Skipped\):/,$p' "$WORK/$name" |
		grep -v -e "$COUNTS" -e '^== ' | sed "s/^  /  $name /"
done
printf '%s' "$SUMMARY"
printf '  %d operations in histories that were checked\n' "$OPERATIONS"
printf '  %d calls that the fuzzer made\n' "$CALLS"
printf '%d passed, %d failed, %d skipped\n' "$PASSED" "$FAILED" "$SKIPPED"
((PASSED > 0 && FAILED == 0))
