# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=bash
#
# What every script shares: the top folder, the cache, messages.  To be sourced by
# bash.
#
# Not every script uses all of it:
# shellcheck disable=SC2034

SCRIPTS_DIR=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
TOP_DIR=$(cd "$SCRIPTS_DIR/../.." && pwd)

# Tools of the system's administrator are used, without being one.
PATH=$PATH:/usr/sbin:/sbin

# Where things that are costly to make live, outside the clone.
CACHE=${XDG_CACHE_HOME:-$HOME/.cache}/kmap

if [[ -t 1 ]]; then
	BOLD=$'\e[1m' RED=$'\e[31m' GREEN=$'\e[32m' PLAIN=$'\e[0m'
else
	BOLD='' RED='' GREEN='' PLAIN=''
fi

# say WORDS...: what is being done now.
say()
{
	printf '%s== %s%s\n' "$BOLD" "$*" "$PLAIN"
}

warn()
{
	printf '%s: %s\n' "${0##*/}" "$*" >&2
}

die()
{
	warn "$*"
	exit 2
}

good()
{
	printf '%s%s%s\n' "$GREEN" "$*" "$PLAIN"
}

bad()
{
	printf '%s%s%s\n' "$RED" "$*" "$PLAIN"
}
