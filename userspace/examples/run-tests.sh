#!/bin/bash
# SPDX-License-Identifier: MIT
#
# Run every example as a test, against the module that is loaded.  TAP on stdout.
#
# WORDCOUNT_FILES names the files whose words are counted, instead of all files
# below /kmap/corpus.  SESSIONS is the number of sessions that each client of
# session-cache's selftest creates.
# Exit status: 0 when all passed, 1 when one failed, 4 when there is no device.

set -u
here=$(cd "$(dirname "$0")" && pwd)
PATH=$here:$here/../build/examples:$PATH

device=${KMAP_DEVICE:-/dev/kmap}
if [ ! -c "$device" ]; then
	echo "TAP version 13"
	echo "1..0 # SKIP there is no $device"
	exit 4
fi

work=$(mktemp -d) || exit 1
server=
finish() {
	[ -z "$server" ] || kill "$server" 2>/dev/null
	rm -rf "$work"
}
trap finish EXIT

number=0
failed=0

# test_case NAME COMMAND...: run it; what it prints goes into the report.
test_case() {
	local name=$1 status
	shift

	number=$((number + 1))
	"$@" >"$work/log" 2>&1
	status=$?
	sed 's/^/# /' "$work/log"
	if [ $status -eq 0 ]; then
		echo "ok $number $name"
	else
		echo "not ok $number $name # status $status"
		failed=$((failed + 1))
	fi
}

# expect STATUS OUTPUT COMMAND...: does it exit with STATUS, and print OUTPUT?
expect() {
	local status=$1 output=$2 real
	shift 2

	real=$("$@" 2>&1)
	set -- $? "$*"
	if [ "$1" -ne "$status" ] || [ "$real" != "$output" ]; then
		echo "$2: status $1 instead of $status, and it said: $real"
		return 1
	fi
}

corpus() {
	if [ -n "${WORDCOUNT_FILES:-}" ]; then
		# It is a list of files.
		# shellcheck disable=SC2086
		printf '%s\n' $WORDCOUNT_FILES
	else
		find /kmap/corpus -type f | sort
	fi
}

count_corpus() {
	local files

	mapfile -t files < <(corpus)
	if [ ${#files[@]} -eq 0 ]; then
		echo "no files to count the words of"
		return 1
	fi
	wordcount-check.sh "$@" "${files[@]}"
}

count_one_by_one() {
	corpus | while read -r file; do cat -- "$file"; done |
		head -c 500000 >"$work/sample"
	wordcount-check.sh -1 -p 2 -t 3 "$work/sample"
}

# Words of about the longest key's length, and longer ones, which the ends of pieces
# and files cut.
count_long_words() {
	local i

	for i in 1 2 3 4 5 6; do
		head -c $((900 + 40 * i)) /dev/zero | tr '\0' A
		printf '\n'
		head -c 60000 /dev/zero | tr '\0' "$((i % 2))" | tr 01 zZ
		printf -- '-short-'
	done >"$work/long"
	printf 'end' >>"$work/long"
	wordcount-check.sh -p 3 -t 2 "$work/long" "$work/long"
}

# Nothing is counted when a file cannot be read.
refuse_missing_file() {
	echo "one two two" >"$work/few"
	expect 2 "wordcount: $work/absent: No such file or directory" \
		wordcount "$work/few" "$work/absent"
}

# A run adds to numbers that were kept, and leaves other prefixes alone.
count_again() {
	echo "one two two" >"$work/few"
	expect 0 $'1 one\n2 two' quiet wordcount -k -x "a.$$:" "$work/few" &&
	expect 0 $'2 one\n4 two' quiet wordcount -k -x "a.$$:" "$work/few" &&
	expect 0 $'1 one\n2 two' quiet wordcount -x "b.$$:" "$work/few" &&
	expect 0 $'3 one\n6 two' quiet wordcount -x "a.$$:" "$work/few" &&
	expect 0 $'1 one\n2 two' quiet wordcount -x "a.$$:" "$work/few"
}

quiet() {
	"$@" 2>/dev/null
}

serve_sessions() {
	local socket=$work/socket answer id tries=0 status

	session-cache -w 3 "$socket" &
	server=$!
	while [ ! -S "$socket" ] && kill -0 "$server"; do
		sleep 0.1
		tries=$((tries + 1))
		[ $tries -lt 6000 ] || return 1
	done
	answer=$(session-cache -r "$socket" NEW alice) || return 1
	id=${answer#OK }
	expect 0 "OK 0 alice" session-cache -r "$socket" GET "$id" &&
	expect 0 "OK 1 alice" session-cache -r "$socket" HIT "$id" &&
	expect 0 "OK 2 alice" session-cache -r "$socket" HIT "$id" &&
	expect 0 "OK 2 alice" session-cache -r "$socket" END "$id" &&
	expect 1 "NO no such session" session-cache -r "$socket" GET "$id" &&
	expect 1 "NO not a request" session-cache -r "$socket" PUT "$id" ||
		return 1
	kill "$server"
	wait "$server"
	status=$?
	server=
	return $status
}

limit_requests() {
	local i

	for i in 1 2 3; do
		expect 0 "pass $i of 3" rate-limit -l 3 -w 1000000 "alice.$$" ||
			return 1
	done
	expect 1 stop rate-limit -l 3 -w 1000000 "alice.$$" &&
	expect 0 "pass 1 of 3" rate-limit -l 3 -w 1000000 "bob.$$"
}

manual_example() {
	local list="fruit: apple pear " first

	first=$(libkmap-example) || return 1
	first=${first%%$'\n'*}
	first=${first#visit }
	expect 0 "visit $((first + 1))"$'\n'"$list" libkmap-example
}

echo "TAP version 13"
echo "1..10"
test_case "wordcount equals coreutils" count_corpus -p 4 -t 2
test_case "wordcount, one call per word" count_one_by_one
test_case "wordcount, words longer than a key" count_long_words
test_case "wordcount refuses a missing file" refuse_missing_file
test_case "wordcount keeps and adds" count_again
test_case "session-cache loses and doubles nothing" session-cache --selftest "${SESSIONS:-64}"
test_case "session-cache serves" serve_sessions
test_case "rate-limit passes exactly the limit" rate-limit --selftest
test_case "rate-limit as a command" limit_requests
test_case "the example in libkmap(3)" manual_example
echo "# $((number - failed)) of $number passed"
[ $failed -eq 0 ]
