#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# The kmap command: bench.  What it prints is well formed and agrees with what
# the module counted, its keys come and go, and other keys do not change.  No test
# here depends on how fast anything is.

# Some results are set by name, and functions are called through check.
# shellcheck disable=SC2034,SC2317

. "$(dirname "$0")/cli_common.sh"

# member NAME VARIABLE [FILE]: read a number from JSON, the first of that name.
member()
{
	local text

	slurp text "${3:-out}"
	[[ $text =~ \"$1\":([0-9]+(\.[0-9]+)?) ]]
	printf -v "$2" '%s' "${BASH_REMATCH[1]:-none}"
}

# row NAME: write the object of that name, from the output of the last run, to row.NAME.
row()
{
	local text

	slurp text out
	[[ $text =~ \"$1\":(\{[^}]*\}) ]]
	printf '%s' "${BASH_REMATCH[1]}" >"row.$1"
}

# within NAME LEAST VALUE MOST: the value is between the two; decimals are allowed.
within()
{
	check "$1: $3 is from $2 to $4" awk -v least="$2" -v value="$3" \
		-v most="$4" 'BEGIN { exit !(value + 0 == value &&
			value >= least && value <= most) }'
}

# Print all keys, with versions: none of them may change.
others()
{
	kmap dump --sort --meta
}

# measure OPERATIONS OPTION...: run bench, for longer each time until it completes
# this many operations, since averages need many.  Keeps what the module counted
# before and after for "counted".
measure()
{
	local least=$1 tenths=2 count

	shift
	while ((tenths < 10000)); do
		kmap info >info.before
		run kmap bench -j -D "$((tenths / 10)).$((tenths % 10))" "$@"
		kmap info >info.after
		row all
		member operations count row.all
		[[ $count != none ]] && ((count < least)) || return 0
		((tenths *= 4))
	done
}

# counted NAME VARIABLE: by how much a count of the module grew during the last measure.
counted()
{
	read -r "$2" < <(awk -v name="$1" '$1 == name { n = $2 - n } END { print n }' \
		info.before info.after)
}

has_entries()
{
	[ "$(kmap info entries)" -eq "$1" ]
}

# Not every system has pgrep.  A zombie's cmdline is empty.
no_kmap_runs()
{
	local file name

	for file in /proc/[0-9]*/cmdline; do
		name=
		IFS= read -r -d '' name 2>/dev/null <"$file"
		[ "${name##*/}" != kmap ] || return 1
	done
	return 0
}

test_json()
{
	local name gets sets all get set seconds rate p50 p99 p999 max

	measure 4000 -W -n 500 -r 60
	counted gets gets
	counted sets sets
	check "bench succeeds" test "$status" -eq 0
	check "--json is JSON" json out
	check "... says that gets were system calls" printed '"window":false'
	check "... how many keys of what size" \
		printed '"keys":500,"key_size":16,"value_size":64'
	check "... and who worked" printed '"processes":1,"threads":1'
	member seconds seconds
	for name in get set all; do
		row "$name"
		member p50 p50 "row.$name"
		member p99 p99 "row.$name"
		member p999 p999 "row.$name"
		member max max "row.$name"
		within "$name: p50" 1 "$p50" "$p99"
		within "$name: p99" 1 "$p99" "$p999"
		within "$name: p99.9" 1 "$p999" "$max"
		# With one worker, all figures are about the same time.
		member operations all "row.$name"
		member per_second rate "row.$name"
		within "$name: operations per second by seconds" \
			"$(awk "BEGIN { print $all * 0.98 - 10 }")" \
			"$(awk "BEGIN { print $rate * $seconds }")" \
			"$(awk "BEGIN { print $all * 1.02 + 10 }")"
	done
	member operations get row.get
	member operations set row.set
	check "gets and sets are all" test $((get + set)) -eq "$all"
	check "the module counted as many gets" test "$gets" -eq "$get"
	check "... and as many sets, beside those of the keys" \
		test "$sets" -eq $((set + 500))
	within "share of gets" 54 "$(awk "BEGIN { print 100 * $get / $all }")" 66
	check "no get found nothing" printed '"missing":0'
	expect "no key stays" 0 "$((10 + 0))\n" kmap info entries

	run kmap bench -jLD 0.1 -r 100
	row set
	expect "--read 100 sets nothing" 0 \
		'{"operations":0,"per_second":0}' cat row.set
	run kmap bench -jD 0.1 -r 0 -v 0
	row get
	expect "--read 0 gets nothing" 0 '{"operations":0,"per_second":0}' \
		cat row.get
	run kmap bench -jLD 0.1
	check "--no-latency is JSON" json out
	check "... and has no latencies" not printed p50
	if [ "$(kmap info window)" -ne 0 ]; then
		check "gets take the window" printed '"window":true'
	else
		check "gets take no window, there is none" printed '"window":false'
	fi
}

not()
{
	! "$@"
}

test_table()
{
	run kmap bench -D 0.2 -p 2 -t 2 -n 100 -k 20 -v 1000
	check "bench prints a table" test "$status" -eq 0
	check "... about the map" \
		matches "^map +$(kmap info lock), $(kmap info shards) shards?, gets "
	check "... about the workers" \
		matches '^workers +2 processes of 2 threads, [0-9.]+ s$'
	check "... about the keys" matches \
		'^keys +100 of 20 bytes, values of 1000 bytes; uniform, the hottest in [0-9.]+ %'
	check "... about the mix" matches '^mix +95 % get, 5 % set$'
	check "... with a head" \
		matches '^ +operations +ops/s +p50 +p99 +p99\.9 +max$'
	check "... and rows" matches \
		'^all +[0-9]+ +[0-9]+( +[0-9.]+ [num]?s ?){4}$'
	run kmap bench -LD 0.1
	check "--no-latency" matches '^get +[0-9]+ +[0-9]+$'
}

# How often the first of n keys is drawn: 1/n, or 1 / (1 + 1/2^T + ... 1/n^T).
test_skew()
{
	local hottest

	measure 4000 -L -n 50
	member hottest hottest
	within "uniform: share of the first key" 1 "$hottest" 3
	measure 4000 -L -n 50 -s zipf
	member hottest hottest
	within "zipf: share of the first key" 18 "$hottest" 26
	measure 4000 -L -n 50 -s zipf:0.5
	member hottest hottest
	within "zipf:0.5: share of the first key" 6 "$hottest" 10
	for count in 1 2 3; do
		exits "zipf of $count keys" 0 kmap bench -D 0.05 -n "$count" -s zipf
	done
}

test_workers()
{
	local one

	run kmap bench -jD 0.3 -p 3 -t 2
	check "3 processes of 2 threads" printed '"processes":3,"threads":2'
	member missing one
	check "... find all keys" test "$one" -eq 0
	# The time is too short for most of them to begin.
	run kmap bench -jLD 0.001 -p 16 -t 16 -r 0 -n 300
	row all
	member operations one row.all
	check "each of 256 workers completes an operation" test "$one" -ge 256
	# Numbers of several characters, in the shortest possible keys.
	expect "keys of the smallest size are as many as told" 0 "1\n" \
		bash -c 'kmap bench -jLD 0.05 -n 5000 -k 13 | grep -c "\"keys\":5000,"'
}

# The operations that are not gets do what the module counts.
test_write()
{
	local adds sets gets write get

	measure 1000 -L -n 20 -w add
	counted adds adds
	row add
	member operations write row.add
	check "--write add adds" test "$adds" -eq "$write"
	check "... at all" test "$write" -gt 0
	check "... to values of 8 bytes" printed '"value_size":8,'
	check "... and says so" printed '"write":"add","own":false'

	measure 100 -L -W -n 3 -r 20 -t 4 -w match
	counted sets sets
	counted gets gets
	row match
	row get
	member operations write row.match
	member operations get row.get
	check "--write match sets" test "$sets" -eq $((write + 3))
	# There is one more get for each set that came too late.
	check "... each after a get" test "$gets" -ge $((write + get))

	run kmap bench -D 0.2 -r 0 -w add -t 2 -n 7 -o
	check "--own is said" matches \
		'^mix +0 % get, 100 % add, keys of its own for each thread$'
}

# has_added COUNT: have so many counters of the benchmark changed?  All start from
# 0x7676767676767676.
has_added()
{
	kmap keys -n | grep '^bench\.' >numbers
	[ "$(grep -vc '8536140394893047414$' numbers)" -eq "$1" ]
}

# With --own no two threads share a key, and all keys of each are used.
test_own()
{
	local pid

	kmap bench -D 86400 -r 0 -w add -p 2 -t 2 -n 9 -o >table 2>err &
	pid=$!
	check "keys for --own come" wait_for has_entries 19
	check "two keys of each of four threads are used" wait_for has_added 8
	check "... and the ninth is not" has_added 8
	kill -TERM "$pid"
	wait "$pid"
	check "... and go" has_entries 10
}

# The keys exist during the run, and are removed at its end.
test_keys()
{
	local pid i lines

	kmap bench -D 86400 -n 300 -k 24 -v 5 -p 2 >table 2>err &
	pid=$!
	check "keys come" wait_for has_entries 310
	kmap keys >names
	lines=$(grep -c '^bench\.[-_0-9A-Za-z]\{6\}\.\{12\}$' names)
	check "... that begin with bench." test "$lines" -eq 300
	kill -TERM "$pid"
	wait "$pid"
	status=$?
	check "a bench that is stopped succeeds" test "$status" -eq 0
	check "... prints its figures" matches '^all +[0-9]+' table
	check "... and leaves no key" has_entries 10

	kmap bench -D 86400 -n 300 -p 3 >table 2>err &
	pid=$!
	check "keys come again" wait_for has_entries 310
	disown "$pid"
	kill -KILL "$pid"
	check "a bench that is killed takes its processes along" \
		wait_for no_kmap_runs
	kmap keys -0 | grep -z '^bench\.' | xargs -0 kmap del --
	check "... and its keys can be told from others" has_entries 10
}

test_usage()
{
	local i

	refuse "bench with an operand" "unexpected operand" kmap bench x
	for i in "-p 0" "-t 0" "-p 2000" "-p 32 -t 33" "-r 101" "-r -1" "-n 0" \
		"-n 9999999999" "-k 0" "-n 5000 -k 12" "-v x" "-D 0" "-D 1e3" \
		"-D ." "-D inf" "-s nonsense" "-s zipf:1" "-s zipf:" "-s zipf:x" \
		"-w x" "-w add -v 9" "-o -n 3 -p 2 -t 2"; do
		# The words are the arguments.
		# shellcheck disable=SC2086
		refuse "bench $i" "" kmap bench $i
		check "... has a hint" said "kmap bench --help"
	done
	refuse "a key that is too long" "keys of up to" \
		kmap bench -k $(($(kmap info max_key) + 1))
	refuse "a value that is too long" "values of up to" \
		kmap bench -v $(($(kmap info max_value) + 1))
	refuse "bench to a full device" "cannot write" full bench -D 0.05
	check "none of this leaves a key" has_entries 10
}

# A map that cannot take all the keys.
test_full()
{
	if [ -z "${KMAP_KO:-}" ] || [ "$(id -u)" -ne 0 ]; then
		echo "# not tried: a map of other limits, for want of KMAP_KO or rights"
		return
	fi
	# Parameters are words.
	# shellcheck disable=SC2086
	rmmod kmap && insmod "$KMAP_KO" ${KMAP_PARAMS:-} max_entries=1000
	kmap set mine 1
	refuse "a map that gets full" "full" kmap bench -n 1000
	expect "... has then what it had before" 0 "mine\n" kmap keys
	expect "... and room for one key less" 0 "" \
		bash -c 'kmap bench -n 999 -D 0.05 >/dev/null'
	kmap del mine
}

for ((i = 0; i < 10; i++)); do
	printf 'other%d\t%d\n' "$i" "$i"
done >records
{ echo "kmap-dump 1"; cat records; echo "end 10"; } >dump
expect "keys of others" 0 "10 records loaded\n" kmap load dump
others >before

test_json
test_table
test_skew
test_workers
test_write
test_own
test_keys
test_usage

others >after
same "nobody else's key has changed" before after
kmap clear -yq
test_full
finish
