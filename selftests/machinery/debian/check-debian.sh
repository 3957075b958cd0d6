#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# Does a clone work on a system where nothing is installed?  Sets minimal systems of
# Debian up in folders, copies the repository into each, installs what the README asks
# for, and makes "demo", "check" and "style" there.  This needs root.
#
# RELEASES='trixie'	only these (default: all in KNOWN below)
# STEPS='demo style'	only these targets (default: demo check style)
# TESTS=, LOCK=		narrow "make check", as in check.sh
# KEEP=1		leave the folders; their names are printed
#
# The minimal systems and downloaded packages stay in the cache.  A target on a release
# counts as one test; the last line is "N passed, N failed, N skipped".

set -u
. "$(dirname "$0")/../vm/lib.sh"

KNOWN='bookworm trixie'
RELEASES=${RELEASES:-$KNOWN}
STEPS=${STEPS:-demo check style}
# What the README asks for.  A clone needs git, too, but this is a copy.
PREREQUISITES=(make)
LOGS=$TOP_DIR/build/debian

for release in $RELEASES; do
	[[ " $KNOWN " == *" $release "* ]] ||
		die "RELEASES=$release: not known, only $KNOWN"
done
for step in $STEPS; do
	case $step in
	demo|check|style)	;;
	*)	die "STEPS=$step: not known, only demo check style" ;;
	esac
done
((EUID == 0)) || die 'only root can set a Debian up'

mkdir -p "$CACHE" "$LOGS"
WORK=$(mktemp -d -p "$CACHE")
chmod 755 "$WORK"
if [[ ${KEEP:-0} != 1 ]]; then
	# Mounts are in a name space of their own, and end with it.
	trap 'rm -rf --one-file-system "$WORK"' EXIT
fi
trap 'exit 130' INT TERM HUP

# enter ROOT COMMAND [ARGUMENT]...: run it there, with the packages of earlier runs, in
# name spaces of mounts and processes that end with it.
enter()
{
	local root=$1

	shift
	# shellcheck disable=SC2016
	unshare --mount --pid --fork --kill-child /bin/sh -c '
		root=$0 debs=$1
		shift
		mount -t proc proc "$root/proc" &&
		mount --rbind /dev "$root/dev" &&
		mount --rbind /sys "$root/sys" &&
		mount --bind "$debs" "$root/var/cache/apt/archives" &&
		exec chroot "$root" "$@"' "$root" "$CACHE/debian-debs" \
		/usr/bin/env -i HOME=/root LC_ALL=C.UTF-8 \
		DEBIAN_FRONTEND=noninteractive http_proxy="${http_proxy:-}" \
		PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin \
		"$@" < /dev/null
}

# sources RELEASE: print its sources, on the mirrors of this machine's apt.
sources()
{
	# shellcheck disable=SC2016
	apt-get indextargets --format '$(LABEL) $(SITE)' \
		'Created-By: Packages' 'Origin: Debian' | sort -u |
	while read -r label site; do
		case $label in
		Debian)
			printf 'deb %s %s main\n' "$site" "$1" "$site" \
				"$1-updates"
			;;
		Debian-Security)
			printf 'deb %s %s main\n' "$site" "$1-security"
			;;
		esac
	done
}

# copy DIR: copy the repository, without what was built.
copy()
{
	mkdir -p "$1"
	if git -C "$TOP_DIR" rev-parse --git-dir > /dev/null 2>&1; then
		git -C "$TOP_DIR" ls-files -z --cached --others \
			--exclude-standard |
			while IFS= read -r -d '' file; do
				[[ ! -e $TOP_DIR/$file ]] ||
					printf '%s\0' "$file"
			done
	else
		(cd "$TOP_DIR" && find . -name build -prune -o -type f -print0)
	fi | tar -c -C "$TOP_DIR" --null -T - | tar -x -C "$1" --no-same-owner
}

# set_up RELEASE ROOT: make a system with a clone, and what the README asks for.
set_up()
{
	local minimal

	minimal=$(SUITE=$1 "$VM_DIR/sid.sh" minimal true) || return
	cp -a "$minimal" "$2" || return
	cat /etc/resolv.conf > "$2/etc/resolv.conf"
	# Packages must not start services.
	printf '#!/bin/sh\nexit 101\n' > "$2/usr/sbin/policy-rc.d"
	chmod 755 "$2/usr/sbin/policy-rc.d"
	sources "$1" > "$2/etc/apt/sources.list"
	# A mirror that is out of date suffices.
	printf 'Acquire::Check-Valid-Until "false";\n' \
		> "$2/etc/apt/apt.conf.d/check-debian"
	mkdir -p "$CACHE/debian-debs/partial" "$2/var/cache/apt/archives"
	copy "$2/srv/kmap" || return
	enter "$2" apt-get -q update &&
		enter "$2" apt-get -q -y --no-install-recommends install \
			"${PREREQUISITES[@]}"
}

PASSED=0 FAILED=0 SUMMARY=''

# count RELEASE STEP STATUS BEGUN
count()
{
	local result=ok

	if (($3 == 0)); then
		((++PASSED))
	else
		((++FAILED))
		result=FAIL
	fi
	SUMMARY+=$(printf '%-4s  %-10s %-6s (%d s)' "$result" "$1" "$2" \
		$((SECONDS - $4)))$'\n'
}

for release in $RELEASES; do
	root=$WORK/$release
	begun=$SECONDS
	say "A minimal Debian $release"
	if ! set_up "$release" "$root" > "$LOGS/$release-set-up.log" 2>&1; then
		tail -n 20 "$LOGS/$release-set-up.log"
		count "$release" set-up 1 "$begun"
		continue
	fi
	[[ ${KEEP:-0} != 1 ]] || printf '%s\n' "$root"
	for step in $STEPS; do
		arguments=()
		if [[ $step == check ]]; then
			arguments+=(TESTS="${TESTS:-}" LOCK="${LOCK:-}")
		fi
		begun=$SECONDS
		say "make $step, on $release"
		enter "$root" make -C /srv/kmap "$step" "${arguments[@]}" 2>&1 |
			tee "$LOGS/$release-$step.log"
		status=${PIPESTATUS[0]}
		((status < 128)) || exit "$status"
		count "$release" "$step" "$status" "$begun"
	done
	[[ ${KEEP:-0} == 1 ]] || rm -rf --one-file-system "$root"
done

say 'Summary of the releases'
printf '%s%d passed, %d failed, 0 skipped\n' "$SUMMARY" "$PASSED" "$FAILED"
((PASSED > 0 && FAILED == 0))
