#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# Remove what "make install" put somewhere, whatever else has been cleaned since:
# the module of the kernel that KDIR is for, and, of userspace, each file that is
# found after installing once more into an empty folder.  Says what it leaves.
#
#	uninstall.sh KDIR PREFIX DESTDIR

set -eu
. "$(dirname "$0")/lib.sh"

KDIR=${1:-} PREFIX=${2:?prefix} DESTDIR=${3:-}
STAGE=$(mktemp -d)
trap 'rm -rf "$STAGE"' EXIT
LEFT=()

# remove FILE
remove()
{
	rm -f "$1"
	printf '  %s\n' "$1"
}

# Whether this is the very program or file that installing would put there is not
# asked: an older one shall go as well.
make -s -C "$TOP_DIR/userspace" install BUILD="$STAGE/build" PREFIX="$PREFIX" \
	DESTDIR="$STAGE/root"
while IFS= read -r file; do
	[[ ! -e $DESTDIR/$file && ! -L $DESTDIR/$file ]] ||
		remove "$DESTDIR/$file"
done < <(find "$STAGE/root" ! -type d -printf '%P\n')

# Folders that are left empty and bear our name.
while IFS= read -r dir; do
	dir=$DESTDIR/$dir
	[[ -d $dir ]] || continue
	find "$dir" -depth -type d -empty -delete
	[[ ! -d $dir ]] || LEFT+=("$dir, with files that are not of kmap")
done < <(find "$STAGE/root" -depth -type d -name kmap -printf '%P\n')

RELEASE=
if [[ -n $KDIR ]]; then
	RELEASE=$(cat "$KDIR/include/config/kernel.release")
fi
shopt -s nullglob
for file in "$DESTDIR"/lib/modules/*/{updates,extra}/{,module/}kmap.ko{,.gz,.xz,.zst}; do
	of=${file#"$DESTDIR/lib/modules/"}
	of=${of%%/*}
	if [[ $of == "$RELEASE" ]]; then
		remove "$file"
	else
		LEFT+=("$file, for another kernel: name its headers with KDIR=")
	fi
done

if [[ -z $DESTDIR ]]; then
	[[ -z $RELEASE || ! -d /lib/modules/$RELEASE ]] || depmod "$RELEASE"
	ldconfig
	[[ ! -d /sys/module/kmap ]] ||
		LEFT+=('the module that is loaded: rmmod kmap unloads it')
fi
for what in "${LEFT[@]}"; do
	printf 'left: %s\n' "$what"
done
