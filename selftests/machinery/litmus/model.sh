#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# Print the folder that holds the memory model of the kernel (linux-kernel.cfg
# and what belongs to it).  It comes from Debian's linux-source package and is
# kept in the cache, a folder for each version.

set -eu
. "$(dirname "$0")/../vm/lib.sh"

# 6.12 if it is there, else the newest.  These names hold no blanks.
archive=$(printf '%s\n' /usr/src/linux-source-*.tar.xz | sort -V | tail -n 1)
if [[ -r /usr/src/linux-source-6.12.tar.xz ]]; then
	archive=/usr/src/linux-source-6.12.tar.xz
fi
[[ -r $archive ]] ||
	die 'no kernel source in /usr/src: run "make deps" (linux-source-6.12)'
name=${archive##*/}
name=${name%.tar.xz}
version=$(dpkg-query -W -f '${Version}' "$name" 2>/dev/null ||
	  stat -c %s-%Y "$archive")
dir=$CACHE/memory-model-${version//[:~]/_}

if [[ ! -d $dir ]]; then
	printf '== Unpacking the memory model of %s (once, about 20 s)\n' \
		"$archive" >&2
	mkdir -p "$CACHE"
	new=$(mktemp -d -p "$CACHE")
	trap 'rm -rf "$new"' EXIT
	tar -x -J -f "$archive" -C "$new" --strip-components=3 --wildcards \
		--no-same-owner "$name/tools/memory-model/linux-kernel.*" \
		"$name/tools/memory-model/lock.cat" ||
		die "$archive does not hold the memory model"
	chmod 755 "$new"
	# Whoever is first wins: another run may have done the same.
	mv -T "$new" "$dir" 2>/dev/null || [[ -d $dir ]]
fi
printf '%s\n' "$dir"
