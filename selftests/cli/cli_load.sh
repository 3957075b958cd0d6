#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# The kmap command: dump and load.  Load restores exactly what was dumped, in both
# formats, through files and pipes; it refuses what is not a dump and names the
# place, and the count of loaded records is always right.

# Functions are called through check.
# shellcheck disable=SC2317

. "$(dirname "$0")/cli_common.sh"

records=$((3000 / ${KT_LESS:-1}))

# make_dump SEED: print a dump of random keys and values, with bytes of all values,
# by the rules of kmap(1) and without the kmap command.
make_dump()
{
	awk -v count="$records" -v seed="$1" '
	function random(n) { return int(rand() * n) }
	function bytes(n,    text) {
		while (n-- > 0)
			text = text form[random(256)]
		return text
	}
	BEGIN {
		srand(seed)
		for (i = 0; i < 256; i++)
			form[i] = sprintf(i < 32 || i > 126 ? "\\x%02x" : "%c", i)
		form[9] = "\\t"
		form[10] = "\\n"
		form[13] = "\\r"
		form[92] = "\\\\"
		print "kmap-dump 1"
		# The number and its colon keep keys apart.
		for (i = 0; i < count; i++)
			print i ":" bytes(random(40)) "\t" bytes(random(60))
		print "end " count
	}'
}

test_round_trip()
{
	local form bytes

	make_dump "$RANDOM" >made
	sort made >made.sorted
	expect "load of a file" 0 "$records records loaded\n" kmap load made
	expect "... stored them all" 0 "$records\n" kmap info entries
	run kmap dump
	check "dump" test "$status" -eq 0
	cp out dump.text
	sort dump.text >sorted
	same "dump prints exactly what was loaded" made.sorted sorted
	run kmap dump --sort
	cp out dump.sorted
	sort out >sorted
	same "dump --sort prints the same" made.sorted sorted
	check "... the head first" test "$(head -n 1 out)" = "kmap-dump 1"
	check "... the end last" test "$(tail -n 1 out)" = "end $records"
	run kmap dump --atomic
	sort out >sorted
	same "dump --atomic prints the same" made.sorted sorted
	run kmap dump --json --sort
	cp out dump.json
	check "dump --json" test "$status" -eq 0
	run kmap dump --sort --meta
	check "dump --meta" test "$(grep -cE '	[0-9]+$' out)" -ge "$records"
	cp out dump.meta
	run kmap dump --sort --json --meta
	check "dump --json --meta" \
		test "$(grep -cE ',"version":[0-9]+}' out)" -eq "$records"
	cp out dump.json.meta

	for form in text meta json json.meta; do
		kmap clear -yq
		bytes=$(wc -c <"dump.$form")
		case $form in
		json*) expect "load --json of dump.$form, $bytes bytes" 0 \
			"{\"loaded\":$records,\"present\":0}\n" \
			kmap load --json "dump.$form";;
		*) expect "load of dump.$form, $bytes bytes" 0 \
			"$records records loaded\n" kmap load "dump.$form";;
		esac
		run kmap dump --sort
		same "... brings everything back" dump.sorted out
	done

	kmap clear -yq
	expect "load through a pipe" 0 "$records records loaded\n" \
		piped dump.text load
	run kmap dump --sort
	same "... brings everything back" dump.sorted out
	expect "load of what is there already" 0 "$records records loaded\n" \
		from dump.text load -
	run kmap dump --sort
	same "... changes nothing" dump.sorted out
	kmap clear -yq
	expect "load --json through a pipe" 0 \
		"{\"loaded\":$records,\"present\":0}\n" \
		piped dump.json load -j -
	run kmap dump --sort
	same "... brings everything back" dump.sorted out
	kmap clear -yq
}

