#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# The demo: in each lock mode in turn, load the module in the guest, let several
# processes count the words of real text in the map, and compare with the counts of
# coreutils for the same files.
#
#	demo.sh [VM OPTION]...		options as of vm.sh
#
# CORPUS=	folder of text (default: parts of the kernel's documentation,
#		from Debian's linux-source package)
# LOCK=, KMAP_KO=, BIN_DIR=	as in check.sh

set -u
. "$(dirname "$0")/lib.sh"

KMAP_KO=${KMAP_KO:?the module}
BIN_DIR=${BIN_DIR:?folder of programs}
LOCK=${LOCK:-spinlock rwsem rcu}
WORK=$(mktemp -d)
trap 'rm -rf "$WORK"' EXIT
trap 'exit 130' INT TERM HUP

if [[ -z ${CORPUS:-} ]]; then
	SOURCE=$("$VM_DIR/source.sh") || exit
	CORPUS=$WORK/corpus
	for part in admin-guide core-api filesystems process; do
		mkdir -p "$CORPUS/$part"
		cp -r "$SOURCE/Documentation/$part" "$CORPUS/"
	done
fi
FILES=$(find "$CORPUS" -type f | wc -l)
BYTES=$(find "$CORPUS" -type f -exec cat {} + | wc -c)
((BYTES > 0)) || die "CORPUS=$CORPUS: no text there"

new_log

say "Booting $("$VM_DIR/kernel.sh" release) to count the words of $FILES files," \
	"$((BYTES / 1000)) kB"
# The list of modes is to be split.
# shellcheck disable=SC2086
"$VM_DIR/vm.sh" -l "$LOG" -a "$KMAP_KO:/kmap/kmap.ko" -a "$BIN_DIR:/kmap/bin" \
	-a "$CORPUS:/kmap/corpus" -a "$VM_DIR/guest-demo.sh:/kmap/demo.sh" \
	"$@" -- /kmap/demo.sh $LOCK
STATUS=$?

printf '\n'
say 'Summary'
RIGHT=0 ALL=0
for lock in $LOCK; do
	line=$(sed -n "s/^demo $lock //p" "$LOG/records")
	printf '  %-9s %s\n' "$lock" "${line:-did not run}"
	((++ALL))
	[[ $line != equal* ]] || ((++RIGHT))
done
if grep -q tcg "$LOG/accel" 2>/dev/null; then
	printf '  (rates of an emulated machine, QEMU TCG: a real one is several times faster)\n'
fi
if ((STATUS == 0 && RIGHT == ALL)); then
	good "kmap counted right in $RIGHT of $ALL lock modes."
	exit 0
fi
bad "kmap counted right in $RIGHT of $ALL lock modes."
exit 1
