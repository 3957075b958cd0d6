#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# Run the litmus tests under the memory model of the kernel.
#
#	run.sh [TEST]...	default: all; patterns are fine
#
# A test passes when herd7 says that its bad outcome never happens and that there
# is no data race, and when the code still is as its "Code:" lines say.  A twin,
# named after its test and what it lacks, passes when herd7 finds the bad outcome;
# it must be its test but for a few lines.  A test without a twin fails, and so
# does a barrier in the module that no test names.
#
# herd7 is the one on the PATH, else that of Debian sid (see ../vm/sid.sh).  The
# last line is "N passed, N failed, N skipped".  Fails unless all passed.

set -u
. "$(dirname "$0")/../vm/lib.sh"

DIR=$(cd "$(dirname "$0")" && pwd)
LIMIT=900		# seconds; one that takes so long never ends
TWIN_LINES=8		# lines in which a twin may differ, old and new

# What check_barriers looks for.
BARRIERS='smp_[a-z_]+|[a-z_]*synchronize_rcu[a-z_]*'
BARRIERS+='|atomic[a-z0-9_]*_(return|and_test|xchg|cmpxchg)[a-z_]*'

# find_herd: where herd7 is; ROOT is the folder to enter for it, or empty.
find_herd()
{
	ROOT=
	if ! command -v herd7 >/dev/null; then
		ROOT=$("$VM_DIR/sid.sh" herd7 'herd7 -version' herdtools7) ||
			exit
	fi
	WORK=$(mktemp -d -p "$ROOT/tmp") || exit
	chmod 755 "$WORK"
}

# herd ARGUMENT...: run herd7 in the work folder, as nobody where that can be.
herd()
{
	if [[ -n $ROOT ]]; then
		# shellcheck disable=SC2016
		timeout $LIMIT chroot --userspec=65534:65534 "$ROOT" \
			/usr/bin/env -i /bin/sh -c 'cd "$0" && exec herd7 "$@"' \
			"${WORK#"$ROOT"}" "$@"
	else
		(cd "$WORK" && timeout $LIMIT herd7 "$@")
	fi
}

# original TEST: what it is a twin of, or nothing.
original()
{
	if [[ -e $DIR/${1%-*}.litmus ]]; then
		printf '%s\n' "${1%-*}"
	fi
}

# body TEST: without the head, and without comments.
body()
{
	sed -e '1,/^ \*)$/d' -e 's|[[:blank:]]*/\*[^*]*\*/||' \
		-e '/^[[:blank:]]*$/d' "$DIR/$1.litmus"
}

# clause TEST: what must, or must not, happen.
clause()
{
	sed -n '/^exists/,$p' "$DIR/$1.litmus"
}

# check_test TEST: what is wrong with a test, apart from its outcome.
check_test()
{
	local -a twins=("$DIR/$1"-*.litmus)

	[[ -e ${twins[0]} ]] || printf 'has no twin\n'
	awk -v top="$TOP_DIR" -f "$DIR/code.awk" "$DIR/$1.litmus"
}

# check_twin TWIN TEST
check_twin()
{
	local lines

	[[ $(clause "$1") == "$(clause "$2")" ]] ||
		printf 'its "exists" clause is not that of %s\n' "$2"
	lines=$(diff <(body "$1") <(body "$2") | grep -c '^[<>]')
	((lines)) || printf 'it is the same as %s\n' "$2"
	((lines <= TWIN_LINES)) || printf \
		'it differs from %s in %d lines, more than %d\n' "$2" "$lines" \
		"$TWIN_LINES"
}