# A number is dumped in decimal, and load restores it as a number.
test_numbers()
{
	local form json eight='*\\x00\\x00\\x00\\x00\\x00\\x00\\x00'

	kmap clear -yq
	kmap add -s n 41
	kmap set -n max 9223372036854775807
	kmap set -n min -9223372036854775808
	kmap set -n zero 0
	kmap set -e -- bytes '*\x00\x00\x00\x00\x00\x00\x00'
	kmap set -- sharp '#41'
	kmap set -- text '\#41'
	expect "dump of numbers" 0 "kmap-dump 1\n$(printf '%s\\n' \
		"bytes\\t$eight" 'max\t\\#9223372036854775807' \
		'min\t\\#-9223372036854775808' 'n\t\\#41' 'sharp\t#41' \
		'text\t\\\\#41' 'zero\t\\#0')end 7\n" kmap dump -s
	cp out dump.text
	run kmap dump -s --json
	cp out dump.json
	check "... --json" printed '{"key":"n","number":41}'
	check "... to the limits" printed '"number":-9223372036854775808}'
	check "... but not of bytes" printed '{"key":"bytes","value":"*\u0000'
	check "... is JSON" json out
	run kmap dump --meta -p n
	check "... --meta" matches $'^n\t\\\\#41\t[0-9]+$'
	run kmap dump --meta --json -p n
	check "... --meta --json" matches '"number":41,"version":[0-9]+\}'

	for form in text json; do
		json=
		[ $form = text ] || json=--json
		kmap clear -yq
		exits "load of numbers, $form" 0 kmap load $json dump.$form
		run kmap dump -s
		same "... brings everything back" dump.text out
		expect "... which add can add to" 0 "42\n" kmap add n
		refuse "... but not to bytes" "not a number" kmap add bytes
		exits "load --replace of numbers, $form" 0 \
			kmap load --replace $json dump.$form
		expect "... are numbers too" 0 "40\n" kmap add n -1
		kmap del n
		exits "load --create of a number, $form" 1 \
			kmap load --create $json dump.$form
		expect "... is one too" 0 "42\n" kmap add n
	done

	printf 'kmap-dump 1\nn\t\\#-5\t7\nend 1\n' >made.text
	expect "a number with a version" 0 "1 record loaded\n" \
		piped made.text load
	expect "... is the number" 0 "-5\n" kmap get -n n
	printf 'kmap-dump 1\nn\t*\\x00\\x00\\x00\\x00\\x00\\x00\\x00\nend 1\n' >made.text
	exits "a dump in which numbers were bytes" 0 kmap load made.text
	refuse "... is one of bytes" "not a number" kmap add n
	echo '{"kmap_dump":1,"count":1,"entries":[{"version":7,"number" : -5 ,"key":"n"}]}' \
		>made.json
	exits "a number in front of its key" 0 kmap load -j made.json
	expect "... is the number" 0 "-5\n" kmap get -n n
	kmap clear -yq
}

test_sizes()
{
	local max_key max_value form json

	max_key=$(kmap info max_key)
	max_value=$(kmap info max_value)
	expect "dump of an empty map" 0 "kmap-dump 1\nend 0\n" kmap dump
	cp out none
	expect "... loads" 0 "0 records loaded\n" kmap load none
	run kmap dump --json
	check "dump --json of an empty map is JSON" json out
	cp out none
	expect "... loads" 0 '{"loaded":0,"present":0}\n' kmap load -j none
	head -c "$max_key" /dev/urandom >key
	head -c "$max_value" /dev/urandom >value
	kmap set -k key -f value
	kmap set empty ""
	for form in text json; do
		json=
		[ $form = text ] || json=--json
		run kmap dump $json
		cp out dump
		kmap clear -yq
		exits "load of the longest key and value, $form" 0 \
			kmap load $json dump
		run kmap get -k key
		same "... brings them back" value out
		expect "... and an empty value" 0 "" kmap get empty
	done
	{
		printf 'kmap-dump 1\na\t1\nb\t'
		head -c $((max_value + 1)) /dev/zero | tr '\0' x
		printf '\nc\t3\nend 3\n'
	} >long
	kmap clear -yq
	if [ "$max_value" -lt 1048576 ]; then
		exits "a value the map does not take" 2 kmap load long
		check "... is reported with its line" said "line 3"
		check "... and its key" said 'key "b"'
		check "... and the count" said "2 records loaded"
		expect "... which is right" 0 "2\n" kmap info entries
	fi
	kmap clear -yq
}

