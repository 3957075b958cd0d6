#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# Print the folder of the newest kernel of Debian sid, with the compiler with which
# it was built: a minimal Debian sid (see ../vm/sid.sh) that has the kernel's headers,
# image (boot/kernel) and modules.  This needs root.
#
# The kernel is as old as the folder, sid-kernel in the cache; remove that to have it
# set up again.

set -eu
. "$(dirname "$0")/../vm/lib.sh"

KERNELS_DIR=$(cd "$(dirname "$0")" && pwd)
ARCH=$(dpkg --print-architecture)
DIR=$("$VM_DIR/sid.sh" kernel 'make --version' make "linux-headers-$ARCH")
LOG=$DIR.log

# unpack RELEASE: unpack its image and modules.
unpack()
{
	local image

	# Since 7.1 the image comes in parts, of which one is for the boot loader.
	"$KERNELS_DIR/unpack.sh" "$DIR" "$ARCH" "linux-image-$1" \
		"linux-(image|binary|modules)-${1//[.+]/\\&}" || return
	depmod -b "$DIR" "$1" || return
	for image in "boot/vmlinuz-$1" "usr/lib/modules/$1/vmlinuz"; do
		if [[ -e $DIR/$image ]]; then
			# This is last, because it tells that all is there.
			ln -s "../$image" "$DIR/boot/kernel"
			return
		fi
	done
	return 1
}

RELEASE=$(find "$DIR"/usr/src -maxdepth 1 -name "linux-headers-*-$ARCH" \
	-printf '%f\n' | sed 's/^linux-headers-//' | sort -V | tail -n 1)
[[ -n $RELEASE ]] || die "no kernel headers in $DIR"

if [[ ! -e $DIR/boot/kernel ]]; then
	printf '== Unpacking kernel %s of Debian sid (once)\n' "$RELEASE" >&2
	(
		# Only one run at a time unpacks.
		flock 5
		[[ -e $DIR/boot/kernel ]] || unpack "$RELEASE" >> "$LOG" 2>&1
	) 5>> "$DIR.lock" || {
		tail -n 5 "$LOG" >&2
		die "kernel $RELEASE cannot be unpacked: see $LOG; $DIR may be too old, remove it"
	}
fi
printf '%s\n' "$DIR"
