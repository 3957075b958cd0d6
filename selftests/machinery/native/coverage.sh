#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# What the programs reached of the module's files.
#
#	coverage.sh BUILD PROGRAM...	after they ran
#
# Leaves BUILD/coverage.info, and prints what report.sh says of it.

set -u
BUILD=${1:?folder}
shift
DATA=$BUILD/coverage.profdata
OBJECTS=("$1")
for program in "${@:2}"; do
	OBJECTS+=(-object "$program")
done

llvm-profdata merge -o "$DATA" "$BUILD"/profile/*.profraw || exit
llvm-cov export -format=lcov -instr-profile="$DATA" "${OBJECTS[@]}" \
	2>/dev/null > "$BUILD/coverage.info" || exit
"$(dirname "$0")/../coverage/report.sh" "$BUILD/coverage.info"
