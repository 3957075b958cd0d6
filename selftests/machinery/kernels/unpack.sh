#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# Unpack packages of Debian sid into a folder that ../vm/sid.sh set up, without
# installing them: kernels, which would need an initramfs, and packages for other
# machines.
#
#	unpack.sh FOLDER MACHINE PACKAGE PATTERN [PACKAGE PATTERN]...
#
# Of PACKAGE and all packages on which it depends, those are unpacked whose whole names
# match PATTERN, an extended regular expression.  MACHINE is Debian's name for it.
# This needs root.

set -eu
. "$(dirname "$0")/../vm/lib.sh"

DIR=${1:?folder}
MACHINE=${2:?machine}
shift 2

# Drivers that no test needs, and that are most of a kernel.
SKIP=(--exclude='*/kernel/drivers/gpu' --exclude='*/kernel/drivers/media'
      --exclude='*/kernel/drivers/net' --exclude='*/kernel/sound')

# enter COMMAND...: run it in the folder.
enter()
{
	chroot "$DIR" /usr/bin/env -i PATH=/usr/sbin:/usr/bin:/sbin:/bin \
		http_proxy="${http_proxy:-}" "$@"
}

# names PACKAGE PATTERN: print the packages to unpack.  Names of another machine's
# packages end in a colon and the machine.
names()
{
	enter apt-cache depends --recurse --no-recommends --no-suggests \
		--no-conflicts --no-breaks --no-replaces --no-enhances \
		"$1:$MACHINE" | grep -x -E "($2)(:$MACHINE)?" | sort -u
}

if [[ -z ${http_proxy:-} ]]; then
	eval "$(apt-config shell http_proxy Acquire::http::Proxy)"
fi
# Use the host's current name servers.
cat /etc/resolv.conf > "$DIR/etc/resolv.conf"
DEBS=$(mktemp -d -p "$DIR/tmp")
trap 'rm -rf "$DEBS" "$DIR"/var/lib/apt/lists/*' EXIT
trap 'exit 130' INT TERM HUP

enter dpkg --add-architecture "$MACHINE"
# A mirror that is out of date suffices, as for debootstrap.
enter apt-get -q -o Acquire::Check-Valid-Until=false update
TAKE=()
while (($#)); do
	mapfile -t -O "${#TAKE[@]}" TAKE < <(names "$1" "$2")
	shift 2
done
((${#TAKE[@]})) || die "Debian sid has none of these packages for $MACHINE"
enter /bin/sh -c "cd ${DEBS#"$DIR"} &&
	apt-get -q -o APT::Sandbox::User=root download ${TAKE[*]}"
for package in "$DEBS"/*.deb; do
	dpkg-deb --fsys-tarfile "$package" |
		tar -x -C "$DIR" --keep-directory-symlink --no-same-owner \
			"${SKIP[@]}"
done
