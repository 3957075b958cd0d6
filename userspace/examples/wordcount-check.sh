#!/bin/sh
# SPDX-License-Identifier: MIT
#
# Count the words of files with wordcount, count them again with coreutils, and
# compare.
#
#	wordcount-check.sh [-p processes] [-t threads] [-1] file ...
#
# Prints a summary of both results, the rate, and the verdict.  Exit status: 0 when
# the results are equal, 1 when they differ, 2 when there is no result.

set -u
LC_ALL=C
export LC_ALL

here=$(dirname "$0")
PATH=$here:$here/../build/examples:$PATH

usage() {
	echo "usage: wordcount-check.sh [-p processes] [-t threads] [-1] file ..." >&2
	exit 2
}

options=
while getopts p:t:1 opt; do
	case $opt in
	p | t) options="$options -$opt $OPTARG" ;;
	1) options="$options -1" ;;
	*) usage ;;
	esac
done
shift $((OPTIND - 1))
[ $# -gt 0 ] || usage

work=$(mktemp -d) || exit 2
trap 'rm -rf "$work"' EXIT
trap 'exit 2' HUP INT TERM

# A word does not continue in the next file: a newline follows each file.  Only the
# letters of ASCII count, so they are spelt out.
# shellcheck disable=SC2018,SC2019
for file; do
	cat -- "$file" || exit 2
	echo
done | tr 'A-Z' 'a-z' | tr -cs 'a-z' '\n' | sed '/^$/d' >"$work/words"
sort "$work/words" | uniq -c | sed 's/^ *//' >"$work/coreutils"

# The options are to be split.
# shellcheck disable=SC2086
wordcount $options -- "$@" >"$work/kmap" 2>"$work/errors"
status=$?
cat "$work/errors"
if [ $status -ne 0 ]; then
	echo "verdict: none, wordcount failed with status $status"
	exit 2
fi
echo "coreutils: $(wc -l <"$work/words") words," \
     "$(wc -l <"$work/coreutils") distinct"

if [ ! -s "$work/coreutils" ]; then
	echo "verdict: none, there are no words in these files"
	exit 2
fi
if ! cmp -s "$work/coreutils" "$work/kmap"; then
	echo "verdict: DIFFERENT (< coreutils, > wordcount)"
	diff "$work/coreutils" "$work/kmap" | head -n 20
	exit 1
fi
echo "verdict: equal"