test_policies()
{
	printf 'kmap-dump 1\na\tnew\nb\tnew\nc\tnew\nend 3\n' >three
	kmap set a old
	exits "load --create" 1 kmap load --create three
	check "... says how many" printed "2 records loaded, 1 not: key present"
	expect "... left alone what was there" 0 "old" kmap get a
	expect "... and stored the others" 0 "new" kmap get c
	kmap dump --json >three.json
	kmap clear -yq
	kmap set a x
	kmap set b x
	exits "load --replace --json" 1 kmap load --replace --json three.json
	check "... says how many" printed '{"loaded":2,"absent":1}'
	expect "... stored what was there" 0 "old" kmap get a
	expect "... and left out the other" 1 "" kmap get c
	expect "load without a policy" 0 "3 records loaded\n" kmap load three
	expect "... stored all" 0 "new" kmap get a
	expect "load --quiet" 0 "" kmap load -q three
	refuse "load --create --replace" "exclude" kmap load -cr three
	kmap clear -yq
	expect "load --check" 0 "3 records checked\n" kmap load --check three
	expect "... loads nothing" 0 "0\n" kmap info entries
	expect "load --check --json" 0 '{"checked":3}\n' \
		kmap load -nj three.json
	run kmap load --progress three
	check "load --progress" matches '^load: 3 records, .* 100 %' err
	kmap clear -yq
}

