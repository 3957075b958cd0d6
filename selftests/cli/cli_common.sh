# shellcheck shell=bash
# SPDX-License-Identifier: GPL-2.0
#
# What the cli*.sh share: TAP, running the kmap command and comparing its
# results.  A script that sources this ends with "finish".
#
# Each run leaves its output in $work/out, its messages in $work/err and its exit
# status in $status.

export LC_ALL=C

device=${KMAP_DEVICE:-/dev/kmap}
if [ ! -e "$device" ]; then
	echo "1..0 # SKIP no $device: is the module loaded?"
	exit 4
fi
if ! command -v kmap >/dev/null; then
	echo "Bail out! no kmap command on the PATH"
	exit 1
fi
# These tests clear the map, so refuse one that somebody may use.
if [ "$(kmap info entries)" != 0 ]; then
	echo "Bail out! the map cannot be read or is not empty"
	exit 1
fi

work=$(mktemp -d) || exit 1
trap 'rm -rf "$work"' EXIT
cd "$work" || exit 1

tests=0
failed=0
status=0

echo "TAP version 13"

# ok NAME, not_ok NAME DETAIL: one result.
ok()
{
	tests=$((tests + 1))
	echo "ok $tests $1"
}

not_ok()
{
	tests=$((tests + 1))
	failed=$((failed + 1))
	echo "not ok $tests $1"
	echo "# $2"
	echo "# exit status $status; stdout and stderr, up to 10 lines:"
	{ head -n 10 "$work/out"; echo; } | tr -c '[:print:]\n' '?' | sed 's/^/# > /'
	{ head -n 10 "$work/err"; echo; } | tr -c '[:print:]\n' '?' | sed 's/^/# ! /'
}

# Processes are slow in an emulated machine, so bash does what it can by itself.

# slurp VARIABLE FILE: read the file; fails if there is a zero byte in it.
slurp()
{
	! IFS= read -r -d '' "$1" <"$2"
}

# run COMMAND...: run it, with the caller's stdin.
run()
{
	"$@" >"$work/out" 2>"$work/err"
	status=$?
}

# Runs of kmap: from a file as standard input, from a pipe with the contents of a
# file, and to a device that is full.
from()
{
	local file=$1

	shift
	kmap "$@" <"$file"
}

piped()
{
	local file=$1

	shift
	# A pipe, not the file itself.
	# shellcheck disable=SC2002
	cat "$file" | kmap "$@"
}

full()
{
	kmap "$@" >/dev/full
}

# wait_for COMMAND...: wait until it succeeds.  That may take long on a slow machine;
# the number of tries only ends a wait for something that never comes.
wait_for()
{
	local tries=12000

	until "$@" 2>/dev/null; do
		((tries--)) || return 1
		sleep 0.05
	done
}

# has_output FORMAT: the last run printed exactly this (a printf format).
has_output()
{
	local want got

	# The format is the caller's way to write bytes.
	# shellcheck disable=SC2059
	if [[ $1 != *'\0'* && $1 != *'\x00'* ]] && slurp got "$work/out"; then
		printf -v want -- "$1"
		[ "$got" = "$want" ]
	else
		printf -- "$1" >"$work/want"
		cmp -s "$work/want" "$work/out"
	fi
}

# expect NAME STATUS OUTPUT COMMAND...: the exit status, and exactly this output
# (a printf format); a message too when the status is not 0.
expect()
{
	local name=$1 want=$2 output=$3

	shift 3
	run "$@"
	if [ "$status" -ne "$want" ]; then
		not_ok "$name" "exit status $status, not $want"
	elif ! has_output "$output"; then
		not_ok "$name" "unexpected output"
	elif [ "$status" -ne 0 ] && [ ! -s "$work/err" ]; then
		not_ok "$name" "no message"
	else
		ok "$name"
	fi
}

# refuse NAME MESSAGE COMMAND...: exit status 2, nothing on stdout, and a message
# with this in it.
refuse()
{
	local name=$1 message=$2

	shift 2
	run "$@"
	if [ "$status" -ne 2 ]; then
		not_ok "$name" "exit status $status, not 2"
	elif [ -s "$work/out" ]; then
		not_ok "$name" "unexpected output"
	elif ! said "$message"; then
		not_ok "$name" "no message with \"$message\""
	else
		ok "$name"
	fi
}

# check NAME COMMAND...: it succeeds; mostly about the output of the last run.
check()
{
	local name=$1

	shift
	if "$@" >/dev/null 2>"$work/check.err"; then
		ok "$name"
	else
		not_ok "$name" "$*: $(head -n 1 "$work/check.err")"
	fi
}

# exits NAME STATUS COMMAND...: the exit status alone.
exits()
{
	local name=$1 want=$2

	shift 2
	run "$@"
	if [ "$status" -eq "$want" ]; then
		ok "$name"
	else
		not_ok "$name" "exit status $status, not $want"
	fi
}

# same NAME FILE FILE: the same bytes.
same()
{
	if cmp -s "$2" "$3"; then
		ok "$1"
	else
		not_ok "$1" "$(cmp "$2" "$3" 2>&1)"
	fi
}

# said MESSAGE: the last run had it on stderr.
said()
{
	local text

	slurp text "$work/err"
	[[ $text == *"$1"* ]]
}

# printed TEXT: the last run had it on stdout.
printed()
{
	local text

	slurp text "$work/out"
	[[ $text == *"$1"* ]]
}

# field NAME VARIABLE: read a number from the JSON that the last run printed.
field()
{
	local text

	slurp text out
	[[ $text =~ \"$1\":([0-9]+) ]]
	printf -v "$2" '%s' "${BASH_REMATCH[1]:-0}"
}

# matches REGEX [FILE]: a line of the last run's stdout, or of the file, matches.
matches()
{
	local line

	while IFS= read -r line || [ -n "$line" ]; do
		[[ ! $line =~ $1 ]] || return 0
	done <"${2:-$work/out}"
	return 1
}

# json FILE: is this JSON?  Strings become S, numbers and words N, then arrays and
# objects of these become N, from the inside, until a single S or N is left.
json()
{
	awk '
	{ text = text $0 "\n" }
	END {
		gsub(/S/, "s", text)
		gsub(/N/, "n", text)
		gsub(/"([^"\\\001-\037]|\\["\\\/bfnrt]|\\u[0-9a-fA-F][0-9a-fA-F][0-9a-fA-F][0-9a-fA-F])*"/, "S", text)
		gsub(/[ \t\n]/, "", text)
		gsub(/-?(0|[1-9][0-9]*)(\.[0-9]+)?|true|false|null/, "N", text)
		do {
			before = text
			gsub(/\[\]|\[[SN](,[SN])*\]/, "N", text)
			gsub(/\{\}|\{S:[SN](,S:[SN])*\}/, "N", text)
		} while (text != before)
		exit !(text == "S" || text == "N")
	}' "$1"
}

finish()
{
	echo "1..$tests"
	echo "# $((tests - failed)) passed, $failed failed"
	if [ "$tests" -eq 0 ] || [ "$failed" -ne 0 ]; then
		exit 1
	fi
	exit 0
}
