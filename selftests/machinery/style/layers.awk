# SPDX-License-Identifier: GPL-2.0
#
# Does each file of the module use only those below it?
#
#	awk -v notes=FILE -f layers.awk DESIGN.md NM SOURCE...
#
# The order is that of the list under "## Source files" in DESIGN.md, and in a line from
# left to right.  A .c file stands for the header of its name, and a header that is listed
# by itself for itself.  A file uses another when it includes its header, when its object
# file needs a symbol that the other's defines, or when its source names one.  The last
# shows what an inline function in a header calls: its code is in the object files of the
# sources that include it.  NM is the output of "nm -A" for all object files.  Writes the
# files to notes, from the top, each with those that it uses, and prints what is wrong.

function stem(path)
{
	sub(/^.*\//, "", path)
	return path
}

# unit_of(file): the listed file that a file belongs to, or "".
function unit_of(file,    base)
{
	if (file in rank)
		return file
	base = file
	sub(/\.[cho]$/, ".c", base)
	return base in rank ? base : ""
}

# uses(from, to, why): note that one file uses another.
function uses(from, to, why)
{
	if (from == "" || to == "" || from == to || (from, to) in edge)
		return
	edge[from, to] = why
	list[from] = list[from] " " to
}

# The files, in their order.
FILENAME == ARGV[1] {
	if (/^## /)
		inside = /^## Source files$/
	for (i = 1; inside && /^    / && $i ~ /^[a-z_0-9]+\.[ch]$/; i++) {
		rank[$i] = ++files
		name[files] = $i
	}
	next
}

# The symbols: "PATH:ADDRESS TYPE SYMBOL"; undefined ones have no address.
FILENAME == ARGV[2] {
	file = $1
	sub(/:.*/, "", file)
	file = stem(file)
	if (file ~ /\.mod\.o$/ || file == "kmap.o")
		next
	if ($(NF - 1) ~ /^[TDBRVW]$/)
		owner[$NF] = file
	else if ($(NF - 1) == "U")
		wanted[++wants] = file SUBSEP $NF
	next
}

FNR == 1 {
	file = stem(FILENAME)
	unit = unit_of(file)
	if (unit == "")
		printf "module/%s:1: not in the list of files in DESIGN.md\n", file
	there[file] = 1
	comment = 0
}

{
	line = $0
	# Comments as in this code: a line has only one that does not end there.
	if (comment) {
		if (!sub(/^.*\*\//, "", line))
			next
		comment = 0
	}
	gsub(/\/\*[^*]*\*\//, "", line)
	if (sub(/\/\*.*$/, "", line))
		comment = 1
	if (match(line, /^#include "[a-z_0-9]+\.h"/)) {
		header = line
		gsub(/^#include "|".*$/, "", header)
		uses(unit, unit_of(header), "module/" file ":" FNR ": includes " header)
		next
	}
	# A line that begins without a tab is a prototype or a definition.
	if (line !~ /^\t/)
		next
	while (match(line, /[A-Za-z_][A-Za-z_0-9]*/)) {
		word = substr(line, RSTART, RLENGTH)
		line = substr(line, RSTART + RLENGTH)
		if (word in owner)
			uses(unit, unit_of(owner[word]),
			     "module/" file ":" FNR ": uses " word)
	}
}

END {
	for (i = 1; i <= wants; i++) {
		split(wanted[i], want, SUBSEP)
		if (want[2] in owner)
			uses(unit_of(want[1]), unit_of(owner[want[2]]),
			     "module/" want[1] ":1: wants " want[2])
	}
	for (i = 1; i <= files; i++) {
		if (!(name[i] in there))
			printf "module/DESIGN.md:1: lists %s, which is not there\n",
				name[i]
		printf "%-18s%s\n", name[i], list[name[i]] > notes
	}
	for (pair in edge) {
		split(pair, of, SUBSEP)
		if (rank[of[2]] > rank[of[1]])
			continue
		printf "%s of %s, which is above it%s\n", edge[pair], of[2],
			(of[2], of[1]) in edge ? ", and uses it" : ""
	}
	if (files < 10 || !wants)
		print "module/DESIGN.md:1: no list of files, or no symbols"
}
