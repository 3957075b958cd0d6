#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# The runner, in the guest: loads the module anew for each test program, runs
# the program, unloads the module, and looks at the kernel's log.
#
#	guest.sh PLAN
#
# A line of PLAN is one run: lock mode, shards ("-" for the default),
# seconds it may take, name of the program in /kmap/tests.
#
# On stdout: one line per run, and what a failed one printed.  On fd 8: what every
# program prints, in full.  On fd 9, for the host's verdict:
#
#	at LABEL			a run begins
#	result LABEL pass|fail|skip SECONDS WORDS...
#
# where LABEL is lock mode, shards and name, as in PLAN.  With VM_VERBOSE=1 stdout
# has all that the programs print.

set -u

TESTS=/kmap/tests
KMAP_KO=/kmap/kmap.ko
export KMAP_KO

# After a program has ended, the runner looks this many times, mostly a second apart,
# whether its processes have ended, too, and again after it has killed them.  That is
# long because the host may be busy, and only processes that stay forever must be
# found.  check.sh leaves time for that.
PATIENCE=40

DIR=$(mktemp -d -p /tmp)
mkfifo "$DIR/never" "$DIR/pipe"
exec 6<> "$DIR/never"

# The name in field 2 is "(bash)" or like it: no blanks.
SESSION=$(cut -d ' ' -f 6 "/proc/$$/stat")

# nap SECONDS: sleep without a process.
nap()
{
	read -r -t "$1" -u 6
}

# find_others: set OTHERS to the processes that the program left behind: those with a
# session other than the runner's.  Kernel threads and PID 1 have none.
find_others()
{
	local file stat fields

	OTHERS=()
	for file in /proc/[0-9]*/stat; do
		read -r stat 2>/dev/null < "$file" || continue
		# pid (name) state parent group session; names can hold anything
		read -r -a fields <<< "${stat##*) }"
		case ${fields[0]} in
		Z|X)	continue ;;
		esac
		case ${fields[3]} in
		0|"$SESSION")	continue ;;
		esac
		OTHERS+=("${stat%% *}")
	done
} 2>/dev/null

names_of()
{
	local pid

	for pid; do
		cat "/proc/$pid/comm" 2>/dev/null
	done | sort | uniq -c | awk '{ printf "%s%s x %s", s, $1, $2; s = ", " }'
}

