#!/bin/bash
# SPDX-License-Identifier: MIT
#
# The matrix's part in the guest; see matrix.sh.
#
#	guest-matrix.sh AXIS=VALUE,...	...
#
# Each lock mode and number of shards needs the module loaded anew.  That is done
# in each round of each size of values, so that figures that are compared are
# measured within some seconds of each other.
#
# Leaves /out/raw.tsv: part, lock mode, shards, per cent of gets, threads, bytes of a
# value, the best and the second best of all rounds in operations per second.

set -u

declare -A axes best next

for word; do
	axes[${word%%=*}]=${word#*=}
done

# axis NAME: print its values, one per line.
axis()
{
	printf '%s\n' "${axes[$1]//,/$'\n'}"
}

# has NAME VALUE: is it one of them?
has()
{
	[[ ,${axes[$1]}, == *,"$2",* ]]
}

# run PART LOCK SHARDS READS THREADS VALUE OPTION...: measure one cell of a round.
run()
{
	local cell="$1 $2 $3 $4 $5 $6" text rate
	local window=(--no-window)

	[[ $2 != *-window ]] || window=()
	text=$(kmap bench -jL -D "${axes[seconds]}" -r "$4" -t "$5" -v "$6" \
		"${window[@]}" "${@:7}") || exit
	if [[ $2 == *-window && $text != *'"window":true'* ]]; then
		echo "$2: gets do not take the window" >&2
		exit 1
	fi
	[[ ${text##*\"all\":} =~ \"per_second\":([0-9]+) ]] || exit
	rate=${BASH_REMATCH[1]}
	if ((rate > ${best[$cell]:-0})); then
		next[$cell]=${best[$cell]:-0}
		best[$cell]=$rate
	elif ((rate > ${next[$cell]:-0})); then
		next[$cell]=$rate
	fi
}

# mix LOCK SHARDS VALUE: measure each share of gets with each number of threads.
mix()
{
	local reads threads

	for reads in $(axis reads); do
		for threads in $(axis threads); do
			run mix "$1" "$2" "$reads" "$threads" "$3" \
				-n "${axes[keys]}"
		done
	done
}

# rules LOCK SHARDS: measure a counter in three ways, and sets of keys that threads
# share or do not share.
rules()
{
	local threads

	for threads in $(axis threads); do
		run match "$1" "$2" 0 "$threads" 8 -w match -n 1
		run add "$1" "$2" 0 "$threads" 8 -w add -n 1
		run add-own "$1" "$2" 0 "$threads" 8 -w add -n "$threads" -o
		run set "$1" "$2" 0 "$threads" 64 -n "${axes[keys]}"
		run set-own "$1" "$2" 0 "$threads" 64 -n "${axes[keys]}" -o
	done
}

# load LOCK SHARDS: load the module.
load()
{
	local parameters="lock=$1"

	[[ $2 == default ]] || parameters+=" shards=$2"
	# shellcheck disable=SC2086 # words
	insmod /kmap/kmap.ko $parameters || exit
}

# each COMMAND [ARGUMENT]: load the module with each lock mode and number of shards,
# and run COMMAND LOCK SHARDS ARGUMENT each time.
each()
{
	local lock shards

	for lock in spinlock rwsem rcu; do
		has locks "$lock" || has locks "$lock-window" || continue
		for shards in $(axis shards); do
			load "$lock" "$shards"
			! has locks "$lock" || "$1" "$lock" "$shards" "${@:2}"
			if [[ $1 == mix ]] && has locks "$lock-window"; then
				"$1" "$lock-window" "$shards" "${@:2}"
			fi
			rmmod kmap || exit
		done
	done
}

for value in $(axis values) rules; do
	if [[ $value == rules ]]; then
		has parts rules || continue
	elif ! has parts mix; then
		continue
	fi
	for ((round = 1; round <= axes[rounds]; round++)); do
		echo "at matrix, values $value, round $round" >&9
		if [[ $value == rules ]]; then
			each rules
		else
			each mix "$value"
		fi
	done
	printf 'measured: %s\n' "$value"
done
for cell in "${!best[@]}"; do
	printf '%s\t%s\t%s\n' "${cell// /$'\t'}" "${best[$cell]}" \
		"${next[$cell]}"
done > /out/raw.tsv
