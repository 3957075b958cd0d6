#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# Build the module for other kernels, and run the tests on them in each lock mode;
# run them with a 32-bit userland; cross-build, and run the native tests, for other
# machines.
#
#	check-kernels.sh [VM OPTION]...		options as of vm.sh
#
# KERNELS='sid 6.1'	only these (default: all that ENTRIES names below)
# TESTS=, LOCK=, TIMEOUT=, V=	as in check.sh
# HAMMER_SECONDS=, HAMMER_KILLS=, HAMMER_PATIENCE=, HISTORY_OPS=	as in the
#			tests
#
# and, from the Makefile:
#
# KERNELS_OUT=	folder for what is built
# KMAP_KO=	the module for the guest's usual kernel
# TEST_DIR=, BIN_DIR=	as in check.sh
#
# A warning during a build is a failure.  Kernels that the machine's apt does not
# offer are skipped.  The last line is "N passed, N failed, N skipped".

set -u
KERNELS_DIR=$(cd "$(dirname "$0")" && pwd)
. "$KERNELS_DIR/../vm/lib.sh"
. "$KERNELS_DIR/lib.sh"

# The ones that are most likely to find something are first.
ENTRIES=(sid 6.12-rt 6.1-rt 6.12 6.1 32-bit arm64 s390x)

read -r -a CHOSEN <<< "${KERNELS:-${ENTRIES[*]}}"
OUT=${KERNELS_OUT:-$TOP_DIR/build/kernels}
TEST_DIR=${TEST_DIR:?folder of the tests}
export TEST_DIR

# Tests that take many seconds are shortened, since there are many kernels; the patience
# is for the emulated CPU.
export TIMEOUT=${TIMEOUT:-3600}
SETTINGS=(rcupdate.rcu_expedited=1 KT_LESS=4
	  "HAMMER_SECONDS=${HAMMER_SECONDS:-1}"
	  "HAMMER_KILLS=${HAMMER_KILLS:-100}"
	  "HAMMER_PATIENCE=${HAMMER_PATIENCE:-240}"
	  "HISTORY_OPS=${HISTORY_OPS:-10000}")

# tests [VM OPTION]...: run the collection, with the settings above.
tests()
{
	local setting
	local -a options=()

	for setting in "${SETTINGS[@]}"; do
		options+=(-K "$setting")
	done
	"$VM_DIR/check.sh" "${options[@]}" "$@"
}

# module NAME OUT: build the module, which counts as one check.
module()
{
	local begun=$SECONDS log=$OUT/$1.log

	"$VM_DIR/module.sh" "$2" > "$log" 2>&1
	if ! built "$1" module $? "$log" "$begun"; then
		counts 0 1 0
		return 1
	fi
	counts 1 0 0
}

# on_kernel NAME [VM OPTION]...: test on a kernel other than the guest's usual one.
on_kernel()
{
	local name=$1 root build status

	shift
	if [[ $name == sid ]]; then
		root=$("$KERNELS_DIR/sid.sh") || return
		export KERNEL=$root/boot/kernel SYSTEM=$root
		build=$(mktemp -d -p "$root/tmp") || return
	else
		root=$("$KERNELS_DIR/stock.sh" "$name")
		status=$?
		if ((status == 3)); then
			printf 'skip  %-8s apt does not offer it\n' "$name"
			counts 0 0 1
		fi
		((status == 0)) || return
		KERNEL=$(printf '%s\n' "$root"/boot/vmlinuz-*)
		build=$OUT/$name
		export KERNEL
	fi
	MODULES=$(dirname "$root"/lib/modules/*/modules.dep)
	KERNEL_KDIR=$root/usr/src/linux-headers-${MODULES##*/}
	export MODULES KERNEL_KDIR
	say "Kernel $name: ${MODULES##*/}"
	module "$name" "$build"
	status=$?
	if ((status == 0)); then
		mkdir -p "$OUT/$name"
		KMAP_KO=$OUT/$name/kmap.ko
		[[ $build == "$OUT/$name" ]] || cp "$build/kmap.ko" "$KMAP_KO"
		export KMAP_KO
	fi
	[[ $build == "$OUT/$name" ]] || rm -rf "$build"
	((status == 0)) && tests "$@"
}

