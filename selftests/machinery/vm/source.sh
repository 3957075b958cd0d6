#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# Print the folder with the parts of the kernel's source that the demo and the style
# checks use: Documentation (text to count), checkpatch.pl and other scripts.  They are
# from Debian's linux-source package, and are kept in the cache, one folder per
# version.

set -eu
. "$(dirname "$0")/lib.sh"

# Linux-source packages only: their names hold no blanks.
archive=$(printf '%s\n' /usr/src/linux-source-*.tar.xz | sort -V | tail -n 1)
[[ -r $archive ]] ||
	die 'no kernel source in /usr/src: run "make deps" (linux-source-6.12)'
name=${archive##*/}
name=${name%.tar.xz}
version=$(dpkg-query -W -f '${Version}' "$name" 2>/dev/null ||
	  stat -c %s-%Y "$archive")
dir=$CACHE/source-${version//[:~]/_}

if [[ ! -d $dir ]]; then
	printf '== Unpacking parts of %s (once, about 20 s)\n' "$archive" >&2
	mkdir -p "$CACHE"
	new=$(mktemp -d -p "$CACHE")
	trap 'rm -rf "$new"' EXIT
	tar -x -J -f "$archive" -C "$new" --strip-components=1 --wildcards \
		--no-same-owner "$name/scripts/checkpatch.pl" \
		"$name/scripts/spelling.txt" \
		"$name/scripts/const_structs.checkpatch" \
		"$name/scripts/kernel-doc" "$name/scripts/coccinelle" \
		"$name/Documentation/*.rst"
	chmod 755 "$new"
	# Another run may have done the same; the first one wins.
	mv -T "$new" "$dir" 2>/dev/null || [[ -d $dir ]]
fi
printf '%s\n' "$dir"