# bad NAME LINE MESSAGE DUMP [OPTION]: neither as a file nor through a pipe is this
# (a printf format) a dump; the message names the line, and the count is right.
bad()
{
	local name=$1 line=$2 message=$3 claimed

	# The format is the bytes.
	# shellcheck disable=SC2059
	printf -- "$4" >bad
	shift 4
	exits "$name is refused" 2 kmap load "$@" bad
	check "... with line $line and \"$message\"" \
		said_all "bad: line $line, byte " "$message"
	check "... and nothing is loaded" loaded_nothing
	exits "... and from a pipe" 2 piped bad load "$@"
	check "... with line $line and \"$message\"" \
		said_all "standard input: line $line, byte " "$message"
	slurp claimed err
	[[ $claimed =~ ([0-9]+)\ records?\ loaded ]] || {
		slurp claimed out
		[[ $claimed =~ \"loaded\":([0-9]+), ]]
	}
	claimed=${BASH_REMATCH[1]:-none}
	expect "... and what it says it loaded" 0 "{\"removed\":$claimed}\n" \
		kmap clear -yj
}

said_all()
{
	said "$1" && said "$2"
}

loaded_nothing()
{
	said "0 records loaded" || has_output '{"loaded":0,"present":0}\n'
}

test_bad_text()
{
	local head='kmap-dump 1\n'

	bad "an empty file" 1 "not a dump" ''
	bad "a text" 1 "not a dump" 'a\tb\n'
	bad "JSON" 1 "say --json" '{"kmap_dump":1,"entries":[],"count":0}\n'
	bad "a later version" 2 "version 2" 'kmap-dump 2\nend 0\n'
	bad "a version that is no number" 1 "not a dump" 'kmap-dump x\nend 0\n'
	bad "bytes" 1 "not a dump" '\\377\\0\\1'
	bad "a head alone" 2 "end line is missing" "$head"
	bad "a dump that is cut at a line" 3 "end line is missing" "${head}a\\t1\n"
	bad "a dump that is cut in a line" 3 "middle of a line" "${head}a\\t1\nb\\t"
	bad "a dump that is cut in an escape" 2 "two hex" "${head}a\\t\\\\x0"
	bad "a count too high" 3 "says 2" "${head}a\\t1\nend 2\n"
	bad "a count too low" 4 "says 1" "${head}a\\t1\nb\\t2\nend 1\n"
	bad "a record behind the end" 4 "follows" "${head}a\\t1\nend 1\nb\\t2\n"
	bad "a line without a tab" 3 "no tab" "${head}a\\t1\nb\nend 2\n"
	bad "an empty line" 2 "no tab" "${head}\nend 0\n"
	bad "an empty key" 2 "empty key" "${head}\\t1\nend 1\n"
	bad "an unknown escape" 2 "escape" "${head}a\\\\q\\t1\nend 1\n"
	bad "an escape without digits" 2 "\\x needs" "${head}a\\\\xg0\\t1\nend 1\n"
	bad "a control character" 2 "0x01" "${head}a\\001\\t1\nend 1\n"
	bad "a zero byte" 2 "0x00" "${head}a\\t\\000\nend 1\n"
	bad "line ends of DOS" 2 "carriage" "${head}a\\t1\r\nend 1\r\n"
	bad "a version that is no number" 2 "version" "${head}a\\t1\\t1x\nend 1\n"
	bad "a fourth field" 2 "version" "${head}a\\t1\\t1\\t1\nend 1\n"
	bad "a number that is none" 2 "needs a whole number" "${head}a\\t\\\\#x\nend 1\n"
	bad "a number without digits" 2 "needs a whole number" "${head}a\\t\\\\#\t7\nend 1\n"
	bad "a number and more" 2 "needs a whole number" "${head}a\\t\\\\#4x\nend 1\n"
	bad "a number too large" 2 "needs a whole number" \
		"${head}a\\t\\\\#9223372036854775808\nend 1\n"
	bad "a number too small" 3 "needs a whole number" \
		"${head}a\\t\\\\#4\nb\\t\\\\#-9223372036854775809\nend 2\n"
	bad "a number that is cut off" 2 "middle of a line" "${head}a\\t\\\\#4"
	bad "a number behind a text" 2 "unknown escape" "${head}a\\tx\\\\#4\nend 1\n"
	bad "a number for a key" 2 "unknown escape" "${head}\\\\#4\\tx\nend 1\n"
	bad "a key far too long" 2 "longer than any map" "${head}%02000d"
	printf 'kmap-dump 1\na\t%02000000d' 0 >endless
	refuse "a value far too long" "longer than any map" piped endless load
}

test_bad_json()
{
	local head='{"kmap_dump":1,"entries":[\n' end='\n],"count":1}\n'
	local entry='{"key":"a","value":"1"}'

	bad "an empty file for --json" 1 "cut off" '' -j
	bad "a dump in text for --json" 1 "no JSON" 'kmap-dump 1\nend 0\n' -j
	bad "other JSON" 1 "kmap_dump" '{"key":"a"}' -j
	bad "a later version" 1 "version 2" '{"kmap_dump":2,"entries":[],"count":0}' -j
	bad "a cut document" 3 "cut off" "$head$entry\n" -j
	bad "a document without count" 3 "count" "$head$entry\n]}" -j
	bad "a document without entries" 1 "entries" '{"kmap_dump":1,"count":0}' -j
	bad "a count too high" 3 "says 2" "$head$entry\n],\"count\":2}" -j
	bad "an unknown member" 3 "unknown" "$head$entry\n],\"extra\":2}" -j
	bad "entries twice" 3 "repeated" "$head$entry\n],\"entries\":[]}" -j
	bad "an entry without value" 2 "needs a" "$head{\"key\":\"a\"}$end" -j
	bad "an entry without key" 2 "needs a" "$head{\"value\":\"a\"}$end" -j
	bad "an entry with two keys" 2 "twice" \
		"$head{\"key\":\"a\",\"key\":\"b\",\"value\":\"\"}$end" -j
	bad "an entry with an unknown member" 2 "unknown member" \
		"$head{\"key\":\"a\",\"colour\":\"red\"}$end" -j
	bad "an empty key" 2 "empty key" "$head{\"key\":\"\",\"value\":\"\"}$end" -j
	bad "a number for a value" 2 "begin a string" "$head{\"key\":\"a\",\"value\":1}$end" -j
	bad "a string for a number" 2 "whole number" \
		"$head{\"key\":\"a\",\"number\":\"1\"}$end" -j
	bad "a number with a fraction" 2 "whole number" \
		"$head{\"key\":\"a\",\"number\":1.0}$end" -j
	bad "a number too large" 2 "whole number" \
		"$head{\"key\":\"a\",\"number\":9223372036854775808}$end" -j
	bad "a number too small" 2 "whole number" \
		"$head{\"key\":\"a\",\"number\":-9223372036854775809}$end" -j
	bad "a number and a value" 2 "not both" \
		"$head{\"key\":\"a\",\"number\":1,\"value\":\"1\"}$end" -j
	bad "a value and a number" 2 "not both" \
		"$head{\"key\":\"a\",\"value\":\"1\",\"number\":1}$end" -j
	bad "two numbers" 2 "twice" \
		"$head{\"key\":\"a\",\"number\":1,\"number\":1}$end" -j
	bad "a comma too many" 3 "begin an entry" "$head$entry,$end" -j
	bad "a comma missing" 2 "behind an entry" "$head$entry$entry$end" -j
	bad "something behind the document" 4 "follows" "$head$entry${end}x" -j
	bad "half a surrogate pair" 2 "surrogate" \
		"$head{\"key\":\"a\",\"value\":\"\\\\ud800\"}$end" -j
	bad "an unknown escape" 2 "escape" \
		"$head{\"key\":\"a\",\"value\":\"\\\\x41\"}$end" -j
	bad "a string that is no UTF-8" 2 "UTF-8" \
		"$head{\"key\":\"a\",\"value\":\"\\377\"}$end" -j
	bad "a newline in a string" 2 "0x0a" \
		"$head{\"key\":\"a\",\"value\":\"\n\"}$end" -j
	bad "base64 of the wrong length" 2 "multiple of 4" \
		"$head{\"key\":\"a\",\"value\":{\"base64\":\"AAA\"}}$end" -j
	bad "base64 with other characters" 2 "base64 character" \
		"$head{\"key\":\"a\",\"value\":{\"base64\":\"AA*=\"}}$end" -j
	bad "base64 with bits left over" 2 "left over" \
		"$head{\"key\":\"a\",\"value\":{\"base64\":\"AB==\"}}$end" -j
	bad "another object for a value" 2 "base64" \
		"$head{\"key\":\"a\",\"value\":{\"hex\":\"00\"}}$end" -j

	cat >free.json <<-'END'
		 { "kmap_dump" : 1 , "count" : 2 ,
		   "entries" : [ { "version" : 5 , "value" : "\u00e9\ud83d\ude00" ,
		   "key" : { "base64" : "/wA=" } } ,
		   {"key":"\"\\\/\b\f\n\r\t","value":{"base64":""}} ] }
	END
	check "JSON in another layout is JSON" json free.json
	expect "... and loads" 0 '{"loaded":2,"present":0}\n' kmap load -j free.json
	expect "... exactly" 0 '"\\\\/\\x08\\x0c\\n\\r\\t\t\n\\xff\\x00\t\\xc3\\xa9\\xf0\\x9f\\x98\\x80\n' \
		kmap keys -sv
	kmap clear -yq
}

has_many_entries()
{
	[ "$(kmap info entries)" -ge 4096 ]
}

# From a pipe, the records before a bad place are loaded and counted.
test_counts()
{
	local i loaded writer

	echo "kmap-dump 1" >broken
	for ((i = 0; i < 4500; i++)); do
		printf 'key%d\tvalue\n' "$i"
	done >>broken
	cp broken open
	echo "no tab" >>broken
	exits "a pipe with a bad line" 2 piped broken load
	check "... is reported with the line" said "line 4502"
	check "... and the count" said "4500 records loaded"
	expect "... which is right" 0 "4500\n" kmap info entries
	kmap clear -yq
	run kmap load broken
	check "a file with a bad line" said "0 records loaded"
	expect "... loads nothing" 0 "0\n" kmap info entries
	refuse "load of a file that is not there" "cannot open" kmap load nofile
	exits "load of a directory" 2 kmap load .
	check "... says why" said "cannot read"
	refuse "load of two files" "unexpected operand" kmap load open open

	# A signal stops a load while its pipe is still open.
	mkfifo fifo
	kmap load fifo >out 2>err &
	writer=$!
	exec 9>fifo
	cat open >&9
	check "load stores while the pipe is open" wait_for has_many_entries
	kill -TERM "$writer"
	exec 9>&-
	wait "$writer"
	status=$?
	check "a load that is stopped has status 2" test "$status" -eq 2
	loaded=$(sed -n 's/ records loaded$//p' err)
	check "... and says how much it loaded" test -n "$loaded"
	expect "... which is right" 0 "$loaded\n" kmap info entries
	kmap clear -yq
}

test_round_trip
test_numbers
test_sizes
test_policies
test_bad_text
test_bad_json
test_counts
finish
