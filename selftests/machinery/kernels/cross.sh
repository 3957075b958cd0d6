#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# Cross-build for another machine, with the compiler and the newest kernel of
# Debian sid, and run the native tests under qemu-user.
#
#	cross.sh arm64|s390x
#
# CROSS_OUT=	folder for logs
# ROUNDS=, OPS=	as in the native tests; property has to reach each limit, and
#		does not with much less than the default
#
# Module, library and command must be built without a warning.  The last line is
# "N passed, N failed, N skipped".

set -u
KERNELS_DIR=$(cd "$(dirname "$0")" && pwd)
. "$KERNELS_DIR/../vm/lib.sh"
. "$KERNELS_DIR/lib.sh"

MACHINE=${1:?machine}
case $MACHINE in
arm64)
	TRIPLET=aarch64-linux-gnu QEMU=qemu-aarch64-static
	;;
s390x)
	# Its byte order is the opposite of all other machines here.
	TRIPLET=s390x-linux-gnu QEMU=qemu-s390x-static
	;;
*)
	die "$MACHINE: not known, only arm64, s390x"
	;;
esac
OUT=$(realpath -m "${CROSS_OUT:-$TOP_DIR/build/kernels/$MACHINE}")
export ROUNDS=${ROUNDS:-} OPS=${OPS:-}
PASSED=0 FAILED=0

# find_sid: set SID to a folder of Debian sid that has all that is needed.
find_sid()
{
	SID=$("$VM_DIR/sid.sh" cross \
		'aarch64-linux-gnu-gcc --version && s390x-linux-gnu-gcc --version' \
		make "linux-headers-$(dpkg --print-architecture)" \
		gcc-aarch64-linux-gnu libc6-dev-arm64-cross \
		gcc-s390x-linux-gnu libc6-dev-s390x-cross) || return
	if [[ ! -e $SID/usr/src/$MACHINE ]]; then
		printf '== Unpacking kernel headers for %s (once)\n' "$MACHINE" >&2
		(
			# Only one run at a time unpacks.
			flock 5
			[[ -e $SID/usr/src/$MACHINE ]] || unpack
		) 5>> "$SID.lock" >> "$SID.log" 2>&1 || {
			tail -n 5 "$SID.log" >&2
			die "Debian sid has not all for $MACHINE: see $SID.log"
		}
	fi
	KERNEL_KDIR=$(realpath "$SID/usr/src/$MACHINE")
	RELEASE=${KERNEL_KDIR##*/linux-headers-}
}

# unpack: unpack the kernel's headers, and the library for RCU in userspace.  The link
# that is made last tells that they are there.
unpack()
{
	local headers

	"$KERNELS_DIR/unpack.sh" "$SID" "$MACHINE" \
		"linux-headers-$MACHINE" "linux-headers-[0-9].*-$MACHINE" \
		liburcu-dev 'liburcu(-dev|[0-9].*)' || return
	headers=$(find "$SID"/usr/src -maxdepth 1 -type d \
		-name "linux-headers-*-$MACHINE" -printf '%f\n' | sort -V |
		tail -n 1)
	[[ -n $headers ]] && ln -s "$headers" "$SID/usr/src/$MACHINE"
}

# part WHAT STATUS LOG BEGUN: count the build of a part.
part()
{
	if built "$MACHINE" "$@"; then
		((++PASSED))
	else
		((++FAILED))
		return 1
	fi
}

# enter_make FOLDER ARGUMENT...: run make in a folder below WORK, in the sid system.
enter_make()
{
	local folder=$1

	shift
	chroot "$SID" /usr/bin/env -i PATH=/usr/bin:/bin \
		/usr/bin/make -C "${WORK#"$SID"}/$folder" "$@"
}

build_module()
{
	local begun=$SECONDS

	SYSTEM=$SID "$VM_DIR/module.sh" "$WORK/kmap" > "$OUT/module.log" 2>&1
	part module $? "$OUT/module.log" "$begun"
}

build_userspace()
{
	local begun=$SECONDS

	enter_make userspace CC="$TRIPLET-gcc" AR="$TRIPLET-ar" \
		lib cli examples > "$OUT/userspace.log" 2>&1
	part userspace $? "$OUT/userspace.log" "$begun"
}

# native: build and run the native tests; each counts by itself.
native()
{
	local begun=$SECONDS passed failed
	local counts='s/^\([0-9]*\) passed, \([0-9]*\) failed, .*$/\1 \2/p'

	enter_make selftests/machinery/native CLANG="$TRIPLET-gcc" LDFLAGS=-static plain \
		> "$OUT/native.log" 2>&1
	part 'native tests' $? "$OUT/native.log" "$begun" || return
	rm -rf "$OUT/plain"
	cp -r "$WORK/selftests/machinery/native/build/plain" "$OUT/"
	RUNNER=$QEMU make -C "$TOP_DIR/selftests/machinery/native" OUTPUT="$OUT" \
		run-plain 2>&1 | tee "$OUT/run.log" |
		sed -e '/^make/d' -e "s/^plain/      $MACHINE plain/" \
			-e '/ passed, .* skipped$/d'
	read -r passed failed < <(sed -n "$counts" "$OUT/run.log" | tail -n 1)
	((PASSED += ${passed:-0}, FAILED += ${failed:-1}))
}

command -v "$QEMU" >/dev/null || die "$QEMU is missing: run \"make deps\""
mkdir -p "$OUT"
find_sid || exit
export KERNEL_KDIR
WORK=$(mktemp -d -p "$SID/tmp") || exit
trap 'rm -rf "$WORK"' EXIT
trap 'exit 130' INT TERM HUP
mkdir -p "$WORK/selftests/machinery"
cp -r "$TOP_DIR"/{module,uapi,userspace} "$WORK/" &&
	cp -r "$TOP_DIR/selftests/machinery/native" "$WORK/selftests/machinery/" &&
	rm -rf "$WORK"/{userspace,selftests/machinery/native}/build || exit

say "Kernel $MACHINE: $RELEASE"
build_module
build_userspace
native
counts "$PASSED" "$FAILED" 0
((PASSED && !FAILED))
