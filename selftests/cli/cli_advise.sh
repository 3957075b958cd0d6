#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# The kmap command: advise.  Each candidate is really loaded and measured, the
# module that was loaded is loaded again as it was, and a map that has entries or is
# open is never unloaded.  No test here depends on which candidate wins.

# Functions are called through check.
# shellcheck disable=SC2317

. "$(dirname "$0")/cli_common.sh"

parameters=/sys/module/kmap/parameters

# Options for a single, very short round.
short=(-R 1 -D 0.02 -n 100)

not()
{
	! "$@"
}

# How the module is loaded, and its node.
as_loaded()
{
	grep . "$parameters"/*
	stat -c '%u:%g %a' "$device"
}

# fact NAME VARIABLE: read one of the counts that a reload sets to zero.
fact()
{
	read -r "$2" < <(kmap info "$1")
}

# reload PARAMETER...: load the module with these parameters.
reload()
{
	if [ -d /sys/module/kmap ]; then
		rmmod kmap
	fi
	insmod "$KMAP_KO" "$@"
}

# candidates: print what was measured, from JSON, one per line: lock mode, shards,
# window.
candidates()
{
	sed -n 's/^{"lock":"\([a-z]*\)","shards":\([0-9]*\),.*"window":\([a-z]*\),.*/\1 \2 \3/p' \
		"$work/out" | sort
}

# Rates fall from line to line, and ratios are to the first.
rates_fall()
{
	sed -n 's/^{.*"per_second":\([0-9]*\),"ratio":\([0-9.]*\),.*/\1 \2/p' \
		"$work/out" | awk '
		NR == 1 { best = $1; bad = $2 != 1 }
		# A rate below 1/2 is printed as 0.
		NR > 1 && ($1 > last || (best > 100 &&
			   ($1 / best - $2 > 0.01 || $2 - $1 / best > 0.01))) {
			bad = 1
		}
		{ last = $1 }
		END { exit bad || !NR }'
}

# ways CANDIDATE: print it with both ways to look up, if there are two.
ways()
{
	if [ "$(kmap info mapped)" -ne 0 ]; then
		printf '%s false\n%s true\n' "$1" "$1"
	else
		printf '%s false\n' "$1"
	fi
}

# Without --reload nothing is loaded or unloaded.
test_loaded()
{
	local sets_before sets_after gets_before gets_after

	kmap set mine 1
	fact sets sets_before
	as_loaded >before
	ways "$(kmap info lock) $(kmap info shards)" >want
	run kmap advise -j "${short[@]}"
	check "a map that is loaded is measured" test "$status" -eq 0
	check "... --json is JSON" json out
	check "... of what is loaded alone" printed '"tried":"loaded"'
	candidates >got
	same "... in both ways" want got
	check "... from the best one on" rates_fall
	check "... with no parameters to take" not printed '"parameters"'
	fact sets sets_after
	check "... the very map that was there" \
		test "$sets_after" -ge $((sets_before + 100))
	expect "... and its keys stay" 0 "mine\n" kmap keys
	as_loaded >after
	same "... and the module" before after

	# The module counts only gets by system call.
	fact gets gets_before
	run kmap advise -L "${short[@]}" -r 100
	fact gets gets_after
	check "one way is that by system calls" \
		test $((gets_after - gets_before)) -ge 1
	run kmap advise -jW "${short[@]}"
	check "... with --no-window the only one" not printed '"window":true'

	run kmap advise -L "${short[@]}" -r 0
	check "without gets there is one way" \
		matches "^$(kmap info lock) +$(kmap info shards) +- +[0-9]+ +1\.00$"
	check "... and how to try more is said" printed "kmap advise --reload"
	run kmap advise "${short[@]}"
	check "a table has p99" \
		matches '^[a-z]+ +[0-9]+ +(window|calls) +[0-9]+ +[01]\.[0-9]+ +[0-9.]+ us$'
	kmap del mine
}

# A map that somebody needs is not unloaded.
test_refused()
{
	local sets_before sets_after

	as_loaded >before
	kmap set mine 1
	fact sets sets_before
	refuse "a map with an entry" "has 1 entries" \
		kmap advise -x -m "$KMAP_KO" "${short[@]}"
	expect "... which stays" 0 1 kmap get mine
	kmap del mine
	exec 5<"$device"
	refuse "a map that is open" "has the map open" \
		kmap advise -x -m "$KMAP_KO" "${short[@]}"
	exec 5<&-
	fact sets sets_after
	check "... is still the same map" test "$sets_before" -eq "$sets_after"

	refuse "a file that is not there" "No such file" \
		kmap advise -x -m "$work/none" "${short[@]}"
	sed 's/srcversion=./srcversion=Z/' "$KMAP_KO" >other.ko
	refuse "another build" "another kmap is loaded" \
		kmap advise -x -m "$work/other.ko" "${short[@]}"
	cp "$(command -v kmap)" "$work/kmap-copy"
	chmod 755 "$work" "$work/kmap-copy"
	refuse "--reload by others than root" "only root" \
		setpriv --reuid=65534 --clear-groups \
		"$work/kmap-copy" advise -x -m "$KMAP_KO" "${short[@]}"
	fact sets sets_after
	check "none of this loads anything" test "$sets_before" -eq "$sets_after"
	as_loaded >after
	same "... or changes a parameter" before after
}

