#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# Which lines and branches of the module do the tests reach, in userspace and in
# a kernel that counts, together?
#
#	coverage.sh [VM OPTION]...	options as of vm.sh
#
# TEST_DIR=, BIN_DIR=, TESTS=, LOCK=	as in check.sh
# COVERAGE_OUT=	folder for the module and the tracefiles
#
# report.sh makes the report.  Fails when a test fails, or when fewer than MINIMUM
# percent of the lines are reached.

set -u
COVERAGE_DIR=$(cd "$(dirname "$0")" && pwd)
. "$COVERAGE_DIR/../vm/lib.sh"

MINIMUM=90
TEST_DIR=${TEST_DIR:?folder of the tests}
OUT=${COVERAGE_OUT:-$TOP_DIR/build/coverage}
LOG_ROOT=$TOP_DIR/build/log

say 'The core in userspace'
make -C "$COVERAGE_DIR/../native" coverage > "$OUT.native" 2>&1 || {
	tail -n 20 "$OUT.native"
	exit 1
}
rm -rf "$OUT/data"
mkdir -p "$OUT/data"
mv "$OUT.native" "$OUT/native.log"
cp "$COVERAGE_DIR/../native/build/coverage.info" "$OUT/native.info"

KERNEL_KDIR=$("$COVERAGE_DIR/../debug/kernel.sh" gcov) || exit
export KERNEL_KDIR KERNEL=$KERNEL_KDIR/bzImage MODULES=none
say 'Building kmap.ko for the kernel that counts'
"$VM_DIR/module.sh" "$OUT/kernel" GCOV_PROFILE=y > "$OUT/module.log" 2>&1 || {
	cat "$OUT/module.log"
	exit 1
}

# All tests run in one guest; gcov.sh, which prints all counts, is the last.
cp "$COVERAGE_DIR/gcov.sh" "$TEST_DIR/"
TESTS=${TESTS:-$(sed -s 's/^[^:]*://' "$TEST_DIR"/kselftest-list.txt \
	"$TEST_DIR"/kselftest-list-debug.txt 2>/dev/null)}
# The tests are shortened: repetitions reach no further lines.
TESTS+=$'\ngcov.sh' JOBS=1 KMAP_KO=$OUT/kernel/kmap.ko \
	"$VM_DIR/check.sh" -m 3G -K rcupdate.rcu_expedited=1 -K KT_LESS=8 \
	-K HAMMER_SECONDS=1 -K HISTORY_OPS=30000 "$@" || exit

# Another run in this clone may have the latest log.  The last line about each file
# has the counts of all lock modes.
DETAIL=$(grep -l '^# gcda ' "$LOG_ROOT"/*/0/detail | tail -n 1)
awk '$1 == "#" && $2 == "gcda" { data[$3] = $4 }
     END { for (file in data) print file, data[file] }' \
	"$DETAIL" |
while read -r file data; do
	base64 -d <<< "$data" > "$OUT/kernel/module/$file"
done
lcov --quiet --capture --rc lcov_branch_coverage=1 \
	--directory "$OUT/kernel/module" --output-file "$OUT/kernel.info" \
	> "$OUT/lcov.log" 2>&1 || {
	cat "$OUT/lcov.log"
	exit 1
}

say 'Lines and branches that were reached'
"$COVERAGE_DIR/report.sh" "$OUT/native.info" "$OUT/kernel.info" |
	tee "$OUT/report"
awk -v minimum="$MINIMUM" '
$1 == "all" {
	split($2, lines, "/")
	if (100 * lines[1] >= minimum * lines[2])
		good = 1
}
END { exit !good }' "$OUT/report" || die "below $MINIMUM % of the lines"
