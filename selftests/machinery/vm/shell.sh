#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# A shell in the guest, with the module loaded and kmap on the PATH.
#
#	shell.sh [VM OPTION]...		options as of vm.sh
#
# LOCK=		lock mode (default: the module's)
# PARAMS=	more parameters for the module
# CMD=		a command to run instead of the shell
# KMAP_KO=, BIN_DIR=, TEST_DIR=		as in check.sh; the last may be missing

set -u
. "$(dirname "$0")/lib.sh"

WORK=$(mktemp -d)
trap 'rm -rf "$WORK"' EXIT

cat > "$WORK/load" <<-END
	# modprobe looks for the module there; "kmap advise --reload" needs that.
	mkdir -p "/lib/modules/\$(uname -r)/updates"
	ln -s /kmap/kmap.ko "/lib/modules/\$(uname -r)/updates/"
	depmod 2>/dev/null
	insmod /kmap/kmap.ko ${LOCK:+lock=$LOCK} ${PARAMS:-}
END
cat > "$WORK/bashrc" <<-'END'
	PS1='\[\e[1;32m\]kmap\[\e[0m\]:\[\e[1;34m\]\w\[\e[0m\]\$ '
	alias ls='ls --color=auto' ll='ls -l'
	PATH=$PATH:/kmap/tests
	printf 'kmap is loaded (lock=%s). Try: kmap info\n' \
		"$(cat /sys/module/kmap/parameters/lock)"
	printf 'The programs are in /kmap; "exit" powers the guest off.\n'
END

ARGS=(-a "$KMAP_KO:/kmap/kmap.ko" -a "$BIN_DIR:/kmap/bin"
      -a "$WORK/load:/etc/load" -a "$WORK/bashrc:/etc/bashrc")
[[ ! -d ${TEST_DIR:-} ]] || ARGS+=(-a "$TEST_DIR:/kmap/tests")

if [[ -n ${CMD:-} ]]; then
	"$VM_DIR/vm.sh" "${ARGS[@]}" "$@" -- \
		bash -c "bash /etc/load && $CMD"
else
	say 'Starting the guest'
	"$VM_DIR/vm.sh" "${ARGS[@]}" -t 1000000 "$@" --shell bash /etc/load
fi
