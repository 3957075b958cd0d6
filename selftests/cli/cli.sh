#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# The kmap command: get, set, del, add, keys, info, clear; every flag, exit
# statuses, bytes of all values, JSON, wrong usage, output errors.  cli_load.sh
# tests dump and load.

# Scripts for bash -c are expanded by that bash.
# shellcheck disable=SC2016

. "$(dirname "$0")/cli_common.sh"

# A string of all bytes, in the two forms that arguments can have.
escaped=''
hex=''
for ((i = 0; i < 256; i++)); do
	printf -v escaped '%s\\x%02x' "$escaped" "$i"
	printf -v hex '%s%02x' "$hex" "$i"
done

test_set_get()
{
	local v1 v2 v3

	expect "set stores" 0 "" kmap set key value
	expect "get prints exactly the value" 0 "value" kmap get key
	expect "get of an absent key" 1 "" kmap get absent
	check "... says so" said "no such key"
	exits "... or not with --quiet" 1 kmap get -q absent
	check "... without a message" test ! -s err
	expect "an empty value" 0 "" kmap set empty ""
	expect "... is not an absent one" 0 "" kmap get empty
	expect "a value that begins with a dash" 0 "" kmap set dash --json
	expect "... comes back" 0 "--json" kmap get dash

	expect "set --create of a present key" 1 "" kmap set --create key new
	expect "... changed nothing" 0 "value" kmap get key
	expect "set --create of an absent key" 0 "" kmap set -c fresh 1
	expect "set --replace of an absent key" 1 "" kmap set --replace absent 1
	expect "... made nothing" 1 "" kmap get absent
	expect "set --replace of a present key" 0 "" kmap set -r fresh 2
	expect "... replaced it" 0 "2" kmap get fresh

	run kmap get --json key
	field version v1
	expect "get --json" 0 "{\"key\":\"key\",\"version\":$v1,\"value\":\"value\"}\n" \
		kmap get -j key
	expect "get --meta" 0 "$v1 5\nvalue" kmap get --meta key
	expect "set --match with the version" 0 "" kmap set --match "$v1" key other
	exits "set --match with an old version" 1 \
		kmap set --match "$v1" --meta key again
	read -r v2 <out
	check "... --meta prints the version found" test "$v2" -gt "$v1"
	expect "... and that is the one to match" 0 "" kmap set -m "$v2" -q key third
	expect "set --match of an absent key" 1 "" kmap set -M -m 1 absent x
	run kmap set --meta key fourth
	read -r v3 <out
	check "set --meta prints the new version" test "$v3" -gt "$v2"
	run kmap set --json key fifth
	field version v2
	check "set --json prints the new version" test "$v2" -gt "$v3"

	expect "set --return" 0 "fifth" kmap set --return key sixth
	expect "set --return, nothing there" 0 "" kmap set -R made 1
	run kmap set -RM made2 1
	check "... --meta says that" matches '^[0-9]+ -$'
	expect "set --return --create prints what is there" 1 "sixth" \
		kmap set -Rc key seventh
	run kmap set -RMc key seventh
	check "... --meta with version and length" matches '^[0-9]+ 5$'
	expect "set --return --match that fails" 1 "sixth" kmap set -R -m 1 key x
	run kmap set -Rj key last
	check "set --return --json" \
		matches '^\{"key":"key","version":[0-9]+,"found":"sixth"\}$'
	exits "set --json and a condition" 1 kmap set -jc key x
	check "... names the errno" printed '"error":"EEXIST"'
	run kmap set -Rj new3 x
	check "set --return --json, nothing there" printed '"found":null'
	expect "get --json of an absent key" 1 \
		'{"key":"absent","error":"ENOENT"}\n' kmap get -j absent
	expect "--output hex" 0 "6c617374\n" kmap get --output hex key
	expect "--output raw" 0 "last" kmap get -o raw key
}

