#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# Print the folder of a stock kernel of Debian: image, modules and headers, which are
# unpacked from its packages and not installed.
#
#	stock.sh 6.1|6.1-rt|6.12|6.12-rt|...
#
# The folder has boot/, lib/modules/ and usr/src/ like a root.  It is kept in the
# cache, one per version of the package; the version is the one that the machine's apt
# offers.  Exit status 3: apt offers no such kernel.

set -eu
. "$(dirname "$0")/../vm/lib.sh"

NAME=${1:?kernel}
VERSION=${NAME%-rt}
FLAVOUR=${NAME#"$VERSION"}
ARCH=$(dpkg --print-architecture)

# Drivers that no test needs, and that are most of a kernel.
BULK=(gpu net media iio staging infiniband scsi usb hid input isdn mtd sound)

# depends PACKAGE: print the packages on which it depends.
depends()
{
	apt-cache depends "$1" 2>/dev/null | sed -n 's/^[ |]*Depends: //p'
}

# find_release: print the release of the packages with this name.
find_release()
{
	local meta release

	for meta in "linux-image-$VERSION$FLAVOUR-$ARCH" \
		"linux-image$FLAVOUR-$ARCH"; do
		release=$(depends "$meta" |
			sed -n "s/^linux-image-\(${VERSION//./\\.}[.+-].*\)$/\1/p" |
			head -n 1)
		[[ -z $release ]] || break
	done
	printf '%s\n' "$release"
}

# packages RELEASE: print its packages.  Headers come in parts.
packages()
{
	printf '%s\n' "linux-image-$1" "linux-headers-$1"
	depends "linux-headers-$1" | grep -E '^linux-(headers|kbuild)-'
}

# unpack RELEASE ROOT: download the packages to the current folder, and unpack them.
unpack()
{
	local package release=$1 root=$2
	local -a skip=(--exclude='./usr/share/doc' --exclude='./usr/lib/debug')

	for package in "${BULK[@]}"; do
		skip+=(--exclude="*/kernel/drivers/$package")
	done
	# As in Debian, lib is a link to usr/lib.
	mkdir -p "$root/usr/lib"
	ln -s usr/lib "$root/lib"
	mapfile -t packages < <(packages "$release")
	apt-get -q -o APT::Sandbox::User=root download "${packages[@]}"
	for package in *.deb; do
		dpkg-deb --fsys-tarfile "$package" |
			tar -x -C "$root" --keep-directory-symlink \
				--no-same-owner "${skip[@]}"
	done
	depmod -b "$root" "$release"
	# The headers' Makefile has absolute paths.
	sed -i "s| /usr/src/| $DIR/usr/src/|" \
		"$root/usr/src/linux-headers-$release/Makefile"
	chmod 755 "$root"
}

RELEASE=$(find_release)
if [[ -z $RELEASE ]]; then
	warn "apt offers no kernel $NAME here"
	exit 3
fi
PACKAGE_VERSION=$(apt-cache show "linux-image-$RELEASE" |
	sed -n 's/^Version: //p' | head -n 1)
DIR=$CACHE/kernel-$RELEASE-${PACKAGE_VERSION//[:~]/_}

if [[ ! -d $DIR ]]; then
	printf '== Unpacking kernel %s (once, about 1 minute)\n' "$RELEASE" >&2
	mkdir -p "$CACHE"
	new=$(mktemp -d -p "$CACHE")
	trap 'rm -rf "$new"' EXIT
	trap 'exit 130' INT TERM HUP
	mkdir "$new/debs" "$new/root"
	(cd "$new/debs" && unpack "$RELEASE" "$new/root") \
		> "$CACHE/kernel-$NAME.log" 2>&1 || {
		tail -n 5 "$CACHE/kernel-$NAME.log" >&2
		die "kernel $NAME cannot be unpacked: see $CACHE/kernel-$NAME.log"
	}
	# Another run may have done the same; the first one wins.
	mv -T "$new/root" "$DIR" 2>/dev/null || [[ -d $DIR ]]
fi
printf '%s\n' "$DIR"
