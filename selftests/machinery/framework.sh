#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
#
# Prints the directory of the kselftest framework (lib.mk, kselftest.h,
# kselftest_harness.h, kselftest/), for tests that are built outside a kernel
# tree.  The files come from Debian's linux-source package and are kept in a
# cache, one directory for each version of the package.
#
#	KMAP_LINUX_SOURCE	the archive to take (default: the newest
#				/usr/src/linux-source-*.tar.*)
#	XDG_CACHE_HOME		where the cache is (default: ~/.cache)

set -eu

fail()
{
	echo "framework.sh: $*" >&2
	exit 1
}

archive=${KMAP_LINUX_SOURCE:-}
if [ -z "$archive" ]; then
	# Names hold no blanks; sort by version, not by letter.
	# shellcheck disable=SC2012
	archive=$(ls /usr/src/linux-source-*.tar.* 2>/dev/null | sort -V | tail -n 1)
fi
[ -n "$archive" ] || fail "no kernel source: install Debian's linux-source package"
[ -r "$archive" ] || fail "cannot read $archive"

name=$(basename "$archive")
name=${name%.tar.*}
version=$(dpkg-query -W -f '${Version}' "$name" 2>/dev/null || true)
[ -n "$version" ] || version=$(stat -c '%s-%Y' "$archive")

# A colon would end a target in make.
version=$(echo "$version" | tr ':~' '__')

cache=${XDG_CACHE_HOME:-${HOME:?is not set, and neither is XDG_CACHE_HOME}/.cache}/kmap
dir=$cache/kselftest-$name-$version
selftests=tools/testing/selftests

if [ ! -d "$dir" ]; then
	echo "framework.sh: taking the kselftest framework from $archive" >&2
	mkdir -p "$cache"
	new=$(mktemp -d -p "$cache")
	trap 'rm -rf "$new"' EXIT
	tar -xf "$archive" -C "$new" --strip-components=1 --no-same-owner \
		"$name/$selftests/lib.mk" \
		"$name/$selftests/kselftest.h" \
		"$name/$selftests/kselftest_harness.h" \
		"$name/$selftests/run_kselftest.sh" \
		"$name/$selftests/kselftest" ||
		fail "$archive does not hold the framework"
	chmod 755 "$new"
	# Whoever is first wins: another build may have done the same.
	mv -T "$new" "$dir" 2>/dev/null || [ -d "$dir" ] || fail "cannot make $dir"
fi

echo "$dir/$selftests"