# wait_for_others: look until all are gone, and less often if that takes long.
wait_for_others()
{
	local look

	find_others
	for ((look = 0; look < PATIENCE && ${#OTHERS[@]}; look++)); do
		nap $((look < 10 ? 0 : 1)).1
		find_others
	done
}

# clear_others: wait for processes that the program left, then kill them.  Fails, with
# LEFT set, if it had to kill some.
clear_others()
{
	local left

	wait_for_others
	((${#OTHERS[@]})) || return 0
	left=$(names_of "${OTHERS[@]}")
	LEFT="left processes running: $left"
	kill -KILL "${OTHERS[@]}" 2>/dev/null
	wait_for_others
	((${#OTHERS[@]} == 0)) || LEFT="left processes that cannot be killed: $left"
	return 1
}

# guard PID SECONDS: when the time is up, let the kernel print what hangs, and kill
# the program with its process group; then wake the runner, in case the program
# cannot be killed.
guard()
{
	nap "$2"
	: > "$DIR/late"
	echo w > /proc/sysrq-trigger
	echo l > /proc/sysrq-trigger
	kill -KILL -- "-$1" "$1" 2>/dev/null
	nap "$PATIENCE"
	kill -USR1 $$
}
trap : USR1

# judge_output STATUS: pass, fail or skip, from exit status and TAP.  Sets
# RESULT and WHY.
judge_output()
{
	local status=$1 plan ok bad skip

	# A single program, since each takes some tenths of a second on a debug kernel.
	read -r ok bad skip plan < <(awk '
	/^ok /		{ ok++; skip += tolower($0) ~ /# *skip/ }
	/^not ok /	{ bad++ }
	/^1\.\.[0-9]/	{ plan = substr($0, 4); sub(/[^0-9].*/, "", plan) }
	END		{ print ok + 0, bad + 0, skip + 0, plan }' "$DIR/output")
	RESULT=fail
	if ((status == 4)); then
		RESULT=skip
		WHY=$(grep -a -i -m 1 '# *skip' "$DIR/output")
		WHY=${WHY:-no reason given}
	elif ((bad)); then
		WHY="$bad of ${plan:-$((ok + bad))} checks failed"
	elif ((status > 128)); then
		WHY="killed by SIG$(kill -l $((status - 128)))"
	elif ((status != 0)); then
		WHY="exit status $status, though no check failed"
	elif ((ok == 0)) && [[ $plan == 0 ]]; then
		RESULT=skip
		WHY='plan is 1..0'
	elif ((ok == 0)); then
		WHY='exit status 0, but no check in its output'
	elif [[ -z $plan ]]; then
		WHY='no plan (1..N) in its output'
	elif ((ok + bad != plan)); then
		WHY="$plan checks planned, $((ok + bad)) made"
	elif ((ok == skip)); then
		RESULT=skip
		WHY='every check was skipped'
	else
		RESULT=pass
		WHY="$ok checks"
		((skip == 0)) || WHY="$((ok - skip)) checks, $skip skipped"
	fi
}

fail()
{
	# Keep the first reason: later ones are often its effects.
	[[ $RESULT == fail ]] && return
	RESULT=fail
	WHY=$1
}

# run LOCK SHARDS SECONDS NAME: one run.
run()
{
	local lock=$1 shards=$2 limit=$3 name=$4 status splat

	RESULT=pass WHY='' LEFT=''
	KMAP_LOCK=$lock KMAP_SHARDS=${shards#-} KMAP_PARAMS="lock=$lock"
	[[ -z $KMAP_SHARDS ]] || KMAP_PARAMS+=" shards=$KMAP_SHARDS"
	export KMAP_LOCK KMAP_SHARDS KMAP_PARAMS

	echo "kmap-vm: at $1 $2 $4" > /dev/kmsg
	rm -rf "$DIR"/{late,output,tmp}
	mkdir "$DIR/tmp"
	: > "$DIR/output"

	if [[ -d /sys/module/kmap ]] && ! rmmod kmap 2> "$DIR/error"; then
		fail 'not run: the module of an earlier test cannot be unloaded'
		return
	fi
	# The parameters must be split into words.
	# shellcheck disable=SC2086
	if ! insmod "$KMAP_KO" $KMAP_PARAMS 2> "$DIR/error"; then
		fail "not run: insmod $KMAP_PARAMS: $(tail -n 1 "$DIR/error")"
		return
	fi

	if [[ ${VM_VERBOSE:-0} == 1 ]]; then
		tee -a "$DIR/output" >(cat >&8) < "$DIR/pipe" | sed -u 's/^/    /' &
	else
		tee -a "$DIR/output" < "$DIR/pipe" >&8 &
	fi
	TEE_PID=$!
	printf '# %s %s %s\n' "$lock" "$shards" "$name" >&8
	(
		cd "$TESTS" || exit 126
		TMPDIR=$DIR/tmp exec setsid "./$name"
	) < /dev/null > "$DIR/pipe" 2>&1 6>&- 8>&- 9>&- &
	PROGRAM_PID=$!
	guard "$PROGRAM_PID" "$limit" 8>&- 9>&- &
	GUARD_PID=$!
	disown "$GUARD_PID"
	wait "$PROGRAM_PID" 2>/dev/null
	status=$?
	kill -KILL "$GUARD_PID" 2>/dev/null

	clear_others || kill "$TEE_PID"
	wait "$TEE_PID" 2>/dev/null

	judge_output "$status"
	[[ -z $LEFT ]] || fail "$LEFT"
	if [[ -e $DIR/late ]]; then
		RESULT=fail WHY="TIMEOUT after $limit s${LEFT:+; $LEFT}"
	fi
	if [[ -d /sys/module/kmap ]] && ! rmmod kmap 2> "$DIR/error"; then
		fail "unload refused: $(tail -n 1 "$DIR/error")"
	fi
	dmesg -c > "$DIR/log"
	splat=$(grep -a -E -m 1 -f /etc/splats "$DIR/log")
	if [[ -n $splat ]]; then
		# A splat is the cause of all other failures.
		[[ ! -e $DIR/late ]] || splat+="; TIMEOUT after $limit s"
		RESULT=fail WHY="SPLAT: $splat"
	fi
}

# report LABEL SECONDS: tell the host and the reader.
report()
{
	local lock shards name mark=ok

	read -r lock shards name <<< "$1"
	printf 'result %s %s %s %s\n' "$1" "$RESULT" "$2" "$WHY" >&9
	[[ $RESULT == pass ]] || mark=${RESULT^^}
	[[ $shards == - ]] || lock+=" shards=$shards"
	printf '%-4s  %-18s %-24s %6s s  %s\n' "$mark" "$lock" "$name" "$2" "$WHY"
	# The whole report of the first splat: its first line does not tell whose it was.
	[[ $WHY != SPLAT:* ]] || grep -a -E -A 50 -m 1 -f /etc/splats "$DIR/log" |
		sed "s/^/      $lock $name | /"
	[[ $RESULT == fail && ${VM_VERBOSE:-0} != 1 ]] || return 0
	if (($(wc -l < "$DIR/output") > 60)); then
		# Lines about a failed check are before it or after it.
		grep -a -B 4 -A 12 '^not ok ' "$DIR/output" | head -n 100
		printf '...\n'
		tail -n 10 "$DIR/output"
	else
		cat "$DIR/output"
	fi | sed "s/^/      $lock $name | /"
}

dmesg -c > /dev/null
while read -r lock shards limit name; do
	label="$lock $shards $name"
	echo "at $label" >&9
	begun=${EPOCHREALTIME/./}
	if [[ -x $TESTS/$name ]]; then
		run "$lock" "$shards" "$limit" "$name"
	else
		RESULT=fail WHY='not run: no such program'
		: > "$DIR/output"
	fi
	took=$((${EPOCHREALTIME/./} - begun))
	report "$label" "$((took / 1000000)).$((took / 100000 % 10))"
done < "$1"
exit 0