test_bytes()
{
	local good bad

	# The format is the bytes.
	# shellcheck disable=SC2059
	printf "$escaped" >all

	expect "all bytes as a value, through a pipe" 0 "" \
		piped all set bytes -
	run kmap get bytes
	same "... come back" all out
	expect "all bytes as a value, from a file" 0 "" \
		kmap set --value-file all bytes2
	run kmap get bytes2
	same "... come back" all out
	expect "all bytes as key and value, in hexadecimal" 0 "" \
		kmap set --hex "$hex" "$hex"
	expect "... with the key from a file" 0 "$hex\n" \
		kmap get --key-file all -o hex
	expect "all bytes as key and value, escaped, are the same" 0 "" \
		kmap set --replace --escape "$escaped" "${escaped}x"
	printf x >>all
	run kmap get -e "$escaped"
	same "... come back" all out
	head -c 256 all >key
	run piped key get -k -
	same "... with the key from standard input" all out
	run from key get -
	same "... or with - for it" all out
	run kmap get -j -e "$escaped"
	check "JSON of bytes that are no text" printed '"value":{"base64":"AAECAw'
	check "... is JSON" json out
	expect "a key of all bytes can be removed" 0 "" kmap del -e "$escaped"

	run kmap set -e e 'a"\\\n\t\r\x00\x1f\x7f\xc2\x85\xc3\xa9 ~'
	run kmap get -o escape e
	printf '%s\n' 'a"\\\n\t\r\x00\x1f\x7f\xc2\x85\xc3\xa9 ~' >want
	same "--output escape" want out
	run kmap get -j e
	check "JSON of text with control characters" printed \
		'"value":"a\"\\\n\t\u000d\u0000\u001f\u007f\u0085'$'\303\251'' ~"}'
	check "... is JSON" json out

	# The ends of the ranges of UTF-8, and bytes just outside of them.
	for good in '\x7f' '\xc2\x80' '\xdf\xbf' '\xe0\xa0\x80' '\xed\x9f\xbf' \
		'\xee\x80\x80' '\xf0\x90\x80\x80' '\xf4\x8f\xbf\xbf'; do
		run kmap set -e utf8 "$good"
		run kmap get -j utf8
		check "$good is a string" printed '"value":"'
	done
	for bad in '\x80' '\xc1\xbf' '\xc2' '\xc2A' '\xe0\x9f\xbf' '\xe2\x82' \
		'\xed\xa0\x80' '\xf0\x8f\xbf\xbf' '\xf4\x90\x80\x80' '\xf5\x80\x80\x80' \
		'\xf0\x90\x80' 'a\xff'; do
		run kmap set -e utf8 "$bad"
		run kmap get -j utf8
		check "$bad is not" printed '"value":{"base64":"'
	done
}

test_numbers()
{
	expect "add makes a key" 0 "1\n" kmap add n
	expect "add a number" 0 "42\n" kmap add n 41
	expect "add a negative number" 0 "-8\n" kmap add n -50
	expect "get --number" 0 "-8\n" kmap get --number n
	run kmap get -o number -j n
	check "get --output number --json" printed '"value":-8}'
	expect "set --number" 0 "" kmap set --number n 9223372036854775806
	expect "add up to the limit" 0 "9223372036854775807\n" kmap add n
	refuse "add past the limit" "overflow" kmap add n
	expect "... changed nothing" 0 "9223372036854775807\n" kmap get -n n
	kmap set -n n 0
	expect "add down to the limit" 0 "-9223372036854775808\n" \
		kmap add n -9223372036854775808
	expect "add --create of a present key" 1 "" kmap add --create n 1
	expect "add --create of an absent key" 0 "5\n" kmap add -c n2 5
	expect "add --replace of an absent key" 1 "" kmap add --replace n3 1
	expect "... made nothing" 1 "" kmap get n3
	expect "add --replace of a present key" 0 "6\n" kmap add -r n2
	run kmap add --meta n2
	check "add --meta" matches '^[0-9]+ 8$'
	check "... and the sum" matches '^7$'
	run kmap add -j n2 -17
	check "add --json" printed '"sum":-10}'
	check "... is JSON" json out
	expect "add --no-sum" 0 "" kmap add --no-sum n2 11
	expect "... added" 0 "1\n" kmap get -n n2
	expect "set 8 letters" 0 "" kmap set t abcdefgh
	expect "set 7 letters" 0 "" kmap set t7 abcdefg
	refuse "add to a value that is no number" "not a number" kmap add t7
	refuse "add to 8 letters" "not a number" kmap add t
	refuse "get --number of 8 letters" "not a number" kmap get --number t
	refuse "... with --json" "not a number" kmap get -j -o number t
	expect "... but not of a number" 0 "1\n" kmap get -n n2
	run kmap get -nM n2
	check "get --number --meta" matches '^[0-9]+ 8$'
	expect "get --number of an absent key" 1 "" kmap get -n absent
	expect "... with --json" 1 '{"key":"absent","error":"ENOENT"}\n' \
		kmap get -nj absent
	refuse "get --number of a value that is no number" "not a number" kmap get -n t7
	expect "... changed nothing" 0 "abcdefg" kmap get t7
	expect "set --return --output number" 0 "1\n" \
		kmap set -R -o number -n n2 5
	run kmap set -Rj -o number n2 abcdefgh
	check "... --json" printed '"found":5}'
	exits "... --output number of 8 letters" 2 kmap set -R -o number n2 "x	y"
	check "... says what is wrong" said "not a number"
	check "... and prints what is not there any more" has_output 'abcdefgh\n'
	exits "del --return --output number of a text" 2 \
		kmap del -R -o number n2
	check "... is escaped" has_output 'x\\ty\n'
	run kmap set -Rj -o number t 12345678
	check "... or with --json a string" printed '"found":"abcdefgh"}'
	expect "del --return --output number" 0 "5\n" bash -c \
		'kmap set -n n2 5; kmap del -R -o number n2'
}

