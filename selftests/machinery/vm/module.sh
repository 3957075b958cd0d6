#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# Build kmap.ko for the guest's kernel, in a folder of its own, so that it does not
# disturb a build for the running kernel.
#
#	module.sh OUT [MAKE ARGUMENT]...
#
# KDIR comes from kernel.sh.  Leaves OUT/kmap.ko.
#
# SYSTEM=DIR	a Debian system in which to build, with its compiler; the headers and
#		OUT are below it

set -eu
. "$(dirname "$0")/lib.sh"

OUT=${1:?folder to build in}
shift
KDIR=$("$VM_DIR/kernel.sh" kdir)

mkdir -p "$OUT/module" "$OUT/uapi/linux"
OUT=$(realpath "$OUT")
# Files that were removed from the module must be removed there, or they are built.
for file in "$OUT"/module/*.[ch]; do
	[[ -e $TOP_DIR/module/${file##*/} ]] || rm -f "$file"
done
cp -u --preserve=timestamps "$TOP_DIR/Kbuild" "$OUT/"
cp -u --preserve=timestamps "$TOP_DIR"/module/*.[ch] "$OUT/module/"
cp -u --preserve=timestamps "$TOP_DIR/uapi/linux/kmap.h" "$OUT/uapi/linux/"
if [[ -n ${SYSTEM:-} ]]; then
	# objtool reads /proc; it is mounted for this command only.
	# shellcheck disable=SC2016
	unshare --mount /bin/sh -c \
		'mount -t proc proc "$0/proc" && exec chroot "$0" "$@"' \
		"$SYSTEM" /usr/bin/make -C "${KDIR#"$SYSTEM"}" \
		M="${OUT#"$SYSTEM"}" "$@" modules
else
	make -C "$KDIR" M="$OUT" "$@" modules
fi
