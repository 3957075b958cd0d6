#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# Does the test runner notice what fails, and name it?  Runs check.sh with programs
# that fail in every way, and with a module that breaks the guest's kernel on request
# (faults/), and checks the verdicts.
#
# The last line is "N passed, N failed, N skipped".

set -u
. "$(dirname "$0")/lib.sh"

WORK=$(mktemp -d)
trap 'rm -rf "$WORK"' EXIT
trap 'exit 130' INT TERM HUP

export KMAP_KO=$WORK/module/kmap.ko TEST_DIR=$WORK/tests BIN_DIR='' V=0
export LOCK=rcu TIMEOUT=30 HAMMER='hammer*'
unset TESTS LIST
PASSED=0 FAILED=0

# program NAME: a test program, its body from stdin.
program()
{
	{
		printf '#!/bin/sh\n'
		cat
	} > "$TEST_DIR/$1"
	chmod +x "$TEST_DIR/$1"
}

# check NAME TESTS [OPTION]...: run them, output in WORK/output.
check()
{
	printf '   %s\n' "$1"
	NAME=$1
	shift
	TESTS=$1
	shift
	TESTS=$TESTS "$VM_DIR/check.sh" "$@" > "$WORK/output" 2>&1
	STATUS=$?
}

# expect PATTERN: a line of the output matches.
expect()
{
	if grep -q -E -e "$1" "$WORK/output"; then
		((++PASSED))
		return
	fi
	((++FAILED))
	bad "FAIL  $NAME: no line that matches: $1"
	tail -n 40 "$WORK/output" | sed 's/^/      | /'
}

# expect_status good|bad: how check.sh ended.
expect_status()
{
	if [[ $1 == good && $STATUS == 0 || $1 == bad && $STATUS != 0 ]]; then
		((++PASSED))
		return
	fi
	((++FAILED))
	bad "FAIL  $NAME: exit status $STATUS is not $1"
}

say 'Trying out the test runner (about 5 minutes)'
mkdir -p "$TEST_DIR" "$WORK/module"
cp "$VM_DIR"/faults/* "$WORK/module/"
KDIR=$("$VM_DIR/kernel.sh" kdir) || exit
make -s -C "$KDIR" M="$WORK/module" modules || exit

# The guest's shell expands these.
# shellcheck disable=SC2016
program hammer_good <<< 'echo 1..1; [ -n "$KMAP_LOCK" ] && echo "ok 1"'
program good <<< 'echo 1..1; echo ok 1; test -c /dev/kmap'
cp "$TEST_DIR/good" "$TEST_DIR/next"
program skips <<< 'echo "1..0 # SKIP nothing here"; exit 4'
program all_skip <<< 'echo 1..1; echo "ok 1 # SKIP not here"'
program fails <<< 'echo 1..2; echo ok 1; echo "not ok 2 this one"; exit 1'
program lies <<< 'echo 1..2; echo ok 1; echo "not ok 2 this one"; exit 0'
program silent <<< 'exit 0'
program short <<< 'echo 1..3; echo ok 1'
program no_plan <<< 'echo ok 1'
program status <<< 'echo 1..1; echo ok 1; exit 3'
program crashes <<< 'echo 1..1; echo ok 1; kill -SEGV $$'
program late <<< 'echo 1..1; sleep 6000; echo ok 1'
program leaves <<< 'echo 1..1; echo ok 1; setsid sleep 7777 & exit 0'
program warns <<< 'echo 1..1; echo w > /dev/kmap; echo ok 1'
program unloads <<< 'echo 1..1; rmmod kmap; echo ok 1'
program pinned <<< 'echo 1..1; echo m > /dev/kmap; echo ok 1'
program stuck <<< 'echo 1..1; echo u > /dev/kmap; echo ok 1'
program panics <<< 'echo 1..1; echo p > /dev/kmap; echo ok 1'
program oopses <<< 'echo 1..1; echo o > /dev/kmap; echo ok 1'
program hangs <<< 'echo 1..1; echo s > /dev/kmap; echo ok 1'
program kills <<< 'echo 1..1; echo ok 1; kill -KILL -1'
program turns_off <<< 'echo 1..1; echo ok 1; poweroff -f'

check 'all is well' 'good hammer_good unloads'
expect_status good
expect '^4 passed, 0 failed, 0 skipped$'
expect '^ok +rcu shards=1 +hammer_good'

check 'skipped is not passed' 'skips all_skip'
expect_status bad
expect '^0 passed, 0 failed, 2 skipped$'
expect '^  rcu - skips: .*nothing here'

check 'programs that fail' \
	'fails lies silent short no_plan status crashes late leaves warns good'
expect_status bad
expect '^  rcu - fails: 1 of 2 checks failed'
expect '^  rcu - lies: 1 of 2 checks failed'
expect '^  rcu - silent: exit status 0, but no check'
expect '^  rcu - short: 3 checks planned, 1 made'
expect '^  rcu - no_plan: no plan'
expect '^  rcu - status: exit status 3'
expect '^  rcu - crashes: killed by SIGSEGV'
expect '^  rcu - late: TIMEOUT after 30 s'
expect '^  rcu - leaves: left processes running: 1 x sleep'
expect '^  rcu - warns: SPLAT: .*(WARNING|cut here)'
expect '^SPLAT: in rcu - warns: .*(WARNING|cut here)'
expect '^ +rcu warns \| .*Call Trace'
expect '^ok +rcu +good'
expect '^1 passed, 10 failed, 0 skipped$'

check 'unload refused' 'good pinned next'
expect_status bad
expect '^  rcu - pinned: unload refused'
expect '^  rcu - next: not run: the module of an earlier test'
expect '^1 passed, 2 failed, 0 skipped$'

check 'a process that cannot be killed' 'stuck good'
expect '^  rcu - stuck: TIMEOUT after 30 s'
expect '^  rcu - good: not run: the module of an earlier test'

check 'panic' 'good panics hammer_good'
expect_status bad
expect '^PANIC: last seen rcu - panics'
expect '^  rcu - panics: PANIC'
expect '^  rcu 1 hammer_good: not run'
expect '^1 passed, 3 failed, 0 skipped$'

check 'oops' 'oopses good'
expect '^  rcu - oopses: PANIC'
expect '^SPLAT: in rcu - oopses: .*(BUG|Oops)'

check 'hang' 'good hangs next' -s 60
expect_status bad
expect '^HANG: silent for 60 s, last seen rcu - hangs'
expect '^  rcu - hangs: HANG'
expect '^  rcu - next: not run: the guest had ended'
expect '^HANG: .*, a CPU in (faults_spin|faults_write)'
expect '^1 passed, 2 failed, 0 skipped$'

check 'a test kills everything' 'kills good'
expect_status bad
expect '^  rcu - kills: FAILED: the command ended'

check 'a test turns the machine off' 'turns_off good'
expect_status bad
expect '^  rcu - turns_off: DIED'

check 'no tests' ''
expect_status bad
expect '^NOTHING RUN'

NAME='no kernel'
head -c 1000000 /dev/urandom > "$WORK/vmlinuz-none"
printf '   %s\n' "$NAME"
KERNEL=$WORK/vmlinuz-none MODULES=none TESTS=good ACCEL=tcg \
	"$VM_DIR/check.sh" -t 30 > "$WORK/output" 2>&1
STATUS=$?
expect_status bad
expect '^NO BOOT: '

printf '%d passed, %d failed, 0 skipped\n' "$PASSED" "$FAILED"
((PASSED && !FAILED))
