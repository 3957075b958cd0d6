# SPDX-License-Identifier: GPL-2.0
#
# Is the code as the "Code:" lines of a litmus test say?
#
#	awk -v top=FOLDER -f code.awk TEST
#
# Such a line is " *", a file, a function, and a text, with tabs between.  The
# function must hold the text; lines for one function that follow each other must
# be met in their order.  Where the function is "-", the whole file is meant.
# Prints what is wrong.

# text_of(file, name): the function, or "" when there is none.
function text_of(file, name,    path, line, text, inside)
{
	path = top "/" file
	text = ""
	inside = name == "-"
	while ((getline line < path) > 0) {
		if (name == "-") {
			text = text line "\n"
			continue
		}
		if (!inside && line ~ /^[a-z]/ &&
		    line ~ ("(^|[^a-z0-9_])" name "\\(")) {
			inside = 1
			text = ""
		}
		if (inside)
			text = text line "\n"
		# A prototype ends before a body begins.
		if (inside && line ~ /;$/ && text !~ /\n[{]/)
			inside = 0
		if (inside && line ~ /^}/) {
			close(path)
			return text
		}
	}
	close(path)
	return name == "-" ? text : ""
}

BEGIN {
	FS = "\t"
}

/^ \*\)$/ {
	exit
}

/^ \* Code:$/ {
	listed = 1
	next
}

listed {
	if (NF != 4) {
		printf "line %d: not a file, a function and a text\n", FNR
		next
	}
	count++
	if ($2 != file || $3 != name) {
		file = $2
		name = $3
		rest = text_of(file, name)
		if (rest == "")
			printf "%s: has no %s()\n", file, name
	}
	at = index(rest, $4)
	if (at)
		rest = substr(rest, at + length($4))
	else if (rest != "")
		printf "%s: %s() does not hold, or not in this place: %s\n",
			file, name, $4
}

END {
	if (!count)
		print "has no \"Code:\" lines"
}
