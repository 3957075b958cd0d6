# SPDX-License-Identifier: GPL-2.0-only
#
# Who else uses our ioctl type?  Reads the kernel's list of types (files whose name
# ends in .rst) and headers of its ABI; prints each place that uses it, one per line.
#
#	awk -v own=0xBC -f ioctl.awk FILE...

# value(text): the number that a literal stands for, or -1.
function value(text,	n, i, digits)
{
	gsub(/[[:blank:]]/, "", text)
	if (text ~ /^'.'$/)
		return code[substr(text, 2, 1)]
	if (text ~ /^0[xX][0-9a-fA-F]+[uU]?$/) {
		digits = tolower(substr(text, 3))
		sub(/u$/, "", digits)
		for (i = 1; i <= length(digits); i++)
			n = n * 16 + index("0123456789abcdef",
				substr(digits, i, 1)) - 1
		return n
	}
	if (text ~ /^[0-9]+$/)
		return text + 0
	return -1
}

function report(what)
{
	printf "uapi/linux/kmap.h: ioctl type %s is taken: %s: %s\n", own, FILENAME,
		what
}

BEGIN {
	for (i = 32; i < 127; i++)
		code[sprintf("%c", i)] = i
	type = value(own)
}

FNR == 1 {
	delete names
}

# The list: type, numbers, header.
FILENAME ~ /\.rst$/ {
	if (NF >= 3 && value($1) == type)
		report($2 " " $3)
	next
}

/^[[:blank:]]*#[[:blank:]]*define[[:blank:]]/ {
	line = $0
	sub(/^[[:blank:]]*#[[:blank:]]*define[[:blank:]]+/, "", line)
	name = line
	sub(/[^A-Za-z0-9_].*/, "", name)
	sub(/^[A-Za-z0-9_]+/, "", line)
	sub(/\/\*.*/, "", line)
	gsub(/[()]/, "", line)
	names[name] = line
}

# _IOR(TYPE, and similar macros.
match($0, /(^|[^A-Za-z0-9_])_IO[A-Z]*[[:blank:]]*\([^,)]+,/) {
	line = substr($0, RSTART, RLENGTH - 1)
	sub(/^[^_]/, "", line)
	text = line
	sub(/^[^(]*\(/, "", text)
	gsub(/[[:blank:]]/, "", text)
	if (text in names)
		text = names[text]
	if (value(text) == type)
		report(line ", ...)")
}
