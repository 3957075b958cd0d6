#!/bin/bash
# SPDX-License-Identifier: MIT
#
# Write the tables of RESULTS.md again, from the figures that are kept beside it:
# rates.tsv, growth.tsv, drift.tsv, thin.tsv, soak.tsv, matrix.tsv, insns.txt.  A table
# is between two lines
#
#	<!-- begin NAME -->
#	<!-- end NAME -->
#
# and the text around them is written by hand.
#
#	results.sh [--check]	with --check nothing is written: it fails when a
#				table would change

set -u
. "$(dirname "$0")/lib.sh"

PAGE=$BENCH_DIR/RESULTS.md

WORK=$(mktemp -d)
trap 'rm -rf "$WORK"' EXIT

cd "$BENCH_DIR" || exit

# from FILE TARGET: is the file there?  Prints how to get it if not.
from()
{
	[[ ! -e $1 ]] || return 0
	# shellcheck disable=SC2016 # quotes of Markdown
	printf 'Not measured yet: `make %s SAVE=1`.\n' "$2"
	return 1
}

# machine_of TARGET FILE: print what the head of the file says, as a row.
machine_of()
{
	local fact

	[[ -e $2 ]] || return 0
	# shellcheck disable=SC2016 # quotes of Markdown
	printf '| `make %s` |' "$1"
	for fact in date code kernel guest host; do
		printf ' %s |' "$(sed -n "s/^# $fact\t//p" "$2")"
	done
	printf '\n'
}

table()
{
	awk -v table="$1" -f common.awk -f results.awk "${@:2}"
}

print_machine()
{
	printf '| target | date | code | kernel | guest | host |\n'
	printf '|---|---|---|---|---|---|\n'
	machine_of bench rates.tsv
	machine_of growth growth.tsv
	machine_of drift drift.tsv
	machine_of thin thin.tsv
	machine_of soak soak.tsv
	machine_of matrix matrix.tsv
}

print_goals()
{
	local files=() file

	for file in insns.txt growth.tsv rates.tsv; do
		[[ ! -e $file ]] || files+=("$file")
	done
	table goals "${files[@]}"
}

print_rates()
{
	from rates.tsv bench && table rates rates.tsv
}

print_memory()
{
	from rates.tsv bench && table memory rates.tsv
}

print_insns()
{
	from insns.txt insns && table insns insns.txt
}

print_growth()
{
	from growth.tsv growth && table growth growth.tsv
}

# picture NAME WORDS: show a picture, for light pages and for dark ones.
picture()
{
	cat <<-END
	<picture>
	<source media="(prefers-color-scheme: dark)" srcset="$1-dark.svg">
	<img src="$1-light.svg" width="840" alt="$2">
	</picture>

	END
}

print_drift()
{
	from drift.tsv drift && table drift drift.tsv
}

print_thin()
{
	from thin.tsv thin && table thin thin.tsv
}

print_soak()
{
	from soak.tsv soak || return
	picture soak 'Bytes stored and memory over hours'
	table soak soak.tsv
}

print_matrix()
{
	from matrix.tsv matrix || return
	picture matrix 'Operations per second over the share of gets, for each lock'
	picture rules 'Counters and sets, operations per second over threads'
	awk -f common.awk -f matrix.awk matrix.tsv
}

# whole: print the page with new tables.
whole()
{
	local line name=''

	while IFS= read -r line; do
		case $line in
		'<!-- begin '*' -->')
			name=${line#<!-- begin }
			name=${name% -->}
			printf '%s\n\n' "$line"
			declare -F "print_$name" >/dev/null ||
				die "RESULTS.md: no such table: $name"
			"print_$name"
			printf '\n'
			;;
		'<!-- end '*' -->')
			[[ $line == "<!-- end $name -->" ]] ||
				die "RESULTS.md: $line, but $name began"
			name=
			;;
		esac
		[[ -n $name ]] || printf '%s\n' "$line"
	done < "$PAGE"
	[[ -z $name ]] || die "RESULTS.md: no end of $name"
}

set -o pipefail
if [[ -e soak.tsv && ${1:-} != --check ]]; then
	draw_picture soak soak.tsv . || exit
fi
whole > "$WORK/page" || exit
case ${1:-} in
'')
	cp "$WORK/page" "$PAGE" || exit
	printf 'Written: %s\n' "$PAGE"
	;;
--check)
	diff -u "$PAGE" "$WORK/page" ||
		die 'RESULTS.md does not match the figures that are kept: run "make results"'
	;;
*)
	die "unknown option $1; see the head of this file"
	;;
esac
