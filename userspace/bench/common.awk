# SPDX-License-Identifier: MIT
#
# What matrix.awk and results.awk share.

function thousands(n,	text, out)
{
	text = sprintf("%.0f", n)
	while (length(text) > 3) {
		out = "," substr(text, length(text) - 2) out
		text = substr(text, 1, length(text) - 3)
	}
	return text out
}

# Append a value to a list, unless it is there already.
function collect(list, seen, value)
{
	if (!(value in seen)) {
		seen[value] = ++list[0]
		list[list[0]] = value
	}
}
