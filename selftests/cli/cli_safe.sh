#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# The kmap command in scripts: values that look like options, prefixes of keys, old
# values to compare with, other users, and bytes from other people in messages.

# Functions are called through check; scripts for bash -c are expanded by that bash.
# shellcheck disable=SC2016,SC2317

. "$(dirname "$0")/cli_common.sh"

# Operands that must be taken as they are after "--".
words=(- -- --json -x -1 '' ' ' '\x41' '*' -f --value-file=x)

# as_user COMMAND...: run it as an unprivileged user.
as_user()
{
	setpriv --reuid=65534 --regid=65534 --clear-groups "$@"
}

# a_copy NAME MODE: make a copy of the command, for other users.
a_copy()
{
	chmod 755 "$work"
	cp "$(command -v kmap)" "$work/$1"
	chmod "$2" "$work/$1"
}

test_operands()
{
	local word

	for word in "${words[@]}"; do
		expect "set -- stores \"$word\"" 0 "" \
			from /dev/null set -- item "$word"
		run kmap get -- item
		check "... exactly" has_output "${word//\\/\\\\}"
		[ -n "$word" ] || continue
		expect "set -- under \"$word\"" 0 "" \
			from /dev/null set -- "$word" 1
		expect "... get -- finds it" 0 1 from /dev/null get -- "$word"
		expect "... del -- removes it" 0 "" from /dev/null del -- "$word"
		expect "... so that get fails" 1 "" from /dev/null get -- "$word"
		expect "... add -- makes a number of it" 0 "7\n" \
			from /dev/null add -- "$word" 7
		expect "... del -- of two keys" 1 "" \
			from /dev/null del -- "$word" absent
	done
	expect "-- with options before it" 0 "" \
		from /dev/null set -ce -- '\x2d' -
	expect "... changes a - only" 0 - from /dev/null get -- -
	expect "-- behind an operand is an operand" 0 "" kmap set item --
	expect "... as the value shows" 0 -- kmap get item
	printf text >file
	expect "a - before no -- is standard input" 0 "" from file set item -
	expect "... which is stored" 0 text kmap get item
	expect "--value-file - is so with -- too" 0 "" \
		from file set --value-file - -- -
	expect "... the key is not" 0 text from /dev/null get -- -
	printf -- - >file
	expect "-- as an option's argument is none" 2 "" \
		from file set -m -- - -
	expect "-- before the subcommand is not for its operands" 0 "" \
		from file -- set item -
	expect "... which are standard input" 0 - kmap get item
	kmap clear -yq
}

fill()
{
	local key

	kmap clear -yq
	for key in tmp. tmp.a tmp.b tmpx 'tmp*' other a/tmp.; do
		kmap set -- "$key" 1
	done
	kmap set -e 'tmp.\x00\n' 1
	kmap set -e 'tmp.\xff' 1
}