# check TEST: print what is wrong, and leave the verdict in VERDICT.
check()
{
	local test=$1 twin_of flags first status

	read -r first < "$DIR/$test.litmus"
	[[ $first == "C $test" ]] || printf 'its first line is not "C %s"\n' "$test"

	herd -conf linux-kernel.cfg "$test.litmus" > "$WORK/$test.out" 2>&1
	status=$?
	VERDICT=$(awk -v test="$test" '$1 == "Observation" && $2 == test {
			print $3
		}' "$WORK/$test.out")
	flags=$(sed -n 's/^Flag //p' "$WORK/$test.out")
	if ((status == 124)); then
		printf 'no verdict in %d seconds\n' $LIMIT
		return
	elif [[ -z $VERDICT ]]; then
		printf 'no verdict from herd7:\n'
		cat "$WORK/$test.out"
		return
	fi

	twin_of=$(original "$test")
	if [[ -n $twin_of ]]; then
		[[ $VERDICT == Sometimes ]] ||
			printf 'is not broken: it must be Sometimes\n'
		# What is missing may well make a race of it.
		flags=${flags/data-race/}
		check_twin "$test" "$twin_of"
	else
		[[ $VERDICT == Never ]] ||
			printf 'can go wrong: it must be Never\n'
		check_test "$test"
	fi
	[[ -z $flags ]] || printf 'herd7 flags: %s\n' "${flags//$'\n'/, }"
}

# check_barriers: the barriers in the module that no test names.
check_barriers()
{
	local file line text

	grep -h $'^ [*]\tmodule/' "$DIR"/*.litmus > "$WORK/code"
	while IFS=: read -r file line text; do
		while IFS=$'\t' read -r _ named _ part; do
			if [[ $named == "$file" && $text == *"$part"* ]]; then
				continue 2
			fi
		done < "$WORK/code"
		printf '%s:%d: no test names it: %s\n' "$file" "$line" "${text##*$'\t'}"
	done < <(cd "$TOP_DIR" && grep -n -E \
		"\\b($BARRIERS)\\(" module/*.[ch] |
		grep -v -E '^[^:]*:[0-9]*:[[:blank:]]*/?\*')
}

# report NAME BEGUN: a line for what check left in FAULTS.
report()
{
	local took=$((${EPOCHREALTIME/./} - $2)) result=ok

	[[ ! -s $FAULTS ]] || result=FAIL
	printf '%-5s %-28s %-10s %2d.%02d s\n' $result "$1" "$VERDICT" \
		$((took / 1000000)) $((took / 10000 % 100))
	if [[ $result == ok ]]; then
		((++PASSED))
	else
		sed 's/^/      /' "$FAULTS"
		FAILED+=("$1")
	fi
}

TESTS=()
for pattern in "${@:-*}"; do
	mapfile -t found < <(cd "$DIR" && compgen -G "$pattern.litmus")
	((${#found[@]})) || die "no litmus test of the name $pattern"
	TESTS+=("${found[@]}")
done
mapfile -t TESTS < <(printf '%s\n' "${TESTS[@]%.litmus}" | sort -u)

WORK=
trap '[[ -z $WORK ]] || rm -rf "$WORK"' EXIT
trap 'exit 130' INT TERM HUP
MODEL=$("$DIR/model.sh") || exit
find_herd
cp "$MODEL"/* "$DIR"/*.litmus "$WORK" || exit
FAULTS=$WORK/faults

VERSION=$(herd -version) || die 'herd7 does not run'
VERSION=${VERSION%%,*}
say "Running ${#TESTS[@]} litmus tests (herd7 $VERSION, ${MODEL##*/})"
PASSED=0 FAILED=()
for test in "${TESTS[@]}"; do
	begun=${EPOCHREALTIME/./} VERDICT=
	check "$test" > "$FAULTS"
	report "$test" "$begun"
done
if ((!$#)); then
	begun=${EPOCHREALTIME/./} VERDICT=
	check_barriers > "$FAULTS"
	report 'every barrier has a test' "$begun"
fi

printf '\n'
((${#FAILED[@]} == 0)) || printf 'Failed: %s\n' "${FAILED[*]}"
printf '%d passed, %d failed, 0 skipped\n' "$PASSED" "${#FAILED[@]}"
((PASSED && ${#FAILED[@]} == 0))