test_del()
{
	local version

	kmap set d 1
	expect "del" 0 "" kmap del d
	expect "... removed it" 1 "" kmap get d
	expect "del of an absent key" 1 "" kmap del d
	expect "del --match of an absent key" 1 "" kmap del -M -m 1 d
	kmap set d 2
	run kmap get -j d
	field version version
	expect "del --match that fails" 1 "" kmap del --match $((version - 1)) d
	expect "... removed nothing" 0 "2" kmap get d
	expect "del --match --return" 0 "2" kmap del -m "$version" --return d
	expect "... removed it" 1 "" kmap get d
	kmap set d 3
	run kmap del -RM d
	check "del --return --meta" matches '^[0-9]+ 1$'
	check "... and the value" matches '^3$'
	kmap set d 4
	run kmap del -Rj d
	check "del --return --json" printed '"found":"4"}'
	expect "del --json of an absent key" 1 '{"key":"d","error":"ENOENT"}\n' \
		kmap del -j d
	kmap set d1 1
	kmap set d3 3
	expect "del of several keys, one absent" 1 "" kmap del d1 d2 d3
	expect "... removed the others" 1 "" kmap get d3
	refuse "del --return of two keys" "one key" kmap del -R a b
	refuse "del --match of two keys" "one key" kmap del -m 1 a b
}

test_keys()
{
	local key

	kmap clear -yq
	expect "keys of an empty map" 0 "" kmap keys
	expect "keys --json of an empty map" 0 "[\n]\n" kmap keys -j
	check "... is JSON" json out
	kmap set a 1
	kmap set 'b c' "x	y"
	kmap set -n -x 0a5c 7
	expect "keys --sort" 0 '\\n\\\\\na\nb c\n' kmap keys --sort
	sort out >listed
	run kmap keys
	sort out >sorted
	same "keys prints the same in any order" listed sorted
	run kmap keys --atomic
	sort out >sorted
	same "keys --atomic" listed sorted
	expect "keys --values" 0 \
		'\\n\\\\\t\\x07\\x00\\x00\\x00\\x00\\x00\\x00\\x00\na\t1\nb c\tx\\ty\n' \
		kmap keys -s --values
	expect "keys --number" 0 '\\n\\\\\t7\na\t1\nb c\tx\\ty\n' \
		kmap keys -s --number
	expect "keys --hex" 0 '0a5c\n61\n622063\n' kmap keys -s --hex
	expect "keys --hex --values" 0 \
		'0a5c\t0700000000000000\n61\t31\n622063\t780979\n' kmap keys -sxv
	expect "keys --null" 0 '\n\\\0a\0b c\0' kmap keys -s --null
	run kmap keys -s --meta
	check "keys --meta" matches $'^[0-9]+\t3\tb c$'
	run kmap keys -s --json --values
	check "keys --json" printed '{"key":"a","value":"1","length":1,"version":'
	check "... is JSON" json out
	kmap set eight abcdefgh
	expect "keys --number of 8 letters" 0 'eight\tabcdefgh\n' \
		kmap keys -n -p eight
	run kmap keys -jn -p eight
	check "... with --json" printed '"value":"abcdefgh","length":8,'
	kmap del eight
	run kmap keys -s --json --number
	check "keys --json --number" printed '"value":7,"length":8,'
	run kmap keys -j
	check "keys --json without values" \
		matches '^\{"key":"a","length":1,"version":[0-9]+\}'
	run kmap keys -s
	: >got
	while read -r key; do
		kmap get -e "$key" >>got
	done <out
	printf '\7\0\0\0\0\0\0\0001x\ty' >want
	same "each key printed can be got with --escape" want got
	kmap set -e 'nul\x00' 1
	exits "keys --null refuses a key with a zero byte" 2 kmap keys --null
	kmap clear -yq
	for key in aaa b aa a ab; do
		kmap set $key 1
	done
	expect "keys --sort of keys that begin alike" 0 'a\naa\naaa\nab\nb\n' \
		kmap keys -s
	refuse "keys --null --values" "--null" kmap keys -0v
	refuse "keys --json --hex" "exclude" kmap keys -jx
}