test_prefix()
{
	fill
	expect "keys --prefix" 0 'tmp.\ntmp.\\x00\\n\ntmp.a\ntmp.b\ntmp.\\xff\n' \
		kmap keys --sort --prefix tmp.
	run kmap keys -p tmp.
	sort out >listed
	run kmap keys -s -p tmp.
	sort out >sorted
	same "... prints the same in any order" listed sorted
	expect "... of a whole key" 0 'other\n' kmap keys -p other
	expect "... longer than any" 0 "" kmap keys -p others
	expect "... with escapes" 0 'tmp.\\x00\\n\n' kmap keys -e -p 'tmp.\x00'
	expect "... is no pattern" 0 'tmp*\n' kmap keys -p 'tmp*'
	run kmap keys -jsp tmpx
	check "... --json" matches '^\{"key":"tmpx","length":1,"version":[0-9]+\}'
	check "... is JSON" json out
	expect "... --json of nothing" 0 '[\n]\n' kmap keys -j -p none
	expect "dump --prefix" 0 'kmap-dump 1\ntmp.b\t1\nend 1\n' \
		kmap dump -p tmp.b
	expect "... with bytes in hexadecimal" 0 \
		'kmap-dump 1\ntmp.\\xff\t1\nend 1\n' kmap dump -xp 746d702eff
	run kmap dump -jap tmp.
	check "... --json --atomic" printed '],"count":5}'
	check "... is JSON" json out
	expect "... of nothing" 0 'kmap-dump 1\nend 0\n' kmap dump -p none

	expect "del --prefix of nothing" 1 "" kmap del --prefix none
	check "... says so" said 'no key begins with "none"'
	exits "... or not with --quiet" 1 kmap del -q -p none
	check "... without a message" test ! -s err
	expect "... --json" 1 '{"removed":0}\n' kmap del -j -p none
	expect "del --prefix" 0 "5 keys removed\n" kmap del --prefix tmp.
	expect "... those and no others" 0 'a/tmp.\nother\ntmp*\ntmpx\n' \
		kmap keys -s
	expect "... of one key" 0 "1 key removed\n" kmap del -p 'tmp*'
	expect "... --quiet" 0 "" kmap del -qp tmp
	expect "... removed it" 1 "" kmap get tmpx
	kmap set -- - 1
	kmap set -- -x 1
	expect "... of -" 0 '{"removed":2}\n' from /dev/null del -j -p -

	fill
	refuse "clear --prefix without --yes" "--yes" kmap clear -p tmp.
	expect "clear --prefix" 0 "5 keys removed\n" kmap clear -y --prefix tmp.
	expect "... of nothing" 0 "0 keys removed\n" kmap clear -y -p tmp.
	expect "... in hexadecimal" 0 '{"removed":1}\n' \
		kmap clear -yjx -p 746d7078
	expect "... those and no others" 0 'a/tmp.\nother\ntmp*\n' kmap keys -s

	for word in del keys dump "clear -y"; do
		# The words are the arguments.
		# shellcheck disable=SC2086
		refuse "$word with an empty prefix" "empty" kmap $word --prefix ""
	done
	refuse "del --prefix and a key" "unexpected" kmap del -p tmp. key
	refuse "del --prefix --match" "--prefix" kmap del -p tmp. -m 1
	refuse "del --prefix --return" "--prefix" kmap del -p tmp. -R
	refuse "del --prefix --meta" "--prefix" kmap del -p tmp. -M
	refuse "del --prefix --key-file" "--prefix" kmap del -p tmp. -k err
	refuse "a prefix with a wrong escape" "escape" kmap del -ep '\q'
	expect "... nothing of this removed anything" 0 "3\n" kmap info entries
	kmap clear -yq
}

# del --prefix removes more keys than one batch, while other keys come and go.
test_prefix_among_others()
{
	local count=$((9000 / ${KT_LESS:-1})) half writer

	half=$((count / 2))
	awk -v count="$count" -v half="$half" 'BEGIN {
		print "kmap-dump 1"
		for (i = 0; i < count; i++)
			printf "%s%d\tv\n", i < half ? "stay." : "go.", i
		print "end " count
	}' >made
	expect "a map of two kinds" 0 "$count records loaded\n" kmap load made
	touch writing
	while [ -e writing ]; do
		kmap set other 1
		kmap del -q other
	done &
	writer=$!
	expect "del --prefix beside a writer" 0 "$((count - half)) keys removed\n" \
		kmap del -p go.
	# It is not killed, because a command that it has started would go on.
	rm writing
	wait "$writer"
	expect "... left the others" 0 "$half\n" kmap info entries
	expect "... all of them" 0 "$half keys removed\n" kmap clear -yp stay.
}

