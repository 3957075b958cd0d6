#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# The example programs, each as a test: this makes texts whose words are counted,
# and run-tests.sh, which is installed beside the programs, does the rest.

if ! command -v run-tests.sh >/dev/null; then
	echo "1..0 # SKIP the example programs are not on the PATH"
	exit 4
fi

work=$(mktemp -d) || exit 1
trap 'rm -rf "$work"' EXIT

# As in a real text, some words are frequent and most are rare.
words=$((30000 / ${KT_LESS:-1}))
for part in 1 2 3; do
	awk -v seed="$part" -v words="$words" 'BEGIN {
		srand(seed)
		for (i = 1; i <= words; i++) {
			n = int(rand() * rand() * rand() * 9000)
			printf "%s%s%d", rand() < 0.1 ? "The" : "word",
				n % 3 ? "" : "s", n
			printf "%s", i % 11 ? " " : ".\n"
		}
	}' > "$work/text$part"
done

# A power of two.
sessions=64
while ((sessions * ${KT_LESS:-1} > 64)); do
	((sessions /= 2))
done

SESSIONS=$sessions WORDCOUNT_FILES="$work/text1 $work/text2 $work/text3" run-tests.sh
