# SPDX-License-Identifier: MIT
#
# What the pictures share: colours for light and dark pages, and the axes of panels.
# The colours are those of Okabe and Ito, which people who see few colours can tell
# apart; points differ, too.
#
# Needs: theme, "light" or "dark"; data, the file.

dark = theme eq "dark"
paper = dark ? "#0d1117" : "#ffffff"
ink = dark ? "#e6edf3" : "#1f2328"
pale = dark ? "#30363d" : "#d8dee4"
vermilion = "#d55e00"
blue = dark ? "#56b4e9" : "#0072b2"
green = "#009e73"
purple = dark ? "#e69f00" : "#cc79a7"

set datafile separator tab
set border 3 lc rgb ink lw 0.7
set tics nomirror scale 0.4 textcolor rgb ink font ",11"
set grid ytics lc rgb pale lt 1 lw 0.7
set key textcolor rgb ink font ",12" samplen 2.5
set logscale y

# "1200000" as "1.2 M".
short(n) = n >= 1e6 ? sprintf("%g M", n / 1e6) : sprintf("%g k", n / 1e3)

# Tics of an axis of rates, with labels and without.
tics = ""
bare = ""
do for [power = 3:8] {
	do for [step in "1 2 3 5 7"] {
		n = step * 10 ** power
		comma = tics eq "" ? "" : ", "
		tics = tics . sprintf("%s'%s' %d", comma, short(n), int(n))
		bare = bare . sprintf("%s'' %d", comma, int(n))
	}
}

# The panels of a picture are on "width" by "height" pixels.
x(pixels) = pixels / (1.0 * width)
y(pixels) = 1 - pixels / (1.0 * height)
