#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# Install kmap.ko, as the kernel's build system does it, and have depmod know it.
#
#	install-module.sh KDIR DESTDIR
#
# Debian's headers come without the System.map that the build system's own depmod
# wants; that it complains of that is no news.

set -eu
. "$(dirname "$0")/lib.sh"

KDIR=${1:?headers} DESTDIR=${2:-}
LOG=$(mktemp)
trap 'rm -f "$LOG"' EXIT
RELEASE=$(cat "$KDIR/include/config/kernel.release")

# Signing would want the key that the kernel was signed with.
STATUS=0
make -C "$KDIR" M="$TOP_DIR" CONFIG_MODULE_SIG_ALL= INSTALL_MOD_PATH="$DESTDIR" \
	DEPMOD=true modules_install > "$LOG" 2>&1 || STATUS=$?
grep -v "missing 'System\.map' file" "$LOG" || true
((STATUS == 0)) || exit "$STATUS"
if [[ -z $DESTDIR ]]; then
	depmod "$RELEASE"
	[[ $RELEASE == "$(uname -r)" ]] ||
		say "The module is for kernel $RELEASE; this one is $(uname -r)"
fi
