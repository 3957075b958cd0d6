#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# Build kmap.ko for the guest's kernel, in a folder of its own, so that it does
# not get in the way of a build for the running kernel.
#
#	module.sh OUT [MAKE ARGUMENT]...
#
# KDIR comes from kernel.sh.  Leaves OUT/kmap.ko.

set -eu
. "$(dirname "$0")/lib.sh"

OUT=${1:?folder to build in}
shift
KDIR=$("$VM_DIR/kernel.sh" kdir)

mkdir -p "$OUT/module" "$OUT/uapi/linux"
OUT=$(realpath "$OUT")
# What is gone here goes there too, or a stale file could still be built.
for file in "$OUT"/module/*.[ch]; do
	[[ -e $TOP_DIR/module/${file##*/} ]] || rm -f "$file"
done
cp -u --preserve=timestamps "$TOP_DIR/Kbuild" "$OUT/"
cp -u --preserve=timestamps "$TOP_DIR"/module/*.[ch] "$OUT/module/"
cp -u --preserve=timestamps "$TOP_DIR/uapi/linux/kmap.h" "$OUT/uapi/linux/"
make -C "$KDIR" M="$OUT" "$@" modules
