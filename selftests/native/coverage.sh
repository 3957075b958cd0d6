#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# What the programs reached of the module's files.
#
#	coverage.sh BUILD PROGRAM...	after they ran
#
# Prints lines and branches for each file, then each line that was not reached.

set -u
BUILD=${1:?folder}
shift
DATA=$BUILD/coverage.profdata
OBJECTS=("$1")
for program in "${@:2}"; do
	OBJECTS+=(-object "$program")
done

llvm-profdata merge -o "$DATA" "$BUILD"/profile/*.profraw || exit
llvm-cov export -format=lcov -instr-profile="$DATA" "${OBJECTS[@]}" \
	2>/dev/null | awk -F '[:,]' '
function row(file, a, b, c, d)
{
	return sprintf("%-12s %4d/%-4d %3d %% %5d/%-4d %3d %%", file, a, b,
		       b ? int(100 * a / b) : 100, c, d,
		       d ? int(100 * c / d) : 100)
}
/^SF:/ {
	file = $2
	ours = file ~ /\/module\/[a-z_]*\.[ch]$/
	sub(/.*\//, "", file)
	next
}
!ours {
	next
}
/^DA:/ {
	seen[file] = 1
	key = file ":" $2
	if (!(key in line)) {
		order[++count] = key
		name[key] = file
		line[key] = 0
	}
	if ($3 > 0)
		line[key] = 1
}
/^BRDA:/ {
	# Two ways out of each condition; "-" was never evaluated.
	key = file ":" $2 ":" $3 ":" $4
	if (!(key in branch)) {
		branch[key] = 0
		branch_file[key] = file
	}
	if ($5 != "-" && $5 > 0)
		branch[key] = 1
}
END {
	for (i = 1; i <= count; i++) {
		key = order[i]
		lines[name[key]]++
		hit[name[key]] += line[key]
	}
	for (key in branch) {
		branches[branch_file[key]]++
		taken[branch_file[key]] += branch[key]
	}
	printf "%-12s %14s %18s\n", "file", "lines", "branches"
	for (file in seen)
		print row(file, hit[file], lines[file], taken[file],
			  branches[file]) | "sort"
	close("sort")
	for (file in seen) {
		a += hit[file]
		b += lines[file]
		c += taken[file]
		d += branches[file]
	}
	printf "%s\n", row("all", a, b, c, d)
	for (i = 1; i <= count; i++)
		if (!line[order[i]])
			print "not reached: module/" order[i]
}'
