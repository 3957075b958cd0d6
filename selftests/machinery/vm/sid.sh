#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# Print the folder of a minimal Debian sid, for packages that no release has yet.
#
#	sid.sh NAME COMMAND [PACKAGE]...
#
# SUITE=	another release than sid
#
# It is set up once per NAME, with debootstrap, and kept in the cache as SUITE-NAME;
# remove the folder to have it set up again.  It counts as set up when COMMAND works
# there.  This needs root.
#
# The mirror is one of those that this machine's apt uses for Debian.

set -eu
. "$(dirname "$0")/lib.sh"

NAME=${1:?name}
COMMAND=${2:?command}
shift 2
PACKAGES=$*
PACKAGES=${PACKAGES// /,}
SUITE=${SUITE:-sid}
DIR=$CACHE/$SUITE-$NAME
LOG=$DIR.log

# Print the mirrors, from apt itself, since its sources have several formats.
mirrors()
{
	# shellcheck disable=SC2016
	apt-get indextargets --format '$(SITE)' 'Created-By: Packages' \
		'Origin: Debian' 'Label: Debian' 2>/dev/null | sort -u
}

# bootstrap FOLDER MIRROR: set the system up, in a mount namespace if possible.
bootstrap()
{
	local -a alone=()

	if unshare --mount true 2>/dev/null; then
		alone=(unshare --mount)
	fi
	"${alone[@]}" debootstrap --force-check-gpg --variant=minbase \
		${PACKAGES:+"--include=$PACKAGES"} "$SUITE" "$1" "$2" \
		>> "$LOG" 2>&1 &&
		chroot "$1" /bin/sh -c "$COMMAND" > /dev/null 2>> "$LOG"
}

set_up()
{
	local work new mirror

	((EUID == 0)) || die "only root can set Debian $SUITE up for $NAME"
	command -v debootstrap >/dev/null ||
		die 'debootstrap is not installed: run "make deps"'

	# Use apt's proxy, if it has one; debootstrap reads only the environment.
	if [[ -z ${http_proxy:-} ]]; then
		eval "$(apt-config shell http_proxy Acquire::http::Proxy)"
		export http_proxy
	fi

	# The mirrors come from apt's lists.
	[[ -n $(mirrors) ]] || apt-get update -q >&2 ||
		die 'apt-get update failed'
	[[ -n $(mirrors) ]] || die 'the sources of apt name no Debian mirror'

	printf '== Setting Debian %s up for %s (once, about 2 minutes)\n' \
		"$SUITE" "$NAME" >&2
	mkdir -p "$CACHE"
	work=$(mktemp -d -p "$CACHE")
	new=$work/system
	# shellcheck disable=SC2064
	trap "rm -rf --one-file-system '$work'" EXIT
	trap 'exit 130' INT TERM HUP
	: > "$LOG"
	chmod 755 "$work"
	for mirror in $(mirrors); do
		if bootstrap "$new" "$mirror"; then
			# Remove what is not needed any more.
			rm -rf "$new"/var/cache/apt/* "$new"/var/lib/apt/lists/* \
				"$new"/usr/share/{doc,man,locale}
			# Another run may have done the same; the first one wins.
			mv -T "$new" "$DIR" 2>/dev/null || [[ -d $DIR ]]
			return
		fi
		rm -rf --one-file-system "$new"
	done
	tail -n 5 "$LOG" >&2
	die "Debian $SUITE cannot be set up; all of the log: $LOG"
}

[[ -d $DIR ]] || set_up
printf '%s\n' "$DIR"