test_limits()
{
	local max_key max_value

	max_key=$(kmap info max_key)
	max_value=$(kmap info max_value)
	head -c "$max_key" /dev/urandom >key
	head -c "$max_value" /dev/urandom >value
	expect "the longest key and value" 0 "" kmap set -k key -f value
	run kmap get -k key
	same "... come back" value out
	run kmap set -R -k key -f value
	same "... and with --return" value out
	run kmap del -R -k key
	same "... and with del --return" value out
	printf x >>key
	printf x >>value
	refuse "a key that is too long" "longer than" kmap set -k key x
	refuse "a value that is too long" "longer than" kmap set -f value x
	expect "... is not there" 1 "" kmap get x
	refuse "an endless value" "longer than any map takes" \
		from /dev/zero set x -
	refuse "an empty key" "empty" kmap get ""
	refuse "an empty key from standard input" "empty" from /dev/null get -
}

test_info_clear()
{
	kmap clear -yq
	kmap set a 1
	kmap set b 2
	run kmap info
	check "info" matches '^entries +2 '
	run kmap info --json
	check "info --json" printed '"entries":2,'
	check "... is JSON" json out
	check "... with the lock mode" \
		matches '"lock":"(spinlock|rwsem|rcu)"'
	check "... that was asked for" printed "\"lock\":\"${KMAP_LOCK:-$(kmap info lock)}\""
	expect "info with fields" 0 "2\n1\n" kmap info entries abi
	expect "info --json with a field" 0 '{"entries":2}\n' kmap info -j entries
	expect "info tells whether the window is on" 0 \
		"$(kmap info window)\n" kmap info mapped
	refuse "info with an unknown field" "unknown field" kmap info nonsense
	refuse "clear without --yes" "--yes" kmap clear
	expect "... removed nothing" 0 "2\n" kmap info entries
	expect "clear --json" 0 '{"removed":2}\n' kmap clear --yes --json
	expect "clear" 0 "0 keys removed\n" kmap clear -y
	expect "clear --quiet" 0 "" kmap clear -y -q
	expect "clear removed all" 0 "0\n" kmap info entries
}