test_reload()
{
	local lock

	reload lock=rwsem shards=2 max_entries=1234 max_bytes=1M max_key=100 \
		max_value=200 mode=0640 wipe=1
	chown 0:65534 "$device"
	as_loaded >before
	for lock in "rcu 1" "rcu 4" "spinlock 1" "spinlock 4"; do
		ways "$lock"
	done | sort >want
	run kmap advise -jx -m "$KMAP_KO" -l rcu,spinlock -S 4,1 "${short[@]}"
	check "--reload tries what it is told" test "$status" -eq 0
	check "... --json is JSON" json out
	candidates >got
	same "... all of it" want got
	check "... from the best one on" rates_fall
	check "... and has parameters to take" \
		matches '^"parameters":"lock=(rcu|spinlock) shards=[14]"}$'
	as_loaded >after
	same "what was loaded comes back as it was" before after
	expect "... and is empty" 0 "" kmap keys

	run kmap advise -Lx -m "$KMAP_KO" -l rwsem -S default "${short[@]}"
	check "the advice can be typed" \
		matches "^Load with: insmod $KMAP_KO lock=rwsem$"
	check "... and the default is said to be one" \
		matches '^rwsem +[0-9]+ \(default\) +(window|calls) +[0-9]+ +[01]\.[0-9]+$'

	refuse "values longer than the map takes" "values of up to 200" \
		kmap advise -x -m "$KMAP_KO" "${short[@]}" -v 300
	run kmap advise -jx -m "$KMAP_KO" -l rcu -S 1 "${short[@]}" -v 300 \
		max_value=300
	check "... unless a parameter allows them" test "$status" -eq 0
	check "... which is in the advice" \
		printed '"parameters":"lock=rcu shards=1 max_value=300"'
	refuse "a parameter that the module refuses" "cannot load" \
		kmap advise -x -m "$KMAP_KO" "${short[@]}" max_key=0
	as_loaded >after
	same "after all of this it is as it was" before after
}

is_loaded_with()
{
	[ "$(cat "$parameters/lock")" = "$1" ] &&
		[ "$(cat "$parameters/shards")" = "$2" ] &&
		[ "$(kmap info entries)" -gt 0 ]
}

# While it runs, only root can open the candidate's node, and a candidate in which
# somebody has stored an entry is not unloaded.
test_running()
{
	local pid

	as_loaded >before
	kmap advise -x -m "$KMAP_KO" -l spinlock -S 16 -D 86400 -n 50 \
		>table 2>err &
	pid=$!
	check "a candidate is loaded" wait_for is_loaded_with spinlock 16
	check "... for root alone" test "$(stat -c %a "$device")" = 0
	kill -TERM "$pid"
	wait "$pid"
	status=$?
	check "one that is stopped says so" said "stopped by signal"
	check "... and fails" test "$status" -eq 2
	as_loaded >after
	same "... and what was loaded is back" before after

	kmap advise -x -m "$KMAP_KO" -l spinlock -S 16 -D 86400 -n 50 \
		>table 2>err &
	pid=$!
	check "a candidate is loaded again" wait_for is_loaded_with spinlock 16
	kmap set mine 1
	kill -TERM "$pid"
	wait "$pid"
	status=$?
	check "a candidate with others' entries is not unloaded" \
		said "has 1 entries"
	check "... what it is, is said" said "for measuring"
	expect "... and the entry is there" 0 1 kmap get mine
	kmap del mine
}

test_not_loaded()
{
	rmmod kmap
	run kmap advise -jL -m "$KMAP_KO" -l spinlock -S 1 "${short[@]}"
	check "nothing has to be loaded" test "$status" -eq 0
	check "... to try" printed '"tried":"parameters"'
	check "... nor is afterwards" test ! -d /sys/module/kmap
	refuse "others than root, nothing loaded" "only root" \
		setpriv --reuid=65534 --clear-groups \
		"$work/kmap-copy" advise "${short[@]}"

	# Without --module, modprobe finds and loads the module.
	mkdir bin
	cat >bin/modprobe <<-END
	#!/bin/bash
	if [ "\$1" = --show-depends ]; then
		echo "insmod $KMAP_KO some=thing"
		exit
	fi
	[ "\$1" = kmap ] && insmod $KMAP_KO "\${@:2}"
	END
	chmod 755 bin/modprobe
	insmod "$KMAP_KO" lock=rwsem shards=2 max_key=99
	as_loaded >before
	PATH=$work/bin:$PATH run kmap advise -Lx -l rcu -S 8 "${short[@]}" \
		max_value=70
	check "modprobe loads it" \
		matches '^Load with: modprobe kmap lock=rcu shards=8 max_value=70$'
	as_loaded >after
	same "... and loads again what was there" before after
	printf '#!/bin/bash\nexit 1\n' >bin/modprobe
	PATH=$work/bin:$PATH refuse "a modprobe that has none" "not installed" \
		kmap advise -x "${short[@]}"
	as_loaded >after
	same "... before anything is unloaded" before after
}

test_usage()
{
	local i

	for i in "-R 0" "-R x" "-l x" "-l ," "-S 3" "-S 0" "-S 2048" "-S x" \
		"-D 0" "-r 101" "-w x" "lock=rcu" "shards=1" "x" \
		"max_value=;" "-o -n 1 -t 2"; do
		# The words are the arguments.
		# shellcheck disable=SC2086
		refuse "advise $i" "" kmap advise $i
		check "... has a hint" said "kmap advise --help"
	done
	refuse "a parameter that nobody would load with" "--reload" \
		kmap advise max_key=100
	refuse "advise to a full device" "cannot write" \
		full advise "${short[@]}"
}

test_loaded
test_usage
if [ -n "${KMAP_KO:-}" ] && [ "$(id -u)" -eq 0 ]; then
	test_refused
	test_reload
	test_running
	test_not_loaded
else
	echo "# not tried: other parameters, for want of KMAP_KO or rights"
fi
finish