# With --equal a change is made only if the key has the given value.
test_equal()
{
	local version

	kmap set e old
	expect "set --equal" 0 "" kmap set --equal old e new
	expect "... stores" 0 "new" kmap get e
	expect "set --equal of another value" 1 "" kmap set -E old e x
	check "... says so" said "another version or value"
	exits "... or not with --quiet" 1 kmap set -qE old e x
	check "... without a message" test ! -s err
	expect "... of what it begins with" 1 "" kmap set -E ne e x
	expect "... of what begins like it" 1 "" kmap set -E newer e x
	expect "... of nothing" 1 "" kmap set -E "" e x
	expect "... changed nothing" 0 "new" kmap get e
	expect "set --equal of an absent key" 1 "" kmap set -E "" absent x
	check "... says so" said "no such key"
	expect "... made nothing" 1 "" kmap get absent
	run kmap get -j e
	field version version
	expect "set --equal --meta, the version found" 1 "$version\n" \
		kmap set -ME old e x
	expect "set --equal --json" 1 \
		"{\"key\":\"e\",\"error\":\"ESTALE\",\"version\":$version}\n" \
		kmap set -jE old e x
	kmap set e ""
	expect "set --equal of nothing" 0 "" kmap set -E "" e --
	expect "OLD is taken as it is" 0 "" from /dev/null set -E -- -- e -
	expect "... also a -" 0 "" from /dev/null set -E - -- e '\x41'
	expect "... with escapes only if told" 1 "" kmap set -E A e x
	expect "... which matches the text itself" 0 "" kmap set -E '\x41' e B
	expect "set --equal --escape" 0 "" \
		kmap set -eE '\x42' '\x65' 'a\x00b'
	expect "set --equal --hex" 0 "" kmap set -xE 610062 65 63
	expect "... stored" 0 "c" kmap get e
	kmap set -n n 5
	expect "set --equal --number" 0 "" kmap set -nE 5 n -6
	expect "... of another number" 1 "" kmap set -nE 5 n 7
	expect "... keeps it a number" 0 "-5\n" kmap add n

	expect "del --equal of another value" 1 "" kmap del --equal x e
	expect "... removed nothing" 0 "c" kmap get e
	run kmap get -j e
	field version version
	expect "del --equal --json" 1 \
		"{\"key\":\"e\",\"error\":\"ESTALE\",\"version\":$version}\n" \
		kmap del -jE old e
	expect "del --equal" 0 "$version\n" kmap del -ME c e
	expect "... removed it" 1 "" kmap get e
	expect "del --equal of an absent key" 1 "" kmap del -E c e
	expect "del --equal of another number" 1 "" kmap del -nE 5 n
	expect "del --equal --number" 0 "" kmap del -nE -5 n
	expect "... removed it" 1 "" kmap get n
	kmap set -x 6b 00ff
	expect "del --equal --hex" 0 "" kmap del -xE 00ff 6b

	refuse "--equal with --create" "exclude" kmap set -cE a k v
	refuse "--equal with --replace" "exclude" kmap set -rE a k v
	refuse "--equal with --match" "exclude" kmap set -m 1 -E a k v
	refuse "--equal with --return" "--return" kmap set -RE a k v
	refuse "del --equal with --match" "exclude" kmap del -m 1 -E a k
	refuse "del --equal with --return" "--return" kmap del -RE a k
	refuse "del --equal of two keys" "one key" kmap del -E a k l
	refuse "del --number without --equal" "--equal" kmap del -n k
	refuse "an old value that is no number" "decimal number" \
		kmap set -nE x k 1
	refuse "an old value that is not hexadecimal" "hexadecimal" \
		kmap del -xE zz 6b
}

test_clear_counts()
{
	kmap set a 1
	expect "clear of one key" 0 "1 key removed\n" kmap clear -y
	expect "clear of none" 0 "0 keys removed\n" kmap clear -y
}

# Users who may only read, or only write.
test_permissions()
{
	local mode word

	mode=$(stat -c %a "$device")
	kmap set a 1
	a_copy kmap-plain 755
	chmod 0222 "$device"
	expect "info for who may only write" 0 "1\n" \
		as_user ./kmap-plain info entries
	expect "... where gets cannot be" 0 "0\n" \
		as_user ./kmap-plain info mapped
	refuse "... keys is refused" "for reading: permission denied" \
		as_user ./kmap-plain keys
	expect "... set is not" 0 "" as_user ./kmap-plain set a 2
	expect "... nor set --number" 0 "" as_user ./kmap-plain set -n n 1
	printf 'kmap-dump 1\nn\t\\#41\nend 1\n' >number
	expect "... nor load of a number" 0 "1 record loaded\n" \
		as_user ./kmap-plain load number
	for word in "add n" "set -nE 41 n 5" "del -nE 41 n" "set -R n 5" \
		"del -R n" "del -p a"; do
		# The words are the arguments.
		# shellcheck disable=SC2086
		refuse "... $word is, which reads" \
			"for reading and writing: permission denied" \
			as_user ./kmap-plain $word
	done
	expect "... and changes nothing" 0 "42\n" kmap add n
	kmap del n
	chmod 0444 "$device"
	expect "info for who may only read" 0 "1\n" \
		as_user ./kmap-plain info entries
	for word in "add n" "set -E 2 a 5" "del -E 2 a"; do
		# The words are the arguments.
		# shellcheck disable=SC2086
		refuse "... $word is refused" \
			"for reading and writing: permission denied" \
			as_user ./kmap-plain $word
	done
	refuse "... set too" "for writing: permission denied" \
		as_user ./kmap-plain set a 3
	chmod 0 "$device"
	refuse "info for nobody" "permission denied" as_user ./kmap-plain info
	chmod "$mode" "$device"
	expect "del of one key" 0 "1 key removed\n" kmap del -p a
}

