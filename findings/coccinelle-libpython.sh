#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# Debian 13's coccinelle is built with Python, and depends on the interpreter; but
# what it loads is the library, libpython3.13.so, which is in a package that it
# neither depends on nor recommends.  On a system where nothing else has brought that,
# spatch fails on any semantic patch with a "script:python" rule, as most of the
# kernel's own have.
#
# Where it is met: "make style", on a minimal system.  packages.txt names libpython.
#
# Only root can (debootstrap, chroot).  MIRROR= is where Debian is taken from, if that
# is not where debootstrap takes it from.

set -u

RELEASE=trixie
COCCINELLE=1.3.0.deb-1+b2
LIBPYTHON=libpython3.13
MIRROR=${MIRROR:-}

give_up()
{
	printf '%s: %s\n' "${0##*/}" "$*" >&2
	exit 2
}

((EUID == 0)) || give_up 'only root can'
command -v debootstrap > /dev/null || give_up 'debootstrap is not installed'
WORK=$(mktemp -d)
trap 'rm -rf --one-file-system "$WORK"' EXIT
trap 'exit 130' INT TERM HUP
chmod 755 "$WORK"
ROOT=$WORK/root

# enter COMMAND...: run it there.
enter()
{
	# shellcheck disable=SC2016
	unshare --mount --pid --fork --kill-child /bin/sh -c \
		'mount -t proc proc "$0/proc" && exec chroot "$0" "$@"' "$ROOT" \
		/usr/bin/env -i PATH=/usr/sbin:/usr/bin:/sbin:/bin LC_ALL=C.UTF-8 HOME=/root \
		DEBIAN_FRONTEND=noninteractive http_proxy="${http_proxy:-}" "$@"
}

# get PACKAGE...: install it and what it depends on.
get()
{
	enter apt-get -q -y --no-install-recommends install "$@" \
		> "$WORK/log" 2>&1 && return
	tail -n 5 "$WORK/log" >&2
	give_up "cannot install $*"
}

# try: run the semantic patch; output in WORK/out, status in STATUS.
try()
{
	enter spatch -D report --very-quiet --cocci-file /tmp/calls.cocci \
		/tmp/calls.c > "$WORK/out" 2>&1
	STATUS=$?
	printf '\n$ spatch -D report --very-quiet --cocci-file calls.cocci calls.c\n'
	cut -c 1-160 "$WORK/out"
	printf 'status %d\n' "$STATUS"
}

unshare --mount debootstrap --variant=minbase "$RELEASE" "$ROOT" ${MIRROR:+"$MIRROR"} \
	> "$WORK/log" 2>&1 || {
	tail -n 5 "$WORK/log" >&2
	give_up "cannot set Debian $RELEASE up"
}
cat /etc/resolv.conf > "$ROOT/etc/resolv.conf"
enter apt-get -q update > "$WORK/log" 2>&1 || give_up 'apt-get update failed'
get "coccinelle=$COCCINELLE"

cat > "$ROOT/tmp/calls.c" <<'END'
int twice(int number)
{
	return number + add(number);
}
END
cat > "$ROOT/tmp/calls.cocci" <<'END'
virtual report

@call depends on report@
expression E;
position p;
@@
add@p(E)

@script:python depends on report@
p << call.p;
@@
coccilib.report.print_report(p[0], "a call of add")
END

# The format is dpkg-query's.
# shellcheck disable=SC2016
enter dpkg-query -W -f '${Package} ${Version}: depends on ${Depends}\n' coccinelle
# shellcheck disable=SC2016
enter dpkg-query -W -f '${db:Status-Abbrev}${Package} ${Version}\n' 'libpython*' |
	sed -n 's/^ii //p'
for file in calls.c calls.cocci; do
	printf '\n%s:\n' "$file"
	sed 's/^/    /' "$ROOT/tmp/$file"
done

try
if [[ $STATUS == 0 ]] || ! grep -q 'unable to find the Python library' "$WORK/out"; then
	printf '\nchanged: it does without %s\n' "$LIBPYTHON"
	exit 1
fi
get "$LIBPYTHON"
printf '\n%s installed\n' "$LIBPYTHON"
try
if [[ $STATUS != 0 ]] || ! grep -q 'calls\.c:.*a call of add' "$WORK/out"; then
	printf '\nchanged: %s does not help\n' "$LIBPYTHON"
	exit 1
fi
printf '\nas described\n'
