#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# Print which lines of the module's files the tests reached.
#
#	report.sh TRACE...
#
# TRACE is a tracefile in lcov's format, NAME.info.  A line counts as reached if it was
# in any of them.  Compilers differ in what is a line: for each file, the lines of the
# last TRACE that has the file count.  They differ more in what is a branch, so
# branches are counted in each TRACE by itself.  Prints lines and branches per file,
# then each line that was not reached.

set -u
[[ $# -gt 0 ]] || exit 2

awk -F '[:,]' '
function part(a, b)
{
	return sprintf("%5d/%-4d %3d %%", a, b, b ? int(100 * a / b) : 100)
}
function row(file,   i, text)
{
	text = sprintf("%-12s %s", file, part(hit[file], lines[file]))
	for (i = 1; i <= traces; i++)
		text = text "  " part(taken[i, file], branches[i, file])
	return text
}
FNR == 1 {
	name = FILENAME
	sub(/.*\//, "", name)
	sub(/\.info$/, "", name)
	trace[++traces] = name
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
	seen[file] = traces
	key = file ":" $2
	last[key] = traces
	if (!(key in line)) {
		count[file]++
		at[file, count[file]] = $2
		line[key] = 0
	}
	if ($3 > 0)
		line[key] = 1
}
/^BRDA:/ {
	# "-" was never evaluated.
	key = traces SUBSEP file SUBSEP $2 ":" $3 ":" $4
	if (!(key in branch)) {
		branch[key] = 0
		branches[traces, file]++
		branches[traces, "all"]++
	}
	if (!branch[key] && $5 != "-" && $5 > 0) {
		branch[key] = 1
		taken[traces, file]++
		taken[traces, "all"]++
	}
}
# Keep only those lines of a file that count.
function choose(file,   i, n)
{
	for (i = 1; i <= count[file]; i++)
		if (last[file ":" at[file, i]] == seen[file])
			at[file, ++n] = at[file, i]
	count[file] = n
}
END {
	for (file in seen)
		choose(file)
	text = sprintf("%-12s %-15s", "file", "     lines")
	for (i = 1; i <= traces; i++)
		text = text sprintf("  %-15s", "branches/" trace[i])
	print text
	for (file in seen) {
		for (i = 1; i <= count[file]; i++) {
			lines[file]++
			hit[file] += line[file ":" at[file, i]]
		}
		lines["all"] += lines[file]
		hit["all"] += hit[file]
		print row(file) | "sort"
	}
	close("sort")
	print row("all")
	for (file in seen)
		for (i = 1; i <= count[file]; i++)
			if (!line[file ":" at[file, i]])
				print "not reached: module/" file ":" \
					at[file, i] | "sort -t: -k2,2 -k3,3n"
	close("sort -t: -k2,2 -k3,3n")
}' "$@"
