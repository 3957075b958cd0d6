#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# Run the tests on the debug kernels, in each lock mode: any report of theirs
# fails the run.  Kernels that are not in the cache are built first.
#
#	check-debug.sh [VM OPTION]...		options as of vm.sh
#
# KERNELS='kasan kcsan'		only these
# TESTS=, LOCK=, TIMEOUT=, V=	as of check.sh; TESTS is for all KERNELS
# HAMMER_SECONDS=, HAMMER_KILLS=, HAMMER_PATIENCE=	as of the hammer tests
#
# and, from the Makefile:
#
# DEBUG_OUT=	folder for the modules
# TEST_DIR=, BIN_DIR=	as of check.sh
#
# The last line is "N passed, N failed, N skipped".

set -u
DEBUG_DIR=$(cd "$(dirname "$0")" && pwd)
. "$DEBUG_DIR/../vm/lib.sh"

KERNELS=${KERNELS:-kasan kcsan}
DEBUG_OUT=${DEBUG_OUT:-$TOP_DIR/build/guest/debug}
TEST_DIR=${TEST_DIR:?folder of the tests}
LIST=${LIST:-kselftest-list.txt}
export TEST_DIR LIST

# All is slower here, and most of all on an emulated CPU; the tests of many
# seconds are shorter in turn.
export TIMEOUT=${TIMEOUT:-1200}
SETTINGS=("HAMMER_SECONDS=${HAMMER_SECONDS:-1}"
	  "HAMMER_KILLS=${HAMMER_KILLS:-40}"
	  "HAMMER_PATIENCE=${HAMMER_PATIENCE:-240}")

# What the program is not for, and why: "kernel program".
left_out()
{
	case $1 in
	# It compares what the map says with what the kernel has free, which
	# KASAN's quarantine and red zones change.
	'kasan memory'|'kcsan memory')		;;
	# No race in what one process does: these watch nothing at all, and
	# kernel (a) runs them.
	'kcsan '*32|'kcsan abi'|'kcsan layout'|'kcsan pointers')	;;
	'kcsan cli'*|'kcsan examples'*|'kcsan fault'*)	;;
	*)	return 1 ;;
	esac
}

# tests_for KERNEL: the programs it runs.
tests_for()
{
	local test

	if [[ -n ${TESTS:-} ]]; then
		printf '%s\n' "$TESTS"
	else
		sed -e 's/^[^:]*://' -e '/^$/d' "$TEST_DIR/$LIST" |
		while IFS= read -r test; do
			left_out "$1 $test" || printf '%s\n' "$test"
		done
	fi
	# Last, so that it sees what all of the others left.
	[[ $1 != kasan ]] || printf 'kmemleak.sh\n'
}

# run KERNEL [VM OPTION]...: build what is missing, and run its tests.
run()
{
	local name=$1 setting
	local -a flags=() options=(-m 3G)

	shift
	KERNEL_KDIR=$("$DEBUG_DIR/kernel.sh" "$name") || return
	export KERNEL_KDIR KERNEL=$KERNEL_KDIR/bzImage MODULES=none
	[[ $name != kcsan ]] ||
		flags=("KCFLAGS=-include $DEBUG_DIR/kcsan-string.h")
	say "Building kmap.ko for the $name kernel"
	"$VM_DIR/module.sh" "$DEBUG_OUT/$name" "${flags[@]}" \
		> "$DEBUG_OUT/$name.log" 2>&1 || {
		cat "$DEBUG_OUT/$name.log"
		return 1
	}
	for setting in "${SETTINGS[@]}"; do
		options+=(-K "$setting")
	done
	TESTS=$(tests_for "$name") KMAP_KO=$DEBUG_OUT/$name/kmap.ko \
		"$VM_DIR/check.sh" "${options[@]}" "$@"
}

WORK=$(mktemp -d)
trap 'rm -rf "$WORK"' EXIT
trap 'exit 130' INT TERM HUP
mkdir -p "$DEBUG_OUT"
cp "$DEBUG_DIR/kmemleak.sh" "$TEST_DIR/"

COUNTS='^\([0-9]*\) passed, \([0-9]*\) failed, \([0-9]*\) skipped$'
PASSED=0 FAILED=0 SKIPPED=0 SUMMARY=''
for name in $KERNELS; do
	begun=$SECONDS
	run "$name" "$@" 2>&1 | tee "$WORK/$name"
	status=${PIPESTATUS[0]}
	((status < 128)) || exit "$status"
	passed='' failed='' skipped=''
	read -r passed failed skipped < <(
		sed -n "s/$COUNTS/\1 \2 \3/p" "$WORK/$name" | tail -n 1)
	if [[ -z $skipped ]]; then
		# It did not come to count anything.
		passed=0 failed=1 skipped=0
	elif ((status != 0 && failed == 0)); then
		failed=1
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
printf '%s%d passed, %d failed, %d skipped\n' "$SUMMARY" "$PASSED" "$FAILED" \
	"$SKIPPED"
((PASSED > 0 && FAILED == 0))