test_usage()
{
	local command words

	run kmap --help
	check "--help" printed "Usage: kmap "
	cp out help
	run kmap help
	same "help is the same" help out
	for command in get set del add keys dump load info clear bench advise; do
		check "--help names $command" matches "^  $command " help
		exits "$command --help" 0 kmap "$command" --help
		check "... says how to use it" matches "^Usage: kmap $command "
		check "... and with what options" matches "^  -d, --device PATH +"
		cp out help.command
		run kmap help "$command"
		same "help $command is the same" help.command out
		refuse "$command with an unknown option" "unknown" \
			kmap "$command" --nonsense
		case $command in
		get|del|add) words=k;;
		set) words='k v';;
		clear) words=-y;;
		*) words=;;
		esac
		# The words are the arguments.
		# shellcheck disable=SC2086
		refuse "$command without a device" "cannot open /nonexistent" \
			from /dev/null "$command" -d /nonexistent $words
	done
	run kmap --version
	check "--version" matches '^kmap [0-9]+\.[0-9]+'
	refuse "no command" "no command" kmap
	refuse "an unknown command" "unknown command" kmap nonsense
	refuse "help for an unknown command" "unknown command" kmap help nonsense
	refuse "an unknown letter" "-y" kmap get -y k
	refuse "an option without its argument" "needs an argument" kmap set --match
	refuse "an argument too many for an option" "no argument" kmap get --json=1 k
	refuse "an option behind the operands" "options go before" kmap get k --json
	refuse "an operand too many" "unexpected operand" kmap set k v w
	refuse "get without a key" "key is missing" kmap get
	refuse "set without a value" "value is missing" kmap set k
	refuse "set with key and value from stdin" "only one" \
		from help set - -
	refuse "get with --key-file and a key" "unexpected" kmap get -k help k
	refuse "get from a file that is not there" "cannot open" kmap get -k nofile
	refuse "get from a directory" "cannot read" kmap get -k .
	refuse "--create with --replace" "exclude" kmap set -cr k v
	refuse "--create with --match" "exclude" kmap set -c -m 1 k v
	refuse "--match with no number" "--match" kmap set -m x k v
	refuse "--match with 0" "--match" kmap set -m 0 k v
	refuse "--match with too much" "--match" kmap set -m 18446744073709551616 k v
	refuse "an odd hexadecimal key" "odd" kmap get -x abc
	refuse "a wrong hexadecimal key" "hexadecimal" kmap get -x zz
	refuse "a wrong escape" "escape" kmap get -e '\q'
	refuse "a short escape" "\\x needs" kmap get -e '\x1'
	refuse "a value that is no number" "decimal number" kmap set -n k 1x
	refuse "a number too large" "decimal number" kmap add k 9223372036854775808
	refuse "an unknown form" "--output takes" kmap get -o nonsense k
	refuse "--json with --output hex" "--json" kmap get -j -o hex k
	refuse "KMAP_DEVICE names the device" "cannot open /nonexistent" \
		env KMAP_DEVICE=/nonexistent kmap keys
	refuse "a device that is none" "not a kmap" \
		kmap -d /dev/null keys
	expect "-d before the command" 0 "" kmap -d "$device" keys
}

test_output_errors()
{
	kmap set big "$(head -c 4000 /dev/zero | tr '\0' x)"
	for command in "get big" "keys" "keys -j" "dump" "info" "add count" \
		"set -R big x" "--help" "get --help" "--version"; do
		# The words are the arguments.
		# shellcheck disable=SC2086
		refuse "$command to a full device" "cannot write" full $command
	done
	refuse "get to a closed descriptor" "cannot write" bash -c \
		'kmap get count >&-'
	expect "get from a closed descriptor" 2 "" bash -c 'kmap get - <&-'
	exits "get with stderr closed" 1 bash -c 'kmap get absent 2>&-'
	for ((i = 0; i < 40; i++)); do
		printf 'k%d\t%4000d\n' $i $i
	done >records
	{ echo "kmap-dump 1"; cat records; echo "end 40"; } >dump
	expect "a map with much to print" 0 "40 records loaded\n" kmap load dump
	expect "a closed pipe ends dump" 0 "141\n" bash -c \
		'kmap dump | head -c 1 >/dev/null; echo "${PIPESTATUS[0]}"'
	expect "... with a message when SIGPIPE is ignored" 0 "2\n" bash -c \
		'trap "" PIPE; kmap dump 2>epipe | head -c 1 >/dev/null
		echo "${PIPESTATUS[0]}"'
	check "... that says so" matches "cannot write output" epipe
	kmap clear -yq
}

# Check json(), on which the other checks rely.
test_json()
{
	local bad

	printf '%s\n' '{"a":[1,-2,0.25,"x\\\"\u00e9",{}],"b":{"c":null}}' >good
	run json good
	check "JSON is taken for JSON" test "$status" -eq 0
	for bad in '{"a":1,}' '1.' '.5' '{"a" 1}' '["a" "b"]' '[1,]' '"a' '{a:1}' 'S' \
		'"\x"' '[1]]' '01'; do
		printf '%s\n' "$bad" >bad
		run json bad
		check "$bad is not" test "$status" -ne 0
	done
}

test_json
test_set_get
test_bytes
test_numbers
test_del
test_keys
test_limits
test_info_clear
test_usage
test_output_errors
finish
