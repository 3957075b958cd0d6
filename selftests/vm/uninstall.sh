#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# Remove what "make install" put somewhere: install once more into an empty
# folder, and remove each file that is found there from the real place.
#
#	uninstall.sh KDIR PREFIX DESTDIR

set -eu
. "$(dirname "$0")/lib.sh"

KDIR=${1:-} PREFIX=${2:?prefix} DESTDIR=${3:-}
STAGE=$(mktemp -d)
trap 'rm -rf "$STAGE"' EXIT

make -s -C "$TOP_DIR/userspace" install PREFIX="$PREFIX" DESTDIR="$STAGE"
if [[ -n $KDIR && -e $TOP_DIR/kmap.ko ]]; then
	make -s -C "$KDIR" M="$TOP_DIR" INSTALL_MOD_PATH="$STAGE" DEPMOD=true \
		CONFIG_MODULE_SIG_ALL= modules_install
	# What depmod makes is not ours alone.
	find "$STAGE/lib/modules" -name 'modules.*' -delete
fi
cd "$STAGE"
find . ! -type d -printf '%P\n' | while IFS= read -r file; do
	[[ -e $DESTDIR/$file || -L $DESTDIR/$file ]] || continue
	rm -f "$DESTDIR/$file"
	printf '  %s\n' "$DESTDIR/$file"
done
# Folders that are left empty and bear our name.
find . -depth -type d -name kmap -printf '%P\n' | while IFS= read -r dir; do
	rmdir "$DESTDIR/$dir"/* "$DESTDIR/$dir" 2>/dev/null || true
done
