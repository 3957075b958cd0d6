#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# Copy the programs for the guest's PATH to a folder: the kmap command, the examples,
# and their scripts.
#
#	programs.sh OUT
#
# USERSPACE_BUILD=	where userspace was built (default: userspace/build)

set -eu
. "$(dirname "$0")/lib.sh"

OUT=${1:?folder}
USERSPACE=$TOP_DIR/userspace
BUILD=${USERSPACE_BUILD:-$USERSPACE/build}

rm -rf "$OUT"
mkdir -p "$OUT"
for file in "$BUILD"/kmap "$BUILD"/examples/* \
	"$USERSPACE"/examples/*.sh; do
	if [[ -f $file && -x $file ]]; then
		cp -L "$file" "$OUT/"
	fi
done
