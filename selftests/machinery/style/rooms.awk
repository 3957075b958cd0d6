# SPDX-License-Identifier: GPL-2.0
#
# Does each file of the module know only those below it?
#
#	awk -v notes=FILE -f rooms.awk DESIGN.md NM SOURCE...
#
# The order is that of the list under "## Rooms" in DESIGN.md.  A room is a .c file
# with the header of its name, or a header that is listed by itself.  One room uses
# another when it includes its header, when an object file of it wants a symbol that
# the other's defines, or when its sources name one: that shows what an inline function
# in a header calls, for its object files are those of whoever includes it.  NM is what
# "nm -A" says of all object files.  Writes the rooms to notes, from the top, each with
# those that it uses, and prints what is wrong.

function stem(path)
{
	sub(/^.*\//, "", path)
	return path
}

# room_of(file): the room that a file is of, or "".
function room_of(file,    base)
{
	if (file in rank)
		return file
	base = file
	sub(/\.[cho]$/, ".c", base)
	return base in rank ? base : ""
}

# uses(from, to, why): note that one room uses another.
function uses(from, to, why)
{
	if (from == "" || to == "" || from == to || (from, to) in edge)
		return
	edge[from, to] = why
	list[from] = list[from] " " to
}

# The rooms, in their order.
FILENAME == ARGV[1] {
	if (/^## /)
		inside = /^## Rooms$/
	if (inside && match($0, /^    [a-z_0-9]+\.[ch] /)) {
		rank[$1] = ++rooms
		name[rooms] = $1
	}
	next
}

# The symbols: "PATH:ADDRESS TYPE SYMBOL", without the address where it is wanted.
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
	room = room_of(file)
	if (room == "")
		printf "module/%s:1: not in the list of rooms in DESIGN.md\n", file
	there[file] = 1
	comment = 0
}

{
	line = $0
	# Comments as this code has them: none begins behind another on its line.
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
		uses(room, room_of(header), "module/" file ":" FNR ": includes " header)
		next
	}
	# At the beginning of a line are prototypes.
	if (line !~ /^\t/)
		next
	while (match(line, /[A-Za-z_][A-Za-z_0-9]*/)) {
		word = substr(line, RSTART, RLENGTH)
		line = substr(line, RSTART + RLENGTH)
		if (word in owner)
			uses(room, room_of(owner[word]),
			     "module/" file ":" FNR ": uses " word)
	}
}

END {
	for (i = 1; i <= wants; i++) {
		split(wanted[i], want, SUBSEP)
		if (want[2] in owner)
			uses(room_of(want[1]), room_of(owner[want[2]]),
			     "module/" want[1] ":1: wants " want[2])
	}
	for (i = 1; i <= rooms; i++) {
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
	if (rooms < 10 || !wants)
		print "module/DESIGN.md:1: no list of rooms, or no symbols"
}