# with_userland [VM OPTION]...: test with tests, library and programs for 32 bits.
with_userland()
{
	local begun=$SECONDS log=$OUT/32-bit.log

	say 'Building a 32-bit userland'
	{
		make -C "$TOP_DIR/userspace" BUILD="$OUT/32-bit/userspace" \
			CC='gcc -m32' lib cli examples &&
		USERSPACE_BUILD=$OUT/32-bit/userspace \
			"$VM_DIR/programs.sh" "$OUT/32-bit/bin" &&
		# The programs that are always 32-bit are left out.  After arithmetic,
		# a loop around "lock cmpxchg8b" makes QEMU 7.2 (TCG) compute EFLAGS
		# from operands; libatomic has no such loop.
		make -C "$TOP_DIR/selftests" OUTPUT="$OUT/32-bit/tests" \
			CC='gcc -m32 -march=i486' LDLIBS=-latomic COMPAT= \
			WINDOW32= LIBRARY32= \
			INSTALL_PATH="$OUT/32-bit/install" install
	} > "$log" 2>&1
	if ! built 32-bit userland $? "$log" "$begun"; then
		counts 0 1 0
		return 1
	fi
	counts 1 0 0
	TEST_DIR=$OUT/32-bit/install BIN_DIR=$OUT/32-bit/bin tests "$@"
}

# run NAME [VM OPTION]...
run()
{
	local name=$1

	shift
	case $name in
	32-bit)
		with_userland "$@"
		;;
	arm64|s390x)
		CROSS_OUT=$OUT/$name "$KERNELS_DIR/cross.sh" "$name"
		;;
	*)
		on_kernel "$name" "$@"
		;;
	esac
}

for name in "${CHOSEN[@]}"; do
	[[ " ${ENTRIES[*]} " == *" $name "* ]] ||
		die "KERNELS=$name: not known, only ${ENTRIES[*]}"
done

WORK=$(mktemp -d)
trap 'rm -rf "$WORK"' EXIT
trap 'exit 130' INT TERM HUP
mkdir -p "$OUT"

COUNTS='^\([0-9]*\) passed, \([0-9]*\) failed, \([0-9]*\) skipped$'
PASSED=0 FAILED=0 SKIPPED=0 SUMMARY=''
for name in "${CHOSEN[@]}"; do
	begun=$SECONDS
	(run "$name" "$@") 2>&1 | tee "$WORK/$name"
	status=${PIPESTATUS[0]}
	((status < 128)) || exit "$status"
	# An entry counts more than once: what is built, what is run.
	read -r passed failed skipped < <(sed -n "s/$COUNTS/\1 \2 \3/p" \
		"$WORK/$name" | awk '{ p += $1; f += $2; s += $3 }
		END { printf "%d %d %d\n", p, f, s }')
	if ((status && !failed && !(skipped == 1 && !passed))); then
		# It ended before it printed counts.
		failed=1
	fi
	((PASSED += passed, FAILED += failed, SKIPPED += skipped))
	release=$(sed -n "s/^.*== Kernel $name: \([^ ]*\).*$/ \1/p" "$WORK/$name")
	SUMMARY+=$(printf '  %-8s %d passed, %d failed, %d skipped (%d s)%s' \
		"$name" "$passed" "$failed" "$skipped" $((SECONDS - begun)) \
		"$release")$'\n'
done

say 'Summary of the kernels'
for name in "${CHOSEN[@]}"; do
	sed -n '/^\(Failed\|Skipped\):/,$p' "$WORK/$name" |
		grep -v -e "$COUNTS" -e '^== ' -e '^$' | sed "s/^  /  $name /"
done
printf '%s' "$SUMMARY"
counts "$PASSED" "$FAILED" "$SKIPPED"
((PASSED > 0 && FAILED == 0))
