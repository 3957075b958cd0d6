# SPDX-License-Identifier: MIT
#
# Make gnuplot's SVG small: remove titles of plots, blanks and empty groups; and add
# a line for the licence.

# Print a line; a group only if there is something in it.
function give(line)
{
	sub(/^[ \t]+/, "", line)
	sub(/[ \t]+$/, "", line)
	if (line == "" || line == "<text></text>")
		return
	if (line ~ /^<g[ >]/) {
		waiting[++waits] = line
		return
	}
	if (line == "</g>" && waits) {
		waits--
		return
	}
	for (w = 1; w <= waits; w++)
		print waiting[w]
	waits = 0
	print line
}

{
	gsub(/<title>gnuplot_plot[^<]*<\/title>|<\/?tspan[^>]*>/, "")
	# Between coordinates, not in words.
	if (!/<text/)
		gsub(/, +/, ",")
	gsub(/ stroke-linecap="butt" stroke-linejoin="miter"/, "")
	gsub(/<\/g>/, "\n</g>\n")
	gsub(/<g[ >]/, "\n&")
	count = split($0, parts, "\n")
	for (i = 1; i <= count; i++)
		give(parts[i])
}

NR == 1 { print "<!-- SPDX-License-Identifier: MIT -->" }