# A program with more rights than its caller must ignore the environment.
test_secure_environment()
{
	a_copy kmap-suid 4755
	refuse "KMAP_DEVICE names the device" "cannot open /nonexistent" \
		env KMAP_DEVICE=/nonexistent kmap info
	expect "... but not for a set-user-ID program" 0 "0\n" \
		as_user env KMAP_DEVICE=/nonexistent ./kmap-suid info entries
	refuse "... in no message either" "unknown field" \
		as_user env KMAP_DEVICE=/nonexistent ./kmap-suid info none
	refuse "--device does" "cannot open /nonexistent" \
		as_user ./kmap-suid info -d /nonexistent
}

# info tells why there is no window.
test_no_window()
{
	expect "info tells why there is no window" 0 \
		"no addresses are left for it, or allowed\n0\n" \
		prlimit --as=48000000 kmap info window_error mapped
	run prlimit --as=48000000 kmap info -j window_error
	check "... --json is JSON" json out
	expect "... or that there is" 0 "none\n" kmap info window_error
}

test_no_map()
{
	local file

	mkfifo fifo
	for file in /dev/null /dev/zero /dev/full fifo made .; do
		refuse "$file is no kmap" "not a kmap" kmap -d "$file" keys
	done
	refuse "... nor for a writer" "not a kmap" kmap -d /dev/null set a b
	refuse "... nor for info" "not a kmap" kmap -d /dev/null info
}

# Characters that change the direction of the text after them on a terminal.
test_bidi()
{
	local turn

	for turn in 061c 200e 200f 202a 202b 202c 202d 202e 2066 2067 2068 2069 \
		2028 2029; do
		printf -v bytes '%b' "\\u$turn"
		kmap set -- bidi "a${bytes}b"
		run kmap get -j bidi
		check "U+$turn in JSON" printed "\"value\":\"a\\u${turn}b\"}"
	done
	kmap set -e -- 'k\xe2\x80\xae' 'é\\u'
	run kmap dump -j
	cp out dump.json
	check "dump --json" printed '{"key":"k\u202e","value":"é\\u"}'
	kmap clear -yq
	run kmap load -j dump.json
	expect "... comes back" 0 "é\\\\u" kmap get -e 'k\xe2\x80\xae'
	for turn in 061b 061d 200d 2010 202f 2065 206a; do
		printf -v bytes '%b' "\\u$turn"
		kmap set -- plain "$bytes"
		run kmap get -j plain
		check "U+$turn is itself" printed "\"value\":\"$bytes\"}"
	done
	kmap clear -yq
}

# Messages must do no harm to a terminal.
test_messages()
{
	local bad=$'\e[2J\x9b' bidi=$'\xe2\x80\xae'

	refuse "a message about other people's bytes" '\x1b[2J\x9b' \
		kmap set -n -- n "$bad"
	refuse "... also of the kind that turns text" '\xe2\x80\xae' \
		kmap set -n -- n "$bidi"
	refuse "... leaves text alone" "é" kmap set -n -- n "é"
	refuse "... about operands" '\x1b[2J' kmap get -- a "$bad"
	refuse "... about files" '\x1b[2J' kmap set -f "/$bad" a
	refuse "... about the device" '\x1b[2J' kmap info -d "/$bad"
}

export LC_ALL=C.UTF-8
test_operands
test_prefix
test_prefix_among_others
test_equal
test_clear_counts
test_permissions
test_secure_environment
test_no_window
test_no_map
test_bidi
test_messages
finish
