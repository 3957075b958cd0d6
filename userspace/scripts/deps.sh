#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# Install what is missing of packages.txt.
#
#	deps.sh GROUP		install, if anything is missing
#	deps.sh --list GROUP	print the packages of a group
#
# Every group but "module" includes "build".  Says nothing when nothing is
# missing.

set -u
. "$(dirname "$0")/lib.sh"

LIST=$SCRIPTS_DIR/packages.txt

# packages GROUP: the entries of a group.
packages()
{
	awk -v group="$1" '
	/^#/ || !NF { next }
	group == "all" || group != "module" && $1 == "build" ||
	    index("," $1 ",", "," group ",") {
		print $2
	}' "$LIST"
}

installed()
{
	[[ $(dpkg-query -W -f '${db:Status-Status}' "$1" 2>/dev/null) == installed ]]
}

known()
{
	[[ -n $(apt-cache show "$1" 2>/dev/null) ]]
}

# satisfied ENTRY: its first name is installed, or another one where apt does
# not know the first.
satisfied()
{
	local name
	local -a names

	IFS='|' read -r -a names <<< "$1"
	installed "${names[0]}" && return
	for name in "${names[@]:1}"; do
		installed "$name" && ! known "${names[0]}" && return
	done
	return 1
}

# find_missing GROUP: fill MISSING with the entries that are not satisfied.
find_missing()
{
	local entry

	MISSING=()
	while IFS= read -r entry; do
		satisfied "$entry" || MISSING+=("$entry")
	done < <(packages "$1")
}

# choose ENTRY: the first alternative that can be installed.
choose()
{
	local name
	local -a names

	IFS='|' read -r -a names <<< "$1"
	for name in "${names[@]}"; do
		if known "$name"; then
			printf '%s\n' "$name"
			return
		fi
	done
	die "no package ${1//|/ or } in the package sources of this machine"
}

if [[ ${1:-} == --list ]]; then
	packages "${2:-all}"
	exit
fi
GROUP=${1:-all}
[[ -n $(packages "$GROUP") ]] || die "group $GROUP: not in packages.txt"

if ! command -v dpkg-query >/dev/null || ! command -v apt-get >/dev/null; then
	[[ $GROUP == build ]] && exit
	warn "not a Debian system, so nothing is installed; needed are:" \
		"$(packages "$GROUP" | tr '\n' ' ')"
	exit 0
fi

find_missing "$GROUP"
((${#MISSING[@]})) || exit 0

if ((EUID != 0)); then
	NAMES=()
	for entry in "${MISSING[@]}"; do
		# Without lists of packages, what it is called where we know of.
		NAMES+=("$(choose "$entry" 2>/dev/null || printf '%s\n' "${entry%%|*}")")
	done
	die "packages are missing; install them as root: apt-get install" \
		"${NAMES[*]}"
fi

# quietly COMMAND...: run apt-get, show how far it is on a terminal, and all that
# it said when it fails.
quietly()
{
	local log status

	log=$(mktemp)
	"$@" 2>&1 | tee "$log" |
	if [[ -t 1 ]]; then
		awk '/^(Get:|Unpacking |Setting up )/ {
			printf "\r\033[K%.70s", $0
			fflush()
		}
		END { printf "\r\033[K" }'
	else
		cat > /dev/null
	fi
	status=${PIPESTATUS[0]}
	((status == 0)) || cat "$log"
	rm -f "$log"
	return "$status"
}

say 'Packages are missing: reading the lists of packages'
export DEBIAN_FRONTEND=noninteractive
quietly apt-get update || die 'apt-get update failed'
NAMES=()
for entry in "${MISSING[@]}"; do
	name=$(choose "$entry") || exit
	NAMES+=("$name")
done
say "Installing what is missing: ${NAMES[*]}"
quietly apt-get install -q -y --no-install-recommends "${NAMES[@]}" ||
	die 'apt-get install failed'
find_missing "$GROUP"
((${#MISSING[@]} == 0)) || die "still missing: ${MISSING[*]}"
say 'Installed'
